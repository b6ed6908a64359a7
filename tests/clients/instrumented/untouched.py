"""A program that knows of no tracing: each library that its arguments name answers the customer, for `genscope run`.

With `--init`, and `all` or names after it, it has the one line that does the same.
"""

import os
import sys
from importlib import import_module

import shop

OPENAI_URL = f"{shop.PROVIDER_URL}/v1"
MESSAGES = [{"role": "system", "content": shop.SYSTEM}, {"role": "user", "content": shop.QUESTION}]
FUNCTION = {"type": "function", "function": shop.TOOL}


def openai() -> None:
    client = import_module("openai").OpenAI(base_url=OPENAI_URL)
    client.chat.completions.create(model=shop.MODEL, messages=MESSAGES, tools=[FUNCTION])


def anthropic() -> None:
    client = import_module("anthropic").Anthropic(base_url=shop.PROVIDER_URL)
    tool = {"name": shop.TOOL["name"], "input_schema": shop.TOOL["parameters"]}
    client.messages.create(
        model=os.environ["ANTHROPIC_MODEL"],
        max_tokens=1024,
        system=shop.SYSTEM,
        messages=[{"role": "user", "content": shop.QUESTION}],
        tools=[tool],
    )


def langchain() -> None:
    model = import_module("langchain_openai").ChatOpenAI(model=shop.MODEL, base_url=OPENAI_URL)
    model.bind_tools([FUNCTION]).invoke([("system", shop.SYSTEM), ("user", shop.QUESTION)])


def openai_agents() -> None:
    agents = import_module("agents")
    agents.set_default_openai_client(import_module("openai").AsyncOpenAI(base_url=OPENAI_URL), use_for_tracing=False)
    tool = agents.function_tool(shop.get_order)
    agent = agents.Agent(name="bookseller", instructions=shop.SYSTEM, model=shop.MODEL, tools=[tool])
    agents.Runner.run_sync(agent, shop.QUESTION)


def llama_index() -> None:
    import asyncio

    workflow = import_module("llama_index.core.agent.workflow")
    model = import_module("llama_index.llms.openai").OpenAI(model=shop.MODEL, api_base=OPENAI_URL)
    agent = workflow.FunctionAgent(tools=[shop.get_order], llm=model, system_prompt=shop.SYSTEM, streaming=False)

    async def answer() -> None:
        await agent.run(shop.QUESTION)

    asyncio.run(answer())


def pydantic_ai() -> None:
    provider = import_module("pydantic_ai.providers.openai").OpenAIProvider(base_url=OPENAI_URL)
    model = import_module("pydantic_ai.models.openai").OpenAIChatModel(shop.MODEL, provider=provider)
    agent = import_module("pydantic_ai").Agent(model, instructions=shop.SYSTEM, name="clerk")
    agent.tool_plain(shop.get_order)
    agent.run_sync(shop.QUESTION)


names = sys.argv[1:]
if names[0] == "--init":
    import genscope

    asked = names[1]
    genscope.init(instrument=True if asked == "all" else asked.split(","))
    names = names[2:]
for name in names:
    globals()[name]()
