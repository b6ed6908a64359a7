"""Genkit: `genkit:*`, whose whole request and whole answer are one JSON text each.

Source: Genkit's tracing (JavaScript, Go, Python) and the specification of its telemetry attributes.
"""

from __future__ import annotations

from typing import Final

from genscope.conventions.decode import content, mapping, one_of, set_flag, text
from genscope.conventions.table import Decoder, Part, Table
from genscope.conventions.tools import names_in_request
from genscope.model import Attributes, Json, RawSpan, Usage
from genscope.pricing import usage

#: `genkit:metadata:subtype`; flows, prompts and utilities are plain spans.
_SUBTYPES: Final = {
    "model": "generation",
    "background-model": "generation",
    "embedder": "embedding",
    "tool": "tool",
    "tool.v2": "tool",
    "retriever": "retriever",
    "reranker": "reranker",
    "evaluator": "evaluator",
    "agent": "agent",
}
#: Counts of tokens; characters, images, videos and files are counted beside them.
_TOKENS: Final = ("inputTokens", "outputTokens", "totalTokens", "thoughtsTokens", "cachedContentTokens")


def _calls_model(span: RawSpan) -> bool:
    return span.attributes.get("genkit:metadata:subtype") in ("model", "background-model", "embedder")


def _model(value: Json, span: RawSpan) -> str | None:
    return text(value, span) if _calls_model(span) else None


def _either(key: str) -> Decoder:
    """What stands under `key` of a model's request or answer; the whole of everything else."""

    def decode(value: Json, span: RawSpan) -> str | None:
        whole = mapping(value, span)
        return content(whole.get(key), span) if whole and whole.get(key) else content(value, span)

    return Part(decode)


def _config(value: Json, span: RawSpan) -> Attributes | None:
    request = mapping(value, span)
    return mapping(request.get("config"), span) if request and _calls_model(span) else None


def _usage(value: Json, span: RawSpan) -> Usage | None:
    answer = mapping(value, span) if _calls_model(span) else None
    counts = mapping(answer.get("usage"), span) if answer else None
    return usage.from_attributes({name: counts[name] for name in _TOKENS if name in counts}) if counts else None


def _tool_names(value: Json, span: RawSpan) -> list[str] | None:
    """The tools of a model's request, which the span's input leaves behind."""
    return names_in_request(value) if isinstance(value, str) and _calls_model(span) else None


TABLE: Table = {
    "name": {"genkit:name": text},
    "type": {"genkit:metadata:subtype": one_of(_SUBTYPES)},
    "level": {"genkit:state": one_of({"error": "ERROR"})},
    "model": {"genkit:name": _model},
    "model_parameters": {"genkit:input": _config},
    "usage": {"genkit:output": _usage},
    "tool_names": {"genkit:input": _tool_names},
    "session_id": {"genkit:sessionId": text},
    "is_root": {"genkit:isRoot": set_flag},
    "input": {"genkit:input": _either("messages")},
    "output": {"genkit:output": _either("message")},
}
