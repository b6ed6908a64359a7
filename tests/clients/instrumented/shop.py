"""What every program of this folder shares: the conversation it was told, the tool, and where spans go."""

import contextlib
import json
import os

TOLD = json.loads(os.environ["CONVERSATION"])
MODEL, SYSTEM, QUESTION, TOOL = TOLD["model"], TOLD["system"], TOLD["question"], TOLD["tool"]
#: The root of the provider's API, without `/v1`.
PROVIDER_URL = os.environ["PROVIDER_URL"]
#: How answers come, one conversation after the other: `plain` or `streamed`.
MODES = os.environ["MODES"].split()
#: Whether they are streamed in the conversation that goes on.
STREAMED = MODES[0] == "streamed"


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


def tickets(provider):
    """Trace each turn of a loop as one conversation, send it, and print the ids of the traces by their modes as the last line."""
    tracer = provider.get_tracer("shop")

    @contextlib.contextmanager
    def ticket():
        with tracer.start_as_current_span("answer-ticket") as span:
            yield f"{span.get_span_context().trace_id:032x}"

    yield from _each(ticket)
    provider.force_flush()


def langfuse_tickets():
    """Do the same by Langfuse's SDK."""
    from langfuse import get_client

    langfuse = get_client()

    @contextlib.contextmanager
    def ticket():
        with langfuse.start_as_current_observation(as_type="span", name="answer-ticket") as span:
            yield span.trace_id

    yield from _each(ticket)
    langfuse.flush()


def _each(ticket):
    global STREAMED  # noqa: PLW0603 - programs ask it whenever they call a model
    traces = {}
    for mode in MODES:
        STREAMED = mode == "streamed"
        with ticket() as trace_id:
            yield
        traces[mode] = trace_id
    print(json.dumps({"traces": traces}))


def openai(instrumentation, answer) -> None:
    """Have `answer` called with a client of OpenAI's SDK under an instrumentation."""
    if instrumentation == "langfuse":
        from langfuse.openai import OpenAI

        for _ in langfuse_tickets():
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

    for _ in tickets(provider):
        answer(OpenAI(base_url=f"{PROVIDER_URL}/v1"))
