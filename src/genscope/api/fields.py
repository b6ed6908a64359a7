"""What a filter may name, `/api/v1/fields`: the fields, their values, and what may come next while one types."""

from __future__ import annotations

from typing import Annotated, Final

import msgspec
from fastapi import APIRouter, Query, Request, Response
from starlette.exceptions import HTTPException

from genscope.api.native import FILTER_PARAMETERS, Authorised, Filtered, Ranged
from genscope.api.openapi import documented
from genscope.api.shapes import Listing, respond
from genscope.query.completion import complete
from genscope.query.fields import BY_NAME, TABLE, Field
from genscope.query.filter import Filter
from genscope.services import services
from genscope.store.reader import Reader

router = APIRouter(prefix="/api/v1", tags=["read"])

#: Values of these kinds are counted; those of the others are as many as there are spans.
COUNTED: Final = frozenset({"text", "list", "score"})


class FieldShape(msgspec.Struct):
    """A field of the filter language. `parameter` is its name as a parameter of a query string, where it may be one."""

    name: str
    kind: str
    description: str
    values: list[str]
    keyed: bool
    parameter: str | None


class ValueShape(msgspec.Struct):
    """A value, and how many of the latest spans have it."""

    value: str
    count: int


class SuggestionShape(msgspec.Struct):
    """A text that may replace what stands between two places of a filter."""

    text: str
    start: int
    end: int
    description: str
    count: int | None


@router.get("/fields", responses=documented(Listing[FieldShape]))
def list_fields(project: Authorised) -> Response:
    """List what a filter may name."""
    return respond(Listing([_shape(field) for field in TABLE]))


@router.get("/fields/{name}/values", responses=documented(Listing[ValueShape]), openapi_extra=FILTER_PARAMETERS)
def list_values(
    request: Request,
    project: Authorised,
    filter: Filtered,
    name: str,
    prefix: Annotated[str, Query(description="What the values begin with, whatever its case.")] = "",
    limit: Annotated[int, Query(ge=1, le=1000)] = 20,
) -> Response:
    """List the values of a field, such as `model` or `metadata.plan`, the most frequent among the latest spans first.

    Of a field with keys, such as `metadata`, its keys.
    """
    short, _, key = name.partition(".")
    field = BY_NAME.get(short)
    if field is None or (key and not field.keyed):
        raise HTTPException(404, f"no field {name!r}: GET /api/v1/fields lists them")
    if field.kind not in COUNTED and (key or not field.keyed):
        raise HTTPException(400, f"the values of {name} are not listed: there may be as many as spans")
    found = services(request).reader.field_values.most_frequent(
        project.id, filter, field, key, prefix=prefix, limit=limit
    )
    return respond(Listing([ValueShape(*one) for one in found]))


@router.get("/complete", responses=documented(Listing[SuggestionShape]))
def list_suggestions(
    request: Request,
    project: Authorised,
    range_: Ranged,
    text: Annotated[str, Query(description="A filter as far as it is typed.")] = "",
    position: Annotated[int | None, Query(ge=0, description="Where the cursor is; default: at the end.")] = None,
) -> Response:
    """Return what may stand at a place of a filter instead of what was begun there."""
    reader = services(request).reader
    return respond(Listing(suggestions(reader, project.id, range_, text, len(text) if position is None else position)))


def suggestions(reader: Reader, project_id: str, range_: Filter, text: str, position: int) -> list[SuggestionShape]:
    """Return what may stand at a place of a filter, with the values that spans of a range of time have."""

    def values(field: Field, key: str, prefix: str) -> list[tuple[str, int | None]]:
        return list(reader.field_values.most_frequent(project_id, range_, field, key, prefix=prefix))

    found = complete(text, position, values)
    return [SuggestionShape(one.text, one.start, one.end, one.description, one.count) for one in found]


def _shape(field: Field) -> FieldShape:
    plain = field.kind in ("text", "list") and not field.keyed
    return FieldShape(
        field.name, field.kind, field.description, list(field.values), field.keyed, field.asked if plain else None
    )
