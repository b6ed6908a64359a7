"""Failures: spans of level ERROR, those of one kind together by their fingerprint."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from genscope.query.filter import Filter, FilterError
from genscope.store.engine import Engine, Parameter
from genscope.store.fingerprint import EXCEPTION, FINGERPRINT, MESSAGE
from genscope.store.merged import merged
from genscope.store.orders import after
from genscope.store.paging import Page, Snapshot, check_limit
from genscope.store.ranges import Range
from genscope.store.sql import sql
from genscope.store.where import Where, where

#: What groups may be listed by, and the column that decides.
ORDERS: Final[Mapping[str, str]] = {
    "last": "last_time",
    "first": "first_time",
    "count": "count",
    "users": "user_count",
}
#: Columns by whose values the failures of a group are counted.
SHARES: Final = ("model", "release", "environment", "version", "user_id", "trace_name")
#: Values of a column that are told.
MOST_SHARES: Final = 8


@dataclass(frozen=True, slots=True)
class FailureGroup:
    """Failures of one kind within a range of time. Times are nanoseconds since the epoch."""

    fingerprint: str
    count: int
    first_time: int
    last_time: int
    #: Where: type and name of the span, and the type of the exception, empty if none was told.
    type: str
    name: str | None
    exception: str
    #: The message of the latest of them, its first 1,000 characters; empty if none was told.
    message: str
    models: list[str]
    releases: list[str]
    user_count: int
    trace_count: int
    #: How many came in each of equal parts of the range, the earliest first.
    trend: list[int]


@dataclass(frozen=True, slots=True)
class First:
    """The first failure of a kind ever, and how many there have been. The time is nanoseconds since the epoch."""

    time: int
    release: str | None
    count: int


class Failures:
    """Answers questions about one project's failures. Every call blocks."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def range(self, project_id: str, filter: Filter, parts: int) -> Range:
        """Return the filter's range of time in equal parts; one without a begin begins at the first failure."""
        end = time.time_ns() if filter.end is None else filter.end
        begin = filter.start
        if begin is None:
            condition = where(project_id, Filter(end=filter.end))
            condition.add("level = 'ERROR'")
            found = self._query("failures_begin", condition).to_pylist()[0]
            begin = found["begin"] if found["count"] else end
        return Range.between(begin, end, parts)

    def groups(
        self,
        project_id: str,
        filter: Filter,
        shown: Range,
        *,
        order: str = "last",
        limit: int = 50,
        cursor: str | None = None,
    ) -> Page[FailureGroup]:
        """Return a page of the groups of the failures that meet the filter, with their trend over `shown`.

        Raises:
            FilterError: the order, the limit or the cursor is not one.
        """
        if order not in ORDERS:
            raise FilterError(f"sort: {order!r} is not an order; expected one of {', '.join(ORDERS)}")
        limit, column, list_ = check_limit(limit), ORDERS[order], f"errors {order}"
        before = Snapshot.of(list_, cursor) if cursor else None
        end = before.end if before else time.time_ns()
        parameters: dict[str, Parameter] = {
            "begin": shown.begin,
            "width": shown.width,
            "limit": limit + 1,
        }
        condition = _failed(project_id, before.within(filter) if before else filter)
        parts = {
            "fingerprint": FINGERPRINT,
            "exception": EXCEPTION,
            "message": MESSAGE,
            "order": column,
            "behind": after(condition, column, "fingerprint", before),
        }
        rows = self._query("failures_groups", condition, parameters, **parts).to_pylist()
        groups = [_group(row, shown) for row in rows[:limit]]
        if len(rows) <= limit:
            return Page(groups, None)
        last = groups[-1]
        return Page(groups, Snapshot(str(getattr(last, column)), end, last.fingerprint).cursor(list_))

    def one(self, project_id: str, fingerprint: str, filter: Filter, shown: Range) -> FailureGroup | None:
        """Return the failures of one kind that meet the filter, with their trend over `shown`; None if there is none."""
        found = self.groups(project_id, filter.where("error", fingerprint), shown, limit=1)
        return next(iter(found.rows), None)

    def shares(self, project_id: str, group: FailureGroup, filter: Filter) -> dict[str, list[tuple[str, int]]]:
        """Return how often the failures of a group came with each value of `SHARES`, the most frequent first.

        What none of them had is left out.
        """
        condition = _of(project_id, group, filter)
        columns = ", ".join(
            f"arraySlice(arraySort(each -> (-each.2, each.1), CAST(sumMapIf(map(ifNull(toString({name}), ''), 1), {name} != '') "
            f"AS Array(Tuple(String, UInt64)))), 1, {MOST_SHARES}) AS {name}_shares"
            for name in SHARES
        )
        (row,) = self._query("failures_shares", condition, columns=columns).to_pylist()
        return {
            name: [(share["1"], share["2"]) for share in row[f"{name}_shares"]]
            for name in SHARES
            if row[f"{name}_shares"]
        }

    def first(self, project_id: str, group: FailureGroup) -> First:
        """Return the first failure of this kind ever."""
        (row,) = self._query("failures_first", _of(project_id, group, Filter())).to_pylist()
        return First(**row)

    def _query(self, name: str, condition: Where, parameters: dict[str, Parameter] | None = None, **parts: str) -> Any:
        text = sql(name).substitute(parts, spans=merged(self._engine, condition), where=str(condition))
        return self._engine.query(text, condition.parameters | (parameters or {}))


def _failed(project_id: str, filter: Filter) -> Where:
    condition = where(project_id, filter)
    condition.add("level = 'ERROR'")
    return condition


def _of(project_id: str, group: FailureGroup, filter: Filter) -> Where:
    """Return the conditions of the failures of a group. The place comes first: fingerprints take time to be worked out."""
    condition = _failed(project_id, filter)
    condition.add(f"ifNull(type, 'span') = {condition.bind(group.type)}")
    condition.add(f"ifNull(spans.name, '') = {condition.bind(group.name or '')}")
    condition.add(f"{FINGERPRINT} = {condition.bind(group.fingerprint)}")
    return condition


def _group(row: dict[str, Any], shown: Range) -> FailureGroup:
    return FailureGroup(**{**row, "trend": shown.gathered(row["trend"])})
