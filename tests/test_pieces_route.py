"""Genscope's own lines over HTTP: what is answered, what becomes of a line, and that no order changes it."""

from __future__ import annotations

import contextlib
import gzip
import json
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from genscope.receive import pieces
from tests.running import Server
from tests.test_places import SECOND, START, Store

T = 1_767_323_045_000_000_000


def unique(prefix: str) -> str:
    return f"{prefix}-{secrets.token_hex(6)}"


def post(server: Server, body: bytes, **headers: str) -> httpx.Response:
    with server.client() as client:
        return client.post("/api/v1/pieces", content=body, headers=headers)


def send(server: Server, *lines: dict[str, Any]) -> dict[str, Any]:
    """Send lines as one request, of which all are taken."""
    answer = post(server, b"\n".join(json.dumps(line).encode() for line in lines))
    assert (answer.status_code, answer.json()["errors"]) == (200, [])
    return dict(answer.json())


def conversation(trace: str) -> list[dict[str, Any]]:
    """A trace with everything that may be in it, as a program tells of it."""
    root, step = {"kind": "trace", "id": trace}, {"kind": "span", "id": f"{trace}-step"}
    call, tool = f"{trace}-call", f"{trace}-tool"
    return [
        {**root, "time": T, "name": "answer", "start_time": T, "session_id": f"{trace}-session", "user_id": "alice",
         "environment": "production", "release": "1.2", "tags": ["channel:chat"], "metadata": {"plan": "pro"},
         "input": "hi", "scope": {"name": "genscope", "version": "1"}},
        {**step, "time": T + 1, "trace_id": trace, "parent": root, "name": "gather", "start_time": T + SECOND},
        {"kind": "generation", "id": call, "time": T + 2, "trace_id": trace, "parent": step, "name": "ask",
         "start_time": T + SECOND, "model": "gpt-4o", "provider": "openai", "model_parameters": {"temperature": 0.7},
         "input": '[{"role":"user","content":"hi"}]'},
        {"kind": "generation", "id": call, "time": T + 3, "trace_id": trace,
         "messages": [{"role": "user", "content": "again"}]},
        {"kind": "generation", "id": call, "time": T + 4, "trace_id": trace, "model": "gpt-4o-2024-08-06",
         "completion_start_time": T + 2 * SECOND, "end_time": T + 3 * SECOND,
         "output": {"role": "assistant", "content": "ho"}, "usage": {"input": 100, "output": 50, "input_cache_read": 20}},
        {"kind": "tool", "id": tool, "time": T + 5, "trace_id": trace, "parent": step, "name": "look-up",
         "start_time": T + 2 * SECOND, "input": '{"order":1}'},
        {"kind": "tool", "id": tool, "time": T + 6, "trace_id": trace, "output": "found", "end_time": T + 3 * SECOND,
         "level": "ERROR", "status_message": "late", "shape": "round", "attributes": {"error.type": "Late"},
         "events": [{"name": "exception", "time": T + 3 * SECOND, "attributes": {"exception.type": "Late"}}]},
        {"kind": "event", "id": f"{trace}-event", "time": T + 7, "trace_id": trace, "parent": root, "name": "sent",
         "start_time": T + 3 * SECOND},
        {**step, "time": T + 8, "end_time": T + 4 * SECOND, "metadata": {"n": 1}, "color": "blue"},
        {**root, "time": T + 9, "output": "ho", "end_time": T + 5 * SECOND, "metadata": {"plan": "free"}},
    ]  # fmt: skip


def test_lines_become_a_trace(server: Server) -> None:
    trace = unique("whole")
    assert send(server, *conversation(trace)) == {"accepted": 10, "rejected": 0, "errors": []}
    answer = server.get(f"/api/v1/traces/{trace}")
    root, step, call, tool, event = (
        {span["span_id"]: span for span in answer["spans"]}[f"{trace}{end}"]
        for end in (":root", "-step", "-call", "-tool", "-event")
    )
    assert (answer["trace"]["name"], answer["trace"]["session_id"]) == ("answer", f"{trace}-session")
    assert (root["type"], root["parent_span_id"], root["is_root"]) == ("span", None, True)
    assert (root["input"], root["output"], root["trace_metadata"]) == ("hi", "ho", {"plan": "free"})
    assert (root["environment"], root["release"], root["user_id"]) == ("production", "1.2", "alice")
    assert (root["scope"]["name"], root["protocol"], root["tags"]) == ("genscope", "pieces", ["channel:chat"])
    assert (step["type"], step["parent_span_id"], step["duration_ms"]) == ("span", f"{trace}:root", 3000)
    assert (step["metadata"], step["attributes"], step["level"]) == ({"n": 1}, {"color": "blue"}, "DEFAULT")
    assert (call["type"], call["parent_span_id"], call["provider"]) == ("generation", f"{trace}-step", "openai")
    assert (call["model"], call["model_parameters"]) == ("gpt-4o-2024-08-06", {"temperature": 0.7})
    assert [message["content"] for message in call["input"]] == ["hi", "again"]
    assert (call["output"], call["time_to_first_token_ms"]) == ({"role": "assistant", "content": "ho"}, 1000)
    assert call["usage"] == {"input": 100, "output": 50, "total": 150, "input_cache_read": 20}
    assert (call["cost"]["total"], call["cost_source"]) == ("0.000725", "computed")
    assert (tool["type"], tool["input"], tool["output"]) == ("tool", {"order": 1}, "found")
    assert (tool["level"], tool["status_message"], tool["events"][0]["name"]) == ("ERROR", "late", "exception")
    assert tool["attributes"] == {"error.type": "Late", "shape": "round"}
    assert (event["type"], event["start_time"]) == ("event", event["end_time"])


def test_things_are_found_by_kind_and_id_alone(server: Server) -> None:
    trace, call = unique("found"), unique("call")
    send(server, {"kind": "generation", "id": call, "output": "ho", "end_time": "2026-01-02T03:04:06Z"})
    send(server, {"kind": "generation", "id": call, "parent": {"kind": "trace", "id": trace}})
    send(server, {"kind": "generation", "id": call, "start_time": "2026-01-02T03:04:05.5Z"})
    found = server.trace(trace)[call]
    assert (found["output"], found["duration_ms"], found["parent_span_id"]) == ("ho", 500, f"{trace}:root")


def test_costs_that_are_told_hold(server: Server) -> None:
    trace = unique("cost")
    send(server, {"kind": "generation", "id": "g", "trace_id": trace, "model": "gpt-4o", "start_time": T,
                  "usage": {"prompt_tokens": 10, "completion_tokens": 5}, "cost": {"total": "0.25"}})  # fmt: skip
    found = server.trace(trace)["g"]
    assert (found["cost"], found["cost_source"]) == ({"total": "0.25"}, "reported")
    assert found["usage"] == {"input": 10, "output": 5, "total": 15}


def test_scores_and_sessions(server: Server) -> None:
    trace, session = unique("scored"), unique("session")
    thing: dict[str, Any] = {"kind": "generation", "id": unique("g")}
    lines: list[dict[str, Any]] = [
        {"kind": "session", "id": session, "name": "support", "start_time": T, "tags": ["vip"], "metadata": {"n": 1}, "x": 2},
        {**thing, "parent": {"kind": "trace", "id": trace}, "session_id": session, "start_time": T},
        # The sender of a score need not know the trace of what it is about.
        {"kind": "score", "parent": thing, "name": "feedback", "value": 1, "comment": "fine", "source": "FEEDBACK"},
        {"kind": "score", "parent": {"kind": "trace", "id": trace}, "name": "speed", "value": 2.5, "source": "METRIC"},
        {"kind": "score", "parent": {"kind": "session", "id": session}, "name": "mood", "value": "good"},
        {"kind": "score", "id": unique("score"), "trace_id": trace, "span_id": thing["id"], "name": "right",
         "value": True, "data_type": "BOOLEAN", "time": "2026-01-02T03:04:05Z"},
    ]  # fmt: skip
    for line in lines * 2:
        send(server, line)
    answer = server.get(f"/api/v1/traces/{trace}")
    assert [score["name"] for score in answer["trace"]["scores"]] == ["speed"]
    (span,) = answer["spans"]
    said = {score["name"]: score for score in span["scores"]}
    assert sorted(said) == ["feedback", "right"]
    assert (said["feedback"]["value"], said["feedback"]["comment"], said["feedback"]["source"]) == (
        1,
        "fine",
        "FEEDBACK",
    )
    assert (said["right"]["value"], said["right"]["data_type"]) == (1, "BOOLEAN")
    (mood,) = server.get("/api/v1/scores", session_id=session)["data"]
    assert (mood["string_value"], mood["data_type"]) == ("good", "CATEGORICAL")
    (found,) = server.get("/api/v1/sessions", session_id=session, **{"from": "2026-01-01"})["data"]
    assert (found["name"], found["tags"], found["metadata"]) == ("support", ["vip"], {"n": 1, "x": 2})


def test_a_bad_line_harms_nobody(server: Server) -> None:
    trace = unique("bad")
    bad = {
        "{": "",
        "[1]": "a line must be a JSON object",
        '"a"': "a line must be a JSON object",
        '{"kind": "thing", "id": "x"}': "kind must be one of trace, span",
        '{"kind": ["span"], "id": "x"}': "kind must be one of",
        '{"kind": "span"}': "an id is missing",
        json.dumps({"kind": "span", "id": "x" * 513}): "longer than 512",
        '{"kind": "span", "id": "x", "trace_id": []}': "an id is missing, no text",
        '{"kind": "span", "id": "x", "parent": "t"}': "parent must be an object",
        '{"kind": "span", "id": "x", "parent": {"kind": "score", "id": "t"}}': "cannot be a part of that score",
        '{"kind": "span", "id": "x", "parent": {"kind": "span", "id": "x"}}': "cannot be a part of that span",
        '{"kind": "trace", "id": "x", "parent": {"kind": "trace", "id": "t"}}': "a trace cannot be a part",
        '{"kind": "span", "id": "x", "start_time": "yesterday"}': "is no time",
        '{"kind": "span", "id": "x", "start_time": -1}': "is no time",
        '{"kind": "span", "id": "x", "time": 1.5}': "is no time",
        '{"kind": "span", "id": "x", "level": "LOUD"}': "is no level",
        '{"kind": "span", "id": "x", "metadata": [1]}': "where an object was expected",
        '{"kind": "span", "id": "x", "tags": {"a": 1}}': "must be lists of texts",
        '{"kind": "span", "id": "x", "events": [1]}': "where an object was expected",
        '{"kind": "generation", "id": "x", "messages": "hi"}': "where messages were expected",
        '{"kind": "score", "name": "n", "value": 1}': "a score is about one of: a parent",
        '{"kind": "score", "trace_id": "t", "session_id": "s", "name": "n", "value": 1}': "a score is about one of: a parent",
        '{"kind": "score", "parent": {"kind": "score", "id": "x"}, "name": "n", "value": 1}': "cannot be about a score",
        '{"kind": "score", "trace_id": "t", "value": 1}': "name must be a string",
        '{"kind": "score", "trace_id": "t", "name": "n", "value": 1, "source": "ME"}': "source must be one of",
    }
    good = json.dumps({"kind": "span", "id": "good", "trace_id": trace, "start_time": T, "text": "\ud83d half \x00"})
    answer = post(server, "\n".join(["", *bad, "", good, ""]).encode())
    assert answer.status_code == 200
    told = answer.json()
    assert (told["accepted"], told["rejected"]) == (1, len(bad))
    for error, (number, reason) in zip(told["errors"], enumerate(bad.values(), 2), strict=True):
        assert error["line"] == number
        assert reason in error["reason"]
    assert list(server.trace(trace)) == ["good"]
    kept = server.get("/api/v1/rejected", limit=100)["data"]
    assert {one["protocol"] for one in kept if "is no level" in one["reason"]} == {"pieces"}


def test_arrays_and_compressed_lines_are_read_too(server: Server) -> None:
    trace = unique("array")
    one = {"kind": "span", "id": "one", "trace_id": trace, "start_time": T}
    answer = post(server, json.dumps([one, 1], indent=1).encode(), **{"content-type": "application/json"})
    assert (answer.status_code, answer.json()["accepted"], answer.json()["rejected"]) == (200, 1, 1)
    line = json.dumps({**one, "id": "two"}).encode() + b"\r\n"
    assert post(server, gzip.compress(line), **{"content-encoding": "gzip"}).json()["accepted"] == 1
    assert post(server, b"\xef\xbb\xbf" + json.dumps([{**one, "id": "three"}]).encode()).json()["accepted"] == 1
    assert post(server, b"").json() == {"accepted": 0, "rejected": 0, "errors": []}
    assert sorted(server.trace(trace)) == ["one", "three", "two"]


def test_refusals(server: Server) -> None:
    assert post(server, b"[{").status_code == 400
    assert post(server, b"x", **{"content-encoding": "gzip"}).status_code == 400
    assert post(server, b"{}", **{"content-encoding": "rot13"}).status_code == 415
    assert post(server, b"{}\n" * 100_002).status_code == 413
    with httpx.Client(trust_env=False) as client:
        refused = client.post(f"{server.url}/api/v1/pieces", content=b"{}")
    assert (refused.status_code, refused.json()["error"]) == (401, "Unauthorized")


def test_long_texts_are_cut_and_masked(tmp_path: Path) -> None:
    running = Server(tmp_path / "small", environment={"GENSCOPE_MAX_VALUE_BYTES": "100"}).start()
    try:
        with running.client() as client:
            assert client.put("/api/v1/redaction", json={"detect": ["email"]}).status_code == 200
        send(running, {"kind": "span", "id": "long", "trace_id": "t", "start_time": T, "input": "x" * 101},
             {"kind": "generation", "id": "g", "trace_id": "t", "start_time": T + 1, "output": "to me@example.com",
              "messages": [{"role": "user", "content": "I am you@example.com"}]})  # fmt: skip
        spans = running.trace("t")
    finally:
        running.stop()
    assert spans["long"]["input"] == "x" * 100 + "…[genscope: truncated, 101 bytes]"
    assert spans["g"]["output"] == "to [redacted:email]"
    assert spans["g"]["input"] == [{"role": "user", "content": "I am [redacted:email]"}]


JSON: st.SearchStrategy[Any] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from(["2026-01-01", "trace"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["kind", "id", "name", "x"]), inner),
    max_leaves=5,
)
ABOUT = st.fixed_dictionaries({"kind": st.sampled_from(pieces.KINDS), "id": st.just("x")})
KEYS = (*pieces.FIELDS, "trace_id", "parent", "time", "value", "source", "span_id", "session_id", "x", "")


@settings(max_examples=200, deadline=None)
@given(about=ABOUT, told=st.dictionaries(st.sampled_from(KEYS), JSON, max_size=4))
def test_whatever_a_line_says_it_is_taken_or_refused(about: dict[str, Any], told: dict[str, Any]) -> None:
    body = json.dumps({"name": "n", "value": 1, **about, **told}).encode("utf-8", "surrogatepass")
    lines = pieces.decode(body, START, max_lines=1, max_value_bytes=100)
    assert lines.taken + len(lines.refused) == 1
    assert len(lines.patches) + len(lines.sessions) + len(lines.scores) == lines.taken


# --- orders -------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    with contextlib.closing(Store(tmp_path_factory.mktemp("pieces") / "store")) as opened:
        yield opened


LINES = [json.dumps(line).encode() for line in conversation("t")]


def take(store: Store, project: str, lines: list[bytes]) -> None:
    told = pieces.decode(b"\n".join(lines), START, max_lines=1000, max_value_bytes=1 << 20)
    assert told.refused == []
    store.take(store.server(), project, told.patches, START)


@settings(max_examples=5, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    order=st.permutations(range(len(LINES))),
    doubled=st.lists(st.integers(0, len(LINES) - 1), max_size=4),
    size=st.integers(1, 6),
)
def test_any_order_ends_the_same(store: Store, order: list[int], doubled: list[int], size: int) -> None:
    take(store, "expected", LINES)
    sent = [LINES[index] for index in (*order, *doubled)]
    project = secrets.token_hex(8)
    for begin in range(0, len(sent), size):
        take(store, project, sent[begin : begin + size])
    found = store.spans(project, "t")
    assert {span.span_id: span for span in found} == {span.span_id: span for span in store.spans("expected", "t")}
