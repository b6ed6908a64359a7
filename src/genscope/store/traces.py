"""Conditions on whole traces, and the orders that they may be listed in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from genscope.query.filter import Condition, Filter
from genscope.store.where import COLUMNS as SPAN_COLUMNS
from genscope.store.where import Column, Where

#: Fields of a trace that a condition may name, by the columns of queries/traces_rows.sql. Those of spans that are said of a trace
#: may be named too; its spans meet them.
COLUMNS: Final[Mapping[str, Column]] = {
    "trace_id": Column("trace_id"),
    "name": Column("name"),
    "start_time": Column("fromUnixTimestamp64Nano(start_time, 'UTC')", "time"),
    "release": Column("release"),
    "version": Column("version"),
    "environment_or_default": Column("ifNull(environment, 'default')"),
    "latency": Column("(end_time - start_time) / 1e9", "number"),
    "input_tokens": Column("input_tokens", "number"),
    "output_tokens": Column("output_tokens", "number"),
    "total_tokens": Column("ifNull(input_tokens, 0) + ifNull(output_tokens, 0)", "number"),
    "total_cost": Column("total_cost", "number"),
    "error_count": Column("error_count", "number"),
}
#: What a list of traces may be ordered by.
ORDERS: Final = ("trace_id", "start_time", "name", "user_id", "session_id", "release", "version")
#: Fields whose values depend on which of two tellings of a call counts.
COUNTED: Final = frozenset({"input_tokens", "output_tokens", "total_tokens", "total_cost"})


def where_traces(project_id: str, filter: Filter) -> tuple[Where, str]:
    """Return the conditions on the spans of the traces that may meet a filter, and that on a trace as a whole.

    A trace is in a range of time that it begins in.
    """
    spans = Where([], start=filter.start)
    spans.add(f"project_id = {spans.bind(project_id)}")
    spans.scope = str(spans)
    begin = Where([], spans.parameters)
    if filter.start is not None:
        spans.add(f"time >= {spans.bind_time(filter.start)}")
        begin.add(f"min(first_time) >= {begin.bind_time(filter.start)}")
    if filter.end is not None:
        begin.add(f"min(first_time) < {begin.bind_time(filter.end)}")
    if begin.clauses:
        traces = f"SELECT trace_id FROM traces WHERE project_id = {spans.bind(project_id)}"  # noqa: S608
        spans.add(f"trace_id IN ({traces} GROUP BY trace_id HAVING {begin})")
    whole = Where(["true"], spans.parameters)
    for node in filter.conditions:
        if isinstance(node, Condition) and node.field in COLUMNS:
            whole.add_conditions(project_id, (node,), COLUMNS)
        else:
            spans.add_conditions(project_id, (node,), SPAN_COLUMNS)
    return spans, str(whole)
