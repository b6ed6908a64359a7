"""LiveKit Agents, whose spans tell their meaning by their names."""

from __future__ import annotations

from typing import Final

from genscope.conventions.decode import content
from genscope.conventions.table import Table
from genscope.model import RawSpan

_TYPES: Final = {"agent_turn": "agent", "start_agent_activity": "agent", "function_tool": "tool"}
#: Spans of the machinery, many to each turn.
_DETAILS: Final = frozenset({"eou_detection", "tts_request_run", "agent_speaking", "on_exit"})


def _level(_value: None, span: RawSpan) -> str | None:
    return "DEBUG" if span.scope.name == "livekit-agents" and span.name in _DETAILS else None


def _type(_value: None, span: RawSpan) -> str | None:
    return _TYPES.get(span.name) if span.scope.name == "livekit-agents" else None


TABLE: Table = {
    "type": {"@livekit": _type},
    "level": {"@livekit": _level},
    "input": {"lk.input_text": content, "lk.user_transcript": content, "lk.chat_ctx": content},
    "output": {"lk.function_tool.output": content, "lk.response.text": content},
}
