"""Errors: failures of one kind together, and each kind by itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response

from genscope.api.failures import PARTS, detail_shape, failure_shape
from genscope.api.shapes import span_shape
from genscope.model import Span
from genscope.query.filter import FilterError
from genscope.services import services
from genscope.store.failures import FailureGroup, First
from genscope.store.ranges import Range
from genscope.web import addresses, detail
from genscope.web.frame import Viewer, frame, page, page_router, render
from genscope.web.listed import Listed
from genscope.web.state import PAGE, State

router = page_router()

AGE: Final = "24h"
#: Parts of the chart of one kind, and failures that are shown of it.
CHART_PARTS: Final = 48
EXAMPLES: Final = 5
#: Fields of shares: what they are called, and the field of the filter language.
SHARES: Final = {
    "model": ("Models", "model"),
    "release": ("Releases", "release"),
    "environment": ("Environments", "env"),
    "version": ("Versions", "version"),
    "user_id": ("Users", "user"),
    "trace_name": ("Traces", "trace_name"),
}


@dataclass(frozen=True, slots=True)
class Example:
    """A failure, with the exceptions that were recorded on it."""

    span: Span
    failures: list[detail.Failure]


@dataclass(frozen=True, slots=True)
class Kind:
    """Failures of one kind. Each of `tables` is a title, a field of the filter language, and how many came with each value."""

    state: State
    group: FailureGroup
    shares: dict[str, list[tuple[str, int]]]
    first: First
    shown: Range
    examples: list[Example]

    @property
    def tables(self) -> list[tuple[str, str, list[tuple[str, int]]]]:
        """What the failures came with."""
        return [(*SHARES[name], values) for name, values in self.shares.items()]

    @property
    def chart(self) -> dict[str, Any]:
        """Failures over time."""
        return {
            "kind": "bars",
            "x": [begin / 1e9 for begin in self.shown.begins],
            "series": [{"label": "Failures", "color": "--error", "values": self.group.trend}],
            "unit": "count",
            "step": self.shown.width / 1e9,
            "zoom": True,
        }

    @property
    def is_new(self) -> bool:
        """Whether the first of them ever came within the range."""
        return self.first.time >= self.shown.begin

    def listing(self, page: str, **more: str) -> str:
        """Return the URL of these failures in a list, in the same range of time."""
        times = {"from_": self.state.value("from") or AGE, "to": self.state.value("to")}
        return addresses.listing(page, self.state.q, **times, error=self.group.fingerprint, **more)

    def json(self) -> dict[str, Any]:
        """Return the kind as `/api/v1/errors/{fingerprint}` does, and its latest failures."""
        told = detail_shape(self.group, self.shares, self.first, self.shown)
        return {
            **{name: getattr(told, name) for name in told.__struct_fields__},
            "examples": [span_shape(example.span, preview=True) for example in self.examples],
        }


@page(router, "/errors", "errors.html", name="errors")
def errors(request: Request, project: Viewer, cursor: str = "") -> Listed[FailureGroup]:
    """List failures by kind."""
    state = State.read("/errors", request.query_params.multi_items(), own=("sort",), age=AGE)
    failures = services(request).reader.failures
    try:
        chosen = state.filter()
        shown = failures.range(project.id, chosen, PARTS)
        order = state.value("sort") or "last"
        found = failures.groups(project.id, chosen, shown, order=order, limit=PAGE, cursor=cursor or None)
    except FilterError as problem:
        return Listed(state, failure_shape, error=str(problem))
    return Listed(state, failure_shape, found.rows, found.next_cursor, bool(cursor))


@page(router, "/errors/{fingerprint}", "error_kind.html", name="errors")
def kind(request: Request, project: Viewer, fingerprint: str) -> Kind | Response:
    """Show failures of one kind."""
    path = addresses.failure(fingerprint)
    state = State.read(path, request.query_params.multi_items(), age=AGE)
    reader = services(request).reader
    chosen = state.filter()
    shown = reader.failures.range(project.id, chosen, CHART_PARTS)
    group = reader.failures.one(project.id, fingerprint, chosen, shown)
    if group is None:
        return render(
            "unknown.html",
            404,
            **frame(request, project, "errors"),
            kind="failure here",
            id=fingerprint,
            list=f"{path}?from=all",
            why="None of its kind came in this time range, or what failed was deleted.",
        )
    latest = reader.spans(project.id, chosen.where("error", fingerprint), limit=EXAMPLES, full=True).rows
    return Kind(
        state,
        group,
        reader.failures.shares(project.id, group, chosen),
        reader.failures.first(project.id, group),
        shown,
        [Example(span, detail.failures(span)) for span in latest],
    )
