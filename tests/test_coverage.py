"""Coverage: what a total cost leaves out, in the API and by command."""

from __future__ import annotations

from typing import Any

import pytest

from tests.command import asked, asked_json, genscope, of
from tests.running import Server
from tests.sending import PROTOBUF, encoded, new_id, request, span

START = 1_767_323_045 * 10**9
USAGE: dict[str, Any] = {"gen_ai.usage.input_tokens": 900, "gen_ai.usage.output_tokens": 100}


def one(number: int, operation: str, model: str | None = None, *attributes: dict[str, Any]) -> Any:
    told: dict[str, Any] = {"gen_ai.operation.name": operation} | ({"gen_ai.request.model": model} if model else {})
    told |= {name: value for some in attributes for name, value in some.items()}
    return span(new_id(16), start=START + number * 10**9, attributes=told)


@pytest.fixture(scope="module")
def server(server: Server) -> Server:
    """A project with calls of every kind."""
    running = server.new_project()
    spans = [
        one(0, "chat", "gpt-4o", USAGE),
        one(1, "chat", "gpt-4o", USAGE, {"user.id": "alice"}),
        one(2, "chat", "house [model]", USAGE, {"gen_ai.provider.name": "vllm"}),
        one(3, "chat", "house [model]", USAGE, {"gen_ai.provider.name": "vllm"}),
        one(4, "chat", "gpt-4o"),
        one(5, "chat", None, USAGE),
        one(6, "embeddings", "text-embedding-3-small", {"gen_ai.usage.input_tokens": 500}),
        one(7, "chat", "never-heard-of", USAGE, {"gen_ai.usage.cost": 0.5}),
        one(8, "invoke_agent", "gpt-4o", USAGE),
        one(9, "execute_tool"),
    ]
    body = encoded(request(spans))
    with running.client() as client:
        for _ in range(2):
            assert client.post("/v1/traces", content=body, headers={"content-type": PROTOBUF}).status_code == 200
    return running


def test_every_call_is_counted_once_with_what_it_lacks(server: Server) -> None:
    told = server.get("/api/v1/coverage")
    assert (told["calls"], told["by_type"]) == (8, {"embedding": 1, "generation": 7})
    assert (told["priced_calls"], told["unpriced_calls"]) == (4, 4)
    assert (told["without_model"], told["without_usage"]) == (1, 1)
    assert told["cost_missing"] == {"no_model": 1, "no_usage": 1, "unknown_model": 2}
    assert told["cost_source"] == {"computed": 3, "reported": 1}
    assert (told["tokens"], told["priced_tokens"], told["priced_share"]) == (6500, 3500, 3500 / 6500)
    unpriced = told["unpriced_models"]
    assert [(row["provider"], row["model"], row["calls"], row["tokens"]) for row in unpriced] == [
        ("vllm", "house [model]", 2, 2000),
        (None, None, 1, 1000),
        ("openai", "gpt-4o", 1, 0),
    ]
    assert unpriced[0]["first_seen"] == "2026-01-02T03:04:07.000000Z"
    assert unpriced[0]["last_seen"] == "2026-01-02T03:04:08.000000Z"
    assert unpriced[0]["cost_missing"] == {"unknown_model": 2}


def test_its_total_and_its_gaps_are_those_of_the_other_views(server: Server) -> None:
    told = server.get("/api/v1/coverage")
    models = server.get("/api/v1/models")["data"]
    assert sum(row["unpriced_calls"] for row in models) == told["unpriced_calls"]
    assert sum(float(row["total_cost"] or 0) for row in models) == pytest.approx(float(told["total_cost"]))
    traces = server.get("/api/v1/traces", limit="100")["data"]
    assert sum(row["unpriced_count"] for row in traces) == told["unpriced_calls"]


def test_it_follows_the_filter(server: Server) -> None:
    assert server.get("/api/v1/coverage", user_id="alice")["priced_share"] == 1
    assert server.get("/api/v1/coverage", cost_missing="no_usage")["calls"] == 1
    assert server.get("/api/v1/coverage", **{"from": "2026-01-02T03:04:12Z"})["calls"] == 1
    nothing = server.get("/api/v1/coverage", model="none")
    assert (nothing["calls"], nothing["priced_share"], nothing["total_cost"]) == (0, None, None)
    with server.client() as client:
        assert client.get("/api/v1/coverage", params={"from": "yesterday"}).status_code == 400


def test_the_command_says_the_next_step_and_taking_it_closes_the_gap(server: Server) -> None:
    told = asked(server, "coverage", "--where", "provider=vllm")
    assert "2 calls to a model (2 of type generation)" in told
    assert "0.00 % of 2,000 tokens" in told
    step = "genscope prices set 'house [model]' --provider vllm --input USD --output USD"
    again = "genscope reprice --from 2026-01-02T03:04:07.000000Z"
    assert step in told
    assert again in told
    unfilled = genscope(*["prices", "set", "house [model]", "--input", "USD", "--output", "USD"], **of(server))
    assert (unfilled.returncode, "number of US dollars" in unfilled.stderr or "decimal" in unfilled.stderr) == (1, True)
    asked(server, "prices", "set", "house [model]", "--provider", "vllm", "--input", "1", "--output", "2")
    changes = asked_json(server, *again.split()[1:])
    assert (changes["newly_priced"], changes["changed"]) == (2, 2)
    closed = asked_json(server, "coverage", "--where", "provider=vllm")
    assert (closed["unpriced_calls"], closed["unpriced_models"], closed["total_cost"]) == (0, [], "0.0022")
    assert "100 % of 2,000 tokens" in asked(server, "coverage", "--where", "provider=vllm")
