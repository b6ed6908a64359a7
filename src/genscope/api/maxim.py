"""Routes that Maxim's SDKs call while they trace. An answer is exactly 200 and JSON: some take nothing else for a success.

Source: maxim-py 3.14, @maximai/maxim-js 6.29, maxim-go and Maxim's SDK for Java; see docs/maxim.md. Uploads are in `storage`.
"""

from __future__ import annotations

from functools import partial
from typing import Annotated, Any, Final

import msgspec
from fastapi import APIRouter, Query, Request, Response
from starlette.requests import ClientDisconnect

from genscope.api.openapi import documented
from genscope.api.shapes import respond
from genscope.model import Pieces
from genscope.receive import maxim
from genscope.receive.body import read_body
from genscope.receive.errors import BadRequest
from genscope.receive.maxim.line import LONGEST_ID
from genscope.services import project_of, services

router = APIRouter(prefix="/api/sdk", tags=["maxim"])


class Repository(msgspec.Struct):
    """A log repository."""

    id: str


class RepositoryAnswer(msgspec.Struct):
    """An answer in the wrapping of Maxim's SDKs."""

    data: Repository


class Logged(msgspec.Struct):
    """That the lines are stored."""

    success: bool = True


class LoggedAnswer(msgspec.Struct):
    """An answer in the wrapping of Maxim's SDKs."""

    data: Logged


class EmptyList(msgspec.Struct):
    """Nothing, in the wrapping of Maxim's SDKs."""

    data: list[dict[str, Any]]


class EmptyObject(msgspec.Struct):
    """Nothing, in the wrapping of Maxim's SDKs."""

    data: dict[str, Any]


@router.get("/v3/log-repositories", responses=documented(RepositoryAnswer))
async def repository(
    request: Request,
    logger_id: Annotated[
        str, Query(alias="loggerId", description="Any name; a log repository need not be made first.")
    ],
) -> Response:
    """Say that there is such a log repository, which the SDKs ask before they log."""
    project_of(request)
    return respond(RepositoryAnswer(Repository(_named("loggerId", logger_id))))


_LINES: Final[dict[str, Any]] = {
    "requestBody": {
        "required": True,
        "content": {"text/plain": {"schema": {"type": "string"}}},
        "description": "Lines `entity{id=...,action=...,data=...}`, whatever the media type says.",
    }
}


@router.post("/v3/log", responses=documented(LoggedAnswer), openapi_extra=_LINES)
async def log(
    request: Request, repository: Annotated[str, Query(alias="id", description="The log repository.")]
) -> Response:
    """Take lines of a log; the answer comes when what they tell is on disk. A line that cannot be taken is kept in `rejected`."""
    project = project_of(request)
    served = services(request)
    limits = served.ingest.limits
    decode = partial(_decode, repository=_named("id", repository), max_value_bytes=limits.value_bytes)
    try:
        with served.ingest.room() as take:
            body = await read_body(request.stream(), limits.body_bytes, take)
            encoding = request.headers.get("content-encoding")
            await served.ingest.take_pieces(project.id, "maxim", body, encoding, decode, take)
    except ClientDisconnect:
        raise BadRequest("the connection ended before the body did") from None
    return respond(LoggedAnswer(Logged()))


def _decode(body: bytes, now: int, *, repository: str, max_value_bytes: int) -> Pieces:
    return maxim.decode(body, repository=repository, now=now, max_value_bytes=max_value_bytes)


@router.get("/v4/prompts", responses=documented(EmptyList))
@router.get("/v4/prompt-chains", responses=documented(EmptyList))
@router.get("/v3/folders", responses=documented(EmptyList))
async def prompts(request: Request) -> Response:
    """Say that there are no prompts, chains of prompts and folders: Java's SDK asks before it logs."""
    project_of(request)
    return respond(EmptyList([]))


@router.post("/v1/log-repositories/check-attach-evaluators", responses=documented(EmptyObject))
async def evaluators(request: Request) -> Response:
    """Say that no evaluator is in the way; none is run here."""
    project_of(request)
    return respond(EmptyObject({}))


def _named(parameter: str, repository: str) -> str:
    """Return the name of a log repository, which is the first part of the keys of its files."""
    if 0 < len(repository) <= LONGEST_ID and repository.isprintable() and "/" not in repository:
        return repository
    raise BadRequest(f"{parameter}: the name of a log repository has up to {LONGEST_ID} characters and no /")
