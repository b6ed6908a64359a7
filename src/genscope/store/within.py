"""Questions about what is within one trace, whose place in time is looked up once for all of them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa

from genscope.model import PAID_TYPES, TRACE, Entity, Span
from genscope.query.filter import Filter
from genscope.store.engine import Engine, Parameter
from genscope.store.rows import COLUMNS, decode, values
from genscope.store.sql import sql
from genscope.store.where import COST_MISSING, Where, where

if TYPE_CHECKING:
    from genscope.store.reader import TraceSummary

#: Columns of an outline: all that a span has but what may be long.
OUTLINE: Final = (
    "span_id",
    "time",
    "parent_span_id",
    "type",
    "name",
    "start_time",
    "end_time",
    "completion_start_time",
    "level",
    "model",
    "usage",
    "cost",
    "cost_missing",
    "is_root",
    "repository",
    "protocol",
)
#: Spans of one trace that an outline has; the API has them all.
MAX_SPANS: Final = 20_000
#: Spans of tools that are read to find those that one call to a model had called.
MAX_TOOLS: Final = 50
#: Characters of a text that is looked for.
MAX_TEXT: Final = 1_000


@dataclass(frozen=True, slots=True)
class Place:
    """A trace of a project, and where in time it lies: from the first to the last of its spans."""

    project_id: str
    trace_id: str
    first: int
    last: int


@dataclass(frozen=True, slots=True)
class Outline:
    """A trace with its spans as outlines, at most `MAX_SPANS` of them, in the order of their start."""

    place: Place
    summary: TraceSummary
    spans: list[Span]
    #: The calls to a model that are told of by another span too, which counts for them.
    repeated: frozenset[str]


@dataclass(frozen=True, slots=True)
class Spoken:
    """A call to a model or a tool, and how many bytes its input and output have together."""

    span_id: str
    bytes: int


class Within:
    """Answers questions about one trace of a project."""

    def __init__(
        self,
        engine: Engine,
        extent: Callable[[str, str], dict[str, Any] | None],
        summaries: Callable[[str, list[dict[str, Any]]], list[TraceSummary]],
        counts: Callable[[str, Where, str], str],
    ) -> None:
        self._engine = engine
        self._extent = extent
        self._summaries = summaries
        self._counts = counts

    def place(self, project_id: str, trace_id: str) -> Place | None:
        """Return where a trace lies; None if it is not known."""
        extent = self._extent(project_id, trace_id)
        return None if extent is None else Place(project_id, trace_id, extent["first"], extent["last"])

    def outline(self, place: Place) -> Outline | None:
        """Return a trace with its spans; None if it has none any more."""
        keys = [{"trace_id": place.trace_id, "first": place.first, "last": place.last}]
        summary = next(iter(self._summaries(place.project_id, keys)), None)
        if summary is None:
            return None
        columns = ", ".join(map(_column, (*OUTLINE, "scope_name")))
        table = self._query("trace_outline", _of(place), {"limit": MAX_SPANS}, columns=columns)
        spans = _outlines(place.trace_id, table)
        for span in spans:
            end_root(span, summary.end_time)
        spans.sort(key=lambda span: span.time if span.start_time is None else span.start_time)
        # One scope tells of no call twice, so that most traces need not be asked.
        scopes = {
            row["scope_name"] for row in table.select(["type", "scope_name"]).to_pylist() if row["type"] in PAID_TYPES
        }
        several = len(scopes) > 1 or len(spans) == MAX_SPANS
        return Outline(place, summary, spans, self._repeated(place) if several else frozenset())

    def _repeated(self, place: Place) -> frozenset[str]:
        condition = _of(place)
        counts = self._counts(place.project_id, condition, f"trace_id = {condition.bind(place.trace_id)}")
        if counts == "true AS counts":
            return frozenset()
        parameters: dict[str, Parameter] = {"project_id": place.project_id}
        return frozenset(_ids(self._query("trace_repeated", condition, parameters, counts=counts)))

    def spans(self, place: Place, span_ids: Iterable[str] | None = None) -> list[Span]:
        """Return whole spans in the order of their place in time: those of these ids, or all."""
        condition = _of(place)
        if span_ids is not None:
            condition.add(f"span_id IN {condition.bind_list(span_ids)}")
        return decode(self._query("trace_rows", condition, columns=", ".join(map(_column, COLUMNS))))

    def tools(self, place: Place, caller: Span) -> list[Span]:
        """Return the spans of tools that a call to a model may have had called: they have a name that it called and began later."""
        condition = _of(replace(place, first=max(place.first, caller.time)))
        condition.add(f"type = 'tool' AND name IN {condition.bind_list(caller.tool_calls)}")
        columns = ", ".join(map(_column, COLUMNS))
        return decode(self._query("trace_tools", condition, {"limit": MAX_TOOLS}, columns=columns))

    def found(self, place: Place, text: str) -> list[str]:
        """Return the ids of the spans that have a text in their name, model, message, input or output, in whatever case."""
        text = text[:MAX_TEXT].strip()
        if not text:
            return []
        # As it stands in a JSON text, which may have only ASCII in it.
        forms = dict.fromkeys((text, json.dumps(text, ensure_ascii=False)[1:-1], json.dumps(text)[1:-1]))
        condition = _of(place)
        texts = ", ".join(condition.bind(form) for form in forms)
        return _ids(self._query("trace_found", condition, {"limit": MAX_SPANS}, texts=texts))

    def spoken(self, place: Place) -> list[Spoken]:
        """Return the calls to models and tools that have an input or an output, in the order of their start."""
        rows = self._query("trace_spoken", _of(place), {"limit": MAX_SPANS}).to_pylist()
        return [Spoken(**row) for row in rows]

    def _query(
        self, name: str, condition: Where, parameters: dict[str, Parameter] | None = None, **parts: str
    ) -> pa.Table:
        text = sql(name).substitute(parts, where=str(condition))
        return self._engine.query(text, condition.parameters | (parameters or {}))


def end_root(span: Span, end: int | None) -> None:
    """Let a trace that its sender told as a thing of its own, without an end, end with the last of its spans."""
    if span.end_time is None and span.span_id == Entity(TRACE, span.trace_id).span_id:
        span.end_time = end


def _of(place: Place) -> Where:
    condition = where(place.project_id, Filter(place.first, place.last + 1))
    condition.add(f"trace_id = {condition.bind(place.trace_id)}")
    return condition


def _ids(table: pa.Table) -> list[str]:
    return [str(span_id) for span_id in table["span_id"].to_pylist()]


def _column(name: str) -> str:
    return f"{COST_MISSING} AS cost_missing" if name == "cost_missing" else name


def _outlines(trace_id: str, table: pa.Table) -> list[Span]:
    """Return spans of which nothing but the columns of `OUTLINE` is known."""
    columns = [values(table[name]) for name in OUTLINE]
    spans = [Span(trace_id, **dict(zip(OUTLINE, row, strict=True))) for row in zip(*columns, strict=True)]
    for span in spans:
        span.usage, span.cost = span.usage or None, span.cost or None
    return spans
