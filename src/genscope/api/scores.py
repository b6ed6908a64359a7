"""What was said of traces, spans and sessions, `/api/v1/scores`."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response

from genscope.api.native import Authorised, Cursor, Limit, filter_parameters
from genscope.api.openapi import documented
from genscope.api.shapes import Listing, ScoreShape, respond, score_shape
from genscope.query.filter import SCORE_FIELDS, Filter, from_params
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
