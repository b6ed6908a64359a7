"""LangChain's chat models: bare, or in a LangGraph agent; told by OpenInference, or by Langfuse's callback handler.

Arguments: `openai`, `openai-responses` or `anthropic`; `LangChain` or `LangGraph`; `OpenInference` or `Langfuse`.
"""

import sys
from functools import reduce
from operator import add

import shop


def chat_model(api: str):
    if api == "anthropic":
        from langchain_anthropic import ChatAnthropic

        return ChatAnthropic(model=shop.MODEL, base_url=shop.PROVIDER_URL, streaming=shop.STREAMED)
    from langchain_openai import ChatOpenAI

    # With an address of one's own LangChain does not ask for the usage of a stream by itself.
    return ChatOpenAI(
        model=shop.MODEL,
        base_url=f"{shop.PROVIDER_URL}/v1",
        stream_usage=True,
        use_responses_api=api == "openai-responses",
    )


def order_tool():
    from langchain_core.tools import StructuredTool

    return StructuredTool.from_function(
        shop.get_order,
        name=shop.TOOL["name"],
        description=shop.TOOL["description"],
        args_schema=shop.TOOL["parameters"],
    )


def opening() -> list:
    from langchain_core.messages import HumanMessage, SystemMessage

    return [SystemMessage(shop.SYSTEM), HumanMessage(shop.QUESTION)]


def answer_by_model(model, callbacks) -> None:
    tool = order_tool()
    model = model.bind_tools([tool])
    messages = opening()
    config = {"callbacks": callbacks}
    while True:
        said = reduce(add, model.stream(messages, config)) if shop.STREAMED else model.invoke(messages, config)
        messages.append(said)
        if not said.tool_calls:
            return
        messages += [tool.invoke(call, config) for call in said.tool_calls]


def answer_by_graph(model, callbacks) -> None:
    from langgraph.graph import START, MessagesState, StateGraph
    from langgraph.prebuilt import ToolNode, tools_condition

    tools = [order_tool()]
    bound = model.bind_tools(tools)
    graph = StateGraph(MessagesState)
    graph.add_node("model", lambda state: {"messages": [bound.invoke(state["messages"])]})
    graph.add_node("tools", ToolNode(tools))
    graph.add_edge(START, "model")
    graph.add_conditional_edges("model", tools_condition)
    graph.add_edge("tools", "model")
    agent = graph.compile()
    asked, config = {"messages": opening()}, {"callbacks": callbacks}
    if shop.STREAMED:
        for _ in agent.stream(asked, config, stream_mode="messages"):
            pass
    else:
        agent.invoke(asked, config)


def main(api: str, form: str, teller: str) -> None:
    answer = answer_by_graph if form == "LangGraph" else answer_by_model
    if teller == "Langfuse":
        from langfuse.langchain import CallbackHandler

        for _ in shop.langfuse_tickets():
            answer(chat_model(api), [CallbackHandler()])
        return
    from openinference.instrumentation.langchain import LangChainInstrumentor

    provider = shop.opentelemetry()
    LangChainInstrumentor().instrument(tracer_provider=provider)
    for _ in shop.tickets(provider):
        answer(chat_model(api), [])


main(*sys.argv[1:])
