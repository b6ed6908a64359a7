"""What a project sets about its own data: `/api/v1/retention` and `/api/v1/redaction`."""

from __future__ import annotations

from typing import Final

import msgspec
from fastapi import APIRouter, Request, Response
from starlette.concurrency import run_in_threadpool

from genscope.api.access import Program
from genscope.api.body import json_body
from genscope.api.openapi import accepted, documented
from genscope.api.shapes import iso, respond
from genscope.receive.errors import BadRequest
from genscope.redaction import Policy
from genscope.services import services

router = APIRouter(prefix="/api/v1", tags=["settings"])

#: Characters of a text that a policy is tried on.
LONGEST_SAMPLE: Final = 20_000


class RetentionBody(msgspec.Struct, forbid_unknown_fields=True):
    """For how many days traces are kept after their last span; null: for ever."""

    days: int | None


class RetentionShape(msgspec.Struct):
    """For how many days traces are kept, null: for ever; how many are older, and when the oldest of these began."""

    days: int | None
    expired_traces: int
    oldest: str | None


class PreviewBody(msgspec.Struct, forbid_unknown_fields=True):
    """A policy to try, and the text to try it on."""

    policy: Policy
    sample: str


class PreviewShape(msgspec.Struct):
    """The sample as it would be stored."""

    stored: str


@router.get("/retention", responses=documented(RetentionShape))
def get_retention(request: Request, program: Program) -> Response:
    """Tell for how long traces are kept, and what is too old already and about to be deleted."""
    retention, project_id = services(request).retention, program.project.id
    days = retention.days(project_id)
    expired = None if days is None else retention.expired(project_id, days)
    return respond(RetentionShape(days, expired.traces if expired else 0, iso(expired.oldest) if expired else None))


@router.put("/retention", responses=documented(RetentionShape), openapi_extra=accepted(RetentionBody))
async def set_retention(request: Request, program: Program) -> Response:
    """Set for how long traces are kept. What is older is deleted at once, and then every hour: spans, scores, files."""
    body = await json_body(request, RetentionBody, "retention")
    try:
        await run_in_threadpool(services(request).retention.set, program.project.id, body.days)
    except ValueError as problem:
        raise BadRequest(str(problem)) from None
    program.audit("set retention to %s days", body.days)
    return await run_in_threadpool(get_retention, request, program)


@router.get("/redaction", responses=documented(Policy))
def get_redaction(request: Request, program: Program) -> Response:
    """Tell what is masked before it is stored."""
    return respond(services(request).redactions.policy(program.project.id))


@router.put("/redaction", responses=documented(Policy), openapi_extra=accepted(Policy))
async def set_redaction(request: Request, program: Program) -> Response:
    """Set what is masked before it is stored. It holds for what comes from now on; what is stored stays as it is."""
    policy = await json_body(request, Policy, "redaction")
    try:
        await run_in_threadpool(services(request).redactions.set, program.project.id, policy)
    except ValueError as problem:
        raise BadRequest(str(problem)) from None
    program.audit("set redaction to %s", msgspec.json.encode(policy).decode())
    return respond(policy)


@router.post("/redaction/preview", responses=documented(PreviewShape), openapi_extra=accepted(PreviewBody))
async def preview_redaction(request: Request, program: Program) -> Response:
    """Return a text as a policy would have it stored; nothing is changed."""
    body = await json_body(request, PreviewBody, "preview")
    try:
        preview = services(request).redactions.preview
        stored = await run_in_threadpool(preview, program.project.id, body.policy, body.sample[:LONGEST_SAMPLE])
    except ValueError as problem:
        raise BadRequest(str(problem)) from None
    return respond(PreviewShape(stored))
