"""Failures of one kind together, `/api/v1/errors`."""

from __future__ import annotations

from typing import Annotated, Final, Literal

import msgspec
from fastapi import APIRouter, Query, Request, Response
from starlette.exceptions import HTTPException

from genscope.api.native import FILTER_PARAMETERS, Authorised, Cursor, Filtered, Limit
from genscope.api.openapi import documented
from genscope.api.shapes import Listing, iso, respond
from genscope.services import services
from genscope.store.failures import FailureGroup, First
from genscope.store.ranges import Range

router = APIRouter(prefix="/api/v1", tags=["read"])

#: Parts that the trend of a group has.
PARTS: Final = 24
Sort = Annotated[
    Literal["last", "first", "count", "users"],
    Query(description="Latest failure, latest first failure, most failures or most users first."),
]


class FailureShape(msgspec.Struct):
    """Failures of one kind within a range of time. `message`, from the latest of them, is null where none was told."""

    fingerprint: str
    count: int
    first_time: str | None
    last_time: str | None
    type: str
    name: str | None
    exception: str | None
    message: str | None
    models: list[str]
    releases: list[str]
    user_count: int
    trace_count: int
    #: How many came in each of equal parts of the range, the earliest first.
    trend: list[int]


class FirstShape(msgspec.Struct):
    """The first failure of a kind ever."""

    time: str | None
    release: str | None
    count: int


class ShareShape(msgspec.Struct):
    """How many failures came with a value."""

    value: str
    count: int


class FailureDetailShape(msgspec.Struct):
    """Failures of one kind, what they came with by field, and the first of them ever."""

    error: FailureShape
    shares: dict[str, list[ShareShape]]
    first: FirstShape
    #: Where each part of the trend begins.
    begins: list[str | None]


@router.get("/errors", responses=documented(Listing[FailureShape]), openapi_extra=FILTER_PARAMETERS)
def list_errors(
    request: Request,
    project: Authorised,
    filter: Filtered,
    sort: Sort = "last",
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Response:
    """List the failures that meet the filter (spans of level ERROR), those of one kind together.

    One kind are those of one place (type and name of the span, type of the exception) whose messages differ in no more than
    numbers, ids, quotations, times and paths. To the fingerprint belongs the field `error` of the filter language.
    """
    failures = services(request).reader.failures
    shown = failures.range(project.id, filter, PARTS)
    page = failures.groups(project.id, filter, shown, order=sort, limit=limit, cursor=cursor or None)
    return respond(Listing([failure_shape(group) for group in page.rows], page.next_cursor))


@router.get("/errors/{fingerprint}", responses=documented(FailureDetailShape), openapi_extra=FILTER_PARAMETERS)
def get_error(request: Request, project: Authorised, filter: Filtered, fingerprint: str) -> Response:
    """Return failures of one kind that meet the filter; 404 if none does."""
    failures = services(request).reader.failures
    shown = failures.range(project.id, filter, PARTS)
    group = failures.one(project.id, fingerprint, filter, shown)
    if group is None:
        raise HTTPException(404, f"no failure {fingerprint!r} in this time range in project {project.id!r}")
    shares = failures.shares(project.id, group, filter)
    return respond(detail_shape(group, shares, failures.first(project.id, group), shown))


def failure_shape(group: FailureGroup) -> FailureShape:
    """Return failures of one kind as the API shows them."""
    return FailureShape(
        fingerprint=group.fingerprint,
        count=group.count,
        first_time=iso(group.first_time),
        last_time=iso(group.last_time),
        type=group.type,
        name=group.name,
        exception=group.exception or None,
        message=group.message or None,
        models=group.models,
        releases=group.releases,
        user_count=group.user_count,
        trace_count=group.trace_count,
        trend=group.trend,
    )


def detail_shape(
    group: FailureGroup, shares: dict[str, list[tuple[str, int]]], first: First, shown: Range
) -> FailureDetailShape:
    """Return failures of one kind with all that is told of them."""
    return FailureDetailShape(
        failure_shape(group),
        {name: [ShareShape(value, count) for value, count in found] for name, found in shares.items()},
        FirstShape(iso(first.time), first.release, first.count),
        [iso(begin) for begin in shown.begins],
    )
