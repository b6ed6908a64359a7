"""Langfuse's media: files in inputs, outputs and metadata, which its SDKs upload beside the spans that name them.

Shapes as the clients of Python 3 to 5 and TypeScript 5 read them. A medium is known by its bytes: its id is the beginning of their
SHA-256, and is the key of its object. What came once in a project is not uploaded again.
"""

from __future__ import annotations

import asyncio
import base64
import time
from typing import Annotated, Final, Literal

import msgspec
from fastapi import APIRouter, Request, Response
from starlette.exceptions import HTTPException

from genscope.api.native import Authorised
from genscope.api.openapi import accepted, documented
from genscope.api.shapes import iso, respond
from genscope.links import LIFETIME, Download, Upload
from genscope.model import TRACE, Attachment, Entity, Pieces
from genscope.receive.body import read_body
from genscope.receive.errors import BadRequest, TooLarge
from genscope.services import public_url, services

router = APIRouter(prefix="/api/public/media", tags=["langfuse"])

#: Characters of the hash that are the id.
ID_LENGTH: Final = 22
MAX_BODY: Final = 1 << 16

Text = Annotated[str, msgspec.Meta(min_length=1, max_length=1024)]


class MediaRequest(msgspec.Struct, rename="camel"):
    """A file that belongs to a trace, an observation or a dataset item, and is about to be uploaded."""

    content_type: Text
    content_length: Annotated[int, msgspec.Meta(ge=0)]
    sha256_hash: Annotated[str, msgspec.Meta(min_length=44, max_length=44)]
    field: Literal["input", "output", "metadata", "expectedOutput"]
    trace_id: Text | None = None
    observation_id: Text | None = None
    dataset_id: Text | None = None
    dataset_item_id: Text | None = None


class MediaUpload(msgspec.Struct, rename="camel"):
    """Where to put the bytes; null if they are here already."""

    media_id: str
    upload_url: str | None


class MediaShape(msgspec.Struct, rename="camel"):
    """A file that was uploaded, and where to get its bytes for a while."""

    media_id: str
    content_type: str
    content_length: int
    uploaded_at: str
    url: str
    url_expiry: str


def media_id(sha256: bytes) -> str:
    """Return the id of a medium, as Langfuse's SDKs write it into inputs and outputs before they have asked."""
    return base64.urlsafe_b64encode(sha256).decode()[:ID_LENGTH]


@router.post("", status_code=201, responses=documented(MediaUpload), openapi_extra=accepted(MediaRequest))
async def announce(request: Request, project: Authorised) -> Response:
    """Link a file to where it belongs, and say where to upload it. The trace may come before or after."""
    served = services(request)
    body = await read_body(request.stream(), MAX_BODY)
    told = _decoded(body)
    sha256 = _digest(told.sha256_hash)
    if told.content_length > served.objects.max_bytes:
        raise TooLarge(
            f"the file has {told.content_length} bytes, {served.objects.max_bytes} are the limit of this server"
        )
    id_ = media_id(sha256)
    link = Attachment(
        id=f"{id_}:{told.field}",
        entity=_entity(told),
        time=time.time_ns(),
        key=id_,
        mime_type=told.content_type,
        size=told.content_length,
        place=told.field,
        trace_id=told.trace_id,
    )
    await served.ingest.take_pieces(project.id, "langfuse", body, None, lambda body, now: Pieces(attachments=[link]))
    # Whoever deletes the last trace that had the file may not have seen this link: the bytes are here to stay, or to be sent.
    await served.objects.keep(project.id, id_)
    found = await served.objects.find(project.id, id_)
    url = None
    if found is None or found.size != told.content_length:
        url = public_url(request) + served.links.path(Upload(project.id, id_, sha256.hex()))
    return Response(msgspec.json.encode(MediaUpload(id_, url)), 201, media_type="application/json")


def _decoded(body: bytes) -> MediaRequest:
    try:
        return msgspec.json.decode(body, type=MediaRequest)
    except (msgspec.DecodeError, msgspec.ValidationError) as error:
        raise BadRequest(str(error)) from None


def _digest(text: str) -> bytes:
    try:
        digest = base64.b64decode(text, validate=True)
    except ValueError:  # of letters beyond ASCII as of what is no base64
        digest = b""
    if len(digest) != 32:
        raise BadRequest("sha256Hash: it has to be the SHA-256 of the file in base64")
    return digest


def _entity(told: MediaRequest) -> Entity:
    if told.trace_id and not told.dataset_item_id:
        return Entity("observation", told.observation_id) if told.observation_id else Entity(TRACE, told.trace_id)
    if told.dataset_id and told.dataset_item_id and not told.trace_id:
        return Entity("dataset_item", f"{told.dataset_id}/{told.dataset_item_id}")
    raise BadRequest("give either traceId (and observationId), or datasetId and datasetItemId")


@router.patch("/{media_id}", status_code=204)
async def uploaded(project: Authorised, media_id: str) -> Response:
    """Take note of how an upload went for its sender. What was stored is known already."""
    return Response(status_code=204)


@router.get("/{media_id}", responses=documented(MediaShape))
async def get_media(request: Request, project: Authorised, media_id: str) -> Response:
    """Return what is known of a file that was uploaded, and a URL from which to get it."""
    served = services(request)
    known = await asyncio.to_thread(served.attachments.of_key, project.id, media_id)
    found = await served.objects.find(project.id, media_id) if known else None
    if known is None or found is None:
        raise HTTPException(404, f"no medium {media_id!r} was uploaded in project {project.id!r}")
    return respond(
        MediaShape(
            media_id=media_id,
            content_type=known.mime_type or "application/octet-stream",
            content_length=found.size,
            uploaded_at=iso(found.time) or "",
            url=public_url(request) + served.links.path(Download(project.id, media_id, known.mime_type)),
            url_expiry=iso(time.time_ns() + LIFETIME * 10**9) or "",
        )
    )
