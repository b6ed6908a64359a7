"""What was said of traces, spans and sessions, `/api/v1/scores`: read, said, and taken back."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

import msgspec
from fastapi import APIRouter, Depends, Request, Response
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from genscope.api.native import DELETED, Authorised, Cursor, Limit, filter_parameters
from genscope.api.openapi import accepted, documented
from genscope.api.shapes import Listing, ScoreShape, respond, score_shape
from genscope.ingest import Decode
from genscope.model import Pieces, Score, patch_order
from genscope.query.filter import SCORE_FIELDS, Filter, FilterError, from_params, parse_time
from genscope.receive.body import read_body
from genscope.receive.errors import BadRequest, UnsupportedMediaType
from genscope.receive.langfuse.scores import Scores, decode_scores
from genscope.services import services

router = APIRouter(prefix="/api/v1", tags=["read"])


def _filter(request: Request) -> Filter:
    return from_params(request.query_params.multi_items(), SCORE_FIELDS)


@router.get("/scores", responses=documented(Listing[ScoreShape]), openapi_extra=filter_parameters(SCORE_FIELDS))
def list_scores(
    request: Request,
    project: Authorised,
    filter: Annotated[Filter, Depends(_filter)],
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Response:
    """List scores of a time range that meet every condition, the latest first."""
    page = services(request).reader.scores.page(project.id, filter, limit=limit, cursor=cursor or None)
    return respond(Listing([score_shape(score) for score in page.rows], page.next_cursor))


#: Bytes of scores that one request may bring.
MOST_BYTES: Final = 4 << 20
#: Scores of one request.
MOST: Final = 1000
#: What the protocol of scores that come this way is called.
PROTOCOL: Final = "api"


class NewScore(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True):
    """A score to be stored: of a trace, of a span in it, or of a session."""

    name: str
    #: A number, true or false, or a text: a category unless `data_type` says otherwise.
    value: float | bool | str
    data_type: Literal["NUMERIC", "BOOLEAN", "CATEGORICAL", "TEXT", "CORRECTION"] | None = None
    comment: str | None = None
    trace_id: str | None = None
    #: Together with the trace's id.
    span_id: str | None = None
    session_id: str | None = None
    #: A score of an id that is known takes the place of the former; without one it gets one.
    id: str | None = None
    #: ISO 8601; by default now.
    time: str | None = None
    source: Literal["API", "EVAL", "ANNOTATION"] = "API"
    environment: str | None = None
    metadata: dict[str, Any] | None = None


class StoredScores(msgspec.Struct):
    """The ids of the scores that were stored, in the order of the request."""

    ids: list[str]


#: The rank of what was said among pieces: as that of scores which SDKs send.
SAID: Final = 1
#: What the decoder of scores calls the fields.
FIELDS: Final = {
    "data_type": "dataType",
    "trace_id": "traceId",
    "span_id": "observationId",
    "session_id": "sessionId",
    "time": "timestamp",
}


async def _new(request: Request) -> list[NewScore]:
    content_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if content_type != "application/json":
        raise UnsupportedMediaType(f"Content-Type {content_type!r} is not read here: send application/json")
    try:
        sent = msgspec.json.decode(await read_body(request.stream(), MOST_BYTES), type=NewScore | list[NewScore])
    except ClientDisconnect:
        raise BadRequest("the connection ended before the body did") from None
    except (ValueError, UnicodeError) as error:
        raise BadRequest(f"this is no score: {error}") from None
    told = sent if isinstance(sent, list) else [sent]
    if not told:
        raise BadRequest("the list is empty: send at least one score")
    for score in told:
        if score.time is not None:
            _check_time(score.time)
    return told


def _check_time(text: str) -> None:
    try:
        parse_time(text, "time")
    except FilterError as error:
        raise BadRequest(str(error)) from None


def taken_back(score_id: str) -> Decode[Pieces]:
    """Return what deletes a score, for `Ingest.take_pieces`: a tombstone, which a score of that id that is said later replaces."""

    def decode(_body: bytes, now: int) -> Pieces:
        return Pieces(scores=[Score(score_id, "", now, removed=True, revision=patch_order(SAID, now))])

    return decode


Told = Annotated[list[NewScore], Depends(_new)]
_BODY: Final[dict[str, Any]] = accepted(NewScore | list[NewScore])


@router.post("/scores", responses=documented(StoredScores), openapi_extra=_BODY)
async def add_scores(request: Request, project: Authorised, told: Told) -> Response:
    """Store a score, or a list of at most 1,000; the answer comes when they are on disk.

    If one is not valid, none is stored.
    """
    bodies = [
        {FIELDS.get(name, name): value for name, value in msgspec.to_builtins(score).items() if value is not None}
        for score in told
    ]

    def decode(body: bytes, now: int) -> Scores:
        scores = decode_scores(body, now, max_scores=MOST, max_value_bytes=limits.value_bytes)
        if scores.errors:
            raise BadRequest(f"a score cannot be taken, so none was: {scores.errors[0]}")
        for score in scores.scores:
            score.protocol = PROTOCOL
        return scores

    ingest = services(request).ingest
    limits = ingest.limits
    stored = await ingest.take_pieces(project.id, PROTOCOL, msgspec.json.encode(bodies), None, decode)
    return respond(StoredScores([score.id for score in stored.scores]))


@router.delete("/scores/{score_id:path}", status_code=204, responses=DELETED)
async def delete_score(request: Request, project: Authorised, score_id: str) -> Response:
    """Delete a score; 404 if it is not known."""
    if await run_in_threadpool(services(request).reader.scores.one, project.id, score_id) is None:
        raise HTTPException(404, f"no score {score_id!r} in project {project.id!r}")
    await services(request).ingest.take_pieces(project.id, PROTOCOL, b"", None, taken_back(score_id))
    return Response(status_code=204)
