"""The read API against a real server: shapes, values, lists, figures, and what it says to nonsense."""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import httpx
import msgspec
import orjson
import pytest
from openapi_spec_validator import validate
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from genscope.api import openapi
from genscope.api.shapes import MessageShape
from tests.running import Server
from tests.sending import PROTOBUF, encoded, new_id, pairs, request, span

SECOND = 10**9
#: 2026-01-02T03:04:05.678901234Z
START = 1_767_323_045_678_901_234
OPTIONAL_TEXT = (str, type(None))
OPTIONAL_NUMBER = (int, float, type(None))

#: The keys of a span that users may rely on, and the types of their values.
SPAN_SHAPE: dict[str, type | tuple[type, ...]] = {
    "trace_id": str,
    "span_id": str,
    "parent_span_id": OPTIONAL_TEXT,
    "type": str,
    "name": str,
    "start_time": str,
    "end_time": OPTIONAL_TEXT,
    "duration_ms": OPTIONAL_NUMBER,
    "completion_start_time": OPTIONAL_TEXT,
    "time_to_first_token_ms": OPTIONAL_NUMBER,
    "level": str,
    "status_message": OPTIONAL_TEXT,
    "model": OPTIONAL_TEXT,
    "provider": OPTIONAL_TEXT,
    "model_parameters": (dict, type(None)),
    "input": (dict, list, str, type(None)),
    "output": (dict, list, str, type(None)),
    "usage": (dict, type(None)),
    "cost": (dict, type(None)),
    "cost_source": OPTIONAL_TEXT,
    "cost_missing": OPTIONAL_TEXT,
    "service_tier": OPTIONAL_TEXT,
    "explain": dict,
    "tools": list,
    "tool_calls": list,
    "session_id": OPTIONAL_TEXT,
    "user_id": OPTIONAL_TEXT,
    "tags": list,
    "trace_name": OPTIONAL_TEXT,
    "environment": OPTIONAL_TEXT,
    "release": OPTIONAL_TEXT,
    "version": OPTIONAL_TEXT,
    "metadata": dict,
    "prompt_name": OPTIONAL_TEXT,
    "prompt_version": OPTIONAL_TEXT,
    "scores": list,
    "attributes": dict,
    "events": list,
    "resource": dict,
    "scope": dict,
    "protocol": str,
}

FULL_GENERATION: dict[str, Any] = {
    "langfuse.observation.type": "generation",
    "langfuse.observation.model.name": "gpt-4o",
    "gen_ai.provider.name": "openai",
    "langfuse.observation.model.parameters": '{"temperature": 0.7}',
    "langfuse.observation.input": '[{"role": "user", "content": "Where is it?"}]',
    "langfuse.observation.output": "On its way.",
    "langfuse.observation.usage_details": '{"input": 200, "input_cached_tokens": 800, "output": 50}',
    "langfuse.observation.cost_details": '{"input": 0.0015, "output": 0.0005, "total": 0.0020}',
    "langfuse.observation.completion_start_time": "2026-01-02T03:04:05.928901Z",
    "langfuse.observation.metadata.plan": "pro",
    "langfuse.observation.prompt.name": "greeting",
    "langfuse.observation.prompt.version": 3,
    "langfuse.trace.name": "support",
    "langfuse.trace.tags": ["b", "a"],
    "langfuse.environment": "production",
    "langfuse.release": "r7",
    "langfuse.version": "1.2",
    "session.id": "session-1",
    "user.id": "alice",
    "custom": [1, 2.5, {"deep": True}],
}


def send(server: Server, *spans: Span, resource: dict[str, Any] | None = None) -> None:
    with server.client() as client:
        body = encoded(request(spans, resource))
        answer = client.post("/v1/traces", content=body, headers={"content-type": PROTOBUF})
        assert (answer.status_code, answer.content) == (200, b"")


def generation(trace_id: str, attributes: dict[str, Any] | None = None, **more: Any) -> Span:
    return span(trace_id, attributes={"langfuse.observation.type": "generation"} | (attributes or {}), **more)


# One span


def test_a_span_has_the_documented_shape_and_values(server: Server) -> None:
    trace_id, parent = new_id(16), new_id(8)
    one = generation(
        trace_id,
        FULL_GENERATION,
        name="draft-reply",
        start=START,
        end=START + 812_400_000,
        parent_span_id=bytes.fromhex(parent),
        kind=Span.SPAN_KIND_CLIENT,
        status=Status(code=Status.STATUS_CODE_ERROR, message="cut off"),
        events=[Span.Event(name="token", time_unix_nano=START + 1000, attributes=pairs({"n": 1}))],
        links=[Span.Link(trace_id=b"t" * 16, span_id=b"s" * 8, attributes=pairs({"why": "retry"}))],
    )
    send(server, one, resource={"service.name": "shop"})
    found = server.trace(trace_id)[one.span_id.hex()]
    for key, type_ in SPAN_SHAPE.items():
        assert isinstance(found[key], type_), key
    expected = {
        "trace_id": trace_id,
        "span_id": one.span_id.hex(),
        "parent_span_id": parent,
        "type": "generation",
        "name": "draft-reply",
        "start_time": "2026-01-02T03:04:05.678901Z",
        "end_time": "2026-01-02T03:04:06.491301Z",
        "duration_ms": 812.4,
        "completion_start_time": "2026-01-02T03:04:05.928901Z",
        "time_to_first_token_ms": pytest.approx(250, abs=0.001),
        "level": "ERROR",
        "status_message": "cut off",
        "model": "gpt-4o",
        "provider": "openai",
        "model_parameters": {"temperature": 0.7},
        "input": [{"role": "user", "content": "Where is it?"}],
        "output": "On its way.",
        "usage": {"input": 1000, "output": 50, "total": 1050, "input_cache_read": 800},
        "cost": {"input": "0.0015", "output": "0.0005", "total": "0.002"},
        "cost_source": "reported",
        "cost_missing": None,
        "explain": {
            "type": {"dialect": "langfuse", "source": "langfuse.observation.type"},
            "model": {"dialect": "langfuse", "source": "langfuse.observation.model.name"},
            "usage": {"dialect": "langfuse", "source": "langfuse.observation.usage_details"},
            "cost": {"dialect": "langfuse", "source": "langfuse.observation.cost_details", "price": None},
        },
        "tools": [],
        "tool_calls": [],
        "session_id": "session-1",
        "user_id": "alice",
        "tags": ["a", "b"],
        "trace_name": "support",
        "environment": "production",
        "release": "r7",
        "version": "1.2",
        "metadata": {"plan": "pro"},
        "prompt_name": "greeting",
        "prompt_version": "3",
        "scores": [],
        "resource": {"service.name": "shop"},
        "protocol": "otlp",
        "kind": "client",
    }
    assert {key: found[key] for key in expected} == expected
    assert found["attributes"]["custom"] == [1, 2.5, {"deep": True}]
    assert found["scope"]["name"], found["scope"]["version"] == ("tests", "1")
    assert found["events"] == [{"name": "token", "time": "2026-01-02T03:04:05.678902Z", "attributes": {"n": 1}}]
    assert found["links"] == [{"trace_id": "74" * 16, "span_id": "73" * 8, "attributes": {"why": "retry"}}]


def test_a_bare_span_says_null_for_what_is_not_known(server: Server) -> None:
    trace_id = new_id(16)
    one = span(trace_id, start=START, milliseconds=2)
    send(server, one)
    (found,) = server.trace(trace_id).values()
    assert SPAN_SHAPE.keys() <= found.keys()
    for key, type_ in SPAN_SHAPE.items():
        if isinstance(type_, tuple) and key not in ("end_time", "duration_ms"):
            assert found[key] is None, key
    assert (found["type"], found["level"], found["tags"], found["metadata"]) == ("span", "DEFAULT", [], {})


#: What was sent -> the JSON text that comes back, byte for byte.
VALUES = {
    "plain text": '"plain text"',
    '{"b": 1.0, "a":  [1e2, 0.10, -0.0]}': '{"b": 1.0, "a":  [1e2, 0.10, -0.0]}',
    "[12345678901234567890123, 9007199254740993]": "[12345678901234567890123, 9007199254740993]",
    '{"same": 1, "same": 2}': '{"same": 1, "same": 2}',
    '["\\u00e9 \\/ é \U0001f600"]': '["\\u00e9 \\/ é \U0001f600"]',
    "  [1]\n": "  [1]\n",
    "{}": "{}",
    # What is no JSON, or none that every reader takes, is the text that it is.
    "123": '"123"',
    "true": '"true"',
    "null": '"null"',
    '"quoted"': None,
    "{not JSON}": '"{not JSON}"',
    "[1] and more": '"[1] and more"',
    "[NaN]": '"[NaN]"',
    "[1e999]": '"[1e999]"',
    '["\\ud800"]': '"[\\"\\\\ud800\\"]"',
    '["a\nb"]': '"[\\"a\\nb\\"]"',
    "[" * 300 + "]" * 300: '"' + "[" * 300 + "]" * 300 + '"',
    "[" * 100_000: '"' + "[" * 100_000 + '"',
}


def test_input_and_output_come_back_byte_for_byte(server: Server) -> None:
    trace_id = new_id(16)
    texts = [text for text, answer in VALUES.items() if answer]
    send(
        server,
        *(
            span(
                trace_id, name=str(number), start=START + number, attributes={"input.value": text, "output.value": text}
            )
            for number, text in enumerate(texts)
        ),
    )
    with server.client() as client:
        answer = client.get(f"/api/v1/traces/{trace_id}").content
    orjson.loads(answer)
    for number, text in enumerate(texts):
        start = answer.index(f'"name":"{number}","start_time"'.encode(), answer.index(b'"spans":'))
        expected = f'"input":{VALUES[text]},"output":{VALUES[text]},"usage"'.encode()
        found = answer[answer.index(b'"input":', start) :]
        assert found.startswith(expected), (text[:50], found[:80])


def test_money_is_exact_and_without_an_exponent(server: Server) -> None:
    environment = new_id(4)
    amounts = {"0.000000000001": "0.000000000001", "1e-7": "0.0000001", "5000000000000000000": "5000000000000000000"}
    for sent, shown in amounts.items():
        trace_id = new_id(16)
        send(
            server,
            generation(
                trace_id,
                {"langfuse.observation.cost_details": f'{{"total": "{sent}"}}', "langfuse.environment": environment},
            ),
        )
        found = server.get(f"/api/v1/traces/{trace_id}")
        assert found["spans"][0]["cost"] == {"total": shown}
        assert found["trace"]["total_cost"] == shown
    (row,) = server.get("/api/v1/models", environment=environment)["data"]
    assert row["total_cost"] == "5000000000000000000.000000100001"
    assert row["cost_per_1000_calls"] == "1666666666666666666666.666700000333"


# Rules, tools and messages


def test_a_span_explains_the_values_it_has_and_the_lack_of_those_it_has_not(server: Server) -> None:
    trace_id = new_id(16)
    tokens = {"gen_ai.usage.input_tokens": 10, "gen_ai.usage.output_tokens": 1}
    chat = {"gen_ai.operation.name": "chat", "gen_ai.response.model": "gpt-4o"} | tokens
    agent = {"gen_ai.operation.name": "invoke_agent"} | tokens
    for name, attributes in (("chat", chat), ("agent", agent), ("plain", {})):
        send(server, span(trace_id, name=name, attributes=attributes))
    found = {one["name"]: one for one in server.trace(trace_id).values()}
    operation = {"dialect": "gen_ai", "source": "gen_ai.operation.name"}
    explained = found["chat"]["explain"]
    assert explained["type"] == operation
    assert explained["model"] == {"dialect": "gen_ai", "source": "gen_ai.response.model"}
    assert explained["usage"] == {"dialect": "gen_ai", "source": "gen_ai.usage.*"}
    assert explained["cost"].keys() == {"dialect", "source", "price"}
    assert explained["cost"]["dialect"] is None
    assert "gpt-4o" in explained["cost"]["price"]
    # The sender's own numbers are where the rule says.
    assert found["chat"]["attributes"]["gen_ai.usage.input_tokens"] == 10
    assert found["agent"]["usage"] is None
    assert found["agent"]["explain"] == {"type": operation, "model": None, "usage": operation, "cost": None}
    assert found["plain"]["explain"] == dict.fromkeys(("type", "model", "usage", "cost"))


#: A question with a picture, a call, its result.
CONVERSATION = [
    {
        "role": "user",
        "content": [
            {"type": "text", "text": "Where is it?"},
            {"type": "image_url", "image_url": {"url": "data:image/png;base64," + "A" * 400_000}},
        ],
    },
    {
        "role": "assistant",
        "content": None,
        "tool_calls": [{"id": "c1", "type": "function", "function": {"name": "look_up", "arguments": '{"id": 1}'}}],
    },
    {"role": "tool", "tool_call_id": "c1", "content": '{"at": "sea"}'},
]
CALL = {"type": "tool_call", "id": "c1", "name": "look_up", "arguments": {"id": 1}}


def test_messages_stand_beside_the_original_when_asked_for(server: Server) -> None:
    trace_id = new_id(16)
    tools = [{"type": "function", "function": {"name": name}} for name in ("look_up", "refund")]
    request_, answer = {"messages": CONVERSATION, "tools": tools}, CONVERSATION[1]
    told = {"langfuse.observation.input": orjson.dumps(request_), "langfuse.observation.output": orjson.dumps(answer)}
    send(server, generation(trace_id, {name: value.decode() for name, value in told.items()}))
    (plain,) = server.trace(trace_id).values()
    assert "input_messages" not in plain
    (whole,) = server.get(f"/api/v1/traces/{trace_id}", messages="1")["spans"]
    assert {**whole, "input_messages": 0, "output_messages": 0} == {**plain, "input_messages": 0, "output_messages": 0}
    assert whole["input"] == request_
    assert whole["input_messages"] == [
        {
            "role": "user",
            "name": None,
            "parts": [
                {"type": "text", "text": "Where is it?"},
                {"type": "image", "mime_type": "image/png", "size": 300_000},
            ],
        },
        {"role": "assistant", "name": None, "parts": [CALL]},
        {
            "role": "tool",
            "name": None,
            "parts": [{"type": "tool_result", "id": "c1", "name": "look_up", "result": {"at": "sea"}}],
        },
    ]
    assert whole["output_messages"] == [{"role": "assistant", "name": None, "parts": [CALL]}]
    msgspec.convert([*whole["input_messages"], *whole["output_messages"]], list[MessageShape])
    for path in ("/api/v1/spans", "/api/v1/generations"):
        (listed,) = server.get(path, trace_id=trace_id, messages="1")["data"]
        assert listed == whole


def test_tools_are_found_by_name(server: Server) -> None:
    environment, trace_id = new_id(4), new_id(16)
    definitions = '[{"type": "function", "name": "look_up"}, {"type": "function", "name": "refund"}]'
    called = '[{"role": "assistant", "parts": [{"type": "tool_call", "id": "c", "name": "refund", "arguments": {}}]}]'
    offer = {"gen_ai.operation.name": "chat", "gen_ai.tool.definitions": definitions}
    for name, attributes in (("offered", offer), ("called", offer | {"gen_ai.output.messages": called}), ("none", {})):
        send(server, span(trace_id, name=name, attributes=attributes | {"langfuse.environment": environment}))

    def found(**parameters: Any) -> set[str]:
        return {one["name"] for one in server.get("/api/v1/spans", environment=environment, **parameters)["data"]}

    assert found(tool="look_up") == found(tool=["refund", "x"]) == {"offered", "called"}
    assert found(tool_call="refund") == {"called"}
    assert found(tool_call="look_up") == found(tool="look") == set()
    (one,) = server.get("/api/v1/spans", environment=environment, tool_call="refund")["data"]
    assert (one["tools"], one["tool_calls"]) == (["look_up", "refund"], ["refund"])


def test_messages_of_what_strict_readers_refuse_are_its_text(server: Server) -> None:
    trace_id = new_id(16)
    texts = ("[" + "9" * 400 + "]", '{"a": "\\ud800"}', "[" * 300 + "]" * 300, '{"loss": NaN}')
    spans = [
        generation(trace_id, {"langfuse.observation.input": text}, start=START + n) for n, text in enumerate(texts)
    ]
    send(server, *spans)
    with server.client() as client:
        answer = orjson.loads(client.get(f"/api/v1/traces/{trace_id}?messages=1").content)
    parts = [one["input_messages"][0]["parts"] for one in answer["spans"]]
    assert [[part["type"] for part in one] for one in parts] == [["text"], ["text"], ["text"], ["json"]]
    assert [one[0]["text"] for one in parts[:3]] == list(texts[:3])
    assert parts[3] == [{"type": "json", "value": {"loss": None}}]


def test_an_unknown_trace_is_404_with_a_message(server: Server) -> None:
    with server.client() as client:
        for trace_id in ("f" * 32, "no-such-trace", "%00", "%ff", "'", "%F0%9F%A6%84"):
            answer = client.get(f"/api/v1/traces/{trace_id}")
            assert answer.status_code == 404
            assert answer.json().keys() == {"error", "message"}
    assert "no trace" in answer.json()["message"]


# Lists


@pytest.fixture(scope="module")
def shop(server: Server) -> str:
    """Return the environment that 60 spans of 20 traces are in, three of a trace at the same moment."""
    environment = new_id(4)
    for number in range(20):
        trace_id = f"{number:02x}" + new_id(15)
        start = START + number * SECOND
        session = {"langfuse.environment": environment, "session.id": f"s{number % 4}", "user.id": f"u{number % 5}"}
        send(
            server,
            span(trace_id, name="root", start=start, attributes=session | {"langfuse.trace.tags": [f"t{number % 3}"]}),
            generation(
                trace_id,
                session
                | {
                    "langfuse.observation.model.name": f"model-{number % 2}",
                    "input.value": "question " * 200,
                    "output.value": '{"answer": "' + "long " * 200 + '"}',
                    "custom": number,
                },
                name="ask",
                start=start,
                parent_span_id=b"p" * 8,
                status=Status(code=Status.STATUS_CODE_ERROR if number % 10 == 0 else Status.STATUS_CODE_OK),
            ),
            span(
                trace_id,
                name="look-up",
                start=start,
                parent_span_id=b"p" * 8,
                attributes=session | {"langfuse.observation.type": "tool"},
            ),
        )
    return environment


def pages(server: Server, path: str, **parameters: Any) -> Iterator[list[dict[str, Any]]]:
    cursor: str | None = ""
    while cursor is not None:
        page = server.get(path, cursor=cursor, **parameters)
        assert page.keys() == {"data", "next_cursor"}
        yield page["data"]
        cursor = page["next_cursor"]


@pytest.mark.parametrize("sort", ["-start_time", "start_time"])
@pytest.mark.parametrize("limit", [1, 7, 30, 59, 60, 61])
def test_pages_hold_every_span_once_in_order(server: Server, shop: str, sort: str, limit: int) -> None:
    listed = list(pages(server, "/api/v1/spans", environment=shop, sort=sort, limit=limit))
    assert [len(page) for page in listed[:-1]] == [limit] * (len(listed) - 1)
    rows = [(one["start_time"], one["trace_id"], one["span_id"]) for page in listed for one in page]
    assert len(set(rows)) == len(rows) == 60
    assert rows == sorted(rows, reverse=sort == "-start_time")


@pytest.mark.parametrize("limit", [1, 6, 20, 1000])
def test_pages_hold_every_trace_once_in_order(server: Server, shop: str, limit: int) -> None:
    listed = list(pages(server, "/api/v1/traces", environment=shop, limit=limit))
    assert [len(page) for page in listed[:-1]] == [limit] * (len(listed) - 1)
    rows = [one for page in listed for one in page]
    assert len({one["trace_id"] for one in rows}) == len(rows) == 20
    assert [one["start_time"] for one in rows] == sorted((one["start_time"] for one in rows), reverse=True)
    assert {one["span_count"] for one in rows} == {3}
    assert {one["generation_count"] for one in rows} == {1}
    assert {one["name"] for one in rows} == {"root"}
    assert sum(one["error_count"] for one in rows) == 2


def test_rows_that_come_while_a_reader_pages_do_not_disturb_it(server: Server) -> None:
    environment = new_id(4)
    mark = {"langfuse.environment": environment}
    send(server, *(span(new_id(16), start=START + number, attributes=mark) for number in range(10)))
    before = server.get("/api/v1/spans", environment=environment, limit=5)
    send(server, *(span(new_id(16), start=START + SECOND + number, attributes=mark) for number in range(10)))
    after = server.get("/api/v1/spans", environment=environment, limit=5, cursor=before["next_cursor"])
    assert len({one["span_id"] for one in before["data"] + after["data"]}) == 10
    assert after["next_cursor"] is None


def test_lists_show_previews_unless_asked_for_everything(server: Server, shop: str) -> None:
    (brief,) = server.get("/api/v1/generations", environment=shop, limit=1)["data"]
    (whole,) = server.get("/api/v1/generations", environment=shop, limit=1, full=1)["data"]
    assert whole["input"] == "question " * 200
    assert whole["output"] == {"answer": "long " * 200}
    assert whole["attributes"]["custom"] == 19
    for key, text in (("input", "question " * 200), ("output", '{"answer": "' + "long " * 200)):
        assert brief[key].startswith(text[:400])
        assert len(brief[key]) < len(text)
    assert brief["attributes"] == {}
    assert brief.keys() == whole.keys()
    same = SPAN_SHAPE.keys() - {"input", "output", "attributes", "events", "resource", "scope"}
    assert {key: brief[key] for key in same} == {key: whole[key] for key in same}


def test_a_time_range_includes_its_start_and_not_its_end(server: Server, shop: str) -> None:
    def count(**parameters: str) -> int:
        return len(server.get("/api/v1/traces", environment=shop, limit=1000, **parameters)["data"])

    # The traces begin at :05.678901234 and each second after it.
    assert count(**{"from": "2026-01-02T03:04:05.678901Z"}) == 20
    assert count(**{"from": "2026-01-02T03:04:05.678902Z"}) == 19
    assert count(to="2026-01-02T03:04:05.678901Z") == 0
    assert count(to="2026-01-02T03:04:05.678902Z") == 1
    assert count(**{"from": "2026-01-02T03:04:06Z", "to": "2026-01-02T03:04:10Z"}) == 4
    assert count(**{"from": "2026-01-02T04:04:06+01:00", "to": "2026-01-02T03:04:10"}) == 4
    assert count(**{"from": "2026-01-03"}) == 0
    assert count(**{"from": "10000d", "to": "1s"}) == 20
    assert count(**{"from": "", "to": ""}) == 20


def test_conditions_are_met_all_and_each_by_any_of_its_values(server: Server, shop: str) -> None:
    def count(path: str = "/api/v1/spans", **parameters: Any) -> int:
        return len(server.get(path, environment=shop, limit=1000, **parameters)["data"])

    assert count() == 60
    assert count(name="ask") == 20
    assert count(name=["ask", "root"]) == 40
    assert count(type="tool") == 20
    assert count(type=["tool", "generation"], level="ERROR") == 2
    assert count(model="model-1") == 10
    assert count(session_id="s1") == 15
    assert count(session_id="s1", user_id="u1") == 3
    assert count(session_id=["s1", "s2"], user_id=["u1", "u2"], name="root") == 4
    assert count(tag="t0") == 7
    assert count(tag=["t0", "t1"]) == 14
    assert count(tag="t") == 0
    assert count(scope="tests") == 60
    assert count(protocol="otlp") == 60
    assert count(parent_span_id=(b"p" * 8).hex()) == 40
    assert count(name="ask' OR 1 = 1 --") == 0
    assert count(name="") == 60
    assert count(nonsense="x") == 60
    assert count("/api/v1/generations") == 20
    assert count("/api/v1/generations", type="tool") == 0
    assert count("/api/v1/traces", model="model-0") == 10
    assert count("/api/v1/traces", level="ERROR") == 2
    one = server.get("/api/v1/spans", environment=shop, limit=1)["data"][0]
    assert count(trace_id=one["trace_id"]) == 3
    assert count(span_id=one["span_id"]) == 1


# Models


def test_the_figures_of_models_are_those_worked_out_by_hand(server: Server) -> None:
    environment = new_id(4)

    def call(milliseconds: int, model: str = "made-up-1", **attributes: Any) -> Span:
        named = {"langfuse.environment": environment, "langfuse.observation.model.name": model}
        status = Status(code=Status.STATUS_CODE_ERROR) if attributes.pop("failed", False) else None
        first = attributes.pop("first", None)
        if first:
            attributes["completion_start_time"] = f"2026-01-02T03:04:05.{first:03d}Z"
        details = {f"langfuse.observation.{key}": value for key, value in attributes.items()}
        start = START - START % SECOND  # 03:04:05 sharp
        return generation(
            new_id(16),
            {"gen_ai.provider.name": "acme"} | named | details,
            start=start,
            milliseconds=milliseconds,
            status=status,
        )

    send(
        server,
        call(100, usage_details='{"input": 10, "output": 5}', cost_details='{"total": 0.001}', first=20),
        call(200, usage_details='{"input": 20, "output": 10}', cost_details='{"total": 0.002}', first=40),
        call(300, usage_details='{"input": 30, "output": 20}', cost_details='{"total": 0.003}'),
        call(400, usage_details='{"input": 40, "output": 15}'),
        call(1000, failed=True),
        call(50, model="made-up-2"),
        # Neither a tool nor a bare span is a call of a model.
        span(new_id(16), attributes={"langfuse.environment": environment, "langfuse.observation.type": "tool"}),
        span(new_id(16), attributes={"langfuse.environment": environment}),
        call(1, model="made-up-3", type="embedding", usage_details='{"input": 7}'),
    )
    rows = {row["model"]: row for row in server.get("/api/v1/models", environment=environment)["data"]}
    assert next(iter(rows)) == "made-up-1"
    assert rows.keys() == {"made-up-1", "made-up-2", "made-up-3"}
    first = rows["made-up-1"]
    assert first["provider"] == "acme"
    assert (first["calls"], first["errors"], first["error_rate"]) == (5, 1, 0.2)
    assert first["usage"] == {"input": 100, "output": 50, "total": 150}
    assert first["total_cost"] == "0.006"
    assert first["unpriced_calls"] == 2
    assert first["cost_per_1000_calls"] == "2"
    assert first["latency_ms"] == {"p50": 300, "p95": 1000, "p99": 1000}
    assert first["time_to_first_token_ms"] == {"p50": 40, "p95": 40, "p99": 40}
    # 50 tokens in 100 + 200 + 300 + 400 ms.
    assert first["tokens_per_second"] == pytest.approx(50)
    second = rows["made-up-2"]
    assert (second["calls"], second["errors"], second["usage"], second["total_cost"]) == (1, 0, {}, None)
    assert (second["cost_per_1000_calls"], second["unpriced_calls"], second["tokens_per_second"]) == (None, 1, None)
    assert second["time_to_first_token_ms"] == {"p50": None, "p95": None, "p99": None}
    assert rows["made-up-3"]["usage"]["input"] == 7
    errors = server.get("/api/v1/models", environment=environment, level="ERROR")["data"]
    assert [(row["calls"], row["errors"]) for row in errors] == [(1, 1)]
    assert server.get("/api/v1/models", environment=environment, **{"from": "2026-01-03"})["data"] == []


# Bad questions, keys, and the rest


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ("limit=0", "limit"),
        ("limit=1001", "1000"),
        ("limit=many", "limit"),
        ("sort=nope", "start_time"),
        ("cursor=nonsense", "start again without it"),
        ("cursor=WzEsImEiLCJiIl0x", "start again without it"),
        ("cursor=%C3%A4", "start again without it"),
        ("from=yesterday", "15m, 24h or 7d"),
        ("to=2026-13-01", "ISO 8601"),
        ("from=99999999999999999w", "ISO 8601"),
        ("from=9999-12-31T23:59:59-12:00", "ISO 8601"),
        ("type=llm", "generation"),
        ("level=error", "ERROR"),
        ("cost_source=guess", "computed"),
        ("full=2", "full"),
        ("messages=yes", "messages"),
    ],
)
def test_a_bad_parameter_is_400_and_says_what_is_expected(server: Server, query: str, told: str) -> None:
    with server.client() as client:
        answer = client.get(f"/api/v1/spans?{query}")
    assert answer.status_code == 400
    assert answer.headers["content-type"] == "application/json"
    assert answer.json()["error"] == "Bad Request"
    assert told in answer.json()["message"]


READ = ("/api/v1/spans", "/api/v1/generations", "/api/v1/traces", "/api/v1/models", "/api/public/projects")


def test_without_a_key_nothing_is_read(server: Server) -> None:
    trace_id = new_id(16)
    send(server, span(trace_id))
    with httpx.Client(base_url=server.url, trust_env=False) as client:
        for path in (*READ, f"/api/v1/traces/{trace_id}"):
            for headers in ({}, {"authorization": "Bearer wrong"}):
                answer = client.get(path, headers=headers)
                assert answer.status_code == 401
                assert answer.headers["www-authenticate"].startswith("Basic ")
                assert answer.json().keys() == {"error", "message"}
    with server.client() as client:
        for path in READ:
            assert client.get(path, params={"project_id": "other"}).status_code == 403


def test_a_key_opens_one_project_only(server: Server) -> None:
    first, second = server.new_project(), server.new_project()
    trace_id, span_id = new_id(16), new_id(8)
    send(first, generation(trace_id, FULL_GENERATION, span_id=span_id))
    assert len(first.trace(trace_id)) == 1
    with second.client() as client:
        assert client.get(f"/api/v1/traces/{trace_id}").status_code == 404
    for path in READ[:-1]:
        assert len(first.get(path)["data"]) == 1
        assert second.get(path)["data"] == []
    assert second.get("/api/v1/spans", trace_id=trace_id)["data"] == []
    assert [project["id"] for project in first.get("/api/public/projects")["data"]] == [first.project]
    assert [project["id"] for project in second.get("/api/public/projects")["data"]] == [second.project]
    # The same ids in both are two spans.
    send(second, span(trace_id, span_id=span_id, name="of the second"))
    assert [one["name"] for one in second.trace(trace_id).values()] == ["of the second"]
    assert [one["name"] for one in first.trace(trace_id).values()] == ["work"]


def test_health_metrics_and_what_langfuse_clients_ask(server: Server) -> None:
    from genscope import __version__

    with httpx.Client(base_url=server.url, trust_env=False) as client:
        assert client.get("/health").json() == {"status": "ok", "version": __version__, "store": "chdb"}
        assert client.get("/api/public/health").json() == {"status": "OK", "version": __version__}
        send(server, span(new_id(16)))
        metrics = client.get("/metrics")
        assert metrics.headers["content-type"].startswith("text/plain")
        stored = re.search(r'^genscope_spans_total\{outcome="stored"\} ([0-9.e+]+)$', metrics.text, re.MULTILINE)
        assert stored is not None
        assert float(stored[1]) >= 1
    (project,) = server.get("/api/public/projects")["data"]
    assert project.keys() == {"id", "name", "organization", "metadata"}
    assert project["id"] == server.project
    assert project["organization"].keys() == {"id", "name"}


def test_a_trace_that_an_orphan_founded_is_not_counted_once_it_has_joined(server: Server) -> None:
    before = server.get("/api/public/traces", limit=1)["meta"]["totalItems"]
    orphan, trace_id = new_id(8), new_id(16)
    told: list[dict[str, str]] = [{"id": orphan}, {"id": orphan, "traceId": trace_id}]
    for body in told:
        event = {"id": "1", "type": "span-update", "timestamp": "2026-01-02T03:00:00Z", "body": body}
        with server.client() as client:
            assert client.post("/api/public/ingestion", json={"batch": [event]}).json()["errors"] == []
        assert server.get("/api/public/traces", limit=1)["meta"]["totalItems"] == before + 1
    assert server.trace(trace_id).keys() == {orphan}


def test_two_types_of_one_name_are_refused() -> None:
    openapi.documented(msgspec.defstruct("Twin", [("a", int)]))
    openapi.documented(msgspec.defstruct("Twin", [("a", int)]))
    with pytest.raises(TypeError, match="Twin"):
        openapi.documented(msgspec.defstruct("Twin", [("b", int)]))
    del openapi.DEFINITIONS["Twin"]


def test_the_openapi_document_is_valid_and_whole(server: Server) -> None:
    document = server.get("/api/v1/openapi.json")
    validate(document)
    references = re.findall(r'"\$ref":"#/components/schemas/([^"]+)"', orjson.dumps(document).decode())
    assert references
    assert set(references) == document["components"]["schemas"].keys()
    assert document["components"]["schemas"]["SpanShape"]["properties"].keys() >= SPAN_SHAPE.keys()
    for path in (*READ, "/api/v1/traces/{trace_id}", "/health", "/metrics", "/api/public/health"):
        assert "get" in document["paths"][path]
    for path in ("/v1/traces", "/api/public/otel/v1/traces", "/api/public/otel", "/otel/v1/traces", "/v1/otel"):
        assert "post" in document["paths"][path]
    assert document["components"]["securitySchemes"].keys() >= {"basic", "bearer"}


def test_ids_may_hold_anything(server: Server) -> None:
    trace, call = f"order/{secrets.token_hex(4)}?a=b#c%2F", "call/1 {x}"
    lines = [
        f"trace{{id={trace},action=create,data={json.dumps({'name': 'odd', 'startTimestamp': '2026-01-02T03:04:05Z'})}}}",
        f"trace{{id={trace},action=add-generation,data={json.dumps({'id': call, 'name': 'call', 'messages': []})}}}",
    ]
    with server.client() as client:
        answer = client.post("/api/sdk/v3/log", params={"id": "odd repository"}, content="\n".join(lines))
        assert answer.status_code == 200, answer.text
        found = client.get(f"/api/v1/traces/{quote(trace, safe='')}").json()
        assert [span["span_id"] for span in found["spans"]] == [f"{trace}:root", call]
        assert {span["repository"] for span in found["spans"]} == {"odd repository"}
        listed = client.get("/api/v1/spans", params={"repository": "odd repository"}).json()["data"]
        assert {span["span_id"] for span in listed} == {f"{trace}:root", call}
    with httpx.Client(base_url=server.url, follow_redirects=True, timeout=30) as page:
        page.post("/login", data={"public_key": server.public_key, "secret_key": server.secret_key})
        shown = page.get(f"/traces/{quote(trace, safe='')}")
        assert shown.status_code == 200
        assert "odd repository" in shown.text
        pane = page.get(f"/traces/{quote(trace, safe='')}/spans/{quote(call, safe='')}")
        assert pane.status_code == 200
        assert "call" in pane.text
