"""A support bot gathers information from a customer: Genscope's SDK for Python.

    make example-genscope_python

In a project of your own: pip install genscope && python genscope_python.py. GENSCOPE_URL says where the server is, by
default where `make run` starts it; GENSCOPE_PUBLIC_KEY and GENSCOPE_SECRET_KEY are the pair that it printed.
"""

import contextlib
from uuid import uuid4

import genscope

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


client = genscope.init()


@genscope.observe()
def gather_information() -> None:
    """Ask the customer for what is missing."""
    client.update_current_span(name="gather-information")
    with client.start_as_current_generation(
        name="ask-for-customer-id",
        model="gpt-4o",
        provider="openai",
        model_parameters={"temperature": 0.7},
        input=MESSAGES,
    ) as generation:
        generation.update(response=call_model(MESSAGES))


def suggest_appointment() -> None:
    """Ask a model that does not answer."""
    with client.start_as_current_generation(
        name="suggest-appointment", model="gpt-4o", provider="openai", input=MESSAGES
    ):
        call_overloaded_model(MESSAGES)


with (
    genscope.propagate(session_id=f"session-{uuid4()}", tags=["channel:chat"]),
    client.start_as_current_span(name="answer-customer", input=QUESTION) as root,
):
    gather_information()
    with contextlib.suppress(RuntimeError):
        suggest_appointment()
    root.update(output=ANSWER)

print("recorded as trace", root.trace_id)  # what waits is sent when the program ends
