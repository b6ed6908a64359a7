"""The route that takes things piece by piece, `POST /api/v1/pieces`."""

from __future__ import annotations

from functools import partial
from typing import Any, Final

import msgspec
from fastapi import APIRouter, Request, Response
from starlette.requests import ClientDisconnect

from genscope.api.openapi import documented
from genscope.api.shapes import respond
from genscope.receive import pieces
from genscope.receive.body import read_body
from genscope.receive.errors import BadRequest
from genscope.services import project_of, services

router = APIRouter(prefix="/api/v1", tags=["ingest"])

#: Lines whose refusal an answer explains; all are at `/api/v1/rejected`.
EXPLAINED: Final = 100


class RefusedLine(msgspec.Struct):
    """A line that could not be taken: its number, from 1, and why."""

    line: int
    reason: str


class TakenPieces(msgspec.Struct):
    """How many lines are stored and how many could not be taken, of which the first 100 are explained."""

    accepted: int
    rejected: int
    errors: list[RefusedLine]


_LINE: Final[dict[str, Any]] = {
    "type": "object",
    "required": ["kind"],
    "properties": {
        "kind": {"enum": list(pieces.KINDS)},
        "id": {"type": "string", "description": "Any text, kept as it is; a score may have none."},
        "trace_id": {"type": "string"},
        "parent": {
            "type": "object",
            "required": ["kind", "id"],
            "properties": {"kind": {"enum": list(pieces.KINDS)}, "id": {"type": "string"}},
        },
        "time": {
            "type": ["string", "integer"],
            "description": "The sender's clock: ISO 8601, or nanoseconds since the epoch.",
        },
    },
    "description": "Fields of a span as the API shows them, as far as they are known. See docs/ingest.md.",
}
_BODY: Final[dict[str, Any]] = {
    "requestBody": {
        "required": True,
        "content": {
            "application/jsonl": {"schema": {"type": "string"}},
            "application/json": {"schema": {"type": "array", "items": _LINE}},
        },
        "description": "Lines of JSON, or one array of the same objects, whatever the media type says.",
    }
}


@router.post("/pieces", responses=documented(TakenPieces), openapi_extra=_BODY)
async def take_pieces(request: Request) -> Response:
    """Take pieces of traces, spans and sessions, and scores: a line each, in any order; the answer comes when they are on disk.

    A line that cannot be taken is kept in `rejected`; the others are stored.
    """
    project = project_of(request)
    ingest = services(request).ingest
    limits = ingest.limits
    decode = partial(pieces.decode, max_lines=limits.spans, max_value_bytes=limits.value_bytes)
    try:
        with ingest.room() as take:
            body = await read_body(request.stream(), limits.body_bytes, take)
            encoding = request.headers.get("content-encoding")
            told = await ingest.take_pieces(project.id, pieces.PROTOCOL, body, encoding, decode, take)
    except ClientDisconnect:
        raise BadRequest("the connection ended before the body did") from None
    errors = [RefusedLine(*one) for one in told.refused[:EXPLAINED]]
    return respond(TakenPieces(told.taken, len(told.refused), errors))
