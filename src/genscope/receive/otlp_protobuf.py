"""OTLP in protobuf: bytes of an `ExportTraceServiceRequest` to RawSpans.

upb, the C parser behind `google.protobuf`, refuses a whole request for one string that is not UTF-8 or one value that
nests too deep. Only then the request is read again with a lenient schema (see `_lenient_schema`), span by span.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache
from math import isfinite, isnan
from typing import Any, Final

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2
from opentelemetry.proto.common.v1 import common_pb2
from opentelemetry.proto.resource.v1 import resource_pb2
from opentelemetry.proto.trace.v1 import trace_pb2

from genscope.model import Attributes, Event, Json, Link, RawSpan, Rejected, Resource, Scope
from genscope.receive.errors import BadRequest, TooLarge
from genscope.receive.otlp_span import MAX_DEPTH, SPAN_KINDS, STATUS_CODES, MalformedError, identity, reject, time


def decode(body: bytes, max_spans: int) -> tuple[list[RawSpan], list[Rejected]]:
    """Decode a request. Raises BadRequest if it is no such message at all, TooLarge for more than `max_spans` spans."""
    try:
        request = trace_service_pb2.ExportTraceServiceRequest.FromString(body)
    except DecodeError:
        return _decode_each(body, max_spans)
    _check_count(request, max_spans)
    spans: list[RawSpan] = []
    rejected: list[Rejected] = []
    for resource_spans in request.resource_spans:
        resource = Resource(_attributes(resource_spans.resource.attributes))
        for scope_spans in resource_spans.scope_spans:
            scope = _scope(scope_spans.scope, _STRICT)
            for message in scope_spans.spans:
                try:
                    spans.append(_span(message, resource, scope, _STRICT))
                except MalformedError as error:
                    rejected.append(_reject(message, str(error), _STRICT))
    return spans, rejected


def _check_count(request: Any, max_spans: int) -> None:
    count = sum(len(scope.spans) for resource in request.resource_spans for scope in resource.scope_spans)
    if count > max_spans:
        raise TooLarge(f"The request has {count} spans, the limit is {max_spans}; send smaller batches.")


@dataclass(frozen=True, slots=True)
class _Reader:
    """How the strings and attributes of a message are read: the strict and the lenient schema differ only in these."""

    text: Callable[[Any], str]
    attributes: Callable[[Iterable[Any]], Attributes]


def _scope(message: Any, reader: _Reader) -> Scope:
    return Scope(reader.text(message.name), reader.text(message.version), reader.attributes(message.attributes))


def _span(message: Any, resource: Resource, scope: Scope, reader: _Reader) -> RawSpan:
    trace_id, span_id, parent_span_id = identity(message.trace_id, message.span_id, message.parent_span_id)
    attributes = reader.attributes
    kind = message.kind
    span = RawSpan(
        trace_id=trace_id,
        span_id=span_id,
        parent_span_id=parent_span_id,
        name=reader.text(message.name),
        start_time=time(message.start_time_unix_nano, "start time"),
        end_time=time(message.end_time_unix_nano, "end time"),
        attributes=attributes(message.attributes),
        resource=resource,
        scope=scope,
        # An enum value from a later version of OTLP is no reason to lose a span.
        kind=SPAN_KINDS[kind] if 0 <= kind < len(SPAN_KINDS) else None,
        trace_state=reader.text(message.trace_state),
    )
    if message.HasField("status"):
        status = message.status
        span.status_code = status.code if 0 <= status.code < len(STATUS_CODES) else 0
        span.status_message = reader.text(status.message)
    if message.events:
        span.events = [
            Event(reader.text(event.name), time(event.time_unix_nano, "time of an event"), attributes(event.attributes))
            for event in message.events
        ]
    if message.links:
        span.links = [
            Link(link.trace_id.hex(), link.span_id.hex(), attributes(link.attributes)) for link in message.links
        ]
    return span


def _reject(message: Any, reason: str, reader: _Reader) -> Rejected:
    trace_id, span_id, name = message.trace_id.hex(), message.span_id.hex(), reader.text(message.name)
    payload = {
        "traceId": trace_id,
        "spanId": span_id,
        "parentSpanId": message.parent_span_id.hex(),
        "name": name,
        "startTimeUnixNano": str(message.start_time_unix_nano),
        "endTimeUnixNano": str(message.end_time_unix_nano),
        "attributes": reader.attributes(message.attributes),
    }
    return reject(reason, trace_id, span_id, name, payload)


# Values. This is the hottest loop of the receiver: strings, most of all values, are read without a further call.


def _attributes(pairs: Iterable[common_pb2.KeyValue]) -> Attributes:
    attributes: Attributes = {}
    for pair in pairs:
        value = pair.value
        # Only the member that was sent can be other than empty.
        attributes[pair.key] = value.string_value or _any(value)
    return attributes


def _any(value: common_pb2.AnyValue) -> Json:
    # Bounded without a count of its own: upb refuses messages nested deeper than 100.
    kind = value.WhichOneof("value")
    if kind is None:
        return None
    if kind == "array_value":
        return [_any(item) for item in value.array_value.values]
    if kind == "kvlist_value":
        return _attributes(value.kvlist_value.values)
    return _scalar(value, kind)


def _scalar(value: Any, kind: str) -> Json:
    if kind == "double_value":
        return _double(value.double_value)
    if kind == "bytes_value":
        return b64encode(value.bytes_value).decode()
    scalar: Json = getattr(value, kind)
    return scalar


def _double(number: float) -> Json:
    if isfinite(number):
        return number
    return "NaN" if isnan(number) else "Infinity" if number > 0 else "-Infinity"


_STRICT: Final = _Reader(text=str, attributes=_attributes)


# The second reading, of a request that upb refused.


def _decode_each(body: bytes, max_spans: int) -> tuple[list[RawSpan], list[Rejected]]:
    schema = _lenient_schema()
    try:
        request = schema.request.FromString(body)
    except DecodeError as error:
        raise BadRequest(
            "The body is not an OTLP ExportTraceServiceRequest in protobuf: truncated, corrupt, or of another type."
        ) from error
    _check_count(request, max_spans)
    spans: list[RawSpan] = []
    rejected: list[Rejected] = []
    for resource_spans in request.resource_spans:
        resource = Resource(_lenient_attributes(resource_spans.resource.attributes))
        for scope_spans in resource_spans.scope_spans:
            scope = _scope(scope_spans.scope, _LENIENT)
            for encoded in scope_spans.spans:
                message, reader = None, _STRICT
                try:
                    message, reader = _parse_span(encoded)
                    spans.append(_span(message, resource, scope, reader))
                except DecodeError:
                    payload = {"protobuf": b64encode(encoded[:3000]).decode()}
                    rejected.append(reject("the span is not a valid protobuf message", "", "", "", payload))
                except MalformedError as error:
                    rejected.append(_reject(message, str(error), reader))
    return spans, rejected


def _parse_span(encoded: bytes) -> tuple[Any, _Reader]:
    try:
        return trace_pb2.Span.FromString(encoded), _STRICT
    except DecodeError:
        return _lenient_schema().span.FromString(encoded), _LENIENT


def _text(encoded: bytes) -> str:
    return encoded.decode(errors="replace")


def _lenient_attributes(pairs: Iterable[Any], depth: int = 0) -> Attributes:
    return {_text(pair.key): _lenient_any(pair.value, depth) for pair in pairs}


def _lenient_any(encoded: bytes, depth: int) -> Json:
    """A value level by level. What is too deep or not readable at all is kept as base64 of its protobuf bytes."""
    if depth > MAX_DEPTH:
        return b64encode(encoded).decode()
    try:
        value = _lenient_schema().any_value.FromString(encoded)
    except DecodeError:
        return b64encode(encoded).decode()
    kind = value.WhichOneof("value")
    if kind is None:
        return None
    if kind == "string_value":
        return _text(value.string_value)
    if kind == "array_value":
        return [_lenient_any(item, depth + 1) for item in value.array_value.values]
    if kind == "kvlist_value":
        return _lenient_attributes(value.kvlist_value.values, depth + 1)
    return _scalar(value, kind)


_LENIENT: Final = _Reader(text=_text, attributes=_lenient_attributes)


@dataclass(frozen=True, slots=True)
class _Schema:
    request: Any
    span: Any
    any_value: Any


#: Fields that hold their message unparsed in the lenient schema, so that each is parsed, and can fail, alone.
_OPAQUE: Final = frozenset({("ScopeSpans", "spans"), ("KeyValue", "value"), ("ArrayValue", "values")})


@cache
def _lenient_schema() -> _Schema:
    """The official schema, but with every string as bytes and without nesting.

    On the wire a string, bytes and an embedded message are the same: "length-delimited records" (protobuf encoding).
    """
    pool = descriptor_pool.DescriptorPool()
    for module in (common_pb2, resource_pb2, trace_pb2, trace_service_pb2):
        file = descriptor_pb2.FileDescriptorProto()
        module.DESCRIPTOR.CopyToProto(file)
        del file.service[:]
        for message in file.message_type:
            _loosen(message)
        pool.Add(file)

    def message_class(descriptor: Any) -> Any:
        return message_factory.GetMessageClass(pool.FindMessageTypeByName(descriptor.full_name))

    return _Schema(
        request=message_class(trace_service_pb2.ExportTraceServiceRequest.DESCRIPTOR),
        span=message_class(trace_pb2.Span.DESCRIPTOR),
        any_value=message_class(common_pb2.AnyValue.DESCRIPTOR),
    )


def _loosen(message: descriptor_pb2.DescriptorProto) -> None:
    types = descriptor_pb2.FieldDescriptorProto
    for field in message.field:
        if field.type == types.TYPE_STRING or (message.name, field.name) in _OPAQUE:
            field.type = types.TYPE_BYTES
            field.ClearField("type_name")
    for nested in message.nested_type:
        _loosen(nested)
