"""Scores as columns and back, and every question about them: the only place that reads the table `scores`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import pyarrow as pa

from genscope.model import Score
from genscope.query.filter import Condition, Filter
from genscope.store.engine import Engine, Parameter
from genscope.store.paging import Counted, Page, check_limit, decode_cursor, encode_cursor
from genscope.store.rows import TEXT_MAP, TIME, from_json, to_json, values
from genscope.store.sql import sql
from genscope.store.where import COLUMNS as SPAN_COLUMNS
from genscope.store.where import SPAN_IN_TRACE, Column, Where, map_entry

#: Columns whose name and value are those of the field of `Score`.
PLAIN: Final[dict[str, pa.DataType]] = {
    "id": pa.string(),
    "name": pa.string(),
    "time": TIME,
    "data_type": pa.string(),
    "value": pa.float64(),
    "string_value": pa.string(),
    "comment": pa.string(),
    "trace_id": pa.string(),
    "span_id": pa.string(),
    "session_id": pa.string(),
    "source": pa.string(),
    "environment": pa.string(),
    "config_id": pa.string(),
    "protocol": pa.string(),
    "repository": pa.string(),
    "removed": pa.bool_(),
    "revision": pa.uint64(),
}

#: Scores of one page of traces, or of one session, that are read.
MOST: Final = 100_000

#: Fields that a condition may name and that are not simply the column of that name.
COLUMNS: Final[Mapping[str, Column]] = {
    "time": Column("scores.time", "time"),
    "value": Column("value", "number"),
    "environment_or_default": Column("ifNull(environment, 'default')"),
    "source_or_api": Column("if(source IN ('EVAL', 'ANNOTATION'), source, 'API')"),
    # What is said of a trace that its sender told as a thing of its own is said of no span in it.
    "span_in_trace": Column(SPAN_IN_TRACE),
    "metadata": Column(map_entry("metadata")),
    "metadata_number": Column(f"toFloat64OrNull({map_entry('metadata')})", "number"),
    "trace_tag": SPAN_COLUMNS["trace_tag"],
    "trace_user_id": SPAN_COLUMNS["user_id"],
    "name_of_trace": SPAN_COLUMNS["name_of_trace"],
}


def encode(project_id: str, scores: Sequence[Score]) -> pa.Table:
    """Return the rows of these scores, columns named as in the `scores` table."""
    columns: dict[str, pa.Array[Any]] = {"project_id": pa.array([project_id] * len(scores), pa.string())}
    for name, type_ in PLAIN.items():
        columns[name] = pa.array([getattr(score, name) for score in scores], type_)
    metadata = [[(key, to_json(value)) for key, value in score.metadata.items()] for score in scores]
    columns["metadata"] = pa.array(metadata, TEXT_MAP)
    return pa.table(columns)


def decode(rows: pa.Table) -> list[Score]:
    """Return the scores of rows; the inverse of `encode`."""
    columns = {name: values(rows[name]) for name in (*PLAIN, "metadata")}
    columns["metadata"] = [{key: from_json(value) for key, value in entries.items()} for entries in columns["metadata"]]
    return [Score(**{name: column[index] for name, column in columns.items()}) for index in range(rows.num_rows)]


def where(project_id: str, filter: Filter) -> Where:
    """Return the conditions of a filter over the `scores` of one project that hold."""
    built = Where([])
    built.add(f"project_id = {built.bind(project_id)} AND NOT removed")
    if filter.start is not None:
        built.add(f"scores.time >= {built.bind_time(filter.start)}")
    if filter.end is not None:
        built.add(f"scores.time < {built.bind_time(filter.end)}")
    built.add_conditions(project_id, filter.conditions, COLUMNS)
    return built


class Scores:
    """Answers questions about one project's scores. Every call blocks; the latest score comes first."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def page(self, project_id: str, filter: Filter, *, limit: int = 50, cursor: str | None = None) -> Page[Score]:
        """Return a page of the scores that meet the filter.

        Raises:
            FilterError: the limit or the cursor is not one.
        """
        limit = check_limit(limit)
        condition = where(project_id, filter)
        if cursor:
            time, id_ = decode_cursor(cursor, 2)
            condition.add(f"(scores.time, id) < ({condition.bind_time(time)}, {condition.bind(id_)})")
        found = self._rows(condition, limit + 1)
        rows = found[:limit]
        return Page(rows, encode_cursor(rows[-1].time, rows[-1].id) if len(found) > limit else None)

    def numbered(self, project_id: str, filter: Filter, *, offset: int, limit: int) -> Counted[Score]:
        """Return the scores from a place in the list on, and how many it has in all."""
        condition = where(project_id, filter)
        total = self._engine.query(sql("scores_count").substitute(where=str(condition)), condition.parameters)
        return Counted(self._rows(condition, limit, offset), total["count"][0].as_py())

    def one(self, project_id: str, score_id: str) -> Score | None:
        """Return a score; None if it is not known."""
        return next(iter(self._about(project_id, "id", [score_id])), None)

    def of_traces(self, project_id: str, trace_ids: Sequence[str]) -> list[Score]:
        """Return what was said of these traces and the spans in them, the earliest first."""
        return self._about(project_id, "trace_id", trace_ids) if trace_ids else []

    def of_session(self, project_id: str, session_id: str) -> list[Score]:
        """Return what was said of a session, the earliest first."""
        return self._about(project_id, "session_id", [session_id])

    def of_sessions(self, project_id: str, session_ids: Sequence[str]) -> list[Score]:
        """Return what was said of these sessions, the earliest first."""
        return self._about(project_id, "session_id", session_ids) if session_ids else []

    def _about(self, project_id: str, field: str, ids: Sequence[str]) -> list[Score]:
        about = Filter(conditions=(Condition(field, tuple(ids)),))
        return self._rows(where(project_id, about), MOST)[::-1]

    def _rows(self, condition: Where, limit: int, offset: int = 0) -> list[Score]:
        parameters: dict[str, Parameter] = {"limit": limit, "offset": offset}
        text = sql("scores_rows").substitute(columns=", ".join((*PLAIN, "metadata")), where=str(condition))
        return decode(self._engine.query(text, condition.parameters | parameters))
