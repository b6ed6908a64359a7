"""A stored trace as the OTLP request that brings it to another server: what arrives there is what was here."""

from __future__ import annotations

import json
import os
import uuid
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest

from genscope import otlp_export
from genscope.conventions import to_span
from genscope.model import Event, Link, Span
from genscope.pricing import price
from genscope.receive import otlp
from tests.running import Server
from tests.spans import send, span
from tests.test_conventions_conformance import CASES

#: What says how a value came to be, or when, and so may be another one: the attribute that it travelled in.
ABOUT = ("attributes", "type_rule", "model_rule", "usage_rule", "cost_rule", "is_root", "time", "protocol", "orders")
#: Case number -> what differs: the tools of a span that is no call to a model stand in its input afterwards, where none are sought.
KNOWN = {"102": ["tools"]}


def received(request: dict[str, Any]) -> list[Span]:
    """Return the spans of an OTLP request as the server understands them."""
    decoded = otlp.decode(orjson.dumps(request), otlp.Format.JSON, 10_000)
    assert decoded.rejected == []
    spans = [to_span(raw, now=1_800_000_000_000_000_000) for raw in decoded.spans]
    for one in spans:
        price(one)
    return spans


def told(one: Span, *but: str) -> dict[str, Any]:
    return {name: getattr(one, name) for name in one.__slots__ if name not in (*ABOUT, *but)}


def sent(path: Path) -> dict[str, Any]:
    request = {"resourceSpans": json.loads(path.read_text())["resourceSpans"]}
    for one in (one for r in request["resourceSpans"] for s in r.get("scopeSpans", []) for one in s.get("spans", [])):
        one["traceId"], one["spanId"] = uuid.uuid4().hex, uuid.uuid4().hex[:16]
    return request


def test_spans_of_every_instrumentation_come_back_as_they_were() -> None:
    assert CASES or os.environ.get("CI") != "true"
    different = {}
    for path in CASES:
        first = {one.span_id: one for one in received(sent(path))}
        again = {one.span_id: one for one in received(otlp_export.request(first.values()))}
        assert first.keys() == again.keys()
        for span_id, one in first.items():
            before, after = told(one), told(again[span_id])
            found = [name for name in before if before[name] != after[name]]
            # Nothing that was sent is lost.
            lost = {name for name, value in one.attributes.items() if again[span_id].attributes.get(name) != value}
            if found or lost:
                different[path.stem.split("__")[1]] = [*found, *lost]
    assert different == (KNOWN if CASES else {})


def test_a_span_that_came_without_attributes_gets_those_of_the_conventions() -> None:
    told_here = Span(
        "a-trace/of its own",
        "gen:1",
        1_700_000_000_000_000_000,
        "trace:1",
        type="generation",
        name="draft",
        start_time=1_700_000_000_000_000_000,
        end_time=1_700_000_001_000_000_000,
        completion_start_time=1_700_000_000_250_000_000,
        level="ERROR",
        status_message="no answer",
        model="gpt-4o",
        provider="openai",
        model_parameters={"temperature": 0.5, "stop": ["x"]},
        input='[{"role":"user","content":"Hi"}]',
        output="Hello",
        usage={"input": 1000, "output": 50, "total": 1050, "input_cache_read": 800, "output_reasoning": 20},
        session_id="s",
        user_id="u",
        tags=["a", "b"],
        metadata={"plan": "pro", "n": 1, "deep": {"x": [1, None]}},
        trace_name="support",
        trace_metadata={"k": "v"},
        environment="staging",
        release="r1",
        version="v1",
        prompt_name="p",
        prompt_version="3",
        events=[Event("exception", 1_700_000_000_500_000_000, {"exception.message": "no"})],
        links=[Link("ab" * 16, "cd" * 8, {})],
        protocol="maxim",
    )
    price(told_here)
    request = otlp_export.request([told_here])
    attributes = {
        one["key"]: one["value"] for one in request["resourceSpans"][0]["scopeSpans"][0]["spans"][0]["attributes"]
    }
    assert attributes["gen_ai.operation.name"] == {"stringValue": "chat"}
    assert attributes["gen_ai.request.model"] == {"stringValue": "gpt-4o"}
    assert attributes["gen_ai.usage.input_tokens"] == {"intValue": "1000"}
    assert attributes["genscope.span_id"] == {"stringValue": "gen:1"}
    [again] = received(request)
    ids = ("trace_id", "span_id", "parent_span_id")
    assert told(again, *ids) == told(told_here, *ids)
    assert (len(again.trace_id), len(again.span_id), len(again.parent_span_id or "")) == (32, 16, 16)


def test_hostile_values_travel_whole() -> None:
    values: dict[str, Any] = {
        "n": 2**70,
        "f": 1.5,
        "none": None,
        "deep": [[[{"a": [True, "\x1b\u202e\x00"]}]]],
        "": "empty",
        "nan": "NaN",
    }
    one = Span("ab" * 16, "cd" * 8, 5, name="\x1b<script>", start_time=5, end_time=6, attributes=values, type="span")
    [again] = received(otlp_export.request([one]))
    assert (again.name, again.attributes) == (one.name, {**values, "n": str(2**70)})


def test_a_downloaded_trace_is_the_same_in_another_project(server: Server, project: Server) -> None:
    trace_id, root = uuid.uuid4().hex, uuid.uuid4().hex[:16]
    send(
        server,
        span(trace_id, root, name="answer", seconds=3, langfuse__observation__type="agent", user__id="alice"),
        span(
            trace_id,
            uuid.uuid4().hex[:16],
            root,
            "draft",
            langfuse__observation__type="generation",
            gen_ai__request__model="gpt-4o",
            gen_ai__input__messages=[{"role": "user", "parts": [{"type": "text", "content": "Grüße"}]}],
            gen_ai__usage__input_tokens=1000,
            gen_ai__usage__output_tokens=50,
            langfuse__observation__metadata__plan="pro",
            status={"code": 2, "message": "no answer"},
        ),
    )
    with server.client() as client:
        answer = client.get(f"/api/v1/traces/{trace_id}/otlp")
        assert answer.headers["content-disposition"] == f'attachment; filename="{trace_id}.otlp.json"'
        unknown = client.get("/api/v1/traces/none/otlp")
        assert (unknown.status_code, "none" in unknown.json()["message"]) == (404, True)
        assert httpx.get(f"{server.url}/api/v1/traces/{trace_id}/otlp", trust_env=False).status_code == 401
    assert project.send(answer.json()).json() == {}
    here, there = (one.get(f"/api/v1/traces/{trace_id}") for one in (server, project))
    assert there["trace"] == here["trace"]
    for before, after in zip(here["spans"], there["spans"], strict=True):
        for about in (before, after):
            about.pop("attributes")
            about.pop("explain", None)
        assert after == before


@pytest.mark.parametrize("trace_id", ["conversation/7 of\u202e", "x.json"])
def test_a_trace_of_an_id_of_its_senders_can_be_taken_along(server: Server, trace_id: str) -> None:
    body = {"id": trace_id + uuid.uuid4().hex[:6], "name": "chat", "input": "Hi", "timestamp": "2026-11-21T15:06:44Z"}
    event = {"id": str(uuid.uuid4()), "type": "trace-create", "timestamp": "2026-11-21T15:06:44Z", "body": body}
    with server.client() as client:
        assert client.post("/api/public/ingestion", json={"batch": [event]}).status_code == 207
        [one] = client.get(f"/api/v1/traces/{body['id']}/otlp").json()["resourceSpans"][0]["scopeSpans"][0]["spans"]
    names = {pair["key"]: pair["value"] for pair in one["attributes"]}
    assert names["genscope.trace_id"] == {"stringValue": body["id"]}
    assert len(one["traceId"]) == 32
