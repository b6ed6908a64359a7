"""A program that was written for Lemma, unchanged but for the address of the server; its argument says what it does.

The last line it prints is a JSON object with what the task found out. Traces are known by their users: version 4 has no ids.
"""

import asyncio
import json
import os
import sys
from datetime import UTC, datetime
from inspect import signature
from types import SimpleNamespace

from local_model import call_model, call_overloaded_model, messages
from uselemma_tracing import Lemma
from uselemma_tracing.client import TraceContext

URL = os.environ["LEMMA_URL"]
USER = os.environ["LEMMA_TEST_USER"]


def client(**options):
    return Lemma(base_url=URL, **options)


def tokens(input_tokens, output_tokens):
    """Tell tokens: versions 5 to 7.9 have no option for it."""
    if "usage" in signature(TraceContext.generation).parameters:
        return {"usage": {"input_tokens": input_tokens, "output_tokens": output_tokens}}
    return {"attributes": {"llm.token_count.prompt": input_tokens, "llm.token_count.completion": output_tokens}}


def generate(trace):
    """Call the model as documented: measure, and tell all that it said."""
    started = datetime.now(UTC)
    answer = call_model(messages)
    duration = (datetime.now(UTC) - started).total_seconds() * 1000
    trace.record_generation(
        name="draft-reply",
        model="gpt-4o",
        input=messages,
        output=answer.text,
        llm_provider="openai",
        llm_input_messages=messages,
        llm_invocation_parameters={"temperature": 0.7},
        duration_ms=int(duration),
        **tokens(answer.usage.input_tokens, answer.usage.output_tokens),
    )
    return answer.text


def plain():
    """A run with a step, a tool within it, a call to a model, and what 4.2 knows of retrieval and embeddings."""

    def run(trace):
        step = trace.start_span(name="retrieve-context", input={"query": "order 4711"}, metadata={"step": "retrieval"})
        tool = trace.start_tool(name="search_docs", input={"query": "order 4711"}, parent_id=step.id)
        tool.end(output=[{"id": "doc-1"}])
        step.end(output={"count": 1})
        trace.record_tool(name="get_order", input={"order_id": "4711"}, output={"state": "shipped"}, duration_ms=45)
        trace.record_tool(name="note", input={"text": "nobody measured this"})
        trace.span(
            name="embed",
            input=["order 4711"],
            embedding_model_name="text-embedding-3-small",
            **tokens(8, 0),
        )
        if "retrieval_documents" in signature(TraceContext.span).parameters:
            trace.span(name="find", input="order 4711", retrieval_documents=[{"content": "doc-1", "score": 0.9}])
        trace.span(name="rank", reranker_model_name="rerank-3", reranker_output_documents=[{"content": "doc-1"}])
        return generate(trace)

    client().trace(
        "support-agent",
        run,
        input="Where is my order 4711?",
        thread_id="ticket-4711",
        user_id=USER,
        metadata={"plan": "pro", "firm.slug": "acme"},
    )
    return {}


def modern():
    """What only newer versions have: a message to the user, all kinds of tokens, a release."""

    def run(trace):
        trace.record_tool(
            name="send_whatsapp",
            input={"message": "It left."},
            output={"delivered": True},
            user_facing_message="It left our warehouse this morning.",
        )
        trace.record_tool(name="broken", error=ValueError("not found"), user_facing_message="never said")
        trace.record_generation(
            name="answer",
            model="gpt-4o",
            llm_provider="openai",
            usage={
                "input_tokens": 1200,
                "output_tokens": 340,
                "cache_read_input_tokens": 800,
                "reasoning_output_tokens": 120,
            },
            output=float("nan"),
        )
        trace.record_generation(
            name="claude",
            model="claude-sonnet-4-5",
            llm_provider="anthropic",
            usage={"input_tokens": 60, "output_tokens": 48, "cache_read_input_tokens": 40},
        )
        return SimpleNamespace(said="no JSON")

    client(release="1.8.3").trace("support-agent", run, user_id=USER)
    return {}


def failing():
    """A run that fails after a call to a model did."""

    def run(trace):
        generation = trace.start_generation(name="draft-reply", model="gpt-4o", input=messages)
        try:
            call_overloaded_model(messages)
        except RuntimeError as error:
            generation.end(error=error)
            raise

    try:
        client().trace("failing-agent", run, input="hi", user_id=USER)
    except RuntimeError as error:
        return {"raised": str(error)}


def asynchronous():
    """Two runs at once, each with its own call."""
    lemma = client()

    async def run(trace):
        await asyncio.sleep(0)
        return generate(trace)

    async def both():
        runs = (lemma.async_trace("async-agent", run, input=name, user_id=USER) for name in ("one", "other"))
        await asyncio.gather(*runs)

    asyncio.run(both())
    return {}


def again():
    """A run that was put together by hand and is delivered twice."""
    lemma = client()
    context = TraceContext(name="batch-agent", input="hi", user_id=USER, thread_id="ticket-batch")
    generate(context)
    context.record_tool(name="note", input={"text": "twice"})
    context.record_tool(name="note", input={"text": "twice"})
    context.output("done")
    started = datetime.now(UTC)
    for _ in range(2):
        lemma.ingest(context, started_at=started)
    return {}


def bit_by_bit():
    """A run that versions 7.1 to 7.4 deliver while it goes on, and in the end once more as a whole."""
    bodies = []

    def keep(url, headers, body):
        bodies.append(body.decode())
        return 201, ""

    lemma = client(transport=keep)
    context = TraceContext(name="long-agent", input="hi", thread_id="ticket-long", metadata={"run": "1"}, user_id=USER)
    started = datetime.now(UTC)
    step = context.start_span(name="step", input={"n": 1})
    tool = context.start_tool(name="lookup", parent_id=step.id)
    lemma.ingest(context, started_at=started)
    context.record_tool(name="note", input={"n": 2})
    context.record_tool(name="note", input={"n": 2})
    lemma.ingest(context, started_at=started)
    generate(context)
    tool.end(output=["found"])
    step.end(output="stepped")
    context.output("done")
    lemma.ingest(context, started_at=started)
    whole, context.spans = context.spans, []
    context.thread_id = context.metadata = context.output_value = None
    lemma.ingest(context, started_at=started)
    context.spans = whole
    lemma.ingest(context, started_at=started, replace=True)
    return {"trace": context.id, "bodies": bodies}


def lost_answer():
    """A run whose first delivery arrives, but for the answer, so that versions before 7.10 take it for a failure."""
    statuses = []

    def lose(url, headers, body):
        answer = Lemma._urllib_transport(url, headers, body)
        statuses.append(answer[0])
        return (503, "the answer was lost") if len(statuses) == 1 else answer

    try:
        said = client(transport=lose).trace("robust-agent", generate, input="hi", user_id=USER)
    except RuntimeError as error:
        said = str(error)
    return {"statuses": statuses, "said": said}


def turn():
    """One turn across processes: a worker writes a journal, the coordinator delivers."""
    from uselemma_tracing import attach_turn

    lemma = client()
    handle = lemma.start_turn("turn-agent", id=f"turn-{USER}", input="hi", thread_id="ticket-turn", user_id=USER)
    step = handle.start_span(name="dispatch")
    worker = attach_turn(json.dumps(handle.export(step.id)))
    worker.start_tool(name="left-open", input={"a": 1})
    inner = worker.start_span(name="work")
    inner.record_generation(
        name="draft-reply", model="gpt-4o", input=messages, output="ok", usage={"input_tokens": 10, "output_tokens": 2}
    )
    inner.end(output="worked")
    handle.apply(json.dumps(worker.records()))
    step.end()
    handle.end("done")
    return {}


def shaped():
    """Two runs whose payloads the client makes small before they are sent."""
    long = [{"role": "user", "content": "x" * 5000}]

    def run(trace):
        step = trace.start_span(name="step", input=long)
        trace.start_span(name="same", input=long, parent_id=step.id).end(output="y" * 3000)
        step.end()
        return "short"

    client(deduplicate_span_content=True).trace("alike", run, user_id=USER)
    client(deduplicate_span_content=True, max_payload_bytes=3000).trace("cut", run, user_id=USER)
    return {}


def smoke():
    """What Lemma's own diagnosis says of the server."""
    return {"report": client().debug_smoke_test()}


def refused():
    """A delivery with a wrong key: what it costs the program."""
    lemma = Lemma(base_url=URL, api_key="wrong")
    try:
        said = lemma.trace("refused-agent", lambda trace: "the agent's answer")
    except RuntimeError as error:
        said = str(error)
    return {"said": said}


if __name__ == "__main__":
    print(json.dumps(globals()[sys.argv[1]](*sys.argv[2:])))
