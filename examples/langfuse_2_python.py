"""A support bot gathers information from a customer: Langfuse's SDK for Python before OpenTelemetry, 2.60.

    make example-langfuse_2_python

In a project of your own: pip install 'langfuse<3' && python langfuse_2_python.py. GENSCOPE_URL says where the server is,
by default where `make run` starts it; GENSCOPE_PUBLIC_KEY and GENSCOPE_SECRET_KEY are the pair that it printed.
"""

import os
from types import SimpleNamespace
from uuid import uuid4

from langfuse import Langfuse

QUESTION = "My internet is not working"
ANSWER = "Sorry to hear that. Can you please share your customer id?"
MESSAGES = [
    {"role": "system", "content": "You gather information from customers of an internet provider."},
    {"role": "user", "content": QUESTION},
]
CALL = {"model": "gpt-4o", "model_parameters": {"temperature": 0.7}, "input": MESSAGES}


def call_model(messages: list[dict[str, str]]) -> SimpleNamespace:
    """Stand in for the client of your model's provider."""
    return SimpleNamespace(text=ANSWER, usage=SimpleNamespace(input_tokens=100, output_tokens=50))


def call_overloaded_model(messages: list[dict[str, str]]) -> SimpleNamespace:
    """Fail as a provider does that has too much to do."""
    raise RuntimeError("the model is overloaded")


langfuse = Langfuse(
    host=os.environ.get("GENSCOPE_URL", "http://127.0.0.1:4318"),
    public_key=os.environ["GENSCOPE_PUBLIC_KEY"],
    secret_key=os.environ["GENSCOPE_SECRET_KEY"],
)

trace = langfuse.trace(name="answer-customer", session_id=f"session-{uuid4()}", tags=["chat"], input=QUESTION)

span = trace.span(name="gather-information")
generation = span.generation(name="ask-for-customer-id", **CALL)
response = call_model(MESSAGES)
usage = {"input": response.usage.input_tokens, "output": response.usage.output_tokens}
generation.end(output=response.text, usage_details=usage)
span.end()

failing = trace.generation(name="suggest-appointment", **CALL)
try:
    failing.end(output=call_overloaded_model(MESSAGES).text)
except RuntimeError as error:
    failing.end(level="ERROR", status_message=str(error))

trace.update(output=ANSWER)
langfuse.flush()  # sends what is waiting
print("recorded as trace", trace.id)
