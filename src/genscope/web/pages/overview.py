"""The first page: a period at one glance."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from genscope.query.filter import FilterError
from genscope.services import services
from genscope.web.frame import Viewer, page, page_router
from genscope.web.overview import MOST, Most, Overview, look, most
from genscope.web.state import State

router = page_router()

#: The time range without one in the URL.
AGE = "24h"


@page(router, "/overview", "overview.html", name="overview")
def overview(request: Request, project: Viewer) -> Overview | Response:
    """Show what the project did in a period, beside the one before."""
    reader = services(request).reader
    state = State.read("/overview", request.query_params.multi_items(), own=("by",), age=AGE)
    try:
        found = look(reader, project.id, state)
    except FilterError as problem:
        return Overview(state, str(problem))
    if found.empty and not state.q and reader.is_empty(project.id):
        # Where an empty project is welcomed.
        return RedirectResponse("/generations", 303)
    return found


@page(router, MOST, "most.html", name="overview")
def lists(request: Request, project: Viewer) -> Most:
    """Show the most of everything in a period; the overview asks for it when it is there itself."""
    state = State.read("/overview", request.query_params.multi_items(), own=("by",), age=AGE)
    return most(services(request).reader, project.id, state)
