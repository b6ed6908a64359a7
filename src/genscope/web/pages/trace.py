"""A trace as a tree beside the chosen one of its spans."""

from __future__ import annotations

from functools import partial
from typing import Final
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response

from genscope.model import Span
from genscope.services import services
from genscope.store.catalog import Project
from genscope.web import detail, tree
from genscope.web.frame import Viewer, frame, page_router, render

router = page_router()

#: Rows of one trace that are drawn; the API has them all.
MAX_ROWS: Final = 5_000


@router.get("/project/{project_id}/traces/{trace_id:path}")
def langfuse_trace(trace_id: str) -> Response:
    """Lead from the URL that Langfuse's SDKs print (`get_trace_url`) to the trace."""
    return RedirectResponse(f"/traces/{quote(trace_id, safe='')}", 303)


# Ids may hold anything, slashes too, so the longer paths come first.
@router.get("/traces/{trace_id:path}/spans/{span_id:path}/{side}.txt")
def span_text(request: Request, project: Viewer, trace_id: str, span_id: str, side: str) -> Response:
    """Return a span's whole input or output as it was sent, as plain text."""
    found = services(request).reader.span(project.id, trace_id, span_id) if side in ("input", "output") else None
    text = None if found is None else found.input if side == "input" else found.output
    if text is None:
        return PlainTextResponse(f"This span has no {side}.", 404)
    return PlainTextResponse(text.encode("utf-8", "replace"))


@router.get("/traces/{trace_id:path}/spans/{span_id:path}")
def span_pane(request: Request, project: Viewer, trace_id: str, span_id: str) -> Response:
    """Return the pane of one span alone."""
    found = services(request).reader.span(project.id, trace_id, span_id)
    if found is None:
        return render("_missing_span.html", 404, span_id=span_id)
    return render("_pane.html", trace_id=trace_id, detail=_detail(request, project, found))


@router.get("/traces/{trace_id:path}")
def trace(request: Request, project: Viewer, trace_id: str, span: str = "") -> Response:
    """Show a trace as a tree beside the chosen one of its spans."""
    reader = services(request).reader
    # The tree needs no prompts: a trace of thousands of spans is drawn from previews, and one span is read whole.
    spans = reader.trace(project.id, trace_id, full=False)
    summary = reader.trace_summary(project.id, trace_id)
    if summary is None or not spans:
        return _missing(request, project, trace_id)
    rows = tree.layout(spans)
    chosen = next((row.span for row in rows if row.span.span_id == span), rows[0].span)
    return render(
        "trace.html",
        **frame(request, project, "trace"),
        trace_id=trace_id,
        summary=summary,
        repositories=sorted({span.repository for span in spans if span.repository}),
        rows=rows[:MAX_ROWS],
        total=len(rows),
        detail=_detail(request, project, reader.span(project.id, trace_id, chosen.span_id) or chosen),
        wanted=span if span and span != chosen.span_id else "",
    )


def _detail(request: Request, project: Project, span: Span) -> detail.Detail:
    served = services(request)
    attached = served.attachments.of_spans(project.id, [span]).get((span.trace_id, span.span_id), ())
    scores = served.reader.scores.of_traces(project.id, [span.trace_id])
    return detail.detail(span, attached, partial(served.links.address, project.id), scores)


def _missing(request: Request, project: Project, trace_id: str) -> Response:
    return render("missing.html", 404, **frame(request, project, "trace"), trace_id=trace_id)
