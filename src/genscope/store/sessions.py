"""Sessions as columns and back, and every question about them: what senders told of them, and the traces in them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import pyarrow as pa

from genscope.model import Attributes, Session
from genscope.query.filter import Condition, Filter
from genscope.store.engine import Engine, Parameter
from genscope.store.paging import Counted, Page, check_limit, decode_cursor, encode_cursor
from genscope.store.rows import NAMES, TEXT_MAP, TIME, from_json, to_json
from genscope.store.sql import sql
from genscope.store.where import Column, Where

#: Columns whose name and value are those of the field of `Session`.
PLAIN: Final[dict[str, pa.DataType]] = {
    "id": pa.string(),
    "name": pa.string(),
    "start_time": TIME,
    "end_time": TIME,
    "tags": NAMES,
    "repository": pa.string(),
}

#: Fields that a condition may name and that are not simply the column of that name in queries/sessions_all.sql.
COLUMNS: Final[Mapping[str, Column]] = {"environment_or_default": Column("ifNull(environment, 'default')")}


@dataclass(frozen=True, slots=True)
class SessionSummary:
    """A session, gathered from the spans that name it and from what was told of itself. Times are nanoseconds since the epoch."""

    id: str
    name: str | None
    #: The first that is known of it: 0 for a session that was told of without a time, and has no spans.
    start_time: int
    end_time: int | None
    trace_count: int
    span_count: int
    user_id: str | None
    environment: str | None
    tags: list[str]
    metadata: Attributes
    repository: str | None


def encode(project_id: str, sessions: Sequence[Session]) -> pa.Table:
    """Return the rows of these sessions, columns named as in the `sessions` table."""
    columns: dict[str, pa.Array[Any]] = {"project_id": pa.array([project_id] * len(sessions), pa.string())}
    for name, type_ in PLAIN.items():
        columns[name] = pa.array([getattr(session, name) for session in sessions], type_)
    metadata = [[(key, to_json(value)) for key, value in session.metadata.items()] for session in sessions]
    columns["metadata"] = pa.array(metadata, TEXT_MAP)
    return pa.table(columns)


class Sessions:
    """Answers questions about one project's sessions. Every call blocks; the latest to begin comes first."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def page(
        self, project_id: str, filter: Filter, *, limit: int = 50, cursor: str | None = None
    ) -> Page[SessionSummary]:
        """Return a page of the sessions that begin in the filter's time range and meet its conditions.

        Raises:
            FilterError: the limit or the cursor is not one.
        """
        limit = check_limit(limit)
        condition = _where(project_id, filter)
        if cursor:
            time, id_ = decode_cursor(cursor, 2)
            condition.add(f"(start, id) < ({condition.bind(time, 'Int64')}, {condition.bind(id_)})")
        found = self._rows(project_id, condition, limit + 1)
        rows = found[:limit]
        return Page(rows, encode_cursor(rows[-1].start_time, rows[-1].id) if len(found) > limit else None)

    def numbered(self, project_id: str, filter: Filter, *, offset: int, limit: int) -> Counted[SessionSummary]:
        """Return the sessions from a place in the list on, and how many it has in all."""
        condition = _where(project_id, filter)
        total = self._engine.query(_select("count() AS count", condition), _parameters(project_id, condition))
        return Counted(self._rows(project_id, condition, limit, offset), total["count"][0].as_py())

    def one(self, project_id: str, session_id: str) -> SessionSummary | None:
        """Return a session; None if it is not known."""
        only = Filter(conditions=(Condition("id", (session_id,)),))
        condition = _where(project_id, only)
        named = f"session_id = {condition.bind(session_id)}"
        return next(iter(self._rows(project_id, condition, 1, named=named)), None)

    def _rows(
        self, project_id: str, condition: Where, limit: int, offset: int = 0, *, named: str = "true"
    ) -> list[SessionSummary]:
        columns = "* EXCEPT (start, end), start AS start_time, end AS end_time"
        text = f"{_select(columns, condition, named)} ORDER BY start DESC, id DESC LIMIT {limit:d} OFFSET {offset:d}"
        rows = self._engine.query(text, _parameters(project_id, condition)).to_pylist()
        for row in rows:
            row["metadata"] = {key: from_json(value) for key, value in row["metadata"]}
            row["tags"] = sorted(row["tags"])
        return [SessionSummary(**row) for row in rows]


def _select(columns: str, condition: Where, named: str = "true") -> str:
    return sql("sessions_all").substitute(columns=columns, where=str(condition), named=named)


def _parameters(project_id: str, condition: Where) -> dict[str, Parameter]:
    return condition.parameters | {"project_id": project_id}


def _where(project_id: str, filter: Filter) -> Where:
    built = Where(["true"])
    if filter.start is not None:
        built.add(f"start >= {built.bind_nanoseconds(filter.start)}")
    if filter.end is not None:
        built.add(f"start < {built.bind_nanoseconds(filter.end)}")
    built.add_conditions(project_id, filter.conditions, COLUMNS)
    return built
