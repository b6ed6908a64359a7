"""What could not be taken, and why, `/api/v1/rejected`."""

from __future__ import annotations

import msgspec
from fastapi import APIRouter, Request, Response

from genscope.api.native import RANGE_PARAMETERS, Authorised, Cursor, Limit, Ranged
from genscope.api.openapi import documented
from genscope.api.shapes import Listing, iso, respond
from genscope.services import services
from genscope.store.rejections import Rejection

router = APIRouter(prefix="/api/v1", tags=["read"])


class RejectionShape(msgspec.Struct):
    """Something that was sent and not taken: `payload` is the beginning of it as it came, empty if it was not kept."""

    time: str | None
    protocol: str
    trace_id: str | None
    span_id: str | None
    name: str | None
    reason: str
    payload: str


@router.get("/rejected", responses=documented(Listing[RejectionShape]), openapi_extra=RANGE_PARAMETERS)
def list_rejected(
    request: Request,
    project: Authorised,
    filter: Ranged,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Response:
    """List what could not be taken in a time range, the latest first. It is kept for 30 days."""
    page = services(request).reader.rejections.page(project.id, filter, limit=limit, cursor=cursor or None)
    return respond(Listing([shape(one) for one in page.rows], page.next_cursor))


def shape(one: Rejection) -> RejectionShape:
    """Return a rejection as the API shows it."""
    return RejectionShape(
        time=iso(one.time),
        protocol=one.protocol,
        trace_id=one.trace_id or None,
        span_id=one.span_id or None,
        name=one.name or None,
        reason=one.reason,
        payload=one.payload,
    )
