"""Sessions: traces that belong together, `/api/v1/sessions`."""

from __future__ import annotations

from typing import Any

import msgspec
from fastapi import APIRouter, Request, Response

from genscope.api.native import FILTER_PARAMETERS, Authorised, Cursor, Filtered, Limit
from genscope.api.openapi import documented
from genscope.api.shapes import Listing, iso, plain, respond
from genscope.services import services
from genscope.store.sessions import SessionSummary

router = APIRouter(prefix="/api/v1", tags=["read"])


class SessionShape(msgspec.Struct):
    """One session: its traces are those of which a span has its id as `session_id`."""

    id: str
    name: str | None
    start_time: str | None
    end_time: str | None
    trace_count: int
    span_count: int
    error_count: int
    call_count: int
    unpriced_count: int
    input_tokens: int | None
    output_tokens: int | None
    total_cost: str | None
    models: list[str]
    user_id: str | None
    environment: str | None
    tags: list[str]
    metadata: dict[str, Any]
    repository: str | None


@router.get("/sessions", responses=documented(Listing[SessionShape]), openapi_extra=FILTER_PARAMETERS)
def list_sessions(
    request: Request,
    project: Authorised,
    filter: Filtered,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Response:
    """List sessions with a trace in a time range that has a span there that meets the filter, the latest to be active first.

    What they come to is that of the range.
    """
    page = services(request).reader.sessions.page(project.id, filter, limit=limit, cursor=cursor or None)
    return respond(Listing([session_shape(session) for session in page.rows], page.next_cursor))


def session_shape(session: SessionSummary) -> SessionShape:
    """Return a session as the API shows it."""
    return SessionShape(
        id=session.id,
        name=session.name,
        start_time=iso(session.start_time) if session.start_time else None,
        end_time=iso(session.end_time),
        trace_count=session.trace_count,
        span_count=session.span_count,
        error_count=session.error_count,
        call_count=session.paid_count,
        unpriced_count=session.unpriced_count,
        input_tokens=session.input_tokens,
        output_tokens=session.output_tokens,
        total_cost=None if session.total_cost is None else plain(session.total_cost),
        models=session.models,
        user_id=session.user_id,
        environment=session.environment,
        tags=session.tags,
        metadata=session.metadata,
        repository=session.repository,
    )
