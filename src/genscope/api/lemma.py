"""The routes that Lemma's own SDK calls: to deliver a trace, and to ask whether it arrived."""

from __future__ import annotations

from functools import partial
from typing import Annotated, Any, Final, Literal

import msgspec
from fastapi import APIRouter, Query, Request, Response
from starlette.requests import ClientDisconnect

from genscope.api.openapi import documented
from genscope.api.shapes import respond
from genscope.model import Pieces
from genscope.receive import lemma
from genscope.receive.body import read_body
from genscope.receive.errors import BadRequest, Forbidden, TooLarge
from genscope.services import Services, services
from genscope.store.catalog import Project

router = APIRouter(prefix="/traces", tags=["lemma"])

#: What the SDK takes for proof that this is no OTLP endpoint.
CREATED: Final = 201


class RejectedSpan(msgspec.Struct):
    """A span that could not be taken, and why."""

    name: str
    reason: str


class Delivered(msgspec.Struct):
    """A trace is stored, but for these of its spans."""

    rejected: list[RejectedSpan]


class IngestStatus(msgspec.Struct):
    """Whether a trace has arrived."""

    project_id: str
    otel_trace_id: str
    status: Literal["ready", "not_found"]


class Refused(msgspec.Struct):
    """Why a request was refused, where Lemma's SDK looks for it."""

    detail: str


def _documented(type_: Any, status: int) -> dict[int | str, dict[str, Any]]:
    answer, refusal = documented(type_)[200], documented(Refused)[200]
    return {status: answer, "4XX": refusal | {"description": "Refused"}}


_BODY: Final[dict[str, Any]] = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": {
                    "type": "object",
                    "required": ["project_id", "trace"],
                    "properties": {"project_id": {"type": "string"}, "trace": {"type": "object"}},
                }
            }
        },
    }
}


@router.post("/ingest", status_code=CREATED, responses=_documented(Delivered, CREATED), openapi_extra=_BODY)
async def ingest(request: Request) -> Response:
    """Take a trace; the answer comes when it is on disk."""
    served = services(request)
    project = _project(request)
    limits = served.ingest.limits
    length = request.headers.get("content-length", "")
    if length.isdecimal() and int(length) > limits.body_bytes:
        advice = f"give the client max_payload_bytes={limits.body_bytes}"
        raise TooLarge(f"the body has {length} bytes, {limits.body_bytes} are the limit: {advice}")

    def decode(body: bytes, now: int) -> Pieces:
        named = partial(_must_not_be_anothers, served, project)
        return lemma.decode(body, now=now, max_spans=limits.spans, max_value_bytes=limits.value_bytes, named=named)

    try:
        with served.ingest.room() as take:
            body = await read_body(request.stream(), limits.body_bytes, take)
            encoding = request.headers.get("content-encoding")
            pieces = await served.ingest.take_pieces(project.id, lemma.PROTOCOL, body, encoding, decode, take)
    except ClientDisconnect:
        raise BadRequest("the connection ended before the body did") from None
    answer = respond(Delivered([RejectedSpan(one.name, one.reason) for one in pieces.rejected]))
    answer.status_code = CREATED
    return answer


@router.get("/ingest-status", responses=_documented(IngestStatus, 200))
def ingest_status(
    request: Request,
    otel_trace_id: Annotated[str, Query(description="`trace.id`, as it was delivered.")],
    project_id: Annotated[str, Query(description="Lemma's id of the project; the key decides.")] = "",
) -> Response:
    """Say whether a trace has arrived. What was acknowledged has."""
    served = services(request)
    project = _project(request)
    _must_not_be_anothers(served, project, project_id)
    known = served.reader.trace_summary(project.id, otel_trace_id) is not None
    return respond(IngestStatus(project_id, otel_trace_id, "ready" if known else "not_found"))


def _project(request: Request) -> Project:
    return services(request).auth.project(request.headers, host=request.headers.get("host", ""))


def _must_not_be_anothers(served: Services, project: Project, named: str) -> None:
    """Refuse the name of another project. Users of Lemma keep its ids of theirs, which name nothing here: the key decides."""
    if named != project.id and served.auth.public_keys(named):
        raise Forbidden(f"the key opens project {project.id!r}, the request names {named!r}")
