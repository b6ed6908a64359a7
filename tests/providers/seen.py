"""What Genscope understood of a call to a model, in a form that compares whatever the path, and what it should be."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from tests.providers.conversation import ANSWER, ARGUMENTS, QUESTION, RESULT, SYSTEM, TOOL_NAME, Provider

#: Who said what: a role and a part.
Saying = tuple[str, dict[str, Any]]
Said = list[Saying]


@dataclass(frozen=True)
class Seen:
    """One call to a model."""

    model: str | None
    provider: str | None
    usage: dict[str, int]
    cost: Decimal | None
    cost_source: str | None
    input: Said
    output: Said
    #: The names of the tools that were called, as a filter finds them.
    tool_calls: list[str]


Change = Callable[[list[Seen]], list[Seen]]


def expected(provider: Provider) -> list[Seen]:
    """Return what every path of a provider has to come to: both calls of the conversation."""
    asked: Said = [("system", {"type": "text", "text": SYSTEM}), ("user", {"type": "text", "text": QUESTION})]
    identity = {"id": provider.call_id or None, "name": TOOL_NAME}
    call: Said = [("assistant", {"type": "tool_call", **identity, "arguments": ARGUMENTS})]
    result: Said = [("tool", {"type": "tool_result", **identity, "result": RESULT})]
    answer: Said = [("assistant", {"type": "text", "text": ANSWER})]
    said = [(asked, call), (asked + call + result, answer)]
    tools: list[list[str]] = [[TOOL_NAME], []]
    return [
        Seen(provider.model, provider.name, used.usage, used.cost, "computed", *said[number], tools[number])
        for number, used in enumerate(provider.calls)
    ]


def seen(span: dict[str, Any]) -> Seen:
    """Return what the API tells of a call."""
    cost = span["cost"]
    return Seen(
        model=span["model"],
        provider=span["provider"],
        usage=_coarse({kind: count for kind, count in (span["usage"] or {}).items() if count}),
        cost=Decimal(cost["total"]) if cost else None,
        cost_source=span["cost_source"],
        input=_said(span["input_messages"]),
        output=_said(span["output_messages"]),
        tool_calls=span["tool_calls"],
    )


def _coarse(usage: dict[str, int]) -> dict[str, int]:
    """Return a usage without what only some paths tell on top: how long the cache was written for, and that all was text."""
    return {
        kind: count
        for kind, count in usage.items()
        if not kind.startswith("input_cache_write_") and not kind.endswith("_text")
    }


def _said(messages: list[dict[str, Any]]) -> Said:
    """Return who said what, without thoughts: OpenAI keeps them to itself, and tells only that there were some."""
    parts = [(message["role"], part) for message in messages for part in message["parts"]]
    return [(role, part) for role, part in parts if part["type"] != "reasoning"]
