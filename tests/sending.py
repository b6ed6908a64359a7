"""OTLP requests for tests: built once as protobuf, sent in either format."""

from __future__ import annotations

import secrets
import time
from collections.abc import Mapping, Sequence
from typing import Any

import orjson
from google.protobuf.json_format import MessageToDict
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, ArrayValue, KeyValue, KeyValueList
from opentelemetry.proto.trace.v1.trace_pb2 import Span

PROTOBUF = "application/x-protobuf"
JSON = "application/json"
MILLISECOND = 1_000_000
#: An attribute that makes its span a generation.
GENERATION = {"gen_ai.operation.name": "chat"}


def new_id(size: int) -> str:
    """Return a random id in hex; 16 bytes for a trace, 8 for a span."""
    return secrets.token_hex(size)


def any_value(value: Any) -> AnyValue:
    """Return a JSON value (or bytes) as OTLP has it."""
    match value:
        case bool():
            return AnyValue(bool_value=value)
        case int():
            return AnyValue(int_value=value)
        case float():
            return AnyValue(double_value=value)
        case str():
            return AnyValue(string_value=value)
        case bytes():
            return AnyValue(bytes_value=value)
        case None:
            return AnyValue()
        case dict():
            return AnyValue(kvlist_value=KeyValueList(values=pairs(value)))
        case _:
            return AnyValue(array_value=ArrayValue(values=[any_value(item) for item in value]))


def pairs(attributes: Mapping[str, Any]) -> list[KeyValue]:
    """Return attributes as OTLP has them."""
    return [KeyValue(key=key, value=any_value(value)) for key, value in attributes.items()]


def span(
    trace_id: str,
    *,
    span_id: str | None = None,
    name: str = "work",
    start: int | None = None,
    milliseconds: float = 1,
    attributes: Mapping[str, Any] | None = None,
    **more: Any,
) -> Span:
    """Return a span; `start` is nanoseconds since the epoch, by default now."""
    start = time.time_ns() if start is None else start
    return Span(
        trace_id=bytes.fromhex(trace_id),
        span_id=bytes.fromhex(span_id or new_id(8)),
        name=name,
        start_time_unix_nano=start,
        end_time_unix_nano=more.pop("end", start + int(milliseconds * MILLISECOND)),
        attributes=pairs(attributes or {}),
        **more,
    )


def request(spans: Sequence[Span], resource: Mapping[str, Any] | None = None) -> ExportTraceServiceRequest:
    """Return a request with these spans."""
    built = ExportTraceServiceRequest()
    resource_spans = built.resource_spans.add()
    resource_spans.resource.attributes.extend(pairs(resource or {}))
    scope_spans = resource_spans.scope_spans.add()
    scope_spans.scope.name = "tests"
    scope_spans.scope.version = "1"
    scope_spans.spans.extend(spans)
    return built


def encoded(message: ExportTraceServiceRequest, content_type: str = PROTOBUF) -> bytes:
    """Return a request as a body: protobuf, or JSON with ids in hex as OTLP wants them."""
    if content_type == PROTOBUF:
        return message.SerializeToString()
    document = MessageToDict(message)
    originals = (one for resource in message.resource_spans for scope in resource.scope_spans for one in scope.spans)
    written = (
        one
        for resource in document.get("resourceSpans", [])
        for scope in resource["scopeSpans"]
        for one in scope.get("spans", [])
    )
    for original, one in zip(originals, written, strict=True):
        one["traceId"], one["spanId"] = original.trace_id.hex(), original.span_id.hex()
        if original.parent_span_id:
            one["parentSpanId"] = original.parent_span_id.hex()
    return orjson.dumps(document)


def partial_success(content: bytes, content_type: str) -> tuple[int, str]:
    """Return how many spans an answer says were rejected, and why."""
    if content_type == PROTOBUF:
        answer = ExportTraceServiceResponse.FromString(content).partial_success
        return answer.rejected_spans, answer.error_message
    partial = orjson.loads(content).get("partialSuccess", {})
    return int(partial.get("rejectedSpans", 0)), partial.get("errorMessage", "")
