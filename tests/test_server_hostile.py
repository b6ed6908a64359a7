"""Spans that nobody should send, through the front door and back: never a server error, and never at a neighbour's cost."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import httpx
import msgspec
import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from genscope.api.shapes import MessageShape
from genscope.conventions import DIALECTS
from tests.running import Server
from tests.sending import JSON, PROTOBUF, encoded, new_id, pairs, request, span

SECOND = 10**9
NOW = 1_790_000_000 * SECOND


def nested(levels: int) -> Any:
    value: Any = "deep"
    for level in range(levels):
        value = {"k": value} if level % 2 else [value]
    return value


def generation(**attributes: Any) -> dict[str, Any]:
    return {
        "langfuse.observation.type": "generation",
        "langfuse.observation.model.name": "gpt-4o",
        **{f"langfuse.observation.{key.replace('__', '.')}": value for key, value in attributes.items()},
    }


#: What makes a span hostile: arguments of `span`.
HOSTILE: dict[str, dict[str, Any]] = {
    "10,000 attributes": {"attributes": {f"key.{number}": number for number in range(10_000)}},
    "32 levels": {"attributes": {"deep": nested(32)}},
    "a key of 100 kB": {"attributes": {"k" * 100_000: 1}},
    "odd keys": {"attributes": {"": 1, " ": 2, "'\"\\\n\t\0": 3, "a.b.": 4, ".": 5, "{p0:String}": 6, "$where": 7}},
    "NUL everywhere": {
        "name": "a\0b",
        "attributes": generation(input="\0", output="x\0", metadata__k="\0") | {"session.id": "\0", "user.id": "u\0"},
        "trace_state": "\0",
        "status": Status(code=Status.STATUS_CODE_ERROR, message="\0"),
    },
    "TSV and SQL": {"name": "\\N", "attributes": generation(input="\\N\t\\0\n'", output="'; DROP TABLE spans --")},
    "no name": {"name": ""},
    "a name of 1 MB": {"name": "n" * 1_000_000},
    "ids of 1 MB": {"attributes": {"session.id": "s" * 1_000_000, "user.id": "ü" * 500_000}},
    "not numbers": {"attributes": {"a": float("nan"), "b": float("inf"), "c": [float("-inf")], "d": -0.0, "e": 5e-324}},
    "largest integers": {"attributes": {"a": 2**63 - 1, "b": -(2**63), "c": [2**53 + 1]}},
    "every kind": {
        "attributes": {"a": None, "b": b"\xff\0", "c": [], "d": {}, "e": [None, [], {}], "f": True, "g": ""}
    },
    "no start": {"start": 0, "end": NOW},
    "no end": {"start": NOW, "end": 0},
    "no times": {"start": 0, "end": 0},
    "the first nanosecond": {"start": 1, "end": 2},
    "1970": {"start": SECOND, "end": 2 * SECOND},
    "2262": {"start": 9_214_646_400 * SECOND, "end": 9_214_646_401 * SECOND},
    "the far end": {"start": 2**63 - 2, "end": 2**63 - 2},
    "next century": {"start": 4_102_444_800 * SECOND},
    "end before start": {"start": NOW, "end": NOW - 3600 * SECOND},
    "first token before start": {"attributes": generation(completion_start_time="1970-01-01T00:00:00Z")},
    "first token in 9999": {"attributes": generation(completion_start_time="9999-12-31T23:59:59.999999-23:59")},
    "first token in the year 1": {"attributes": generation(completion_start_time='"0001-01-01T00:00:00+14:00"')},
    "parent of itself": {"parent_span_id": b"\x01" * 8, "span_id": "01" * 8},
    "unknown numbers": {"kind": 99, "status": Status(code=cast("Status.StatusCode.ValueType", 77))},
    "negative usage": {"attributes": generation(usage_details='{"input": -5, "output": 1e300, "x": "many"}')},
    "huge usage": {"attributes": generation(usage_details=f'{{"input": {2**64}, "output": {2**63 - 1}, "total": 1}}')},
    "thousands of kinds": {
        "attributes": generation(usage_details=orjson.dumps({f"kind_{n}": n for n in range(5000)}).decode())
    },
    "huge cost": {"attributes": generation(cost_details='{"total": "99999999999999999999.999999999999"}')},
    "odd cost": {"attributes": generation(cost_details='{"total": NaN, "input": -1, "output": "1e9999"}')},
    "odd parameters": {"attributes": generation(model__parameters="[" * 100_000)},
    "wrong types": {
        "attributes": generation(
            type=7,
            level=[1],
            input=3.5,
            output={"a": b"\0"},
            metadata=[1],
            usage_details=[1],
            cost_details="x",
            model__name={"a": 1},
            completion_start_time=5,
            prompt__version=[2],
        )
    },
    "unknown words": {"attributes": generation(type="llm\0", level="FATAL") | {"openinference.span.kind": "???"}},
    "10,000 tags": {"attributes": {"langfuse.trace.tags": [f"tag {number}" for number in range(10_000)]}},
    "integers beyond 64 bits": {
        "attributes": generation(
            metadata=f'{{"a": {10**40}}}', input=f"[{10**40}]", model__parameters=f'{{"a": {10**40}}}'
        )
    },
    "surrogates in JSON text": {
        "attributes": generation(metadata='{"a": "\\ud800"}', input='["\\udfff"]', usage_details='{"\\ud800": 1}')
    },
    "a prompt of 5 MB": {"attributes": generation(input="wörd " * 900_000)},
    "a JSON prompt of 5 MB": {
        "attributes": generation(input=orjson.dumps([{"role": "user", "content": "word " * 1_000_000}]).decode())
    },
    "flattened to the horizon": {
        "attributes": {"gen_ai.prompt.999999999.content": "a", "gen_ai.prompt.0.content": "b", "gen_ai.prompt.x.y": "c"}
    },
    "10,000 indices": {
        "attributes": {
            "gen_ai.operation.name": "chat",
            **{f"gen_ai.prompt.{number}.content": "x" for number in range(10_000)},
            **{f"llm.input_messages.{number}.message.content": "x" for number in range(10_000)},
            **{f"gen_ai.completion.0.tool_calls.{number}.name": f"tool {number}" for number in range(10_000)},
            **{f"llm.tools.{number}.tool.json_schema": f'{{"name": "tool {number}"}}' for number in range(10_000)},
        }
    },
    "names of JavaScript's objects": {
        "attributes": generation(
            input='{"__proto__": {"role": "user"}, "messages": [{"role": "__proto__", "content": {"constructor": 1}}]}',
            output='[{"role": "assistant", "tool_calls": [{"function": {"name": "__proto__", "arguments": "{}"}}]}]',
            metadata='{"__proto__": {"admin": true}, "constructor": 1}',
            usage_details='{"__proto__": 1, "input": 2}',
            metadata__prototype="x",
        )
        | {"__proto__": 1, "constructor.prototype": 2, "gen_ai.prompt.__proto__.content": 3, "toString": 4}
    },
    "JSON of 100,000 levels": {
        "attributes": generation(
            input='{"tools":[' * 100_000,
            output='{"tool_calls":[' * 100_000,
            metadata='{"a":' * 100_000 + "1" + "}" * 100_000,
            usage_details='{"input":' * 100_000,
            model__parameters='{"tools":[' * 50_000 + "]}" * 50_000,
        )
    },
    "keys twice in JSON text": {
        "attributes": generation(
            input='{"role": "user", "role": "system", "content": "a", "content": "b"}',
            usage_details='{"input": 1, "input": 2, "output": 3}',
            metadata='{"k": 1, "k": 2}',
        )
    },
    "NaN in JSON text": {
        "attributes": generation(
            input='{"role": "user", "content": NaN}',
            output='{"tool_calls": [{"name": "a", "arguments": {"x": Infinity}}]}',
            usage_details='{"input": NaN, "output": -Infinity}',
            metadata='{"k": NaN}',
        )
    },
    "1,000 events and links": {
        "events": [Span.Event(name="e\0", attributes=pairs({"n": n})) for n in range(1000)],
        "links": [Span.Link(trace_id=b"x", span_id=b"", attributes=pairs({"n": n})) for n in range(1000)],
    },
}


def exchange(server: Server, body: bytes, content_type: str) -> None:
    with server.client() as client:
        answer = client.post("/v1/traces", content=body, headers={"content-type": content_type})
    assert answer.status_code == 200, answer.text
    assert answer.content == (b"{}" if content_type == JSON else b"")


def check_readable(server: Server, trace_id: str, names: set[str]) -> dict[str, dict[str, Any]]:
    """Every way to read the trace works, shows these spans, and is JSON to a strict reader."""

    def get(client: httpx.Client, path: str, **parameters: str) -> Any:
        answer = client.get(path, params=parameters)
        assert answer.status_code == 200, (path, answer.text)
        return orjson.loads(answer.content)

    with server.client() as client:
        found = get(client, f"/api/v1/traces/{trace_id}")
        assert {one["name"] for one in found["spans"]} == names
        said = get(client, f"/api/v1/traces/{trace_id}", messages="1")["spans"]
        msgspec.convert([one["input_messages"] + one["output_messages"] for one in said], list[list[MessageShape]])
        for path in ("/api/v1/spans", "/api/v1/generations"):
            for full in ("", "1"):
                listed = get(client, path, trace_id=trace_id, full=full, limit="1000")["data"]
                assert {one["name"] for one in listed} <= names
                assert len(listed) == len(names) or path != "/api/v1/spans"
        (trace,) = get(client, "/api/v1/traces", trace_id=trace_id)["data"]
        assert trace["span_count"] == len(names)
        get(client, "/api/v1/models", trace_id=trace_id)
    return {one["name"]: one for one in found["spans"]}


@pytest.mark.parametrize("content_type", [PROTOBUF, JSON])
@pytest.mark.parametrize("what", HOSTILE)
def test_a_hostile_span_is_kept_and_read_beside_its_neighbours(server: Server, what: str, content_type: str) -> None:
    trace_id = new_id(16)
    hostile = span(trace_id, **({"name": "hostile"} | HOSTILE[what]))
    spans = [span(trace_id, name="before"), hostile, span(trace_id, name="after")]
    exchange(server, encoded(request(spans), content_type), content_type)
    check_readable(server, trace_id, {"before", hostile.name, "after"} if hostile.name else {"before", "", "after"})


def odd_protobuf(replace: Callable[[bytes], bytes]) -> Callable[[str], bytes]:
    def build(trace_id: str) -> bytes:
        attributes = {"text": "BADUTF8", "deep": {"k": ["BADUTF8"]}, "BADUTF8": 1}
        hostile = span(trace_id, name="hostile", attributes=attributes)
        return replace(encoded(request([span(trace_id, name="before"), hostile, span(trace_id, name="after")])))

    return build


def odd_json(replace: Callable[[dict[str, Any]], bytes | None]) -> Callable[[str], bytes]:
    def build(trace_id: str) -> bytes:
        spans = [span(trace_id, name=name) for name in ("before", "hostile", "after")]
        document = orjson.loads(encoded(request(spans), JSON))
        hostile = document["resourceSpans"][0]["scopeSpans"][0]["spans"][1]
        marker = replace(hostile)
        body = orjson.dumps(document)
        return body if marker is None else body.replace(b'"MARKER"', marker)

    return build


def upper_case(hostile: dict[str, Any]) -> None:
    hostile["traceId"] = hostile["traceId"].upper()
    hostile["spanId"] = hostile["spanId"].upper()


def attribute(value: bytes) -> Callable[[dict[str, Any]], bytes]:
    def replace(hostile: dict[str, Any]) -> bytes:
        hostile["attributes"] = [{"key": "langfuse.observation.input", "value": "MARKER"}]
        return value

    return replace


def keys_twice(trace_id: str) -> bytes:
    hostile = span(trace_id, name="hostile")
    for value in ("first", "second"):
        hostile.attributes.extend(pairs({"k": value, "gen_ai.input.messages": value, "gen_ai.usage.input_tokens": 1}))
    return encoded(request([span(trace_id, name="before"), hostile, span(trace_id, name="after")]))


def twice(hostile: dict[str, Any]) -> None:
    hostile["attributes"] = [{"key": "k", "value": {"stringValue": text}} for text in ("first", "second")]


ODD_BODIES: dict[str, tuple[str, Callable[[str], bytes]]] = {
    "invalid UTF-8": (PROTOBUF, odd_protobuf(lambda body: body.replace(b"BADUTF8", b"\xff\xfe\xc0\x80\xed\xa0\x80"))),
    "unknown fields": (PROTOBUF, odd_protobuf(lambda body: body + b"\xfa\x3f\x03abc")),
    "keys twice": (PROTOBUF, keys_twice),
    "ids in upper case": (JSON, odd_json(upper_case)),
    "a key twice": (JSON, odd_json(twice)),
    "lone surrogates": (JSON, odd_json(attribute(b'{"stringValue": "a\\ud800b\\udfff"}'))),
    "NaN": (JSON, odd_json(attribute(b'{"doubleValue": NaN}'))),
    "infinity": (JSON, odd_json(attribute(b'{"doubleValue": -Infinity}'))),
    "1e999": (JSON, odd_json(attribute(b'{"doubleValue": 1e999}'))),
    "an integer of 60 digits": (JSON, odd_json(attribute(b'{"intValue": ' + b"9" * 60 + b"}"))),
    "an integer of 6,000 digits": (JSON, odd_json(attribute(b'{"intValue": "' + b"9" * 6000 + b'"}'))),
    "bytes that are not UTF-8": (JSON, odd_json(attribute(b'{"stringValue": "\xff\xfe"}'))),
    "control characters": (JSON, odd_json(attribute(b'{"stringValue": "\x01\n\x1f"}'))),
    "64 levels": (JSON, odd_json(attribute(b'{"arrayValue":{"values":[' * 64 + b"{}" + b"]}}" * 64))),
    "200 levels": (JSON, odd_json(attribute(b'{"arrayValue":{"values":[' * 200 + b"{}" + b"]}}" * 200))),
    "a value of no shape": (JSON, odd_json(attribute(b'[1, {"a": [null]}]'))),
}


@pytest.mark.parametrize("what", ODD_BODIES)
def test_a_body_that_only_a_patient_reader_takes(server: Server, what: str) -> None:
    content_type, build = ODD_BODIES[what]
    trace_id = new_id(16)
    exchange(server, build(trace_id), content_type)
    check_readable(server, trace_id, {"before", "hostile", "after"})


def test_ids_in_upper_case_are_the_same_ids(server: Server) -> None:
    trace_id = "ab" * 15 + new_id(1)
    with server.client() as client:
        one = span(trace_id, span_id="cd" * 8)
        body = encoded(request([one]), JSON)
        for sent in (body, body.replace(trace_id.encode(), trace_id.upper().encode()).replace(b"cdcd", b"CDCD")):
            assert client.post("/v1/traces", content=sent, headers={"content-type": JSON}).status_code == 200
    assert server.get(f"/api/v1/traces/{trace_id}")["trace"]["span_count"] == 1


def test_a_prompt_of_5_megabytes_is_whole_in_the_trace_and_short_in_the_list(server: Server) -> None:
    trace_id = new_id(16)
    prompt = "wörd " * 1_000_000
    exchange(server, encoded(request([span(trace_id, attributes=generation(input=prompt))])), PROTOBUF)
    (whole,) = server.trace(trace_id).values()
    assert whole["input"] == prompt
    (brief,) = server.get("/api/v1/spans", trace_id=trace_id)["data"]
    assert brief["input"].startswith(prompt[:400])
    assert len(brief["input"]) < 2000


#: JSON of about 12 MB each, of as many values as fit.
MASSES: dict[str, str] = {
    "input": "[" + '{"role":"user","content":"x"},' * 400_000 + "{}]",
    "output": '{"tool_calls":[' + '{"name":"a"},' * 900_000 + "{}]}",
    "metadata": "{" + ",".join(f'"key {number}":[]' for number in range(700_000)) + "}",
    "usage_details": "{" + ",".join(f'"input_k{number}":1' for number in range(700_000)) + "}",
}


def test_50_megabytes_of_json_are_kept_in_bounded_memory(server: Server) -> None:
    trace_id = new_id(16)
    spans = [
        span(trace_id, name="before"),
        span(trace_id, name="masses", attributes=generation(**MASSES)),
        span(trace_id, name="one value", attributes={"gen_ai.output.messages": MASSES["output"] * 4}),
        span(trace_id, name="after"),
    ]
    for one in spans:  # The two in the middle are 50 MB each.
        with server.client() as client:
            answer = client.post(
                "/v1/traces", content=encoded(request([one])), headers={"content-type": PROTOBUF}, timeout=300
            )
        assert answer.status_code == 200, answer.text
    with server.client() as client:
        listed = orjson.loads(client.get("/api/v1/spans", params={"trace_id": trace_id}, timeout=300).content)["data"]
        assert {one["name"] for one in listed} == {one.name for one in spans}
        whole = client.get(f"/api/v1/traces/{trace_id}", params={"messages": "1"}, timeout=300)
        assert whole.status_code == 200, whole.text[:1000]
        found = {one["name"]: one for one in orjson.loads(whole.content)["spans"]}
        masses = found["masses"]
        assert masses["input"] == orjson.loads(MASSES["input"])
        assert masses["output"] == orjson.loads(MASSES["output"])
        assert len(masses["usage"]) < 1000
        assert masses["input_messages"] == [
            {"role": "user", "name": None, "parts": [{"type": "text", "text": MASSES["input"]}]}
        ]
        form = {"public_key": server.public_key, "secret_key": server.secret_key}
        assert client.post("/login", data=form).status_code == 303
        for one in spans[1:3]:
            page = client.get(f"/traces/{trace_id}", params={"span": one.span_id.hex()}, timeout=300)
            assert page.status_code == 200
            assert len(page.content) < 2_000_000
    assert server.process is not None
    status = Path(f"/proc/{server.process.pid}/status").read_text()
    assert int(status.split("VmHWM:")[1].split()[0]) < 3_000_000, "kilobytes at the most"


def test_a_span_without_a_start_is_placed_by_what_is_known(server: Server) -> None:
    trace_id = new_id(16)
    exchange(server, encoded(request([span(trace_id, start=0, end=NOW)])), PROTOBUF)
    (found,) = server.trace(trace_id).values()
    assert found["start_time"]
    assert found["end_time"] == "2026-09-21T14:13:20.000000Z"


def test_spans_of_300_months_in_one_request(server: Server) -> None:
    trace_id = new_id(16)
    month = 2_629_746 * SECOND
    spans = [span(trace_id, name=f"month {number}", start=NOW - number * month) for number in range(300)]
    exchange(server, encoded(request(spans)), PROTOBUF)
    found = check_readable(server, trace_id, {f"month {number}" for number in range(300)})
    assert len({one["start_time"][:7] for one in found.values()}) == 300


#: Every attribute name that some convention reads; `*` stands for the rest of a name.
NAMES = sorted(
    {
        source.replace("*", "0.content")
        for dialect in DIALECTS.values()
        for sources in dialect.values()
        for source in sources
        if not source.startswith("@")
    }
)
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**63), 2**63 - 1),
    st.floats(),
    st.text(max_size=20).filter(lambda text: not any("\ud800" <= character <= "\udfff" for character in text)),
    st.binary(max_size=10),
    st.sampled_from(
        ["generation", "LLM", "chat", "gpt-4o", "2026-01-01T00:00:00Z", "ERROR", "-1", "1e999", "NaN", "\0"]
    ),
)
JSON_TEXT = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=8,
).map(json.dumps)
ANY_VALUE = st.recursive(
    SCALARS | JSON_TEXT,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(["role", "content", "a", ""]), inner, max_size=4)
    ),
    max_leaves=6,
)
ATTRIBUTES = st.dictionaries(st.sampled_from(NAMES), ANY_VALUE, max_size=12)


@given(several=st.lists(ATTRIBUTES, min_size=20, max_size=20), content_type=st.sampled_from([PROTOBUF, JSON]))
@settings(max_examples=15, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
def test_whatever_the_known_attributes_hold_every_span_is_kept(
    server: Server, several: list[dict[str, Any]], content_type: str
) -> None:
    trace_id = new_id(16)
    spans = [span(trace_id, name=str(number), attributes=attributes) for number, attributes in enumerate(several)]
    exchange(server, encoded(request(spans), content_type), content_type)
    with server.client() as client:
        answer = client.get(f"/api/v1/traces/{trace_id}")
        assert answer.status_code == 200, answer.text
        assert len(orjson.loads(answer.content)["spans"]) == len(several)
        assert client.get("/api/v1/spans", params={"trace_id": trace_id, "full": "1"}).status_code == 200
        assert client.get("/api/v1/models", params={"trace_id": trace_id}).status_code == 200
