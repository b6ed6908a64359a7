"""What was rejected, and what was said of traces and spans: in the API and on the pages."""

from __future__ import annotations

import re
from typing import Any

import httpx
import pytest

from tests.running import Server
from tests.sending import PROTOBUF, encoded, new_id, request, span


@pytest.fixture
def pages(server: Server) -> httpx.Client:
    """Someone who is logged in."""
    client = httpx.Client(base_url=server.url, timeout=60, trust_env=False, follow_redirects=True)
    client.post("/login", data={"public_key": server.public_key, "secret_key": server.secret_key})
    return client


def reject(server: Server, count: int, reason: str = "") -> None:
    """Send events that cannot be taken."""
    batch = [
        {
            "id": f"e{index}",
            "type": "span-update",
            "timestamp": "2026-01-02T03:04:05Z",
            "body": {"name": f"no id {reason}"},
        }
        for index in range(count)
    ]
    with server.client() as client:
        told = client.post("/api/public/ingestion", json={"batch": batch})
        assert len(told.json()["errors"]) == count


def test_what_was_rejected_is_listed_page_by_page(project: Server) -> None:
    for _ in range(3):
        reject(project, 7)
    rows: list[dict[str, Any]] = []
    cursor = ""
    while cursor is not None:
        page = project.get("/api/v1/rejected", limit=4, cursor=cursor)
        rows, cursor = rows + page["data"], page["next_cursor"]
    assert len(rows) == 21
    assert [row["time"] for row in rows] == sorted((row["time"] for row in rows), reverse=True)
    assert all(row["reason"] and row["protocol"] == "langfuse" for row in rows)
    assert project.get("/api/v1/rejected", to="2020-01-01")["data"] == []


def test_a_page_tells_what_was_rejected(server: Server, pages: httpx.Client) -> None:
    reject(server, 1, reason="<script>")
    page = pages.get("/rejected")
    assert page.status_code == 200
    assert "langfuse" in page.text
    assert "no id &lt;script&gt;" in page.text
    assert 'href="/rejected" aria-current="page"' in re.sub(r"\s+", " ", page.text)
    assert pages.get("/rejected?cursor=nonsense").status_code == 400


def test_scores_are_shown_where_they_belong(server: Server, pages: httpx.Client) -> None:
    trace_id, root_id, child_id = new_id(16), new_id(8), new_id(8)
    spans = [
        span(trace_id, span_id=root_id, name="root"),
        span(trace_id, span_id=child_id, name="child", parent_span_id=bytes.fromhex(root_id)),
    ]
    scores: list[dict[str, Any]] = [
        {"traceId": trace_id, "name": "stars-of-trace", "value": 4.5, "comment": "well <b>done</b>"},
        {"traceId": trace_id, "observationId": child_id, "name": "tone-of-child", "value": "friendly"},
    ]
    with server.client() as client:
        client.post(
            "/v1/traces", content=encoded(request(spans)), headers={"content-type": PROTOBUF}
        ).raise_for_status()
        for score in scores:
            client.post("/api/public/scores", json=score).raise_for_status()

    read = server.get(f"/api/v1/traces/{trace_id}")
    assert [score["name"] for score in read["trace"]["scores"]] == ["stars-of-trace"]
    assert [[score["name"] for score in one["scores"]] for one in read["spans"]] == [[], ["tone-of-child"]]
    assert [one["scores"] for one in server.get("/api/v1/spans", trace_id=trace_id, sort="start_time")["data"]] == [
        one["scores"] for one in read["spans"]
    ]
    assert [
        score["value"] for score in server.get("/api/v1/scores", trace_id=trace_id, name="stars-of-trace")["data"]
    ] == [4.5]

    root, child = (pages.get(f"/traces/{trace_id}/spans/{id_}").text for id_ in (root_id, child_id))
    assert "stars-of-trace" in root
    assert "4.5" in root
    assert "well &lt;b&gt;done&lt;/b&gt;" in root
    assert "tone-of-child" not in root
    assert "tone-of-child" in child
    assert "friendly" in child
