"""Record one model call with OpenTelemetry alone, by its GenAI semantic conventions.

pip install opentelemetry-sdk opentelemetry-exporter-otlp-proto-http
export OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:4318 OTEL_EXPORTER_OTLP_HEADERS=authorization=Bearer%20sk-gs-...
"""

import json

from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

provider = TracerProvider()
provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
trace.set_tracer_provider(provider)
tracer = trace.get_tracer("example")

question = {"role": "user", "parts": [{"type": "text", "content": "Name three uses for a paper clip."}]}
answer = {"role": "assistant", "parts": [{"type": "text", "content": "A bookmark, a zip pull and a reset pin."}]}

with tracer.start_as_current_span("chat gpt-4o", kind=trace.SpanKind.CLIENT) as span:
    span.set_attributes(
        {
            "gen_ai.operation.name": "chat",
            "gen_ai.provider.name": "openai",
            "gen_ai.request.model": "gpt-4o",
            "gen_ai.input.messages": json.dumps([question]),
        }
    )
    # Here your program calls the model.
    span.set_attributes(
        {
            "gen_ai.output.messages": json.dumps([answer]),
            "gen_ai.usage.input_tokens": 16,
            "gen_ai.usage.output_tokens": 21,
        }
    )

provider.force_flush()
print("recorded as trace", trace.format_trace_id(span.get_span_context().trace_id))
