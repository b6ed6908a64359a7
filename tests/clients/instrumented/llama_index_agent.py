"""An agent of LlamaIndex on OpenAI's Chat Completions, under OpenInference's instrumentation."""

import asyncio

import shop
from llama_index.core.agent.workflow import FunctionAgent
from llama_index.llms.openai import OpenAI
from openinference.instrumentation.llama_index import LlamaIndexInstrumentor


async def answer() -> None:
    # Without this LlamaIndex does not ask for the usage of a streamed answer.
    more = {"stream_options": {"include_usage": True}} if shop.STREAMED else {}
    model = OpenAI(model=shop.MODEL, api_base=f"{shop.PROVIDER_URL}/v1", additional_kwargs=more)
    agent = FunctionAgent(tools=[shop.get_order], llm=model, system_prompt=shop.SYSTEM, streaming=shop.STREAMED)
    await agent.run(shop.QUESTION)


provider = shop.opentelemetry()
LlamaIndexInstrumentor().instrument(tracer_provider=provider)
for _ in shop.tickets(provider):
    asyncio.run(answer())
