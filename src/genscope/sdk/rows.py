"""What reading back answers with, as types: money is `Decimal`, moments are `datetime` in UTC, and None is what is not known.

The fields are those of the read API (docs/api.md). A newer server may tell more than these: that is left out; an older one less:
that has its default.
"""

from __future__ import annotations

import types
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, is_dataclass
from datetime import datetime
from decimal import Decimal
from functools import cache
from typing import Annotated, Any, TypeVar, Union, cast, get_args, get_origin, get_type_hints

T = TypeVar("T")
#: Tokens or dollars by kind: `input` and `output` are totals, every other kind is a part of the one it is named after.
Usage = dict[str, int]
Cost = dict[str, Decimal]
Number = int | float | Decimal


@dataclass(frozen=True, slots=True)
class Kinds:
    """What of a map becomes columns of a table: `always` those, and what else is there. `bare` ones go by their key alone."""

    always: tuple[str, ...] = ()
    bare: bool = False


Tokens = Annotated[Usage | None, Kinds(("input", "output", "total"))]
Dollars = Annotated[Cost | None, Kinds(("input", "output", "total"))]
Percentiles = Annotated[dict[str, float | None] | None, Kinds(("p50", "p95", "p99"))]


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """What was said of a trace, a span or a session. At least one of `value` and `string_value` is there."""

    id: str
    name: str
    time: datetime | None = None
    data_type: str = ""
    value: float | None = None
    string_value: str | None = None
    comment: str | None = None
    trace_id: str | None = None
    span_id: str | None = None
    session_id: str | None = None
    source: str = ""
    environment: str | None = None
    config_id: str | None = None
    metadata: dict[str, Any] = field(default_factory=dict)
    protocol: str = ""
    repository: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that happened during a span."""

    name: str
    time: datetime | None = None
    attributes: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachment:
    """A file or a link that belongs to a span; `url` is where it is, for a file during the next hour."""

    id: str
    name: str | None = None
    type: str = ""
    mime_type: str | None = None
    size: int | None = None
    place: str | None = None
    url: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """One span. `input` and `output` are the JSON value that was sent, or the text."""

    trace_id: str
    span_id: str
    parent_span_id: str | None = None
    type: str | None = None
    name: str | None = None
    start_time: datetime | None = None
    end_time: datetime | None = None
    duration_ms: float | None = None
    completion_start_time: datetime | None = None
    time_to_first_token_ms: float | None = None
    level: str | None = None
    status_message: str | None = None
    model: str | None = None
    provider: str | None = None
    model_parameters: dict[str, Any] | None = None
    input: Any = None
    output: Any = None
    usage: Tokens = None
    cost: Dollars = None
    cost_source: str | None = None
    cost_missing: str | None = None
    service_tier: str | None = None
    server_address: str | None = None
    explain: dict[str, Any] = field(default_factory=dict)
    tools: list[str] = field(default_factory=list)
    tool_calls: list[str] = field(default_factory=list)
    session_id: str | None = None
    user_id: str | None = None
    tags: list[str] = field(default_factory=list)
    trace_name: str | None = None
    environment: str | None = None
    release: str | None = None
    version: str | None = None
    metadata: dict[str, Any] = field(default_factory=dict)
    prompt_name: str | None = None
    prompt_version: str | None = None
    scores: list[Score] = field(default_factory=list)
    attachments: list[Attachment] = field(default_factory=list)
    attributes: dict[str, Any] = field(default_factory=dict)
    events: list[Event] = field(default_factory=list)
    links: list[dict[str, Any]] = field(default_factory=list)
    resource: dict[str, Any] = field(default_factory=dict)
    scope: dict[str, Any] = field(default_factory=dict)
    kind: str | None = None
    is_root: bool | None = None
    trace_metadata: dict[str, Any] = field(default_factory=dict)
    trace_input: Any = None
    trace_output: Any = None
    trace_public: bool | None = None
    protocol: str | None = None
    repository: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TraceSummary:
    """One trace, gathered from its spans."""

    trace_id: str
    name: str | None = None
    start_time: datetime | None = None
    end_time: datetime | None = None
    duration_ms: float | None = None
    span_count: int = 0
    generation_count: int = 0
    call_count: int = 0
    error_count: int = 0
    unpriced_count: int = 0
    input_tokens: int | None = None
    output_tokens: int | None = None
    total_tokens: int | None = None
    total_cost: Decimal | None = None
    session_id: str | None = None
    user_id: str | None = None
    tags: list[str] = field(default_factory=list)
    environment: str | None = None
    release: str | None = None
    version: str | None = None
    models: list[str] = field(default_factory=list)
    metadata: dict[str, Any] = field(default_factory=dict)
    input: str | None = None
    output: str | None = None
    scores: list[Score] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace(TraceSummary):
    """One trace with all its spans, whole and in the order of their start."""

    spans: list[Span] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """What one model of one provider did in a period; `by` is the value of the column that calls are grouped by."""

    provider: str | None = None
    model: str | None = None
    by: str | None = None
    calls: int = 0
    errors: int = 0
    error_rate: float = 0
    usage: Tokens = None
    total_cost: Decimal | None = None
    cost_per_1000_calls: Decimal | None = None
    unpriced_calls: int = 0
    cost_missing: Annotated[dict[str, int] | None, Kinds()] = None
    latency_ms: Percentiles = None
    time_to_first_token_ms: Percentiles = None
    tokens_per_second: float | None = None
    cached_share: float | None = None
    scores: list[dict[str, Any]] = field(default_factory=list)
    trend: list[int] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """One session: its traces are those of which a span has its id as `session_id`."""

    id: str
    name: str | None = None
    start_time: datetime | None = None
    end_time: datetime | None = None
    trace_count: int = 0
    span_count: int = 0
    error_count: int = 0
    call_count: int = 0
    unpriced_count: int = 0
    input_tokens: int | None = None
    output_tokens: int | None = None
    total_cost: Decimal | None = None
    models: list[str] = field(default_factory=list)
    user_id: str | None = None
    environment: str | None = None
    tags: list[str] = field(default_factory=list)
    metadata: dict[str, Any] = field(default_factory=dict)
    repository: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """A user: the traces of which a span names them as `user_id`."""

    id: str
    first_time: datetime | None = None
    last_time: datetime | None = None
    trace_count: int = 0
    session_count: int = 0
    generation_count: int = 0
    error_count: int = 0
    call_count: int = 0
    unpriced_count: int = 0
    input_tokens: int | None = None
    output_tokens: int | None = None
    total_cost: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """Failures of one kind; `message` is from the latest of them, `trend` how many came in each of equal parts of the period."""

    fingerprint: str
    count: int = 0
    first_time: datetime | None = None
    last_time: datetime | None = None
    type: str = ""
    name: str | None = None
    exception: str | None = None
    message: str | None = None
    models: list[str] = field(default_factory=list)
    releases: list[str] = field(default_factory=list)
    user_count: int = 0
    trace_count: int = 0
    trend: list[int] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """The measures of one group; `time` is when its piece of time begins, None where time was not asked for."""

    time: datetime | None = None
    group: Annotated[dict[str, str | None] | None, Kinds(bare=True)] = None
    measures: Annotated[dict[str, Number | None] | None, Kinds(bare=True)] = None


def read(kind: type[T], told: Mapping[str, Any]) -> T:
    """Return the row that a JSON object tells of; one of SQL is that object."""
    if not is_dataclass(kind):
        return cast(T, told)
    return kind(**{name: change(told[name]) for name, change in _changes(kind).items() if name in told})


def hints(kind: type[Any]) -> dict[str, Any]:
    """Return the types of a row's fields, without `| None`."""
    return {name: known(hint) for name, hint in get_type_hints(kind).items()}


def maps(kind: type[Any]) -> dict[str, Kinds]:
    """Return the fields of a row that are maps of figures."""
    found = get_type_hints(kind, include_extras=True)
    return {name: get_args(hint)[1] for name, hint in found.items() if get_origin(hint) is Annotated}


def known(hint: Any) -> Any:
    """Return a type without `| None`."""
    if get_origin(hint) not in (Union, types.UnionType):
        return hint
    left = [one for one in get_args(hint) if one is not types.NoneType]
    return left[0] if len(left) == 1 else Union[tuple(left)]  # noqa: UP007 - the types are known when this runs


@cache
def _changes(kind: type[Any]) -> dict[str, Callable[[Any], Any]]:
    return {name: _change(hint) for name, hint in hints(kind).items()}


def _change(hint: Any) -> Callable[[Any], Any]:
    """Return what makes a value of this type from its JSON."""
    hint = known(hint)
    if hint in _MADE:
        return _unless_none(_MADE[hint])
    if is_dataclass(hint):
        return _unless_none(lambda told: read(hint, told))  # type: ignore[arg-type]
    inner = [_change(one) for one in get_args(hint)]
    if get_origin(hint) is list:
        return _unless_none(lambda told: [inner[0](one) for one in told])
    if get_origin(hint) is dict:
        return _unless_none(lambda told: {key: inner[1](one) for key, one in told.items()})
    return _same


def _same(value: Any) -> Any:
    return value


def _unless_none(make: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return lambda told: None if told is None else make(told)


#: What makes a value from its JSON, by type. A number that travels as a text is money.
_MADE: dict[Any, Callable[[Any], Any]] = {
    datetime: datetime.fromisoformat,
    Decimal: Decimal,
    Number: lambda told: Decimal(told) if isinstance(told, str) else told,
}


def sql_value(type_: str, value: Any) -> Any:
    """Return a value of a column of this type of the engine's: decimals and moments as such, arrays and maps as JSON has them."""
    plain = type_.removeprefix("LowCardinality(").removeprefix("Nullable(")
    make = next((make for start, make in _OF_SQL.items() if plain.startswith(start)), _same)
    return None if value is None else make(value)


#: What makes a value from its JSON, by the beginning of the engine's type.
_OF_SQL: dict[str, Callable[[Any], Any]] = {"Decimal": Decimal, "DateTime": datetime.fromisoformat}
