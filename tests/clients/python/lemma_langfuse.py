"""Lemma's page "Setup" from when Langfuse's SDK was its instrumentation: spans go to Lemma's address, and to Langfuse's as well."""

import json
import os

from langfuse import get_client, propagate_attributes
from local_model import call_model, messages
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

headers = {
    "Authorization": f"Bearer {os.environ['LEMMA_API_KEY']}",
    "X-Lemma-Project-ID": os.environ["LEMMA_PROJECT_ID"],
}
provider = TracerProvider()
provider.add_span_processor(
    BatchSpanProcessor(OTLPSpanExporter(endpoint=os.environ["LEMMA_BASE_URL"], headers=headers))
)
trace.set_tracer_provider(provider)

langfuse = get_client()
with (
    langfuse.start_as_current_observation(name="support-agent") as root,
    propagate_attributes(session_id="ticket-4711", metadata={"lemma.thread_id": "ticket-4711"}),
    langfuse.start_as_current_observation(as_type="generation", name="draft-reply", model="gpt-4o") as generation,
):
    response = call_model(messages)
    usage = {"input": response.usage.input_tokens, "output": response.usage.output_tokens}
    generation.update(input=messages, output=response.text, usage_details=usage)
provider.force_flush()
langfuse.flush()
print(json.dumps({"trace": root.trace_id}))
