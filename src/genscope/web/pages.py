"""The routes of the pages. They are plain `def`s, which run in threads, because the reader blocks."""

from __future__ import annotations

from functools import partial
from http import HTTPStatus
from typing import Annotated, Any, Final
from urllib.parse import quote, urlencode, urlsplit

from fastapi import APIRouter, Depends, Form
from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response

from genscope.model import Span
from genscope.query.filter import Filter, FilterError
from genscope.services import public_url, services
from genscope.store.catalog import Project
from genscope.web import assets, detail, format, messages, preview, reference, tree
from genscope.web.listing import PAGE, RANGES, Listing
from genscope.web.security import HEADERS, LoginNeeded, PageRoute, local_path

router = APIRouter(route_class=PageRoute, include_in_schema=False, default_response_class=HTMLResponse)

#: Rows of one trace that are drawn; the API has them all.
MAX_ROWS: Final = 5_000

_templates = Environment(
    loader=PackageLoader("genscope.web"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_templates.filters.update(format.FILTERS)
_templates.filters["preview"] = preview.preview
_templates.filters["table"] = detail.table
_templates.filters["pretty"] = messages.pretty
_templates.globals.update(
    asset_version=assets.VERSION,
    span_duration=tree.duration,
    time_to_first_token=tree.time_to_first_token,
    begin=tree.begin,
)


def render(name: str, status: int = 200, **values: Any) -> HTMLResponse:
    """Return a template as a response. Text that no encoding can carry becomes a replacement character."""
    html = _templates.get_template(name).render(**values)
    return HTMLResponse(html.encode("utf-8", "replace"), status)


def _viewer(request: Request) -> Project:
    project = services(request).auth.page_project(request)
    if project is None:
        here = f"{request.url.path}?{request.url.query}" if request.url.query else request.url.path
        if "hx-request" in request.headers:
            current = urlsplit(request.headers.get("hx-current-url", "/"))
            here = f"{current.path}?{current.query}" if current.query else current.path
        raise LoginNeeded(f"/login?{urlencode({'next': here})}")
    return project


#: The project whose pages the one who asks may see; nobody else gets past it.
Viewer = Annotated[Project, Depends(_viewer)]


def frame(request: Request, project: Project, page: str) -> dict[str, Any]:
    """Return what the frame around every page needs."""
    return {"page": page, "project": project, "anonymous": services(request).auth.anonymous}


# --- in and out -------------------------------------------------------------------------------------------------------


@router.get("/")
def home() -> Response:
    """Lead to the page most asked for."""
    return RedirectResponse("/generations", 303)


@router.get("/login")
def login_page(request: Request, token: str = "", next: str = "/") -> Response:
    """Log in by the one-time link, or show the form."""
    auth = services(request).auth
    if token:
        if auth.log_in_with_token(request, token) is not None:
            return RedirectResponse(local_path(next), 303)
        return _login_form(
            next, "This link was used already, or the server was restarted since. Its log has a new one.", 401
        )
    if auth.page_project(request) is not None:
        return RedirectResponse(local_path(next), 303)
    return _login_form(next)


@router.post("/login")
def login(
    request: Request,
    public_key: Annotated[str, Form()] = "",
    secret_key: Annotated[str, Form()] = "",
    next: Annotated[str, Form()] = "/",
) -> Response:
    """Log in with a key pair."""
    if services(request).auth.log_in_with_keys(request, public_key.strip(), secret_key.strip()) is None:
        return _login_form(next, "No key of this server has this public and secret part.", 401)
    return RedirectResponse(local_path(next), 303)


@router.post("/logout")
def logout(request: Request) -> Response:
    """Forget who is looking."""
    services(request).auth.log_out(request)
    return RedirectResponse("/login", 303)


def _login_form(next: str, error: str = "", status: int = 200) -> Response:
    return render("login.html", status, next=local_path(next), error=error, page="login", project=None, anonymous=False)


@router.get("/api/docs")
def api(request: Request) -> Response:
    """Describe the API; the same for everybody, so nobody has to log in."""
    served = services(request)
    return render(
        "api.html",
        page="api",
        project=served.auth.page_project(request),
        anonymous=served.auth.anonymous,
        url=public_url(request),
        groups=reference.groups(request.app.openapi()),
    )


def error_page(status: int, message: str) -> Response:
    """Return an error for a person. It may be shown to anybody, so it tells nothing of a project."""
    title = HTTPStatus(status).phrase
    response = render(
        "error.html", status, title=title, message=format.sentence(message), page="error", project=None, anonymous=False
    )
    response.headers.update(HEADERS)
    return response


# --- generations ------------------------------------------------------------------------------------------------------


@router.get("/generations")
def generations(request: Request, project: Viewer, where: str = "", cursor: str = "") -> Response:
    """List generations, newest first or from a cursor on; an empty project shows how to send the first one."""
    reader = services(request).reader
    given = request.query_params.multi_items()
    listing, error = Listing.read("/generations", given, fixed=("type",)), ""
    if where:
        try:
            listing = listing.narrowed(where)
        except FilterError as problem:
            error = str(problem)
    moved = "hx-request" in request.headers
    if not moved and not error and (where or any(not value for _, value in given)):
        return RedirectResponse(listing.url(), 303)
    rows: list[Span] = []
    older, models = None, []
    try:
        chosen = listing.filter()
        found = reader.spans(project.id, chosen.where("type", "generation"), limit=PAGE, cursor=cursor or None)
        rows, older = found.rows, found.next_cursor
        if not rows and not listing.params and reader.is_empty(project.id):
            return _welcome(request, project)
        any_model = Filter(chosen.start, chosen.end, tuple(c for c in chosen.conditions if c.field != "model"))
        models = reader.model_names(project.id, any_model)
    except FilterError as problem:
        error = str(problem)
    response = render(
        "generations.html",
        400 if error else 200,
        **frame(request, project, "generations"),
        listing=listing,
        rows=rows,
        cursor=older,
        paged=bool(cursor),
        models=models,
        ranges=RANGES,
        error=error,
        where=where if error else "",
    )
    if moved and not error and "hx-history-restore-request" not in request.headers:
        response.headers["HX-Push-Url"] = listing.url()
    return response


@router.get("/generations/rows")
def generation_rows(request: Request, project: Viewer, cursor: str = "") -> Response:
    """Return rows alone: the next page of the list, or without a cursor its newest rows."""
    listing = Listing.read("/generations", request.query_params.multi_items(), fixed=("type",))
    try:
        chosen = listing.filter().where("type", "generation")
        found = services(request).reader.spans(project.id, chosen, limit=PAGE, cursor=cursor or None)
    except FilterError as problem:
        return PlainTextResponse(str(problem), 400)
    return render("_rows.html", listing=listing, rows=found.rows, cursor=found.next_cursor)


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


# --- traces -----------------------------------------------------------------------------------------------------------


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
