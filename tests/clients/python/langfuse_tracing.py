"""What langfuse 3.15 to 5 have names for in common, as a program would use it. Prints the traces it made as JSON."""

import asyncio
import contextlib
import json
from datetime import UTC, datetime
from types import SimpleNamespace

from langfuse import get_client, observe, propagate_attributes

langfuse = get_client()
PROMPT = SimpleNamespace(name="reply", version=3, is_fallback=False)


@observe(as_type="tool", capture_input=False)
def search(query):
    langfuse.update_current_span(metadata={"hits": 2, "where": ["shop", "help"]}, version="7")
    return [f"about {query}", "more"]


@observe(name="guess", as_type="generation", capture_input=False, capture_output=False)
async def guess(question):
    await asyncio.sleep(0)
    langfuse.update_current_generation(
        model="gpt-4o", input=question, output="perhaps", usage_details={"input": 1000, "output": 50}, prompt=PROMPT
    )
    return "perhaps"


@observe(capture_input=False)
def embed_or_guess(as_type):
    with langfuse.start_as_current_observation(name=f"told-{as_type}", as_type=as_type):
        langfuse.update_current_generation(model="gpt-4o", cost_details={"total": 0.25})
    langfuse.update_current_generation(name=f"guess-{as_type}", level="DEBUG")


@observe(as_type="retriever", capture_input=False)
def stream(words):
    for word in words:
        search(word)
        yield word


@observe(as_type="agent", capture_input=False)
async def stream_later(words):
    for word in words:
        await guess(word)
        yield {"word": word}


@observe(as_type="guardrail", capture_input=False, capture_output=False)
def refuse():
    langfuse.update_current_span(level="ERROR", status_message="not today")
    raise ValueError("not today")


async def later():
    answers = await asyncio.gather(guess("a"), guess("b"))
    return [*answers, *[item["word"] async for item in stream_later(["c", "d"])]]


made = {}
with langfuse.start_as_current_observation(name="answer-ticket", as_type="chain", input={"ticket": 4711}) as root:
    made["trace"] = root.trace_id
    assert langfuse.get_current_trace_id() == root.trace_id
    assert langfuse.get_current_observation_id() == root.id
    with propagate_attributes(user_id="alice", session_id=f"session-{root.trace_id}", tags=["mail", "books"]):
        with propagate_attributes(tags=["demo"], metadata={"plan": "pro"}, version="2"):
            search("refunds")
        "".join(stream(["x", "y"]))
        asyncio.run(later())
        embed_or_guess("agent")
        with contextlib.suppress(ValueError):
            refuse()
    langfuse.create_event(name="sent", input="a mail", metadata={"to": "alice"}, level="WARNING", status_message="late")
    manual = langfuse.start_observation(
        name="embed", as_type="embedding", model="text-embedding-3-small", input="order"
    )
    manual.update(usage_details={"input": 8}, cost_details={"total": 0.5}, output=[0.25, 0.5])
    child = manual.start_observation(name="judge", as_type="evaluator", metadata="as it is")
    child.update(metadata={"text": "[1]", "number": 1.5, "none": None, "yes": True}, level="DEBUG")
    child.end()
    manual.end()
    with root.start_as_current_observation(
        name="draft", as_type="generation", model="gpt-4o", model_parameters={"temperature": 0.7, "stop": ["x"]}
    ) as draft:
        draft.update(completion_start_time=datetime.now(UTC), input=[{"role": "user", "content": "Grüße 📦"}])
        draft.update(usage_details={"input": 200, "cache_read_input_tokens": 800, "output": 50}, output=None)
        draft.update(name="draft-reply", output={"role": "assistant", "content": "{}"})
    root.update(output="done")

made["seed"] = langfuse.create_trace_id(seed="order-4711")
made["elsewhere"] = trace_id = langfuse.create_trace_id()
with langfuse.start_as_current_observation(name="elsewhere", trace_context={"trace_id": trace_id}):
    pass
with (
    contextlib.suppress(RuntimeError),
    langfuse.start_as_current_observation(
        name="beneath", trace_context={"trace_id": trace_id, "parent_span_id": "00000000000000ab"}
    ),
):
    raise RuntimeError("overloaded")
langfuse.flush()
print(json.dumps(made))
