"""Feedback: what people who look at a trace say of it, stored as scores like those that applications send."""

from __future__ import annotations

import hashlib
import secrets
from typing import Annotated, Final
from urllib.parse import quote

from fastapi import Form
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response

from genscope.api.scores import SAID, taken_back
from genscope.ingest import Decode
from genscope.model import Pieces, Score, patch_order
from genscope.receive.langfuse.scores import LONGEST_ID
from genscope.services import services
from genscope.web import addresses
from genscope.web.frame import Editor, Visiting, page_router

router = page_router()

#: What ids of scores begin with that were given on a page.
GIVEN: Final = "given-"
#: Thumbs up or down are a score of this name that is true or false, a text by itself is one of the other name.
THUMB, COMMENT = "feedback", "comment"
PROTOCOL: Final = "web"
LONGEST: Final = 4_000


@router.post("/feedback")
async def give(
    request: Request,
    project: Editor,
    visitor: Visiting,
    trace: Annotated[str, Form()],
    span: Annotated[str, Form()] = "",
    value: Annotated[str, Form()] = "",
    comment: Annotated[str, Form()] = "",
) -> Response:
    """Store thumbs up (`value` 1) or down (0) with a comment, or a comment by itself.

    Of thumbs that one person gave to one span the last one holds.
    """
    text = comment.strip()[:LONGEST]
    if value not in ("", "0", "1") or not trace or max(len(trace), len(span)) > LONGEST_ID:
        return PlainTextResponse("This is no feedback: it needs a trace, and 1, 0 or nothing as its value.", 400)
    if not value and not text:
        return _back(request, trace, span)
    subject = "\n".join((visitor.name, trace, span) if value else (secrets.token_hex(16),))
    score = Score(
        id=GIVEN + hashlib.sha256(subject.encode("utf-8", "replace")).hexdigest()[:32],
        name=THUMB if value else COMMENT,
        time=0,
        data_type="BOOLEAN" if value else "TEXT",
        value=float(value) if value else None,
        string_value=None if value else text,
        comment=text or None if value else None,
        trace_id=trace,
        span_id=span or None,
        source="ANNOTATION",
        metadata={"by": visitor.name},
        protocol=PROTOCOL,
    )
    await services(request).ingest.take_pieces(project.id, PROTOCOL, b"", None, _said(score))
    return _back(request, trace, span)


@router.post("/feedback/delete")
async def take_back(
    request: Request,
    project: Editor,
    id: Annotated[str, Form()],
    trace: Annotated[str, Form()],
    span: Annotated[str, Form()] = "",
) -> Response:
    """Delete what was said on a page; what applications sent stays."""
    if not id.startswith(GIVEN):
        return PlainTextResponse("This score was not given on a page; delete it with DELETE /api/v1/scores.", 400)
    await services(request).ingest.take_pieces(project.id, PROTOCOL, b"", None, taken_back(id))
    return _back(request, trace, span)


def _said(score: Score) -> Decode[Pieces]:
    def decode(_body: bytes, now: int) -> Pieces:
        score.time, score.revision = now, patch_order(SAID, now)
        return Pieces(scores=[score])

    return decode


def _back(request: Request, trace: str, span: str) -> Response:
    """Lead to the pane that is exchanged, or to the whole page."""
    if "hx-request" in request.headers and span:
        return RedirectResponse(f"/traces/{quote(trace, safe='')}/spans/{quote(span, safe='')}", 303)
    return RedirectResponse(f"{addresses.trace(trace, span or None)}#feedback", 303)
