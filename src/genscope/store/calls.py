"""Calls to models, each once: the beginning of every question that counts them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Final, TypeAlias

from genscope.query.filter import Filter
from genscope.store.where import Where, where

#: How far behind the end of a range of time a call that began in it may be told of once more, in nanoseconds: one hour.
LONGEST_CALL: Final = 3600 * 10**9
#: What `Counts` returns where no call is told twice.
ONCE: Final = "true AS counts"
#: Says which of two tellings of a call counts (`Reader.counts`).
Counts: TypeAlias = Callable[[str, Where, str], str]


def counted(project_id: str, filter: Filter, counts: Counts) -> tuple[Where, str]:
    """Return the conditions of a filter, and the SQL that says whether a span that meets them `counts` as a call."""
    # A call that is told twice may begin on both sides of the range's end; it counts on one of them.
    told = filter if filter.end is None else replace(filter, end=filter.end + LONGEST_CALL)
    condition = where(project_id, told)
    traces = [f"last_time >= {condition.bind_time(told.start)}"] if told.start is not None else []
    traces += [f"first_time < {condition.bind_time(told.end)}"] if told.end is not None else []
    said = counts(project_id, condition, " AND ".join(traces) or "1")
    if filter.end is not None:
        condition.add(f"time < {condition.bind_time(filter.end)}")
    return condition, said
