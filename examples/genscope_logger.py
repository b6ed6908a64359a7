"""A support bot gathers information from a customer: Genscope's SDK for Python, told by objects.

    make example-genscope_logger

In a project of your own: pip install genscope && python genscope_logger.py. GENSCOPE_URL says where the server is, by
default where `make run` starts it; GENSCOPE_PUBLIC_KEY and GENSCOPE_SECRET_KEY are the pair that it printed.
"""

from uuid import uuid4

import genscope

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


logger = genscope.Logger()
asking = {"provider": "openai", "model": "gpt-4o", "model_parameters": {"temperature": 0.7}, "messages": MESSAGES}

session = logger.session({"id": SESSION, "name": "support"})
trace = session.trace({"id": TRACE, "name": "answer-customer", "input": QUESTION, "tags": {"channel": "chat"}})

span = trace.span({"name": "gather-information"})
span.generation({"name": "ask-for-customer-id", **asking}).result(call_model(MESSAGES))
span.end()

failing = trace.generation({"name": "suggest-appointment", **asking})
try:
    failing.result(call_overloaded_model(MESSAGES))
except RuntimeError as error:
    failing.error(error)

trace.set_output(ANSWER).end()
session.end()
print("recorded as trace", TRACE)  # what waits is sent when the program ends
