"""Sessions: traces that belong together, `/api/v1/sessions`."""

from __future__ import annotations

from typing import Any

import msgspec
from fastapi import APIRouter, Request, Response

from genscope.api.native import RANGE_PARAMETERS, Authorised, Cursor, Limit, Ranged
from genscope.api.openapi import documented
from genscope.api.shapes import Listing, iso, respond
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
    user_id: str | None
    environment: str | None
    tags: list[str]
    metadata: dict[str, Any]
    repository: str | None


@router.get("/sessions", responses=documented(Listing[SessionShape]), openapi_extra=RANGE_PARAMETERS)
def list_sessions(
    request: Request,
    project: Authorised,
    filter: Ranged,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Response:
    """List sessions that begin in a time range, the latest first."""
    page = services(request).reader.sessions.page(project.id, filter, limit=limit, cursor=cursor or None)
    return respond(Listing([_shape(session) for session in page.rows], page.next_cursor))


def _shape(session: SessionSummary) -> SessionShape:
    return SessionShape(
        id=session.id,
        name=session.name,
        start_time=iso(session.start_time) if session.start_time else None,
        end_time=iso(session.end_time),
        trace_count=session.trace_count,
        span_count=session.span_count,
        user_id=session.user_id,
        environment=session.environment,
        tags=session.tags,
        metadata=session.metadata,
        repository=session.repository,
    )
