"""Two days of which every figure is worked out by hand: what tests of metrics and of the overview send, and what comes of it.

Prices per million tokens, in and out: gpt-4o 2.50 (1.25 from the cache) and 10.00, gpt-4o-mini 0.15
and 0.60, text-embedding-3-small 0.02.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from tests.running import Server
from tests.sending import PROTOBUF, encoded, request, span

#: The day that is looked at, and the day before it.
DAY: Final = "2026-01-02"
BEFORE: Final = "2026-01-01"
A, B, C, Z = (letter * 32 for letter in "abcd")
#: Of the day: what is known of all spans.
TOTALS: Final[Mapping[str, Any]] = {
    # The agent, its two calls of which one is told twice, two calls and a tool, an embedding.
    "spans": 8,
    "traces": 3,
    "errors": 2,
    "calls": 5,
    "generations": 4,
    "failed_calls": 1,
    "error_rate": 0.2,
    # (600 x 2.5 + 400 x 1.25 + 100 x 10) + (1000 x 2.5 + 100 x 10) + (1000 x 0.15 + 100 x 0.6) + 500 x 0.02, over a million
    "cost": "0.00672",
    "input_cost": "0.00466",
    "unpriced_calls": 1,
    "calls_without_usage": 0,
    "input_tokens": 4000,
    "output_tokens": 350,
    "total_tokens": 4350,
    "cached_tokens": 400,
    "cached_share": 0.1,
    # 500, 980, 2000, 3000 and 4000
    "latency_p50": 2000.0,
    "latency_p95": 4000.0,
    "latency_avg": 2096.0,
    "timed_calls": 5,
    "time_to_first_token_p50": 190.0,
    "streamed_calls": 1,
    # 350 tokens in 980 + 3000 + 2000 + 4000 + 500 ms
    "tokens_per_second": 33.397,
    "users": 2,
    "models": 4,
}


def at(day: str, clock: str) -> int:
    """Return a moment of a day in nanoseconds since the epoch."""
    return int(datetime.fromisoformat(f"{day}T{clock}").replace(tzinfo=UTC).timestamp()) * 10**9


def call(
    trace_id: str, day: str, clock: str, milliseconds: float, model: str, tokens: tuple[int, int], **more: Any
) -> Span:
    attributes = {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": model,
        "gen_ai.usage.input_tokens": tokens[0],
        "gen_ai.usage.output_tokens": tokens[1],
    } | more.pop("attributes", {})
    start = at(day, clock) + more.pop("late", 0) * 10**6
    return span(trace_id, start=start, milliseconds=milliseconds, attributes=attributes, **more)


def sent() -> ExportTraceServiceRequest:
    """Return all spans as one request."""
    failed = Status(code=Status.STATUS_CODE_ERROR, message="rate limit reached")
    streamed = {"langfuse.observation.completion_start_time": f"{DAY}T01:00:00.200Z"}
    cached = {"gen_ai.usage.cache_read.input_tokens": 400}
    pro = {"langfuse.observation.metadata.plan": "pro", "user.id": "bob"}
    spans = [
        # Of this trace the root alone says whose it is.
        span(A, name="agent", start=at(DAY, "00:30:00"), milliseconds=4000, attributes={"user.id": "alice"}),
        call(A, DAY, "01:00:00", 1000, "gpt-4o", (1000, 100), name="draft", attributes=streamed),
        call(A, DAY, "01:10:00", 3000, "gpt-4o", (1000, 100), name="draft", status=failed),
        call(B, DAY, "13:00:00", 2000, "gpt-4o-mini", (1000, 100), name="classify", attributes=pro),
        call(B, DAY, "13:30:00", 4000, "house", (500, 50), name="classify", attributes=pro),
        span(
            B,
            name="lookup",
            start=at(DAY, "13:31:00"),
            milliseconds=100,
            attributes={"gen_ai.operation.name": "execute_tool", "user.id": "bob"},
            status=Status(code=Status.STATUS_CODE_ERROR, message="no such order"),
        ),
        call(
            C,
            DAY,
            "14:00:00",
            500,
            "text-embedding-3-small",
            (500, 0),
            name="embed",
            attributes={"gen_ai.operation.name": "embeddings"},
        ),
        call(Z, BEFORE, "12:00:00", 500, "gpt-4o", (1000, 100), name="draft", attributes={"user.id": "alice"}),
    ]
    built = request(spans)
    # The SDK beneath tells of the first call, too: 10 ms later, and until 10 ms earlier. It counts for both.
    beneath = built.resource_spans[0].scope_spans.add()
    beneath.scope.name = "beneath"
    beneath.spans.append(
        call(A, DAY, "01:00:00", 980, "gpt-4o", (1000, 100), name="draft", late=10, attributes=streamed | cached)
    )
    return built


def send(server: Server, auth: tuple[str, str] | None = None) -> None:
    """Send all spans, twice, to the server's project or that of another key."""
    body, told = encoded(sent()), {"content-type": PROTOBUF}
    with server.client() as client:
        for _ in range(2):
            client.post("/v1/traces", content=body, headers=told, auth=auth or server.basic).raise_for_status()
