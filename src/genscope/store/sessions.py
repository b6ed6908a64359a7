"""Sessions as columns and back, and every question about them: what senders told of them, and the traces in them."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any, Final

import pyarrow as pa

from genscope.model import Attributes, Session
from genscope.query.filter import Filter
from genscope.store.calls import Counts
from genscope.store.engine import Engine, Parameter
from genscope.store.fingerprint import MESSAGE
from genscope.store.merged import merged
from genscope.store.orders import check_value
from genscope.store.paging import Counted, Page, Snapshot, check_limit, decode_cursor, encode_cursor
from genscope.store.previews import LAST_PART, PREVIEW
from genscope.store.rows import NAMES, TEXT_MAP, TIME, from_json, to_json
from genscope.store.sql import sql
from genscope.store.where import Column, Where, first_window
from genscope.store.where import where as where_spans

#: Columns whose name and value are those of the field of `Session`.
PLAIN: Final[dict[str, pa.DataType]] = {
    "id": pa.string(),
    "name": pa.string(),
    "start_time": TIME,
    "end_time": TIME,
    "tags": NAMES,
    "repository": pa.string(),
}

#: How many spans the first window of a list holds for each session of a page, and how windows grow.
SPANS: Final = 32
GROWTH: Final = 16
#: How far before a window a span that meets a condition may lie whose trace names its session in the window: one hour.
BEFORE: Final = 3600 * 10**9
EVERYTHING: Final = Filter()
#: Numbers and lists of a session that has no traces.
EMPTY: Final[dict[str, Any]] = {
    **dict.fromkeys(("trace_count", "span_count", "error_count", "paid_count", "unpriced_count"), 0),
    **dict.fromkeys(("input_tokens", "output_tokens", "total_cost", "user_id", "environment")),
    "models": (),
}

#: Ids of traces that are named one by one; more are looked up again.
MANY: Final = 5_000
#: Turns of one page of a conversation, and calls of tools that are told of each.
TURNS: Final = 50
TOOLS: Final = 50
#: Characters of a text beyond which only its beginning and its end are read.
LONGEST: Final = 400_000

#: Fields that a condition may name and that are not simply the column of that name in queries/sessions_all.sql.
COLUMNS: Final[Mapping[str, Column]] = {"environment_or_default": Column("ifNull(environment, 'default')")}


@dataclass(frozen=True, slots=True)
class SessionSummary:
    """A session, gathered from the traces in it and from what was told of itself. Times are nanoseconds since the epoch."""

    id: str
    name: str | None
    #: The first that is known of it: 0 for a session that was told of without a time, and has no spans.
    start_time: int
    end_time: int | None
    trace_count: int
    span_count: int
    error_count: int
    #: Calls to a model, each once whoever tells of it, and those of them whose cost is not known.
    paid_count: int
    unpriced_count: int
    input_tokens: int | None
    output_tokens: int | None
    total_cost: Decimal | None
    user_id: str | None
    environment: str | None
    tags: list[str]
    models: list[str]
    metadata: Attributes
    repository: str | None

    @property
    def duration(self) -> int | None:
        """Nanoseconds from the first start to the last end."""
        return None if self.end_time is None else self.end_time - self.start_time


@dataclass(frozen=True, slots=True)
class Said:
    """What one span says: input and output of its own, and those of its trace that it carries."""

    trace_id: str
    span_id: str
    name: str | None
    type: str | None
    level: str | None
    input: str | None
    output: str | None
    trace_input: str | None
    trace_output: str | None
    #: Of a failure.
    message: str
    #: Nanoseconds; None while it is not known.
    duration: int | None


@dataclass(frozen=True, slots=True)
class Turn:
    """One trace of a session: what was asked, what was answered, what it took. Times are nanoseconds since the epoch."""

    trace_id: str
    name: str | None
    start_time: int
    end_time: int | None
    span_count: int
    error_count: int
    paid_count: int
    unpriced_count: int
    input_tokens: int | None
    output_tokens: int | None
    total_cost: Decimal | None
    models: list[str]
    #: Those that say what was asked or answered: for the trace itself, its root, its first or last generation; None where none
    #: does.
    asked: list[Said | None]
    answered: list[Said | None]
    #: The first calls of tools, and how many there are.
    tools: list[Said]
    tool_count: int
    #: The first failure.
    failed: Said | None

    @property
    def duration(self) -> int | None:
        """Nanoseconds from the first start to the last end."""
        return None if self.end_time is None else self.end_time - self.start_time


def encode(project_id: str, sessions: Sequence[Session]) -> pa.Table:
    """Return the rows of these sessions, columns named as in the `sessions` table."""
    columns: dict[str, pa.Array[Any]] = {"project_id": pa.array([project_id] * len(sessions), pa.string())}
    for name, type_ in PLAIN.items():
        columns[name] = pa.array([getattr(session, name) for session in sessions], type_)
    metadata = [[(key, to_json(value)) for key, value in session.metadata.items()] for session in sessions]
    columns["metadata"] = pa.array(metadata, TEXT_MAP)
    return pa.table(columns)


class Sessions:
    """Answers questions about one project's sessions. Every call blocks."""

    def __init__(self, engine: Engine, counts: Counts) -> None:
        """Take the engine, and what says which of two tellings of a call counts (`Reader.counts`)."""
        self._engine = engine
        self._counts = counts

    def page(
        self, project_id: str, filter: Filter, *, limit: int = 50, cursor: str | None = None
    ) -> Page[SessionSummary]:
        """Return a page of the sessions that were active in the filter's time range, in a trace with a span that meets it.

        The latest to be active comes first: what counts is the latest span that names it, or when it began if none does.

        Raises:
            FilterError: the limit or the cursor is not one.
        """
        limit = check_limit(limit)
        before, snapshot = None, None
        if cursor:
            snapshot = Snapshot.of("sessions", cursor)
            before, filter = (int(check_value(snapshot.value or "", "Int64")), snapshot.id), snapshot.within(filter)
        end = snapshot.end if snapshot else time.time_ns()
        keys: list[dict[str, Any]] = []
        for window in self._windows(project_id, filter, before[0] if before else None, limit):
            keys = self._keys(project_id, window, filter, before, limit + 1)
            if len(keys) > limit:
                break
        found = self.summaries(project_id, [key["id"] for key in keys[:limit]], filter)
        last = keys[limit - 1] if len(keys) > limit else None
        return Page(
            list(found.values()), Snapshot(str(last["last"]), end, last["id"]).cursor("sessions") if last else None
        )

    def _windows(self, project_id: str, filter: Filter, begin: int | None, limit: int) -> Iterator[Filter]:
        """Yield the filter with ever earlier begins, the last of them its own. All windows reach to the end of the list."""
        rest = filter if begin is None else replace(filter, end=min(begin + 1, filter.end or begin + 1))
        everything = where_spans(project_id, Filter(rest.start, rest.end))
        offset = first_window(filter, limit * SPANS)
        while True:
            text = sql("spans_boundary").substitute(where=str(everything), direction="DESC")
            found = self._engine.query(text, everything.parameters | {"offset": offset})
            if not found.num_rows:
                yield filter
                return
            yield replace(filter, start=found["boundary"][0].as_py())
            offset *= GROWTH

    def _keys(
        self, project_id: str, window: Filter, whole: Filter, before: tuple[Any, ...] | None, limit: int
    ) -> list[dict[str, Any]]:
        # The span that names the session of a trace need not be the one that meets the conditions, and may come after it.
        start = window.start
        if start is not None and start != whole.start:
            start = max(start - BEFORE, whole.start if whole.start is not None else start - BEFORE)
        met = where_spans(project_id, replace(window, start=start))
        spans, told = (ranged(project_id, window, column, met.parameters) for column in ("time", "start_time"))
        if window.conditions:
            spans.add(f"trace_id IN (SELECT trace_id FROM {merged(self._engine, met)} WHERE {met})")  # noqa: S608
            told.add("false")
        having = f"(last, id) < ({spans.bind(before[0], 'Int64')}, {spans.bind(before[1])})" if before else "true"
        text = sql("sessions_keys").substitute(spans=str(spans), told=str(told), having=having)
        return self._engine.query(text, spans.parameters | {"limit": limit}).to_pylist()

    def numbered(self, project_id: str, filter: Filter, *, offset: int, limit: int) -> Counted[SessionSummary]:
        """Return the sessions that begin in a range of time from a place in the list on, and how many it has in all.

        The latest to begin comes first.
        """
        condition = _where(project_id, filter)
        parameters = condition.parameters | {"project_id": project_id}
        all_ = sql("sessions_all")
        total = self._engine.query(all_.substitute(columns="count() AS count", where=str(condition)), parameters)
        listed = all_.substitute(columns="id", where=str(condition))
        text = f"{listed} ORDER BY start DESC, id DESC LIMIT {limit:d} OFFSET {offset:d}"
        ids: list[Any] = self._engine.query(text, parameters)["id"].to_pylist()
        return Counted(list(self.summaries(project_id, ids).values()), total["count"][0].as_py())

    def one(self, project_id: str, session_id: str) -> SessionSummary | None:
        """Return a session; None if it is not known."""
        return self.summaries(project_id, [session_id]).get(session_id)

    def summaries(self, project_id: str, ids: Sequence[str], filter: Filter = EVERYTHING) -> dict[str, SessionSummary]:
        """Return those of these sessions that are known, by id in the order of the ids.

        They come to what their traces do within the filter's range of time; its conditions are not looked at.
        """
        if not ids:
            return {}
        parameters: dict[str, Parameter] = {"project_id": project_id, "ids": list(ids)}
        told = {row["id"]: row for row in self._engine.query(sql("sessions_told").template, parameters).to_pylist()}
        gathered = {row["id"]: row for row in self._gathered(project_id, ids, filter)}
        return {id_: _summary(id_, gathered.get(id_), told.get(id_)) for id_ in ids if id_ in told or id_ in gathered}

    def turns(self, project_id: str, session_id: str, *, limit: int = TURNS, cursor: str | None = None) -> Page[Turn]:
        """Return a page of the traces of a session, the earliest first, with the spans that say what was asked and answered.

        Raises:
            FilterError: the limit or the cursor is not one.
        """
        limit = check_limit(limit)
        after = decode_cursor("turns", cursor, 2) if cursor else None
        keys = self._traces(project_id, [session_id], Filter())
        rest = [key for key in keys if after is None or (key["first"], key["trace_id"]) > after]
        shown = rest[:limit]
        if not shown:
            return Page([], None)
        condition = where_spans(
            project_id, Filter(min(key["first"] for key in shown), max(key["last"] for key in shown) + 1)
        )
        condition.add(f"trace_id IN {condition.bind_list(key['trace_id'] for key in shown)}")
        text = sql("sessions_turns").substitute(where=str(condition), counts=self._counts(project_id, condition, "1"))
        parameters: dict[str, Parameter] = {"project_id": project_id, "tools": TOOLS}
        rows = self._engine.query(text, condition.parameters | parameters).to_pylist()
        rows = [row for row in rows if row.pop("session") == session_id]
        ids = {id_ for row in rows for name in ("asked", "answered", "tools", "failed") for id_ in row[name] if id_}
        condition.add(f"span_id IN {condition.bind_list(ids)}")
        parameters = {"longest": LONGEST, "preview": PREVIEW}
        text = sql("sessions_texts").substitute(where=str(condition), last_part=LAST_PART, message=MESSAGE)
        said = {
            (row["trace_id"], row["span_id"]): Said(**row)
            for row in self._engine.query(text, condition.parameters | parameters).to_pylist()
        }
        last = shown[-1]
        return Page(
            [_turn(row, said) for row in rows],
            encode_cursor("turns", last["first"], last["trace_id"]) if len(rest) > limit else None,
        )

    def _traces(self, project_id: str, ids: Sequence[str], filter: Filter) -> list[dict[str, Any]]:
        """Return the traces of which a span in the filter's range of time names one of these sessions, the earliest first."""
        condition = where_spans(project_id, Filter(filter.start, filter.end))
        parameters: dict[str, Parameter] = {"project_id": project_id, "ids": list(ids)}
        text = sql("sessions_traces").substitute(where=str(condition))
        return self._engine.query(text, condition.parameters | parameters).to_pylist()

    def _gathered(self, project_id: str, ids: Sequence[str], filter: Filter) -> list[dict[str, Any]]:
        span = Filter(filter.start, filter.end)
        ids_of_traces: list[str] | None = None
        if filter.start is None:
            # Where in time they lie keeps the engine from reading everything.
            traces = self._traces(project_id, ids, filter)
            if not traces:
                return []
            last = max(trace["last"] for trace in traces) + 1
            span = Filter(traces[0]["first"], last if filter.end is None else min(last, filter.end))
            ids_of_traces = [trace["trace_id"] for trace in traces]
        condition = where_spans(project_id, span)
        condition.parameters["ids"] = list(ids)
        if ids_of_traces is None or len(ids_of_traces) > MANY:
            named = f"(SELECT trace_id FROM spans WHERE {condition} AND session_id IN {{ids:Array(String)}})"  # noqa: S608
        else:
            named = condition.bind_list(ids_of_traces)
        counts = self._counts(project_id, condition, during(condition, span))
        condition.add(f"trace_id IN {named}")
        text = sql("sessions_rows").substitute(where=str(condition), counts=counts)
        return self._engine.query(text, condition.parameters | {"project_id": project_id}).to_pylist()


def _turn(row: dict[str, Any], said: Mapping[tuple[str, str], Said]) -> Turn:
    def spans(name: str) -> list[Said | None]:
        return [said.get((row["trace_id"], id_)) for id_ in row[name]]

    told = {
        "asked": spans("asked"),
        "answered": spans("answered"),
        "tools": [one for one in spans("tools") if one],
        "failed": next(iter(spans("failed")), None),
    }
    return Turn(**(row | told))


def _summary(id_: str, gathered: dict[str, Any] | None, told: dict[str, Any] | None) -> SessionSummary:
    rows = [row for row in (gathered, told) if row]
    known = told or {}
    starts = [row["start_time"] for row in rows if row["start_time"] is not None]
    ends = [row["end_time"] for row in rows if row["end_time"] is not None]
    values = (
        EMPTY
        | (gathered or {})
        | {
            "id": id_,
            "name": known.get("name"),
            "start_time": min(starts, default=0),
            "end_time": max(ends, default=None),
            "tags": sorted({tag for row in rows for tag in row["tags"]}),
            "metadata": {key: from_json(value) for key, value in known.get("metadata", ())},
            "repository": next((row["repository"] for row in rows if row["repository"]), None),
        }
    )
    return SessionSummary(**(values | {"models": list(values["models"])}))


def during(built: Where, filter: Filter) -> str:
    """Return the condition on rows of `traces` that they reach into a filter's range of time."""
    reaching = [f"last_time >= {built.bind_time(filter.start)}"] if filter.start is not None else []
    reaching += [f"first_time < {built.bind_time(filter.end)}"] if filter.end is not None else []
    return " AND ".join(reaching) or "1"


def ranged(project_id: str, filter: Filter, column: str, parameters: dict[str, Parameter]) -> Where:
    """Return the conditions of a filter's range of time on a column of moments; the parameters become part of those given."""
    built = Where([], parameters, start=filter.start, end=filter.end)
    built.add(f"project_id = {built.bind(project_id)}")
    if filter.start is not None:
        built.add(f"{column} >= {built.bind_time(filter.start)}")
    if filter.end is not None:
        built.add(f"{column} < {built.bind_time(filter.end)}")
    return built


def _where(project_id: str, filter: Filter) -> Where:
    built = Where(["true"])
    if filter.start is not None:
        built.add(f"start >= {built.bind_nanoseconds(filter.start)}")
    if filter.end is not None:
        built.add(f"start < {built.bind_nanoseconds(filter.end)}")
    built.add_conditions(project_id, filter.conditions, COLUMNS)
    return built
