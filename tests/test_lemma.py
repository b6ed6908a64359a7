"""Lemma's own SDK, unmodified, in three of its generations: only the address, the key and the project are set."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.providers import server as providers
from tests.providers.conversation import ANSWER, PROVIDERS, QUESTION, SYSTEM, told
from tests.running import Server
from tests.test_clients import ANSWER as REPLY
from tests.test_clients import MESSAGES, Client
from tests.test_receive_lemma import ANYTHING, SENT

#: What Lemma gave a user; it names nothing here.
PROJECT = "00000000-0000-4000-8000-000000000001"
OLD, MIDDLE, NEW = "4.2.0", "7.4.0", "7.12.2"
VERSIONS = [OLD, MIDDLE, NEW]
Spans = list[dict[str, Any]]


def variables(server: Server) -> dict[str, str]:
    return {"LEMMA_URL": server.url, "LEMMA_API_KEY": server.secret_key, "LEMMA_PROJECT_ID": PROJECT}


def run(server: Server, version: str, task: str, user: str) -> dict[str, Any]:
    client = Client(f"lemma-{version}", "python/lemma_agent.py")
    return client.run(variables(server) | {"LEMMA_TEST_USER": user}, task)


def read(server: Server, trace_id: str) -> tuple[dict[str, Any], Spans]:
    """Return a trace and its spans, the root first, then by name."""
    found = server.get(f"/api/v1/traces/{trace_id}")
    return found["trace"], sorted(found["spans"], key=lambda span: (span["parent_span_id"] is not None, span["name"]))


def traces_of(server: Server, user: str) -> list[tuple[dict[str, Any], Spans]]:
    """Return what `read` does, of every trace of a user, by their names and inputs."""
    found = server.get("/api/v1/traces", user_id=user)["data"]
    whole = [read(server, trace["trace_id"]) for trace in found]
    return sorted(whole, key=lambda trace: (trace[0]["name"], str(trace[0]["input"])))


@pytest.fixture
def user() -> str:
    return f"user-{secrets.token_hex(6)}"


@pytest.mark.parametrize("version", VERSIONS)
def test_a_run_is_recorded_whole(server: Server, user: str, version: str) -> None:
    run(server, version, "plain", user)

    ((trace, (root, *steps)),) = traces_of(server, user)
    assert (trace["name"], trace["session_id"], trace["user_id"]) == ("support-agent", "ticket-4711", user)
    assert (trace["metadata"], trace["error_count"]) == ({"plan": "pro", "firm.slug": "acme"}, 0)
    assert (trace["input"], trace["output"]) == ("Where is my order 4711?", REPLY)
    assert (root["span_id"], root["type"], root["level"]) == (f"{trace['trace_id']}:root", "span", "DEFAULT")

    named = {step["name"]: step for step in steps}
    assert len(named) == len(steps)
    expected = {
        "draft-reply": "generation",
        "embed": "embedding",
        "get_order": "tool",
        "note": "tool",
        "rank": "reranker",
        "retrieve-context": "span",
        "search_docs": "tool",
    }
    assert {name: step["type"] for name, step in named.items()} == expected | (
        {"find": "retriever"} if version == OLD else {}
    )
    parents = {name: step["parent_span_id"] for name, step in named.items()}
    assert parents.pop("search_docs") == named["retrieve-context"]["span_id"]
    assert set(parents.values()) == {root["span_id"]}
    assert {step["session_id"] for step in steps} == {"ticket-4711"}

    generation = named["draft-reply"]
    assert (generation["model"], generation["provider"]) == ("gpt-4o", "openai")
    assert generation["model_parameters"] == {"temperature": 0.7}
    assert (generation["input"], generation["output"]) == (MESSAGES, REPLY)
    assert generation["usage"] == {"input": 1000, "output": 50, "total": 1050}
    assert Decimal(generation["cost"]["total"]) == Decimal("0.003")
    assert generation["duration_ms"] >= 9  # the model takes ten, and clocks are rounded
    # It ended when it was told, so that it lies within the run.
    assert root["start_time"] <= generation["start_time"] < generation["end_time"] <= root["end_time"]

    assert (named["search_docs"]["output"], named["get_order"]["duration_ms"]) == ([{"id": "doc-1"}], 45)
    assert named["note"]["duration_ms"] is None  # nobody measured it
    assert (named["embed"]["model"], named["embed"]["usage"]["input"]) == ("text-embedding-3-small", 8)
    assert named["rank"]["output"] == [{"document": {"content": "doc-1"}}]
    if version == OLD:
        assert named["find"]["output"] == [{"document": {"content": "doc-1", "score": 0.9}}]


@pytest.mark.parametrize("version", VERSIONS)
def test_a_run_that_fails_says_why(server: Server, user: str, version: str) -> None:
    made = run(server, version, "failing", user)
    assert made["raised"] == "Error code: 529 - overloaded"

    ((trace, (root, generation)),) = traces_of(server, user)
    assert trace["error_count"] == 2
    for span in (root, generation):
        assert span["level"] == "ERROR"
        assert span["status_message"].removeprefix("RuntimeError: ") == "Error code: 529 - overloaded"
    assert (generation["model"], generation["usage"], generation["cost"]) == ("gpt-4o", None, None)


@pytest.mark.parametrize("version", VERSIONS)
def test_runs_side_by_side_stay_apart(server: Server, user: str, version: str) -> None:
    run(server, version, "asynchronous", user)

    for name, (trace, spans) in zip(("one", "other"), traces_of(server, user), strict=True):
        assert (trace["input"], trace["output"]) == (name, REPLY)
        assert [span["name"] for span in spans] == ["async-agent", "draft-reply"]


@pytest.mark.parametrize("version", [MIDDLE, NEW])
def test_a_trace_that_is_delivered_twice_counts_once(server: Server, user: str, version: str) -> None:
    run(server, version, "again", user)

    ((trace, spans),) = traces_of(server, user)
    # Two notes that say the same were two before it came again.
    assert [span["name"] for span in spans] == ["batch-agent", "draft-reply", "note", "note"]
    assert (Decimal(trace["total_cost"]), trace["total_tokens"]) == (Decimal("0.003"), 1050)


@pytest.mark.parametrize("version", VERSIONS)
def test_a_lost_answer_makes_no_failure_of_a_run(server: Server, user: str, version: str) -> None:
    made = run(server, version, "lost_answer", user)
    assert made["statuses"] == ([201] if version == NEW else [201, 201])

    ((trace, (root, _)),) = traces_of(server, user)
    assert (root["level"], root["status_message"], root["output"]) == ("DEFAULT", None, REPLY)
    assert (trace["span_count"], trace["error_count"], Decimal(trace["total_cost"])) == (2, 0, Decimal("0.003"))


def test_what_only_newer_versions_tell(server: Server, user: str) -> None:
    run(server, NEW, "modern", user)

    ((trace, (root, answer, broken, claude, send)),) = traces_of(server, user)
    assert (trace["release"], root["output"]) == ("1.8.3", "namespace(said='no JSON')")
    assert send["attributes"]["lemma.tool.message"] == REPLY
    assert (broken["level"], broken["status_message"]) == ("ERROR", "ValueError: not found")
    assert (answer["output"], answer["release"]) == ("NaN", "1.8.3")
    assert answer["usage"] == {
        "input": 1200,
        "output": 340,
        "total": 1540,
        "input_cache_read": 800,
        "output_reasoning": 120,
    }
    # input 2.5, cached 1.25, output 10
    assert Decimal(answer["cost"]["total"]) == Decimal("0.0054")
    # Anthropic counts what was cached beside the input: 60 * 3 + 40 * 0.3 + 48 * 15
    assert claude["usage"] == {"input": 100, "output": 48, "total": 148, "input_cache_read": 40}
    assert Decimal(claude["cost"]["total"]) == Decimal("0.000912")


def test_a_message_to_the_user_is_drawn_as_the_assistants(server: Server, user: str) -> None:
    run(server, NEW, "modern", user)

    ((trace, spans),) = traces_of(server, user)
    pane = {}
    with httpx.Client(base_url=server.url, timeout=30, trust_env=False, follow_redirects=True) as browser:
        browser.post("/login", data={"public_key": server.public_key, "secret_key": server.secret_key})
        for span in spans:
            pane[span["name"]] = browser.get(f"/traces/{trace['trace_id']}", params={"span": span["span_id"]}).text
    assert "Said to the user" in pane["send_whatsapp"]
    assert REPLY in pane["send_whatsapp"]
    # A tool that failed said nothing.
    assert "Said to the user" not in pane["broken"]


def test_a_turn_across_processes_is_one_trace(server: Server, user: str) -> None:
    run(server, NEW, "turn", user)

    ((trace, (root, *steps)),) = traces_of(server, user)
    assert (trace["trace_id"], trace["session_id"]) == (f"turn-{user}", "ticket-turn")
    named = {step["name"]: step for step in steps}
    parents = {name: step["parent_span_id"] for name, step in named.items()}
    assert parents == {
        "dispatch": root["span_id"],
        "left-open": named["dispatch"]["span_id"],
        "work": named["dispatch"]["span_id"],
        "draft-reply": named["work"]["span_id"],
    }
    assert (named["left-open"]["end_time"], named["work"]["output"]) == (None, "worked")


def test_what_the_client_left_out_is_said_or_found(server: Server, user: str) -> None:
    run(server, NEW, "shaped", user)

    (_, (_, same, step)), (_, (_, cut_too, cut)) = traces_of(server, user)
    assert same["input"] == step["input"] == [{"role": "user", "content": "x" * 5000}]
    assert cut["input"] == cut_too["input"] == "[cut by the sender: 5,033 bytes, 1 item]"
    assert cut_too["output"].endswith("…\n[cut by the sender: 3,002 bytes]")


@pytest.mark.parametrize("version", [MIDDLE, NEW])
def test_the_sdks_own_diagnosis_finds_nothing(server: Server, user: str, version: str) -> None:
    report = run(server, version, "smoke", user)["report"]
    assert report["ok"], report
    assert (report["ingest"]["status"], report["ingestStatus"]) == (201, "ready")


@pytest.mark.parametrize("version", VERSIONS)
def test_a_wrong_key_is_named(server: Server, user: str, version: str) -> None:
    said = run(server, version, "refused", user)["said"]
    # Newer versions let nothing of their own disturb the agent.
    assert said == "the agent's answer" if version == NEW else "(401)" in said


@pytest.fixture(scope="module")
def provider_url() -> Iterator[str]:
    with providers.running() as url:
        yield url


def run_framework(
    server: Server, provider_url: str, framework: str, provider: str, streamed: bool
) -> tuple[dict[str, Any], Spans]:
    keys = dict.fromkeys(("OPENAI_API_KEY", "ANTHROPIC_API_KEY"), "none")
    conversation = {"CONVERSATION": told(PROVIDERS[provider]), "PROVIDER_URL": provider_url}
    client = Client(f"lemma-{NEW}", "instrumented/lemma_frameworks.py")
    made = client.run(
        variables(server) | keys | conversation | {"MODES": "streamed" if streamed else "plain"}, framework
    )
    (trace_id,) = made["traces"]
    return read(server, trace_id)


@pytest.mark.parametrize("streamed", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize(
    ("framework", "provider"), [("openai", "openai"), ("anthropic", "anthropic"), ("agents", "openai")]
)
def test_frameworks(server: Server, provider_url: str, framework: str, provider: str, streamed: bool) -> None:
    trace, spans = run_framework(server, provider_url, framework, provider, streamed)
    expected = PROVIDERS[provider]
    assert (trace["session_id"], trace["error_count"]) == ("ticket-4711", 0)
    assert trace["input"] == QUESTION
    assert ANSWER in str(trace["output"])

    calls = sorted((span for span in spans if span["type"] == "generation"), key=lambda span: span["start_time"])
    for span, call in zip(calls, expected.calls, strict=True):
        assert span["model"] == expected.model
        assert {kind: count for kind, count in span["usage"].items() if count} == call.usage
        assert Decimal(span["cost"]["total"]) == call.cost
        if framework != "agents":
            assert SYSTEM in json.dumps(span["input"])
    (tool,) = (span for span in spans if span["type"] == "tool")
    assert tool["name"] == "get_order"
    by_id = {span["span_id"]: span for span in spans}
    assert {span["parent_span_id"] in by_id for span in spans if span["parent_span_id"]} == {True}
    assert any(span["type"] == ("agent" if framework == "agents" else "chain") for span in spans)


@dataclass(frozen=True)
class Recorded:
    """The deliveries of one run, and what the API says after them."""

    trace_id: str
    bodies: list[str]
    outcome: Any

    def replay(self, server: Server, bodies: list[str]) -> Any:
        """Deliver these under another id and return what the API says then."""
        trace_id = f"bits-{secrets.token_hex(8)}"
        for body in bodies:
            deliver(server, body.replace(self.trace_id, trace_id))
        return shape(server.get(f"/api/v1/traces/{trace_id}"))


@pytest.fixture(scope="module")
def recorded(server: Server) -> Recorded:
    """What version 7.4 sends of one run: three times what there is so far, once next to nothing, and at last all of it."""
    made = run(server, MIDDLE, "bit_by_bit", "user-bits")
    sent = Recorded(made["trace"], made["bodies"], None)
    return replace(sent, outcome=sent.replay(server, sent.bodies))


def deliver(server: Server, body: str) -> None:
    answer = post(server, body.encode())
    assert (answer.status_code, answer.json()) == (201, {"rejected": []})


def shape(found: dict[str, Any]) -> Any:
    """A trace without its id and those that were made of it."""
    names = {span["span_id"]: span["name"] for span in found["spans"]}
    assert len(names) == len(found["spans"])
    spans = [
        span | {"trace_id": "", "span_id": "", "parent_span_id": names.get(span["parent_span_id"])}
        for span in found["spans"]
    ]
    return found["trace"] | {"trace_id": ""}, sorted(spans, key=lambda span: (span["name"], span["start_time"]))


def test_deliveries_bit_by_bit_add_up(recorded: Recorded) -> None:
    trace, spans = recorded.outcome
    assert [span["name"] for span in spans] == ["draft-reply", "long-agent", "lookup", "note", "note", "step"]
    assert [span["parent_span_id"] for span in spans] == ["long-agent", None, "step", *["long-agent"] * 3]
    _, root, lookup, _, _, step = spans
    # What a later delivery leaves out was told before.
    assert (root["output"], root["session_id"], root["trace_metadata"]) == ("done", "ticket-long", {"run": "1"})
    assert (lookup["output"], step["output"], trace["total_tokens"]) == (["found"], "stepped", 1050)


@settings(max_examples=6, deadline=None)
@given(data=st.data())
def test_deliveries_in_any_order_and_number_end_the_same(
    server: Server, recorded: Recorded, data: st.DataObject
) -> None:
    again = data.draw(st.lists(st.sampled_from(recorded.bodies), max_size=3))
    assert recorded.replay(server, data.draw(st.permutations(recorded.bodies + again))) == recorded.outcome


def test_what_comes_again_after_a_restart_counts_once(fresh_server: Server) -> None:
    made = run(fresh_server, MIDDLE, "bit_by_bit", "user-restart")
    sent = Recorded(made["trace"], made["bodies"], None)
    for body in sent.bodies:
        deliver(fresh_server, body)
    before = shape_of(fresh_server, sent)
    fresh_server.stop()
    fresh_server.start()
    for body in (sent.bodies[0], sent.bodies[2]):
        deliver(fresh_server, body)
    assert shape_of(fresh_server, sent) == before


def shape_of(server: Server, sent: Recorded) -> Any:
    return shape(server.get(f"/api/v1/traces/{sent.trace_id}"))


def post(server: Server, body: Any, **headers: str) -> httpx.Response:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    bearer = {"Authorization": f"Bearer {server.secret_key}"}
    return httpx.post(f"{server.url}/traces/ingest", content=content, headers=bearer | headers, trust_env=False)


def test_errors_are_told_where_the_sdk_looks(server: Server) -> None:
    trace = {"project_id": PROJECT, "trace": {"name": "agent"}}
    for body, status, said in (
        (b"{", 400, "not JSON"),
        ({"trace": {"name": "agent"}}, 400, "project_id is missing"),
        ({"project_id": PROJECT, "trace": {"name": ""}}, 400, "trace.name is empty"),
    ):
        answer = post(server, body)
        assert (answer.status_code, said in answer.json()["detail"]) == (status, True)
    assert post(server, trace, Authorization="Bearer wrong").status_code == 401
    assert "detail" in post(server, trace, Authorization="Bearer wrong").json()
    assert post(server, trace, **{"Content-Encoding": "br"}).status_code == 415


@settings(max_examples=15, deadline=None)
@given(about=SENT, spans=st.lists(SENT | ANYTHING, max_size=4), replace=ANYTHING)
def test_whatever_is_sent_is_no_error_of_the_server(server: Server, about: Any, spans: Any, replace: Any) -> None:
    trace_id = f"any-{secrets.token_hex(8)}"
    trace = about | {"id": trace_id, "name": about.get("name") or "agent", "spans": spans}
    named = isinstance(trace["name"], str) and trace["name"].strip()
    answer = post(server, {"project_id": PROJECT, "trace": trace, "replace": replace})
    assert answer.status_code == (201 if named else 400), answer.text
    if named:
        found = server.get(f"/api/v1/traces/{trace_id}")["spans"]
        assert len(spans) >= len(found) - 1 + len(answer.json()["rejected"])


def test_a_bad_step_is_named_and_harms_nobody(server: Server) -> None:
    trace_id = f"bad-{secrets.token_hex(6)}"
    spans = [{"name": "good", "id": "a"}, {"name": ""}, {"name": "twin", "id": "a"}, {"name": "good too"}]
    answer = post(server, {"project_id": PROJECT, "trace": {"id": trace_id, "name": "agent", "spans": spans}})
    assert answer.status_code == 201
    assert answer.json() == {
        "rejected": [
            {"name": "", "reason": "the span has no name"},
            {"name": "twin", "reason": "another span of the trace has the same id"},
        ]
    }
    _, (_, *steps) = read(server, trace_id)
    assert [step["name"] for step in steps] == ["good", "good too"]


def test_the_key_decides_the_project(server: Server) -> None:
    first, second = server.new_project(), server.new_project()
    trace_id = f"named-{secrets.token_hex(6)}"
    trace = {"id": trace_id, "name": "agent"}
    # What Lemma called a project, and this one; but not another one of this server.
    for named in (PROJECT, "proj_4711", second.project):
        assert post(second, {"project_id": named, "trace": trace}).status_code == 201
        asked = {"project_id": named, "otel_trace_id": trace_id}
        assert second.get("/traces/ingest-status", **asked) == asked | {"status": "ready"}
    refused = post(second, {"project_id": first.project, "trace": trace | {"name": "intruder"}})
    assert (refused.status_code, refused.json()["detail"]) == (
        403,
        f"the key opens project {second.project!r}, the request names {first.project!r}",
    )
    with second.client() as client:
        asked = {"project_id": first.project, "otel_trace_id": trace_id}
        assert client.get("/traces/ingest-status", params=asked).status_code == 403
    assert [span["name"] for span in second.trace(trace_id).values()] == ["agent"]
    asked = {"project_id": PROJECT, "otel_trace_id": trace_id}
    assert first.get("/traces/ingest-status", **asked) == asked | {"status": "not_found"}


def test_ingest_status(server: Server) -> None:
    trace_id = f"turn {secrets.token_hex(6)}/ä"
    assert post(server, {"project_id": PROJECT, "trace": {"id": trace_id, "name": "agent"}}).status_code == 201
    for id_, status in ((trace_id, "ready"), ("unheard-of", "not_found")):
        answer = server.get("/traces/ingest-status", project_id=PROJECT, otel_trace_id=id_)
        assert answer == {"project_id": PROJECT, "otel_trace_id": id_, "status": status}
    with server.client() as client:
        assert client.get("/traces/ingest-status").status_code == 400
        assert "detail" in client.get("/traces/ingest-status").json()
    stranger = httpx.get(f"{server.url}/traces/ingest-status", params={"otel_trace_id": trace_id}, trust_env=False)
    assert stranger.status_code == 401


@pytest.mark.parametrize("environment", ["langfuse-3.15.0", "langfuse-4.18.0", "langfuse-5.0.4"])
def test_langfuses_sdk_that_exports_to_both_addresses_counts_once(server: Server, environment: str) -> None:
    known = {
        "LEMMA_BASE_URL": f"{server.url}/otel/v1/traces",
        "LEMMA_API_KEY": server.secret_key,
        "LEMMA_PROJECT_ID": server.project,
        "LANGFUSE_HOST": server.url,
        "LANGFUSE_PUBLIC_KEY": server.public_key,
        "LANGFUSE_SECRET_KEY": server.secret_key,
    }
    made = Client(environment, "python/lemma_langfuse.py").run(known)
    assert "Failed to export" not in made["stderr"]

    trace, (root, generation) = read(server, made["trace"])
    assert (root["name"], generation["session_id"]) == ("support-agent", "ticket-4711")
    assert (generation["type"], generation["model"], generation["output"]) == ("generation", "gpt-4o", REPLY)
    assert (trace["total_tokens"], Decimal(trace["total_cost"])) == (1050, Decimal("0.003"))
