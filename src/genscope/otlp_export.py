"""Stored spans as an OTLP request in JSON, to be kept as a file or sent to another server.

What a span was sent with is what it gets: attributes, resource, scope, events and links are stored. What the store keeps in a
column of its own instead stands in the attributes that are asked first (`langfuse.*`, as Langfuse's SDKs send them). A span of a
protocol without attributes (Maxim, Lemma, Langfuse's ingestion) gets those of OpenTelemetry's GenAI conventions besides.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from hashlib import sha256
from itertools import groupby
from typing import Any, Final

from genscope.model import Attributes, Json, Span

Object = dict[str, Any]

#: `SpanKind` by name (opentelemetry-proto, trace.proto).
KINDS: Final = {"internal": 1, "server": 2, "client": 3, "producer": 4, "consumer": 5}
#: `gen_ai.operation.name` by type (OpenTelemetry semantic conventions for generative AI).
OPERATIONS: Final = {
    "generation": "chat",
    "embedding": "embeddings",
    "tool": "execute_tool",
    "retriever": "retrieval",
    "agent": "invoke_agent",
}
#: Kinds of usage that the convention has names for; others go by their own.
USAGE: Final = {
    "input": "input_tokens",
    "output": "output_tokens",
    "total": "total_tokens",
    "input_cache_read": "cache_read.input_tokens",
    "input_cache_write": "cache_creation.input_tokens",
    "output_reasoning": "reasoning.output_tokens",
}
#: Names of totals that include their parts, as OpenAI has them.
TOTALS: Final = {"input": "prompt_tokens", "output": "completion_tokens", "total": "total_tokens"}
_INT64: Final = 2**63


def request(spans: Iterable[Span]) -> Object:
    """Return an `ExportTraceServiceRequest` with these spans, in OTLP's JSON encoding.

    Ids that are none of OpenTelemetry's become the first bytes of their hash; what they were stands in `genscope.trace_id` and
    `genscope.span_id`.
    """
    # Spans of one resource and scope stand together, and otherwise in their order.
    ordered = sorted(spans, key=lambda span: (_text(span.resource.attributes), _scope_text(span)))
    resources = []
    for _, of_resource in groupby(ordered, key=lambda span: _text(span.resource.attributes)):
        members = list(of_resource)
        scopes = []
        for _, of_scope in groupby(members, key=_scope_text):
            told = list(of_scope)
            scope: Object = {"name": told[0].scope.name, "version": told[0].scope.version}
            scope["attributes"] = _pairs(told[0].scope.attributes)
            scopes.append({"scope": scope, "spans": [_span(span) for span in told]})
        resource = {"attributes": _pairs(members[0].resource.attributes)}
        resources.append({"resource": resource, "scopeSpans": scopes})
    return {"resourceSpans": resources}


def _span(span: Span) -> Object:
    attributes = dict(span.attributes)
    attributes.update(_moved(span) if span.protocol == "otlp" else _told(span))
    made: Object = {
        "traceId": _id(span.trace_id, 32),
        "spanId": _id(span.span_id, 16),
        "name": span.name or "",
        "startTimeUnixNano": str(span.time if span.start_time is None else span.start_time),
        "attributes": _pairs(attributes),
    }
    if span.parent_span_id:
        made["parentSpanId"] = _id(span.parent_span_id, 16)
    if span.end_time is not None:
        made["endTimeUnixNano"] = str(span.end_time)
    if span.kind in KINDS:
        made["kind"] = KINDS[span.kind]
    if span.trace_state:
        made["traceState"] = span.trace_state
    if span.level == "ERROR" or span.status_message:
        made["status"] = {"code": 2 if span.level == "ERROR" else 0, "message": span.status_message or ""}
    if span.events:
        made["events"] = [
            {"name": event.name, "timeUnixNano": str(event.time or 0), "attributes": _pairs(event.attributes)}
            for event in span.events
        ]
    if span.links:
        made["links"] = [
            {"traceId": _id(link.trace_id, 32), "spanId": _id(link.span_id, 16), "attributes": _pairs(link.attributes)}
            for link in span.links
        ]
    return made


def _moved(span: Span) -> Iterator[tuple[str, Json]]:
    """Yield what was among the attributes of a span when it came, and stands in columns of its own now."""
    for name, value in (
        ("langfuse.observation.input", span.input),
        ("langfuse.observation.output", span.output),
        ("langfuse.trace.input", span.trace_input),
        ("langfuse.trace.output", span.trace_output),
    ):
        if value is not None:
            yield name, value
    # As one object: texts of single entries are read as JSON where some versions of Langfuse's SDK wrote them so.
    if span.metadata:
        yield "langfuse.observation.metadata", span.metadata
    if span.trace_metadata:
        yield "langfuse.trace.metadata", span.trace_metadata
    # What was told within an attribute that stands in a column now, as in one of metadata or an output, is told by itself.
    texts = {value for value in span.attributes.values() if isinstance(value, str)}
    for name, id_ in (("langfuse.session.id", span.session_id), ("langfuse.user.id", span.user_id)):
        if id_ is not None and id_ not in texts:
            yield name, id_
    if span.tags and not any(name.endswith("tags") for name in span.attributes):
        yield "langfuse.trace.tags", list(span.tags)
    source = (span.usage_rule or "").partition(" ")[2]
    if span.usage and source and not source.endswith("*") and source not in span.attributes:
        yield (
            "langfuse.observation.usage_details",
            {TOTALS.get(kind, kind): count for kind, count in span.usage.items()},
        )


def _told(span: Span) -> Iterator[tuple[str, Json]]:
    """Yield what is known of a span that came without attributes."""
    yield "genscope.trace_id", span.trace_id
    yield "genscope.span_id", span.span_id
    yield from _moved(span)
    usage = {f"gen_ai.usage.{USAGE.get(kind, kind)}": count for kind, count in (span.usage or {}).items()}
    parameters = {f"gen_ai.request.{name}": value for name, value in (span.model_parameters or {}).items()}
    reported = span.cost if span.cost_source == "reported" else None
    known: dict[str, Json] = {
        "gen_ai.operation.name": OPERATIONS.get(span.type or ""),
        "gen_ai.provider.name": span.provider,
        "gen_ai.request.model": span.model,
        **usage,
        **parameters,
        "gen_ai.response.service_tier": span.service_tier,
        "langfuse.observation.type": span.type,
        "langfuse.observation.level": span.level,
        "langfuse.observation.cost_details": {kind: float(money) for kind, money in reported.items()}
        if reported
        else None,
        "langfuse.observation.prompt.name": span.prompt_name,
        "langfuse.observation.prompt.version": span.prompt_version,
        "langfuse.session.id": span.session_id,
        "langfuse.user.id": span.user_id,
        "langfuse.trace.name": span.trace_name,
        "langfuse.trace.tags": list(span.tags) or None,
        "langfuse.trace.public": span.trace_public,
        "langfuse.environment": span.environment,
        "langfuse.release": span.release,
        "langfuse.version": span.version,
        "server.address": span.server_address,
    }
    yield from ((name, value) for name, value in known.items() if value is not None)
    if span.completion_start_time is not None and span.start_time is not None:
        seconds = (span.completion_start_time - span.start_time) / 1e9
        yield "gen_ai.response.time_to_first_chunk", seconds


def _id(text: str, digits: int) -> str:
    """Return an id as it is if it is one of OpenTelemetry's, else one made of it."""
    try:
        if len(text) == digits and any(bytes.fromhex(text)):
            return text.lower()
    except ValueError:
        pass
    return sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:digits]


def _text(attributes: Attributes) -> str:
    return json.dumps(attributes, sort_keys=True)


def _scope_text(span: Span) -> tuple[str, str, str]:
    return span.scope.name, span.scope.version, _text(span.scope.attributes)


def _pairs(attributes: Attributes) -> list[Object]:
    return [{"key": name, "value": _value(value)} for name, value in attributes.items()]


def _value(value: Json) -> Object:
    """Return a JSON value as an `AnyValue`."""
    match value:
        case None:
            return {}
        case bool():
            return {"boolValue": value}
        case int() if -_INT64 <= value < _INT64:
            return {"intValue": str(value)}
        case int():
            return {"stringValue": str(value)}
        case float():
            return {"doubleValue": value}
        case str():
            return {"stringValue": value}
        case list():
            return {"arrayValue": {"values": [_value(item) for item in value]}}
        case _:
            return {"kvlistValue": {"values": _pairs(value)}}
