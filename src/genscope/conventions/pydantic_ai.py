"""Pydantic AI and Logfire, where they say more than `gen_ai.*`.

Source: the attributes of Pydantic AI's instrumentation, versions 1 to 3 of its format.
"""

from __future__ import annotations

from genscope.conventions.decode import content, dumped, mapping, parsed, text
from genscope.conventions.gen_ai import input_messages
from genscope.conventions.table import Part, Table
from genscope.model import Json, RawSpan


def _tools(value: Json, span: RawSpan) -> str | None:
    parameters = mapping(value, span)
    tools = parameters.get("function_tools") if parameters else None
    return dumped(tools) if isinstance(tools, list) and tools else None


def _entries(value: Json) -> list[dict[str, Json]]:
    value = parsed(value) if isinstance(value, str) else value
    return [entry for entry in value if isinstance(entry, dict)] if isinstance(value, list) else []


def _asked(value: Json, _span: RawSpan) -> str | None:
    messages: list[Json] = [entry for entry in _entries(value) if entry.get("event.name") != "gen_ai.choice"]
    return dumped(messages) if messages else None


def _answered(value: Json, _span: RawSpan) -> str | None:
    return next((dumped(entry) for entry in _entries(value) if entry.get("event.name") == "gen_ai.choice"), None)


TABLE: Table = {
    "name": {"logfire.msg": text},
    "tools": {"model_request_parameters": Part(_tools)},
    "input": {
        "prompt": content,
        "events": _asked,
        "pydantic_ai.all_messages": input_messages,
        "tool_arguments": content,
    },
    "output": {
        "all_messages_events": content,
        "events": _answered,
        "final_result": content,
        "tool_response": content,
    },
}
