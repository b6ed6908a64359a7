"""A row of a list beside the list: the pane of its span, or of the first span of its trace."""

from __future__ import annotations

from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response

from genscope.services import services
from genscope.web import addresses
from genscope.web.frame import Viewer, page_router, render

router = page_router()


@router.get("/peek")
def peek(request: Request, project: Viewer, at: str = "") -> Response:
    """Lead to the pane of what `at` names, `TRACE` or `TRACE/SPAN`; a trace's is that of its root."""
    named = addresses.sides(at)
    if named is None:
        return PlainTextResponse("at: expected TRACE or TRACE/SPAN", 400)
    trace_id, span_id = named
    if span_id is None:
        within = services(request).reader.within
        place = within.place(project.id, trace_id)
        outline = within.outline(place) if place else None
        if outline is None:
            return render("_missing_span.html", 404, span_id=trace_id)
        root = next((span for span in outline.spans if not span.parent_span_id), outline.spans[0])
        span_id = root.span_id
    return RedirectResponse(f"/traces/{quote(trace_id, safe='')}/spans/{quote(span_id, safe='')}", 303)
