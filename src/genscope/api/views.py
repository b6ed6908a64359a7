"""A project's saved views, `/api/v1/views`."""

from __future__ import annotations

from typing import Annotated, Any, Final

import msgspec
from fastapi import APIRouter, Depends, Request, Response
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from genscope.api.native import Authorised
from genscope.api.openapi import accepted, documented
from genscope.api.shapes import Listing, respond
from genscope.receive.body import read_body
from genscope.receive.errors import BadRequest, UnsupportedMediaType
from genscope.services import services
from genscope.views import SavedView, checked

router = APIRouter(prefix="/api/v1/views", tags=["views"])

#: Bytes of a view; a real one has a few hundred.
MOST_BYTES: Final = 32 * 1024


class ViewShape(msgspec.Struct, forbid_unknown_fields=True):
    """A page with its state under a name, such as `/generations?q=level:ERROR`."""

    name: str
    url: str


async def _view(request: Request) -> SavedView:
    content_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if content_type != "application/json":
        raise UnsupportedMediaType(f"Content-Type {content_type!r} is not read here: send application/json")
    try:
        body = msgspec.json.decode(await read_body(request.stream(), MOST_BYTES), type=ViewShape)
        return checked(body.name, body.url)
    except ClientDisconnect:
        raise BadRequest("the connection ended before the body did") from None
    except (ValueError, UnicodeError) as error:
        raise BadRequest(f"this is no view: {error}") from None


Wanted = Annotated[SavedView, Depends(_view)]
_BODY: Final[dict[str, Any]] = accepted(ViewShape)


@router.get("", responses=documented(Listing[ViewShape]))
def list_views(request: Request, project: Authorised) -> Response:
    """List the project's saved views by name."""
    views = services(request).views.all(project.id)
    return respond(Listing([ViewShape(view.name, view.url) for view in views]))


@router.post("", responses=documented(ViewShape), openapi_extra=_BODY)
async def save_view(request: Request, project: Authorised, wanted: Wanted) -> Response:
    """Save a view; it takes the place of the one of that name."""
    try:
        await run_in_threadpool(services(request).views.save, project.id, wanted)
    except ValueError as error:
        raise BadRequest(str(error)) from None
    return respond(ViewShape(wanted.name, wanted.url))


@router.delete("/{name:path}", responses=documented(ViewShape))
def delete_view(request: Request, project: Authorised, name: str) -> Response:
    """Delete a view, and return what it was."""
    view = services(request).views.remove(project.id, name)
    if view is None:
        raise HTTPException(404, f"no view {name!r} in project {project.id!r}; GET /api/v1/views lists them")
    return respond(ViewShape(view.name, view.url))
