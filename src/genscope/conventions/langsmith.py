"""LangSmith's OpenTelemetry export, `langsmith.*`, which LangChain and LangGraph speak without another instrumentation.

It guesses `gen_ai.system` from the model's name, names prompts and retrievers by operations that they are not, and
repeats the tokens of a call on the chains around it; its own attributes are right.

Source: langsmith for Python 0.14 and for JavaScript 0.10.
"""

from __future__ import annotations

from typing import Final

from genscope.conventions.decode import mapping, one_of, parsed, tags, text, tier
from genscope.conventions.gen_ai import provider
from genscope.conventions.table import Table
from genscope.model import Attributes, Cost, Json, RawSpan, Usage
from genscope.pricing import cost, usage

_METADATA: Final = "langsmith.metadata."
_KINDS: Final = {
    "llm": "generation",
    "embedding": "embedding",
    "retriever": "retriever",
    "tool": "tool",
    # Its word for any function
    "chain": "span",
    "prompt": "span",
    "parser": "span",
}
_ROLL_UPS: Final = dict.fromkeys(("retriever", "tool", "chain", "prompt", "parser"), True)

#: From a chat model's outputs to its first message, which may stand behind fewer of these.
_TO_MESSAGE: Final = ("generations", "message", "kwargs")
_COUNTS: Final = ("input_tokens", "output_tokens", "total_tokens", "input_token_details", "output_token_details")


def _usage(value: Json, span: RawSpan) -> Usage | None:
    """LangChain's `usage_metadata`, whose totals include their details."""
    counts = mapping(value, span)
    return usage.from_details({"input_token_details": {}, **counts}) if counts else None


def _answered(value: Json, span: RawSpan) -> Usage | None:
    """The `usage_metadata` inside a model's answer, where its details are even if no attribute has them."""
    answer = mapping(value, span) if span.attributes.get("langsmith.span.kind") == "llm" else None
    for step in _TO_MESSAGE if answer else ():
        if answer and "usage_metadata" in answer:
            break
        found: Json = answer.get(step) if answer else None
        while isinstance(found, list) and found:
            found = found[0]
        answer = found if isinstance(found, dict) else answer
    return _usage(answer.get("usage_metadata"), span) if answer else None


def _detailed(_value: Json, span: RawSpan) -> Usage | None:
    """The details that Python writes as Python does, beside the totals."""
    counts: Attributes = {}
    for name in _COUNTS:
        told = span.attributes.get(f"gen_ai.usage.{name}")
        counts[name] = parsed(told.replace("'", '"')) if isinstance(told, str) and told.startswith("{") else told
    return usage.from_details({name: count for name, count in counts.items() if count is not None})


def _cost(value: Json, span: RawSpan) -> Cost | None:
    told = mapping(value, span)
    return cost.from_total(told.get("total_cost"), span) if told else None


def _metadata(group: Attributes, _span: RawSpan) -> Attributes:
    """The run's metadata: objects and arrays travel as JSON text, everything else as text."""
    entries = dict(group)
    group.clear()
    for name, value in entries.items():
        if isinstance(value, str) and value.startswith(("{", "[")):
            entries[name] = parsed(value) or value
    return entries


TABLE: Table = {
    "name": {"langsmith.trace.name": text},
    "type": {"langsmith.span.kind": one_of(_KINDS)},
    "rolls_up": {"langsmith.span.kind": one_of(_ROLL_UPS)},
    "model": {f"{_METADATA}ls_model_name": text},
    "provider": {f"{_METADATA}ls_provider": provider},
    "usage": {
        "langsmith.usage_metadata": _usage,
        "gen_ai.completion": _answered,
        "gen_ai.usage.input_token_details": _detailed,
        "gen_ai.usage.output_token_details": _detailed,
    },
    "cost": {"langsmith.usage_metadata": _cost},
    "service_tier": {f"{_METADATA}service_tier": tier},
    "tags": {"langsmith.span.tags": tags},
    "metadata": {f"{_METADATA}*": _metadata},
    "user_id": {f"{_METADATA}user_id": text},
    "session_id": {
        f"{_METADATA}session_id": text,
        f"{_METADATA}thread_id": text,
        f"{_METADATA}conversation_id": text,
    },
}
