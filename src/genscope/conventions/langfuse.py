"""Langfuse's own attributes, as its SDKs (Python 3 to 5, TypeScript 4 and 5) and hand-written code send them.

Source: Langfuse SDKs Python 3.0.0 to 5.0.4 and TypeScript 5.11; OpenTelemetry mapping of the Langfuse server 4.16.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from genscope.conventions.decode import (
    content,
    flag,
    iso_time,
    mapping,
    one_of,
    parsed,
    present,
    set_flag,
    tags,
    text,
    tier,
    tier_in,
)
from genscope.conventions.table import Table
from genscope.model import SPAN_TYPES, Attributes, Json, RawSpan, Usage
from genscope.pricing import cost, usage

#: The levels that senders name, in lower case.
LEVELS: Final = {
    **dict.fromkeys(("default", "info", "log", "notice", "ok", "success"), "DEFAULT"),
    **dict.fromkeys(("debug", "trace", "verbose"), "DEBUG"),
    **dict.fromkeys(("warning", "warn"), "WARNING"),
    **dict.fromkeys(("error", "fatal", "critical"), "ERROR"),
}
_TYPES: Final = {name: name for name in SPAN_TYPES}
#: What only a generation has. Python 3.0 to 3.3.0 had no other types, and typed a generation made by `@observe` "span".
_OF_GENERATIONS: Final = (
    "langfuse.observation.model.name",
    "langfuse.observation.model.parameters",
    "langfuse.observation.usage_details",
    "langfuse.observation.cost_details",
    "langfuse.observation.prompt.name",
)


def _type(value: Json, span: RawSpan) -> str | None:
    named: str | None = one_of(_TYPES)(value, span)
    if named == "span" and (0, 0) < _python(span) <= (3, 3) and not span.attributes.keys().isdisjoint(_OF_GENERATIONS):
        return "generation"
    return named


def _content(value: Json, span: RawSpan) -> str | None:
    """Python 3.0 put a plain string in JSON quotes; everything else is as it is."""
    if isinstance(value, str) and value.startswith('"') and _python(span)[:2] == (3, 0):
        unquoted = parsed(value)
        value = unquoted if isinstance(unquoted, str) else value
    return content(value, span)


def _writes_json(span: RawSpan) -> bool:
    """Whether the SDK writes every metadata value as JSON: Python 3.0, 3.1, and from 5 on.

    All others write strings as they are and the rest as native values or JSON text, so that only objects and arrays can
    be told from a string.
    """
    version = _python(span)
    return version >= (5, 0) or (3, 0) <= version <= (3, 1)


def _typed(value: Json, json_encoded: bool) -> Json:
    """A metadata value with the type that it had in the program, as far as the SDK's encoding tells."""
    if not isinstance(value, str) or not (json_encoded or value.startswith(("{", "["))):
        return value
    if json_encoded and value == "null":
        return None
    decoded = parsed(value)
    return value if decoded is None else decoded


def _metadata_entries(group: Attributes, span: RawSpan) -> Attributes:
    json_encoded = _writes_json(span)
    entries = {key: _typed(value, json_encoded) for key, value in group.items()}
    group.clear()
    return entries


def _metadata(value: Json, span: RawSpan) -> Attributes | None:
    """Metadata given as one value: an object's entries, or the value under the name `metadata`."""
    value = _typed(value, _writes_json(span))
    if isinstance(value, dict):
        return value or None
    return None if value is None or value == "" else {"metadata": value}


def _usage(value: Json, _span: RawSpan) -> Usage | None:
    details = mapping(value, _span)
    return None if details is None else usage.from_details(details)


def _python(span: RawSpan) -> tuple[int, int]:
    """Major and minor version of the Python SDK that made the span, (0, 0) if another sender did."""
    scope = span.scope
    if scope.name != "langfuse-sdk":
        return 0, 0
    if "public_key" not in scope.attributes and span.resource.attributes.get("telemetry.sdk.language") != "python":
        return 0, 0
    return _version(scope.version[:32])


@lru_cache(maxsize=256)
def _version(version: str) -> tuple[int, int]:
    numbers = [
        int(part) if part.isascii() and part.isdecimal() and len(part) < 9 else 0 for part in version.split(".", 2)
    ]
    return numbers[0], numbers[1] if len(numbers) > 1 else 0


TABLE: Table = {
    "type": {
        "langfuse.observation.type": _type,
        "langfuse.observation.model.name": present("generation"),
    },
    "level": {"langfuse.observation.level": one_of(LEVELS)},
    "status_message": {"langfuse.observation.status_message": text},
    "input": {"langfuse.observation.input": _content},
    "output": {"langfuse.observation.output": _content},
    "metadata": {
        "langfuse.observation.metadata.*": _metadata_entries,
        "langfuse.observation.metadata": _metadata,
        "langfuse.metadata.*": _metadata_entries,
        "langfuse.metadata": _metadata,
    },
    "model": {"langfuse.observation.model.name": text},
    "model_parameters": {"langfuse.observation.model.parameters": mapping},
    "usage": {"langfuse.observation.usage_details": _usage},
    "cost": {"langfuse.observation.cost_details": cost.from_details},
    "service_tier": {
        "langfuse.observation.usage_details": tier_in("speed", "service_tier"),
        "langfuse.observation.metadata.service_tier": tier,
        "langfuse.observation.metadata": tier_in("service_tier"),
        "langfuse.observation.output": tier_in("service_tier", "usage.service_tier", "response_metadata.service_tier"),
        "langfuse.observation.model.parameters": tier_in("service_tier", "serviceTier"),
    },
    "completion_start_time": {"langfuse.observation.completion_start_time": iso_time},
    "prompt_name": {"langfuse.observation.prompt.name": text, "langfuse.prompt.name": text},
    "prompt_version": {"langfuse.observation.prompt.version": text, "langfuse.prompt.version": text},
    "user_id": {
        "langfuse.user.id": text,
        "langfuse.observation.metadata.langfuse_user_id": text,
        "langfuse.trace.metadata.langfuse_user_id": text,
    },
    "session_id": {
        "langfuse.session.id": text,
        "langfuse.observation.metadata.langfuse_session_id": text,
        "langfuse.trace.metadata.langfuse_session_id": text,
    },
    "tags": {
        "langfuse.trace.tags": tags,
        "langfuse.tags": tags,
        "langfuse.observation.metadata.langfuse_tags": tags,
        "langfuse.trace.metadata.langfuse_tags": tags,
    },
    "environment": {"langfuse.environment": text, "@resource.langfuse.environment": text},
    "release": {"langfuse.release": text, "@resource.langfuse.release": text},
    "version": {"langfuse.version": text},
    "trace_name": {"langfuse.trace.name": text},
    "trace_input": {"langfuse.trace.input": _content},
    "trace_output": {"langfuse.trace.output": _content},
    "trace_metadata": {"langfuse.trace.metadata.*": _metadata_entries, "langfuse.trace.metadata": _metadata},
    "trace_public": {"langfuse.trace.public": flag, "langfuse.public": flag},
    "is_root": {"langfuse.internal.as_root": set_flag, "langfuse.internal.is_app_root": set_flag},
}
