"""What every page is made with: the templates, who looks, the frame around it, and the same view as JSON."""

from __future__ import annotations

import functools
from collections.abc import Callable
from http import HTTPStatus
from typing import Annotated, Any, Final, TypeVar
from urllib.parse import urlencode, urlsplit

from fastapi import APIRouter, Depends
from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from genscope.api.shapes import respond
from genscope.auth import Visitor
from genscope.receive.errors import Forbidden
from genscope.services import services
from genscope.store.catalog import Project
from genscope.web import addresses, assets, charts, detail, format, markdown, messages, preview, said, tree
from genscope.web.security import HEADERS, SAFE, LoginNeeded, PageRoute
from genscope.web.state import RANGES, State

#: The pages that the frame leads to: its name and what it is called; `/name` is its path.
NAVIGATION: Final = (
    ("overview", "Overview"),
    ("generations", "Generations"),
    ("traces", "Traces"),
    ("spans", "Spans"),
    ("sessions", "Sessions"),
    ("users", "Users"),
    ("models", "Models"),
    ("errors", "Errors"),
    ("scores", "Scores"),
    ("sql", "SQL"),
)

#: The sections of the settings: path and title.
SECTIONS: Final = (
    ("/settings", "Project"),
    ("/settings/keys", "Keys"),
    ("/settings/members", "Members"),
    ("/prices", "Prices"),
    ("/settings/retention", "Retention"),
    ("/settings/redaction", "Redaction"),
    ("/rejected", "Rejected"),
    ("/settings/health", "Health"),
)

_templates = Environment(
    loader=PackageLoader("genscope.web"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_templates.filters.update(format.FILTERS | charts.FILTERS)
_templates.filters["preview"] = preview.preview
_templates.filters["table"] = detail.table
_templates.filters["pretty"] = messages.pretty
_templates.filters["markdown"] = markdown.rendered
_templates.filters["score_value"] = said.score_value
_templates.globals.update(
    asset_version=assets.VERSION,
    listing_url=addresses.listing,
    trace_url=addresses.trace,
    session_url=addresses.session,
    user_url=addresses.user,
    failure_url=addresses.failure,
    score_url=addresses.score,
    navigation=NAVIGATION,
    ranges=RANGES,
    settings_sections=SECTIONS,
    span_duration=tree.duration,
    time_to_first_token=tree.time_to_first_token,
    begin=tree.begin,
)

View = TypeVar("View", bound=Callable[..., Any])


def page_router() -> APIRouter:
    """Return a router for pages: guarded, not part of the API's document."""
    return APIRouter(route_class=PageRoute, include_in_schema=False, default_response_class=HTMLResponse)


def render(name: str, status: int = 200, **values: Any) -> HTMLResponse:
    """Return a template as a response. Text that no encoding can carry becomes a replacement character."""
    html = _templates.get_template(name).render(**values)
    return HTMLResponse(html.encode("utf-8", "replace"), status)


def _visitor(request: Request) -> Visitor:
    visitor = services(request).auth.visitor(request)
    if visitor is None:
        here = f"{request.url.path}?{request.url.query}" if request.url.query else request.url.path
        if "hx-request" in request.headers:
            current = urlsplit(request.headers.get("hx-current-url", "/"))
            here = f"{current.path}?{current.query}" if current.query else current.path
        elif request.method not in SAFE:
            here = "/"
        raise LoginNeeded(f"/login?{urlencode({'next': here})}")
    return visitor


#: Who asks, with what they may do; strangers do not get past it.
Visiting = Annotated[Visitor, Depends(_visitor)]


def _viewer(visitor: Visiting) -> Project:
    return visitor.project


def _editor(visitor: Visiting) -> Project:
    if not visitor.may("member"):
        raise Forbidden(f"you may look at project {visitor.project.name!r}, not change it: ask one of its owners")
    return visitor.project


#: The project whose pages the one who asks may see.
Viewer = Annotated[Project, Depends(_viewer)]
#: The same, of one who may also change what is in it; others are refused.
Editor = Annotated[Project, Depends(_editor)]


def frame(request: Request, project: Project, page: str) -> dict[str, Any]:
    """Return what the frame around every page needs."""
    auth = services(request).auth
    return {"page": page, "project": project, "anonymous": auth.anonymous, "visitor": auth.visitor(request)}


def page(router: APIRouter, path: str, template: str, *, name: str) -> Callable[[View], View]:
    """Serve what a function returns as a page at `path`, made by `template`, and as JSON at `path`.json.

    The function takes at least `request` and `project`. What it returns is `view` in the template; a view that has an `error`
    is answered with status 400. As JSON it is encoded as it is, or as what its method `json` returns. A `Response` goes out
    untouched, and a `FilterError` that it raises is a page or a JSON object that says so. Where the path ends in an id, which may
    end in `.json` itself, that one is shown if there is none without it.
    """
    last = path.rpartition("{")[2].removesuffix(":path}") if path.endswith(":path}") else ""

    def register(view: View) -> View:
        def answer(*, as_json: bool) -> Callable[..., Response]:
            # FastAPI reads the parameters of the function that is wrapped.
            @functools.wraps(view)
            def endpoint(**values: Any) -> Response:
                shown = view(**values)
                if isinstance(shown, Response):
                    if as_json and last and shown.status_code == HTTPStatus.NOT_FOUND:
                        other = answer(as_json=False)(**values | {last: f"{values[last]}.json"})
                        return other if other.status_code == HTTPStatus.OK else shown
                    return shown
                status = 400 if getattr(shown, "error", "") else 200
                if as_json:
                    response = respond(shown.json() if hasattr(shown, "json") else shown)
                    response.status_code = status
                    return response
                response = render(template, status, **frame(values["request"], values["project"], name), view=shown)
                _push(response, values["request"], shown)
                return response

            return endpoint

        # What a function returns is for the template; FastAPI makes nothing of its type.
        router.get(f"{path}.json", response_model=None)(answer(as_json=True))
        router.get(path, response_model=None)(answer(as_json=False))
        return view

    return register


def _push(response: Response, request: Request, view: object) -> None:
    """Let a browser that exchanges a part of the page show the view's own URL, without the empty fields of a form."""
    state = getattr(view, "state", None)
    asked = "hx-request" in request.headers and "hx-history-restore-request" not in request.headers
    if asked and isinstance(state, State) and response.status_code == HTTPStatus.OK:
        response.headers["HX-Push-Url"] = state.url()


def error_page(status: int, message: str) -> Response:
    """Return an error for a person. It may be shown to anybody, so it tells nothing of a project."""
    title = HTTPStatus(status).phrase
    response = render(
        "error.html", status, title=title, message=format.sentence(message), page="error", project=None, anonymous=False
    )
    response.headers.update(HEADERS)
    return response
