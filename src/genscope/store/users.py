"""Users: whose traces they are, and what those come to."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from genscope.query.filter import Filter, FilterError
from genscope.store.calls import Counts
from genscope.store.engine import Engine, Parameter
from genscope.store.merged import merged
from genscope.store.orders import MONEY, after
from genscope.store.paging import Page, Snapshot, check_limit
from genscope.store.sessions import during, ranged
from genscope.store.sql import sql
from genscope.store.where import where

#: What users may be listed by, the most first, and the column that decides.
ORDERS: Final[Mapping[str, str]] = {
    "last": "last_time",
    "cost": "total_cost",
    "traces": "trace_count",
    "generations": "generation_count",
    "sessions": "session_count",
    "errors": "error_count",
}


@dataclass(frozen=True, slots=True)
class UserSummary:
    """What a user comes to within a range of time. Times are nanoseconds since the epoch, money is US dollars."""

    id: str
    first_time: int
    last_time: int
    trace_count: int
    session_count: int
    #: Calls that generate, each once whoever tells of it.
    generation_count: int
    error_count: int
    #: Calls to a model, each once whoever tells of it, and those of them whose cost is not known.
    paid_count: int
    unpriced_count: int
    input_tokens: int | None
    output_tokens: int | None
    total_cost: Decimal | None


class Users:
    """Answers questions about one project's users. Every call blocks."""

    def __init__(self, engine: Engine, counts: Counts) -> None:
        """Take the engine, and what says which of two tellings of a call counts (`Reader.counts`)."""
        self._engine = engine
        self._counts = counts

    def page(
        self, project_id: str, filter: Filter, *, order: str = "last", limit: int = 50, cursor: str | None = None
    ) -> Page[UserSummary]:
        """Return a page of the users of traces in the filter's range of time that have a span there which meets it.

        Raises:
            FilterError: the order, the limit or the cursor is not one.
        """
        if order not in ORDERS:
            raise FilterError(f"sort: {order!r} is not an order; expected one of {', '.join(ORDERS)}")
        limit, column, list_ = check_limit(limit), ORDERS[order], f"users {order}"
        before = Snapshot.of(list_, cursor) if cursor else None
        end = before.end if before else time.time_ns()
        chosen = before.within(filter) if before else filter
        rows = self._rows(project_id, chosen, "user != ''", {"limit": limit + 1}, column, before)
        next_cursor = None
        if len(rows) > limit:
            last = rows[limit - 1]
            value = getattr(last, column)
            next_cursor = Snapshot(
                None if value is None else format(value, "f" if isinstance(value, Decimal) else "d"), end, last.id
            ).cursor(list_)
        return Page(rows[:limit], next_cursor)

    def one(self, project_id: str, user_id: str, filter: Filter) -> UserSummary | None:
        """Return what a user comes to in the filter's range of time; None if there is nothing."""
        parameters: dict[str, Parameter] = {"limit": 1, "user": user_id}
        return next(iter(self._rows(project_id, filter, "user = {user:String}", parameters)), None)

    def _rows(
        self,
        project_id: str,
        filter: Filter,
        users: str,
        parameters: dict[str, Parameter],
        order: str = "last_time",
        before: Snapshot | None = None,
    ) -> list[UserSummary]:
        met = where(project_id, filter)
        condition = ranged(project_id, filter, "time", met.parameters)
        counts = self._counts(project_id, condition, during(condition, filter))
        within = str(condition)
        # By hashes, because the index of trace ids takes long for thousands of them.
        if "user" in parameters:
            theirs = f"SELECT cityHash64(trace_id) FROM spans WHERE {within} AND user_id = {{user:String}}"  # noqa: S608
            condition.add(f"cityHash64(trace_id) IN ({theirs})")
        if filter.conditions:
            spans = merged(self._engine, met)
            condition.add(f"cityHash64(trace_id) IN (SELECT cityHash64(trace_id) FROM {spans} WHERE {met})")  # noqa: S608
        text = sql("users_rows").substitute(
            spans=merged(self._engine, condition),
            where=str(condition),
            counts=counts,
            users=users,
            order=order,
            behind=after(condition, order, "user", before, MONEY if order == "total_cost" else "Int64"),
        )
        rows = self._engine.query(text, condition.parameters | parameters | {"project_id": project_id}).to_pylist()
        return [UserSummary(**row) for row in rows]
