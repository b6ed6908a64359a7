"""Lists of generations, traces and spans."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response

from genscope.model import Span
from genscope.query.filter import FilterError
from genscope.services import public_url, services
from genscope.store.catalog import Project
from genscope.web.frame import Viewer, frame, page_router, render
from genscope.web.state import PAGE, State

router = page_router()


@router.get("/generations")
def generations(request: Request, project: Viewer, cursor: str = "") -> Response:
    """List generations, newest first or from a cursor on; an empty project shows how to send the first one."""
    reader = services(request).reader
    given = request.query_params.multi_items()
    state, error = State.read("/generations", given, own=("live",)), ""
    moved = "hx-request" in request.headers
    if not moved and not cursor and str(request.url.query) != str(state.query):
        return RedirectResponse(state.url(), 303)
    rows: list[Span] = []
    older = None
    try:
        chosen = state.filter()
        found = reader.spans(project.id, chosen.where("type", "generation"), limit=PAGE, cursor=cursor or None)
        rows, older = found.rows, found.next_cursor
        if not rows and not state.params and reader.is_empty(project.id):
            return _welcome(request, project)
    except FilterError as problem:
        error = str(problem)
    response = render(
        "list.html",
        400 if error else 200,
        **frame(request, project, "generations"),
        state=state,
        rows=rows,
        cursor=older,
        paged=bool(cursor),
        error=error,
    )
    if moved and not error and "hx-history-restore-request" not in request.headers:
        response.headers["HX-Push-Url"] = state.url()
    return response


@router.get("/generations/rows")
def generation_rows(request: Request, project: Viewer, cursor: str = "") -> Response:
    """Return rows alone: the next page of the list, or without a cursor its newest rows."""
    state = State.read("/generations", request.query_params.multi_items(), own=("live",))
    try:
        chosen = state.filter().where("type", "generation")
        found = services(request).reader.spans(project.id, chosen, limit=PAGE, cursor=cursor or None)
    except FilterError as problem:
        return PlainTextResponse(str(problem), 400)
    return render("_rows.html", state=state, rows=found.rows, cursor=found.next_cursor)


@router.get("/generations/first")
def first_generation(request: Request, project: Viewer) -> Response:
    """Tell a waiting page of an empty project to load again once there is something to see."""
    if services(request).reader.is_empty(project.id):
        return Response(status_code=204)
    return Response(headers={"HX-Redirect": "/generations?live=1"})


def _welcome(request: Request, project: Project) -> Response:
    parts = services(request)
    keys = parts.auth.public_keys(project.id)
    return render(
        "welcome.html",
        **frame(request, project, "generations"),
        url=public_url(request),
        public_key=keys[0] if keys else "$GENSCOPE_PUBLIC_KEY",
    )
