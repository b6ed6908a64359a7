"""What both encodings of OTLP share: the checks a span must pass, and how a value is bounded.

Source: opentelemetry-proto, `trace.proto` and `common.proto`.
"""

from __future__ import annotations

import json
from typing import Final

import orjson

from genscope.model import Attributes, Json, RawSpan, Rejected

#: `SpanKind` by number.
SPAN_KINDS: Final = (None, "internal", "server", "client", "producer", "consumer")
STATUS_CODES: Final = ("UNSET", "OK", "ERROR")
#: Levels of arrays and maps kept inside one attribute; what lies deeper becomes text.
MAX_DEPTH: Final = 64
#: 2262-04-11T23:47:16.854775806Z: the last but one nanosecond of a signed 64-bit clock, so that a range can end after it.
MAX_TIME: Final = 2**63 - 2
#: Characters of a rejected span that are kept beside the reason.
MAX_PAYLOAD: Final = 4096

_NO_TRACE: Final = bytes(16)
_NO_SPAN: Final = bytes(8)


class MalformedError(ValueError):
    """One span, or the container it is in, that is not what OTLP says; the text is the reason its sender is told."""


def identity(trace_id: bytes, span_id: bytes, parent_span_id: bytes) -> tuple[str, str, str | None]:
    """Ids as lower-case hex, the parent None for a root. Raises MalformedError for ids that OTLP calls invalid."""
    if len(trace_id) != 16 or trace_id == _NO_TRACE:
        raise MalformedError(_bad_id("trace id", trace_id, 16))
    if len(span_id) != 8 or span_id == _NO_SPAN:
        raise MalformedError(_bad_id("span id", span_id, 8))
    if not parent_span_id or parent_span_id == _NO_SPAN:
        return trace_id.hex(), span_id.hex(), None
    if len(parent_span_id) != 8:
        raise MalformedError(_bad_id("parent span id", parent_span_id, 8))
    return trace_id.hex(), span_id.hex(), parent_span_id.hex()


def _bad_id(what: str, value: bytes, size: int) -> str:
    if not value:
        return f"the {what} is missing; expected {size} bytes"
    if len(value) != size:
        return f"the {what} has {len(value)} bytes; expected {size}"
    return f"the {what} is all zero; expected {size} bytes that are not"


def time(nanoseconds: int, what: str) -> int | None:
    """Nanoseconds since the epoch; None for 0, "not told". Raises MalformedError for what the store cannot hold."""
    if 0 < nanoseconds <= MAX_TIME:
        return nanoseconds
    if nanoseconds == 0:
        return None
    raise MalformedError(
        f"the {what} {nanoseconds} is not a time between 1970 and 2262-04-11; expected nanoseconds since the epoch"
    )


def json_text(value: object) -> str:
    """`value` as JSON text, or a marker where it nests deeper than any encoder goes."""
    try:
        return orjson.dumps(value).decode()
    except TypeError:  # orjson goes 254 levels deep, the standard library some hundreds further
        pass
    try:
        return json.dumps(value)
    except RecursionError:
        return "[genscope: nested too deep to keep]"


def reject(reason: str, trace_id: str, span_id: str, name: str, payload: object) -> Rejected:
    """A Rejected with its payload as JSON text of bounded length."""
    return Rejected(trace_id, span_id, name, reason, json_text(payload)[:MAX_PAYLOAD])


def bound_texts(span: RawSpan, limit: int) -> None:
    """Cut every text of `span` that is over `limit` bytes of UTF-8, in place."""
    span.name = _cut(span.name, limit)
    span.status_message = _cut(span.status_message, limit)
    span.trace_state = _cut(span.trace_state, limit)
    bound_values(span.attributes, limit)
    for event in span.events:
        event.name = _cut(event.name, limit)
        bound_values(event.attributes, limit)
    for link in span.links:
        bound_values(link.attributes, limit)


def bound_values(attributes: Attributes, limit: int) -> None:
    """Cut every text among `attributes` that is over `limit` bytes of UTF-8, in place."""
    for key, value in attributes.items():
        if isinstance(value, str):
            if len(value) * 4 > limit:
                attributes[key] = _cut(value, limit)
        elif isinstance(value, (list, dict)):
            attributes[key] = _bounded(value, limit)


def _bounded(value: Json, limit: int) -> Json:
    if isinstance(value, str):
        return _cut(value, limit)
    if isinstance(value, list):
        return [_bounded(item, limit) for item in value]
    if isinstance(value, dict):
        return {key: _bounded(item, limit) for key, item in value.items()}
    return value


def _cut(text: str, limit: int) -> str:
    if len(text) * 4 <= limit:
        return text
    encoded = text.encode()
    if len(encoded) <= limit:
        return text
    return f"{encoded[:limit].decode(errors='ignore')}…[genscope: truncated, {len(encoded)} bytes]"
