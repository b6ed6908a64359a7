"""Every path from a provider's answer to a span that is tried: an SDK, an instrumentation, a framework."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from decimal import Decimal

from tests.providers.seen import Change, Seen


@dataclass(frozen=True)
class Difference:
    """What a path's instrumentation does not tell, or tells wrongly: why, and how that changes what is right.

    It is asserted like everything else, so that it is noticed when it goes away.
    """

    why: str
    change: Change
    modes: tuple[str, ...] = ("plain", "streamed")


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
    modes: tuple[str, ...] = ("plain", "streamed")
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


def without_messages(calls: list[Seen]) -> list[Seen]:
    """Neither input nor output are told."""
    return [replace(call, input=[], output=[]) for call in calls]


def both(*changes: Change) -> Change:
    """Several changes, one after the other."""

    def changed(calls: list[Seen]) -> list[Seen]:
        for change in changes:
            calls = change(calls)
        return calls

    return changed


LATEST = {
    "OTEL_SEMCONV_STABILITY_OPT_IN": "gen_ai_latest_experimental",
    "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT": "span_only",
}
NATIVE = {"ANTHROPIC_OPEN_TELEMETRY_TRACES_CONTENT_MODE": "content"}
#: The programs of LangChain, by how its calls are made and by which API.
LANGCHAIN = [(form, api) for form in ("LangChain", "LangGraph") for api in ("openai", "openai-responses", "anthropic")]
NO_CACHE = Difference(
    "tells neither cached nor reasoning tokens, so that all input is priced in full",
    both(without_usage("input_cache_read", "output_reasoning"), costing("0.000479", "0.0005355")),
)

PATHS = [
    Path("`langfuse.openai`, chat", "openai", "instrumented", "langfuse", "openai_chat.py", ("langfuse",)),
    Path("`langfuse.openai`, responses", "openai", "instrumented", "langfuse", "openai_responses.py", ("langfuse",)),
    Path(
        "`langfuse.openai` of version 3, chat", "openai", "langfuse-3.15.0", "langfuse", "openai_chat.py", ("langfuse",)
    ),
    Path(
        "`langfuse.openai` of version 3, responses",
        "openai",
        "langfuse-3.15.0",
        "langfuse",
        "openai_responses.py",
        ("langfuse",),
    ),
    *(
        Path(
            f"{teller} {family}, {api}",
            "openai",
            "instrumented",
            package,
            f"openai_{api}.py",
            (argument,),
            LATEST,
        )
        for teller, family, package, argument in (
            ("OpenInference", "OpenAI", "openinference-instrumentation-openai", "openinference"),
            ("OpenLLMetry", "OpenAI", "opentelemetry-instrumentation-openai", "openllmetry"),
            ("OpenTelemetry", "GenAI OpenAI", "opentelemetry-instrumentation-genai-openai", "genai-openai"),
        )
        for api in ("chat", "responses")
    ),
    Path(
        "`opentelemetry-instrumentation-openai-v2`",
        "openai",
        "openai-v2",
        "opentelemetry-instrumentation-openai-v2",
        "openai_chat.py",
        ("openai-v2",),
        LATEST,
        differences=(NO_CACHE,),
    ),
    Path(
        "OpenInference OpenAI Agents",
        "openai",
        "instrumented",
        "openinference-instrumentation-openai-agents",
        "openai_agents.py",
    ),
    Path(
        "Anthropic's SDK by itself",
        "anthropic",
        "instrumented",
        "anthropic",
        "anthropic_messages.py",
        ("none",),
        NATIVE,
    ),
    Path(
        "OpenInference Anthropic",
        "anthropic",
        "instrumented",
        "openinference-instrumentation-anthropic",
        "anthropic_messages.py",
        ("openinference",),
    ),
    Path(
        "OpenLLMetry Anthropic",
        "anthropic",
        "instrumented",
        "opentelemetry-instrumentation-anthropic",
        "anthropic_messages.py",
        ("openllmetry",),
    ),
    *(
        Path(
            f"{teller} {form}, {api}",
            api.partition("-")[0],
            "instrumented",
            package,
            "langchain_models.py",
            (api, form, teller),
        )
        for teller, package in (
            ("OpenInference", "openinference-instrumentation-langchain"),
            ("Langfuse", "langfuse"),
        )
        for form, api in LANGCHAIN
    ),
]
