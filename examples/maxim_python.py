"""A support bot gathers information from a customer: Maxim's SDK for Python.

    make example-maxim_python

In a project of your own: pip install maxim-py && python maxim_python.py. GENSCOPE_URL says where the server is, by
default where `make run` starts it; GENSCOPE_SECRET_KEY is the sk-gs-... that it printed.
"""

import os
from uuid import uuid4

from maxim import Maxim

SESSION = f"session-{uuid4()}"
TRACE = f"trace-{uuid4()}"
QUESTION = "My internet is not working"
ANSWER = "Sorry to hear that. Can you please share your customer id?"
MESSAGES = [
    {"role": "system", "content": "You gather information from customers of an internet provider."},
    {"role": "user", "content": QUESTION},
]


def call_model(messages: list[dict[str, str]]) -> dict[str, object]:
    """Stand in for the client of your model's provider."""
    return {
        "id": "chatcmpl-123",
        "object": "chat.completion",
        "created": 1_700_000_000,
        "model": "gpt-4o",
        "choices": [{"index": 0, "message": {"role": "assistant", "content": ANSWER}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 100, "completion_tokens": 50, "total_tokens": 150},
    }


def call_overloaded_model(messages: list[dict[str, str]]) -> dict[str, object]:
    """Fail as a provider does that has too much to do."""
    raise RuntimeError("the model is overloaded")


def config(name: str) -> dict[str, object]:
    """Return what is known of a call before it is made."""
    return {
        "id": f"generation-{uuid4()}",
        "name": name,
        "provider": "openai",
        "model": "gpt-4o",
        "model_parameters": {"temperature": 0.7},
        "messages": MESSAGES,
    }


maxim = Maxim(
    {
        "base_url": os.environ.get("GENSCOPE_URL", "http://127.0.0.1:4318"),
        "api_key": os.environ["GENSCOPE_SECRET_KEY"],
    }
)
logger = maxim.logger({"id": "support"})

session = logger.session({"id": SESSION, "name": "support"})
trace = session.trace({"id": TRACE, "name": "answer-customer", "tags": {"channel": "chat"}})
trace.set_input(QUESTION)

span = trace.span({"id": f"span-{uuid4()}", "name": "gather-information"})
generation = span.generation(config("ask-for-customer-id"))
generation.result(call_model(MESSAGES))
span.end()

failing = trace.generation(config("suggest-appointment"))
try:
    failing.result(call_overloaded_model(MESSAGES))
except RuntimeError as error:
    failing.error({"message": str(error), "code": "529"})

trace.set_output(ANSWER)
trace.end()
session.end()
maxim.cleanup()  # sends what is waiting
print("recorded as trace", TRACE)
