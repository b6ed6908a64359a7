"""Frameworks that Lemma's SDK tells of: LangGraph with a chat model of `openai` or `anthropic`, or OpenAI's `agents`."""

import asyncio
import json
import os
import sys

import shop
from uselemma_tracing import Lemma

URL = os.environ["LEMMA_URL"]


class Remembering(Lemma):
    """Knows the ids of what it delivered, which the adapters keep to themselves."""

    def __init__(self):
        self.delivered = []
        super().__init__(base_url=URL)

    def _send(self, context, *arguments):
        super()._send(context, *arguments)
        self.delivered.append(context.id)


def chat_model(api):
    if api == "anthropic":
        from langchain_anthropic import ChatAnthropic

        return ChatAnthropic(model=shop.MODEL, base_url=shop.PROVIDER_URL, streaming=shop.STREAMED)
    from langchain_openai import ChatOpenAI

    return ChatOpenAI(model=shop.MODEL, base_url=f"{shop.PROVIDER_URL}/v1", stream_usage=True, streaming=shop.STREAMED)


def graph(lemma, api):
    from langchain_core.messages import HumanMessage, SystemMessage
    from langchain_core.tools import StructuredTool
    from langgraph.graph import START, MessagesState, StateGraph
    from langgraph.prebuilt import ToolNode, tools_condition
    from uselemma_tracing import langgraph

    tool = StructuredTool.from_function(
        shop.get_order,
        name=shop.TOOL["name"],
        description=shop.TOOL["description"],
        args_schema=shop.TOOL["parameters"],
    )
    model = chat_model(api).bind_tools([tool])
    built = StateGraph(MessagesState)
    built.add_node("model", lambda state: {"messages": [model.invoke(state["messages"])]})
    built.add_node("tools", ToolNode([tool]))
    built.add_edge(START, "model")
    built.add_conditional_edges("model", tools_condition)
    built.add_edge("tools", "model")
    handler = langgraph(lemma=lemma, agent_name="bookseller")
    asked = {"messages": [SystemMessage(shop.SYSTEM), HumanMessage(shop.QUESTION)]}
    built.compile().invoke(asked, {"callbacks": [handler], "metadata": {"thread_id": "ticket-4711"}})


def agents(lemma):
    from agents import Agent, FunctionTool, RunConfig, Runner, set_default_openai_client, set_trace_processors
    from openai import AsyncOpenAI
    from uselemma_tracing import instrument_openai_agents

    async def call_tool(_context, arguments):
        return shop.get_order(**json.loads(arguments))

    tool = FunctionTool(
        name=shop.TOOL["name"],
        description=shop.TOOL["description"],
        params_json_schema=shop.TOOL["parameters"],
        on_invoke_tool=call_tool,
    )
    set_trace_processors([])  # else the SDK sends its own traces to OpenAI
    instrument_openai_agents(lemma=lemma)
    set_default_openai_client(AsyncOpenAI(base_url=f"{shop.PROVIDER_URL}/v1"), use_for_tracing=False)
    agent = Agent(name="bookseller", instructions=shop.SYSTEM, model=shop.MODEL, tools=[tool])
    asyncio.run(Runner.run(agent, shop.QUESTION, run_config=RunConfig(group_id="ticket-4711")))


def main(framework):
    lemma = Remembering()
    agents(lemma) if framework == "agents" else graph(lemma, framework)
    print(json.dumps({"traces": lemma.delivered}))


main(sys.argv[1])
