"""Routes to which Langfuse's clients write: events of SDKs before OpenTelemetry, and scores of all of them.

Shapes as the clients of Python 2 to 5, JavaScript 3 and TypeScript 5 send and read them.
"""

from __future__ import annotations

from functools import partial
from typing import Any, Final

import msgspec
from fastapi import APIRouter, Request, Response
from starlette.requests import ClientDisconnect

from genscope.api.openapi import accepted, documented
from genscope.ingest import Decode, Told
from genscope.model import Pieces, Score, patch_order
from genscope.receive import langfuse
from genscope.receive.body import read_body
from genscope.receive.errors import BadRequest
from genscope.services import project_of, services

router = APIRouter(prefix="/api/public", tags=["langfuse"])

PROTOCOL: Final = "langfuse"
#: Deleted beats told, whatever the clocks say.
REMOVED: Final = 2


class Event(msgspec.Struct):
    """What an SDK tells of one thing at one moment; `body` depends on the type."""

    id: str
    type: str
    timestamp: str
    body: dict[str, Any]


class Envelope(msgspec.Struct):
    """A batch of events, and the SDK that sends them."""

    batch: list[Event]
    metadata: dict[str, Any] | None = None


class Success(msgspec.Struct):
    """An event that was stored."""

    id: str
    status: int = 201


class Failure(msgspec.Struct):
    """An event that could not be taken."""

    id: str
    message: str
    status: int = 400
    error: str = "Bad Request"


class Outcome(msgspec.Struct):
    """What became of each event of a batch."""

    successes: list[Success]
    errors: list[Failure]


class ScoreBody(msgspec.Struct, rename="camel", omit_defaults=True):
    """A score: about a trace, an observation in one, or a session."""

    name: str
    value: float | str
    id: str | None = None
    trace_id: str | None = None
    observation_id: str | None = None
    session_id: str | None = None
    data_type: str | None = None
    comment: str | None = None
    config_id: str | None = None
    environment: str | None = None
    metadata: dict[str, Any] | None = None
    timestamp: str | None = None


class ScoreId(msgspec.Struct):
    """The id of a score that was stored."""

    id: str


class Message(msgspec.Struct):
    """What became of a request."""

    message: str


class Reason(msgspec.Struct):
    """Why a score could not be taken."""

    message: str


class Counts(msgspec.Struct):
    """What became of a list of scores of which some could not be taken."""

    accepted: int
    rejected: int
    errors: list[Reason]


def _answers(statuses: dict[int, Any]) -> dict[int | str, dict[str, Any]]:
    """Return what the document says of a route that answers with these types by their statuses."""
    documents = {status: documented(type_) for status, type_ in statuses.items()}
    refused = next(iter(documents.values()))["4XX"]
    return {status: document[200] for status, document in documents.items()} | {"4XX": refused, "503": refused}


def _answer(status: int, body: msgspec.Struct) -> Response:
    return Response(msgspec.json.encode(body), status, media_type="application/json")


async def _take(request: Request, decode: Decode[Told]) -> Told:
    """Store what the body of a request tells."""
    served = services(request)
    project = project_of(request)
    try:
        with served.ingest.room() as take:
            body = await read_body(request.stream(), served.ingest.limits.body_bytes, take)
            encoding = request.headers.get("content-encoding")
            return await served.ingest.take_pieces(project.id, PROTOCOL, body, encoding, decode, take)
    except ClientDisconnect:
        raise BadRequest("the connection ended before the body did") from None


@router.post("/ingestion", status_code=207, responses=_answers({207: Outcome}), openapi_extra=accepted(Envelope))
async def ingest(request: Request) -> Response:
    """Take a batch of events; the answer comes when what they tell is on disk. One bad event harms no other."""
    limits = services(request).ingest.limits
    decode = partial(langfuse.decode, max_events=limits.spans, max_value_bytes=limits.value_bytes)
    batch = await _take(request, decode)
    failures = [Failure(event.id, event.reason) for event in batch.refused]
    return _answer(207, Outcome([Success(event_id) for event_id in batch.taken], failures))


@router.post(
    "/scores",
    responses=_answers({200: ScoreId, 202: Message, 207: Counts}),
    openapi_extra=accepted(ScoreBody | list[ScoreBody]),
)
async def add_scores(request: Request) -> Response:
    """Take a score, or a list of them. A score of an id that is known takes the place of the former."""
    limits = services(request).ingest.limits
    decode = partial(langfuse.decode_scores, max_scores=limits.spans, max_value_bytes=limits.value_bytes)
    told = await _take(request, decode)
    if not told.is_list:
        return _answer(200, ScoreId(told.scores[0].id))
    if not told.errors:
        return _answer(202, Message("Accepted"))
    return _answer(207, Counts(len(told.scores), len(told.errors), [Reason(error) for error in told.errors]))


@router.delete("/scores/{score_id}", responses=_answers({200: Message}))
async def delete_score(request: Request, score_id: str) -> Response:
    """Delete a score, also one that never was."""

    def decode(_body: bytes, now: int) -> Pieces:
        return Pieces(scores=[Score(score_id, "", now, removed=True, revision=patch_order(REMOVED, now))])

    await _take(request, decode)
    return _answer(200, Message("Score deleted successfully"))
