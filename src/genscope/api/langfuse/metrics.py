"""Figures, `/api/public/metrics`, `/api/public/v2/metrics` and `/api/public/metrics/daily`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import Any, Final, Literal

import msgspec
from fastapi import APIRouter, Request, Response

from genscope.api.langfuse import observations, scores, traces
from genscope.api.langfuse.parameters import (
    Asked,
    Asking,
    Numbered,
    Paged,
    asked_conditions,
    given,
    merged,
    moment,
    several,
)
from genscope.api.langfuse.shapes import NumberedPage
from genscope.api.native import Authorised
from genscope.api.openapi import documented
from genscope.api.shapes import respond
from genscope.query.filter import FilterError, parse_time
from genscope.services import services
from genscope.store.metrics import AGGREGATIONS, GRANULARITIES, VIEWS, Figures, automatic

router = APIRouter()

#: Columns to filter by, by what a view consists of.
COLUMNS: Final[Mapping[str, Mapping[str, Asked]]] = {
    "observations": observations.COLUMNS,
    "traces": traces.COLUMNS,
    "scores": scores.COLUMNS,
}
MOST_ROWS: Final = 1000
#: Rows of version 1 without a limit of its own, which has none in Langfuse.
ALL_ROWS: Final = 100_000
MOST_BINS: Final = 100


class Metric(msgspec.Struct):
    """One figure."""

    measure: str
    aggregation: str


class Dimension(msgspec.Struct):
    """What to tell apart."""

    field: str


class TimeDimension(msgspec.Struct):
    """How long the spans of time are that are told apart."""

    granularity: str


class Order(msgspec.Struct):
    """A column of the answer to order by."""

    field: str
    direction: Literal["asc", "desc", "ASC", "DESC"] = "desc"


class Config(msgspec.Struct):
    """The size of the answer."""

    bins: int = 10
    row_limit: int | None = None


class Query(msgspec.Struct, rename="camel"):
    """Which figures are asked for."""

    view: str
    metrics: list[Metric]
    from_timestamp: str
    to_timestamp: str
    dimensions: list[Dimension] = []
    filters: list[Asking] = []
    time_dimension: TimeDimension | None = None
    order_by: list[Order] | None = None
    config: Config | None = None


class Answer(msgspec.Struct):
    """Rows of figures, each called `<aggregation>_<measure>`, with the values of the dimensions."""

    data: list[dict[str, Any]]


@router.get("/metrics", responses=documented(Answer))
def metrics_v1(request: Request, project: Authorised) -> Response:
    """Work out figures over observations, traces or scores by any of some dimensions."""
    asked = _figures(request, list(VIEWS), many=True)
    return respond(Answer(services(request).reader.metrics.figures(project.id, asked)))


@router.get("/v2/metrics", responses=documented(Answer))
def metrics_v2(request: Request, project: Authorised) -> Response:
    """Work out figures over observations or scores by dimensions that have few values."""
    asked = _figures(request, [name for name in VIEWS if name != "traces"], many=False)
    return respond(Answer(services(request).reader.metrics.figures(project.id, asked)))


@router.get("/metrics/daily", responses=documented(NumberedPage))
def daily(request: Request, project: Authorised, paged: Paged) -> Response:
    """Return what was called on each day and what it cost, by model; the latest day first."""
    plain = given(request, {"userId": "any of", "tags": "all of", "environment": "any of"}, observations.COLUMNS, {})
    if names := several(request, "traceName"):
        plain |= asked_conditions([Asking("traceName", "stringOptions", "any of", names)], observations.COLUMNS)
    plain[""] = [observations.OBSERVATIONS]
    filter = merged(moment(request, "fromTimestamp"), moment(request, "toTimestamp"), plain, {})
    days = _days(services(request).reader.metrics.days(project.id, filter))
    return respond(_page(days, paged))


def _page(rows: list[dict[str, Any]], paged: Numbered) -> NumberedPage:
    return NumberedPage(rows[paged.offset : paged.offset + paged.limit], paged.meta(len(rows)))


def _days(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    days: dict[date, dict[str, Any]] = {}
    for row in rows:
        figures = {
            "countTraces": row["traces"],
            "countObservations": row["observations"],
            "totalCost": row["money"] or 0,
        }
        if not row["by_model"]:
            days[row["date"]] = {"date": row["date"], **figures, "usage": []}
        else:
            tokens = (row["input"] or 0, row["output"] or 0)
            usage = {"inputUsage": tokens[0], "outputUsage": tokens[1], "totalUsage": sum(tokens)}
            days[row["date"]]["usage"].append({"model": row["model_name"] or None, **usage, **figures})
    return list(days.values())


def _figures(request: Request, views: Sequence[str], *, many: bool) -> Figures:
    """Read the parameter `query`.

    Raises:
        FilterError: something in it is not known; the message says what is.
    """
    try:
        query = msgspec.json.decode(request.query_params.get("query") or "", type=Query)
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as problem:
        raise FilterError(
            f"query: {problem}; expected a JSON object with view, metrics, fromTimestamp and toTimestamp"
        ) from None
    view = VIEWS[_known("view", query.view, views)]
    dimensions = {**view.dimensions, **(view.many if many else {})}
    if not query.metrics:
        raise FilterError("query: metrics: name at least one")
    start = parse_time(query.from_timestamp, "query: fromTimestamp")
    end = parse_time(query.to_timestamp, "query: toTimestamp")
    if start >= end:
        raise FilterError("query: toTimestamp: it must be after fromTimestamp")
    limit = (query.config and query.config.row_limit) or (ALL_ROWS if many else 100)
    bins = query.config.bins if query.config else 10
    if query.config and query.config.row_limit is not None and not 1 <= query.config.row_limit <= MOST_ROWS:
        raise FilterError(f"query: config.row_limit: it is not between 1 and {MOST_ROWS}")
    if not 1 <= bins <= MOST_BINS:
        raise FilterError(f"query: config.bins: it is not between 1 and {MOST_BINS}")
    granularity = None
    if query.time_dimension:
        granularity = _known("timeDimension.granularity", query.time_dimension.granularity, [*GRANULARITIES, "auto"])
        granularity = automatic(start, end) if granularity == "auto" else granularity
    plain = {"": [observations.OBSERVATIONS]} if view.source == "observations" else {}
    filter = merged(start, end, plain, asked_conditions(query.filters, COLUMNS[view.source]))
    figures = Figures(
        view=query.view,
        metrics=[
            (
                _known("metrics.measure", one.measure, list(view.measures)),
                _known("metrics.aggregation", one.aggregation, list(AGGREGATIONS)),
            )
            for one in query.metrics
        ],
        dimensions=[_known("dimensions.field", one.field, list(dimensions)) for one in query.dimensions],
        filter=filter,
        granularity=granularity,
        bins=bins,
        limit=limit,
    )
    asked = [
        (_known("orderBy.field", one.field, figures.columns), one.direction.lower() == "desc")
        for one in query.order_by or ()
    ]
    first = [("time_dimension", False)] if granularity else [(figures.columns[-len(query.metrics)], True)]
    return replace(figures, order=asked or first)


def _known(name: str, value: str, known: Sequence[str]) -> str:
    if value not in known:
        raise FilterError(f"query: {name}: {value!r} is not known; expected one of {', '.join(known)}")
    return value
