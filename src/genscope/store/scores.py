"""Scores as columns and back, and every question about them: the only place that reads the table `scores`."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import pyarrow as pa

from genscope.model import Score
from genscope.query.conditions import Node
from genscope.query.filter import Condition, Filter
from genscope.store.engine import Engine, Parameter
from genscope.store.merged import merged
from genscope.store.paging import Counted, Page, check_limit, decode_cursor, encode_cursor
from genscope.store.ranges import Range
from genscope.store.rows import TEXT_MAP, TIME, from_json, to_json, values
from genscope.store.sql import sql
from genscope.store.where import COLUMNS as SPAN_COLUMNS
from genscope.store.where import SPAN_IN_TRACE, Column, Where, map_entry
from genscope.store.where import where as where_spans

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


#: Bins of a histogram of numbers, names of which the distribution is told, and values of a field.
BINS: Final = 20
MOST_NAMES: Final = 200
MOST_VALUES: Final = 8
#: The latest scores of which it is looked up what they are about.
MOST_LOOKED_UP: Final = 2_000


@dataclass(frozen=True, slots=True)
class NameSummary:
    """What was said under one name, by scores of one type. Times are nanoseconds since the epoch."""

    name: str
    data_type: str
    count: int
    sources: list[str]
    first_time: int
    last_time: int
    #: Of the values that are numbers; of what is true (1) or false (0) the mean is the share of what is true.
    least: float | None
    greatest: float | None
    mean: float | None
    median: float | None
    #: How many numbers lie in each of `BINS` equal parts from the least to the greatest; empty where all are the same.
    histogram: list[int]
    #: The most frequent categories.
    categories: list[tuple[str, int]]
    #: How many scores, and which mean, each part of the range has, the earliest first.
    trend: list[int]
    means: list[float | None]


@dataclass(frozen=True, slots=True)
class About:
    """What scores say of what has one value of a field (`model`, `name`, `prompt`)."""

    field: str
    value: str
    count: int
    mean: float | None


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

    def page(
        self,
        project_id: str,
        filter: Filter,
        *,
        limit: int = 50,
        cursor: str | None = None,
        about: Iterable[Node] = (),
    ) -> Page[Score]:
        """Return a page of the scores that meet the filter.

        Raises:
            FilterError: the limit or the cursor is not one.
        """
        limit = check_limit(limit)
        condition = self._where(project_id, filter, about)
        if cursor:
            time, id_ = decode_cursor("scores", cursor, 2)
            condition.add(f"(scores.time, id) < ({condition.bind_time(time)}, {condition.bind(id_)})")
        found = self._rows(condition, limit + 1)
        rows = found[:limit]
        return Page(rows, encode_cursor("scores", rows[-1].time, rows[-1].id) if len(found) > limit else None)

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

    def range(self, project_id: str, filter: Filter, parts: int) -> Range:
        """Return the filter's range of time in equal parts; one without a begin begins at the first score."""
        end = time.time_ns() if filter.end is None else filter.end
        begin = filter.start
        if begin is None:
            condition = where(project_id, Filter(end=filter.end))
            text = f"SELECT toUnixTimestamp64Nano(min(scores.time)) AS begin, count() AS count FROM scores WHERE {condition}"  # noqa: S608
            (found,) = self._engine.query(text, condition.parameters).to_pylist()
            begin = found["begin"] if found["count"] else end
        return Range.between(begin, end, parts)

    def names(self, project_id: str, filter: Filter, shown: Range, about: Iterable[Node] = ()) -> list[NameSummary]:
        """Return how what was said under each name is distributed, the most frequent first, with its trend over `shown`."""
        condition = self._where(project_id, filter, about)
        parameters: dict[str, Parameter] = {
            "bins": BINS,
            "begin": shown.begin,
            "width": shown.width,
            "limit": MOST_NAMES,
        }
        text = sql("scores_names").substitute(where=str(condition))
        return [_name(row, shown) for row in self._engine.query(text, condition.parameters | parameters).to_pylist()]

    def about(self, project_id: str, filter: Filter, about: Iterable[Node] = ()) -> list[About]:
        """Return what the latest scores that meet the filter say by model, name and prompt of the calls that they are about."""
        condition = self._where(project_id, filter, about)
        parameters: dict[str, Parameter] = {
            "project_id": project_id,
            "most": MOST_LOOKED_UP,
            "limit": MOST_VALUES,
        }
        text = sql("scores_about").substitute(where=str(condition))
        return [About(**row) for row in self._engine.query(text, condition.parameters | parameters).to_pylist()]

    def _where(self, project_id: str, filter: Filter, about: Iterable[Node]) -> Where:
        """Return the conditions of a filter, and those `about` spans: of the traces that the scores are of, one meets them."""
        built = where(project_id, filter)
        if conditions := tuple(about):
            met = where_spans(project_id, Filter(conditions=conditions), built.parameters)
            built.add(f"trace_id IN (SELECT trace_id FROM {merged(self._engine, met)} WHERE {met})")  # noqa: S608
        return built

    def _about(self, project_id: str, field: str, ids: Sequence[str]) -> list[Score]:
        about = Filter(conditions=(Condition(field, tuple(ids)),))
        return self._rows(where(project_id, about), MOST)[::-1]

    def _rows(self, condition: Where, limit: int, offset: int = 0) -> list[Score]:
        parameters: dict[str, Parameter] = {"limit": limit, "offset": offset}
        text = sql("scores_rows").substitute(columns=", ".join((*PLAIN, "metadata")), where=str(condition))
        return decode(self._engine.query(text, condition.parameters | parameters))


def _name(row: dict[str, Any], shown: Range) -> NameSummary:
    histogram = dict(row["histogram"])
    counts, sums = shown.gathered(row["trend"]), shown.gathered(row.pop("sums"))
    numbers = row["data_type"] in ("NUMERIC", "BOOLEAN")
    told = {
        "histogram": [histogram.get(part, 0) for part in range(BINS)] if histogram else [],
        "categories": [(each["1"], each["2"]) for each in row["categories"]],
        "trend": counts,
        "means": [total / count if count and numbers else None for total, count in zip(sums, counts, strict=True)],
    }
    return NameSummary(**(row | told))
