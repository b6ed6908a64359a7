"""The three lists as data, and a page of one: its rows, columns and what to mark in them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from genscope.api.shapes import Listing, by_subject, span_shape, trace_shape
from genscope.model import Score, Span
from genscope.query.filter import Filter, FilterError
from genscope.store import previews
from genscope.store.paging import Page
from genscope.store.reader import Reader, TraceSummary
from genscope.web import columns
from genscope.web.columns import NEWEST, Column, Header
from genscope.web.passage import Marker
from genscope.web.state import PAGE, State

#: Parameters of a list beside filter and time range.
OWN: Final = ("sort", "columns", "live", "peek")

Row = Span | TraceSummary


@dataclass(frozen=True, slots=True)
class List:
    """One of the lists: `name` is the path of its page, `one` and `many` are what a row is called."""

    name: str
    title: str
    one: str
    many: str
    columns: tuple[Column, ...]
    counted: Literal["spans", "traces"]
    #: The only type of span that it has, empty for all.
    type: str = ""

    def filter(self, state: State) -> Filter:
        """Return what a state asks of the list.

        Raises:
            FilterError: something in it cannot be understood.
        """
        asked = state.filter()
        return asked.where("type", self.type) if self.type else asked

    def page(self, reader: Reader, project_id: str, filter: Filter, sort: str, cursor: str | None) -> Page[Any]:
        """Return a page of the list's rows.

        Raises:
            FilterError: the sort order or the cursor is not one.
        """
        read: Callable[..., Page[Any]] = reader.traces if self.counted == "traces" else reader.spans
        return read(project_id, filter, sort=sort, limit=PAGE, cursor=cursor)


LISTS: Final[Mapping[str, List]] = {
    made.name: made
    for made in (
        List("generations", "Generations", "generation", "generations", columns.OF_SPANS, "spans", type="generation"),
        List("traces", "Traces", "trace", "traces", columns.OF_TRACES, "traces"),
        List(
            "spans",
            "Spans",
            "span",
            "spans",
            columns.shown_first(
                columns.OF_SPANS, "time", "type", "name", "trace", "input", "output", "cost", "latency"
            ),
            "spans",
        ),
    )
}


@dataclass(slots=True)
class View:
    """A page of a list as it is shown. `error` says what is wrong with its state, `pointed` where in the filter's text."""

    list: List
    state: State
    rows: Sequence[Any] = ()
    scores: Mapping[tuple[str, str], Sequence[Score]] = field(default_factory=dict)
    cursor: str | None = None
    #: Whether it is a later page.
    paged: bool = False
    marker: Marker = field(default_factory=Marker)
    error: str = ""
    pointed: str = ""

    @property
    def columns(self) -> Sequence[Column]:
        """The columns that are shown."""
        return columns.chosen(self.list.columns, self.state)

    @property
    def other_columns(self) -> Sequence[Column]:
        """The columns that are not."""
        return [column for column in self.list.columns if column not in self.columns]

    @property
    def headers(self) -> Sequence[Header]:
        """The heads of the columns that are shown."""
        return columns.headers(self.columns, self.state)

    @property
    def newest_first(self) -> bool:
        """Whether the list is in its own order, in which new rows come first."""
        return sort_of(self.state) == NEWEST

    def part(self, name: str, **changes: str) -> str:
        """Return the URL of a part of this page that is loaded by itself, in the same state."""
        return part(self.list, self.state, name, **changes)

    def json(self) -> Listing[Any]:
        """Return the page as the API would."""
        if self.list.counted == "traces":
            shown: list[Any] = [trace_shape(row, self.scores.get((row.trace_id, ""), ())) for row in self.rows]
        else:
            shown = [
                span_shape(row, self.scores.get((row.trace_id, row.span_id), ()), preview=True) for row in self.rows
            ]
        return Listing(shown, self.cursor)


def sort_of(state: State) -> str:
    """Return the order that a state asks for."""
    return state.value("sort") or NEWEST


def part(list_: List, state: State, name: str, **changes: str) -> str:
    """Return the URL of a part of a list's page, such as its rows, in the same state."""
    url = state.url(**changes)
    return f"/lists{url.replace(state.path, f'{state.path}/{name}', 1)}"


def look(
    reader: Reader, project_id: str, list_: List, state: State, cursor: str, *, traces: Sequence[str] = ()
) -> View:
    """Read a page of a list; of only these traces, if any are given.

    Raises:
        FilterError: something in the state cannot be understood, or the cursor is none.
    """
    asked = list_.filter(state)
    only = asked.where("trace_id", *traces) if traces else asked
    found = list_.page(reader, project_id, only, sort_of(state), cursor or None)
    said = reader.scores.of_traces(project_id, list(dict.fromkeys(row.trace_id for row in found.rows)))
    return View(
        list_,
        state,
        rows=found.rows,
        scores=by_subject(said),
        cursor=found.next_cursor,
        paged=bool(cursor),
        marker=Marker(previews.words(asked)),
    )


def refused(list_: List, state: State, problem: FilterError) -> View:
    """Return the page that says what is wrong with its state."""
    return View(list_, state, error=str(problem), pointed=problem.pointed())
