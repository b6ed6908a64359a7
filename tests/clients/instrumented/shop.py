"""What every program of this folder shares: the conversation it was told, the tool, and where spans go."""

import contextlib
import json
import os

TOLD = json.loads(os.environ["CONVERSATION"])
MODEL, SYSTEM, QUESTION, TOOL = TOLD["model"], TOLD["system"], TOLD["question"], TOLD["tool"]
#: The root of the provider's API, without `/v1`.
PROVIDER_URL = os.environ["PROVIDER_URL"]
STREAMED = os.environ["STREAMED"] == "1"


def get_order(order_id: str) -> str:
    """Look up an order of the bookshop."""
    assert order_id == "4711"
    return TOLD["result"]


def opentelemetry():
    """Send spans over OTLP to where the environment says, and return the provider of tracers."""
    from opentelemetry import trace
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    provider = TracerProvider()
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    trace.set_tracer_provider(provider)
    return provider


@contextlib.contextmanager
def ticket(provider):
    """Trace the block as one, send it, and print the id of the trace as the last line."""
    with provider.get_tracer("shop").start_as_current_span("answer-ticket") as span:
        yield
    provider.force_flush()
    print(json.dumps({"trace": f"{span.get_span_context().trace_id:032x}"}))


@contextlib.contextmanager
def langfuse_ticket():
    """Do the same by Langfuse's SDK."""
    from langfuse import get_client

    langfuse = get_client()
    with langfuse.start_as_current_observation(as_type="span", name="answer-ticket") as span:
        yield
    langfuse.flush()
    print(json.dumps({"trace": span.trace_id}))


def openai(instrumentation, answer) -> None:
    """Have `answer` called with a client of OpenAI's SDK under an instrumentation."""
    if instrumentation == "langfuse":
        from langfuse.openai import OpenAI

        with langfuse_ticket():
            answer(OpenAI(base_url=f"{PROVIDER_URL}/v1"))
        return
    provider = opentelemetry()
    if instrumentation == "openinference":
        from openinference.instrumentation.openai import OpenAIInstrumentor
    elif instrumentation == "openllmetry":
        from opentelemetry.instrumentation.openai import OpenAIInstrumentor
    elif instrumentation == "genai-openai":
        from opentelemetry.instrumentation.genai.openai import OpenAIInstrumentor
    else:
        from opentelemetry.instrumentation.openai_v2 import OpenAIInstrumentor
    OpenAIInstrumentor().instrument(tracer_provider=provider)
    from openai import OpenAI

    with ticket(provider):
        answer(OpenAI(base_url=f"{PROVIDER_URL}/v1"))
