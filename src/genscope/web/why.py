"""Why a span has the type, model, usage and cost that it has: one plain sentence each, with the rule that gave it."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Final

from genscope.model import PAID_TYPES, Attributes, Json, Span
from genscope.web.bill import NAMES
from genscope.web.format import count, one_line

#: Dialects by the names that people know them by; the others are called as their makers write themselves.
DIALECTS: Final = {
    "genscope": "Genscope",
    "langfuse": "Langfuse",
    "gen_ai": "OpenTelemetry GenAI",
    "genkit": "Genkit",
    "vercel_ai": "the Vercel AI SDK",
    "flue": "Flue",
    "openinference": "OpenInference",
    "traceloop": "OpenLLMetry",
    "google_adk": "Google ADK",
    "pydantic_ai": "Pydantic AI",
    "litellm": "LiteLLM",
    "livekit": "LiveKit",
    "mlflow": "MLflow",
    "langsmith": "LangSmith",
    "semantic_kernel": "Semantic Kernel",
    "lemma": "Lemma",
    "maxim": "Maxim",
    "otel": "OpenTelemetry",
}
#: What is missing where there is no cost, and what to do about it.
MISSING: Final = {
    "no_usage": "None: the sender told neither input nor output tokens, and without them nothing can be computed. Have the"
    " instrumentation record usage; a streamed answer of OpenAI has it only with stream_options={'include_usage': true}.",
    "no_model": "None: the tokens are known, but not whose price they have. Have the sender name the model.",
    "unknown_model": "None: no price is known for MODEL. Add one to the project by genscope prices set, then let genscope"
    " reprice compute the costs again.",
    "unknown_price": "None: MODEL is known, but not what it costs in this tier of service (TIER), or what a kind of usage of this"
    " call costs. Add a price for it to the project by genscope prices set, then let genscope reprice compute the costs again.",
}
#: Numbers as sent that are shown, and characters of one.
_MOST: Final = 20
_LONGEST: Final = 600


@dataclass(frozen=True, slots=True)
class Answer:
    """Why one value is what it is. `source` is an attribute's name, between `before` and `after` in the sentence."""

    about: str
    before: str
    source: str = ""
    after: str = ""
    #: What the sender wrote there, name by name, where that is not the value itself.
    sent: list[tuple[str, str]] = field(default_factory=list)


def answers(span: Span) -> list[Answer]:
    """Return what can be said about a span's type, model, usage and cost, in this order."""
    told = [_type(span)]
    if span.type in PAID_TYPES or span.model or span.model_rule:
        told.append(_model(span))
    if span.type in PAID_TYPES or span.usage or span.usage_rule:
        told.append(_usage(span))
    if span.type in PAID_TYPES or span.cost or span.cost_missing:
        told.append(_cost(span))
    return told


def _type(span: Span) -> Answer:
    if span.type_rule is None:
        return Answer("Type", f"{span.type or 'span'}: no attribute says what kind of step this is.")
    return _by(span, "Type", span.type or "span", span.type_rule)


def _model(span: Span) -> Answer:
    if span.model_rule is None:
        return Answer("Model", "None: no attribute names one.")
    return _by(span, "Model", span.model, span.model_rule)


def _usage(span: Span) -> Answer:
    if span.usage_rule is None:
        return Answer("Usage", "None: no attribute tells tokens.")
    return _by(span, "Usage", _tokens(span) if span.usage else None, span.usage_rule)


def _tokens(span: Span) -> str:
    usage = span.usage or {}
    ways = {"input": "tokens in", "output": "tokens out"}
    if usage.keys().isdisjoint(ways):
        ways = (
            {"total": "tokens in all"} if "total" in usage else {kind: NAMES.get(kind, kind).lower() for kind in usage}
        )
    return " and ".join(f"{count(usage[kind])} {way}" for kind, way in ways.items() if kind in usage)


def _cost(span: Span) -> Answer:
    if span.cost and span.cost_source == "computed":
        before = "The tokens above at the price"
        tier = f" It was served as {one_line(span.service_tier, 40)}." if span.service_tier else ""
        return Answer("Cost", before, one_line(span.cost_rule or "", 300), f", which held when the call began.{tier}")
    if span.cost and span.cost_rule:
        return _by(span, "Cost", "What the sender reported", span.cost_rule)
    if span.cost:
        return Answer("Cost", "What the sender reported.")
    if span.cost_missing in MISSING:
        tier, model = one_line(span.service_tier or "standard", 40), one_line(span.model or "", 80)
        return Answer("Cost", MISSING[span.cost_missing].replace("TIER", tier).replace("MODEL", model))
    return Answer("Cost", "None: this is no call to a model that is paid for by itself.")


def _by(span: Span, about: str, value: str | None, rule: str) -> Answer:
    dialect, _, source = rule.partition(" ")
    speaker = DIALECTS.get(dialect, dialect)
    if source.startswith("@"):
        return Answer(about, f"{one_line(value or 'none', 80)}, by the span's name and library as {speaker} has them.")
    sent = _sent(span.attributes, source)
    if value is None:
        says = f" says {sent[0][1]}, which" if sent else " says that this span"
        after = f"({speaker}){says} repeats what the spans below it tell. What was sent is among the attributes."
        return Answer(about, "None here, so that nothing counts twice:", source, after)
    what = "attributes" if source.endswith("*") else "attribute"
    read = sent[0][1] if len(sent) == 1 and about == "Type" else ""
    after = f"({speaker}), which says {read}." if read and read != value else f"({speaker})."
    return Answer(
        about, f"{one_line(value, 120)}, from the {what}", source, after, sent if about in ("Usage", "Cost") else []
    )


def _sent(attributes: Attributes, source: str) -> list[tuple[str, str]]:
    """Return the attributes that a source stands for, as they were sent."""
    if source.endswith(".*"):
        names = sorted(name for name in attributes if name.startswith(source[:-1]))
    else:
        names = [source] if source in attributes else []
    return [(name, _short(attributes[name])) for name in names[:_MOST]]


def _short(value: Json) -> str:
    return one_line(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False), _LONGEST)
