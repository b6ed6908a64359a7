"""Scores in the calls of langfuse 3.15 to 5. Prints what it scored as JSON."""

import json

from langfuse import get_client

langfuse = get_client()

with langfuse.start_as_current_observation(name="answer-ticket") as span:
    langfuse.score_current_span(name="helpful", value=1, data_type="BOOLEAN", comment="Customer said thanks")
    langfuse.score_current_trace(name="stars", value=4.5, comment="of five")
langfuse.create_score(score_id=f"tone-{span.trace_id}", trace_id=span.trace_id, name="tone", value="friendly")
langfuse.create_score(session_id=f"session-{span.trace_id}", name="solved", value=1, metadata={"by": "agent"})
langfuse.flush()
print(json.dumps({"trace": span.trace_id, "span": span.id}))
