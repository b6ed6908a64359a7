"""An agent of Pydantic AI, which instruments itself: the arguments are the provider and the version of its format."""

import asyncio
import sys

import shop
from pydantic_ai import Agent
from pydantic_ai.models.instrumented import InstrumentationSettings


def model(provider: str):
    if provider == "openai":
        from pydantic_ai.models.openai import OpenAIChatModel
        from pydantic_ai.providers.openai import OpenAIProvider

        return OpenAIChatModel(shop.MODEL, provider=OpenAIProvider(base_url=f"{shop.PROVIDER_URL}/v1"))
    if provider == "openai-responses":
        from pydantic_ai.models.openai import OpenAIResponsesModel
        from pydantic_ai.providers.openai import OpenAIProvider

        return OpenAIResponsesModel(shop.MODEL, provider=OpenAIProvider(base_url=f"{shop.PROVIDER_URL}/v1"))
    from anthropic import AsyncAnthropic
    from pydantic_ai.models.anthropic import AnthropicModel
    from pydantic_ai.providers.anthropic import AnthropicProvider

    client = AsyncAnthropic(base_url=shop.PROVIDER_URL)
    return AnthropicModel(shop.MODEL, provider=AnthropicProvider(anthropic_client=client))


async def answer(agent: Agent) -> None:
    if not shop.STREAMED:
        await agent.run(shop.QUESTION)
        return
    async with agent.run_stream(shop.QUESTION) as result:
        async for _ in result.stream_text():
            pass


def main(provider: str, version: str) -> None:
    tracers = shop.opentelemetry()
    Agent.instrument_all(InstrumentationSettings(tracer_provider=tracers, version=int(version)))
    agent = Agent(model(provider), instructions=shop.SYSTEM, name="clerk")
    agent.tool_plain(shop.get_order)
    for _ in shop.tickets(tracers):
        asyncio.run(answer(agent))


main(*sys.argv[1:])
