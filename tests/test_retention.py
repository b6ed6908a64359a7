"""What is older than a project wants to keep goes as a whole, and nothing else."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from tests.running import Server
from tests.sending import GENERATION, PROTOBUF, encoded, new_id, request, span

DAY = 86_400 * 10**9
#: The machine may be busy.
PATIENCE = 120


@pytest.fixture
def two_projects(fresh_server: Server) -> Iterator[tuple[Server, httpx.Client]]:
    """A server, and a client of another project on it."""
    with fresh_server.new_project().client() as neighbour:
        yield fresh_server, neighbour


def tell(client: httpx.Client, *ages: float, session: str = "") -> str:
    """Store a trace with spans of these ages in days, and a score on it; return its id."""
    trace_id = new_id(16)
    told = GENERATION | ({"session.id": session} if session else {})
    spans = [span(trace_id, start=time.time_ns() - int(age * DAY), attributes=told) for age in ages]
    answer = client.post("/v1/traces", content=encoded(request(spans)), headers={"content-type": PROTOBUF})
    assert answer.status_code == 200
    score = {"id": f"s-{trace_id}", "traceId": trace_id, "name": "stars", "value": 1}
    assert client.post("/api/public/scores", json=score).status_code == 200
    return trace_id


def traces(client: httpx.Client) -> set[str]:
    return {trace["trace_id"] for trace in client.get("/api/v1/traces", params={"limit": 1000}).json()["data"]}


def until(condition: Callable[[], Any]) -> None:
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.2)


def test_whole_traces_go_and_neighbours_stay(two_projects: tuple[Server, httpx.Client]) -> None:
    server, neighbour = two_projects
    with server.client() as client:
        old = {tell(client, 40, 39), tell(client, 90)}
        # One whose last span is new is kept whole.
        kept = {tell(client, 0.01, session="living"), tell(client, 29), tell(client, 60, 1)}
        theirs = {tell(neighbour, 90), tell(neighbour, 1)}
        # What was said long ago of a session that goes on stays with it.
        for session in ("living", "gone"):
            said = {"name": "stars", "value": 1, "session_id": session, "time": "2020-01-01T00:00:00Z"}
            assert client.post("/api/v1/scores", json=said).status_code == 200
        forever = {"days": None, "expired_traces": 0, "oldest": None}
        assert client.get("/api/v1/retention").json() == forever

        page = httpx.Client(base_url=server.url, timeout=60, trust_env=False)
        page.post("/login", data={"public_key": server.public_key, "secret_key": server.secret_key})
        tried = page.post("/settings/retention", data={"days": "30", "do": "try"})
        assert "Delete 2 traces and keep 30 days" in tried.text
        assert traces(client) == old | kept
        for days in ("0", "-1", "36501", "many", "1e3", "", "٣"):
            assert page.post("/settings/retention", data={"days": days, "do": "save"}).status_code == 400
        for body in ({"days": 0}, {"days": "30"}, {}, {"days": 30, "more": 1}):
            assert client.put("/api/v1/retention", json=body).status_code == 400

        assert page.post("/settings/retention", data={"days": "30", "do": "save"}).status_code == 303
        until(lambda: traces(client) == kept)
        assert page.get("/settings/retention.json").json()["days"] == 30

        def about(field: str) -> set[str | None]:
            found = client.get("/api/v1/scores", params={"limit": 1000}).json()["data"]
            return {score[field] for score in found}

        until(lambda: about("session_id") == {"living", None})
        assert about("trace_id") == kept | {None}
        assert len(client.get("/api/v1/spans").json()["data"]) == 4
        assert traces(neighbour) == theirs
        assert neighbour.get("/api/v1/retention").json() == forever
        until(lambda: any("retention: deleted 2 traces of project default" in line for line in server.output))

        # What comes in late goes at the latest when the server starts again.
        late = tell(client, 50)
        server.stop()
        server.start()
    with (
        server.client() as client,
        httpx.Client(base_url=server.url, auth=neighbour.auth, timeout=60, trust_env=False) as again,
    ):
        until(lambda: late not in traces(client))
        assert client.put("/api/v1/retention", json={"days": None}).json() == forever
        late = tell(client, 50)
        assert traces(client) == kept | {late}
        assert traces(again) == theirs
