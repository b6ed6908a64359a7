"""What lists of spans and of traces may be sorted by, beside their time: SQL of a value, and how it travels in a cursor."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from genscope.query.filter import Filter, FilterError
from genscope.store.engine import Engine
from genscope.store.merged import merged
from genscope.store.paging import Snapshot
from genscope.store.where import Where, where

#: The order that a list has of itself.
TIME: Final = "start_time"


@dataclass(frozen=True, slots=True)
class Order:
    """The value that rows are sorted by, and its type in the engine: one that comes back from a text exactly."""

    sql: str
    type: str = "String"
    #: Whether it depends on which of two tellings of a call counts.
    counted: bool = False


def nanoseconds(end: str) -> str:
    """Return the SQL of a duration from the start on in nanoseconds, NULL where one of both is not known."""
    return f"(toUnixTimestamp64Nano({end}) - toUnixTimestamp64Nano(spans.start_time))"


#: Where a row lies among those of one value, by the number of its ids.
KEYS: Final = {1: "ranked.time, ranked.trace_id", 2: "ranked.time, ranked.trace_id, ranked.span_id"}
MONEY: Final = "Decimal(38, 12)"
_TOKENS: Final = (
    "if(input_tokens IS NULL AND output_tokens IS NULL, NULL, ifNull(input_tokens, 0) + ifNull(output_tokens, 0))"
)

#: Orders of spans, by the names that the filter language has for their fields.
OF_SPANS: Final[Mapping[str, Order]] = {
    "name": Order("name"),
    "type": Order("type"),
    "model": Order("model"),
    "provider": Order("provider"),
    "user": Order("user_id"),
    "session": Order("session_id"),
    "env": Order("environment"),
    "cost": Order("total_cost", MONEY),
    # Where a sender told the sum alone it is not known here: it stands in a map, which takes ten times as long to read.
    "tokens": Order(_TOKENS, "Int64"),
    "input_tokens": Order("input_tokens", "Int64"),
    "output_tokens": Order("output_tokens", "Int64"),
    "latency": Order(nanoseconds("spans.end_time"), "Int64"),
    "ttft": Order(nanoseconds("completion_start_time"), "Int64"),
}
#: Orders of traces, over the columns of queries/traces_rows.sql.
OF_TRACES: Final[Mapping[str, Order]] = {
    TIME: Order("start_time", "Int64"),
    "name": Order("name"),
    "user": Order("user_id"),
    "session": Order("session_id"),
    "env": Order("environment"),
    "spans": Order("span_count", "Int64"),
    "errors": Order("error_count", "Int64"),
    "cost": Order("total_cost", MONEY, counted=True),
    "tokens": Order(_TOKENS, "Int64", counted=True),
    "latency": Order("end_time - start_time", "Int64"),
}


def parse(sort: str, orders: Mapping[str, Order]) -> tuple[str, str]:
    """Return the name of an order and the direction that SQL takes; `-cost` is the dearest first.

    Raises:
        FilterError: there is no such order.
    """
    name = sort.removeprefix("-")
    if name != TIME and name not in orders:
        names = ", ".join(dict.fromkeys((TIME, *orders)))
        raise FilterError(
            f"sort: {sort!r} is not an order; expected one of {names}, with - before it for the largest first"
        )
    return name, "DESC" if sort.startswith("-") else "ASC"


#: Values as a cursor has them, by their types.
_VALUES: Final[Mapping[str, re.Pattern[str]]] = {
    "String": re.compile(r".*", re.DOTALL),
    "Int64": re.compile(r"-?([1-8]?\d{1,18}|9[01]\d{17})", re.ASCII),
    MONEY: re.compile(r"-?\d{1,26}(\.\d{1,12})?", re.ASCII),
}


def check_value(value: str, type_: str) -> str:
    """Return the value of a cursor.

    Raises:
        FilterError: it is none of this type of the engine.
    """
    if not _VALUES[type_].fullmatch(value):
        raise FilterError("cursor: not one that this list gave; start again without it")
    return value


def behind(condition: Where, order: Order, direction: str, position: tuple[Any, ...]) -> str:
    """Return the SQL that a row comes after a position: a value, a time, and the ids that tell rows of one time apart.

    Rows without a value come last in both directions, and rows of one value the newest first.

    Raises:
        FilterError: the value is none of the order.
    """
    value, time, *ids = position
    bound = ", ".join([condition.bind_nanoseconds(time), *(condition.bind(id_) for id_ in ids)])
    later = f"({KEYS[len(ids)]}) < ({bound})"
    if value is None:
        return f"ranked.value IS NULL AND {later}"
    at = condition.bind(check_value(value, order.type), order.type)
    compare = "<" if direction == "DESC" else ">"
    return f"(ranked.value IS NULL OR ranked.value {compare} {at} OR (ranked.value = {at} AND {later}))"


def after(condition: Where, value: str, id_: str, position: Snapshot | None, type_: str = "Int64") -> str:
    """Return the SQL that what was gathered comes after a position, where the largest `value` comes first and nothing last.

    Raises:
        FilterError: the value of the position is none of the type.
    """
    if position is None:
        return "true"
    later = f"{id_} > {condition.bind(position.id)}"
    if position.value is None:
        return f"{value} IS NULL AND {later}"
    at = condition.bind(check_value(position.value, type_), type_)
    return f"({value} IS NULL OR {value} < {at} OR ({value} = {at} AND {later}))"


def spans_of_traces(engine: Engine, project_id: str, filter: Filter) -> Where:
    """Return the condition that a span is of a trace that begins in a filter's range and has a span there that meets it."""
    met = where(project_id, filter)
    built = Where([], met.parameters)
    project = f"project_id = {built.bind(project_id)}"
    built.add(project)
    if filter.conditions:
        built.add(f"trace_id IN (SELECT trace_id FROM {merged(engine, met)} WHERE {met})")  # noqa: S608
    begin = Where(["true"], met.parameters)
    if filter.start is not None:
        built.add(f"time >= {built.bind_time(filter.start)}")
        begin.add(f"min(first_time) >= {begin.bind_time(filter.start)}")
    if filter.end is not None:
        begin.add(f"min(first_time) < {begin.bind_time(filter.end)}")
    if len(begin.clauses) > 1:
        built.add(f"trace_id IN (SELECT trace_id FROM traces WHERE {project} GROUP BY trace_id HAVING {begin})")  # noqa: S608
    return built
