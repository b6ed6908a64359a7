"""Genscope's own attributes, as its Python SDK sends them. Whatever OpenTelemetry has a name for it sends by that name.

Source: `genscope.sdk.attributes`; docs/sdk.md.
"""

from __future__ import annotations

from genscope.conventions.decode import content, flag, mapping, one_of, parsed, set_flag, tags, text, tier_in
from genscope.conventions.table import Table
from genscope.model import SPAN_TYPES, Attributes, Json, RawSpan, Usage
from genscope.pricing import cost, usage


def _typed(value: Json) -> Json:
    """A value of metadata with the type it had: a text that begins as JSON does is JSON."""
    known = parsed(value) if isinstance(value, str) and value.startswith(('"', "[", "{")) else None
    return value if known is None else known


def _entries(group: Attributes, _span: RawSpan) -> Attributes:
    entries = {key: _typed(value) for key, value in group.items()}
    group.clear()
    return entries


def _metadata(value: Json, _span: RawSpan) -> Attributes | None:
    """Metadata in one attribute: an object's entries, or any other value under the name `metadata`."""
    value = _typed(value)
    if isinstance(value, dict):
        return value or None
    return None if value is None or value == "" else {"metadata": value}


def _usage(value: Json, span: RawSpan) -> Usage | None:
    """Tokens: under `totals` by Genscope's kinds, else as a program told them."""
    told = mapping(value, span) or {}
    totals = told.get("totals")
    return usage.from_attributes(totals) if isinstance(totals, dict) else usage.from_details(told)


def _moment(value: Json, _span: RawSpan) -> int | None:
    return value if type(value) is int and 0 <= value < 2**63 else None


TABLE: Table = {
    "type": {"genscope.type": one_of({name: name for name in SPAN_TYPES})},
    "level": {"genscope.level": one_of({name.lower(): name for name in ("DEBUG", "DEFAULT", "WARNING", "ERROR")})},
    "status_message": {"genscope.status_message": text},
    "input": {"genscope.input": content},
    "output": {"genscope.output": content},
    "metadata": {"genscope.metadata.*": _entries, "genscope.metadata": _metadata},
    "model_parameters": {"genscope.model_parameters": mapping},
    "usage": {"genscope.usage": _usage},
    "service_tier": {
        "genscope.usage": tier_in("speed", "service_tier"),
        "genscope.model_parameters": tier_in("service_tier", "serviceTier"),
    },
    "cost": {"genscope.cost": cost.from_details},
    "completion_start_time": {"genscope.completion_start_time": _moment},
    "prompt_name": {"genscope.prompt.name": text},
    "prompt_version": {"genscope.prompt.version": text},
    "tags": {"genscope.tags": tags},
    "version": {"genscope.version": text},
    "release": {"genscope.release": text, "@resource.genscope.release": text},
    "trace_name": {"genscope.trace.name": text},
    "trace_input": {"genscope.trace.input": content},
    "trace_output": {"genscope.trace.output": content},
    "trace_metadata": {"genscope.trace.metadata.*": _entries, "genscope.trace.metadata": _metadata},
    "trace_public": {"genscope.trace.public": flag},
    "is_root": {"genscope.root": set_flag},
}
