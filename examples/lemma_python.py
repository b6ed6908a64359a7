"""A support bot gathers information from a customer: Lemma's SDK for Python.

    make example-lemma_python

In a project of your own: pip install uselemma-tracing && python lemma_python.py. GENSCOPE_URL says where the server is, by
default where `make run` starts it; GENSCOPE_SECRET_KEY is the sk-gs-... that it printed, and GENSCOPE_PROJECT the project
of that key, by default the one that it made.
"""

import os
from types import SimpleNamespace
from uuid import uuid4

from uselemma_tracing import Lemma, TraceContext

QUESTION = "My internet is not working"
ANSWER = "Sorry to hear that. Can you please share your customer id?"
MESSAGES = [
    {"role": "system", "content": "You gather information from customers of an internet provider."},
    {"role": "user", "content": QUESTION},
]
CALL = {
    "model": "gpt-4o",
    "llm_provider": "openai",
    "llm_invocation_parameters": {"temperature": 0.7},
    "input": MESSAGES,
}


def call_model(messages: list[dict[str, str]]) -> SimpleNamespace:
    """Stand in for the client of your model's provider."""
    return SimpleNamespace(text=ANSWER, usage=SimpleNamespace(input_tokens=100, output_tokens=50))


def call_overloaded_model(messages: list[dict[str, str]]) -> SimpleNamespace:
    """Fail as a provider does that has too much to do."""
    raise RuntimeError("the model is overloaded")


def answer_customer(trace: TraceContext) -> str:
    """Answer a customer while a trace records it; what it returns is the output of the trace."""
    span = trace.start_span(name="gather-information")
    generation = trace.start_generation(name="ask-for-customer-id", parent_id=span.id, **CALL)
    response = call_model(MESSAGES)
    usage = {"input_tokens": response.usage.input_tokens, "output_tokens": response.usage.output_tokens}
    generation.end(output=response.text, usage=usage)
    span.end()

    failing = trace.start_generation(name="suggest-appointment", **CALL)
    try:
        failing.end(output=call_overloaded_model(MESSAGES).text)
    except RuntimeError as error:
        failing.end(error=error)

    print("recorded as trace", trace.id)
    return ANSWER


lemma = Lemma(
    base_url=os.environ.get("GENSCOPE_URL", "http://127.0.0.1:4318"),
    api_key=os.environ["GENSCOPE_SECRET_KEY"],
    project_id=os.environ.get("GENSCOPE_PROJECT", "default"),
)
lemma.trace("answer-customer", answer_customer, input=QUESTION, thread_id=f"session-{uuid4()}")
