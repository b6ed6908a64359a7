"""Scores, `/api/public/scores` of versions 1, 2 and 3."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from fastapi import APIRouter, Request, Response
from starlette.exceptions import HTTPException

from genscope.api.langfuse.parameters import (
    Asked,
    Paged,
    conditions,
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
    DEFAULT,
    NumberedPage,
    for_old_clients,
    said,
    score_shape,
    source,
    subject_span,
)
from genscope.api.native import Authorised
from genscope.api.openapi import documented
from genscope.api.shapes import iso, respond
from genscope.model import Score
from genscope.query.filter import Condition, Filter, FilterError, Operator
from genscope.services import services
from genscope.store.paging import Counted

router = APIRouter()

DATA_TYPES: Final = ("NUMERIC", "BOOLEAN", "CATEGORICAL", "TEXT", "CORRECTION")
SOURCES: Final = ("API", "EVAL", "ANNOTATION")
COLUMNS: Final[Mapping[str, Asked]] = {
    "id": Asked("id"),
    "name": Asked("name"),
    "timestamp": times("time"),
    "environment": Asked("environment_or_default"),
    "source": Asked("source_or_api"),
    "dataType": Asked("data_type"),
    "value": numbers("value"),
    "stringValue": Asked("string_value"),
    "comment": Asked("comment"),
    "configId": Asked("config_id"),
    "traceId": Asked("trace_id"),
    "sessionId": Asked("session_id"),
    "observationId": Asked("span_in_trace"),
    "userId": Asked("trace_user_id"),
    "traceTags": Asked("trace_tag", ("arrayOptions", "null")),
    "traceName": Asked("name_of_trace"),
    "metadata": Asked("metadata", ("stringObject", "numberObject", "categoryOptions")),
}
PARAMETERS: Final[Mapping[str, Operator]] = {
    "name": "any of",
    "environment": "any of",
    "source": "any of",
    "dataType": "any of",
    "configId": "any of",
    "traceId": "any of",
    "sessionId": "any of",
    "userId": "any of",
    "traceTags": "all of",
}
LEGAL: Final = {"source": SOURCES, "dataType": DATA_TYPES}
#: What Genscope knows nothing of, so that no score is about it.
NOTHING: Final = ("datasetRunId", "queueId", "authorUserId", "experimentId")
#: How `value` is compared where `operator` says so.
VALUE_OPERATORS: Final[Mapping[str, tuple[Operator, ...]]] = {
    "=": ("any of",),
    "<": ("<",),
    ">": (">",),
    "<=": ("<=",),
    ">=": (">=",),
    "!=": ("none of",),
}


@router.get("/scores", responses=documented(NumberedPage))
def list_scores_v1(request: Request, project: Authorised, paged: Paged) -> Response:
    """List what was said of traces and observations, for clients that know no scores of sessions, and no texts."""
    about_traces = Condition("trace_id", (), "is not null")
    found = _numbered(request, project.id, paged.offset, paged.limit, about_traces)
    return respond(
        NumberedPage(_with_traces(request, project.id, found.rows, for_old_clients), paged.meta(found.total))
    )


@router.get("/v2/scores", responses=documented(NumberedPage))
def list_scores_v2(request: Request, project: Authorised, paged: Paged) -> Response:
    """List scores, the latest first."""
    shown = groups(request, ("score", "trace"), ("score", "trace"))
    if "trace" not in shown and (request.query_params.get("userId") or request.query_params.get("traceTags")):
        raise FilterError("fields: userId and traceTags filter by the trace; name the group 'trace' too")
    found = _numbered(request, project.id, paged.offset, paged.limit)
    if "trace" in shown:
        rows = _with_traces(request, project.id, found.rows, lambda shape: shape)
    else:
        rows = [score_shape(score) for score in found.rows]
    return respond(NumberedPage(rows, paged.meta(found.total)))


@router.get("/scores/{score_id:path}", responses=documented(dict[str, Any]))
def get_score_v1(request: Request, project: Authorised, score_id: str) -> Response:
    """Return a score, for clients that know no texts."""
    return respond(for_old_clients(score_shape(_one(request, project.id, score_id))))


@router.get("/v2/scores/{score_id:path}", responses=documented(dict[str, Any]))
def get_score_v2(request: Request, project: Authorised, score_id: str) -> Response:
    """Return a score."""
    return respond(score_shape(_one(request, project.id, score_id)))


@router.get("/v3/scores", responses=documented(dict[str, Any]))
def list_scores_v3(request: Request, project: Authorised) -> Response:
    """List scores by cursor, the latest first, with a `value` of the type that `dataType` tells."""
    shown = groups(request, tuple(GROUPS), ())
    limit, cursor = number(request, "limit", 50, 100), request.query_params.get("cursor")
    page = services(request).reader.scores.page(project.id, _filter_v3(request), limit=limit, cursor=cursor or None)
    rows = []
    for score in page.rows:
        row = _core_v3(project.id, score)
        for group in GROUPS:
            if group in shown:
                row |= GROUPS[group](score)
        rows.append(row)
    meta = {"limit": limit, **({"cursor": page.next_cursor} if page.next_cursor else {})}
    return respond({"data": rows, "meta": meta})


def _numbered(request: Request, project_id: str, offset: int, limit: int, *more: Condition) -> Counted[Score]:
    plain = given(request, PARAMETERS, COLUMNS, LEGAL)
    for name, column in (("scoreIds", "id"), ("observationId", "observationId")):
        if ids := listed(request, name):
            plain[column] = [Condition(COLUMNS[column].field, tuple(ids))]
    plain["value"] = _compared(request)
    plain[""] = [*more, *_nothing(request)]
    filter = merged(
        moment(request, "fromTimestamp"),
        moment(request, "toTimestamp"),
        plain,
        conditions(request.query_params.get("filter"), COLUMNS),
    )
    return services(request).reader.scores.numbered(project_id, filter, offset=offset, limit=limit)


def _compared(request: Request) -> list[Condition]:
    text, operator = request.query_params.get("value"), request.query_params.get("operator") or "="
    if text is None:
        return []
    if operator not in VALUE_OPERATORS:
        raise FilterError(f"operator: {operator!r} is none of {', '.join(VALUE_OPERATORS)}")
    return [Condition("value", (_finite(text, "value"),), *VALUE_OPERATORS[operator])]


def _finite(text: str, name: str) -> str:
    try:
        if abs(float(text)) < float("inf"):
            return text
    except ValueError:
        pass
    raise FilterError(f"{name}: {text!r} is not a number")


def _nothing(request: Request) -> list[Condition]:
    """Return a condition that nothing meets, if what nothing is about is asked for."""
    return [Condition("id", ())] if any(request.query_params.get(name) for name in NOTHING) else []


def _with_traces(
    request: Request, project_id: str, scores: list[Score], shaped: Callable[[dict[str, Any]], dict[str, Any]]
) -> list[dict[str, Any]]:
    ids = list({score.trace_id for score in scores if score.trace_id})
    traces = services(request).reader.summaries_of(project_id, ids, preview=0)
    return [shaped(score_shape(score, traces.get(score.trace_id or ""), with_trace=True)) for score in scores]


def _one(request: Request, project_id: str, score_id: str) -> Score:
    score = services(request).reader.scores.one(project_id, score_id)
    if score is None:
        raise HTTPException(404, f"Score {score_id} not found within authorized project")
    return score


# --- version 3 --------------------------------------------------------------------------------------------------------

#: Parameters that separate several values by commas, and the columns that they are about.
LISTS: Final = ("id", "name", "source", "dataType", "environment", "configId", "traceId", "sessionId", "observationId")
#: Those of them whose values may be written in lower case.
UPPER: Final = ("source", "dataType")


def _filter_v3(request: Request) -> Filter:
    if request.query_params.get("observationId") and not request.query_params.get("traceId"):
        raise FilterError("observationId: name the traceId too, because observation ids are unique within a trace only")
    plain: dict[str, list[Condition]] = {"": _nothing(request)}
    for name in LISTS:
        values = [value.upper() if name in UPPER else value for value in listed(request, name)]
        for value in values:
            if name in LEGAL and value not in LEGAL[name]:
                raise FilterError(f"{name}: {value!r} is none of {', '.join(LEGAL[name])}")
        if values:
            plain[name] = [Condition(COLUMNS[name].field, tuple(values))]
    plain["value"] = _values_v3(request, [value.upper() for value in listed(request, "dataType")])
    return merged(moment(request, "fromTimestamp"), moment(request, "toTimestamp"), plain, {})


def _values_v3(request: Request, types: list[str]) -> list[Condition]:
    found = []
    bounds: tuple[tuple[str, Operator], ...] = (("valueMin", ">="), ("valueMax", "<="))
    for name, operator in bounds:
        if text := request.query_params.get(name):
            if types != ["NUMERIC"]:
                raise FilterError(f"{name}: it needs dataType=NUMERIC")
            found.append(Condition("value", (_finite(text, name),), operator))
    values = listed(request, "value")
    if not values:
        return found
    match types:
        case ["NUMERIC"]:
            found.append(Condition("value", tuple(_finite(value, "value") for value in values)))
        case ["BOOLEAN"] if all(value in ("true", "false") for value in values):
            found.append(Condition("value", tuple("1" if value == "true" else "0" for value in values)))
        case ["CATEGORICAL"]:
            found.append(Condition("string_value", tuple(values)))
        case _:
            raise FilterError("value: it needs one dataType of NUMERIC, BOOLEAN (true, false) and CATEGORICAL")
    return found


def _core_v3(project_id: str, score: Score) -> dict[str, Any]:
    value: Any = said(score)
    if score.data_type in ("NUMERIC", "BOOLEAN"):
        value = bool(score.value) if score.data_type == "BOOLEAN" else score.value or 0
    return {
        "id": score.id,
        "projectId": project_id,
        "name": score.name,
        "value": value,
        "dataType": score.data_type,
        "source": source(score),
        "timestamp": iso(score.time),
        "environment": score.environment or DEFAULT,
        "createdAt": iso(score.time),
        "updatedAt": iso(score.time),
    }


def _subject(score: Score) -> dict[str, Any] | None:
    if span_id := subject_span(score):
        return {"kind": "observation", "id": span_id, "traceId": score.trace_id}
    if score.trace_id:
        return {"kind": "trace", "id": score.trace_id}
    return {"kind": "session", "id": score.session_id} if score.session_id else None


#: Groups of fields beside the core.
GROUPS: Final[Mapping[str, Callable[[Score], dict[str, Any]]]] = {
    "details": lambda score: {"comment": score.comment, "configId": score.config_id, "metadata": score.metadata},
    "subject": lambda score: {"subject": _subject(score)},
    "annotation": lambda score: {"authorUserId": None, "queueId": None},
}
