"""A path from a provider's answer to a span, and what its instrumentation tells differently."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

from tests.providers.seen import Change, Said, Saying, Seen

PLAIN, STREAMED = ("plain",), ("streamed",)
#: OpenTelemetry's own instrumentations tell messages only if they are asked to.
WITH_MESSAGES = {
    "OTEL_SEMCONV_STABILITY_OPT_IN": "gen_ai_latest_experimental",
    "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT": "span_only",
}


@dataclass(frozen=True)
class Difference:
    """What a path's instrumentation does not tell, or tells wrongly: why, and how that changes what is right.

    It is asserted like everything else, so that it is noticed when it goes away.
    """

    why: str
    change: Change
    modes: tuple[str, ...] = PLAIN + STREAMED


@dataclass(frozen=True)
class Path:
    """A program under `tests/clients/instrumented`, run in an environment of `tests/clients` (or `node`).

    `package` is what tells Genscope and whose version is shown, `provider` a key of `conversation.PROVIDERS`, `variables`
    are environment variables of its own.
    """

    name: str
    provider: str
    environment: str
    package: str
    program: str
    arguments: tuple[str, ...] = ()
    variables: dict[str, str] = field(default_factory=dict)
    modes: tuple[str, ...] = PLAIN + STREAMED
    differences: tuple[Difference, ...] = ()

    def change(self, mode: str) -> Change:
        """Return what the differences make of what is right."""

        def changed(calls: list[Seen]) -> list[Seen]:
            for difference in self.differences:
                calls = difference.change(calls) if mode in difference.modes else calls
            return calls

        return changed

    @property
    def why(self) -> str:
        """Why this path differs, in words."""
        return "; ".join(difference.why for difference in self.differences)


def without_usage(*kinds: str) -> Change:
    """Parts of the usage that are not told, though the cost is right."""
    return lambda calls: [
        replace(call, usage={kind: count for kind, count in call.usage.items() if kind not in kinds}) for call in calls
    ]


def costing(*costs: str) -> Change:
    """What each call seems to cost."""
    return lambda calls: [replace(call, cost=Decimal(cost)) for call, cost in zip(calls, costs, strict=True)]


def telling(**fields: Any) -> Change:
    """Another value of a field, the same in each call."""
    return lambda calls: [replace(call, **fields) for call in calls]


def without_cache(calls: list[Seen]) -> list[Seen]:
    """Neither what was cached, which stands beside the input, nor what it cost."""
    bare = []
    for call in calls:
        cached = call.usage["input_cache_read"] + call.usage["input_cache_write"]
        sums = {kind: call.usage[kind] - cached for kind in ("input", "total")}
        bare.append(replace(call, usage={"output": call.usage["output"], **sums}))
    return bare


def saying(alter: Callable[[Saying], Saying | None]) -> Change:
    """Change or leave out (None) what is said in inputs and outputs, part by part."""

    def altered(said: Said) -> Said:
        return [new for new in map(alter, said) if new]

    return lambda calls: [replace(call, input=altered(call.input), output=altered(call.output)) for call in calls]


def without_instructions(said: Saying) -> Saying | None:
    """Drop the system message."""
    return None if said[0] == "system" else said


def without_call_id(calls: list[Seen]) -> list[Seen]:
    """Calls of tools that a model answers with have no id."""
    return [
        replace(call, output=[(role, part | {"id": None} if "id" in part else part) for role, part in call.output])
        for call in calls
    ]


def with_item_id(said: Saying) -> Saying:
    """Name a tool's call by the id of OpenAI's item, so that its result does not find it."""
    role, part = said
    changes: dict[str, dict[str, Any]] = {"tool_call": {"id": "fc_order4711"}, "tool_result": {"name": None}}
    return role, part | changes.get(part["type"], {})


def counting_first_token_twice(calls: list[Seen]) -> list[Seen]:
    """One token more of output than there was, at Anthropic's price of it."""
    return [
        replace(
            call,
            usage=call.usage | {kind: call.usage[kind] + 1 for kind in ("output", "total")},
            cost=(call.cost or Decimal(0)) + Decimal("0.000015"),
        )
        for call in calls
    ]


def both(*changes: Change) -> Change:
    """Several changes, one after the other."""

    def changed(calls: list[Seen]) -> list[Seen]:
        for change in changes:
            calls = change(calls)
        return calls

    return changed
