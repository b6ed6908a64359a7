"""What a period's calls would have cost on other models."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from genscope.api.whatif import asked, shape, targets
from genscope.pricing import listing
from genscope.query.filter import FilterError
from genscope.query.language import joined
from genscope.services import services
from genscope.web import addresses, format
from genscope.web.frame import Viewer, page, page_router
from genscope.web.pages.models import AGE, difference, named, shared
from genscope.web.state import State
from genscope.whatif import MOST_TARGETS, Outcome, Row, Target, WhatIf

router = page_router()

#: Names that are shown, those of the highest cost.
MOST_NAMES: Final = 100
#: Why calls have no cost on a target.
REASONS: Final = {
    "no_usage": "nobody told what they used",
    "unknown_model": "no price of the model is known",
    "unknown_price": "it has no price of a kind that they used, such as audio",
    "other_type": "they are of another type: embeddings, or generations",
}


@dataclass(frozen=True, slots=True)
class Cell:
    """What a row would have cost on one target, as it reads."""

    cost: str
    exact: str
    difference: str
    percent: str
    #: `less` or `more` than it did cost, empty for neither.
    css: str
    #: What is not in it; empty if nothing is.
    note: str


@dataclass(frozen=True, slots=True)
class Line:
    """A row of the table: a name with all its models, one model of several, or all of it."""

    row: Row
    cells: list[Cell]
    url: str = ""


@dataclass(slots=True)
class WhatIfView:
    """Everything that the page shows."""

    state: State
    chosen: list[Target] = field(default_factory=list)
    found: WhatIf | None = None
    #: A line for each name, and those of its models if it has several.
    groups: list[tuple[Line, list[Line]]] = field(default_factory=list)
    total: Line | None = None
    left_out: int = 0
    error: str = ""
    most: int = MOST_TARGETS

    @property
    def suggestions(self) -> list[str]:
        """Models that are worth asking about: what makers list, as a target names them."""
        return [f"{one.provider}/{one.model}" for one in listing.makers()]

    @property
    def shared(self) -> str:
        """The part of the query that the other pages about models have, too."""
        return shared(self.state)

    def without_url(self, target: Target) -> str:
        """The URL of the same page without a target."""
        return self.state.url(target=",".join(written(one) for one in self.chosen if one != target))

    def written(self, target: Target) -> str:
        """A target as it is written in a URL."""
        return written(target)

    def unknown(self, target: Target) -> str:
        """Why a target has no price now; empty if it has one."""
        if self.found is None:
            return ""
        reason = dict(zip(self.found.targets, self.found.unknown, strict=True)).get(target)
        return "" if reason is None else REASONS[reason]

    @property
    def missing(self) -> list[tuple[Target, list[tuple[int, str]]]]:
        """For each target the calls that told what they used and are not in its sums, and why."""
        if self.total is None:
            return []
        counted = zip(self.chosen, self.total.row.outcomes, strict=True)
        return [
            (target, reasons)
            for target, outcome in counted
            if (
                reasons := [
                    (calls, REASONS[why]) for why, calls in sorted(outcome.missing.items()) if why != "no_usage"
                ]
            )
        ]

    def json(self) -> Any:
        """The view for programs, which is the answer of `/api/v1/models/what-if`."""
        if self.error:
            return {"error": self.error}
        return {} if self.found is None else shape(self.found)


@page(router, "/models/what-if", "whatif.html", name="models")
def what_if(request: Request, project: Viewer) -> WhatIfView | Response:
    """Price what was used in a period on other models."""
    given = request.query_params.multi_items()
    asked_for = [value for name, value in given if name == "target" and value]
    provider = next((value for name, value in given if name == "provider" and asked_for), "")
    pairs = [pair for pair in given if pair[0] not in ("target", "provider")]
    view = WhatIfView(State.read("/models/what-if", pairs, own=("target",), age=AGE))
    try:
        if asked_for:
            view.chosen = targets(asked_for, provider)
        text = ",".join(written(one) for one in view.chosen)
        view.state = State.read("/models/what-if", [*pairs, ("target", text)], own=("target",), age=AGE)
        if (len(asked_for) > 1 or provider) and not request.url.path.endswith(".json"):
            return RedirectResponse(view.state.url(), 303)
        filter = view.state.filter()
        if view.chosen:
            _show(view, asked(services(request), project.id, filter, view.chosen))
    except FilterError as problem:
        view.error = str(problem)
    return view


def _show(view: WhatIfView, found: WhatIf) -> None:
    view.found = found
    names = found.by_name()
    view.left_out = max(len(names) - MOST_NAMES, 0)
    for row, rows in names[:MOST_NAMES]:
        lines = [_line(view.state, one, [named("model", one.model)]) for one in rows]
        models = [named("model", rows[0].model)] if len(rows) == 1 else []
        view.groups.append((_line(view.state, row, models), lines if len(lines) > 1 else []))
    view.total = Line(found.total, [_cell(outcome, found.total) for outcome in found.total.outcomes])


def _line(state: State, row: Row, terms: list[str]) -> Line:
    q = joined(state.q, "type:(generation OR embedding)", named("name", row.name), *terms)
    url = addresses.listing("spans", q, state.value("from") or AGE, state.value("to"))
    return Line(row, [_cell(outcome, row) for outcome in row.outcomes], url)


def _cell(outcome: Outcome, row: Row) -> Cell:
    more = outcome.difference
    notes = [f"{calls:,} calls are not in it: {REASONS[reason]}." for reason, calls in sorted(outcome.missing.items())]
    if outcome.compared < outcome.calls:
        notes.append(f"The difference is of the {outcome.compared:,} calls of {outcome.calls:,} whose cost is known.")
    return Cell(
        cost=format.money(outcome.cost if outcome.calls else None),
        exact=format.exact_money(outcome.cost if outcome.calls else None),
        difference="" if more is None else f"{'+' if more > 0 else ''}{format.money(more)}",
        percent=difference(outcome.compared_cost, outcome.actual_cost) if outcome.compared else "",
        css="" if not more else "less" if more < Decimal(0) else "more",
        note=" ".join(notes),
    )


def written(target: Target) -> str:
    """Return a target as a URL names it."""
    if target.provider is None:
        return f"/{target.model}" if "/" in target.model else target.model
    return f"{target.provider}/{target.model}"
