"""LiteLLM, which instruments itself by the callback that the first argument names: otel or langfuse_otel."""

import json
import sys
import threading

import litellm
import shop
from litellm.litellm_core_utils.thread_pool_executor import MAX_THREADS, executor
from opentelemetry import trace


def said(messages) -> dict:
    asked = {
        "model": f"openai/{shop.MODEL}",
        "api_base": f"{shop.PROVIDER_URL}/v1",
        "messages": list(messages),
        "tools": [{"type": "function", "function": shop.TOOL}],
        # A streamed call is told from a thread that knows no current span.
        "metadata": {"litellm_parent_otel_span": trace.get_current_span()},
    }
    if shop.STREAMED:
        chunks = litellm.completion(**asked, stream=True, stream_options={"include_usage": True})
        response = litellm.stream_chunk_builder(list(chunks))
    else:
        response = litellm.completion(**asked)
    return response.choices[0].message.model_dump(include={"role", "content", "tool_calls"}, exclude_none=True)


def answer() -> None:
    messages = [{"role": "system", "content": shop.SYSTEM}, {"role": "user", "content": shop.QUESTION}]
    while True:
        messages.append(said(messages))
        calls = messages[-1].get("tool_calls")
        if not calls:
            return
        for call in calls:
            result = shop.get_order(**json.loads(call["function"]["arguments"]))
            messages.append({"role": "tool", "tool_call_id": call["id"], "content": result})


def settle() -> None:
    """Wait until the threads in which LiteLLM makes its spans have nothing else to do."""
    met = threading.Barrier(MAX_THREADS)
    for waiting in [executor.submit(met.wait) for _ in range(MAX_THREADS)]:
        waiting.result()


litellm.callbacks = [sys.argv[1]]
provider = shop.opentelemetry()
for _ in shop.tickets(provider):
    answer()
    settle()
