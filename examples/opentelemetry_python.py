"""A support bot gathers information from a customer: OpenTelemetry alone, by its GenAI conventions, in Python.

    make example-opentelemetry_python

In a project of your own: pip install opentelemetry-sdk opentelemetry-exporter-otlp-proto-http && python
opentelemetry_python.py. GENSCOPE_URL says where the server is, by default where `make run` starts it; GENSCOPE_SECRET_KEY
is the sk-gs-... that it printed.
"""

import json
import os
from collections.abc import Callable
from types import SimpleNamespace
from uuid import uuid4

from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import SpanKind, Status, StatusCode

SESSION = f"session-{uuid4()}"
ANSWER = "Sorry to hear that. Can you please share your customer id?"


def message(role: str, text: str) -> dict[str, object]:
    """Return a message as the conventions want it."""
    return {"role": role, "parts": [{"type": "text", "content": text}]}


MESSAGES = [
    message("system", "You gather information from customers of an internet provider."),
    message("user", "My internet is not working"),
]


def call_model() -> SimpleNamespace:
    """Stand in for the client of your model's provider."""
    return SimpleNamespace(text=ANSWER, usage=SimpleNamespace(input_tokens=100, output_tokens=50))


def call_overloaded_model() -> SimpleNamespace:
    """Fail as a provider does that has too much to do."""
    raise RuntimeError("the model is overloaded")


def generate(name: str, call: Callable[[], SimpleNamespace]) -> None:
    """Record a call, whether it succeeds or not."""
    with tracer.start_as_current_span(name, kind=SpanKind.CLIENT) as span:
        span.set_attributes(
            {
                "gen_ai.operation.name": "chat",
                "gen_ai.provider.name": "openai",
                "gen_ai.request.model": "gpt-4o",
                "gen_ai.request.temperature": 0.7,
                "gen_ai.conversation.id": SESSION,
                "gen_ai.input.messages": json.dumps(MESSAGES),
            }
        )
        try:
            response = call()
        except RuntimeError as error:
            span.set_status(Status(StatusCode.ERROR, str(error)))
            return
        span.set_attributes(
            {
                "gen_ai.output.messages": json.dumps([message("assistant", response.text)]),
                "gen_ai.usage.input_tokens": response.usage.input_tokens,
                "gen_ai.usage.output_tokens": response.usage.output_tokens,
            }
        )


provider = TracerProvider()
url = os.environ.get("GENSCOPE_URL", "http://127.0.0.1:4318")
exporter = OTLPSpanExporter(
    endpoint=f"{url}/v1/traces", headers={"authorization": f"Bearer {os.environ['GENSCOPE_SECRET_KEY']}"}
)
provider.add_span_processor(BatchSpanProcessor(exporter))
tracer = provider.get_tracer("support")

with tracer.start_as_current_span("answer-customer", attributes={"session.id": SESSION}) as root:
    with tracer.start_as_current_span("gather-information"):
        generate("ask-for-customer-id", call_model)
    generate("suggest-appointment", call_overloaded_model)

provider.shutdown()  # sends what is waiting
print("recorded as trace", trace.format_trace_id(root.get_span_context().trace_id))
