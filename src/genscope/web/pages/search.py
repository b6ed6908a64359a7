"""What the filter box of a page asks for while one types."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query
from starlette.requests import Request
from starlette.responses import Response

from genscope.api.fields import suggestions
from genscope.api.shapes import Listing, respond
from genscope.query.filter import Filter
from genscope.services import services
from genscope.web.frame import Viewer, page_router

router = page_router()


@router.get("/complete.json")
def complete(request: Request, project: Viewer, text: str = "", position: Annotated[int, Query(ge=0)] = 0) -> Response:
    """Return what may stand at a place of a filter, as `/api/v1/complete` does."""
    return respond(Listing(suggestions(services(request).reader, project.id, Filter(), text, position)))
