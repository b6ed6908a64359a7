"""Scores: how what was said under each name is distributed, and each name with its trend, what it is about, and the latest."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from genscope.api.shapes import iso, score_shape
from genscope.model import Score
from genscope.query.filter import SCORE_FIELDS, Filter, FilterError, condition
from genscope.services import services
from genscope.store.ranges import Range
from genscope.store.scores import BINS, About, NameSummary
from genscope.web import addresses
from genscope.web.frame import Viewer, frame, page, page_router, render
from genscope.web.state import State

router = page_router()

AGE: Final = "7d"
#: Parts that trends have, in the list and by themselves.
PARTS: Final = 24
CHART_PARTS: Final = 48
#: Scores of one page of the latest.
LATEST: Final = 25
#: Who says so, and how a page calls them.
SOURCES: Final = (
    ("", "All"),
    ("API", "Application"),
    ("EVAL", "Evaluators"),
    ("ANNOTATION", "People here"),
    ("FEEDBACK", "Users"),
    ("METRIC", "Metrics"),
)
#: What a score may be about: the title of its table, and the field of the filter language.
ABOUT: Final = {"model": ("By model", "model"), "name": ("By name", "name"), "prompt": ("By prompt", "")}


@dataclass(frozen=True, slots=True)
class Distribution:
    """What was said under one name, and its charts."""

    summary: NameSummary
    shown: Range

    @property
    def is_share(self) -> bool:
        """Whether the mean is a share of what is true."""
        return self.summary.data_type == "BOOLEAN"

    @property
    def yes(self) -> int:
        """How many say yes."""
        return round((self.summary.mean or 0) * self.summary.count)

    @property
    def trend(self) -> dict[str, Any]:
        """The mean over time, or how many there are where there is none."""
        means = self.summary.mean is not None
        label = ("Share of yes" if self.is_share else "Mean") if means else "Scores"
        return {
            "kind": "line" if means else "bars",
            "x": [begin / 1e9 for begin in self.shown.begins],
            "series": [{"label": label, "color": "--accent", "values": self.summary.means if means else self.summary.trend}],
            "unit": ("percent" if self.is_share else "points") if means else "count",
            "step": self.shown.width / 1e9,
            "zoom": True,
        }  # fmt: skip

    @property
    def bins(self) -> list[tuple[str, int]]:
        """The bins of the histogram: from where to where, and how many."""
        least, greatest = self.summary.least, self.summary.greatest
        if least is None or greatest is None or self.is_share:
            return []
        width = (greatest - least) / BINS
        return [
            (f"{least + part * width:.3g} to {least + (part + 1) * width:.3g}", count)
            for part, count in enumerate(self.summary.histogram)
        ]

    def json(self) -> dict[str, Any]:
        """Return it as JSON."""
        told: dict[str, Any] = msgspec.to_builtins(self.summary)
        return told | {
            "first_time": iso(self.summary.first_time),
            "last_time": iso(self.summary.last_time),
            "begins": [iso(begin) for begin in self.shown.begins],
        }


@dataclass(frozen=True, slots=True)
class Scores:
    """The distributions of all names."""

    state: State
    rows: list[Distribution] = field(default_factory=list)
    error: str = ""
    sources: tuple[tuple[str, str], ...] = SOURCES

    def json(self) -> dict[str, Any]:
        """Return the distributions."""
        return {"error": self.error} if self.error else {"data": [row.json() for row in self.rows]}


@dataclass(frozen=True, slots=True)
class Name:
    """What was said under one name; `rows` has one for each type of scores that have it."""

    state: State
    name: str
    rows: list[Distribution] = field(default_factory=list)
    about: list[About] = field(default_factory=list)
    latest: list[Score] = field(default_factory=list)
    cursor: str | None = None
    paged: bool = False
    error: str = ""
    sources: tuple[tuple[str, str], ...] = SOURCES

    @property
    def tables(self) -> list[tuple[str, str, list[About]]]:
        """What was said by each field: a title, the field of the filter language, and its values."""
        tables = [
            (title, name, [one for one in self.about if one.field == field]) for field, (title, name) in ABOUT.items()
        ]
        return [table for table in tables if table[2]]

    def json(self) -> dict[str, Any]:
        """Return the distributions, what they are about, and the latest scores as `/api/v1/scores` does."""
        if self.error:
            return {"error": self.error}
        return {
            "name": self.name,
            "distributions": [row.json() for row in self.rows],
            "about": [msgspec.to_builtins(one) for one in self.about],
            "data": [score_shape(score) for score in self.latest],
            "next_cursor": self.cursor,
        }


def _asked(state: State, **fields: str) -> tuple[Filter, Filter]:
    """Return what is asked of scores, and what of the traces that they are of.

    Raises:
        FilterError: one of them cannot be understood.
    """
    spans = state.filter()
    told = [condition(name, (value,), SCORE_FIELDS) for name, value in fields.items() if value]
    return Filter(spans.start, spans.end, tuple(told)), spans


@page(router, "/scores", "scores.html", name="scores")
def scores(request: Request, project: Viewer) -> Scores:
    """Show how what was said under each name is distributed."""
    state = State.read("/scores", request.query_params.multi_items(), own=("source",), age=AGE)
    store = services(request).reader.scores
    try:
        chosen, spans = _asked(state, source=state.value("source"))
        shown = store.range(project.id, chosen, PARTS)
        rows = store.names(project.id, chosen, shown, spans.conditions)
    except FilterError as problem:
        return Scores(state, error=str(problem))
    return Scores(state, [Distribution(row, shown) for row in rows])


# Names may hold anything, slashes too.
@page(router, "/scores/{name:path}", "score.html", name="scores")
def name(request: Request, project: Viewer, name: str, cursor: str = "") -> Name | Response:
    """Show what was said under one name."""
    path = addresses.score(name)
    state = State.read(path, request.query_params.multi_items(), own=("source",), age=AGE)
    store = services(request).reader.scores
    try:
        chosen, spans = _asked(state, name=name, source=state.value("source"))
        shown = store.range(project.id, chosen, CHART_PARTS)
        rows = store.names(project.id, chosen, shown, spans.conditions)
        latest = store.page(project.id, chosen, limit=LATEST, cursor=cursor or None, about=spans.conditions)
    except FilterError as problem:
        return Name(state, name, error=str(problem))
    if not rows and not state.params:
        return render(
            "unknown.html",
            404,
            **frame(request, project, "scores"),
            kind="score here",
            id=name,
            list=f"{path}?from=all",
            why="Nothing was said under this name in the last 7 days.",
        )
    about = store.about(project.id, chosen, spans.conditions)
    found = [Distribution(row, shown) for row in rows]
    return Name(state, name, found, about, latest.rows, latest.next_cursor, bool(cursor))
