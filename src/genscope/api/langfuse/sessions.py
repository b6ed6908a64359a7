"""Sessions, `/api/public/sessions`."""

from __future__ import annotations

from typing import Final

import msgspec
from fastapi import APIRouter, Request, Response
from starlette.exceptions import HTTPException

from genscope.api.langfuse.parameters import Paged, moment, several
from genscope.api.langfuse.shapes import DEFAULT, LangfuseTrace, NumberedPage, trace_shape
from genscope.api.native import Authorised
from genscope.api.openapi import documented
from genscope.api.shapes import iso, respond
from genscope.query.filter import Condition, Filter
from genscope.services import services
from genscope.store.previews import WHOLE
from genscope.store.sessions import SessionSummary

router = APIRouter()

#: Traces of one session that are shown with it; Langfuse has no pages here.
MOST_TRACES: Final = 10_000


class LangfuseSession(msgspec.Struct, rename="camel"):
    """A session."""

    id: str
    created_at: str | None
    project_id: str
    environment: str


class LangfuseSessionWithTraces(LangfuseSession):
    """A session and the traces in it."""

    traces: list[LangfuseTrace]


@router.get("/sessions", responses=documented(NumberedPage))
def list_sessions(request: Request, project: Authorised, paged: Paged) -> Response:
    """List sessions, the latest to begin first."""
    environments = several(request, "environment")
    asked = (Condition("environment_or_default", tuple(environments)),) if environments else ()
    filter = Filter(moment(request, "fromTimestamp"), moment(request, "toTimestamp"), asked)
    found = services(request).reader.sessions.numbered(project.id, filter, offset=paged.offset, limit=paged.limit)
    return respond(NumberedPage([_shape(project.id, session) for session in found.rows], paged.meta(found.total)))


@router.get("/sessions/{session_id:path}", responses=documented(LangfuseSessionWithTraces))
def get_session(request: Request, project: Authorised, session_id: str) -> Response:
    """Return a session with its traces, the earliest first."""
    reader = services(request).reader
    session = reader.sessions.one(project.id, session_id)
    if session is None:
        raise HTTPException(404, f"Session {session_id} not found within authorized project")
    filter = Filter(conditions=(Condition("session_id", (session_id,)),))
    found = reader.numbered_traces(project.id, filter, direction="ASC", limit=MOST_TRACES, preview=WHOLE)
    members = reader.members(project.id, [trace.trace_id for trace in found.rows])
    traces = [trace_shape(project.id, trace, members.get(trace.trace_id), (), ()) for trace in found.rows]
    plain = _shape(project.id, session)
    return respond(LangfuseSessionWithTraces(plain.id, plain.created_at, plain.project_id, plain.environment, traces))


def _shape(project_id: str, session: SessionSummary) -> LangfuseSession:
    return LangfuseSession(session.id, iso(session.start_time), project_id, session.environment or DEFAULT)
