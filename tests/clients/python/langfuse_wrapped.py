"""What wraps a program in langfuse 2.60: the decorator, OpenAI's client and LangChain's handler. Prints the ids of the traces as JSON."""

import json
import os

from langchain_core.output_parsers import StrOutputParser
from langchain_core.prompts import ChatPromptTemplate
from langchain_openai import ChatOpenAI
from langfuse.callback import CallbackHandler
from langfuse.decorators import langfuse_context, observe
from langfuse.openai import OpenAI

TOLD = json.loads(os.environ["CONVERSATION"])
API = f"{os.environ['PROVIDER_URL']}/v1"
ASKED = [{"role": "system", "content": TOLD["system"]}, {"role": "user", "content": TOLD["question"]}]
TOOLS = [{"type": "function", "function": TOLD["tool"]}]


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
    try:
        refuse()
    except ValueError:
        pass
    OpenAI(base_url=API).chat.completions.create(
        name="ask", model=TOLD["model"], messages=ASKED, tools=TOOLS, temperature=0.5
    )
    langfuse_context.score_current_observation(name="helpful", value=1)
    langfuse_context.score_current_trace(name="tone", value="friendly")
    return langfuse_context.get_current_trace_id()


def chain():
    handler = CallbackHandler(user_id="bob", trace_name="chain")
    prompt = ChatPromptTemplate.from_messages([("system", "{system}"), ("user", "{question}")])
    model = ChatOpenAI(base_url=API, model=TOLD["model"], temperature=0.5).bind_tools(TOOLS)
    told = {"system": TOLD["system"], "question": TOLD["question"]}
    (prompt | model | StrOutputParser()).invoke(told, config={"callbacks": [handler]})
    handler.flush()
    return handler.get_trace_id()


made = {"decorated": answer("order 4711"), "chain": chain()}
langfuse_context.flush()
print(json.dumps(made))
