"""Lists of generations, traces and spans: one table, and what stands around it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Annotated, Any, Literal

from fastapi import Query
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response

from genscope.query.filter import FilterError
from genscope.services import public_url, services
from genscope.store.catalog import Project
from genscope.web import surroundings
from genscope.web.columns import NEWEST
from genscope.web.frame import Viewer, frame, page, page_router, render
from genscope.web.listing import LISTS, OWN, List, View, look, refused
from genscope.web.state import State

router = page_router()

Name = Literal["generations", "traces", "spans"]


def state_of(request: Request, list_: List) -> State:
    """Return the state that a URL describes. `columns` may be told one by one, as a form without scripts does."""
    pairs = request.query_params.multi_items()
    named = ",".join(value for name, value in pairs if name == "columns")
    if named == ",".join(column.name for column in list_.columns if column.shown):
        named = ""
    pairs = [(name, value) for name, value in pairs if name != "columns" and (name, value) != ("sort", NEWEST)]
    return State.read(f"/{list_.name}", [*pairs, ("columns", named)], own=OWN)


def _register(list_: List) -> None:
    @page(router, f"/{list_.name}", "list.html", name=list_.name)
    def listing(request: Request, project: Viewer, cursor: str = "") -> View | Response:
        """Show a list, newest first or from a cursor on; an empty project shows how to send the first generation."""
        state, reader = state_of(request, list_), services(request).reader
        as_json, part = request.url.path.endswith(".json"), "hx-request" in request.headers
        if not (as_json or cursor or part) and str(request.url.query) != state.query:
            return RedirectResponse(state.url(), 303)
        try:
            view = look(reader, project.id, list_, state, cursor)
        except FilterError as problem:
            if as_json:
                raise
            return refused(list_, state, problem)
        if not (view.rows or state.q or as_json or part) and reader.is_empty(project.id):
            return _welcome(request, project)
        return view


for list_ in LISTS.values():
    _register(list_)


@router.get("/generations/first")
def first_generation(request: Request, project: Viewer) -> Response:
    """Tell a waiting page of an empty project to load again once there is something to see."""
    if services(request).reader.is_empty(project.id):
        return Response(status_code=204)
    return Response(headers={"HX-Redirect": "/generations?live=1"})


@router.get("/lists/{name}/rows")
def rows(
    request: Request, project: Viewer, name: Name, cursor: str = "", only: Annotated[Sequence[str], Query()] = ()
) -> Response:
    """Return rows alone: the next page of a list, or without a cursor its first ones; of `only` these traces, if any are named."""
    return _part(lambda: rows_html(request, project, LISTS[name], cursor, only))


def rows_html(request: Request, project: Project, list_: List, cursor: str = "", only: Sequence[str] = ()) -> Response:
    """Return rows of a list, in the state of the request, as they stand in its table.

    Raises:
        FilterError: the state cannot be understood, or the cursor is none.
    """
    reader = services(request).reader
    return render("_rows.html", view=look(reader, project.id, list_, state_of(request, list_), cursor, traces=only))


@router.get("/lists/{name}/facets")
def facets(request: Request, project: Viewer, name: Name) -> Response:
    """Return what the rows of a list have in common, each value with the filter that it leads to."""
    list_, reader = LISTS[name], services(request).reader

    def made() -> Response:
        shown = surroundings.facets(reader, project.id, list_, state_of(request, list_))
        return render("_facets.html", list=list_, shown=shown)

    return _part(made)


@router.get("/lists/{name}/histogram")
def histogram(request: Request, project: Viewer, name: Name) -> Response:
    """Return how many rows of a list begin when, as a chart."""
    list_, reader = LISTS[name], services(request).reader

    def made() -> Response:
        shown = surroundings.histogram(reader, project.id, list_, state_of(request, list_))
        return render("_histogram.html", list=list_, shown=shown)

    return _part(made)


def _part(make: Callable[[], Response]) -> Response:
    try:
        return make()
    except FilterError as problem:
        return PlainTextResponse(str(problem), 400)


def _welcome(request: Request, project: Project) -> Response:
    parts = services(request)
    keys = parts.auth.public_keys(project.id)
    values: dict[str, Any] = {"url": public_url(request), "public_key": keys[0] if keys else "$GENSCOPE_PUBLIC_KEY"}
    return render("welcome.html", **frame(request, project, "generations"), **values)
