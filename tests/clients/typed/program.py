"""A program from outside: everything that the SDK offers, as type checkers see it; it runs, too, and prints its trace's id."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, assert_type

from opentelemetry.trace import Span as OpenTelemetrySpan

import genscope
from genscope.sdk.rows import Figures, Model, Span, Trace

client = genscope.init(environment="test", release="1.0", sample_rate=1.0, instrument=["none-such"], debug=False)
assert_type(client, genscope.Client)
assert_type(genscope.get_client(), genscope.Client)


# Decorated functions keep their types.


@genscope.observe
def double(number: int) -> int:
    return 2 * number


@genscope.observe(name="search", as_type="tool", capture_input=True, capture_output=False)
def search(query: str, *, limit: int = 3) -> list[str]:
    return [query][:limit]


@genscope.observe(as_type="agent")
async def answer(question: str) -> str:
    return question


@genscope.observe()
def pieces(text: str) -> Iterator[str]:
    yield from text


@genscope.observe()
async def later(text: str) -> AsyncIterator[str]:
    yield text


assert_type(double(2), int)
assert_type(search("refund", limit=1), list[str])
assert_type(asyncio.run(answer("where?")), str)
assert_type(pieces("ab"), Iterator[str])
assert "".join(pieces("ab")) == "ab"


async def read() -> None:
    async for piece in later("x"):
        assert_type(piece, str)


asyncio.run(read())

# The context idiom.
trace_id = client.create_trace_id(seed="ticket-4711")
assert_type(trace_id, str)
with genscope.propagate(user_id="alice", session_id="s", tags=["books"], metadata={"plan": "pro"}, version="2"):
    with client.start_as_current_span(name="answer-ticket", input={"ticket": 4711}) as root:
        assert_type(root, genscope.Observation)
        client.update_current_trace(name="support", tags=["demo"], public=False)
        client.update_current_span(metadata={"attempt": 1})
        with client.start_as_current_generation(
            name="draft-reply",
            model="gpt-4o",
            provider="openai",
            model_parameters={"temperature": 0.7},
            input=[{"role": "user"}],
        ) as gen:
            gen.update(
                output="text", usage_details={"input": 1000, "output": 50}, completion_start_time=datetime.now(UTC)
            )
            gen.update(usage={"input": 1000, "output": 50}, cost_details={"total": 0.003}, version="3")
            client.update_current_generation(level="WARNING", status_message="slow")
            gen.score("helpful", 1.0, comment="yes")
            gen.score_trace("verdict", "good", data_type="CATEGORICAL")
            assert_type(client.get_current_trace_id(), str | None)
            assert_type(client.get_current_observation_id(), str | None)
            client.score_current_span("kept", 1)
            client.score_current_trace("kept", 1)
        with client.start_as_current_observation(name="look-up", as_type="retriever", end_on_exit=True) as found:
            found.update(output=["a"]).update_trace(user_id="bob")
        child = root.start_span(name="manual", metadata={"a": 1})
        child.start_generation(name="inner", model="gpt-4o").update(response={"model": "gpt-4o"}).end()
        child.start_observation(name="tool", as_type="tool").fail(ValueError("no")).end(end_time=datetime.now(UTC))
        client.create_event(name="sent", input={"to": "alice"})
        assert_type(child.end(), genscope.Observation)
        assert_type([*root.watch(iter(["a"]))], list[str])
        headers = genscope.inject({})
        assert_type(root.trace_id, str)
        assert_type(root.recorded, bool)
        assert_type(root.id, str)
        assert_type(root.span, OpenTelemetrySpan)
        assert_type(client.get_trace_url(trace_id=root.trace_id), str | None)
remote: genscope.TraceContext | None = genscope.extract(headers)
with client.start_as_current_span(name="elsewhere", trace_context=remote):
    pass
client.start_span(name="given", trace_context={"trace_id": trace_id}).end()
client.start_generation(name="given", model="gpt-4o").end()
client.start_observation(name="given", as_type="embedding").end()
client.create_score("helpful", 1.0, trace_id=root.trace_id, metadata={"by": "me"})

# The idiom of objects.
logger = genscope.Logger({"id": "repository"}, client=client)
session = logger.session({"id": "session", "name": "chat"})
trace = session.trace({"id": root.trace_id + "-logged", "tags": {"plan": "pro"}})
logger.trace(id="other", name="other").end()
span = trace.span({"id": "span", "name": "look"}, type="agent")
generation = span.generation({"provider": "openai", "model": "gpt-4o", "messages": [{"role": "user", "content": "hi"}]})
generation.set_model("gpt-4o").set_provider("openai").set_model_parameters({"temperature": 0}).add_message(
    {"role": "user"}
)
generation.add_cost({"total": 0.1}).set_name("draft").add_tag("a").add_tag("plan", "pro").add_metadata({"a": 1})
assert_type(generation.result({"model": "gpt-4o"}), dict[str, str])
generation.end()
tool = trace.tool_call(name="get_order", args={"id": 4711})
tool.result("sent")
tool.error("late").error({"message": "late", "code": "504"}).update({"name": "again"})
trace.retrieval(name="search").input("refund").output(["a"])
trace.event("event", "sent", metadata={"a": 1})
trace.feedback({"score": 5, "comment": "good"}).score("helpful", 1.0).add_metric("steps", 3)
trace.set_input("in").set_output("out").error(ValueError("no"))
trace.set_start_timestamp(datetime.now(UTC)).set_end_timestamp(datetime.now(UTC))
span.input("in").end()
for thing in (
    logger.trace_by_id("t"),
    logger.session_by_id("s"),
    logger.span_by_id("s", trace_id="t"),
    logger.generation_by_id("g", trace_id="t"),
    logger.tool_call_by_id("c", trace_id="t"),
    logger.retrieval_by_id("r", trace_id="t"),
):
    assert_type(thing.id, str)
    assert_type(thing.trace_id, str | None)
assert_type(logger.flush(timeout=60.0), bool)
assert_type(client.flush(), bool)
assert_type(client.auth_check(), bool)

# Reading back.
rows = client.query("model:gpt-4o level:ERROR", since="1d", until=datetime.now(UTC), sort="-cost", limit=10, full=False)
assert_type(rows, genscope.Rows[Span])
for row in rows:
    assert_type(row.cost, dict[str, Decimal] | None)
    assert_type(row.start_time, datetime | None)
assert_type(rows.rows, list[Span])
assert_type(rows[:1], list[Span])
assert_type(rows.cut, bool)
told = client.trace(root.trace_id)
assert_type(told, Trace)
assert_type(told.total_cost, Decimal | None)
assert_type(client.spans(f"trace_id:{root.trace_id}", since=timedelta(hours=1))[0], Span)
client.traces("user:alice", sort="-cost", limit=1)
assert_type(client.models(since="7d", by="name").rows, list[Model])
assert_type(client.metrics(["calls", "cost"], group_by="model", granularity="day", since="7d").rows, list[Figures])
for listed in (
    client.sessions(limit=1),
    client.users(sort="cost"),
    client.errors(sort="count"),
    client.scores("helpful"),
):
    assert isinstance(listed, genscope.Rows)
assert_type(client.sql("SELECT count() AS calls FROM generations")[0], dict[str, Any])
tables = rows.to_arrow, rows.to_pandas, rows.to_polars
try:
    client.trace("none-such")
except genscope.ReadError as error:
    assert_type(error.position, int | None)
    assert_type(error.status, int | None)
    assert_type(error.message, str)
client.shutdown()
print(json.dumps({"trace": root.trace_id, "logged": trace.id}))
