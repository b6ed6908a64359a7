"""A support bot gathers information from a customer: Langfuse's SDK for Python, 3.9 to 5.

    make example-langfuse_python

In a project of your own: pip install langfuse && python langfuse_python.py. GENSCOPE_URL says where the server is, by
default where `make run` starts it; GENSCOPE_PUBLIC_KEY and GENSCOPE_SECRET_KEY are the pair that it printed.
"""

import os
from types import SimpleNamespace
from uuid import uuid4

from langfuse import Langfuse, propagate_attributes

QUESTION = "My internet is not working"
ANSWER = "Sorry to hear that. Can you please share your customer id?"
MESSAGES = [
    {"role": "system", "content": "You gather information from customers of an internet provider."},
    {"role": "user", "content": QUESTION},
]
CALL = {"as_type": "generation", "model": "gpt-4o", "model_parameters": {"temperature": 0.7}, "input": MESSAGES}


def call_model(messages: list[dict[str, str]]) -> SimpleNamespace:
    """Stand in for the client of your model's provider."""
    return SimpleNamespace(text=ANSWER, usage=SimpleNamespace(input_tokens=100, output_tokens=50))


def call_overloaded_model(messages: list[dict[str, str]]) -> SimpleNamespace:
    """Fail as a provider does that has too much to do."""
    raise RuntimeError("the model is overloaded")


langfuse = Langfuse(
    base_url=os.environ.get("GENSCOPE_URL", "http://127.0.0.1:4318"),
    public_key=os.environ["GENSCOPE_PUBLIC_KEY"],
    secret_key=os.environ["GENSCOPE_SECRET_KEY"],
)

with (
    propagate_attributes(session_id=f"session-{uuid4()}", tags=["chat"]),
    langfuse.start_as_current_observation(name="answer-customer", input=QUESTION) as trace,
):
    with (
        langfuse.start_as_current_observation(name="gather-information"),
        langfuse.start_as_current_observation(name="ask-for-customer-id", **CALL) as generation,
    ):
        response = call_model(MESSAGES)
        usage = {"input": response.usage.input_tokens, "output": response.usage.output_tokens}
        generation.update(output=response.text, usage_details=usage)

    with langfuse.start_as_current_observation(name="suggest-appointment", **CALL) as failing:
        try:
            failing.update(output=call_overloaded_model(MESSAGES).text)
        except RuntimeError as error:
            failing.update(level="ERROR", status_message=str(error))

    trace.update(output=ANSWER)

langfuse.flush()  # sends what is waiting
print("recorded as trace", trace.trace_id)
