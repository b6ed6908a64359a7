"""What Maxim reads from OpenTelemetry spans beside `gen_ai.*`, OpenInference and the AI SDK: one attribute.

Source: Maxim's documentation of its OTLP endpoint.
"""

from genscope.conventions.table import Table
from genscope.pricing import cost

TABLE: Table = {"cost": {"llm.usage.cost": cost.from_total}}
