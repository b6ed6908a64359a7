"""Lemma's own attributes over OTLP, from the time when its users wrote them by hand.

Source: Lemma's documentation of `POST /otel/v1/traces` and its tracing packages before 7.
"""

from __future__ import annotations

from genscope.conventions.decode import content, one_of, parsed, text
from genscope.conventions.table import Table
from genscope.model import Json, RawSpan


def _unquoted(value: Json, span: RawSpan) -> str | None:
    """A value that went through Langfuse's metadata, which some versions of its SDK write as JSON."""
    return text(parsed(value) if isinstance(value, str) and value.startswith('"') else value, span)


TABLE: Table = {
    "type": {"span.type": one_of({"generation": "generation", "tool": "tool", "retriever": "retriever"})},
    "level": {"tool.status": one_of({"error": "ERROR"})},
    "user_id": {"enduser.id": text},
    "session_id": {"lemma.thread_id": text, "langfuse.trace.metadata.lemma.thread_id": _unquoted},
    "environment": {"langfuse.trace.metadata.deployment.environment.name": _unquoted},
    "input": {"ai.agent.input": content, "tool.args": content},
    "output": {"ai.agent.output": content, "tool.result": content},
}
