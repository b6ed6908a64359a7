"""What wraps a program in langfuse 2.60: decorator and OpenAI's client, or LangChain's handler. Prints the trace's id as JSON."""

import contextlib
import json
import os
import sys

TOLD = json.loads(os.environ["CONVERSATION"])
API = f"{os.environ['PROVIDER_URL']}/v1"
TOOLS = [{"type": "function", "function": TOLD["tool"]}]


def decorated():
    from langfuse.decorators import langfuse_context, observe
    from langfuse.openai import OpenAI  # From here on every client of OpenAI's is wrapped.

    @observe(as_type="generation", name="guess")
    def guess(question):
        langfuse_context.update_current_observation(
            model="gpt-4o", usage_details={"input": 1000, "output": 50}, metadata={"attempt": 1}
        )
        return f"About {question}: perhaps."

    @observe()
    def refuse():
        raise ValueError("not today")

    @observe(name="answer-ticket")
    def answer(question):
        langfuse_context.update_current_trace(user_id="alice", session_id="ticket-4711", tags=["decorated"])
        guess(question)
        with contextlib.suppress(ValueError):
            refuse()
        asked = [{"role": "system", "content": TOLD["system"]}, {"role": "user", "content": TOLD["question"]}]
        OpenAI(base_url=API).chat.completions.create(
            name="ask", model=TOLD["model"], messages=asked, tools=TOOLS, temperature=0.5
        )
        langfuse_context.score_current_observation(name="helpful", value=1)
        langfuse_context.score_current_trace(name="tone", value="friendly")
        return langfuse_context.get_current_trace_id()

    trace_id = answer("order 4711")
    langfuse_context.flush()
    return trace_id


def chain():
    from langchain_core.output_parsers import StrOutputParser
    from langchain_core.prompts import ChatPromptTemplate
    from langchain_openai import ChatOpenAI
    from langfuse.callback import CallbackHandler

    handler = CallbackHandler(user_id="bob", trace_name="chain")
    prompt = ChatPromptTemplate.from_messages([("system", "{system}"), ("user", "{question}")])
    model = ChatOpenAI(base_url=API, model=TOLD["model"], temperature=0.5).bind_tools(TOOLS)
    told = {"system": TOLD["system"], "question": TOLD["question"]}
    (prompt | model | StrOutputParser()).invoke(told, config={"callbacks": [handler]})
    handler.flush()
    return handler.get_trace_id()


print(json.dumps({"trace": {"decorated": decorated, "chain": chain}[sys.argv[1]]()}))
