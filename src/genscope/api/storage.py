"""Objects over HTTP: the upload URLs of Maxim's SDKs, and the signed URLs behind which objects are put and got."""

from __future__ import annotations

import re
from functools import partial
from typing import Annotated, Final
from urllib.parse import quote

import msgspec
from fastapi import APIRouter, Query, Request, Response
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import StreamingResponse

from genscope.api.openapi import documented
from genscope.api.shapes import respond
from genscope.links import PREFIX, Upload
from genscope.model import Pieces
from genscope.receive import maxim
from genscope.receive.body import read_body
from genscope.receive.errors import BadRequest, TooLarge
from genscope.services import project_of, public_url, services

router = APIRouter(tags=["maxim"])

MAX_KEY: Final = 1024
#: A line of a log that was too long for its batch, uploaded by itself.
LARGE_LINE: Final = re.compile(r"([^/]+)/large-logs/[^/]+")
#: Media types that a browser may show in place: none of them can run a script. All others are handed over as files.
SHOWN: Final = re.compile(
    r"image/(png|jpe?g|gif|webp|avif|bmp)|audio/[\w.+-]+|video/[\w.+-]+|text/plain|application/(json|ogg)", re.ASCII
)
#: Whatever an object is, its page runs nothing and reaches nothing.
SAFE: Final = {
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "private, no-store",
    "Accept-Ranges": "bytes",
}
RANGE: Final = re.compile(r"bytes=(\d*)-(\d*)", re.ASCII)


class UploadUrl(msgspec.Struct):
    """Where to put a file."""

    url: str


class UploadUrlAnswer(msgspec.Struct):
    """An answer in the wrapping of Maxim's SDKs."""

    data: UploadUrl


@router.get("/api/sdk/v1/log-repositories/attachments/upload-url", responses=documented(UploadUrlAnswer))
def upload_url(
    request: Request,
    key: Annotated[str, Query(description="`<log repository>/<path>`, as the log line will name it.")],
    mime_type: Annotated[str, Query(alias="mimeType")] = "",
    size: Annotated[str, Query(description="Bytes, as far as they are known.")] = "",
) -> Response:
    """Return a URL to which a file can be PUT without a key.

    It leads to this server even when objects are kept in a bucket: SDKs that reach the one need not reach the other, and limits and
    the lines of logs that come this way are seen to in one place.
    """
    served = services(request)
    project = project_of(request)
    problem = key_problem(key)
    if problem:
        raise BadRequest(f"key: {problem}")
    if size.isdecimal() and len(size) < 20 and int(size) > served.objects.max_bytes:
        raise TooLarge(f"the file has {size} bytes, {served.objects.max_bytes} are the limit of this server")
    return respond(UploadUrlAnswer(UploadUrl(public_url(request) + served.links.path(Upload(project.id, key)))))


def key_problem(key: str) -> str:
    """Return what is wrong with the key of an upload, an empty string if nothing is."""
    if len(key) > MAX_KEY:
        return f"it has {len(key)} characters, {MAX_KEY} are the limit"
    if not key.isprintable() or "\\" in key or "\ufffd" in key:
        return "control characters and backslashes are not allowed in it"
    parts = key.split("/")
    if len(parts) < 2 or not all(part.strip() and part not in (".", "..") for part in parts):
        return "it has to be <log repository>/<path>, without empty parts, . and .."
    return ""


@router.put(PREFIX + "{token}", include_in_schema=False)
async def put_object(request: Request, token: str) -> Response:
    """Take the bytes of a file; the answer comes when they are stored.

    The line of a log that came this way is taken as if it had come with its batch, and is not kept as a file: what the batch tells
    of it, before or afterwards, has nothing left to do.
    """
    served = services(request)
    leave = served.links.upload(token)
    line = LARGE_LINE.fullmatch(leave.key) if leave.sha256 is None else None
    limit = served.ingest.limits.body_bytes if line else served.objects.max_bytes
    length = request.headers.get("content-length", "")
    if length.isdecimal() and int(length[:20]) > limit:
        raise TooLarge(f"the body has {length[:20]} bytes, {limit} are the limit of this server")
    try:
        if line:
            with served.ingest.room() as take:
                body = await read_body(request.stream(), limit, take)
                most = served.ingest.limits.value_bytes
                decode = partial(_large_line, repository=line[1], max_value_bytes=most)
                await served.ingest.take_pieces(leave.project_id, "maxim", body, None, decode)
        else:
            sha256 = bytes.fromhex(leave.sha256) if leave.sha256 else None
            await served.objects.put(leave.project_id, leave.key, request.stream(), sha256=sha256)
    except ClientDisconnect:
        raise BadRequest("the connection ended before the body did") from None
    return respond({})


def _large_line(body: bytes, now: int, *, repository: str, max_value_bytes: int) -> Pieces:
    return maxim.decode(body, repository=repository, now=now, max_value_bytes=max_value_bytes)


@router.api_route(PREFIX + "{token}", methods=["GET", "HEAD"], include_in_schema=False)
async def get_object(request: Request, token: str) -> Response:
    """Return the bytes of a file, or those that a `Range` asks for."""
    served = services(request)
    leave = served.links.download(token)
    found = await served.objects.find(leave.project_id, leave.key)
    if found is None:
        raise HTTPException(404, "this file was announced, but has not been uploaded")
    part = _range(request.headers.get("range", ""), found.size)
    begin, end = part or (0, found.size)
    headers = SAFE | {"Content-Length": str(end - begin), **_presented(leave.mime_type, leave.name)}
    status = 200
    if part:
        status, headers["Content-Range"] = 206, f"bytes {begin}-{end - 1}/{found.size}"
    if request.method == "HEAD":
        return Response(status_code=status, headers=headers)
    return StreamingResponse(await served.objects.read(leave.project_id, leave.key, begin, end), status, headers)


def _range(told: str, size: int) -> tuple[int, int] | None:
    """Return which bytes a `Range` header asks for; None, for all, if it cannot be met, as RFC 9110, section 14.2, allows."""
    asked = RANGE.fullmatch(told.replace(" ", "")[:64])
    if asked is None or not any(asked.groups()):
        return None
    first, last = asked.groups()
    begin = int(first) if first else max(size - int(last), 0)
    end = min(int(last) + 1, size) if first and last else size
    return (begin, end) if begin < end else None


def _presented(mime_type: str | None, name: str | None) -> dict[str, str]:
    """Return the headers that tell a browser what an object is."""
    plain = (mime_type or "").partition(";")[0].strip().lower()
    shown = SHOWN.fullmatch(plain) is not None
    saved = f"; filename*=UTF-8''{quote(name, safe='')}" if name else ""
    return {
        "Content-Type": "text/plain; charset=utf-8"
        if plain == "text/plain"
        else plain
        if shown
        else "application/octet-stream",
        "Content-Disposition": ("inline" if shown else "attachment") + saved,
    }
