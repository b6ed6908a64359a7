"""Langfuse's read routes: the read methods of five real clients against a varied project, compared with the native API."""

from __future__ import annotations

import base64
import json
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from genscope.api.langfuse import observations, scores, traces
from genscope.api.langfuse.parameters import OPERATORS, Asked
from genscope.store.metrics import AGGREGATIONS, GRANULARITIES, VIEWS
from tests.running import Server
from tests.sending import PROTOBUF, encoded, request, span
from tests.test_api_fuzz import GENTLY
from tests.test_clients import Client, langfuse_variables

SECOND = 10**9
MINUTE = 60 * SECOND
#: 2026-01-02T03:04:05Z
START = 1_767_323_045 * SECOND
TRACES = 130
RANGE = {"from_timestamp": "2026-01-02T03:14:05+00:00", "to_timestamp": "2026-01-02T04:04:05+00:00"}
START_RANGE = {"from_start_time": RANGE["from_timestamp"], "to_start_time": RANGE["to_timestamp"]}
EVER = {"fromTimestamp": "2020-01-01T00:00:00Z", "toTimestamp": "2030-01-01T00:00:00Z"}
Call = tuple[str, list[Any], dict[str, Any]]


@dataclass(frozen=True)
class Reading:
    """A client, and what its read methods are called."""

    client: Client
    methods: dict[str, str]

    def ask(self, server: Server, *calls: Call) -> list[Any]:
        """Make these calls, named as in `methods`, in one process of the client; none of them fails."""
        answers = self.try_to_ask(server, *calls)
        for call, answer in zip(calls, answers, strict=True):
            assert not (isinstance(answer, dict) and "error" in answer), (call, answer)
        return answers

    def try_to_ask(self, server: Server, *calls: Call, follow: bool = False) -> list[Any]:
        named = [[self.methods.get(name, name), given, keywords, follow] for name, given, keywords in calls]
        answers: list[Any] = self.client.run(langfuse_variables(server), json.dumps(named))["answers"]
        return answers

    def follow(self, server: Server, name: str, **keywords: Any) -> list[dict[str, Any]]:
        """Fetch all pages of a list, and check what they say of it."""
        (pages,) = self.try_to_ask(server, (name, [], keywords), follow=True)
        assert isinstance(pages, list), pages
        rows = [row for page in pages for row in page["data"]]
        for page in pages:
            assert page["meta"].get("totalItems", len(rows)) == len(rows)
            assert len(page["data"]) <= keywords["limit"]
        return rows


PROGRAM = "python/langfuse_read.py"
PYTHON_2 = Reading(
    Client("langfuse-2.60.10", PROGRAM),
    {
        "traces": "client.trace.list",
        "trace": "client.trace.get",
        "observations": "client.observations.get_many",
        "observation": "client.observations.get",
        "sessions": "client.sessions.list",
        "session": "client.sessions.get",
        "scores": "client.score.get",
        "score": "client.score.get_by_id",
    },
)
PYTHON_3 = Reading(
    Client("langfuse-3.15.0", PROGRAM),
    {
        "traces": "api.trace.list",
        "trace": "api.trace.get",
        "observations": "api.observations.get_many",
        "observation": "api.observations.get",
        "observations_v2": "api.observations_v_2.get_many",
        "sessions": "api.sessions.list",
        "session": "api.sessions.get",
        "scores": "api.score_v_2.get",
        "score": "api.score_v_2.get_by_id",
        "metrics_v1": "api.metrics.metrics",
        "metrics_v2": "api.metrics_v_2.metrics",
    },
)
PYTHON_4 = Reading(
    Client("langfuse-4.18.0", PROGRAM),
    {
        "traces": "api.trace.list",
        "trace": "api.trace.get",
        "observations": "api.legacy.observations_v1.get_many",
        "observation": "api.legacy.observations_v1.get",
        "observations_v2": "api.observations.get_many",
        "sessions": "api.sessions.list",
        "session": "api.sessions.get",
        "scores": "api.scores.get_many",
        "score": "api.scores.get_by_id",
        "scores_v3": "api.scores_v3.get_many_v3",
        "metrics_v1": "api.legacy.metrics_v1.metrics",
        "metrics_v2": "api.metrics.metrics",
    },
)
PYTHON_5 = Reading(
    Client("langfuse-5.0.4", PROGRAM),
    {
        "observations_v2": "api.observations.get_many",
        "scores_v3": "api.scores.get_many",
        "metrics_v2": "api.metrics.metrics",
    },
)
TYPESCRIPT = Reading(
    Client("node", "node/langfuse_read.mjs"),
    {
        "traces": "api.trace.list",
        "trace": "api.trace.get",
        "observations": "api.legacy.observationsV1.getMany",
        "observation": "api.legacy.observationsV1.get",
        "observations_v2": "api.observations.getMany",
        "sessions": "api.sessions.list",
        "session": "api.sessions.get",
        "scores": "api.scores.getMany",
        "score": "api.scores.getById",
        "scores_v3": "api.scoresV3.getManyV3",
        "metrics_v1": "api.legacy.metricsV1.metrics",
        "metrics_v2": "api.metrics.metrics",
    },
)
CLIENTS = [PYTHON_2, PYTHON_3, PYTHON_4, PYTHON_5, TYPESCRIPT]


def having(method: str) -> pytest.MarkDecorator:
    """The clients that have a method."""
    chosen = [client for client in CLIENTS if method in client.methods]
    return pytest.mark.parametrize("reading", chosen, ids=[client.client.environment for client in chosen])


def filtering(method: str) -> pytest.MarkDecorator:
    """The clients that have a method and take filters as JSON."""
    chosen = [client for client in CLIENTS[2:] if method in client.methods]
    return pytest.mark.parametrize("reading", chosen, ids=[client.client.environment for client in chosen])


def trace_of(number: int) -> list[Any]:
    trace_id, root_id = f"{number + 1:032x}", f"{number + 1:016x}"
    start = START + number * MINUTE
    told: dict[str, Any] = {
        "langfuse.trace.name": f"answer-{number % 5}",
        "user.id": f"user-{number % 3}",
        "langfuse.trace.tags": ["all", "even" if number % 2 == 0 else "odd"],
        "langfuse.version": f"v{number % 2}",
        "langfuse.trace.metadata.number": str(number),
        "langfuse.observation.input": f'{{"question": {number}}}',
        "langfuse.observation.output": f"answer {number}",
    }
    if number % 4 == 0:
        told["langfuse.environment"] = "production"
        told["langfuse.release"] = "2026.1"
    if number % 10 < 6:
        told["session.id"] = f"session-{number % 10}"
    generation: dict[str, Any] = {
        "langfuse.observation.type": "generation",
        "langfuse.observation.model.name": "gpt-4o" if number % 3 else "gpt-4o-mini",
        "langfuse.observation.model.parameters": '{"temperature": 0.5}',
        "langfuse.observation.usage_details": json.dumps(
            {"input": 100 + number, "input_cached_tokens": 50, "output": 20}
        ),
        "langfuse.observation.input": '[{"role": "user", "content": "Where is it?"}]',
        "langfuse.observation.output": "On its way.",
        "langfuse.observation.metadata.channel": "mail" if number % 2 else "chat",
        "langfuse.observation.metadata.attempt": number,
        "langfuse.observation.level": "WARNING" if number % 7 == 0 else "DEFAULT",
        "langfuse.observation.prompt.name": "reply",
        "langfuse.observation.prompt.version": 3,
    }
    root = span(trace_id, span_id=root_id, name=f"root-{number % 4}", start=start, milliseconds=900, attributes=told)
    child = span(
        trace_id,
        span_id=f"{number + 1000:016x}",
        name="draft-reply",
        start=start + 100 * 10**6,
        milliseconds=500 + number,
        attributes=generation,
        parent_span_id=bytes.fromhex(root_id),
    )
    return [root, child]


OLD_TRACE = "11111111-2222-3333-4444-555555555555"
EVENTS = [
    ("trace-create", {"id": OLD_TRACE, "name": "old", "userId": "user-old", "input": {"q": 1}, "public": True}),
    ("span-create", {"id": "old-span", "traceId": OLD_TRACE, "name": "old-step", "startTime": "2026-01-02T03:00:01Z"}),
    ("span-update", {"id": "old-span", "traceId": OLD_TRACE, "endTime": "2026-01-02T03:00:03Z"}),
]
SCORES: list[dict[str, Any]] = [
    {
        "id": "stars",
        "traceId": f"{1:032x}",
        "name": "stars",
        "value": 4.5,
        "comment": "of five",
        "metadata": {"by": "a"},
    },
    {"id": "good", "traceId": f"{2:032x}", "name": "good", "value": 1, "dataType": "BOOLEAN"},
    {"id": "tone", "traceId": f"{1:032x}", "observationId": f"{1000:016x}", "name": "tone", "value": "friendly"},
    {"id": "note", "traceId": f"{3:032x}", "name": "note", "value": "Very well said", "dataType": "TEXT"},
    {"id": "said/better", "traceId": f"{7:032x}", "name": "better", "value": "Paid", "dataType": "CORRECTION"},
    {"id": "solved", "sessionId": "session-1", "name": "solved", "value": 1, "environment": "production"},
]


@pytest.fixture(scope="module")
def server(server: Server) -> Server:
    """A varied project, and another one beside it."""
    running = server.new_project()
    for project, count in ((running, TRACES), (running.new_project(), 5)):
        with project.client() as client:
            spans = [one for number in range(count) for one in trace_of(number)]
            body = encoded(request(spans))
            client.post("/v1/traces", content=body, headers={"content-type": PROTOBUF}).raise_for_status()
            batch = [
                {"id": f"event-{index}", "type": type_, "timestamp": "2026-01-02T03:00:00Z", "body": body}
                for index, (type_, body) in enumerate(EVENTS)
            ]
            told = client.post("/api/public/ingestion", json={"batch": batch})
            assert told.json()["errors"] == []
            for score in SCORES:
                client.post("/api/public/scores", json=score).raise_for_status()
    return running


def native(server: Server, path: str, **parameters: str) -> list[dict[str, Any]]:
    """All rows of a native list."""
    rows: list[dict[str, Any]] = []
    cursor = ""
    while cursor is not None:
        page = server.get(f"/api/v1/{path}", limit=100, cursor=cursor, **parameters)
        rows, cursor = rows + page["data"], page["next_cursor"]
    return rows


def observed(server: Server) -> list[dict[str, Any]]:
    """All spans that are observations in Langfuse."""
    return [one for one in native(server, "spans", full="1") if not one["span_id"].endswith(":root")]


def micros(text: str) -> str:
    """A time as the native API writes it, whatever digits a client keeps."""
    return text.replace("+00:00", "Z").split(".")[0].rstrip("Z")


def ids(rows: list[dict[str, Any]]) -> list[str]:
    return [row["id"] for row in rows]


def in_range(time: str) -> bool:
    return "2026-01-02T03:14:05" <= time[:19] < "2026-01-02T04:04:05"


@having("traces")
def test_traces_are_listed_to_the_end(server: Server, reading: Reading) -> None:
    expected = native(server, "traces")
    listed = reading.follow(server, "traces", limit=50)

    assert ids(listed) == [trace["trace_id"] for trace in expected]
    spans = defaultdict(list)
    for one in reversed(observed(server)):
        spans[one["trace_id"]].append(one["span_id"])
    for one, trace in zip(listed, expected, strict=True):
        assert one["name"] == trace["name"]
        assert micros(one["timestamp"]) == micros(trace["start_time"])
        assert one.get("userId") == trace["user_id"]
        assert one.get("sessionId") == trace["session_id"]
        assert sorted(one["tags"]) == trace["tags"]
        assert one["environment"] == (trace["environment"] or "default")
        assert one["latency"] == pytest.approx((trace["duration_ms"] or 0) / 1000)
        assert Decimal(str(one.get("totalCost") or 0)) == Decimal(trace["total_cost"] or 0)
        assert sorted(one["observations"]) == sorted(spans[one["id"]])
        assert one["htmlPath"] == f"/project/{server.project}/traces/{one['id']}"
    assert {one["id"]: one["public"] for one in listed}[OLD_TRACE] is True
    said = {one["id"]: sorted(one["scores"]) for one in listed if one["scores"]}
    assert said == {
        f"{1:032x}": ["stars", "tone"],
        f"{2:032x}": ["good"],
        f"{3:032x}": ["note"],
        f"{7:032x}": ["said/better"],
    }


TRACE_FILTERS: list[tuple[dict[str, Any], Callable[[dict[str, Any]], bool]]] = [
    ({"user_id": "user-1"}, lambda trace: trace["user_id"] == "user-1"),
    ({"name": "answer-2"}, lambda trace: trace["name"] == "answer-2"),
    ({"session_id": "session-3"}, lambda trace: trace["session_id"] == "session-3"),
    ({"tags": ["all", "odd"]}, lambda trace: "odd" in trace["tags"]),
    ({"version": "v1"}, lambda trace: trace["version"] == "v1"),
    ({"release": "2026.1"}, lambda trace: trace["release"] == "2026.1"),
    ({"environment": "production"}, lambda trace: trace["environment"] == "production"),
    ({"environment": ["default", "production"]}, lambda trace: True),
    (RANGE, lambda trace: in_range(trace["start_time"])),
    ({"user_id": "nobody"}, lambda trace: False),
    (
        {"user_id": "user-1", "tags": "even", "version": "v0", **RANGE},
        lambda trace: trace["user_id"] == "user-1" and "even" in trace["tags"] and in_range(trace["start_time"]),
    ),
]


@having("traces")
def test_traces_are_filtered(server: Server, reading: Reading) -> None:
    expected = native(server, "traces")
    # Some clients know no filter by version and release.
    filters = [case for case in TRACE_FILTERS if reading is not PYTHON_2 or not {"version", "release"} & {*case[0]}]
    answers = reading.ask(server, *(("traces", [], {"limit": 100, **asked}) for asked, _ in filters))
    for (asked, meets), answer in zip(filters, answers, strict=True):
        wanted = [trace["trace_id"] for trace in expected if meets(trace)]
        assert ids(answer["data"]) == wanted[:100], asked
        assert answer["meta"]["totalItems"] == len(wanted), asked


@having("traces")
def test_traces_are_ordered(server: Server, reading: Reading) -> None:
    expected = native(server, "traces")
    oldest, by_name = reading.ask(
        server,
        ("traces", [], {"limit": 100, "order_by": "timestamp.asc"}),
        ("traces", [], {"limit": 100, "order_by": "name.desc"}),
    )
    assert ids(oldest["data"]) == [trace["trace_id"] for trace in reversed(expected)][:100]
    assert [one["name"] for one in by_name["data"]] == sorted((trace["name"] for trace in expected), reverse=True)[:100]


def as_filter(column: str, type_: str, operator: str, value: Any = None, key: str | None = None) -> str:
    one = {"column": column, "type": type_, "operator": operator, "value": value, "key": key}
    return json.dumps([{name: item for name, item in one.items() if item is not None}])


TRACE_JSON: list[tuple[str, Callable[[dict[str, Any]], bool]]] = [
    (as_filter("name", "string", "starts with", "answer-1"), lambda trace: trace["name"] == "answer-1"),
    (
        as_filter("name", "stringOptions", "none of", ["answer-1", "old"]),
        lambda t: t["name"] not in ("answer-1", "old"),
    ),
    (as_filter("userId", "string", "contains", "r-2"), lambda trace: trace["user_id"] == "user-2"),
    (as_filter("sessionId", "null", "is null"), lambda trace: trace["session_id"] is None),
    (as_filter("tags", "arrayOptions", "all of", ["all", "even"]), lambda trace: "even" in trace["tags"]),
    (as_filter("tags", "arrayOptions", "none of", ["even"]), lambda trace: "even" not in trace["tags"]),
    (
        as_filter("timestamp", "datetime", ">=", RANGE["from_timestamp"]),
        lambda t: t["start_time"][:19] >= "2026-01-02T03:14:05",
    ),
    (as_filter("metadata", "stringObject", "=", "17", "number"), lambda t: str(t["metadata"].get("number")) == "17"),
    (as_filter("metadata", "numberObject", ">", 100, "number"), lambda t: int(t["metadata"].get("number", 0)) > 100),
    (
        as_filter("latency", "number", ">", 0.9),
        lambda trace: trace["duration_ms"] is not None and trace["duration_ms"] > 900,
    ),
    (as_filter("totalTokens", "number", ">=", 250), lambda trace: (trace["total_tokens"] or 0) >= 250),
    (as_filter("environment", "string", "=", "default"), lambda trace: trace["environment"] is None),
]


@filtering("traces")
def test_traces_are_filtered_by_json(server: Server, reading: Reading) -> None:
    expected = native(server, "traces")
    answers = reading.ask(server, *(("traces", [], {"limit": 100, "filter": text}) for text, _ in TRACE_JSON))
    for (text, meets), answer in zip(TRACE_JSON, answers, strict=True):
        wanted = [trace["trace_id"] for trace in expected if meets(trace)]
        assert ids(answer["data"]) == wanted[:100], text
        assert answer["meta"]["totalItems"] == len(wanted), text


def check_observation(one: dict[str, Any], seen: dict[str, Any]) -> None:
    """Compare an observation of version 1 with the span of the native API."""
    assert (one["id"], one["traceId"], one["name"]) == (seen["span_id"], seen["trace_id"], seen["name"])
    assert one["type"] == seen["type"].upper()
    parent = seen["parent_span_id"]
    assert one.get("parentObservationId") == (None if parent and parent.endswith(":root") else parent)
    assert micros(one["startTime"]) == micros(seen["start_time"])
    assert one["latency"] == pytest.approx(seen["duration_ms"] / 1000)
    assert one.get("input") == seen["input"]
    assert one.get("output") == seen["output"]
    assert one["metadata"] == seen["metadata"]
    assert one["level"] == (seen["level"] or "DEFAULT")
    assert one.get("model") == seen["model"]
    usage = seen["usage"] or {}
    assert one["usage"]["input"] == usage.get("input", 0)
    assert one["usage"]["output"] == usage.get("output", 0)
    assert one["usage"]["total"] == usage.get("total", 0)
    kinds = {kind: count for kind, count in one["usageDetails"].items() if kind != "total"}
    assert sum(kinds.values()) == usage.get("total", 0)
    cost = seen["cost"] or {}
    assert one.get("calculatedTotalCost") == (float(cost["total"]) if cost else None)
    parts = [amount for kind, amount in one["costDetails"].items() if kind != "total"]
    assert sum(parts) == pytest.approx(float(cost.get("total", 0)))


@having("trace")
def test_a_trace_is_read_whole(server: Server, reading: Reading) -> None:
    first, old, unknown = reading.try_to_ask(
        server, ("trace", [f"{1:032x}"], {}), ("trace", [OLD_TRACE], {}), ("trace", ["nobody"], {})
    )
    seen = server.get(f"/api/v1/traces/{1:032x}")
    assert first["input"] == {"question": 0}
    assert first["output"] == "answer 0"
    assert {str(value) for value in first["metadata"].values()} == {"0"}
    assert Decimal(str(first["totalCost"])) == Decimal(seen["trace"]["total_cost"])
    for one, span_ in zip(first["observations"], seen["spans"], strict=True):
        check_observation(one, span_)
    scores = {score["id"]: score for score in first["scores"]}
    assert scores["stars"]["value"] == 4.5
    assert scores["stars"]["comment"] == "of five"
    assert (scores["tone"]["stringValue"], scores["tone"]["observationId"]) == ("friendly", f"{1000:016x}")

    (step,) = old["observations"]
    assert (step["id"], step.get("parentObservationId")) == ("old-span", None)
    assert old["input"] == {"q": 1}
    assert old["public"] is True
    assert unknown["status"] in (404, None)
    assert "not found" in unknown["message"].lower()


@having("trace")
def test_a_text_said_of_a_trace_is_readable(server: Server, reading: Reading) -> None:
    said, corrected = reading.ask(server, ("trace", [f"{3:032x}"], {}), ("trace", [f"{7:032x}"], {}))
    (note,), (better,) = said["scores"], corrected["scores"]
    assert (note["stringValue"], better["stringValue"]) == ("Very well said", "Paid")
    old = reading is PYTHON_2
    assert [note["dataType"], better["dataType"]] == ["CATEGORICAL" if old else "TEXT"] * 2


@having("observations")
def test_observations_are_listed_to_the_end(server: Server, reading: Reading) -> None:
    expected = observed(server)
    listed = reading.follow(server, "observations", limit=100)
    for one, seen in zip(listed, expected, strict=True):
        check_observation(one, seen)


OBSERVATION_FILTERS: list[tuple[dict[str, Any], Callable[[dict[str, Any]], bool]]] = [
    ({"name": "draft-reply"}, lambda one: one["name"] == "draft-reply"),
    ({"type": "GENERATION"}, lambda one: one["type"] == "generation"),
    ({"user_id": "user-2"}, lambda one: int(one["trace_id"], 16) % 3 == 0 if "-" not in one["trace_id"] else False),
    ({"trace_id": OLD_TRACE}, lambda one: one["trace_id"] == OLD_TRACE),
    ({"parent_observation_id": f"{5:016x}"}, lambda one: one["parent_span_id"] == f"{5:016x}"),
    ({"environment": "production"}, lambda one: one["environment"] == "production"),
    (START_RANGE, lambda one: in_range(one["start_time"])),
]


@having("observations")
def test_observations_are_filtered(server: Server, reading: Reading) -> None:
    expected = observed(server)
    answers = reading.ask(server, *(("observations", [], {"limit": 100, **asked}) for asked, _ in OBSERVATION_FILTERS))
    for (asked, meets), answer in zip(OBSERVATION_FILTERS, answers, strict=True):
        wanted = [one["span_id"] for one in expected if meets(one)]
        assert ids(answer["data"]) == wanted[:100], asked
        assert answer["meta"]["totalItems"] == len(wanted), asked


@having("observation")
def test_an_observation_is_read_by_its_id(server: Server, reading: Reading) -> None:
    found, unknown, trace = reading.try_to_ask(
        server,
        ("observation", [f"{1001:016x}"], {}),
        ("observation", ["nobody"], {}),
        ("observation", [f"{OLD_TRACE}:root"], {}),
    )
    check_observation(found, next(one for one in observed(server) if one["span_id"] == f"{1001:016x}"))
    for missing in (unknown, trace):
        assert "not found" in missing["message"].lower()


ALL_FIELDS = "core,basic,time,io,metadata,model,usage,prompt,metrics,trace_context"


@having("observations_v2")
def test_observations_are_followed_by_cursor(server: Server, reading: Reading) -> None:
    expected = observed(server)
    traces = {trace["trace_id"]: trace for trace in native(server, "traces")}
    listed = reading.follow(server, "observations_v2", limit=100, fields=ALL_FIELDS)
    assert ids(listed) == [one["span_id"] for one in expected]
    for one, seen in zip(listed, expected, strict=True):
        trace = traces[one["traceId"]]
        raw = json.dumps(seen["input"]) if isinstance(seen["input"], dict | list) else seen["input"]
        given = one.get("input")
        assert given == raw or orjson.loads(str(given)) == seen["input"]
        assert one.get("model") == seen["model"]
        assert one.get("totalCost") == (float(seen["cost"]["total"]) if seen["cost"] else None)
        assert one.get("traceName") == trace["name"]
        assert one.get("userId") == trace["user_id"]
        assert one.get("sessionId") == trace["session_id"]
        assert one["tags"] == trace["tags"]
        assert one["latency"] == pytest.approx(seen["duration_ms"] / 1000)
        assert one.get("promptVersion") == (3 if seen["type"] == "generation" else None)


OBSERVATION_JSON: list[tuple[str, Callable[[dict[str, Any]], bool]]] = [
    (as_filter("type", "stringOptions", "any of", ["GENERATION"]), lambda one: one["type"] == "generation"),
    (as_filter("level", "string", "=", "WARNING"), lambda one: one["level"] == "WARNING"),
    (
        as_filter("metadata", "stringObject", "=", "mail", "channel"),
        lambda one: one["metadata"].get("channel") == "mail",
    ),
    (
        as_filter("metadata", "stringObject", "is not set", None, "channel"),
        lambda one: "channel" not in one["metadata"],
    ),
    (as_filter("metadata", "numberObject", "<", 5, "attempt"), lambda one: one["metadata"].get("attempt", 99) < 5),
    (as_filter("isRootObservation", "boolean", "=", True), lambda one: one["name"] != "draft-reply"),
    (as_filter("parentObservationId", "null", "is not null"), lambda one: one["name"] == "draft-reply"),
    (as_filter("latency", "number", ">", 0.6), lambda one: one["duration_ms"] > 600),
    (as_filter("inputTokens", "number", ">=", 200), lambda one: (one["usage"] or {}).get("input", 0) >= 200),
    (as_filter("model", "string", "ends with", "mini"), lambda one: one["model"] == "gpt-4o-mini"),
    (as_filter("providedModelName", "string", "=", "gpt-4o"), lambda one: one["model"] == "gpt-4o"),
    (as_filter("promptVersion", "number", "=", 3), lambda one: one["type"] == "generation"),
    (as_filter("input", "string", "contains", "Where is it"), lambda one: one["type"] == "generation"),
    (as_filter("traceName", "string", "=", "old"), lambda one: one["trace_id"] == OLD_TRACE),
]


@filtering("observations_v2")
def test_observations_are_filtered_by_json(server: Server, reading: Reading) -> None:
    expected = observed(server)
    calls: list[Call] = [("observations_v2", [], {"limit": 1000, "filter": text}) for text, _ in OBSERVATION_JSON]
    for (text, meets), answer in zip(OBSERVATION_JSON, reading.ask(server, *calls), strict=True):
        assert ids(answer["data"]) == [one["span_id"] for one in expected if meets(one)], text


@having("sessions")
def test_sessions_are_listed_and_read(server: Server, reading: Reading) -> None:
    expected = native(server, "sessions")
    assert len(expected) == 6
    assert ids(reading.follow(server, "sessions", limit=4)) == [one["id"] for one in expected]
    session, none = reading.ask(
        server, ("session", ["session-1"], {}), ("sessions", [], {"from_timestamp": "2027-01-01T00:00:00+00:00"})
    )
    assert none["meta"]["totalItems"] == 0
    traces = [trace["trace_id"] for trace in native(server, "traces") if trace["session_id"] == "session-1"]
    assert ids(session["traces"]) == traces[::-1]
    assert session["projectId"] == server.project


@having("scores")
def test_scores_are_listed_and_read(server: Server, reading: Reading) -> None:
    said = {score["id"]: score for score in SCORES}
    if reading is PYTHON_2:  # which knows no scores of sessions
        del said["solved"]
    listed = {score["id"]: score for score in reading.follow(server, "scores", limit=3)}
    assert listed.keys() == said.keys()
    assert listed["stars"]["value"] == 4.5
    assert listed["good"]["stringValue"] == "True"
    assert listed["tone"]["stringValue"] == "friendly"
    assert listed["said/better"]["stringValue"] == "Paid"
    assert listed["tone"]["observationId"] == f"{1000:016x}"
    assert listed["stars"]["trace"]["userId"] == "user-0"
    assert sorted(listed["stars"]["trace"]["tags"]) == ["all", "even"]
    cases: list[tuple[dict[str, Any], set[str]]] = [
        ({"name": "stars"}, {"stars"}),
        ({"user_id": "user-1"}, {"good"}),
        ({"data_type": "BOOLEAN"}, {"good"}),
        ({"score_ids": "stars,good"}, {"stars", "good"}),
        ({"operator": ">", "value": 2}, {"stars"}),
        ({"trace_tags": ["all", "odd"]}, {"good"}),
        ({"source": "EVAL"}, set()),
        ({"queue_id": "none"}, set()),
        ({"to_timestamp": "2020-01-01T00:00:00+00:00"}, set()),
    ]
    answers = reading.ask(server, *(("scores", [], asked) for asked, _ in cases), ("score", ["stars"], {}))
    for (asked, wanted), answer in zip(cases, answers, strict=False):
        assert {*ids(answer["data"])} == wanted, asked
    assert answers[-1]["comment"] == "of five"
    assert answers[-1]["metadata"] == {"by": "a"}


@having("scores_v3")
def test_scores_are_followed_by_cursor(server: Server, reading: Reading) -> None:
    listed = {score["id"]: score for score in reading.follow(server, "scores_v3", limit=2, fields="details,subject")}
    values = {"stars": 4.5, "good": True, "tone": "friendly", "note": "Very well said", "solved": 1}
    values["said/better"] = "Paid"
    assert {name: score["value"] for name, score in listed.items()} == values
    assert listed["solved"]["subject"] == {"kind": "session", "id": "session-1"}
    assert listed["tone"]["subject"] == {"kind": "observation", "id": f"{1000:016x}", "traceId": f"{1:032x}"}
    assert listed["stars"]["subject"] == {"kind": "trace", "id": f"{1:032x}"}
    assert listed["stars"]["comment"] == "of five"
    cases: list[tuple[dict[str, Any], set[str]]] = [
        ({"name": "stars,good"}, {"stars", "good"}),
        ({"data_type": "numeric", "value_min": 2}, {"stars"}),
        ({"data_type": "BOOLEAN", "value": "true"}, {"good"}),
        ({"session_id": "session-1"}, {"solved"}),
        ({"trace_id": f"{1:032x}"}, {"stars", "tone"}),
        ({"trace_id": f"{1:032x}", "observation_id": f"{1000:016x}"}, {"tone"}),
        ({"environment": "production"}, {"solved"}),
    ]
    answers = reading.ask(server, *(("scores_v3", [], asked) for asked, _ in cases))
    for (asked, wanted), answer in zip(cases, answers, strict=True):
        assert {*ids(answer["data"])} == wanted, asked
    (refused,) = reading.try_to_ask(server, ("scores_v3", [], {"value": "1"}))
    assert refused["status"] == 400


def query(view: str, *metrics: str, **more: Any) -> dict[str, Any]:
    """A query for figures, `aggregation:measure` each."""
    figures = [dict(zip(("aggregation", "measure"), metric.split(":"), strict=True)) for metric in metrics]
    return {"query": json.dumps({"view": view, "metrics": figures, **EVER, **more})}


def asking(reading: Reading, version: str, *queries: dict[str, Any]) -> list[Call]:
    return [(f"metrics_{version}", [], one) for one in queries]


@pytest.mark.parametrize("version", ["v1", "v2"])
@pytest.mark.parametrize("reading", CLIENTS[1:], ids=[client.client.environment for client in CLIENTS[1:]])
def test_figures_are_those_of_the_native_api(server: Server, reading: Reading, version: str) -> None:
    if f"metrics_{version}" not in reading.methods:
        assert (reading, version) == (PYTHON_5, "v1")
        return
    spans, models = observed(server), server.get("/api/v1/models")["data"]
    by_model, by_day, total, scored, wide = reading.ask(
        server,
        *asking(
            reading,
            version,
            query(
                "observations",
                "sum:totalCost",
                "sum:inputTokens",
                "count:count",
                "p95:latency",
                dimensions=[{"field": "providedModelName"}],
                filters=json.loads(as_filter("type", "string", "=", "GENERATION")),
            ),
            query("observations", "count:count", timeDimension={"granularity": "day"}),
            query("observations", "count:count", "sum:totalTokens", "max:latency"),
            query("scores-numeric", "avg:value", "count:count", dimensions=[{"field": "name"}, {"field": "traceName"}]),
            query(
                "observations",
                "count:countScores",
                "sum:countScores",
                dimensions=[{"field": "traceName"}, {"field": "tags"}],
            ),
        ),
    )
    figures = {row["providedModelName"]: row for row in by_model["data"]}
    assert figures.keys() == {model["model"] for model in models}
    for model in models:
        row = figures[model["model"]]
        assert row["sum_totalCost"] == pytest.approx(float(model["total_cost"]), rel=1e-12)
        assert row["sum_inputTokens"] == model["usage"]["input"]
        assert row["count_count"] == model["calls"]
        latencies = sorted(one["duration_ms"] for one in spans if one["model"] == model["model"])
        assert latencies[0] <= row["p95_latency"] <= latencies[-1]
    days = Counter(one["start_time"][:10] for one in spans)
    assert {row["time_dimension"]: row["count_count"] for row in by_day["data"]} == days
    (whole,) = total["data"]
    assert whole["count_count"] == len(spans)
    assert whole["sum_totalTokens"] == sum((one["usage"] or {}).get("total", 0) for one in spans)
    assert whole["max_latency"] == pytest.approx(max(one["duration_ms"] for one in spans))
    values = {(row["name"], row["traceName"]): row["avg_value"] for row in scored["data"]}
    assert values == {("stars", "answer-0"): 4.5, ("good", "answer-1"): 1, ("solved", None): 1}
    assert sum(row["sum_countScores"] for row in wide["data"]) == 1


@pytest.mark.parametrize("reading", [PYTHON_3, PYTHON_4, TYPESCRIPT], ids=["3", "4", "ts"])
def test_figures_of_traces_are_those_of_the_native_api(server: Server, reading: Reading) -> None:
    traces = native(server, "traces")
    (by_user, whole) = reading.ask(
        server,
        *asking(
            reading,
            "v1",
            query("traces", "count:count", "sum:totalCost", "sum:observationsCount", dimensions=[{"field": "userId"}]),
            query("traces", "count:count", "count:uniqueUserIds", "sum:scoresCount", "max:latency"),
        ),
    )
    assert {row["userId"]: row["count_count"] for row in by_user["data"]} == Counter(one["user_id"] for one in traces)
    (all_,) = whole["data"]
    assert (all_["count_count"], all_["count_uniqueUserIds"], all_["sum_scoresCount"]) == (len(traces), 4, 5)
    cost = sum(Decimal(one["total_cost"] or 0) for one in traces)
    assert sum(row["sum_totalCost"] or 0 for row in by_user["data"]) == pytest.approx(float(cost), rel=1e-12)
    assert sum(row["sum_observationsCount"] for row in by_user["data"]) == len(observed(server))


@pytest.mark.parametrize("reading", CLIENTS[1:], ids=[client.client.environment for client in CLIENTS[1:]])
def test_unknown_figures_are_refused_with_the_known_ones(server: Server, reading: Reading) -> None:
    cases = {
        "measure": query("observations", "sum:happiness"),
        "aggregation": query("observations", "most:count"),
        "dimensions": query("observations", "count:count", dimensions=[{"field": "userId"}]),
        "view": query("traces", "count:count"),
        "toTimestamp": query("observations", "count:count", toTimestamp="1999-01-01T00:00:00Z"),
        "orderBy": query("observations", "count:count", orderBy=[{"field": "name", "direction": "asc"}]),
    }
    answers = reading.try_to_ask(server, *asking(reading, "v2", *cases.values()))
    for name, answer in zip(cases, answers, strict=True):
        assert answer["status"] == 400
        assert name in answer["message"]


def test_days_are_those_of_the_native_api(server: Server) -> None:
    (answer,) = PYTHON_2.ask(server, ("client.metrics.daily", [], {"trace_name": "answer-1"}))
    traces = [trace for trace in native(server, "traces") if trace["name"] == "answer-1"]
    (day,) = answer["data"]
    assert day["date"] == "2026-01-02"
    assert day["countTraces"] == len(traces)
    assert day["countObservations"] == 2 * len(traces)
    assert day["totalCost"] == pytest.approx(float(sum(Decimal(trace["total_cost"]) for trace in traces)), rel=1e-12)
    assert {usage["model"] for usage in day["usage"] if usage.get("model")} == {"gpt-4o", "gpt-4o-mini"}
    assert sum(usage["inputUsage"] for usage in day["usage"]) == sum(trace["input_tokens"] for trace in traces)


def test_the_older_names_of_version_2_read_the_same(server: Server) -> None:
    fetched, trace, observations, observation, sessions, old, older = PYTHON_2.ask(
        server,
        ("fetch_traces", [], {"limit": 5}),
        ("fetch_trace", [OLD_TRACE], {}),
        ("fetch_observations", [], {"limit": 5, "type": "GENERATION"}),
        ("fetch_observation", [f"{1000:016x}"], {}),
        ("fetch_sessions", [], {"limit": 5}),
        ("get_traces", [], {"limit": 5}),
        ("get_observations", [], {"limit": 5}),
    )
    assert len(fetched["data"]) == len(old["data"]) == len(observations["data"]) == len(sessions["data"]) == 5
    assert fetched["meta"]["totalItems"] == TRACES + 1
    assert trace["data"]["id"] == OLD_TRACE
    assert observation["data"]["id"] == f"{1000:016x}"
    assert ids(old["data"]) == ids(fetched["data"])
    assert len(older["data"]) == 5


def test_no_moment_is_too_early_or_too_late(server: Server) -> None:
    for path, start, end in (
        ("traces", "fromTimestamp", "toTimestamp"),
        ("observations", "fromStartTime", "toStartTime"),
        ("sessions", "fromTimestamp", "toTimestamp"),
        ("v2/scores", "fromTimestamp", "toTimestamp"),
    ):
        whole = server.get(f"/api/public/{path}", limit=1)["meta"]["totalItems"]
        for early, late in (("0001-01-01", "9999-12-31"), ("1500-01-01", "2300-01-01")):
            found = server.get(f"/api/public/{path}", **{"limit": 1, start: early, end: late})
            assert found["meta"]["totalItems"] == whole, path


def test_ids_may_hold_slashes_and_tags_be_said_by_several_spans(project: Server) -> None:
    trace_id, parts = "shop/1", ("shop/2/a", "shop/2/b")
    told = {"id": trace_id, "sessionId": "alice/1", "tags": ["whole"]}
    batch = [{"id": "1", "type": "trace-create", "timestamp": "2026-01-02T03:00:00Z", "body": told}]
    for id_ in parts:
        body = {"id": id_, "traceId": trace_id, "startTime": "2026-01-02T03:00:01Z"}
        batch.append({"id": id_, "type": "span-create", "timestamp": "2026-01-02T03:00:00Z", "body": body})
    tagged = [
        span(f"{1:032x}", span_id=f"{number:016x}", attributes={"langfuse.trace.tags": [tag]})
        for number, tag in enumerate(("left", "right"), 1)
    ]
    with project.client() as client:
        assert client.post("/api/public/ingestion", json={"batch": batch}).json()["errors"] == []
        score = {"id": "stars/1", "traceId": trace_id, "name": "stars", "value": 1}
        client.post("/api/public/scores", json=score).raise_for_status()
        sent = encoded(request(tagged))
        client.post("/v1/traces", content=sent, headers={"content-type": PROTOBUF}).raise_for_status()
        for path in ("scores", "v2/scores"):
            assert client.get(f"/api/public/{path}/stars%2F1").json()["name"] == "stars"
        assert client.get("/api/public/sessions/alice%2F1").json()["traces"][0]["id"] == trace_id
        assert client.get("/api/public/observations/shop%2F2%2Fa").json()["traceId"] == trace_id
        assert len(client.get("/api/public/traces/shop%2F1").json()["observations"]) == 2
        assert client.delete("/api/public/traces/shop%2F1").status_code == 200
        assert client.get("/api/public/traces/shop%2F1").status_code == 404
    (both,) = project.get("/api/public/traces", tags=["left", "right"])["data"]
    assert sorted(both["tags"]) == ["left", "right"]
    assert project.get("/api/public/traces", tags=["left", "whole"])["data"] == []


#: Lists of what there is none of, by the clients that have them.
EMPTY = {
    PYTHON_2.client.environment: [
        "client.annotation_queues.list_queues",
        "client.comments.get",
        "client.dataset_items.list",
        "client.datasets.list",
        "client.models.list",
        "client.prompts.list",
        "client.score_configs.get",
    ],
    PYTHON_5.client.environment: [
        "api.annotation_queues.list_queues",
        "api.comments.get",
        "api.dataset_items.list",
        "api.datasets.list",
        "api.models.list",
        "api.prompts.list",
        "api.score_configs.get",
        "api.llm_connections.list",
    ],
    TYPESCRIPT.client.environment: [
        "api.annotationQueues.listQueues",
        "api.comments.get",
        "api.datasetItems.list",
        "api.datasets.list",
        "api.models.list",
        "api.prompts.list",
        "api.scoreConfigs.get",
        "api.llmConnections.list",
    ],
}
EMPTY |= {client.client.environment: EMPTY[PYTHON_5.client.environment] for client in (PYTHON_3, PYTHON_4)}


@pytest.mark.parametrize("reading", CLIENTS, ids=[client.client.environment for client in CLIENTS])
def test_what_genscope_does_not_keep_reads_as_empty(server: Server, reading: Reading) -> None:
    for answer in reading.ask(server, *((name, [], {}) for name in EMPTY[reading.client.environment])):
        assert answer["data"] == []
        assert answer["meta"]["totalItems"] == 0


@pytest.mark.parametrize("reading", CLIENTS[:4], ids=[client.client.environment for client in CLIENTS[:4]])
def test_a_prompt_falls_back_and_a_dataset_is_not_found(server: Server, reading: Reading) -> None:
    fallback, prompt, dataset, made = reading.try_to_ask(
        server,
        ("get_prompt", ["folder/reply"], {"fallback": "Answer politely."}),
        ("get_prompt", ["folder/reply"], {}),
        ("get_dataset", ["tickets"], {}),
        ("create_prompt", [], {"name": "reply", "prompt": "Answer."}),
    )
    assert "error" not in fallback if isinstance(fallback, dict) else fallback
    for refused in (prompt, dataset, made):
        assert refused["error"], refused


def cursor_of(*position: int | str) -> str:
    """A cursor made up, of this position."""
    return base64.urlsafe_b64encode(json.dumps(position).encode()).decode().rstrip("=")


SIDEWAYS = [{"field": "count_count", "direction": "sideways"}]


def test_a_bad_parameter_is_named(server: Server) -> None:
    cases = {
        "/traces?page=0": "page",
        "/traces?limit=101": "limit",
        "/traces?orderBy=happiness.desc": "orderBy",
        "/traces?fields=core,nonsense": "fields",
        "/traces?fromTimestamp=yesterday": "fromTimestamp",
        "/traces?filter=nonsense": "filter",
        "/traces?filter=" + as_filter("happiness", "string", "=", "x"): "happiness",
        "/observations?type=HAPPY": "type",
        "/observations?level=LOUD": "level",
        "/v2/observations?cursor=nonsense": "cursor",
        "/v2/observations?parseIoAsJson=true": "parseIoAsJson",
        "/v2/scores?operator=~&value=1": "operator",
        "/v2/scores?value=many": "value",
        "/v3/scores?limit=101": "limit",
        "/v3/scores?observationId=x": "observationId",
        "/sessions?toTimestamp=x": "toTimestamp",
        "/metrics?query={}": "query",
        "/metrics?query=" + query("observations", "count:count", orderBy=SIDEWAYS)["query"]: "direction",
        **{f"/v2/observations?cursor={cursor_of(time, 'a', 'b')}": "cursor" for time in (10**19, -(10**30))},
        f"/v3/scores?cursor={cursor_of(10**30, 'a')}": "cursor",
    }
    beyond = [(name, cursor_of(10**30, "a")) for name in ("traces", "sessions", "scores", "rejected")]
    beyond += [("rejected", cursor_of(1, shown)) for shown in ("9" * 30, "-1", "x")]
    with server.client() as client:
        for path, name in cases.items():
            answer = client.get(f"/api/public{path}")
            assert answer.status_code == 400, path
            assert name in answer.json()["message"], path
        for name, cursor in beyond:
            answer = client.get(f"/api/v1/{name}", params={"cursor": cursor})
            assert (answer.status_code, answer.json()["message"][:6]) == (400, "cursor"), (name, cursor)


PARAMETERS = st.sampled_from(
    [
        "page",
        "limit",
        "userId",
        "name",
        "sessionId",
        "fromTimestamp",
        "toTimestamp",
        "orderBy",
        "tags",
        "version",
        "release",
        "environment",
        "fields",
        "filter",
        "type",
        "traceId",
        "level",
        "parentObservationId",
        "isRootObservation",
        "fromStartTime",
        "toStartTime",
        "cursor",
        "expandMetadata",
        "operator",
        "value",
        "valueMin",
        "valueMax",
        "scoreIds",
        "observationId",
        "dataType",
        "source",
        "configId",
        "queueId",
        "traceTags",
        "traceName",
        "query",
    ]
)
COLUMN = st.sampled_from(
    [
        "id",
        "name",
        "timestamp",
        "startTime",
        "tags",
        "metadata",
        "latency",
        "totalCost",
        "level",
        "type",
        "value",
        "isRootObservation",
    ]
)
TYPE = st.sampled_from(
    [
        "string",
        "stringOptions",
        "arrayOptions",
        "number",
        "datetime",
        "stringObject",
        "numberObject",
        "categoryOptions",
        "boolean",
        "null",
    ]
)
OPERATOR = st.sampled_from(
    ["=", "<>", ">", "<=", "any of", "none of", "all of", "contains", "starts with", "is set", "is null", "is not null"]
)
ANYTHING = st.one_of(
    st.text(max_size=8), st.integers(), st.floats(), st.booleans(), st.lists(st.text(max_size=3)), st.none()
)
ASKED = st.fixed_dictionaries(
    {"column": COLUMN, "type": TYPE, "operator": OPERATOR, "value": ANYTHING, "key": st.text(max_size=3)}
)
NAME = st.sampled_from(
    ["count", "latency", "totalCost", "tags", "name", "traceName", "value", "p95", "sum", "histogram", "day", "auto"]
)
QUERY = st.fixed_dictionaries(
    {
        "view": st.sampled_from(["observations", "traces", "scores-numeric", "scores-categorical", "more"]),
        "metrics": st.lists(st.fixed_dictionaries({"measure": NAME, "aggregation": NAME}), max_size=2),
        "dimensions": st.lists(st.fixed_dictionaries({"field": NAME}), max_size=2),
        "filters": st.lists(ASKED, max_size=1),
        "fromTimestamp": st.sampled_from(["2020-01-01T00:00:00Z", "24h", "x"]),
        "toTimestamp": st.sampled_from(["2030-01-01T00:00:00Z", "1h", "9999-12-31T23:59:59+00:00"]),
    }
)
VALUES = st.one_of(
    st.text(max_size=12),
    st.sampled_from(
        ["0", "1", "99999999999999999999", "-1", "nan", "1e999", "2026-01-02T03:04:05Z", "name.asc", "true", "NUMERIC"]
    ),
    st.lists(ASKED, min_size=1, max_size=3).map(json.dumps),
    QUERY.map(json.dumps),
)


@pytest.mark.parametrize(
    "path",
    [
        "traces",
        "observations",
        "v2/observations",
        "sessions",
        "scores",
        "v2/scores",
        "v3/scores",
        "metrics",
        "v2/metrics",
        "metrics/daily",
        "v2/prompts",
    ],
)
def test_nothing_that_is_asked_is_an_error_of_the_server(server: Server, path: str) -> None:
    with server.client() as client:

        @given(st.dictionaries(PARAMETERS, VALUES, max_size=4))
        @settings(GENTLY, max_examples=30)
        def check(parameters: dict[str, str]) -> None:
            answer = client.get(f"/api/public/{path}", params=parameters)
            assert answer.status_code in (200, 400), (parameters, answer.text)

        check()


def asked_values(type_: str) -> Any:
    """A value that suits a type of condition."""
    if type_.endswith("Options"):
        return ["a", "b"]
    values = {"number": 0.5, "numberObject": 3, "boolean": True, "datetime": "2026-01-02T03:14:05Z", "null": None}
    return values.get(type_, "a")


@pytest.mark.parametrize(
    ("path", "columns"),
    [
        ("traces", traces.COLUMNS),
        ("v2/observations", observations.COLUMNS),
        ("v2/scores", scores.COLUMNS),
    ],
)
def test_every_condition_can_be_asked(server: Server, path: str, columns: Mapping[str, Asked]) -> None:
    with server.client() as client:
        for name, column in columns.items():
            for type_ in column.types:
                asked = [
                    json.loads(as_filter(name, type_, operator, asked_values(type_), "channel"))[0]
                    for operator in OPERATORS[type_]
                ]
                answer = client.get(f"/api/public/{path}", params={"filter": json.dumps(asked), "limit": 1})
                assert answer.status_code == 200, (asked, answer.text)


@pytest.mark.parametrize("view", VIEWS)
def test_every_figure_can_be_asked(server: Server, view: str) -> None:
    known = VIEWS[view]
    names = [*known.dimensions, *known.many]
    for granularity in [*GRANULARITIES, "auto"]:
        asked = query(
            view,
            *(f"{aggregation}:{measure}" for measure in known.measures for aggregation in AGGREGATIONS),
            dimensions=[{"field": name} for name in names],
            timeDimension={"granularity": granularity},
        )
        (row, *_) = server.get("/api/public/metrics", **asked)["data"]
        assert {*names, "time_dimension", "count_count"} <= row.keys()
    total = server.get("/api/public/metrics", **query(view, "count:count"))["data"][0]["count_count"]
    for name in names:
        rows = server.get("/api/public/metrics", **query(view, "count:count", dimensions=[{"field": name}]))["data"]
        assert sum(row["count_count"] for row in rows) == total, name


def test_traces_are_deleted_with_all_that_belongs_to_them(project: Server) -> None:
    with project.client() as client:
        spans = [one for number in range(4) for one in trace_of(number)]
        client.post("/v1/traces", content=encoded(request(spans)), headers={"content-type": PROTOBUF})
        for score in SCORES:
            client.post("/api/public/scores", json=score).raise_for_status()
        assert client.delete(f"/api/v1/traces/{4:032x}").status_code == 204
        assert client.delete(f"/api/v1/traces/{4:032x}").status_code == 404
        assert client.delete("/api/public/scores/good").status_code in (200, 202)
        assert client.get(f"/api/v1/traces/{2:032x}").json()["trace"]["scores"] == []
        assert client.request("DELETE", "/api/public/traces", json={"ids": []}).status_code == 400
    one, several = TYPESCRIPT.ask(
        project, ("api.trace.delete", [f"{1:032x}"], {}), ("api.trace.deleteMultiple", [], {"trace_ids": [f"{2:032x}"]})
    )
    assert one["message"]
    assert several["message"]
    assert [trace["trace_id"] for trace in native(project, "traces")] == [f"{3:032x}"]
    assert {score["id"] for score in native(project, "scores")} == {"note", "solved", "said/better"}
    assert len(native(project, "spans")) == 2
