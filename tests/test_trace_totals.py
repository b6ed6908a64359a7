"""Totals of traces, models and coverage count each call to a model once, whoever tells of it."""

from __future__ import annotations

import time
from dataclasses import dataclass
from decimal import Decimal

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from tests.running import Server
from tests.sending import PROTOBUF, encoded, new_id, request, span

#: 1000 tokens in and 100 out of gpt-4o.
PRICE = Decimal("0.0035")


@dataclass(frozen=True)
class Told:
    """A call as a library (`scope`) tells of it, with its begin and end in milliseconds; `within` is its parent."""

    scope: str
    begin: int
    end: int
    input: int = 1000
    model: str = "gpt-4o"
    within: int | None = None
    operation: str = "chat"
    output: int = 100
    provider: str = "openai"


def built(calls: list[Told]) -> tuple[str, ExportTraceServiceRequest]:
    """Return the id of a trace of these calls and the request that sends them."""
    trace_id, start = new_id(16), time.time_ns()
    ids = [new_id(8) for _ in calls]
    sent = request([])
    for identity, call in zip(ids, calls, strict=True):
        attributes = {
            "gen_ai.operation.name": call.operation,
            "gen_ai.provider.name": call.provider,
            "gen_ai.response.model": call.model,
            "gen_ai.usage.input_tokens": call.input,
            "gen_ai.usage.output_tokens": call.output,
        }
        one = span(
            trace_id,
            span_id=identity,
            start=start + call.begin * 10**6,
            milliseconds=call.end - call.begin,
            attributes=attributes,
            parent_span_id=b"" if call.within is None else bytes.fromhex(ids[call.within]),
        )
        scoped = sent.resource_spans[0].scope_spans.add()
        scoped.scope.name = call.scope
        scoped.spans.append(one)
    return trace_id, sent


@pytest.mark.parametrize(
    ("calls", "counted"),
    [
        pytest.param([Told("framework", 0, 50), Told("sdk", 10, 40, within=0)], 1, id="an SDK beneath a framework"),
        pytest.param([Told("framework", 0, 50), Told("sdk", 10, 40)], 1, id="beside it"),
        pytest.param([Told("a", 0, 50), Told("b", 0, 50)], 1, id="within one tick of the clock"),
        pytest.param([Told("a", 0, 50), Told("b", 5, 45), Told("c", 10, 40)], 1, id="three of them"),
        pytest.param(
            [Told("a", 0, 50), Told("b", 5, 45), Told("a", 60, 90), Told("b", 65, 85)],
            2,
            id="two calls one after the other",
        ),
        pytest.param(
            [Told("a", 0, 50), Told("b", 5, 45), Told("a", 1, 51), Told("b", 6, 46)], 2, id="two calls at once"
        ),
        pytest.param([Told("a", 0, 50), Told("a", 10, 40, within=0)], 2, id="one library tells of two"),
        pytest.param([Told("a", 0, 50), Told("b", 60, 90)], 2, id="at different times"),
        pytest.param([Told("a", 0, 50), Told("b", 10, 60)], 2, id="at overlapping times"),
        pytest.param([Told("a", 0, 50), Told("b", 10, 40, model="no-such-model")], 1, id="the inner one has no price"),
        pytest.param([Told("a", 0, 50, output=104), Told("b", 10, 40)], 1, id="the first tokens of a stream twice"),
        pytest.param([Told("a", 0, 50, model="our-deployment"), Told("b", 10, 40)], 1, id="by a deployment's name"),
        pytest.param([Told("a", 0, 50, provider="azure.ai.openai"), Told("b", 10, 40)], 1, id="by another seller"),
        pytest.param([Told("a", 0, 50), Told("a", 1, 51), Told("b", 5, 45)], 2, id="two at once, one of them twice"),
        pytest.param([Told("a", 0, 99), Told("b", 5, 45), Told("b", 50, 90)], 2, id="two calls within one telling"),
        pytest.param(
            [Told("a", 0, 50, operation="invoke_agent"), Told("a", 10, 40, within=0)], 1, id="an agent's roll-up"
        ),
    ],
)
def test_each_call_counts_once(server: Server, calls: list[Told], counted: int) -> None:
    trace_id, sent = built(calls)
    send(server, sent)

    assert totals(server, trace_id) == (counted, counted * 1000, counted * PRICE)


@pytest.mark.parametrize(
    ("other", "cost"),
    [
        pytest.param(Told("b", 10, 40, input=2000), "0.006", id="another question"),
        pytest.param(Told("b", 10, 40, output=200), "0.0045", id="another answer"),
        pytest.param(Told("b", 10, 40, model="claude-sonnet-4-5", provider="anthropic"), "0.0045", id="another maker"),
        pytest.param(Told("b", 10, 40, operation="embeddings", model="text-embedding-3-small"), "0.00002", id="type"),
    ],
)
def test_calls_that_differ_count_each(server: Server, other: Told, cost: str) -> None:
    trace_id, sent = built([Told("a", 0, 50), other])
    send(server, sent)

    assert totals(server, trace_id) == (2, 1000 + other.input, PRICE + Decimal(cost))


def test_one_call_counts_on_one_side_of_any_moment(server: Server) -> None:
    trace_id, sent = built([Told("a", 0, 50), Told("b", 10, 40)])
    send(server, sent)
    (outer, inner) = server.get("/api/v1/spans", trace_id=trace_id, sort="start_time")["data"]
    for moment in (outer["start_time"], inner["start_time"]):
        before = server.get("/api/v1/models", trace_id=trace_id, to=moment)["data"]
        after = server.get("/api/v1/models", trace_id=trace_id, **{"from": moment})["data"]
        assert [row["calls"] for row in before + after] == [1]


def test_a_telling_that_alone_meets_the_filter_counts(server: Server) -> None:
    trace_id, sent = built([Told("a", 0, 50, model="gpt-4o"), Told("b", 10, 40, model="gpt-4o-2024-08-06")])
    send(server, sent)
    for scope in ("a", "b"):
        (row,) = server.get("/api/v1/models", trace_id=trace_id, scope=scope)["data"]
        assert (row["calls"], Decimal(row["total_cost"])) == (1, PRICE)
    assert len(server.get("/api/v1/generations", trace_id=trace_id)["data"]) == 2


def send(server: Server, sent: ExportTraceServiceRequest) -> None:
    with server.client() as client:
        client.post("/v1/traces", content=encoded(sent), headers={"content-type": PROTOBUF}).raise_for_status()


def totals(server: Server, trace_id: str) -> tuple[int, int, Decimal]:
    """Return the calls, input tokens and cost of a trace, on which all views agree."""
    trace = server.get(f"/api/v1/traces/{trace_id}")["trace"]
    (listed,) = server.get("/api/v1/traces", trace_id=trace_id)["data"]
    models = server.get("/api/v1/models", trace_id=trace_id)["data"]
    coverage = server.get("/api/v1/coverage", trace_id=trace_id)
    calls = sum(row["calls"] for row in models)
    tokens = sum(row["usage"]["input"] for row in models)
    cost = sum((Decimal(row["total_cost"] or 0) for row in models), Decimal())
    for one in (trace, listed):
        assert (one["call_count"], one["input_tokens"], Decimal(one["total_cost"])) == (calls, tokens, cost)
    assert (coverage["calls"], Decimal(coverage["total_cost"])) == (calls, cost)
    return calls, tokens, cost
