"""Every question that a page or a route may ask of the store. SQL is in `queries/*.sql`, conditions are built by `where`.

How a list stays fast and exact at the same time: rows of one key merge only under FINAL, and FINAL over a whole project reads
far too much for a page of 50. So a page is looked for in a window of time at the end of the list that is just large enough for
the page, and the window grows until the page is full. Within the window FINAL is exact, because rows of one key share their time.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any, Final

import pyarrow as pa

from genscope.model import TRACE, Attributes, Entity, Span
from genscope.query.filter import Filter
from genscope.store import orders, previews
from genscope.store.console import Console
from genscope.store.engine import Engine, Parameter
from genscope.store.export import Export
from genscope.store.facets import Facets
from genscope.store.failures import Failures
from genscope.store.field_values import FieldValues
from genscope.store.figures import Figures
from genscope.store.health import Health
from genscope.store.merged import merged
from genscope.store.metrics import Metrics
from genscope.store.models import Models
from genscope.store.paging import Counted, Page, check_limit, decode_cursor, encode_cursor
from genscope.store.previews import PREVIEW
from genscope.store.rejections import Rejections
from genscope.store.rows import decode, entry
from genscope.store.scores import Scores
from genscope.store.sessions import Sessions
from genscope.store.sql import sql
from genscope.store.traces import COUNTED, where_traces
from genscope.store.usages import Usages
from genscope.store.users import Users
from genscope.store.where import IS_TRACE, LATEST, Where, first_window, where
from genscope.store.within import Within

#: Keys that one query looks up: 100,000 took the engine half a minute, ten times 10,000 half a second.
KEYS_AT_ONCE: Final = 10_000
#: How much more than a page the first window holds, and how it grows.
WINDOW: Final = 4
GROWTH: Final = 32


@dataclass(frozen=True, slots=True)
class TraceSummary:
    """One trace, gathered from its spans. Times are nanoseconds since the epoch, money is US dollars."""

    trace_id: str
    name: str | None
    start_time: int
    end_time: int | None
    span_count: int
    #: Spans of this type; a call that two libraries tell of is two of them.
    generation_count: int
    error_count: int
    #: Calls to a model, each once whoever tells of it, and those of them whose cost is not known.
    paid_count: int
    unpriced_count: int
    input_tokens: int | None
    output_tokens: int | None
    total_cost: Decimal | None
    session_id: str | None
    user_id: str | None
    tags: list[str]
    environment: str | None
    release: str | None
    version: str | None
    models: list[str]
    metadata: Attributes
    #: Previews of at most `PREVIEW` characters.
    input: str | None
    output: str | None

    @property
    def duration(self) -> int | None:
        """Nanoseconds from the first start to the last end."""
        return None if self.end_time is None else self.end_time - self.start_time

    @property
    def total_tokens(self) -> int | None:
        """Input and output tokens together; None if neither is known."""
        known = [count for count in (self.input_tokens, self.output_tokens) if count is not None]
        return sum(known) if known else None


@dataclass(frozen=True, slots=True)
class Members:
    """What belongs to a trace: its spans in the order of their start, but for the row that is the trace itself."""

    span_ids: list[str]
    public: bool


class Reader:
    """Answers questions about one project's rows. Every call blocks; call it from a worker thread."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.scores = Scores(engine)
        self.sessions = Sessions(engine, self.counts)
        self.failures = Failures(engine)
        self.users = Users(engine, self.counts)
        self.rejections = Rejections(engine)
        self.health = Health(engine)
        self.facets = Facets(engine)
        self.field_values = FieldValues(engine)
        self.export = Export(engine)
        self.console = Console(engine, self.counts)
        self.metrics = Metrics(engine, self.counts)
        self.figures = Figures(engine, self.counts)
        self.models = Models(engine, self.counts)
        self.usages = Usages(self.models)
        self.within = Within(engine, self._extent, self.summaries, self.counts)

    def spans(
        self,
        project_id: str,
        filter: Filter,
        *,
        sort: str = "-start_time",
        limit: int = 50,
        cursor: str | None = None,
        offset: int = 0,
        full: bool = False,
    ) -> Page[Span]:
        """Return a page of spans. Unless `full`, texts are previews, and attributes, events and the like stay empty.

        It begins behind the cursor, and `offset` spans further on, which all have to be looked at.

        Raises:
            FilterError: the sort order, the limit or the cursor is not one.
        """
        order, direction = orders.parse(sort, orders.OF_SPANS)
        limit = check_limit(limit)
        if order != orders.TIME:
            return self._ranked(project_id, filter, sort, limit, cursor, full=full)
        before = decode_cursor(sort, cursor, 3) if cursor else None
        keys: list[dict[str, Any]] = []
        for window in self._windows(project_id, filter, direction, before[0] if before else None, offset + limit):
            condition = where(project_id, window)
            if before:
                compare = "<" if direction == "DESC" else ">"
                values = f"{condition.bind_time(before[0])}, {condition.bind(before[1])}, {condition.bind(before[2])}"
                condition.add(f"(time, trace_id, span_id) {compare} ({values})")
            parameters: dict[str, Parameter] = {"limit": limit + 1, "offset": offset}
            keys = self._query("spans_keys", condition, parameters, direction=direction).to_pylist()
            if len(keys) > limit:
                break
        next_cursor = encode_cursor(sort, *keys[limit - 1].values()) if len(keys) > limit else None
        return Page(self._rows(project_id, keys[:limit], filter, full=full), next_cursor)

    def _ranked(
        self, project_id: str, filter: Filter, sort: str, limit: int, cursor: str | None, *, full: bool
    ) -> Page[Span]:
        name, direction = orders.parse(sort, orders.OF_SPANS)
        order = orders.OF_SPANS[name]
        condition = where(project_id, filter)
        after = "true"
        if cursor:
            after = orders.behind(condition, order, direction, decode_cursor(sort, cursor, 3, ranked=True))
        parts = {"value": order.sql, "direction": direction, "behind": after}
        keys = self._query("spans_ranked", condition, {"limit": limit + 1}, **parts).to_pylist()
        next_cursor = encode_cursor(sort, *keys[limit - 1].values()) if len(keys) > limit else None
        for key in keys:
            del key["value"]
        return Page(self._rows(project_id, keys[:limit], filter, full=full), next_cursor)

    def count_spans(self, project_id: str, filter: Filter) -> int:
        """Return how many spans meet the filter, exactly."""
        count: int = self._query("spans_count", where(project_id, filter))["count"][0].as_py()
        return count

    def _windows(
        self, project_id: str, filter: Filter, direction: str, start: int | None, limit: int
    ) -> Iterator[Filter]:
        """Yield the filter narrowed to ever larger windows from `start` on, the last of them the whole filter."""
        rest = filter
        if start is not None and direction == "DESC":
            rest = replace(filter, end=min(start + 1, filter.end if filter.end is not None else LATEST))
        elif start is not None:
            rest = replace(filter, start=max(start, filter.start if filter.start is not None else start))
        everything = where(project_id, replace(rest, conditions=()))
        offset = first_window(filter, limit * WINDOW)
        while True:
            found = self._query("spans_boundary", everything, {"offset": offset}, direction=direction)
            if not found.num_rows:
                yield rest
                return
            boundary = found["boundary"][0].as_py()
            yield replace(rest, start=boundary) if direction == "DESC" else replace(rest, end=boundary + 1)
            offset *= GROWTH

    def _rows(self, project_id: str, keys: list[dict[str, Any]], filter: Filter, *, full: bool) -> list[Span]:
        """Return the spans of keys in their order."""
        if not keys:
            return []
        times = [key["time"] for key in keys]
        condition = where(project_id, Filter(min(times), max(times) + 1))
        # Each part of the key by itself is quickly planned and found; what meets all three without being a key is left out below.
        condition.add(f"trace_id IN {condition.bind_list({key['trace_id'] for key in keys})}")
        condition.add(f"span_id IN {condition.bind_list({key['span_id'] for key in keys})}")
        columns = previews.columns(full=full, condition=condition, filter=filter)
        spans = decode(self._query("spans_rows", condition, columns=columns))
        found = {(span.time, span.trace_id, span.span_id): span for span in spans}
        # A span may have moved or gone since its key was read.
        return [found[key] for key in (tuple(key.values()) for key in keys) if key in found]

    def trace(self, project_id: str, trace_id: str, *, full: bool = True) -> list[Span]:
        """Return every span of a trace in the order of their start, empty if there is none; as in lists unless `full`."""
        extent = self._extent(project_id, trace_id)
        if extent is None:
            return []
        condition = where(project_id, Filter(extent["first"], extent["last"] + 1))
        condition.add(f"trace_id = {condition.bind(trace_id)}")
        columns = previews.columns(full=full, condition=condition, filter=Filter())
        spans = decode(self._query("spans_rows", condition, columns=columns))
        _end_root(spans)
        # A span that came in pieces lies where its first piece came, which need not be its start.
        return sorted(spans, key=lambda span: span.time if span.start_time is None else span.start_time)

    def span(self, project_id: str, trace_id: str, span_id: str) -> Span | None:
        """Return one whole span; None if it is not known."""
        extent = self._extent(project_id, trace_id)
        if extent is None:
            return None
        condition = where(project_id, Filter(extent["first"], extent["last"] + 1))
        condition.add(f"trace_id = {condition.bind(trace_id)} AND span_id = {condition.bind(span_id)}")
        columns = previews.columns(full=True, condition=condition, filter=Filter())
        spans = decode(self._query("spans_rows", condition, columns=columns))
        if spans and _lacks_end(spans[0]):
            _end_root([spans[0], *self.trace(project_id, trace_id, full=False)])
        return spans[0] if spans else None

    def span_times(self, project_id: str, spans: Iterable[tuple[str, str]]) -> dict[tuple[str, str], int]:
        """Return where in time the spans of these trace and span ids are placed, as far as they are known."""
        wanted = list(dict.fromkeys(spans))
        times: dict[tuple[str, str], int] = {}
        for begin in range(0, len(wanted), KEYS_AT_ONCE):
            some = set(wanted[begin : begin + KEYS_AT_ONCE])
            condition = where(project_id, Filter())
            condition.add(f"trace_id IN {condition.bind_list({trace_id for trace_id, _ in some})}")
            condition.add(f"span_id IN {condition.bind_list({span_id for _, span_id in some})}")
            rows = self._query("span_times", condition).to_pylist()
            times |= {key: row["time"] for row in rows if (key := (row["trace_id"], row["span_id"])) in some}
        return times

    def trace_summary(self, project_id: str, trace_id: str) -> TraceSummary | None:
        """Return one trace, gathered from its spans; None if it is not known."""
        extent = self._extent(project_id, trace_id)
        return next(iter(self.summaries(project_id, [extent] if extent else [])), None)

    def _extent(self, project_id: str, trace_id: str) -> dict[str, Any] | None:
        parameters: dict[str, Parameter] = {"project_id": project_id, "trace_id": trace_id}
        # A server that was killed between the two may have stored a span without its trace's row: then the spans are searched.
        for name in ("trace_extent", "trace_extent_of_spans"):
            rows = self._engine.query(sql(name).template, parameters).to_pylist()
            if rows:
                return dict(rows[0])
        return None

    def traces(
        self,
        project_id: str,
        filter: Filter,
        *,
        sort: str = "-start_time",
        limit: int = 50,
        cursor: str | None = None,
    ) -> Page[TraceSummary]:
        """Return a page of the traces that begin in the filter's time range and have a span there that meets it.

        Raises:
            FilterError: the sort order, the limit or the cursor is not one.
        """
        order, direction = orders.parse(sort, orders.OF_TRACES)
        limit = check_limit(limit)
        if order != orders.TIME or direction == "ASC":
            return self._ranked_traces(project_id, filter, sort, limit, cursor)
        before = decode_cursor(sort, cursor, 2) if cursor else None
        keys: list[dict[str, Any]] = []
        # A trace begins at its first span, so the traces that begin in a window all have a span in it.
        # Only a filter that asks for nothing else may begin where the page before ended: a long trace may meet a condition late.
        begin = before[0] if before and not filter.conditions else None
        for window in self._windows(project_id, filter, "DESC", begin, limit):
            condition = where(project_id, window)
            having = [f"min(first_time) >= {condition.bind_time(window.start)}"] if window.start is not None else ["1"]
            if before:
                having.append(
                    f"(first, trace_id) < ({condition.bind(before[0], 'Int64')}, {condition.bind(before[1])})"
                )
            parameters: dict[str, Parameter] = {"project_id": project_id, "limit": limit + 1}
            keys = self._query("traces_keys", condition, parameters, having=" AND ".join(having)).to_pylist()
            if len(keys) > limit:
                break
        next_cursor = None
        if len(keys) > limit:
            keys = keys[:limit]
            next_cursor = encode_cursor(sort, keys[-1]["first"], keys[-1]["trace_id"])
        return Page(self.summaries(project_id, keys), next_cursor)

    def _ranked_traces(
        self, project_id: str, filter: Filter, sort: str, limit: int, cursor: str | None
    ) -> Page[TraceSummary]:
        name, direction = orders.parse(sort, orders.OF_TRACES)
        order = orders.OF_TRACES[name]
        spans = orders.spans_of_traces(self._engine, project_id, filter)
        after = "true"
        if cursor:
            after = orders.behind(spans, order, direction, decode_cursor(sort, cursor, 2, ranked=True))
        counts = self.counts(project_id, spans, "true") if order.counted else "true AS counts"
        traces = sql("traces_rows").substitute(where=str(spans), counts=counts)
        parts = {"traces": traces, "value": order.sql, "direction": direction, "behind": after}
        parameters: dict[str, Parameter] = {"project_id": project_id, "preview": PREVIEW, "limit": limit + 1}
        keys = self._query("traces_ranked", spans, parameters, **parts).to_pylist()
        next_cursor = encode_cursor(sort, *keys[limit - 1].values()) if len(keys) > limit else None
        ids = [key["trace_id"] for key in keys[:limit]]
        found = self.summaries_of(project_id, ids)
        return Page([found[trace_id] for trace_id in ids if trace_id in found], next_cursor)

    def numbered_traces(
        self,
        project_id: str,
        filter: Filter,
        *,
        order: str = "start_time",
        direction: str = "DESC",
        offset: int = 0,
        limit: int = 50,
        preview: int = PREVIEW,
    ) -> Counted[TraceSummary]:
        """Return the traces that begin in the filter's time range from a place in the list on, and how many it has in all.

        Here the conditions are on whole traces (`store.traces`), not on one span of them.
        """
        # Where nothing is asked of the spans, none has to be read.
        plain = not filter.conditions and order == "start_time"
        rows, parameters = self._traces_begun(project_id, filter) if plain else self._traces_met(project_id, filter)
        total = self._engine.query(f"SELECT count() AS count FROM ({rows})", parameters)["count"][0].as_py()  # noqa: S608
        ordered = f"{rows} ORDER BY {order} {direction}, trace_id {direction} LIMIT {limit:d} OFFSET {offset:d}"
        ids: list[Any] = self._engine.query(ordered, parameters)["trace_id"].to_pylist()
        found = self.summaries_of(project_id, ids, preview=preview)
        return Counted([found[trace_id] for trace_id in ids if trace_id in found], total)

    def _traces_begun(self, project_id: str, filter: Filter) -> tuple[str, dict[str, Parameter]]:
        begun = Where(["true"])
        if filter.start is not None:
            begun.add(f"start_time >= {begun.bind_time(filter.start)}")
        if filter.end is not None:
            begun.add(f"start_time < {begun.bind_time(filter.end)}")
        return sql("traces_begun").substitute(where=str(begun)), begun.parameters | {"project_id": project_id}

    def _traces_met(self, project_id: str, filter: Filter) -> tuple[str, dict[str, Parameter]]:
        spans, whole = where_traces(project_id, filter)
        counted = filter.names(COUNTED)
        counts = self.counts(project_id, spans, "true") if counted else "true AS counts"
        traces = sql("traces_rows").substitute(where=str(spans), counts=counts)
        parameters: dict[str, Parameter] = {"project_id": project_id, "preview": PREVIEW}
        return sql("traces_met").substitute(traces=traces, where=whole), spans.parameters | parameters

    def summaries_of(self, project_id: str, trace_ids: list[str], *, preview: int = PREVIEW) -> dict[str, TraceSummary]:
        """Return those of these traces that are known, by id; their inputs and outputs cut to `preview` characters."""
        keys = self._extents(project_id, trace_ids) if trace_ids else []
        return {trace.trace_id: trace for trace in self.summaries(project_id, keys, preview=preview)}

    def _extents(self, project_id: str, trace_ids: list[str]) -> list[dict[str, Any]]:
        parameters: dict[str, Parameter] = {"project_id": project_id, "trace_ids": trace_ids}
        return self._engine.query(sql("traces_extents").template, parameters).to_pylist()

    def members(self, project_id: str, trace_ids: list[str]) -> dict[str, Members]:
        """Return which spans these traces have, and whether they are public."""
        keys = self._extents(project_id, trace_ids) if trace_ids else []
        if not keys:
            return {}
        condition = where(project_id, Filter(min(key["first"] for key in keys), max(key["last"] for key in keys) + 1))
        condition.add(f"trace_id IN {condition.bind_list(trace_ids)}")
        rows = self._query("traces_members", condition, is_trace=IS_TRACE).to_pylist()
        return {row["trace_id"]: Members(row["span_ids"], row["public"]) for row in rows}

    def summaries(self, project_id: str, keys: list[dict[str, Any]], *, preview: int = PREVIEW) -> list[TraceSummary]:
        """Return traces whole, the latest to begin first, for keys that name their `trace_id`, `first` and `last` time.

        Their inputs and outputs are cut to `preview` characters.
        """
        if not keys:
            return []
        span = Filter(min(key["first"] for key in keys), max(key["last"] for key in keys) + 1)
        condition = where(project_id, span)
        traces = condition.bind_list(key["trace_id"] for key in keys)
        condition.add(f"trace_id IN {traces}")
        parameters: dict[str, Parameter] = {"project_id": project_id, "preview": preview}
        counts = self.counts(project_id, condition, f"trace_id IN {traces}")
        rows = self._query("traces_rows", condition, parameters, counts=counts).to_pylist()
        for row in rows:
            row["metadata"] = {key: entry(value) for key, value in row["metadata"]}
            row["tags"] = sorted(row["tags"])
            row["models"] = sorted(row["models"])
        return [TraceSummary(**row) for row in rows]

    def counts(self, project_id: str, told: Where, traces: str) -> str:
        """Return the SQL that says of a span of these conditions whether it `counts`, see `queries/told_twice.sql`."""
        several = sql("traces_of_scopes").substitute(traces=traces)
        if self._engine.query(f"{several} LIMIT 1", told.parameters | {"project_id": project_id}).num_rows:
            return sql("told_twice").substitute(traces=several, told=str(told))
        return "true AS counts"

    def model_names(self, project_id: str, filter: Filter) -> list[str]:
        """Return the names of the models that spans meeting the filter have."""
        names = self._query("model_names", where(project_id, filter))["model"].to_pylist()
        return sorted(name for name in names if name is not None)

    def is_empty(self, project_id: str) -> bool:
        """Return whether the project has no span at all."""
        return not self._engine.query(sql("has_spans").template, {"project_id": project_id}).num_rows

    def ping(self) -> None:
        """Return if the store answers.

        Raises:
            StoreError: it does not.
        """
        self._engine.ping()

    def _query(
        self, name: str, condition: Where, parameters: dict[str, Parameter] | None = None, **parts: str
    ) -> pa.Table:
        text = sql(name).substitute(parts, spans=merged(self._engine, condition), where=str(condition))
        return self._engine.query(text, condition.parameters | (parameters or {}))


def _lacks_end(span: Span) -> bool:
    return span.end_time is None and span.span_id == Entity(TRACE, span.trace_id).span_id


def _end_root(spans: list[Span]) -> None:
    """Let a trace that its sender told as a thing of its own, without an end, end with the last of its spans."""
    last = max((span.end_time for span in spans if span.end_time is not None), default=None)
    for span in spans:
        if _lacks_end(span):
            span.end_time = last
