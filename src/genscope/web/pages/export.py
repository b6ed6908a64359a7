"""What a list shows, as a file."""

from __future__ import annotations

from typing import Literal

from fastapi import Query
from starlette.requests import Request
from starlette.responses import Response

from genscope.api.export import exported
from genscope.web.frame import Viewer, page_router
from genscope.web.listing import LISTS
from genscope.web.state import State

router = page_router()


@router.get("/lists/{name}/export")
async def export(
    request: Request,
    project: Viewer,
    name: Literal["generations", "traces", "spans"],
    form: Literal["jsonl", "csv", "parquet"] = Query("jsonl", alias="format"),
) -> Response:
    """Return every span that meets the filter of a list."""
    state = State.read(f"/{name}", request.query_params.multi_items())
    return await exported(request, project, LISTS[name].filter(state), form)
