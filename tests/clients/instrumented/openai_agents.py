"""OpenAI's Agents SDK (Responses) under OpenInference."""

import asyncio

import shop
from agents import Agent, FunctionTool, Runner, set_default_openai_client, set_trace_processors
from openai import AsyncOpenAI
from openinference.instrumentation.openai_agents import OpenAIAgentsInstrumentor


async def call_tool(_context, arguments: str) -> str:
    import json

    return shop.get_order(**json.loads(arguments))


async def answer() -> None:
    # A client belongs to an event loop.
    set_default_openai_client(AsyncOpenAI(base_url=f"{shop.PROVIDER_URL}/v1"), use_for_tracing=False)
    tool = FunctionTool(
        name=shop.TOOL["name"],
        description=shop.TOOL["description"],
        params_json_schema=shop.TOOL["parameters"],
        on_invoke_tool=call_tool,
    )
    agent = Agent(name="bookseller", instructions=shop.SYSTEM, model=shop.MODEL, tools=[tool])
    if shop.STREAMED:
        run = Runner.run_streamed(agent, shop.QUESTION)
        async for _ in run.stream_events():
            pass
    else:
        await Runner.run(agent, shop.QUESTION)


set_trace_processors([])  # else the SDK sends its own traces to OpenAI
provider = shop.opentelemetry()
OpenAIAgentsInstrumentor().instrument(tracer_provider=provider)
for _ in shop.tickets(provider):
    asyncio.run(answer())
