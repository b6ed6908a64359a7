"""What models charge: a project's own prices, the list's, what has none, and stored costs worked out again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Annotated, Any, Final
from urllib.parse import urlencode

from fastapi import Form
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from genscope.api.coverage import Coverage, UnpricedModel, coverage
from genscope.api.prices import moment, price_shape
from genscope.api.reprice import LINES, ResultLine, repriced, result_line
from genscope.pricing import listing
from genscope.pricing.listing import Listed
from genscope.pricing.override import checked
from genscope.query.filter import FilterError, from_params
from genscope.reprice import AlreadyRunning, Changes, Progress, Stopped
from genscope.services import services
from genscope.store.catalog import Price
from genscope.web import format
from genscope.web.frame import Editor, Viewer, Visiting, frame, page, page_router, render

router = page_router()

#: How far back it is looked for models without a price.
AGE: Final = "30d"
#: Models of the list that are shown; searching finds the others.
MOST_LISTED: Final = 25
#: Kinds that the form has a field for, and how they are called; others go into one for all of them.
KINDS: Final = {
    "input": "Input",
    "output": "Output",
    "input_cache_read": "Cache read",
    "input_cache_write": "Cache write",
}
#: Reasons for which a price does not help.
UNPRICEABLE: Final = frozenset({"no_usage", "no_model"})


@dataclass(slots=True)
class Filled:
    """The form that sets a price, as it is filled in."""

    model: str = ""
    provider: str = ""
    start: str = ""
    request: str = ""
    more: str = ""
    prices: dict[str, str] = field(default_factory=dict)
    #: What is wrong with it.
    error: str = ""


@dataclass(frozen=True, slots=True)
class Unpriced:
    """A model of which calls have no cost, and whether a price would help."""

    model: UnpricedModel
    reasons: list[tuple[int, str]]
    priceable: bool
    set_url: str


@dataclass(slots=True)
class PricesView:
    """Everything that the page shows."""

    form: Filled
    own: list[Price] = field(default_factory=list)
    covered: Coverage | None = None
    unpriced: list[Unpriced] = field(default_factory=list)
    search: str = ""
    listed: list[Listed] = field(default_factory=list)
    found: int = 0
    #: What was just done.
    done: str = ""
    #: What reprice is asked to look at, and what it said.
    reprice: Mapping[str, str] = field(default_factory=dict)
    result: ResultLine | None = None
    error: str = ""
    kinds: Mapping[str, str] = field(default_factory=lambda: KINDS)
    list_version: str = field(default_factory=listing.version)

    def set_url(self, model: str, provider: str | None, prices: Mapping[str, Decimal]) -> str:
        """The URL of the form, filled in."""
        return _set_url(model, provider, prices)

    def more(self, prices: Mapping[str, Decimal]) -> list[tuple[str, Decimal]]:
        """Prices of the kinds that have no column."""
        return [(kind, price) for kind, price in prices.items() if kind not in KINDS]

    def json(self) -> Any:
        """The view for programs."""
        if self.error:
            return {"error": self.error}
        return {
            "own": [price_shape(price) for price in self.own],
            "coverage": self.covered,
            "listed": [
                {
                    "provider": one.provider,
                    "model": one.model,
                    "prices": {kind: format.exact(price) for kind, price in one.prices.items()},
                    "request": None if one.request is None else format.exact(one.request),
                    "varies": one.varies,
                    "rule": one.rule,
                }
                for one in self.listed
            ],
            "found": self.found,
        }


@page(router, "/prices", "prices.html", name="settings")
def prices(
    request: Request, project: Viewer, search: str = "", model: str = "", provider: str = "", done: str = ""
) -> PricesView:
    """Show the prices that hold, and what has none."""
    given = request.query_params
    filled = {kind: given[kind] for kind in KINDS if given.get(kind)}
    form = Filled(model, provider, given.get("start", ""), given.get("request", ""), given.get("more", ""), filled)
    view = _view(request, project.id, form, search[:200])
    view.done = {"set": "The price is set.", "removed": "The price is removed."}.get(done, "")
    if view.done:
        view.reprice = {"model": model, "from": AGE}
    return view


@router.post("/prices")
def set_price(
    request: Request,
    project: Editor,
    visitor: Visiting,
    model: Annotated[str, Form()] = "",
    provider: Annotated[str, Form()] = "",
    start: Annotated[str, Form()] = "",
    call: Annotated[str, Form(alias="request")] = "",
    more: Annotated[str, Form()] = "",
    input_: Annotated[str, Form(alias="input")] = "",
    output: Annotated[str, Form()] = "",
    input_cache_read: Annotated[str, Form()] = "",
    input_cache_write: Annotated[str, Form()] = "",
) -> Response:
    """Set a price of the project's own, or say what is wrong with it."""
    written = dict(zip(KINDS, (input_, output, input_cache_read, input_cache_write), strict=True))
    written = {kind: text.strip() for kind, text in written.items() if text.strip()}
    try:
        override = checked(
            model,
            written | dict(_kinds(more)),
            provider or None,
            moment(start.strip()) if start.strip() else None,
            call.strip() or None,
        )
        services(request).prices.set(project.id, override)
        visitor.audit("set a price of %r", override.model)
    except ValueError as problem:
        form = Filled(model, provider, start, call, more, written, format.sentence(str(problem)))
        view = _view(request, project.id, form, "")
        return render("prices.html", 400, **frame(request, project, "settings"), view=view)
    return RedirectResponse(f"/prices?{urlencode({'done': 'set', 'model': model.strip()})}#reprice", 303)


@router.post("/prices/{price_id}/remove")
def remove_price(request: Request, project: Editor, visitor: Visiting, price_id: str) -> Response:
    """Remove a price of the project's own; one that is gone already is as good."""
    price = services(request).prices.remove(project.id, price_id)
    if price is not None:
        visitor.audit("removed the price of %r", price.model)
    model = {} if price is None else {"model": price.model}
    return RedirectResponse(f"/prices?{urlencode({'done': 'removed'} | model)}#reprice", 303)


@router.post("/prices/reprice")
def reprice(
    request: Request,
    project: Editor,
    model: Annotated[str, Form()] = "",
    begin: Annotated[str, Form(alias="from")] = AGE,
    run: Annotated[str, Form()] = "",
) -> Response:
    """Price again what is stored, or say what that would change: line by line for the page's script, else as a page."""
    asked = {"model": model.strip(), "from": begin.strip() or AGE, "run": run}
    dry_run = run != "1"
    try:
        filter = from_params({"from": asked["from"]})
        # Patterns are those of prices, which filters do not know: all models are looked at then.
        if asked["model"] and not set("*?") & set(asked["model"]):
            filter = filter.where("model", asked["model"])
        if LINES in request.headers.get("accept", ""):
            return repriced(services(request), project.id, filter, dry_run=dry_run)
        with services(request).repricing.turn(project.id):
            steps = services(request).repricing.run(project.id, filter, dry_run=dry_run)
            asked_result = _result(steps, dry_run=dry_run)
    except FilterError as problem:
        return _refused(request, project, asked, str(problem), 400)
    except AlreadyRunning:
        return _refused(
            request,
            project,
            asked,
            "Stored costs are being worked out again already; try again when that has ended.",
            409,
        )
    except Stopped:
        return _refused(
            request,
            project,
            asked,
            "The server is being stopped: what was written stays, run it again for the rest.",
            503,
        )
    view = _view(request, project.id, Filled(), "")
    view.reprice, view.result = asked, asked_result
    return render("prices.html", **frame(request, project, "settings"), view=view)


def _refused(request: Request, project: Editor, asked: Mapping[str, str], error: str, status: int) -> Response:
    view = _view(request, project.id, Filled(), "")
    view.reprice, view.error = asked, error
    return render("prices.html", status, **frame(request, project, "settings"), view=view)


def _result(steps: Iterator[Progress | Changes], *, dry_run: bool) -> ResultLine:
    *_, last = steps
    if not isinstance(last, Changes):
        raise TypeError("pricing again ends with what it changed")
    return result_line(last, dry_run)


def _view(request: Request, project_id: str, form: Filled, search: str) -> PricesView:
    served = services(request)
    covered = coverage(served.reader.models.coverage(project_id, from_params({"from": AGE})))
    listed, found = listing.find(search, MOST_LISTED)
    return PricesView(
        form,
        own=served.prices.of(project_id),
        covered=covered,
        unpriced=[_unpriced(one) for one in covered.unpriced_models],
        search=search,
        listed=listed,
        found=found,
        reprice={"model": "", "from": AGE},
    )


def _unpriced(model: UnpricedModel) -> Unpriced:
    reasons = [(calls, format.why_no_cost(reason)) for reason, calls in model.cost_missing.items()]
    priceable = model.model is not None and not UNPRICEABLE.issuperset(model.cost_missing)
    return Unpriced(model, reasons, priceable, _set_url(model.model or "", model.provider, {}))


def _set_url(model: str, provider: str | None, prices: Mapping[str, Decimal]) -> str:
    # Without a fragment: then the browser goes to the field that has `autofocus`.
    values = {"model": model, "provider": provider or ""}
    values |= {kind: format.exact(price) for kind, price in prices.items() if kind in KINDS}
    more = " ".join(f"{kind}={format.exact(price)}" for kind, price in prices.items() if kind not in KINDS)
    return f"/prices?{urlencode({name: value for name, value in (values | {'more': more}).items() if value})}"


def _kinds(text: str) -> Iterator[tuple[str, str]]:
    """Yield the kinds and prices of `input_audio=40 web_search=10`."""
    for part in text.replace(",", " ").split():
        kind, sign, price = part.partition("=")
        if not sign or not price:
            raise ValueError(f"other kinds are written as kind=price, such as input_audio=40, not {part[:80]!r}")
        yield kind, price
