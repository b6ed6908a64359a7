"""What an event tells of a trace or an observation: the keys of its body, and the fields of a span that they feed."""

from __future__ import annotations

from collections.abc import Mapping
from math import isfinite
from typing import Final, TypeAlias

from genscope.conventions import environment_name, provider_of, whole_numbers
from genscope.conventions.decode import content, flag, iso_time, mapping, one_of, tags, text, tier_in
from genscope.conventions.langfuse import LEVELS
from genscope.conventions.table import Rules, Table
from genscope.conventions.tools import called, offered
from genscope.model import Attributes, Cost, Json, RawSpan, Rejected, Resource, Scope, Span, Usage, piece
from genscope.pricing import cost, usage
from genscope.receive.otlp_span import reject

Object: TypeAlias = dict[str, Json]


def metadata(value: Json, _span: RawSpan) -> Attributes | None:
    """Metadata: an object's entries, or any other value that says something under the name `metadata`."""
    if isinstance(value, dict):
        return value or None
    return {"metadata": value} if _says(value) else None


def _environment(value: Json, span: RawSpan) -> str | None:
    return environment_name(text(value, span))


def _parameters(value: Json, span: RawSpan) -> Attributes | None:
    """Parameters of a model; Python's SDK makes texts of the numbers among them that have a point."""
    parameters = mapping(value, span)
    if parameters is not None and span.scope.attributes.get("sdk_name") == "python":
        parameters = {name: _number(told) for name, told in parameters.items()}
    return whole_numbers(parameters)


def _number(told: Json) -> Json:
    try:
        number = float(told) if isinstance(told, str) and len(told) < 32 else None
    except ValueError:
        return told
    return number if number is not None and isfinite(number) and repr(number) == told else told


def _details(value: Json, span: RawSpan) -> Usage | None:
    if not isinstance(value, dict):
        return None
    if span.scope.attributes.get("sdk_name") == "langfuse-js" and _inclusive(value):
        return usage.from_attributes(value)
    return usage.from_details(value)


def _inclusive(counts: Object) -> bool:
    """Whether `input` and `output` are totals already, as those are that JavaScript's wrapper of OpenAI's client sends."""
    input_, output, total = (counts.get(name) for name in ("input", "output", "total"))
    return isinstance(input_, int) and isinstance(output, int) and total == input_ + output


def _tokens(value: Json, span: RawSpan) -> Usage | None:
    """The older `usage`, whose unit may be something else than tokens."""
    return _details(value, span) if isinstance(value, dict) and value.get("unit") in (None, "TOKENS") else None


def _cost(value: Json, span: RawSpan) -> Cost | None:
    if not isinstance(value, dict):
        return None
    return cost.from_details(
        {name: value[name] for name in ("inputCost", "outputCost", "totalCost") if name in value}, span
    )


#: What traces and observations have in common.
_BOTH: Final[Table] = {
    "name": {"name": text},
    "input": {"input": content},
    "output": {"output": content},
    "environment": {"environment": _environment},
    "version": {"version": text},
}
OBSERVATION: Final[Table] = {
    **_BOTH,
    "start_time": {"startTime": iso_time},
    "end_time": {"endTime": iso_time},
    "completion_start_time": {"completionStartTime": iso_time},
    "level": {"level": one_of(LEVELS)},
    "status_message": {"statusMessage": text},
    "metadata": {"metadata": metadata},
    "model": {"model": text},
    "model_parameters": {"modelParameters": _parameters},
    "usage": {"usageDetails": _details, "usage": _tokens},
    "cost": {"costDetails": cost.from_details, "usage": _cost},
    "service_tier": {
        "usageDetails": tier_in("speed", "service_tier"),
        "metadata": tier_in("service_tier"),
        "output": tier_in("service_tier", "usage.service_tier", "response_metadata.service_tier"),
        "modelParameters": tier_in("service_tier", "serviceTier"),
    },
    "prompt_name": {"promptName": text},
    "prompt_version": {"promptVersion": text},
}
#: `start_time` and `end_time` are those of Python's decorator, which makes no observation of the outermost function; `startTime` is
#: that of JavaScript's wrapper of OpenAI's client.
TRACE: Final[Table] = {
    **_BOTH,
    "trace_name": {"name": text},
    "start_time": {"start_time": iso_time, "startTime": iso_time, "timestamp": iso_time},
    "end_time": {"end_time": iso_time},
    "trace_metadata": {"metadata": metadata},
    "tags": {"tags": tags},
    "trace_public": {"public": flag},
    "user_id": {"userId": text},
    "session_id": {"sessionId": text},
    "release": {"release": text},
}
#: For decoders that look at nothing but their value.
NOTHING: Final = RawSpan("", "", None, "", None, None, {}, Resource(), Scope())
#: Keys that say which thing an event is about, and where it belongs.
_PLACE: Final = frozenset({"id", "traceId", "parentObservationId", "type"})


class Body:
    """A kind of body: its table, ready to be read."""

    def __init__(self, table: Table) -> None:
        self._fields = tuple(table)
        self._rules = Rules({"langfuse": table}, {})
        #: Key -> the fields that it may feed.
        self._fed: Mapping[str, list[str]] = {
            key: [field for field, sources in table.items() if key in sources]
            for sources in table.values()
            for key in sources
        }

    def read(self, body: Object, scope: Scope) -> Span:
        """What `body` tells, as a piece of a span. What could not be understood stays among its attributes."""
        reading = self._rules.read(RawSpan("", "", None, "", None, None, body, Resource(), scope))
        told = {field: reading.values[field] for field in self._fields if field in reading.values}
        span = piece()
        for field, value in told.items():
            setattr(span, field, value)
        span.scope = scope
        span.protocol = "langfuse"
        span.provider = provider_of(span.model)
        span.model_rule, span.usage_rule = reading.rule("model"), reading.rule("usage")
        if span.cost is not None:
            span.cost_source, span.cost_rule = "reported", reading.rule("cost")
        span.attributes = {
            key: value
            for key, value in body.items()
            if key not in _PLACE and _says(value) and told.keys().isdisjoint(self._fed.get(key, ()))
        }
        return span


def _says(value: Json) -> bool:
    return value is not None and value not in ("", [], {})


def with_tools(span: Span) -> Span:
    """`span` with the names of the tools that a call to a model was offered, and that it called."""
    if span.type is not None:
        span.tools = offered(span.type, None, None, span.input, span.model_parameters)
        span.tool_calls = called(span.type, span.output)
    return span


def rejected(reason: str, body: Json) -> Rejected:
    """What is kept of a body that could not be taken."""
    told = body if isinstance(body, dict) else {}
    trace_id, id_, name = ((text(told.get(key), NOTHING) or "")[:200] for key in ("traceId", "id", "name"))
    return reject(reason, trace_id, id_, name, body)
