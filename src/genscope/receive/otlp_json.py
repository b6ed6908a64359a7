"""OTLP in JSON: text of an `ExportTraceServiceRequest` to RawSpans.

The official form has hex ids, int64 as decimal strings and enums as numbers (OTLP specification, "JSON Protobuf
Encoding"). Senders vary, so what the protobuf JSON mapping allows (base64 ids, snake_case, enum names, null for absent)
and what JavaScript libraries make of bytes and int64 (`{"type": "Buffer", "data": [...]}`, `{"low", "high"}`) is read
too.
"""

from __future__ import annotations

import re
from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping
from math import isfinite
from typing import Any, Final, TypeAlias

from genscope.model import Attributes, Event, Json, Link, RawSpan, Rejected, Resource, Scope
from genscope.receive import json_body
from genscope.receive.errors import BadRequest, TooLarge
from genscope.receive.otlp_span import (
    MAX_DEPTH,
    SPAN_KINDS,
    STATUS_CODES,
    MalformedError,
    identity,
    json_text,
    reject,
    time,
)

Object: TypeAlias = dict[str, Any]


def decode(body: bytes, max_spans: int) -> tuple[list[RawSpan], list[Rejected]]:
    """Decode a request. Raises BadRequest if it is no such message at all, TooLarge for more than `max_spans` spans."""
    request = json_body.load(body)
    try:
        return _request(request, max_spans)
    except MalformedError as error:
        raise BadRequest(f"The body is not an OTLP ExportTraceServiceRequest in JSON: {error}.") from error


def _request(request: Any, max_spans: int) -> tuple[list[RawSpan], list[Rejected]]:
    spans: list[RawSpan] = []
    rejected: list[Rejected] = []
    room = max_spans
    for resource_spans in _objects(_object(request, "the request"), "resourceSpans", "resource_spans"):
        resource = Resource(_attributes(_object(resource_spans.get("resource"), "resource")))
        for scope_spans in _objects(resource_spans, "scopeSpans", "scope_spans"):
            scope_object = _object(scope_spans.get("scope"), "scope")
            scope = Scope(_text(scope_object, "name"), _text(scope_object, "version"), _attributes(scope_object))
            messages = _list(scope_spans, "spans")
            room -= len(messages)
            if room < 0:
                raise TooLarge(f"The request has more than {max_spans} spans; send smaller batches.")
            for message in messages:
                try:
                    spans.append(_span(_object(message, "the span"), resource, scope))
                except MalformedError as error:
                    rejected.append(_reject(message, str(error)))
    return spans, rejected


def _span(message: Object, resource: Resource, scope: Scope) -> RawSpan:
    trace_id, span_id, parent_span_id = identity(
        _id(message, "traceId", "trace_id", 16),
        _id(message, "spanId", "span_id", 8),
        _id(message, "parentSpanId", "parent_span_id", 8),
    )
    span = RawSpan(
        trace_id=trace_id,
        span_id=span_id,
        parent_span_id=parent_span_id,
        name=_text(message, "name"),
        start_time=_time(message, "startTimeUnixNano", "start_time_unix_nano", "start time"),
        end_time=_time(message, "endTimeUnixNano", "end_time_unix_nano", "end time"),
        attributes=_attributes(message),
        resource=resource,
        scope=scope,
        kind=_enum(message, "kind", _KINDS, None),
        trace_state=_text(message, "traceState", "trace_state"),
    )
    status = message.get("status")
    if status:
        status = _object(status, "status")
        span.status_code = _enum(status, "code", _CODES, 0)
        span.status_message = _text(status, "message")
    span.events = [
        Event(
            _text(event, "name"),
            _time(event, "timeUnixNano", "time_unix_nano", "time of an event"),
            _attributes(event),
        )
        for event in _objects(message, "events")
    ]
    span.links = [
        Link(
            _id(link, "traceId", "trace_id", 16).hex(),
            _id(link, "spanId", "span_id", 8).hex(),
            _attributes(link),
        )
        for link in _objects(message, "links")
    ]
    return span


def _reject(message: Any, reason: str) -> Rejected:
    def shown(*keys: str) -> str:
        value = next((message[key] for key in keys if message.get(key) is not None), "")
        return value[:200] if isinstance(value, str) else json_text(value)[:200]

    if not isinstance(message, dict):
        return reject(reason, "", "", "", message)
    return reject(reason, shown("traceId", "trace_id"), shown("spanId", "span_id"), shown("name"), message)


# Fields. Each raises MalformedError with what was found and what was expected.


def _field(message: Object, name: str, other_name: str) -> Any:
    value = message.get(name)
    return message.get(other_name) if value is None else value


def _object(value: Any, what: str) -> Object:
    if value is None:
        return {}
    if isinstance(value, dict):
        return value
    raise MalformedError(f"{what} is {_kind(value)}; expected an object")


def _list(message: Object, name: str, other_name: str = "") -> list[Any]:
    value = _field(message, name, other_name)
    if value is None:
        return []
    if isinstance(value, list):
        return value
    raise MalformedError(f"{name} is {_kind(value)}; expected an array")


def _objects(message: Object, name: str, other_name: str = "") -> list[Object]:
    return [_object(item, f"an element of {name}") for item in _list(message, name, other_name)]


def _text(message: Object, name: str, other_name: str = "") -> str:
    value = _field(message, name, other_name)
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    raise MalformedError(f"{name} is {_kind(value)}; expected a string")


def _kind(value: Any) -> str:
    return _KIND_NAMES.get(type(value), "an unknown type")


_KIND_NAMES: Final[Mapping[type, str]] = {
    type(None): "null",
    bool: "a boolean",
    int: "a number",
    float: "a number",
    str: "a string",
    list: "an array",
    dict: "an object",
}


def _enum(message: Object, name: str, table: Mapping[int | str, Any], default: Any) -> Any:
    value = message.get(name)
    if value is None:
        return default
    if isinstance(value, (int, str)):
        return table.get(value, default)
    raise MalformedError(f"{name} is {_kind(value)}; expected a number or the name of one")


_KINDS: Final[Mapping[int | str, str | None]] = {
    **dict(enumerate(SPAN_KINDS)),
    **{f"SPAN_KIND_{kind.upper()}": kind for kind in SPAN_KINDS if kind},
}
_CODES: Final[Mapping[int | str, int]] = {
    **{number: number for number in range(len(STATUS_CODES))},
    **{f"STATUS_CODE_{name}": number for number, name in enumerate(STATUS_CODES)},
}


def _id(message: Object, name: str, other_name: str, size: int) -> bytes:
    value = _field(message, name, other_name)
    if value is None:
        return b""
    if isinstance(value, str):
        try:
            # Neither 16 nor 8 bytes are a multiple of three, so base64 of an id ends in padding.
            return _base64(value) if value.endswith("=") else bytes.fromhex(value)
        except ValueError:
            raise MalformedError(f"{name} is {value[:80]!r}; expected {2 * size} hexadecimal digits") from None
    octets = _octets(value)
    if octets is None:
        raise MalformedError(f"{name} is {_kind(value)}; expected a string of {2 * size} hexadecimal digits")
    return octets


_URL_SAFE: Final = str.maketrans("-_", "+/")


def _base64(text: str) -> bytes:
    return b64decode(text.translate(_URL_SAFE), validate=True)


def _octets(value: Any) -> bytes | None:
    """Bytes as `JSON.stringify` writes a Node.js Buffer, or a bare array of numbers; None if `value` is neither."""
    if isinstance(value, dict):
        value = value.get("data")
    if not isinstance(value, list):
        return None
    try:
        return bytes(value)
    except (ValueError, TypeError):
        return None


def _time(message: Object, name: str, other_name: str, what: str) -> int | None:
    value = _field(message, name, other_name)
    if value is None or value == "":
        return None
    number = _integer(value)
    if number is None:
        raise MalformedError(f"the {what} is {json_text(value)[:80]}; expected nanoseconds since the epoch")
    return time(number, what)


_DECIMAL: Final = re.compile(r"-?[0-9]{1,20}", re.ASCII)


def _integer(value: Any) -> int | None:
    """A 64-bit integer sent as number, decimal string or `{"low", "high", "unsigned"}`; None if it is none of these."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value
    if isinstance(value, str):
        return int(value) if _DECIMAL.fullmatch(value) else None
    if isinstance(value, float):
        return int(value) if value.is_integer() else None
    if isinstance(value, dict):
        low, high = value.get("low"), value.get("high")
        if isinstance(low, int) and isinstance(high, int):
            number = (high & 0xFFFFFFFF) << 32 | low & 0xFFFFFFFF
            return number - (1 << 64) if number >> 63 and not value.get("unsigned") else number
    return None


# Values. A value of a shape that OTLP does not have is kept as the JSON it is: the attribute's name still finds it.


def _attributes(message: Object) -> Attributes:
    value = message.get("attributes")
    if value is None:
        return {}
    if isinstance(value, list):
        return _pairs(value, 0)
    raise MalformedError(f"attributes is {_kind(value)}; expected an array of key and value")


def _pairs(pairs: list[Any], depth: int) -> Attributes:
    attributes: Attributes = {}
    for pair in pairs:
        if not isinstance(pair, dict):
            raise MalformedError(f"an attribute is {_kind(pair)}; expected an object of key and value")
        key = pair.get("key")
        if not isinstance(key, str):
            if key is not None:
                raise MalformedError(f"the key of an attribute is {_kind(key)}; expected a string")
            key = ""  # the protobuf JSON mapping leaves out what is empty
        attributes[key] = _any(pair.get("value"), depth)
    return attributes


def _any(value: Any, depth: int) -> Json:
    if isinstance(value, dict):
        known = False
        for name, content in value.items():
            read = _VALUES.get(name)
            if read is not None:
                known = True
                if content is not None:
                    return read(content, depth)
        if known or not value:
            return None
    return _plain(value, depth)


def _string(content: Any, depth: int) -> Json:
    return content if isinstance(content, str) else _plain(content, depth)


def _int(content: Any, depth: int) -> Json:
    number = _integer(content)
    return number if number is not None and -(1 << 63) <= number < 1 << 63 else _plain(content, depth)


def _double(content: Any, depth: int) -> Json:
    if isinstance(content, (int, float, str)) and not isinstance(content, bool):
        try:
            number = float(content)
        except (ValueError, OverflowError):
            return content
        # "NaN" and its like stay the strings they are in JSON.
        return number if isfinite(number) else content
    return _plain(content, depth)


def _bytes(content: Any, depth: int) -> Json:
    octets = _octets(content)
    return _plain(content, depth) if octets is None else b64encode(octets).decode()


def _array(content: Any, depth: int) -> Json:
    values = content.get("values", []) if isinstance(content, dict) else content
    if not isinstance(values, list) or depth >= MAX_DEPTH:
        return _plain(content, depth)
    return [_any(item, depth + 1) for item in values]


def _map(content: Any, depth: int) -> Json:
    values = content.get("values", []) if isinstance(content, dict) else content
    if not isinstance(values, list) or depth >= MAX_DEPTH:
        return _plain(content, depth)
    try:
        return _pairs(values, depth + 1)
    except MalformedError:
        return _plain(content, depth)


def _plain(value: Any, depth: int) -> Json:
    """JSON as it is, with what is nested deeper than MAX_DEPTH as JSON text."""
    if isinstance(value, (list, dict)):
        if depth >= MAX_DEPTH:
            return json_text(value)
        if isinstance(value, list):
            return [_plain(item, depth + 1) for item in value]
        return {key: _plain(item, depth + 1) for key, item in value.items()}
    scalar: Json = value
    return scalar


_VALUES: Final[Mapping[str, Callable[[Any, int], Json]]] = {
    "stringValue": _string,
    "string_value": _string,
    "boolValue": _plain,
    "bool_value": _plain,
    "intValue": _int,
    "int_value": _int,
    "doubleValue": _double,
    "double_value": _double,
    "bytesValue": _bytes,
    "bytes_value": _bytes,
    "arrayValue": _array,
    "array_value": _array,
    "kvlistValue": _map,
    "kvlist_value": _map,
}
