"""Traces, observations and scores as Langfuse's clients check them.

Where Langfuse has no word for "not known", its clients get what Langfuse would answer: the environment `default`, the level
`DEFAULT`, and in `usage` counts of 0. `usageDetails` and `costDetails` are empty then.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final, TypeVar

import msgspec

from genscope.api.langfuse.parameters import CursorMeta, Meta
from genscope.api.shapes import iso, json_value
from genscope.model import TRACE, Entity, Score, Span
from genscope.pricing.cost import CACHED
from genscope.store.reader import Members, TraceSummary

N = TypeVar("N", int, Decimal)
DEFAULT: Final = "default"
#: Who may have said something, in Langfuse; whatever came through an API is `API`.
SOURCES: Final = ("EVAL", "ANNOTATION")
#: Characters of a value of metadata that version 2 of the observations shows unless asked for all.
SHORT: Final = 200
#: Types of scores that clients before version 3 do not know.
TEXTS: Final = ("TEXT", "CORRECTION")


class NumberedPage(msgspec.Struct):
    """A page by number."""

    data: list[Any]
    meta: Meta


class CursorPage(msgspec.Struct):
    """A page by cursor."""

    data: list[Any]
    meta: CursorMeta


class Deleted(msgspec.Struct):
    """That something is gone."""

    message: str


class LangfuseTrace(msgspec.Struct, rename="camel"):
    """A trace: with ids of its observations and scores in lists, with all of them where one trace is read."""

    id: str
    project_id: str
    timestamp: str | None
    name: str | None
    input: Any
    output: Any
    session_id: str | None
    release: str | None
    version: str | None
    user_id: str | None
    metadata: dict[str, Any]
    tags: list[str]
    public: bool
    bookmarked: bool
    environment: str
    html_path: str
    latency: float | None
    total_cost: float | None
    created_at: str | None
    updated_at: str | None
    observations: list[Any]
    scores: list[Any]


class LangfuseUsage(msgspec.Struct, rename="camel"):
    """The headline numbers of usage and cost, as Langfuse had them before `usageDetails`."""

    input: int
    output: int
    total: int
    unit: str
    input_cost: float | None
    output_cost: float | None
    total_cost: float | None


class LangfuseObservation(msgspec.Struct, rename="camel"):
    """An observation, which is a span."""

    id: str
    trace_id: str
    type: str
    name: str | None
    start_time: str | None
    end_time: str | None
    completion_start_time: str | None
    model: str | None
    model_parameters: dict[str, Any]
    input: Any
    output: Any
    version: str | None
    metadata: dict[str, Any]
    usage: LangfuseUsage
    level: str
    status_message: str | None
    parent_observation_id: str | None
    prompt_id: str | None
    prompt_name: str | None
    prompt_version: int | None
    usage_details: dict[str, int]
    cost_details: dict[str, float]
    environment: str
    model_id: str | None
    input_price: float | None
    output_price: float | None
    total_price: float | None
    calculated_input_cost: float | None
    calculated_output_cost: float | None
    calculated_total_cost: float | None
    latency: float | None
    time_to_first_token: float | None
    project_id: str


def exclusive(values: Mapping[str, N]) -> dict[str, N]:
    """Return counts or costs as Langfuse keeps them: each token in one kind only, so that all but `total` add up to it.

    Genscope's `input` and `output` are totals, of which the other kinds are parts.
    """
    own = dict(values)
    for kind, value in values.items():
        within = [other for other in values if kind.startswith(f"{other}_")]
        if within:
            own[max(within, key=len)] -= value
    for cached, modality in CACHED:
        if cached in own and modality in own:
            twice = min(own[cached], own[modality])
            own[modality] -= twice
            if "input" in own:
                own["input"] += twice
    return {kind: value for kind, value in own.items() if value >= 0}


def trace_shape(
    project_id: str, trace: TraceSummary, members: Members | None, observations: Iterable[Any], scores: Iterable[Any]
) -> LangfuseTrace:
    """Return a trace."""
    return LangfuseTrace(
        id=trace.trace_id,
        project_id=project_id,
        timestamp=iso(trace.start_time),
        name=trace.name,
        input=json_value(trace.input),
        output=json_value(trace.output),
        session_id=trace.session_id,
        release=trace.release,
        version=trace.version,
        user_id=trace.user_id,
        metadata=trace.metadata,
        tags=trace.tags,
        public=members is not None and members.public,
        bookmarked=False,
        environment=trace.environment or DEFAULT,
        html_path=f"/project/{project_id}/traces/{trace.trace_id}",
        latency=seconds(trace.start_time, trace.end_time),
        total_cost=_money(trace.total_cost),
        created_at=iso(trace.start_time),
        updated_at=iso(trace.end_time or trace.start_time),
        observations=list(observations),
        scores=list(scores),
    )


def observation_shape(project_id: str, span: Span) -> LangfuseObservation:
    """Return an observation in the shape of version 1."""
    usage, cost = span.usage or {}, span.cost or {}
    start = begin(span)
    known = usage.get("input", 0) + usage.get("output", 0)
    return LangfuseObservation(
        id=span.span_id,
        trace_id=span.trace_id,
        type=(span.type or "span").upper(),
        name=span.name,
        start_time=iso(start),
        end_time=iso(span.end_time),
        completion_start_time=iso(span.completion_start_time),
        model=span.model,
        model_parameters=span.model_parameters or {},
        input=json_value(span.input),
        output=json_value(span.output),
        version=span.version,
        metadata=span.metadata,
        usage=LangfuseUsage(
            usage.get("input", 0),
            usage.get("output", 0),
            max(usage.get("total", 0), known),
            "TOKENS",
            _money(cost.get("input")),
            _money(cost.get("output")),
            _money(cost.get("total")),
        ),
        level=span.level or "DEFAULT",
        status_message=span.status_message,
        parent_observation_id=parent(span),
        prompt_id=None,
        prompt_name=span.prompt_name,
        prompt_version=prompt_version(span),
        usage_details=exclusive(usage),
        cost_details=cost_details(span),
        environment=span.environment or DEFAULT,
        model_id=None,
        input_price=None,
        output_price=None,
        total_price=None,
        calculated_input_cost=_money(cost.get("input")),
        calculated_output_cost=_money(cost.get("output")),
        calculated_total_cost=_money(cost.get("total")),
        latency=seconds(span.start_time, span.end_time),
        time_to_first_token=seconds(span.start_time, span.completion_start_time),
        project_id=project_id,
    )


def score_shape(score: Score, trace: TraceSummary | None = None, *, with_trace: bool = False) -> dict[str, Any]:
    """Return a score in the shape of versions 1 and 2; of a category the number is 0 if none was told, as in Langfuse."""
    shape: dict[str, Any] = {
        "id": score.id,
        "traceId": score.trace_id,
        "sessionId": score.session_id,
        "observationId": subject_span(score),
        "datasetRunId": None,
        "name": score.name,
        "source": source(score),
        "dataType": score.data_type,
        "timestamp": iso(score.time),
        "createdAt": iso(score.time),
        "updatedAt": iso(score.time),
        "authorUserId": None,
        "comment": score.comment,
        "metadata": score.metadata,
        "configId": score.config_id,
        "queueId": None,
        "environment": score.environment or DEFAULT,
    }
    if score.data_type != "TEXT":
        shape["value"] = score.value or 0
    if score.data_type != "NUMERIC":
        shape["stringValue"] = said(score)
    if with_trace:
        shape["trace"] = trace and {
            "userId": trace.user_id,
            "tags": trace.tags,
            "environment": trace.environment or DEFAULT,
            "sessionId": trace.session_id,
        }
    return shape


def for_old_clients(shape: dict[str, Any]) -> dict[str, Any]:
    """Return a score as clients before version 3 know it: a text, or a correction, is a category to them."""
    return {**shape, "dataType": "CATEGORICAL", "value": 0} if shape["dataType"] in TEXTS else shape


def said(score: Score) -> str:
    """Return the value of a score as text."""
    if score.data_type == "BOOLEAN":
        return "True" if score.value else "False"
    return score.string_value if score.string_value is not None else f"{score.value or 0:g}"


def source(score: Score) -> str:
    """Return who said it, of those that Langfuse knows."""
    return score.source if score.source in SOURCES else "API"


def subject_span(score: Score) -> str | None:
    """Return the observation that a score is about; None for one about a trace."""
    return None if score.span_id == Entity(TRACE, score.trace_id or "").span_id else score.span_id


def begin(span: Span) -> int:
    """Return the start of a span in nanoseconds since the epoch."""
    return span.time if span.start_time is None else span.start_time


def parent(span: Span) -> str | None:
    """Return the parent of an observation; the trace itself is none."""
    return None if span.parent_span_id == Entity(TRACE, span.trace_id).span_id else span.parent_span_id


def prompt_version(span: Span) -> int | None:
    """Return the version of the prompt, which is a number in Langfuse."""
    text = span.prompt_version or ""
    return int(text) if text.isascii() and text.isdecimal() else None


def cost_details(span: Span) -> dict[str, float]:
    """Return the cost of a span by kinds that add up."""
    return {kind: float(amount) for kind, amount in exclusive(span.cost or {}).items()}


def seconds(start: int | None, end: int | None) -> float | None:
    """Return the seconds between two moments, None where one of both is not known."""
    return None if start is None or end is None else (end - start) / 1e9


def _money(amount: Decimal | None) -> float | None:
    return None if amount is None else float(amount)


def _summary(trace: TraceSummary | None) -> dict[str, Any]:
    return {
        "userId": trace and trace.user_id,
        "sessionId": trace and trace.session_id,
    }


#: What each group of fields of version 2 of the observations consists of. Values said of the trace come from its summary.
GROUPS: Final[Mapping[str, Any]] = {
    "core": lambda project_id, span, trace: {
        "id": span.span_id,
        "traceId": span.trace_id,
        "startTime": iso(begin(span)),
        "endTime": iso(span.end_time),
        "projectId": project_id,
        "parentObservationId": parent(span),
        "type": (span.type or "span").upper(),
    },
    "basic": lambda project_id, span, trace: {
        "name": span.name,
        "level": span.level or "DEFAULT",
        "statusMessage": span.status_message,
        "version": span.version,
        "environment": span.environment or DEFAULT,
        "bookmarked": False,
        "public": bool(span.trace_public),
        "isRootObservation": parent(span) is None or bool(span.is_root),
        **_summary(trace),
    },
    "time": lambda project_id, span, trace: {
        "completionStartTime": iso(span.completion_start_time),
        "createdAt": iso(begin(span)),
        "updatedAt": iso(span.end_time or begin(span)),
    },
    "io": lambda project_id, span, trace: {"input": span.input, "output": span.output},
    "metadata": lambda project_id, span, trace: {"metadata": span.metadata},
    "model": lambda project_id, span, trace: {
        # The name changed between versions of the clients.
        "model": span.model,
        "providedModelName": span.model,
        "internalModelId": None,
        "modelId": None,
        "modelParameters": span.model_parameters or {},
        "inputPrice": None,
        "outputPrice": None,
        "totalPrice": None,
    },
    "usage": lambda project_id, span, trace: {
        "usageDetails": exclusive(span.usage or {}),
        "costDetails": cost_details(span),
        "totalCost": _money((span.cost or {}).get("total")),
        "usagePricingTierName": None,
    },
    "prompt": lambda project_id, span, trace: {
        "promptId": None,
        "promptName": span.prompt_name,
        "promptVersion": prompt_version(span),
    },
    "metrics": lambda project_id, span, trace: {
        "latency": seconds(span.start_time, span.end_time),
        "timeToFirstToken": seconds(span.start_time, span.completion_start_time),
    },
    "trace_context": lambda project_id, span, trace: {
        "traceName": trace and trace.name,
        "tags": trace.tags if trace else [],
        "release": span.release or (trace and trace.release),
    },
}
#: Groups that need the summary of the trace.
OF_TRACE: Final = frozenset({"basic", "trace_context"})


def observation_v2_shape(
    project_id: str, span: Span, trace: TraceSummary | None, groups: Sequence[str], expanded: frozenset[str]
) -> dict[str, Any]:
    """Return an observation in the shape of version 2: some groups of fields, metadata shortened but for `expanded` keys."""
    shape: dict[str, Any] = {}
    for group in groups:
        shape |= GROUPS[group](project_id, span, trace)
    if "metadata" in shape:
        shape["metadata"] = {
            key: value if key in expanded else _short(value) for key, value in shape["metadata"].items()
        }
    return shape


def _short(value: Any) -> Any:
    text = value if isinstance(value, str) else msgspec.json.encode(value).decode()
    return value if len(text) <= SHORT else text[:SHORT]
