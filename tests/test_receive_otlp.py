from __future__ import annotations

import base64
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import pytest
from google.protobuf.json_format import MessageToDict
from google.rpc.status_pb2 import Status  # type: ignore[import-untyped]
from hypothesis import given, settings
from hypothesis import strategies as st
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, ArrayValue, KeyValue, KeyValueList
from opentelemetry.proto.trace.v1.trace_pb2 import Span
from opentelemetry.proto.trace.v1.trace_pb2 import Status as SpanStatus

from genscope.model import Event, Json, Link, RawSpan, Rejected, Resource, Scope
from genscope.receive.errors import BadRequest, TooLarge
from genscope.receive.otlp import Decoded, Format, decode, encode_response, encode_status

SHARED = Path(__file__).parents[2] / "shared"
TRACE, SPAN, PARENT = bytes(range(1, 17)), bytes(range(1, 9)), bytes(range(11, 19))
START = 1_763_700_000_000_000_001


def from_protobuf(request: ExportTraceServiceRequest, max_spans: int = 1000) -> Decoded:
    return decode(request.SerializeToString(), Format.PROTOBUF, max_spans)


def from_json(request: Any, max_spans: int = 1000) -> Decoded:
    return decode(request if isinstance(request, bytes) else orjson.dumps(request), Format.JSON, max_spans)


def request_of(*spans: Span) -> ExportTraceServiceRequest:
    request = ExportTraceServiceRequest()
    request.resource_spans.add().scope_spans.add().spans.extend(spans)
    return request


def span_of(**fields: Any) -> Span:
    return Span(**{"trace_id": TRACE, "span_id": SPAN, "name": "chat", "start_time_unix_nano": START, **fields})


def json_request(*spans: Any) -> dict[str, Any]:
    return {"resourceSpans": [{"scopeSpans": [{"spans": list(spans)}]}]}


def json_span(**fields: Any) -> dict[str, Any]:
    return {"traceId": TRACE.hex(), "spanId": SPAN.hex(), "name": "chat", "startTimeUnixNano": str(START), **fields}


def one(decoded: Decoded) -> RawSpan:
    assert decoded.rejected == []
    [span] = decoded.spans
    return span


def refused(decoded: Decoded) -> Rejected:
    assert decoded.spans == []
    [rejected] = decoded.rejected
    return rejected


def json_value(value: Any) -> Json:
    return one(from_json(json_request(json_span(attributes=[{"key": "k", "value": value}])))).attributes["k"]


# Both encodings say the same.


def test_every_field() -> None:
    request = ExportTraceServiceRequest()
    resource_spans = request.resource_spans.add()
    resource_spans.resource.attributes.add(key="service.name", value=AnyValue(string_value="shop"))
    scope_spans = resource_spans.scope_spans.add()
    scope_spans.scope.name, scope_spans.scope.version = "langfuse-sdk", "3.15.0"
    scope_spans.scope.attributes.add(key="public_key", value=AnyValue(string_value="pk"))
    span = scope_spans.spans.add(
        trace_id=TRACE,
        span_id=SPAN,
        parent_span_id=PARENT,
        name="chat",
        kind=Span.SPAN_KIND_CLIENT,
        start_time_unix_nano=START,
        end_time_unix_nano=START - 5,
        trace_state="a=b",
    )
    span.status.code, span.status.message = SpanStatus.STATUS_CODE_ERROR, "timeout"
    values: dict[str, tuple[AnyValue, Json]] = {
        "text": (AnyValue(string_value="é\0"), "é\0"),
        "empty": (AnyValue(string_value=""), ""),
        "no": (AnyValue(bool_value=False), False),
        "whole": (AnyValue(int_value=-(1 << 63)), -(1 << 63)),
        "part": (AnyValue(double_value=0.5), 0.5),
        "nan": (AnyValue(double_value=float("nan")), "NaN"),
        "most": (AnyValue(double_value=float("inf")), "Infinity"),
        "least": (AnyValue(double_value=float("-inf")), "-Infinity"),
        "bytes": (AnyValue(bytes_value=b"\xff\0"), "/wA="),
        "nothing": (AnyValue(), None),
    }
    for key, (value, _) in values.items():
        span.attributes.add(key=key, value=value)
    array = span.attributes.add(key="array").value.array_value
    array.values.add(string_value="a")
    array.values.add(array_value={"values": [AnyValue(int_value=1)]})
    span.attributes.add(key="map").value.kvlist_value.values.add(key="in", value=AnyValue(int_value=2))
    span.attributes.add(key="text", value=AnyValue(string_value="last"))
    event = span.events.add(name="exception", time_unix_nano=START)
    event.attributes.add(key="exception.type", value=AnyValue(string_value="E"))
    span.events.add(name="untimed")
    link = span.links.add(trace_id=TRACE, span_id=PARENT)
    link.attributes.add(key="a", value=AnyValue(int_value=1))

    expected = RawSpan(
        trace_id=TRACE.hex(),
        span_id=SPAN.hex(),
        parent_span_id=PARENT.hex(),
        name="chat",
        start_time=START,
        end_time=START - 5,
        attributes={
            **{key: value for key, (_, value) in values.items()},
            "array": ["a", [1]],
            "map": {"in": 2},
            "text": "last",
        },
        resource=Resource({"service.name": "shop"}),
        scope=Scope("langfuse-sdk", "3.15.0", {"public_key": "pk"}),
        events=[Event("exception", START, {"exception.type": "E"}), Event("untimed", None, {})],
        links=[Link(TRACE.hex(), PARENT.hex(), {"a": 1})],
        status_code=2,
        status_message="timeout",
        kind="client",
        trace_state="a=b",
    )
    assert one(from_protobuf(request)) == expected
    assert one(from_json(MessageToDict(request))) == expected
    assert one(from_json(MessageToDict(request, preserving_proto_field_name=True))) == expected
    assert one(from_json(MessageToDict(request, use_integers_for_enums=True))) == expected


def test_resource_and_scope_are_shared() -> None:
    for decoded in (from_protobuf(request_of(span_of(), span_of())), from_json(json_request(json_span(), json_span()))):
        first, second = decoded.spans
        assert first.resource is second.resource
        assert first.scope is second.scope


def any_values() -> st.SearchStrategy[AnyValue]:
    scalars: st.SearchStrategy[AnyValue] = st.one_of(
        st.text().map(lambda v: AnyValue(string_value=v)),
        st.booleans().map(lambda v: AnyValue(bool_value=v)),
        st.integers(-(1 << 63), (1 << 63) - 1).map(lambda v: AnyValue(int_value=v)),
        st.floats().map(lambda v: AnyValue(double_value=v)),
        st.binary().map(lambda v: AnyValue(bytes_value=v)),
        st.just(AnyValue()),
    )

    def nested(inner: st.SearchStrategy[AnyValue]) -> st.SearchStrategy[AnyValue]:
        return st.one_of(
            st.lists(inner, max_size=3).map(lambda v: AnyValue(array_value=ArrayValue(values=v))),
            key_values(inner).map(lambda v: AnyValue(kvlist_value=KeyValueList(values=v))),
        )

    return st.recursive(scalars, nested, max_leaves=6)


def key_values(values: st.SearchStrategy[AnyValue]) -> st.SearchStrategy[list[KeyValue]]:
    return st.lists(st.builds(KeyValue, key=st.text(max_size=4), value=values), max_size=4)


def ids(size: int) -> st.SearchStrategy[bytes]:
    # Now and then one of a wrong length or all zero, which both encodings must reject.
    return st.binary(min_size=size, max_size=size) | st.sampled_from([bytes(size), b"", b"\1\2\3\4"])


times = st.integers(0, (1 << 64) - 1)
attributes = key_values(any_values())
spans = st.builds(
    Span,
    trace_id=ids(16),
    span_id=ids(8),
    parent_span_id=ids(8),
    name=st.text(),
    kind=st.integers(0, 5),
    start_time_unix_nano=times,
    end_time_unix_nano=times,
    trace_state=st.text(max_size=3),
    attributes=attributes,
    events=st.lists(st.builds(Span.Event, name=st.text(), time_unix_nano=times, attributes=attributes), max_size=2),
    links=st.lists(st.builds(Span.Link, trace_id=ids(16), span_id=ids(8), attributes=attributes), max_size=2),
)


@settings(max_examples=100, deadline=None)
@given(st.lists(spans, max_size=4))
def test_protobuf_and_official_json_decode_alike(messages: list[Span]) -> None:
    request = request_of(*messages)
    binary, text = from_protobuf(request), from_json(MessageToDict(request))
    assert binary.spans == text.spans
    assert [rejected.reason for rejected in binary.rejected] == [rejected.reason for rejected in text.rejected]
    assert len(binary.spans) + len(binary.rejected) == len(messages)
    # And so does the lenient reading: one string that is not UTF-8 sends the whole request there.
    broken = invalid_utf8(span_of())
    lenient = decode(request_of(*messages).SerializeToString() + wrap(broken), Format.PROTOBUF, 10)
    assert lenient.spans[:-1] == binary.spans
    assert lenient.rejected == binary.rejected
    orjson.dumps([span.attributes for span in binary.spans])


def varint(number: int) -> bytes:
    head = bytes([number & 0x7F | (0x80 if number > 0x7F else 0)])
    return head + (varint(number >> 7) if number > 0x7F else b"")


def field(number: int, content: bytes) -> bytes:
    return varint(number << 3 | 2) + varint(len(content)) + content


def wrap(*encoded: bytes) -> bytes:
    """A request of one resource and scope with spans given as bytes."""
    return field(1, field(2, b"".join(field(2, span) for span in encoded)))


def invalid_utf8(span: Span) -> bytes:
    """The span with an attribute `bad` whose text is not UTF-8."""
    return span.SerializeToString() + field(9, field(1, b"bad") + field(2, field(1, b"caf\xe9!")))


# One bad span and its neighbours.

FAR = (1 << 63) - 1
BAD_SPANS = [
    ({"trace_id": b""}, "the trace id is missing; expected 16 bytes"),
    ({"trace_id": bytes(16)}, "the trace id is all zero"),
    ({"trace_id": SPAN}, "the trace id has 8 bytes; expected 16"),
    ({"span_id": b""}, "the span id is missing"),
    ({"span_id": bytes(8)}, "the span id is all zero"),
    ({"span_id": TRACE}, "the span id has 16 bytes; expected 8"),
    ({"parent_span_id": TRACE}, "the parent span id has 16 bytes; expected 8"),
    ({"start_time_unix_nano": FAR}, f"the start time {FAR} is not a time between 1970 and 2262-04-11"),
    ({"end_time_unix_nano": FAR}, f"the end time {FAR} is not"),
    ({"events": [Span.Event(time_unix_nano=FAR)]}, f"the time of an event {FAR} is not"),
]


@pytest.mark.parametrize(("fields", "reason"), BAD_SPANS)
@pytest.mark.parametrize("encode", [from_protobuf, lambda request: from_json(MessageToDict(request))])
def test_a_bad_span_among_500(
    fields: dict[str, Any], reason: str, encode: Callable[[ExportTraceServiceRequest], Decoded]
) -> None:
    good = [span_of(span_id=number.to_bytes(8, "big")) for number in range(1, 500)]
    decoded = encode(request_of(*good[:250], span_of(**{"name": "the bad one", **fields}), *good[250:]))
    assert [span.span_id for span in decoded.spans] == [span.span_id.hex() for span in good]
    [rejected] = decoded.rejected
    assert rejected.reason.startswith(reason)
    assert rejected.name == "the bad one"
    assert "the bad one" in rejected.payload


def test_the_last_possible_time_is_kept() -> None:
    assert one(from_protobuf(request_of(span_of(end_time_unix_nano=FAR - 1)))).end_time == FAR - 1


@pytest.mark.parametrize("parent", [b"", bytes(8)])
def test_roots(parent: bytes) -> None:
    request = request_of(span_of(parent_span_id=parent))
    assert one(from_protobuf(request)).parent_span_id is None
    assert one(from_json(MessageToDict(request))).parent_span_id is None


def test_times_of_zero_are_not_told() -> None:
    span = one(from_protobuf(request_of(span_of(start_time_unix_nano=0))))
    assert (span.start_time, span.end_time) == (None, None)


def test_enum_values_of_the_future() -> None:
    span = span_of(kind=99)
    span.status.code = 7  # type: ignore[assignment]
    for decoded in (from_protobuf(request_of(span)), from_json(json_request(json_span(kind=99, status={"code": 7})))):
        assert (one(decoded).kind, one(decoded).status_code) == (None, 0)


@pytest.mark.parametrize("format_", list(Format))
def test_too_many_spans(format_: Format) -> None:
    request = request_of(span_of(), span_of(), span_of())
    body = request.SerializeToString() if format_ is Format.PROTOBUF else orjson.dumps(MessageToDict(request))
    assert len(decode(body, format_, 3).spans) == 3
    with pytest.raises(TooLarge, match="send smaller batches"):
        decode(body, format_, 2)


@pytest.mark.parametrize("format_", list(Format))
def test_long_texts_are_cut_and_say_so(format_: Format) -> None:
    text = "é" * 600
    value = AnyValue(array_value=ArrayValue(values=[AnyValue(string_value=text)]))
    request = request_of(
        span_of(
            name=text,
            attributes=[
                KeyValue(key="long", value=AnyValue(string_value=text)),
                KeyValue(key="nested", value=value),
                KeyValue(key="fits", value=AnyValue(string_value="x" * 1001)),
            ],
        )
    )
    body = request.SerializeToString() if format_ is Format.PROTOBUF else orjson.dumps(MessageToDict(request))
    span = one(decode(body, format_, 10, max_value_bytes=1001))
    cut = "é" * 500 + "…[genscope: truncated, 1200 bytes]"
    assert span.attributes == {"long": cut, "nested": [cut], "fits": "x" * 1001}
    assert span.name == cut
    assert one(decode(body, format_, 10, max_value_bytes=1200)).attributes["long"] == text


# Protobuf that upb refuses.


def test_a_span_with_invalid_utf8_and_its_neighbours() -> None:
    bad = invalid_utf8(span_of(name="bad", attributes=[KeyValue(key="good", value=AnyValue(double_value=0.5))]))
    good = span_of(name="good").SerializeToString()
    decoded = decode(wrap(good, bad, good), Format.PROTOBUF, 10)
    assert decoded.rejected == []
    assert [span.name for span in decoded.spans] == ["good", "bad", "good"]
    assert decoded.spans[1].attributes == {"good": 0.5, "bad": "caf\N{REPLACEMENT CHARACTER}!"}


def test_invalid_utf8_outside_of_a_value() -> None:
    name = span_of(name="").SerializeToString() + field(5, b"n\xff") + field(15, field(2, b"s\xff"))
    name += field(11, field(2, b"e\xff") + field(3, field(1, b"k\xff")))
    resource = field(1, field(1, field(1, b"r\xff") + field(2, field(1, b"v\xff"))))
    scope = field(2, field(1, field(1, b"lib\xff")) + field(2, name))
    span = one(decode(field(1, resource + scope), Format.PROTOBUF, 10))
    mark = "\N{REPLACEMENT CHARACTER}"
    assert (span.name, span.status_message, span.scope.name) == (f"n{mark}", f"s{mark}", f"lib{mark}")
    assert span.resource.attributes == {f"r{mark}": f"v{mark}"}
    assert span.events == [Event(f"e{mark}", None, {f"k{mark}": None})]


def test_a_span_that_is_no_message_and_its_neighbours() -> None:
    good = span_of().SerializeToString()
    decoded = decode(wrap(good, b"\xff\xff\xff", good), Format.PROTOBUF, 10)
    assert len(decoded.spans) == 2
    [rejected] = decoded.rejected
    assert rejected.reason == "the span is not a valid protobuf message"
    assert json.loads(rejected.payload) == {"protobuf": "////"}


@pytest.mark.parametrize("depth", [20, 60, 90, 5000])
def test_deep_protobuf_values(depth: int) -> None:
    value = AnyValue(string_value="core").SerializeToString()
    for _ in range(depth):
        value = field(5, field(1, value))
    span = span_of().SerializeToString() + field(9, field(1, b"deep") + field(2, value))
    found: Json = one(decode(wrap(span), Format.PROTOBUF, 10)).attributes["deep"]
    levels = 0
    while isinstance(found, list):
        [found] = found
        levels += 1
    assert isinstance(found, str)
    if depth <= 60:
        assert (levels, found) == (depth, "core")
    else:
        assert levels == 65
        assert b"core" in base64.b64decode(found)


def test_truncated_or_foreign_protobuf_is_a_bad_request() -> None:
    body = request_of(span_of(), span_of(name="x" * 300)).SerializeToString()
    for length in range(1, len(body)):
        with pytest.raises(BadRequest, match="ExportTraceServiceRequest"):
            decode(body[:length], Format.PROTOBUF, 10)
    with pytest.raises(BadRequest):
        decode(b'{"resourceSpans": []}', Format.PROTOBUF, 10)


def test_an_empty_request_is_valid() -> None:
    assert decode(b"", Format.PROTOBUF, 10) == Decoded([], [])
    empties: list[dict[str, Any]] = [
        {},
        {"resourceSpans": None},
        {"resourceSpans": [{"scopeSpans": [{}]}]},
        {"unknown": 1},
    ]
    for empty in empties:
        assert from_json(empty) == Decoded([], [])


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_no_bytes_break_the_decoders(data: st.DataObject) -> None:
    body = bytearray(
        request_of(span_of(attributes=[KeyValue(key="k", value=AnyValue(string_value="é"))])).SerializeToString()
    )
    for _ in range(data.draw(st.integers(1, 4))):
        body[data.draw(st.integers(0, len(body) - 1))] = data.draw(st.integers(0, 255))
    for format_ in Format:
        try:
            decoded = decode(bytes(body), format_, 10)
        except (BadRequest, TooLarge):
            continue
        repr(decoded).encode()
        encode_response(format_, decoded.rejected)


# JSON as senders write it.


@pytest.mark.parametrize(
    "write",
    [
        bytes.hex,
        lambda value: value.hex().upper(),
        lambda value: base64.b64encode(value).decode(),
        lambda value: base64.urlsafe_b64encode(value).decode(),
        lambda value: {"type": "Buffer", "data": list(value)},
        list,
    ],
)
def test_ids_in_every_form(write: Callable[[bytes], Any]) -> None:
    trace, span_id, parent = b"\xfb\xff" * 8, b"\xfa\xff" * 4, b"\xf9\xff" * 4
    link = {"traceId": write(trace), "spanId": write(parent)}
    message = json_span(traceId=write(trace), spanId=write(span_id), parentSpanId=write(parent), links=[link])
    span = one(from_json(json_request(message)))
    assert (span.trace_id, span.span_id, span.parent_span_id) == (trace.hex(), span_id.hex(), parent.hex())
    assert span.links == [Link(trace.hex(), parent.hex(), {})]


@pytest.mark.parametrize("parent", ["", None, {"type": "Buffer", "data": []}, "0" * 16, "AAAAAAAAAAA="])
def test_roots_in_json(parent: Any) -> None:
    assert one(from_json(json_request(json_span(parentSpanId=parent)))).parent_span_id is None


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        ({"traceId": 7}, "traceId is a number; expected a string of 32 hexadecimal digits"),
        ({"traceId": "xyz"}, "traceId is 'xyz'; expected 32 hexadecimal digits"),
        ({"traceId": "ab" * 8}, "the trace id has 8 bytes; expected 16"),
        ({"spanId": {"type": "Buffer", "data": [300]}}, "spanId is an object; expected"),
        ({"spanId": "é" * 12}, "spanId is 'éééééééééééé'; expected 16"),
        ({"name": 7}, "name is a number; expected a string"),
        ({"name": ["x"]}, "name is an array; expected a string"),
        ({"kind": {}}, "kind is an object; expected a number or the name of one"),
        ({"status": "ok"}, "status is a string; expected an object"),
        ({"status": {"message": 1}}, "message is a number; expected a string"),
        ({"startTimeUnixNano": "soon"}, 'the start time is "soon"; expected nanoseconds'),
        ({"startTimeUnixNano": "9" * 5000}, 'the start time is "999'),
        ({"startTimeUnixNano": True}, "the start time is true; expected"),
        ({"startTimeUnixNano": -1}, "the start time -1 is not a time between"),
        ({"endTimeUnixNano": str(FAR)}, f"the end time {FAR} is not"),
        ({"attributes": {"a": 1}}, "attributes is an object; expected an array"),
        ({"attributes": ["a"]}, "an attribute is a string; expected an object"),
        ({"attributes": [{"key": 1}]}, "the key of an attribute is a number"),
        ({"events": {}}, "events is an object; expected an array"),
        ({"events": ["x"]}, "an element of events is a string"),
        ({"links": [{"traceId": []}, 1]}, "an element of links is a number"),
        ({"traceState": 1}, "traceState is a number"),
    ],
)
def test_a_wrongly_typed_piece_rejects_its_span_alone(wrong: dict[str, Any], reason: str) -> None:
    decoded = from_json(json_request(json_span(), json_span(**wrong), json_span()))
    assert len(decoded.spans) == 2
    [rejected] = decoded.rejected
    assert rejected.reason.startswith(reason)
    assert len(rejected.payload) <= 4096


@pytest.mark.parametrize("span", [7, "x", [], True])
def test_a_span_that_is_no_object(span: Any) -> None:
    assert refused(from_json(json_request(span))).reason.startswith("the span is a")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"null!",
        b'"text"',
        b"\xff\xfe",
        b'{"resourceSpans": {}}',
        b'{"resourceSpans": [1]}',
        b'{"resourceSpans": [{"scopeSpans": "x"}]}',
        b'{"resourceSpans": [{"scopeSpans": [[]]}]}',
        b'{"resourceSpans": [{"scopeSpans": [{"spans": {}}]}]}',
        b'{"resourceSpans": [{"resource": []}]}',
        b'{"resourceSpans": [{"resource": {"attributes": {}}}]}',
        b'{"resourceSpans": [{"scopeSpans": [{"scope": "x"}]}]}',
        b'{"resourceSpans": ' + b"[" * 100_000,
        b'{"resourceSpans": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    ],
)
def test_what_is_no_request_is_a_bad_request(body: bytes) -> None:
    with pytest.raises(BadRequest):
        from_json(body)


@pytest.mark.parametrize(
    "time",
    [str(START), START, {"low": START & 0xFFFFFFFF, "high": START >> 32, "unsigned": True}],
)
def test_times_in_every_form(time: Any) -> None:
    span = one(from_json(json_request(json_span(startTimeUnixNano=time, events=[{"timeUnixNano": time}]))))
    assert span.start_time == START
    assert span.events[0].time == START


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"intValue": "7"}, 7),
        ({"intValue": 7}, 7),
        ({"intValue": 7.0}, 7),
        ({"int_value": "-7"}, -7),
        ({"intValue": {"low": 7, "high": 0}}, 7),
        ({"intValue": {"low": -7, "high": -1, "unsigned": False}}, -7),
        ({"intValue": {"low": 0xFFFFFFF9, "high": 0xFFFFFFFF}}, -7),
        ({"intValue": "99999999999999999999"}, "99999999999999999999"),
        ({"intValue": "seven"}, "seven"),
        ({"intValue": True}, True),
        ({"intValue": 7.5}, 7.5),
        ({"doubleValue": 7}, 7.0),
        ({"doubleValue": "7.5"}, 7.5),
        ({"doubleValue": "NaN"}, "NaN"),
        ({"doubleValue": "-Infinity"}, "-Infinity"),
        ({"doubleValue": "much"}, "much"),
        ({"doubleValue": [1]}, [1]),
        ({"boolValue": True}, True),
        ({"boolValue": "true"}, "true"),
        ({"stringValue": ""}, ""),
        ({"stringValue": {"a": 1}}, {"a": 1}),
        ({"bytesValue": "/wA="}, "/wA="),
        ({"bytesValue": {"type": "Buffer", "data": [255, 0]}}, "/wA="),
        ({"arrayValue": {}}, []),
        ({"arrayValue": {"values": [{"intValue": 1}, {}]}}, [1, None]),
        ({"arrayValue": [{"intValue": 1}]}, [1]),
        ({"arrayValue": "x"}, "x"),
        ({"kvlistValue": {}}, {}),
        ({"kvlistValue": {"values": [{"key": "a", "value": {"intValue": 1}}]}}, {"a": 1}),
        ({"kvlistValue": {"values": ["x"]}}, {"values": ["x"]}),
        ({"array_value": {"values": [{"string_value": "s"}]}}, ["s"]),
        ({"stringValue": None}, None),
        ({"stringValue": None, "intValue": "1"}, 1),
        ({}, None),
        (None, None),
        ("bare", "bare"),
        (7, 7),
        ({"unheardOf": 1}, {"unheardOf": 1}),
    ],
)
def test_values_in_every_form(value: Any, expected: Json) -> None:
    found = json_value(value)
    assert found == expected
    assert type(found) is type(expected)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (rb'{"doubleValue": NaN}', "NaN"),
        (rb'{"doubleValue": -Infinity}', "-Infinity"),
        (rb'{"doubleValue": 1e999}', "1e999"),
        (rb'{"stringValue": "a\ud800b"}', "a\N{REPLACEMENT CHARACTER}b"),
        (rb'{"stringValue": "\udc00\ud83d\ude00\ud83d"}', "\N{REPLACEMENT CHARACTER}😀\N{REPLACEMENT CHARACTER}"),
        (rb'{"stringValue": "\\ud800 \ud800"}', "\\ud800 \N{REPLACEMENT CHARACTER}"),
        (b'{"stringValue": "caf\xe9"}', "caf\N{REPLACEMENT CHARACTER}"),
        (b'{"stringValue": "a\nb"}', "a\nb"),
        (rb'{"stringValue": "\u0000"}', "\0"),
        (rb'{"intValue": 99999999999999999999999, "x": NaN}', "99999999999999999999999"),
    ],
)
def test_json_that_is_not_quite_json(text: bytes, expected: Json) -> None:
    body = orjson.dumps(json_request(json_span(), json_span(attributes=[{"key": "k", "value": "HERE"}])))
    decoded = from_json(body.replace(b'"HERE"', text))
    assert decoded.rejected == []
    assert decoded.spans[1].attributes == {"k": expected}
    orjson.dumps(decoded.spans)


@pytest.mark.parametrize("shape", ["arrays", "maps", "plain"])
@pytest.mark.parametrize("depth", [10, 100, 200])
def test_deep_json_values(shape: str, depth: int) -> None:
    wrappers: dict[str, Callable[[Any], Any]] = {
        "arrays": lambda inner: {"arrayValue": {"values": [inner]}},
        "maps": lambda inner: {"kvlistValue": {"values": [{"key": "k", "value": inner}]}},
        "plain": lambda inner: [inner],
    }
    value: Any = {"stringValue": "core"}
    for _ in range(depth):
        value = wrappers[shape](value)
    body = json.dumps(json_request(json_span(attributes=[{"key": "d", "value": value}]))).encode()
    found = one(from_json(body)).attributes["d"]
    assert "core" in orjson.dumps(found).decode()
    levels = 0
    while isinstance(found, (list, dict)) and levels <= depth:
        found = next(iter(found.values())) if isinstance(found, dict) else found[0]
        levels += 1
    assert levels <= 66


# Answers.


def rejects(count: int) -> list[Rejected]:
    return [Rejected(TRACE.hex(), f"{number:016x}", f"span {number}", "it is bad") for number in range(count)]


def test_nothing_rejected_leaves_partial_success_unset() -> None:
    assert encode_response(Format.PROTOBUF, []) == b""
    assert encode_response(Format.JSON, []) == b"{}"


def test_rejected_spans_are_named_in_the_request_s_format() -> None:
    response = ExportTraceServiceResponse.FromString(encode_response(Format.PROTOBUF, rejects(13)))
    assert response.partial_success.rejected_spans == 13
    message = response.partial_success.error_message
    assert "0000000000000009 'span 9': it is bad" in message
    assert "span 10" not in message
    assert message.endswith("and 3 more")
    assert json.loads(encode_response(Format.JSON, rejects(2))) == {
        "partialSuccess": {
            "rejectedSpans": "2",
            "errorMessage": "0000000000000000 'span 0': it is bad; 0000000000000001 'span 1': it is bad",
        }
    }


def test_an_error_is_a_status_in_the_request_s_format() -> None:
    status = Status.FromString(encode_status(Format.PROTOBUF, 3, "wrong"))
    assert (status.code, status.message) == (3, "wrong")
    assert json.loads(encode_status(Format.JSON, 3, "wrong")) == {"code": 3, "message": "wrong"}


# The conformance cases are beside the repository, not in it.

if SHARED.exists() or os.environ.get("CI"):

    def test_every_conformance_case_decodes() -> None:
        cases = sorted((SHARED / "conformance" / "cases").glob("*.json"))
        assert len(cases) >= 150
        for path in cases:
            case = json.loads(path.read_bytes())
            decoded = from_json({"resourceSpans": case["resourceSpans"]})
            assert decoded.rejected == [], path.name
            sent = [s for r in case["resourceSpans"] for c in r["scopeSpans"] for s in c["spans"]]
            assert len(decoded.spans) == len(sent) > 0, path.name
            for span, message in zip(decoded.spans, sent, strict=True):
                assert (span.trace_id, span.span_id) == (message["traceId"], message["spanId"])
                assert span.start_time == (int(message.get("startTimeUnixNano", 0)) or None)
                assert set(span.attributes) == {pair["key"] for pair in message.get("attributes", [])}
