"""The OpenTelemetry protocol: bodies of `ExportTraceServiceRequest` and of its answers.

Source: OTLP specification 1.x, https://opentelemetry.io/docs/specs/otlp/.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Final

import orjson
from google.protobuf.json_format import MessageToDict
from google.protobuf.message import Message
from google.rpc.status_pb2 import Status  # type: ignore[import-untyped]
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse

from genscope.model import RawSpan, Rejected
from genscope.receive import otlp_json, otlp_protobuf
from genscope.receive.otlp_span import bound_texts, bound_values

#: Bytes of UTF-8 in one text before it is cut.
MAX_VALUE_BYTES: Final = 16 << 20
#: Rejected spans that the answer names one by one.
NAMED_REJECTS: Final = 10


class Format(Enum):
    """The two encodings of OTLP, by the media type that announces them."""

    PROTOBUF = "application/x-protobuf"
    JSON = "application/json"


@dataclass(slots=True)
class Decoded:
    """The spans of one request, and those of it that could not be taken."""

    spans: list[RawSpan]
    rejected: list[Rejected]


_DECODERS: Final = {Format.PROTOBUF: otlp_protobuf.decode, Format.JSON: otlp_json.decode}


def decode(body: bytes, content_type: Format, max_spans: int, max_value_bytes: int = MAX_VALUE_BYTES) -> Decoded:
    """Decode an ExportTraceServiceRequest. A span that is not valid is rejected alone.

    A text over `max_value_bytes` (UTF-8) is cut and says so. Raises BadRequest if the body cannot be decoded at all and
    TooLarge if it has more than `max_spans` spans.
    """
    spans, rejected = _DECODERS[content_type](body, max_spans)
    # Decoding makes a text at most three times as long as its bytes (U+FFFD for a bad one), so most need no look.
    if len(body) * 3 > max_value_bytes:
        for span in spans:
            bound_texts(span, max_value_bytes)
        shared = [holder for span in spans for holder in (span.resource, span.scope)]
        for attributes in {id(holder): holder.attributes for holder in shared}.values():
            bound_values(attributes, max_value_bytes)
    return Decoded(spans, rejected)


def encode_response(content_type: Format, rejected: Sequence[Rejected]) -> bytes:
    """An ExportTraceServiceResponse; its partial_success is set only if something was rejected, as OTLP demands."""
    response = ExportTraceServiceResponse()
    if rejected:
        response.partial_success.rejected_spans = len(rejected)
        response.partial_success.error_message = _error_message(rejected)
    return _encode(content_type, response)


def _error_message(rejected: Sequence[Rejected]) -> str:
    named = [f"{span.span_id or '?'} {span.name[:100]!r}: {span.reason}" for span in rejected[:NAMED_REJECTS]]
    if len(rejected) > NAMED_REJECTS:
        named.append(f"and {len(rejected) - NAMED_REJECTS} more")
    return "; ".join(named)


def encode_status(content_type: Format, code: int, message: str) -> bytes:
    """A google.rpc.Status, the body of an error answer. `code` is a gRPC status code (google.rpc.Code)."""
    return _encode(content_type, Status(code=code, message=message))


def _encode(content_type: Format, message: Message) -> bytes:
    if content_type is Format.PROTOBUF:
        return message.SerializeToString()
    return orjson.dumps(MessageToDict(message))
