"""Users and what they come to, `/api/v1/users`."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from fastapi import APIRouter, Query, Request, Response
from starlette.exceptions import HTTPException

from genscope.api.native import FILTER_PARAMETERS, RANGE_PARAMETERS, Authorised, Cursor, Filtered, Limit, Ranged
from genscope.api.openapi import documented
from genscope.api.shapes import Listing, iso, plain, respond
from genscope.services import services
from genscope.store.users import UserSummary

router = APIRouter(prefix="/api/v1", tags=["read"])

Sort = Annotated[
    Literal["last", "cost", "traces", "generations", "sessions", "errors"],
    Query(description="Who was seen last, or has the most of it, comes first."),
]


class UserShape(msgspec.Struct):
    """A user: the traces of which a span names them as `user_id`, within a range of time."""

    id: str
    first_time: str | None
    last_time: str | None
    trace_count: int
    session_count: int
    generation_count: int
    error_count: int
    call_count: int
    unpriced_count: int
    input_tokens: int | None
    output_tokens: int | None
    total_cost: str | None


@router.get("/users", responses=documented(Listing[UserShape]), openapi_extra=FILTER_PARAMETERS)
def list_users(
    request: Request,
    project: Authorised,
    filter: Filtered,
    sort: Sort = "last",
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Response:
    """List the users of traces in a time range that have a span there which meets the filter."""
    page = services(request).reader.users.page(project.id, filter, order=sort, limit=limit, cursor=cursor or None)
    return respond(Listing([user_shape(user) for user in page.rows], page.next_cursor))


@router.get("/users/{user_id:path}", responses=documented(UserShape), openapi_extra=RANGE_PARAMETERS)
def get_user(request: Request, project: Authorised, filter: Ranged, user_id: str) -> Response:
    """Return what a user comes to in a time range; 404 if there is nothing."""
    user = services(request).reader.users.one(project.id, user_id, filter)
    if user is None:
        raise HTTPException(404, f"no trace of user {user_id!r} in this time range in project {project.id!r}")
    return respond(user_shape(user))


def user_shape(user: UserSummary) -> UserShape:
    """Return a user as the API shows them."""
    return UserShape(
        id=user.id,
        first_time=iso(user.first_time),
        last_time=iso(user.last_time),
        trace_count=user.trace_count,
        session_count=user.session_count,
        generation_count=user.generation_count,
        error_count=user.error_count,
        call_count=user.paid_count,
        unpriced_count=user.unpriced_count,
        input_tokens=user.input_tokens,
        output_tokens=user.output_tokens,
        total_cost=None if user.total_cost is None else plain(user.total_cost),
    )
