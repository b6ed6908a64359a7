"""Langfuse's clients before OpenTelemetry, and the scores of all of them, against a real server."""

from __future__ import annotations

import gzip
import json
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.providers import server as providers
from tests.providers.conversation import PROVIDERS, told
from tests.running import Server
from tests.test_api_fuzz import CHECKS, GENTLY
from tests.test_clients import ANSWER, MESSAGES, Client, langfuse_variables, name_of

RECORDED = Path(__file__).parent / "recorded" / "langfuse-2.60.10.json"
TIMESTAMP = "2026-11-21T15:06:44.856343Z"

EVENTS = [
    Client("langfuse-2.60.10", "python/langfuse_events.py"),
    Client("node", "node/langfuse_events.mjs"),
]
SCORES = [
    Client("langfuse-3.15.0", "python/langfuse_scores.py"),
    Client("langfuse-4.18.0", "python/langfuse_scores.py"),
    Client("langfuse-5.0.4", "python/langfuse_scores.py"),
    Client("node", "node/langfuse_scores.mjs"),
]
TYPED = [
    Client(f"langfuse-{version}", "python/langfuse_api.py") for version in ("2.60.10", "3.15.0", "4.18.0", "5.0.4")
]
WRAPPED = Client("langfuse-2.60.10", "python/langfuse_wrapped.py")
WRAPPED_JAVASCRIPT = Client("node", "node/langfuse_wrapped.mjs")


@pytest.fixture(scope="module")
def provider_url() -> Iterator[str]:
    with providers.running() as url:
        yield url


def named(server: Server, trace_id: str) -> dict[str, dict[str, Any]]:
    """The spans of a trace by their names."""
    return {span["name"]: span for span in server.get(f"/api/v1/traces/{trace_id}")["spans"]}


def scores(server: Server, **conditions: str) -> dict[str, dict[str, Any]]:
    """Scores by their names."""
    return {score["name"]: score for score in server.get("/api/v1/scores", **conditions)["data"]}


def post(server: Server, path: str, body: Any, **options: Any) -> httpx.Response:
    content = body if isinstance(body, bytes) else orjson.dumps(body)
    with server.client() as client:
        return client.post(f"/api/public/{path}", content=content, **options)


def send(server: Server, *events: dict[str, Any], **envelope: Any) -> list[dict[str, Any]]:
    """Send events in one batch and return the errors."""
    answer = post(server, "ingestion", {"batch": events, **envelope})
    assert answer.status_code == 207, answer.text
    outcome = answer.json()
    assert len(outcome["successes"]) + len(outcome["errors"]) == len(events)
    errors: list[dict[str, Any]] = outcome["errors"]
    return errors


def event(type_: str, /, **body: Any) -> dict[str, Any]:
    return {"id": str(uuid.uuid4()), "type": type_, "timestamp": TIMESTAMP, "body": body}


@pytest.mark.parametrize("client", EVENTS, ids=name_of)
def test_a_program_is_recorded_whole(server: Server, client: Client) -> None:
    made = client.run(langfuse_variables(server))
    assert "rror" not in made["stderr"]
    assert made.get("auth_check", True)

    summary = server.get(f"/api/v1/traces/{made['trace']}")["trace"]
    assert (summary["name"], summary["user_id"], summary["session_id"]) == ("support", "alice", "ticket-4711")
    assert summary["tags"] == ["answered", "books", "demo"]
    assert (summary["environment"], summary["release"], summary["version"]) == ("staging", "2026.11", "7")
    assert summary["metadata"] == {"plan": "pro", "attempt": 1}
    assert (summary["input"], summary["output"]) == (
        '{"ticket":4711}',
        json.dumps({"reply": ANSWER}, separators=(",", ":")),
    )
    assert Decimal(summary["total_cost"]) == Decimal("0.008")
    assert (summary["span_count"], summary["call_count"], summary["error_count"]) == (8, 4, 1)

    spans = named(server, made["trace"])
    root = spans["support"]
    assert (root["span_id"], root["parent_span_id"], root["is_root"]) == (f"{made['trace']}:root", None, True)
    assert (root["input"], root["output"]) == ({"ticket": 4711}, {"reply": ANSWER})
    assert root["trace_public"] is True

    look_up, draft, translate = spans["look-up"], spans["draft-reply"], spans["translate"]
    assert [span["span_id"] for span in (look_up, draft, translate)] == [made["look_up"], made["draft"], made["nested"]]
    assert {span["parent_span_id"] for span in (look_up, draft, translate)} == {root["span_id"]}
    assert (look_up["type"], look_up["input"], look_up["output"]) == ("span", "4711", {"state": "sent"})
    assert look_up["metadata"] == {"shelf": "B2"}

    missed = spans["cache-miss"]
    assert (missed["type"], missed["level"], missed["parent_span_id"]) == ("event", "DEBUG", made["look_up"])
    assert (missed["duration_ms"], missed["input"]) == (0, {"key": "4711"})

    assert (draft["type"], draft["model"], draft["provider"]) == ("generation", "gpt-4o", "openai")
    assert (draft["input"], draft["output"], draft["level"]) == (MESSAGES, ANSWER, "DEFAULT")
    assert draft["model_parameters"] == {"temperature": 0.7, "max_tokens": 200, "stop": ["END"]}
    assert draft["usage"] == {"input": 1000, "output": 50, "total": 1050, "input_cache_read": 800}
    assert Decimal(draft["cost"]["total"]) == Decimal("0.002")
    assert draft["cost_source"] == "computed"
    assert draft["duration_ms"] >= 9
    assert 0 <= draft["time_to_first_token_ms"] < draft["duration_ms"]
    assert draft["metadata"] == {"channel": "mail", "number": "123"}
    assert draft["explain"]["usage"] == {"dialect": "langfuse", "source": "usageDetails"}
    assert draft["scope"]["name"] == "langfuse-sdk"
    assert draft["attributes"] == {}

    billed, old_style, failing = spans["billed"], spans["old-style"], spans["failing"]
    assert {span["parent_span_id"] for span in (billed, old_style, failing)} == {made["nested"]}
    assert (billed["usage"], billed["cost_source"]) == ({"input": 12, "output": 3, "total": 15}, "reported")
    assert {kind: Decimal(amount) for kind, amount in billed["cost"].items()} == {
        "input": Decimal("0.001"),
        "output": Decimal("0.002"),
        "total": Decimal("0.003"),
    }
    assert old_style["usage"] == {"input": 1000, "output": 50, "total": 1050}
    assert Decimal(old_style["cost"]["total"]) == Decimal("0.003")
    assert (failing["level"], failing["status_message"]) == ("ERROR", "Error code: 529 - overloaded")
    assert (failing["cost"], failing["cost_missing"]) == (None, "no_usage")

    said = scores(server, trace_id=made["trace"])
    assert said.keys() == {"helpful", "stars", "tone"}
    assert (said["helpful"]["span_id"], said["helpful"]["data_type"], said["helpful"]["value"]) == (
        made["draft"],
        "BOOLEAN",
        1,
    )
    assert (said["stars"]["span_id"], said["stars"]["value"], said["stars"]["comment"]) == (None, 4.5, "of five")
    assert (said["tone"]["data_type"], said["tone"]["string_value"]) == ("CATEGORICAL", "friendly")
    assert {score["environment"] for score in said.values()} == {"staging"}


@pytest.mark.parametrize("client", EVENTS, ids=name_of)
def test_a_program_survives_a_wrong_key(server: Server, client: Client) -> None:
    made = client.run(langfuse_variables(server, secret_key="wrong"))
    assert not made.get("auth_check", False)
    with server.client() as asking:
        assert asking.get(f"/api/v1/traces/{made['trace']}").status_code == 404


def wrapped(server: Server, provider_url: str, client: Client, *arguments: str) -> dict[str, dict[str, Any]]:
    variables = {"CONVERSATION": told(PROVIDERS["openai"]), "PROVIDER_URL": provider_url, "OPENAI_API_KEY": "none"}
    made = client.run(langfuse_variables(server) | variables, *arguments)
    return named(server, made["trace"])


def asserted_call(call: dict[str, Any]) -> None:
    """The first call of the conversation, counted and billed as its provider does."""
    assert (call["type"], call["model"], call["provider"]) == ("generation", "gpt-5-mini-2025-08-07", "openai")
    assert (call["tools"], call["tool_calls"]) == (["get_order"], ["get_order"])
    told = {kind: count for kind, count in call["usage"].items() if count}
    assert told == {"input": 1180, "input_cache_read": 1024, "output": 92, "output_reasoning": 64, "total": 1272}
    assert (call["cost_source"], Decimal(call["cost"]["total"])) == ("computed", Decimal("0.0002486"))


def test_decorated_functions_and_openais_client_are_recorded(server: Server, provider_url: str) -> None:
    spans = wrapped(server, provider_url, WRAPPED, "decorated")
    root = spans["answer-ticket"]
    assert (root["user_id"], root["session_id"], root["tags"]) == ("alice", "ticket-4711", ["decorated"])
    assert root["input"] == {"args": ["order 4711"], "kwargs": {}}
    assert root["duration_ms"] > 0
    assert {name: span["type"] for name, span in spans.items()} == {
        "answer-ticket": "span",
        "guess": "generation",
        "refuse": "span",
        "ask": "generation",
    }
    assert {span["parent_span_id"] for span in spans.values() if span is not root} == {root["span_id"]}
    assert Decimal(spans["guess"]["cost"]["total"]) == Decimal("0.003")
    assert (spans["refuse"]["level"], spans["refuse"]["status_message"]) == ("ERROR", "not today")
    asserted_call(spans["ask"])
    assert spans["ask"]["model_parameters"]["temperature"] == 0.5
    said = scores(server, trace_id=root["trace_id"])
    assert (said["helpful"]["value"], said["tone"]["string_value"]) == (1, "friendly")


def test_a_chain_is_recorded(server: Server, provider_url: str) -> None:
    spans = wrapped(server, provider_url, WRAPPED, "chain")
    assert spans.keys() == {"chain", "RunnableSequence", "ChatPromptTemplate", "ChatOpenAI", "StrOutputParser"}
    sequence, call = spans["RunnableSequence"], spans["ChatOpenAI"]
    assert spans["chain"]["user_id"] == "bob"
    assert sequence["parent_span_id"] == spans["chain"]["span_id"]
    assert call["parent_span_id"] == sequence["span_id"]
    asserted_call(call)


def test_openais_client_is_recorded_from_javascript(server: Server, provider_url: str) -> None:
    spans = wrapped(server, provider_url, WRAPPED_JAVASCRIPT)
    assert spans.keys() == {"answer-ticket", "ask"}
    asserted_call(spans["ask"])


@pytest.mark.parametrize("client", SCORES, ids=name_of)
def test_scores_of_every_client_are_recorded(server: Server, client: Client) -> None:
    made = client.run(langfuse_variables(server))
    said = scores(server, trace_id=made["trace"])
    assert said.keys() == {"helpful", "stars", "tone"}
    helpful, stars, tone = said["helpful"], said["stars"], said["tone"]
    assert (helpful["span_id"], helpful["data_type"], helpful["value"]) == (made["span"], "BOOLEAN", 1)
    assert helpful["comment"] == "Customer said thanks"
    assert (stars["span_id"], stars["data_type"], stars["value"]) == (None, "NUMERIC", 4.5)
    assert (tone["id"], tone["data_type"], tone["string_value"]) == (f"tone-{made['trace']}", "CATEGORICAL", "friendly")
    (solved,) = server.get("/api/v1/scores", session_id=f"session-{made['trace']}")["data"]
    assert (solved["name"], solved["value"], solved["metadata"]) == ("solved", 1, {"by": "agent"})
    (span,) = server.get(f"/api/v1/traces/{made['trace']}")["spans"]
    assert [score["name"] for score in span["scores"]] == ["helpful"]


@pytest.mark.parametrize("client", TYPED, ids=name_of)
def test_typed_clients_read_every_answer(server: Server, client: Client) -> None:
    made = client.run(langfuse_variables(server))
    if client.environment == "langfuse-5.0.4":
        assert made["accepted"] == "Accepted"
        assert made["refused"] == [0, 1, ["the value of a NUMERIC score must be a finite number"]]
    else:
        assert made["taken"] == ["the-event"]
        assert made["refused"] == [["bad", 400, "id has 1000 characters; 800 are the limit"]]
        (root,) = server.trace(made["trace"]).values()
        assert (root["name"], root["trace_metadata"], root["tags"]) == ("typed", {"metadata": "text"}, ["typed"])
    (said,) = server.get("/api/v1/scores", trace_id=made["trace"])["data"]
    assert (said["id"], said["name"], said["value"]) == (made["score"], "stars", 4.5)


# Any order of the recorded events ends the same.


def renamed(value: Any, names: dict[str, str]) -> Any:
    """A copy with other ids."""
    text = orjson.dumps(value).decode()
    for old, new in names.items():
        text = text.replace(old, new)
    return orjson.loads(text)


def seen(server: Server, trace_id: str) -> Any:
    """All that there is to see of a trace, in an order of its own."""
    trace = server.get(f"/api/v1/traces/{trace_id}")
    for one in (trace["trace"], *trace["spans"]):
        one["scores"].sort(key=lambda score: score["name"])
    trace["spans"].sort(key=lambda span: span["name"])
    return trace


@pytest.fixture(scope="module")
def recorded() -> dict[str, Any]:
    """What `langfuse_events.py` sent by langfuse 2.60.10."""
    envelope: dict[str, Any] = orjson.loads(RECORDED.read_bytes())
    return envelope


@pytest.fixture(scope="module")
def in_order(server: Server, recorded: dict[str, Any]) -> Any:
    """What it comes to when it is sent once and in order."""
    assert send(server, *recorded["batch"], metadata=recorded["metadata"]) == []
    return seen(server, recorded["batch"][0]["body"]["id"])


@settings(
    max_examples=12,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(data=st.data())
def test_any_order_doubling_and_splitting_of_events_ends_the_same(
    server: Server, recorded: dict[str, Any], in_order: Any, data: st.DataObject
) -> None:
    events = recorded["batch"]
    ids = {event["body"]["id"] for event in events}
    names = {old: str(uuid.uuid4()) for old in ids}
    doubled = events + data.draw(st.lists(st.sampled_from(events), max_size=10))
    shuffled = renamed(data.draw(st.permutations(doubled)), names)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(shuffled)), max_size=5)))
    for begin, end in zip([0, *cuts], [*cuts, len(shuffled)], strict=True):
        assert send(server, *shuffled[begin:end], metadata=recorded["metadata"]) == []
    trace_id = names[in_order["trace"]["trace_id"]]
    assert renamed(seen(server, trace_id), {new: old for old, new in names.items()}) == in_order


def test_events_in_requests_side_by_side_end_the_same(server: Server, recorded: dict[str, Any], in_order: Any) -> None:
    names = {event["body"]["id"]: str(uuid.uuid4()) for event in recorded["batch"]}
    events = renamed(recorded["batch"] * 2, names)
    with ThreadPoolExecutor(8) as threads:
        for errors in threads.map(lambda one: send(server, one, metadata=recorded["metadata"]), events):
            assert errors == []
    found = seen(server, names[in_order["trace"]["trace_id"]])
    assert renamed(found, {new: old for old, new in names.items()}) == in_order


def test_an_update_before_its_create_and_alone(server: Server) -> None:
    trace_id, early, alone = (str(uuid.uuid4()) for _ in range(3))
    updated = {"traceId": trace_id, "output": "done", "endTime": "2026-11-21T15:06:46Z"}
    assert send(server, event("generation-update", id=early, **updated, usage={"input": 1000, "output": 50})) == []
    assert send(server, event("generation-update", id=alone, **updated)) == []
    created = {"traceId": trace_id, "name": "early", "startTime": "2026-11-21T15:06:45Z", "model": "gpt-4o"}
    assert send(server, event("generation-create", id=early, **created)) == []
    spans = server.trace(trace_id)
    assert (spans[early]["name"], spans[early]["output"], spans[early]["duration_ms"]) == ("early", "done", 1000)
    assert Decimal(spans[early]["cost"]["total"]) == Decimal("0.003")
    assert (spans[alone]["type"], spans[alone]["output"]) == ("generation", "done")


@pytest.mark.parametrize("late", [False, True])
def test_the_update_of_a_span_makes_no_span_of_something_else(server: Server, late: bool) -> None:
    """`span-update` is the only one that agents, tools and the like have."""
    trace_id, agent, alone = (str(uuid.uuid4()) for _ in range(3))
    sent = [
        event("agent-create", id=agent, traceId=trace_id, name="work"),
        event("span-update", id=agent, traceId=trace_id, output="done"),
    ]
    for one in reversed(sent) if late else sent:
        assert send(server, one) == []
    assert send(server, event("span-update", id=alone, traceId=trace_id, output="done")) == []
    spans = server.trace(trace_id)
    assert (spans[agent]["type"], spans[agent]["explain"]["type"]["source"]) == ("agent", "agent-create")
    assert (spans[alone]["type"], spans[alone]["explain"]["type"]["source"]) == ("span", "span-update")


@pytest.mark.parametrize("late", [False, True])
def test_an_update_without_a_trace_finds_its_observation(server: Server, late: bool) -> None:
    trace_id, span_id = str(uuid.uuid4()), str(uuid.uuid4())
    sent = [
        event("span-create", id=span_id, traceId=trace_id, name="work"),
        event("span-update", id=span_id, output="done"),
    ]
    for one in reversed(sent) if late else sent:
        assert send(server, one) == []
    (span,) = server.trace(trace_id).values()
    assert (span["name"], span["output"]) == ("work", "done")


def test_pieces_outlive_a_kill(fresh_server: Server) -> None:
    trace_id, span_id = str(uuid.uuid4()), str(uuid.uuid4())
    assert send(fresh_server, event("generation-create", id=span_id, traceId=trace_id, model="gpt-4o")) == []
    fresh_server.kill()
    fresh_server.start()
    told = {"input": 1000, "output": 50}
    assert send(fresh_server, event("generation-update", id=span_id, usageDetails=told)) == []
    (span,) = fresh_server.trace(trace_id).values()
    assert Decimal(span["cost"]["total"]) == Decimal("0.003")


def test_a_bad_event_harms_no_other(server: Server) -> None:
    trace_id = str(uuid.uuid4())
    bad = [
        {"id": "no-type", "body": {}},
        {"id": 7, "type": "span-create", "body": {}},
        {"id": "bad-id", "type": "span-create", "timestamp": TIMESTAMP, "body": {"id": 7, "traceId": trace_id}},
        "text",
    ]
    good = event("span-create", id="good", traceId=trace_id)
    answer = post(server, "ingestion", {"batch": [*bad, good]})
    assert answer.status_code == 207
    outcome = answer.json()
    assert outcome["successes"] == [{"id": good["id"], "status": 201}]
    assert [error["id"] for error in outcome["errors"]] == ["no-type", "", "bad-id", ""]
    assert {error["status"] for error in outcome["errors"]} == {400}
    assert outcome["errors"][2]["message"] == "id must be a string, not int"
    assert server.trace(trace_id).keys() == {"good"}
    kept = server.get("/api/v1/rejected")["data"]
    assert any(row["trace_id"] == trace_id and row["reason"] == "id must be a string, not int" for row in kept)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"not json", 400),
        (b'{"batch": {"a": 1}}', 400),
        (b"[]", 400),
        (b"[" * 100_000, 400),
        (b'{"batch": []}', 207),
        (b'{"batch": [1, null, [], {}]}', 207),
        (b'{"batch": [{"id": "e", "type": "span-create", "body": {"id": "x", "input": NaN, "metadata": {"a": NaN}}}]}', 207),
        (b'{"batch": [{"id": "e", "type": "span-create", "body": {"id": "x", "input": ' + b"[" * 900 + b"]" * 900 + b"}}]}", 207),
        (b'{"batch": [{"id": "\\ud800", "type": "span-create", "body": {"id": "\\u0000", "name": "\\u0000"}}]}', 207),
    ],
)  # fmt: skip
def test_hostile_bodies_are_no_error_of_the_server(server: Server, body: bytes, status: int) -> None:
    answer = post(server, "ingestion", body)
    assert answer.status_code == status, answer.text
    if status == 400:
        assert answer.json()["error"] == "Bad Request"
        assert answer.json()["message"]


def test_hostile_values_come_back(server: Server) -> None:
    trace_id = str(uuid.uuid4())
    huge = "ü" * 1_000_000
    hostile = {
        "name": huge,
        "input": {"deep": [[[[[[huge]]]]]]},
        "output": "\0",
        "metadata": {"": None, "'\"\\\n\t\0": [huge], "{p0:String}": "\\N"},
        "modelParameters": {"a": {"b": [1]}},
        "usage": {"input": 2**63, "output": -1, "unit": 7},
        "usageDetails": {"input": 1e300, "x" * 1000: 1},
        "costDetails": {"total": -1, "input": 1e300},
        "endTime": "0001-01-01T00:00:00Z",
        "model": huge,
        "level": ["ERROR"],
    }
    assert send(server, event("generation-create", id="hostile", traceId=trace_id, **hostile)) == []
    (span,) = server.trace(trace_id).values()
    assert span["name"] == huge
    assert span["input"] == {"deep": [[[[[[huge]]]]]]}
    assert span["output"] == "\0"
    assert span["metadata"]["'\"\\\n\t\0"] == [huge]
    assert span["metadata"]["{p0:String}"] == "\\N"
    assert (span["usage"], span["cost"]) == (None, None)
    assert span["attributes"]["level"] == ["ERROR"]


def test_ten_thousand_events_in_one_batch(server: Server) -> None:
    trace_id = str(uuid.uuid4())
    created = [event("span-create", id=f"{trace_id}-{number}", traceId=trace_id) for number in range(5000)]
    updated = [event("span-update", id=f"{trace_id}-{number}", traceId=trace_id, output="x") for number in range(5000)]
    assert send(server, *updated, *created) == []
    assert server.get(f"/api/v1/traces/{trace_id}")["trace"]["span_count"] == 5000


def test_a_batch_over_the_limits_is_refused(tmp_path_factory: pytest.TempPathFactory) -> None:
    environment = {"GENSCOPE_MAX_SPANS_PER_REQUEST": "2", "GENSCOPE_MAX_BODY_BYTES": "1000"}
    small = Server(tmp_path_factory.mktemp("small"), environment=environment).start()
    try:
        assert post(small, "ingestion", {"batch": [{}] * 3}).status_code == 413
        assert post(small, "ingestion", b" " * 1001).status_code == 413
        assert post(small, "scores", [{}] * 3).status_code == 413
    finally:
        small.stop()


def test_another_projects_trace_stays_its_own(server: Server) -> None:
    own, other = server.new_project(), server.new_project()
    create = event("generation-create", id="same", traceId="same-trace", name="mine", input="secret")
    assert send(own, event("trace-create", id="same-trace", name="mine"), create) == []
    assert send(other, event("generation-update", id="same", output="theirs")) == []
    score = {"traceId": "same-trace", "observationId": "same", "name": "stars", "value": 1, "id": "score"}
    assert post(other, "scores", score).status_code == 200
    with other.client() as client:
        assert client.get("/api/v1/traces/same-trace").status_code == 404
    assert send(other, event("trace-create", id="same-trace", name="theirs")) == []
    assert [span["name"] for span in other.trace("same-trace").values()] == ["theirs"]
    span = own.trace("same-trace")["same"]
    assert (span["output"], span["scores"]) == (None, [])
    with own.client() as client:
        assert client.delete("/api/public/scores/score").status_code == 200
    assert scores(other, trace_id="same-trace").keys() == {"stars"}


@pytest.mark.parametrize(("method", "path"), [("POST", "ingestion"), ("POST", "scores"), ("DELETE", "scores/x")])
def test_without_a_key_nothing_is_taken(server: Server, method: str, path: str) -> None:
    answer = httpx.request(method, f"{server.url}/api/public/{path}", content=b"{}", auth=("pk", "wrong"))
    assert answer.status_code == 401
    assert answer.json().keys() == {"error", "message"}


def test_a_score_is_added_replaced_and_deleted(server: Server) -> None:
    trace_id = str(uuid.uuid4())
    score = {"traceId": trace_id, "name": "stars", "value": 3}
    made = post(server, "scores", score)
    assert made.status_code == 200
    score_id = made.json()["id"]
    assert scores(server, trace_id=trace_id)["stars"]["id"] == score_id
    assert post(server, "scores", {**score, "id": score_id, "value": 4}).json() == {"id": score_id}
    assert scores(server, trace_id=trace_id)["stars"]["value"] == 4
    with server.client() as client:
        assert client.delete(f"/api/public/scores/{score_id}").json() == {"message": "Score deleted successfully"}
        assert client.delete("/api/public/scores/never-was").status_code == 200
    assert scores(server, trace_id=trace_id) == {}


def test_a_deleted_score_stays_deleted(server: Server) -> None:
    trace_id = str(uuid.uuid4())
    told = event("score-create", id=f"score-{trace_id}", traceId=trace_id, name="stars", value=3)
    told["timestamp"] = "2099-01-01T00:00:00Z"  # a clock that is far ahead
    assert send(server, told) == []
    assert scores(server, trace_id=trace_id, **{"to": "2100-01-01"}).keys() == {"stars"}
    with server.client() as client:
        assert client.delete(f"/api/public/scores/score-{trace_id}").status_code == 200
    assert send(server, told) == []
    assert scores(server, trace_id=trace_id, **{"to": "2100-01-01"}) == {}


def test_corrections_are_listed_by_their_type(server: Server) -> None:
    trace_id = str(uuid.uuid4())
    said = {"traceId": trace_id, "name": "better", "value": "It arrives on Friday.", "dataType": "CORRECTION"}
    assert post(server, "scores", said).status_code == 200
    (correction,) = scores(server, trace_id=trace_id, data_type="CORRECTION").values()
    assert (correction["value"], correction["string_value"]) == (None, said["value"])


def test_a_list_of_scores_is_taken_score_by_score(server: Server) -> None:
    trace_id = str(uuid.uuid4())
    good = {"traceId": trace_id, "name": "stars", "value": 3}
    taken = post(server, "scores", [good, {**good, "name": "tone", "value": "friendly"}])
    assert (taken.status_code, taken.json()) == (202, {"message": "Accepted"})
    partly = post(server, "scores", [{**good, "name": "third"}, {**good, "value": None}, 7])
    assert partly.status_code == 207
    assert partly.json() == {
        "accepted": 1,
        "rejected": 2,
        "errors": [
            {"message": "the value of a NUMERIC score must be a finite number"},
            {"message": "a score must be an object"},
        ],
    }
    assert scores(server, trace_id=trace_id).keys() == {"stars", "tone", "third"}
    refused = post(server, "scores", {**good, "value": "many", "dataType": "NUMERIC"})
    assert refused.status_code == 400
    assert (
        refused.json()["message"] == "The score cannot be taken: the value of a NUMERIC score must be a finite number."
    )


def test_bodies_may_be_compressed(server: Server) -> None:
    trace_id = str(uuid.uuid4())
    body = gzip.compress(orjson.dumps([{"traceId": trace_id, "name": "stars", "value": 3}]))
    assert post(server, "scores", body, headers={"content-encoding": "gzip"}).status_code == 202
    assert scores(server, trace_id=trace_id).keys() == {"stars"}


@pytest.mark.parametrize(
    ("method", "path"),
    [("POST", "/api/public/ingestion"), ("POST", "/api/public/scores"), ("DELETE", "/api/public/scores/{score_id}")],
)
def test_every_answer_is_as_documented(server: Server, method: str, path: str) -> None:
    document = schemathesis.openapi.from_dict(server.get("/api/v1/openapi.json"))
    document.config.update(base_url=server.url)

    @given(case=document[path][method].as_strategy())
    @GENTLY
    def check(case: Any) -> None:
        case.call_and_validate(auth=server.basic, timeout=30, checks=CHECKS)

    check()
