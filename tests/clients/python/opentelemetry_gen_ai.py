"""A program with OpenTelemetry alone, by the GenAI conventions; set up by OTEL_EXPORTER_OTLP_... variables.

The arguments name the exporters to use: `http`, `grpc`, or both, which sends every span twice. Prints trace ids.
"""

import json
import sys

from local_model import call_model, call_overloaded_model
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter as GrpcSpanExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter as HttpSpanExporter
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import SpanKind

EXPORTERS = {"http": HttpSpanExporter, "grpc": GrpcSpanExporter}
provider = TracerProvider()
for exporter in sys.argv[1:]:
    provider.add_span_processor(BatchSpanProcessor(EXPORTERS[exporter]()))
trace.set_tracer_provider(provider)
tracer = trace.get_tracer("bookshop", "1.0")
messages = [{"role": "user", "parts": [{"type": "text", "content": "Where is my order 4711?"}]}]


def chat(call_model):
    with tracer.start_as_current_span("chat gpt-4o", kind=SpanKind.CLIENT) as span:
        span.set_attributes(
            {
                "gen_ai.operation.name": "chat",
                "gen_ai.provider.name": "openai",
                "gen_ai.request.model": "gpt-4o",
                "gen_ai.request.temperature": 0.7,
                "gen_ai.conversation.id": "ticket-4711",
                "gen_ai.input.messages": json.dumps(messages),
            }
        )
        response = call_model(messages)
        answer = {"role": "assistant", "parts": [{"type": "text", "content": response.text}], "finish_reason": "stop"}
        span.set_attributes(
            {
                "gen_ai.response.model": "gpt-4o",
                "gen_ai.output.messages": json.dumps([answer]),
                "gen_ai.usage.input_tokens": response.usage.input_tokens,
                "gen_ai.usage.cache_read.input_tokens": 800,
                "gen_ai.usage.output_tokens": response.usage.output_tokens,
            }
        )


def answer_ticket(call_model):
    with tracer.start_as_current_span("answer-ticket") as root:
        try:
            chat(call_model)
        except RuntimeError:
            root.set_attribute("answered", False)
        return trace.format_trace_id(root.get_span_context().trace_id)


made = {"success": answer_ticket(call_model), "failure": answer_ticket(call_overloaded_model)}
provider.force_flush()
print(json.dumps(made))
