"""The page of what could not be taken, and why."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from genscope.query.filter import Filter, FilterError
from genscope.services import services
from genscope.store.rejections import Rejection
from genscope.web.frame import Viewer, frame, page_router, render
from genscope.web.state import PAGE

router = page_router()


@router.get("/rejected")
def rejected(request: Request, project: Viewer, cursor: str = "") -> Response:
    """List what was rejected, the latest first or from a cursor on."""
    rows: list[Rejection] = []
    older, error = None, ""
    try:
        found = services(request).reader.rejections.page(project.id, Filter(), limit=PAGE, cursor=cursor or None)
        rows, older = found.rows, found.next_cursor
    except FilterError as problem:
        error = str(problem)
    values = frame(request, project, "rejected")
    return render(
        "rejected.html", 400 if error else 200, **values, rows=rows, cursor=older, paged=bool(cursor), error=error
    )
