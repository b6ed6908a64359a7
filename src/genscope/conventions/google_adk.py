"""Google's Agent Development Kit (`gcp.vertex.agent.*`), which writes `{}` for a request that a span has not.

Source: the telemetry of google-adk 1 and 2. What `gen_ai.usage.*` lacked at first (thoughts, cached content) stands in the
answer, in Gemini's own words.
"""

from __future__ import annotations

from genscope.conventions.decode import content, mapping, tier_in
from genscope.conventions.table import Table
from genscope.model import Json, RawSpan, Usage
from genscope.pricing import usage


def _told(value: Json, span: RawSpan) -> str | None:
    return None if value == "{}" else content(value, span)


def _usage(value: Json, span: RawSpan) -> Usage | None:
    answer = mapping(value, span)
    counts = mapping(answer.get("usage_metadata"), span) if answer else None
    return usage.from_details(counts) if counts else None


TABLE: Table = {
    "usage": {"gcp.vertex.agent.llm_response": _usage},
    "service_tier": {
        "gcp.vertex.agent.llm_response": tier_in("usage_metadata.service_tier", "usage_metadata.traffic_type")
    },
    "session_id": {"gcp.vertex.agent.session_id": _told},
    "input": {"gcp.vertex.agent.llm_request": _told, "gcp.vertex.agent.tool_call_args": content},
    "output": {"gcp.vertex.agent.llm_response": _told, "gcp.vertex.agent.tool_response": content},
}
