"""A trace's total counts each call to a model once, whoever tells of it."""

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


def built(calls: list[Told]) -> tuple[str, ExportTraceServiceRequest]:
    """Return the id of a trace of these calls and the request that sends them."""
    trace_id, start = new_id(16), time.time_ns()
    ids = [new_id(8) for _ in calls]
    sent = request([])
    for identity, call in zip(ids, calls, strict=True):
        attributes = {
            "gen_ai.operation.name": call.operation,
            "gen_ai.provider.name": "openai",
            "gen_ai.response.model": call.model,
            "gen_ai.usage.input_tokens": call.input,
            "gen_ai.usage.output_tokens": 100,
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
        pytest.param(
            [Told("a", 0, 50, operation="invoke_agent"), Told("a", 10, 40, within=0)], 1, id="an agent's roll-up"
        ),
    ],
)
def test_each_call_counts_once(server: Server, calls: list[Told], counted: int) -> None:
    trace_id, sent = built(calls)
    with server.client() as client:
        client.post("/v1/traces", content=encoded(sent), headers={"content-type": PROTOBUF}).raise_for_status()

    trace = server.get(f"/api/v1/traces/{trace_id}")["trace"]
    assert Decimal(trace["total_cost"]) == counted * PRICE


def test_calls_with_other_tokens_count_each(server: Server) -> None:
    trace_id, sent = built([Told("a", 0, 50), Told("b", 10, 40, input=2000)])
    with server.client() as client:
        client.post("/v1/traces", content=encoded(sent), headers={"content-type": PROTOBUF}).raise_for_status()

    trace = server.get(f"/api/v1/traces/{trace_id}")["trace"]
    assert Decimal(trace["total_cost"]) == 2 * PRICE + Decimal("0.0025")
    assert trace["input_tokens"] == 3000
