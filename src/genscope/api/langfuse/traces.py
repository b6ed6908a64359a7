"""Traces, `/api/public/traces`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

import msgspec
from fastapi import APIRouter, Request, Response
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException

from genscope.api.langfuse.parameters import (
    Asked,
    Paged,
    conditions,
    given,
    groups,
    merged,
    moment,
    numbers,
    times,
)
from genscope.api.langfuse.shapes import (
    Deleted,
    LangfuseTrace,
    NumberedPage,
    for_old_clients,
    observation_shape,
    score_shape,
    trace_shape,
)
from genscope.api.native import Authorised
from genscope.api.openapi import accepted, documented
from genscope.api.shapes import respond
from genscope.model import TRACE, Entity, Score
from genscope.query.filter import FilterError, Operator
from genscope.receive.body import read_body
from genscope.receive.errors import BadRequest
from genscope.services import services
from genscope.store.previews import WHOLE

router = APIRouter()

GROUPS: Final = ("core", "io", "scores", "observations", "metrics")
COLUMNS: Final[Mapping[str, Asked]] = {
    "id": Asked("trace_id"),
    "name": Asked("name"),
    "timestamp": times("start_time"),
    "userId": Asked("user_id"),
    "sessionId": Asked("session_id"),
    "environment": Asked("environment_or_default"),
    "version": Asked("version"),
    "release": Asked("release"),
    "tags": Asked("trace_tag", ("arrayOptions", "null")),
    "metadata": Asked("trace_metadata", ("stringObject", "numberObject", "categoryOptions")),
    "latency": numbers("latency"),
    "inputTokens": numbers("input_tokens"),
    "outputTokens": numbers("output_tokens"),
    "totalTokens": numbers("total_tokens"),
    "tokens": numbers("total_tokens"),
    "totalCost": numbers("total_cost"),
    "errorCount": numbers("error_count"),
}
PARAMETERS: Final[Mapping[str, Operator]] = {
    "userId": "any of",
    "name": "any of",
    "sessionId": "any of",
    "version": "any of",
    "release": "any of",
    "environment": "any of",
    "tags": "all of",
}
#: What a list may be ordered by.
ORDERS: Final[Mapping[str, str]] = {
    "timestamp": "start_time",
    "id": "trace_id",
    "name": "name",
    "userId": "user_id",
    "sessionId": "session_id",
    "release": "release",
    "version": "version",
}
#: Bytes of a list of ids to delete.
MOST_BYTES: Final = 1 << 20


class TraceIds(msgspec.Struct, rename="camel"):
    """Traces to delete."""

    trace_ids: list[str]


@router.get("/traces", responses=documented(NumberedPage))
def list_traces(request: Request, project: Authorised, paged: Paged) -> Response:
    """List traces, the latest first unless `orderBy` says otherwise."""
    reader = services(request).reader
    shown = groups(request, GROUPS, GROUPS)
    order, direction = _order(request.query_params.get("orderBy") or "timestamp.desc")
    filter = merged(
        moment(request, "fromTimestamp"),
        moment(request, "toTimestamp"),
        given(request, PARAMETERS, COLUMNS, {}),
        conditions(request.query_params.get("filter"), COLUMNS),
    )
    preview = WHOLE if "io" in shown else 0
    found = reader.numbered_traces(
        project.id, filter, order=order, direction=direction, offset=paged.offset, limit=paged.limit, preview=preview
    )
    ids = [trace.trace_id for trace in found.rows]
    members = reader.members(project.id, ids)
    scores: dict[str, list[str]] = {}
    for score in reader.scores.of_traces(project.id, ids) if "scores" in shown else ():
        scores.setdefault(score.trace_id or "", []).append(score.id)
    rows = [
        trace_shape(
            project.id,
            trace,
            members.get(trace.trace_id),
            members[trace.trace_id].span_ids if "observations" in shown and trace.trace_id in members else (),
            scores.get(trace.trace_id, ()),
        )
        for trace in found.rows
    ]
    return respond(NumberedPage([_only(row, shown, request) for row in rows], paged.meta(found.total)))


@router.get("/traces/{trace_id:path}", responses=documented(LangfuseTrace))
def get_trace(request: Request, project: Authorised, trace_id: str) -> Response:
    """Return a trace with all its observations and scores."""
    reader = services(request).reader
    shown = groups(request, GROUPS, GROUPS)
    trace = reader.summaries_of(project.id, [trace_id], preview=WHOLE).get(trace_id)
    if trace is None:
        raise HTTPException(404, f"Trace {trace_id} not found within authorized project")
    spans = reader.trace(project.id, trace_id) if "observations" in shown else []
    observations = [
        observation_shape(project.id, span) for span in spans if span.span_id != Entity(TRACE, trace_id).span_id
    ]
    scores = reader.scores.of_traces(project.id, [trace_id]) if "scores" in shown else []
    members = reader.members(project.id, [trace_id]).get(trace_id)
    row = trace_shape(project.id, trace, members, observations, _scores(scores, request))
    return respond(_only(row, shown, request))


@router.delete("/traces/{trace_id:path}", responses=documented(Deleted))
def delete_trace(request: Request, project: Authorised, trace_id: str) -> Response:
    """Delete a trace for good; it is gone when this answers."""
    services(request).deletes.traces(project.id, [trace_id])
    return respond(Deleted("Trace deleted successfully"))


@router.delete("/traces", responses=documented(Deleted), openapi_extra=accepted(TraceIds))
async def delete_traces(request: Request, project: Authorised) -> Response:
    """Delete several traces for good; they are gone when this answers."""
    body = await read_body(request.stream(), MOST_BYTES)
    try:
        ids = msgspec.json.decode(body, type=TraceIds).trace_ids
    except (msgspec.MsgspecError, UnicodeError) as problem:
        raise BadRequest(f'{problem}; expected {{"traceIds": [...]}}') from None
    await run_in_threadpool(services(request).deletes.traces, project.id, ids)
    return respond(Deleted("Traces deleted successfully"))


def _order(text: str) -> tuple[str, str]:
    field, _, direction = text.rpartition(".")
    if field not in ORDERS or direction.lower() not in ("asc", "desc"):
        raise FilterError(f"orderBy: {text!r} is not [field].[asc/desc] with one of the fields {', '.join(ORDERS)}")
    return ORDERS[field], direction.upper()


def _scores(scores: list[Score], request: Request) -> list[dict[str, Any]]:
    # No client knows corrections as scores of a trace; it reads them as texts.
    known = [replace(score, data_type="TEXT") if score.data_type == "CORRECTION" else score for score in scores]
    shapes = [score_shape(score) for score in known]
    return [for_old_clients(shape) for shape in shapes] if _is_old(request) else shapes


def _only(row: LangfuseTrace, shown: frozenset[str], request: Request) -> LangfuseTrace:
    """Return a trace as Langfuse answers where not all groups of fields are asked for."""
    if "io" not in shown:
        row.input = row.output = None
        row.metadata = {}
    if "metrics" not in shown:
        row.total_cost = row.latency = -1
    elif _is_old(request):
        row.total_cost, row.latency = row.total_cost or 0, row.latency or 0
    return row


def _is_old(request: Request) -> bool:
    """Return whether a client before version 3 asks, to which a cost, or how long it took, is always known."""
    return request.headers.get("x-langfuse-sdk-version", "").startswith("2.")
