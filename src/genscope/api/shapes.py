"""What the read API answers with, as types; the OpenAPI document is made from them.

Money travels as decimal strings, times as ISO 8601 in UTC with microseconds, durations as milliseconds.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Context, Decimal
from typing import Any, Final, Generic, Literal, TypeVar

import msgspec
import orjson
from fastapi import Response
from msgspec import UNSET, UnsetType

from genscope.messages import conversation, described, speaker
from genscope.model import TRACE, Attachment, Entity, Score, Span, Usage
from genscope.store.models import ModelSummary, Quantiles, ScoreMean
from genscope.store.reader import TraceSummary

T = TypeVar("T")
EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
#: Digits enough for every sum that the store holds and a thousand times it: the default of 28 would round, or refuse.
EXACT: Final = Context(prec=60)
#: The last place of a price that is worked out.
SMALLEST: Final = Decimal("1e-12")


class EventShape(msgspec.Struct):
    """Something that happened during a span."""

    name: str
    time: str | None
    attributes: dict[str, Any]


class LinkShape(msgspec.Struct):
    """A reference to another span."""

    trace_id: str
    span_id: str
    attributes: dict[str, Any]


class ScopeShape(msgspec.Struct):
    """The library that made the span."""

    name: str
    version: str
    attributes: dict[str, Any]


class RuleShape(msgspec.Struct):
    """The rule that gave a value: whose attributes it knows, and which of them it read."""

    dialect: str
    source: str


class CostRuleShape(msgspec.Struct):
    """Where a cost comes from: `dialect` and `source` if the sender reported it, else the `price` that was applied."""

    dialect: str | None = None
    source: str | None = None
    price: str | None = None


class ExplainShape(msgspec.Struct):
    """Which rules gave a span its type, model, usage and cost; `null` where none did."""

    type: RuleShape | None
    model: RuleShape | None
    usage: RuleShape | None
    cost: CostRuleShape | None


class PartShape(msgspec.Struct, omit_defaults=True):
    """One piece of a message. Only what a part of its `type` has is there; media are described, not repeated."""

    type: Literal["text", "reasoning", "tool_call", "tool_result", "image", "audio", "video", "file", "json"]
    text: str | UnsetType = UNSET
    id: str | None | UnsetType = UNSET
    name: str | None | UnsetType = UNSET
    arguments: Any = UNSET
    result: Any = UNSET
    value: Any = UNSET
    mime_type: str | UnsetType = UNSET
    url: str | UnsetType = UNSET
    size: int | UnsetType = UNSET


class MessageShape(msgspec.Struct):
    """What one participant said."""

    role: str
    name: str | None
    parts: list[PartShape]


class AttachmentShape(msgspec.Struct):
    """A file or a link that belongs to a span; `url` is where it is, for a file during the next hour."""

    id: str
    name: str | None
    type: Literal["file", "url"]
    mime_type: str | None
    size: int | None
    place: str | None
    url: str | None


class ScoreShape(msgspec.Struct):
    """What was said of a trace, a span or a session. At least one of `value` and `string_value` is there."""

    id: str
    name: str
    time: str | None
    data_type: str
    value: float | None
    string_value: str | None
    comment: str | None
    trace_id: str | None
    span_id: str | None
    session_id: str | None
    source: str
    environment: str | None
    config_id: str | None
    metadata: dict[str, Any]
    protocol: str
    repository: str | None


class SpanShape(msgspec.Struct):
    """One span. `null` means not known."""

    trace_id: str
    span_id: str
    parent_span_id: str | None
    type: str | None
    name: str | None
    start_time: str | None
    end_time: str | None
    duration_ms: float | None
    completion_start_time: str | None
    time_to_first_token_ms: float | None
    level: str | None
    status_message: str | None
    model: str | None
    provider: str | None
    model_parameters: dict[str, Any] | None
    input: Any
    output: Any
    usage: dict[str, int] | None
    cost: dict[str, str] | None
    cost_source: str | None
    cost_missing: str | None
    service_tier: str | None
    server_address: str | None
    explain: ExplainShape
    tools: list[str]
    tool_calls: list[str]
    session_id: str | None
    user_id: str | None
    tags: list[str]
    trace_name: str | None
    environment: str | None
    release: str | None
    version: str | None
    metadata: dict[str, Any]
    prompt_name: str | None
    prompt_version: str | None
    scores: list[ScoreShape]
    attachments: list[AttachmentShape]
    attributes: dict[str, Any]
    events: list[EventShape]
    links: list[LinkShape]
    resource: dict[str, Any]
    scope: ScopeShape
    kind: str | None
    is_root: bool | None
    trace_metadata: dict[str, Any]
    trace_input: Any
    trace_output: Any
    trace_public: bool | None
    protocol: str | None
    repository: str | None
    input_messages: list[MessageShape] | UnsetType = UNSET
    output_messages: list[MessageShape] | UnsetType = UNSET


class TraceShape(msgspec.Struct):
    """One trace, gathered from its spans."""

    trace_id: str
    name: str | None
    start_time: str
    end_time: str | None
    duration_ms: float | None
    span_count: int
    generation_count: int
    call_count: int
    error_count: int
    unpriced_count: int
    input_tokens: int | None
    output_tokens: int | None
    total_tokens: int | None
    total_cost: str | None
    session_id: str | None
    user_id: str | None
    tags: list[str]
    environment: str | None
    release: str | None
    version: str | None
    models: list[str]
    metadata: dict[str, Any]
    input: str | None
    output: str | None
    scores: list[ScoreShape]


class TraceWithSpans(msgspec.Struct):
    """A trace and its spans in the order of their start."""

    trace: TraceShape
    spans: list[SpanShape]


class ModelShape(msgspec.Struct):
    """What one model of one provider did in a period.

    `cost_missing` counts the calls without a cost by the reason, `cached_share` is the part of the input that was read from a
    cache. `scores` were said of the calls or of their traces; the mean of what is true or false is the share of what is true.
    `trend` counts the calls in 24 equal parts of the time from the first to the last of all. `by` is the value of the column
    that calls are grouped by.
    """

    provider: str | None
    model: str | None
    calls: int
    errors: int
    error_rate: float
    usage: dict[str, int]
    total_cost: str | None
    cost_per_1000_calls: str | None
    unpriced_calls: int
    cost_missing: dict[str, int]
    latency_ms: Quantiles
    time_to_first_token_ms: Quantiles
    tokens_per_second: float | None
    cached_share: float | None
    scores: list[ScoreMean]
    trend: list[int]
    by: str | None = None


class Listing(msgspec.Struct, Generic[T]):
    """A page of a list; `next_cursor` asks for the next page and is null at the end."""

    data: list[T]
    next_cursor: str | None = None


def span_shape(
    span: Span,
    scores: Sequence[Score] = (),
    attachments: Sequence[AttachmentShape] = (),
    *,
    preview: bool = False,
    messages: bool = False,
) -> SpanShape:
    """Return a span as the API shows it; a preview leaves texts as (shortened) text, `messages` adds them normalised."""
    value = _text if preview else json_value
    start = span.start_time if span.start_time is not None else span.time
    return SpanShape(
        trace_id=span.trace_id,
        span_id=span.span_id,
        parent_span_id=span.parent_span_id,
        type=span.type,
        name=span.name,
        start_time=iso(start),
        end_time=iso(span.end_time),
        duration_ms=_milliseconds(span.start_time, span.end_time),
        completion_start_time=iso(span.completion_start_time),
        time_to_first_token_ms=_milliseconds(span.start_time, span.completion_start_time),
        level=span.level,
        status_message=span.status_message,
        model=span.model,
        provider=span.provider,
        model_parameters=span.model_parameters,
        input=value(span.input),
        output=value(span.output),
        usage=span.usage,
        cost={kind: plain(amount) for kind, amount in span.cost.items()} if span.cost else None,
        cost_source=span.cost_source,
        cost_missing=span.cost_missing,
        service_tier=span.service_tier,
        server_address=span.server_address,
        explain=_explained(span),
        tools=span.tools,
        tool_calls=span.tool_calls,
        session_id=span.session_id,
        user_id=span.user_id,
        tags=span.tags,
        trace_name=span.trace_name,
        environment=span.environment,
        release=span.release,
        version=span.version,
        metadata=span.metadata,
        prompt_name=span.prompt_name,
        prompt_version=span.prompt_version,
        scores=[score_shape(score) for score in scores],
        attachments=list(attachments),
        attributes=span.attributes,
        events=[EventShape(event.name, iso(event.time), event.attributes) for event in span.events],
        links=[LinkShape(link.trace_id, link.span_id, link.attributes) for link in span.links],
        resource=span.resource.attributes,
        scope=ScopeShape(span.scope.name, span.scope.version, span.scope.attributes),
        kind=span.kind,
        is_root=span.is_root,
        trace_metadata=span.trace_metadata,
        trace_input=value(span.trace_input),
        trace_output=value(span.trace_output),
        trace_public=span.trace_public,
        protocol=span.protocol,
        repository=span.repository,
        input_messages=_said(span.input, speaker(span.type, "input")) if messages else UNSET,
        output_messages=_said(span.output, speaker(span.type, "output")) if messages else UNSET,
    )


def attachment_shape(attachment: Attachment, url: str | None) -> AttachmentShape:
    """Return an attachment as the API shows it; `url` is where it is."""
    return AttachmentShape(
        id=attachment.id,
        name=attachment.name,
        type="file" if attachment.key else "url",
        mime_type=attachment.mime_type,
        size=attachment.size,
        place=attachment.place,
        url=url,
    )


def _explained(span: Span) -> ExplainShape:
    cost = span.cost_rule
    applied = CostRuleShape(price=cost) if cost and span.cost_source == "computed" else None
    reported = _rule(cost) if applied is None else None
    if reported:
        applied = CostRuleShape(reported.dialect, reported.source)
    return ExplainShape(_rule(span.type_rule), _rule(span.model_rule), _rule(span.usage_rule), applied)


def _rule(text: str | None) -> RuleShape | None:
    return RuleShape(*text.split(" ", 1)) if text and " " in text else None


def _said(text: str | None, role: str) -> Any:
    """Return a text as messages, or as one if what it holds is refused by strict readers."""
    said = [
        {"role": one.role, "name": one.name or None, "parts": [described(part) for part in one.parts]}
        for one in conversation(text, role)
    ]
    try:
        return msgspec.Raw(orjson.dumps(said))
    except TypeError:
        return [MessageShape(role, None, [PartShape("text", text=text or "")])]


def score_shape(score: Score) -> ScoreShape:
    """Return a score as the API shows it."""
    return ScoreShape(
        id=score.id,
        name=score.name,
        time=iso(score.time),
        data_type=score.data_type,
        value=score.value,
        string_value=score.string_value,
        comment=score.comment,
        trace_id=score.trace_id,
        span_id=score.span_id,
        session_id=score.session_id,
        source=score.source,
        environment=score.environment,
        config_id=score.config_id,
        metadata=score.metadata,
        protocol=score.protocol,
        repository=score.repository,
    )


def by_subject(scores: Sequence[Score]) -> dict[tuple[str, str], list[Score]]:
    """Return what was said of each span by trace and span id, and of each trace by its id and an empty one."""
    said: defaultdict[tuple[str, str], list[Score]] = defaultdict(list)
    for score in scores:
        trace_id, span_id = score.trace_id or "", score.span_id or ""
        said[trace_id, span_id].append(score)
        if span_id == Entity(TRACE, trace_id).span_id:
            said[trace_id, ""].append(score)
    return said


def trace_shape(trace: TraceSummary, scores: Sequence[Score] = ()) -> TraceShape:
    """Return a trace as the API shows it."""
    return TraceShape(
        trace_id=trace.trace_id,
        name=trace.name,
        start_time=iso(trace.start_time) or "",
        end_time=iso(trace.end_time),
        duration_ms=_milliseconds(trace.start_time, trace.end_time),
        span_count=trace.span_count,
        generation_count=trace.generation_count,
        call_count=trace.paid_count,
        error_count=trace.error_count,
        unpriced_count=trace.unpriced_count,
        input_tokens=trace.input_tokens,
        output_tokens=trace.output_tokens,
        total_tokens=trace.total_tokens,
        total_cost=None if trace.total_cost is None else plain(trace.total_cost),
        session_id=trace.session_id,
        user_id=trace.user_id,
        tags=trace.tags,
        environment=trace.environment,
        release=trace.release,
        version=trace.version,
        models=trace.models,
        metadata=trace.metadata,
        input=trace.input,
        output=trace.output,
        scores=[score_shape(score) for score in scores],
    )


def model_shape(model: ModelSummary) -> ModelShape:
    """Return a model's figures as the API shows them."""
    priced = model.calls - model.unpriced_calls
    total = model.total_cost
    return ModelShape(
        provider=model.provider,
        model=model.model,
        calls=model.calls,
        errors=model.errors,
        error_rate=model.errors / model.calls,
        usage=model.usage,
        total_cost=None if total is None else plain(total),
        # Of the calls whose cost is known: the others would pull the figure towards zero.
        cost_per_1000_calls=None if total is None or not priced else plain(_per_thousand(total, priced)),
        unpriced_calls=model.unpriced_calls,
        cost_missing=model.missing,
        latency_ms=model.latency_ms,
        time_to_first_token_ms=model.time_to_first_token_ms,
        tokens_per_second=model.tokens_per_second,
        cached_share=_cached_share(model.usage),
        scores=model.scores,
        trend=list(model.trend),
        by=model.value,
    )


def _cached_share(usage: Usage) -> float | None:
    """Return how much of an input was read from a cache; None where nobody tells what was."""
    cached, total = usage.get("input_cache_read"), usage.get("input")
    return min(cached / total, 1) if cached is not None and total else None


def iso(nanoseconds: int | None) -> str | None:
    """Return a moment as ISO 8601 in UTC with microseconds."""
    if nanoseconds is None:
        return None
    moment = EPOCH + timedelta(microseconds=nanoseconds // 1000)
    return moment.isoformat(timespec="microseconds").replace("+00:00", "Z")


def json_value(text: str | None) -> msgspec.Raw | str | None:
    """Return the JSON object or array that a text is, unchanged; any other text stays a string.

    A bare `123` or `true` stays a string too: on the wire it cannot be told from the text that a user wrote. So does what
    strict readers refuse (numbers beyond a double, hundreds of levels): one such span would cost them the whole answer.
    """
    if text is None or text.lstrip()[:1] not in ("{", "["):
        return text
    try:
        orjson.dumps(orjson.loads(text))
    except (ValueError, TypeError):
        return text
    return msgspec.Raw(text.encode())


def _text(text: str | None) -> str | None:
    return text


def _milliseconds(start: int | None, end: int | None) -> float | None:
    return None if start is None or end is None else (end - start) / 1e6


def plain(amount: Decimal) -> str:
    """Return an amount as text with neither an exponent nor superfluous zeros."""
    return format(amount.normalize(EXACT), "f")


def _per_thousand(total: Decimal, calls: int) -> Decimal:
    return EXACT.divide(EXACT.multiply(total, 1000), calls).quantize(SMALLEST, context=EXACT)


def respond(value: Any) -> Response:
    """Return a value as a JSON response."""
    return Response(msgspec.json.encode(value), media_type="application/json")
