"""The same question has the same answer wherever it is asked, of calls that are told once or twice, whole or in pieces."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import httpx
import pytest

from tests import figures
from tests.running import Server
from tests.sending import PROTOBUF, encoded, request, span
from tests.test_maxim import SEED, log

EVER = {"from": "2020-01-01", "to": "2040-01-01"}
WHEN = "2026-01-02T05:00:0"
#: A conversation told in pieces: its trace is a thing of its own, and one of its calls has neither an end nor a price.
EVENTS: list[tuple[str, dict[str, Any]]] = [
    ("trace-create", {"id": "told", "name": "chat", "userId": "carol", "sessionId": "thread", "timestamp": f"{WHEN}0Z"}),
    (
        "generation-create",
        {
            "id": "g1",
            "traceId": "told",
            "name": "draft",
            "model": "gpt-4o",
            "startTime": f"{WHEN}1Z",
            "endTime": f"{WHEN}3Z",
            "usage": {"input": 1000, "output": 100, "unit": "TOKENS"},
        },
    ),
    ("generation-update", {"id": "g1", "traceId": "told", "level": "ERROR", "statusMessage": "cut off"}),
    ("generation-create", {"id": "g2", "traceId": "told", "name": "more", "model": "house"}),
]  # fmt: skip


@pytest.fixture(scope="module")
def server(server: Server) -> Server:
    running = server.new_project()
    figures.send(running)
    batch = [
        {"id": f"event {number}", "type": kind, "timestamp": f"{WHEN}{number}Z", "body": body}
        for number, (kind, body) in enumerate(EVENTS)
    ]
    with running.client() as client:
        for _ in range(2):
            client.post("/api/public/ingestion", json={"batch": batch}).raise_for_status()
    lines = SEED.read_text().replace("\r\n", "\n").partition("\n\n")[2]
    log(running, *(line for line in lines.splitlines() if line.strip()))
    return running


def money(texts: Any) -> Decimal:
    return sum((Decimal(text) for text in texts if text is not None), Decimal(0))


def added(rows: list[dict[str, Any]], *names: str) -> tuple[Any, ...]:
    """Each of these figures over all rows: what is a text is money."""
    told = [[row[name] for row in rows] for name in names]
    return tuple(
        money(values) if any(isinstance(value, str) for value in values) else sum(value or 0 for value in values)
        for values in told
    )


def test_totals_agree_everywhere(server: Server) -> None:
    names = "calls,cost,unpriced_calls,input_tokens,output_tokens,failed_calls,errors,spans"
    (row,) = server.get("/api/v1/metrics", measures=names, **EVER)["data"]
    told = row["measures"]
    calls, unpriced, failed = told["calls"], told["unpriced_calls"], told["failed_calls"]
    cost, tokens = Decimal(told["cost"]), (told["input_tokens"], told["output_tokens"])
    assert (calls, unpriced) == (6 + 2 + maxim(server), 2 + maxim_unpriced(server))

    models = server.get("/api/v1/models", **EVER)["data"]
    assert added(models, "calls", "errors", "total_cost", "unpriced_calls") == (calls, failed, cost, unpriced)
    usage = [row["usage"] for row in models]
    assert tuple(sum(one.get(kind, 0) for one in usage) for kind in ("input", "output")) == tokens

    rows = server.get("/api/v1/metrics", measures="calls,cached_share", group_by="provider,model", **EVER)["data"]
    shares = {tuple(row["group"].values()): row["measures"]["cached_share"] for row in rows if row["measures"]["calls"]}
    assert {(row["provider"], row["model"]): row["cached_share"] for row in models} == shares
    assert None in shares.values()

    sums = ("call_count", "total_cost", "unpriced_count", "input_tokens", "output_tokens", "error_count", "span_count")
    traces = server.get("/api/v1/traces", limit=1000, **EVER)["data"]
    assert added(traces, *sums) == (calls, cost, unpriced, *tokens, told["errors"], told["spans"])
    assert {trace["trace_id"]: whole(server, trace["trace_id"]) for trace in traces} == {
        trace["trace_id"]: trace for trace in traces
    }

    coverage = server.get("/api/v1/coverage", **EVER)
    assert (coverage["calls"], coverage["unpriced_calls"], Decimal(coverage["total_cost"])) == (calls, unpriced, cost)
    assert coverage["tokens"] == sum(tokens)

    what_if = server.get("/api/v1/models/what-if", target="openai/gpt-4o", **EVER)["total"]
    assert (what_if["calls"], Decimal(what_if["cost"])) == (calls, cost)

    for path in ("/api/public/metrics", "/api/public/v2/metrics"):
        (figure,) = server.get(path, query=json.dumps(langfuse("totalCost", "inputTokens", "outputTokens")))["data"]
        assert Decimal(str(round(float(figure["sum_totalCost"]), 9))) == cost
        assert (int(figure["sum_inputTokens"]), int(figure["sum_outputTokens"])) == tokens

    overview = page(server, "/overview.json", **EVER)["totals"]
    assert {name: overview[name] for name in names.split(",")} == told


@pytest.mark.parametrize("field", ["user", "session"])
def test_totals_of_whose_they_are_agree(server: Server, field: str) -> None:
    measures = "calls,generations,cost,unpriced_calls,input_tokens,errors,traces"
    rows = server.get("/api/v1/metrics", measures=measures, group_by=field, **EVER)["data"]
    told = {row["group"][field]: row["measures"] for row in rows if row["group"][field] is not None}
    listed = {row["id"]: row for row in server.get(f"/api/v1/{field}s", **EVER)["data"]}
    assert listed.keys() == told.keys()
    for name, figure in told.items():
        of = listed[name]
        assert (of["call_count"], of["total_cost"], of["unpriced_count"], of["input_tokens"], of["trace_count"]) == (
            figure["calls"],
            figure["cost"],
            figure["unpriced_calls"],
            figure["input_tokens"],
            figure["traces"],
        )
        assert of["error_count"] == figure["errors"]
        assert of.get("generation_count", figure["generations"]) == figure["generations"]


def test_turns_of_a_session_count_a_call_once(server: Server) -> None:
    # Of the session that a trace with a call that is told twice belongs to.
    session = span(figures.A, start=figures.at(figures.DAY, "02:00:00"), attributes={"session.id": "of a"})
    with server.client() as client:
        client.post(
            "/v1/traces", content=encoded(request([session])), headers={"content-type": PROTOBUF}
        ).raise_for_status()
    view = page(server, "/sessions/of%20a.json")
    assert (view["session"]["call_count"], view["session"]["total_cost"]) == (2, "0.0065")
    (turn,) = view["turns"]
    assert (turn["call_count"], turn["total_cost"]) == (2, "0.0065")


def whole(server: Server, trace_id: str) -> dict[str, Any]:
    """What the page of a trace says of it."""
    trace: dict[str, Any] = server.get(f"/api/v1/traces/{trace_id}")["trace"]
    return trace


def maxim(server: Server) -> int:
    """How many calls the log has."""
    return len(server.get("/api/v1/generations", protocol="maxim", limit=1000)["data"])


def maxim_unpriced(server: Server) -> int:
    rows = server.get("/api/v1/generations", protocol="maxim", limit=1000)["data"]
    return sum(row["cost"] is None for row in rows)


def langfuse(*measures: str) -> dict[str, Any]:
    return {
        "view": "observations",
        "metrics": [{"measure": measure, "aggregation": "sum"} for measure in measures],
        "fromTimestamp": f"{EVER['from']}T00:00:00Z",
        "toTimestamp": f"{EVER['to']}T00:00:00Z",
    }


def page(server: Server, path: str, **parameters: str) -> Any:
    with httpx.Client(base_url=server.url, trust_env=False, timeout=60, follow_redirects=True) as client:
        client.post("/login", data={"public_key": server.public_key, "secret_key": server.secret_key})
        answer = client.get(path, params=parameters)
        assert answer.status_code == 200, answer.text
        return answer.json()
