"""A project's own prices: set, listed and removed over HTTP and by command, and what they make of calls that come in."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from tests.command import asked, asked_json
from tests.running import Server
from tests.sending import PROTOBUF, encoded, new_id, request, span

SECOND = 10**9


def nanoseconds(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * SECOND


@pytest.fixture(scope="module")
def two_projects(server: Server) -> tuple[Server, tuple[str, str]]:
    """A project, and one more whose key pair comes along."""
    return server.new_project(), server.new_project().basic


@pytest.fixture
def priced(two_projects: tuple[Server, tuple[str, str]]) -> Iterator[Server]:
    """The project, without prices before and after."""
    server = two_projects[0]
    yield server
    with server.client() as client:
        for price in client.get("/api/v1/prices").json()["data"]:
            assert client.delete(f"/api/v1/prices/{price['id']}").status_code == 200


def set_price(server: Server, model: str, **what: Any) -> Any:
    with server.client() as client:
        answer = client.post("/api/v1/prices", json={"model": model} | what)
        assert answer.status_code == 200, answer.text
        return answer.json()


def call(server: Server, model: str, *, start: int | None = None, key: tuple[str, str] | None = None) -> Any:
    """Send a call of 1000 input and 100 output tokens and return it as it is read."""
    trace_id = new_id(16)
    attributes = {
        "gen_ai.operation.name": "chat",
        "gen_ai.request.model": model,
        "gen_ai.usage.input_tokens": 1000,
        "gen_ai.usage.output_tokens": 100,
    }
    body = encoded(request([span(trace_id, start=start, attributes=attributes)]))
    with httpx.Client(base_url=server.url, auth=key or server.basic, timeout=30, trust_env=False) as client:
        assert client.post("/v1/traces", content=body, headers={"content-type": PROTOBUF}).status_code == 200
        (read,) = client.get(f"/api/v1/traces/{trace_id}").json()["spans"]
    return read


def test_a_model_that_no_list_knows_gets_a_price_from_the_project(priced: Server) -> None:
    before = call(priced, "house-model-1")
    assert (before["cost"], before["cost_missing"]) == (None, "unknown_model")
    set_price(priced, "house-model-1", prices={"input": "0.2", "output": 0.6}, request="0.001")
    after = call(priced, "house-model-1")
    assert after["cost"] == {"input": "0.0002", "output": "0.00006", "request": "0.001", "total": "0.00126"}
    assert (after["cost_source"], after["cost_missing"]) == ("computed", None)


def test_it_wins_over_the_price_list_and_removing_it_brings_the_list_back(priced: Server) -> None:
    listed = call(priced, "gpt-4o")["cost"]["total"]
    made = set_price(priced, "GPT-4*", prices={"input": "1", "output": "1"})
    assert call(priced, "gpt-4o")["cost"]["total"] == "0.0011" != listed
    with priced.client() as client:
        assert client.delete(f"/api/v1/prices/{made['id']}").json() == made
        gone = client.delete(f"/api/v1/prices/{made['id']}")
    assert (gone.status_code, "GET /api/v1/prices" in gone.json()["message"]) == (404, True)
    assert call(priced, "gpt-4o")["cost"]["total"] == listed


def test_the_price_is_that_which_held_when_the_call_started(priced: Server) -> None:
    set_price(priced, "dated", prices={"input": "1", "output": "0"}, start="2026-01-01")
    set_price(priced, "dated", prices={"input": "2", "output": "0"}, start="2026-06-01T00:00:00Z")
    set_price(priced, "dated", prices={"input": "3", "output": "0"}, start="2026-09-01T02:00:00+02:00")
    costs = {
        day: (call(priced, "dated", start=nanoseconds(day))["cost"] or {}).get("input")
        for day in ("2025-12-31", "2026-01-01", "2026-05-31", "2026-06-01", "2026-08-31", "2026-09-01")
    }
    assert list(costs.values()) == [None, "0.001", "0.001", "0.002", "0.002", "0.003"]
    assert [price["start"] for price in priced.get("/api/v1/prices")["data"]] == [
        "2026-01-01T00:00:00.000000Z",
        "2026-06-01T00:00:00.000000Z",
        "2026-09-01T00:00:00.000000Z",
    ]


def test_set_twice_is_set_once_and_the_last_one_holds(priced: Server) -> None:
    first = set_price(priced, "twice", prices={"input": "1"}, provider="OpenAI")
    second = set_price(priced, "Twice", prices={"output": "2", "input": "1.50"}, provider="openai")
    assert first["id"] == second["id"]
    assert priced.get("/api/v1/prices")["data"] == [second]
    assert second["prices"] == {"input": "1.5", "output": "2"}
    assert set_price(priced, "twice", prices={"input": "1"})["id"] != first["id"], "another provider, another price"


def test_prices_outlive_the_server(fresh_server: Server) -> None:
    made = set_price(fresh_server, "kept-*", prices={"input": "0.000001", "output": "1e-7"}, request="2")
    removed = set_price(fresh_server, "gone", request="2")
    with fresh_server.client() as client:
        assert client.delete(f"/api/v1/prices/{removed['id']}").status_code == 200
    fresh_server.stop()
    fresh_server.start()
    assert fresh_server.get("/api/v1/prices")["data"] == [made]
    assert call(fresh_server, "kept-one")["cost"]["request"] == "2"


def test_another_project_neither_sees_nor_pays_nor_removes(two_projects: tuple[Server, tuple[str, str]]) -> None:
    server, other = two_projects
    made = set_price(server, "mine", prices={"input": "1", "output": "1"})
    assert call(server, "mine")["cost_missing"] is None
    assert call(server, "mine", key=other)["cost_missing"] == "unknown_model"
    with httpx.Client(base_url=server.url, auth=other, timeout=30, trust_env=False) as client:
        assert client.get("/api/v1/prices").json()["data"] == []
        assert client.delete(f"/api/v1/prices/{made['id']}").status_code == 404
        theirs = {"project_id": server.project}
        assert client.post("/api/v1/prices", params=theirs, json={"model": "x", "request": 1}).status_code == 403
    assert server.get("/api/v1/prices")["data"] == [made]
    with server.client() as client:
        client.delete(f"/api/v1/prices/{made['id']}")
        assert client.get("/api/v1/prices", auth=("pk-none", "sk-none")).status_code == 401


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("", "no price"),
        ("[]", "object"),
        ("{}", "model"),
        ('{"model": "m"}', "give a price"),
        ('{"model": "", "request": 1}', "model pattern"),
        ('{"model": "m", "request": -1}', "0 to"),
        ('{"model": "m", "request": "NaN"}', "number of US dollars"),
        ('{"model": "m", "request": "1e-30"}', "digits"),
        ('{"model": "m", "request": 1e30}', "0 to"),
        ('{"model": "m", "prices": {"input": "free"}}', "prices"),
        ('{"model": "m", "prices": {"input": null}}', "prices"),
        ('{"model": "m", "prices": {"total": 1}}', "no kind of usage"),
        ('{"model": "m", "prices": {"input": 1}, "start": "yesterday"}', "ISO 8601"),
        ('{"model": "m", "prices": {"input": 1}, "start": "7d"}', "ISO 8601"),
        ('{"model": "m", "prices": {"input": 1}, "start": "1500-01-01"}', "1970"),
        ('{"model": "m", "prices": {"input": 1}, "from": "2026-01-01"}', "from"),
        ('{"model": "m", "provider": "\\u0000", "request": 1}', "provider"),
        ('{"model": "' + "m" * 400 + '", "request": 1}', "model pattern"),
    ],
)
def test_what_is_no_price_is_refused_with_the_reason(priced: Server, body: str, said: str) -> None:
    with priced.client() as client:
        answer = client.post("/api/v1/prices", content=body, headers={"content-type": "application/json"})
    assert answer.status_code == 400, answer.text
    assert said in answer.json()["message"]
    assert priced.get("/api/v1/prices")["data"] == []


def test_bodies_of_another_kind_or_size_are_refused(priced: Server) -> None:
    with priced.client() as client:
        form = client.post("/api/v1/prices", data={"model": "m"})
        large = client.post("/api/v1/prices", json={"model": "m" * 100_000, "request": 1})
    assert (form.status_code, large.status_code) == (415, 413)


def test_prices_by_command(priced: Server) -> None:
    made = asked_json(
        priced, "prices", "set", "acme-*", "--input", "0.25", "--price", "input_cache_read=0.025", "--output", "1",
        "--provider", "acme", "--from", "2026-01-01",
    )  # fmt: skip
    assert made["prices"] == {"input": "0.25", "input_cache_read": "0.025", "output": "1"}
    assert asked_json(priced, "prices", "list") == priced.get("/api/v1/prices")["data"] == [made]
    told = asked(priced, "prices", "set", "acme big", "--request", "0.5")
    assert "genscope reprice --from 30d --where 'model=acme big'" in told
    listed = asked(priced, "prices", "list")
    assert made["id"] in listed
    assert "input 0.25, output 1, input_cache_read 0.025" in listed
    assert "removed" in asked(priced, "prices", "remove", made["id"])
    assert [price["model"] for price in asked_json(priced, "prices", "list")] == ["acme big"]
