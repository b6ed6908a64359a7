"""Observations, `/api/public/observations` and `/api/public/v2/observations`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from fastapi import APIRouter, Request, Response
from starlette.exceptions import HTTPException

from genscope.api.langfuse.parameters import (
    Asked,
    CursorMeta,
    Paged,
    conditions,
    flag,
    given,
    groups,
    listed,
    merged,
    moment,
    number,
    numbers,
    times,
)
from genscope.api.langfuse.shapes import (
    GROUPS,
    OF_TRACE,
    CursorPage,
    LangfuseObservation,
    NumberedPage,
    observation_shape,
    observation_v2_shape,
)
from genscope.api.native import Authorised
from genscope.api.openapi import documented
from genscope.api.shapes import respond
from genscope.model import LEVELS, SPAN_TYPES
from genscope.query.filter import Condition, Filter, FilterError, Operator
from genscope.services import services
from genscope.store.paging import MAX_LIMIT

router = APIRouter()

COLUMNS: Final[Mapping[str, Asked]] = {
    "id": Asked("span_id"),
    "type": Asked("observation_type"),
    "name": Asked("name"),
    "traceId": Asked("trace_id"),
    "startTime": times("start_time"),
    "endTime": times("end_time"),
    "environment": Asked("environment_or_default"),
    "level": Asked("level_or_default"),
    "statusMessage": Asked("status_message"),
    "version": Asked("version"),
    "release": Asked("release"),
    "userId": Asked("user_id"),
    "sessionId": Asked("session_id"),
    "parentObservationId": Asked("parent_or_trace"),
    "isRootObservation": flag("is_root_observation"),
    "traceName": Asked("name_of_trace"),
    "traceTags": Asked("trace_tag", ("arrayOptions", "null")),
    "tags": Asked("trace_tag", ("arrayOptions", "null")),
    "latency": numbers("latency"),
    "timeToFirstToken": numbers("time_to_first_token"),
    "tokensPerSecond": numbers("tokens_per_second"),
    "inputTokens": numbers("input_tokens"),
    "outputTokens": numbers("output_tokens"),
    "totalTokens": numbers("total_tokens"),
    "tokens": numbers("total_tokens"),
    "inputCost": numbers("input_cost"),
    "outputCost": numbers("output_cost"),
    "totalCost": numbers("total_cost"),
    "model": Asked("model"),
    "providedModelName": Asked("model"),
    "promptName": Asked("prompt_name"),
    "promptVersion": numbers("prompt_version_number"),
    "input": Asked("input"),
    "output": Asked("output"),
    "metadata": Asked("metadata", ("stringObject", "numberObject", "categoryOptions")),
}
PARAMETERS: Final[Mapping[str, Operator]] = {
    "name": "any of",
    "userId": "any of",
    "sessionId": "any of",
    "type": "any of",
    "traceId": "any of",
    "level": "any of",
    "parentObservationId": "any of",
    "isRootObservation": "any of",
    "environment": "any of",
    "version": "any of",
}
LEGAL: Final = {
    "type": tuple(type_.upper() for type_ in SPAN_TYPES),
    "level": LEVELS,
    "isRootObservation": ("true", "false"),
}
#: A trace that its sender told as a thing of its own is no observation.
OBSERVATIONS: Final = Condition("is_trace", ("false",))


@router.get("/observations", responses=documented(NumberedPage))
def list_observations(request: Request, project: Authorised, paged: Paged) -> Response:
    """List observations, the latest to start first."""
    reader, filter = services(request).reader, _filter(request)
    page = reader.spans(project.id, filter, offset=paged.offset, limit=paged.limit, full=True)
    rows = [observation_shape(project.id, span) for span in page.rows]
    return respond(NumberedPage(rows, paged.meta(reader.count_spans(project.id, filter))))


@router.get("/observations/{observation_id:path}", responses=documented(LangfuseObservation))
def get_observation(request: Request, project: Authorised, observation_id: str) -> Response:
    """Return an observation; of several of this id the latest to start."""
    one = Filter(conditions=(Condition("span_id", (observation_id,)), OBSERVATIONS))
    found = services(request).reader.spans(project.id, one, limit=1, full=True).rows
    if not found:
        raise HTTPException(404, f"Observation {observation_id} not found within authorized project")
    return respond(observation_shape(project.id, found[0]))


@router.get("/v2/observations", responses=documented(CursorPage))
def list_observations_v2(request: Request, project: Authorised) -> Response:
    """List observations by cursor, the latest to start first, with the groups of fields that `fields` names."""
    if request.query_params.get("parseIoAsJson") == "true":
        raise FilterError("parseIoAsJson: inputs and outputs come as they were sent; leave it out")
    reader, filter = services(request).reader, _filter(request)
    chosen = groups(request, tuple(GROUPS), ("core", "basic")) | {"core"}
    limit, cursor = number(request, "limit", 50, MAX_LIMIT), request.query_params.get("cursor")
    page = reader.spans(project.id, filter, limit=limit, cursor=cursor or None, full=True)
    ids = list({span.trace_id for span in page.rows}) if chosen & OF_TRACE else []
    traces = reader.summaries_of(project.id, ids, preview=0)
    expanded = frozenset(listed(request, "expandMetadata"))
    shown = [name for name in GROUPS if name in chosen]
    rows = [observation_v2_shape(project.id, span, traces.get(span.trace_id), shown, expanded) for span in page.rows]
    return respond(CursorPage(rows, CursorMeta(page.next_cursor)))


def _filter(request: Request) -> Filter:
    plain = given(request, PARAMETERS, COLUMNS, LEGAL)
    if request.query_params.get("parentObservationId") == "":
        plain["parentObservationId"] = [Condition("parent_or_trace", (), "is null")]
    plain[""] = [OBSERVATIONS]
    return merged(
        moment(request, "fromStartTime"),
        moment(request, "toStartTime"),
        plain,
        conditions(request.query_params.get("filter"), COLUMNS),
    )
