"""The native read API, `/api/v1`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Depends, Query, Request, Response
from starlette.exceptions import HTTPException

from genscope.api.openapi import Problem, documented
from genscope.api.shapes import (
    Listing,
    ModelShape,
    SpanShape,
    TraceShape,
    TraceWithSpans,
    attachment_shape,
    by_subject,
    model_shape,
    respond,
    span_shape,
    trace_shape,
)
from genscope.model import Score, Span
from genscope.query.filter import FIELDS, QUERY, Filter, from_params
from genscope.query.language import MAX_LENGTH
from genscope.services import project_of, public_url, services
from genscope.store import orders
from genscope.store.catalog import Project

router = APIRouter(prefix="/api/v1", tags=["read"])


async def _project(request: Request) -> Project:
    return project_of(request)


def _filter(request: Request) -> Filter:
    return from_params(request.query_params.multi_items())


def _range(request: Request) -> Filter:
    return from_params(request.query_params.multi_items(), {})


Authorised = Annotated[Project, Depends(_project)]
Filtered = Annotated[Filter, Depends(_filter)]
#: A range of time alone.
Ranged = Annotated[Filter, Depends(_range)]
Limit = Annotated[int, Query(ge=1, le=1000, description="Rows of a page.")]
Cursor = Annotated[str | None, Query(description="`next_cursor` of the page before.")]
Full = Annotated[
    Literal["", "0", "1"], Query(description="`1`: whole input, output and attributes instead of previews.")
]
Messages = Annotated[
    Literal["", "0", "1"],
    Query(description="`1`: whole spans, and beside `input` and `output` what they say as normalised messages."),
]
By = Annotated[
    Literal["", "name", "prompt", "environment", "release"],
    Query(description="A row for each value of this as well; `by` of the row tells it."),
]
Sort = Annotated[
    str,
    Query(description=f"What to sort by, a minus before it for the largest first: {', '.join(orders.OF_SPANS)}."),
]
TraceSort = Annotated[
    str,
    Query(description=f"What to sort by, a minus before it for the largest first: {', '.join(orders.OF_TRACES)}."),
]


def filter_parameters(fields: Mapping[str, tuple[str, ...] | None]) -> dict[str, Any]:
    """Return what the OpenAPI document says of `from`, `to` and equality conditions, which `from_params` reads."""
    asked = [
        {
            "name": QUERY,
            "in": "query",
            "required": False,
            "description": 'A filter, such as `model:gpt-4o level:ERROR cost>0.01 "refund policy"`; see docs/filters.md.',
            "schema": {"type": "string", "maxLength": MAX_LENGTH},
        }
    ]
    times: list[dict[str, Any]] = [
        {
            "name": name,
            "in": "query",
            "required": False,
            "description": "ISO 8601 time, or an age such as 15m, 24h, 7d.",
            "schema": {"type": "string"},
        }
        for name in ("from", "to")
    ]
    equalities = [
        {
            "name": name,
            "in": "query",
            "required": False,
            "description": "Equal to any of the values given.",
            "schema": {"type": "array", "items": {"enum": legal} if legal else {"type": "string"}},
        }
        for name, legal in fields.items()
    ]
    return {"parameters": (asked if fields is FIELDS else []) + times + equalities}


FILTER_PARAMETERS: Final = filter_parameters(FIELDS)
RANGE_PARAMETERS: Final = filter_parameters({})
#: What the document says of a route that answers with nothing.
DELETED: Final[dict[int | str, dict[str, Any]]] = {204: {"description": "Deleted"}, "4XX": documented(Problem)["4XX"]}


def show(
    request: Request,
    project: Project,
    spans: Sequence[Span],
    scores: Mapping[tuple[str, str], Sequence[Score]],
    *,
    preview: bool = False,
    messages: bool = False,
) -> list[SpanShape]:
    """Return spans as the API shows them, with what was said of them and what is attached to them."""
    served, base = services(request), public_url(request)
    attached = served.attachments.of_spans(project.id, spans)
    shown = []
    for span in spans:
        key = span.trace_id, span.span_id
        files = [attachment_shape(one, served.links.address(project.id, one, base)) for one in attached.get(key, ())]
        shown.append(span_shape(span, scores[key], files, preview=preview, messages=messages))
    return shown


@router.get("/spans", responses=documented(Listing[SpanShape]), openapi_extra=FILTER_PARAMETERS)
def list_spans(
    request: Request,
    project: Authorised,
    filter: Filtered,
    sort: Sort = "-start_time",
    limit: Limit = 50,
    cursor: Cursor = None,
    full: Full = "",
    messages: Messages = "",
) -> Response:
    """List spans that start in a time range and meet every condition."""
    said = messages == "1"
    whole = said or full == "1"
    reader = services(request).reader
    page = reader.spans(project.id, filter, sort=sort, limit=limit, cursor=cursor or None, full=whole)
    scores = by_subject(reader.scores.of_traces(project.id, list({span.trace_id for span in page.rows})))
    shown = show(request, project, page.rows, scores, preview=not whole, messages=said)
    return respond(Listing(shown, page.next_cursor))


@router.get("/generations", responses=documented(Listing[SpanShape]), openapi_extra=FILTER_PARAMETERS)
def list_generations(
    request: Request,
    project: Authorised,
    filter: Filtered,
    sort: Sort = "-start_time",
    limit: Limit = 50,
    cursor: Cursor = None,
    full: Full = "",
    messages: Messages = "",
) -> Response:
    """List generations: spans of type `generation`, one LLM call each."""
    return list_spans(request, project, filter.where("type", "generation"), sort, limit, cursor, full, messages)


@router.get("/traces", responses=documented(Listing[TraceShape]), openapi_extra=FILTER_PARAMETERS)
def list_traces(
    request: Request,
    project: Authorised,
    filter: Filtered,
    sort: TraceSort = "-start_time",
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Response:
    """List traces that begin in a time range and have a span there that meets every condition."""
    reader = services(request).reader
    page = reader.traces(project.id, filter, sort=sort, limit=limit, cursor=cursor or None)
    scores = by_subject(reader.scores.of_traces(project.id, [trace.trace_id for trace in page.rows]))
    return respond(Listing([trace_shape(trace, scores[trace.trace_id, ""]) for trace in page.rows], page.next_cursor))


@router.get("/traces/{trace_id:path}", responses=documented(TraceWithSpans))
def get_trace(request: Request, project: Authorised, trace_id: str, messages: Messages = "") -> Response:
    """Return a trace and all its spans in the order of their start."""
    served = services(request)
    reader = served.reader
    summary = reader.trace_summary(project.id, trace_id)
    if summary is None:
        raise HTTPException(404, f"no trace {trace_id!r} in project {project.id!r}")
    spans = reader.trace(project.id, trace_id)
    scores = by_subject(reader.scores.of_traces(project.id, [trace_id]))
    shown = show(request, project, spans, scores, messages=messages == "1")
    return respond(TraceWithSpans(trace_shape(summary, scores[trace_id, ""]), shown))


@router.delete("/traces/{trace_id:path}", status_code=204, responses=DELETED)
def delete_trace(request: Request, project: Authorised, trace_id: str) -> Response:
    """Delete a trace for good, with its spans, what was said of them, and what was attached."""
    served = services(request)
    if served.reader.trace_summary(project.id, trace_id) is None:
        raise HTTPException(404, f"no trace {trace_id!r} in project {project.id!r}")
    served.deletes.traces(project.id, [trace_id])
    return Response(status_code=204)


@router.get("/models", responses=documented(Listing[ModelShape]), openapi_extra=FILTER_PARAMETERS)
def list_models(request: Request, project: Authorised, filter: Filtered, by: By = "") -> Response:
    """Compare models: one row per provider and model of the generations and embeddings that meet the filter."""
    models = services(request).reader.models.compared(project.id, filter, by=by)
    return respond(Listing([model_shape(model) for model in models]))
