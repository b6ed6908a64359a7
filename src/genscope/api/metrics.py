"""Any aggregate of spans by any of their fields, `/api/v1/metrics`."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Query, Request, Response

from genscope.api.native import FILTER_PARAMETERS, Authorised, Filtered
from genscope.api.openapi import documented
from genscope.api.shapes import iso, plain, respond
from genscope.services import services
from genscope.store.figures import AUTO, GRANULARITIES, MEASURES, MOST_ROWS, ROWS, Answer, Question, Row

router = APIRouter(prefix="/api/v1", tags=["read"])


class MetricsRow(msgspec.Struct):
    """The figures of one group. `time` is when its piece of time begins, null where time was not asked for.

    Money is a decimal string; null is what is not known, such as the latency of no call.
    """

    time: str | None
    group: dict[str, str | None]
    measures: dict[str, int | float | str | None]


class MetricsAnswer(msgspec.Struct):
    """The figures that were asked for. Groups without any span are left out; `truncated` says that there are more rows."""

    data: list[MetricsRow]
    granularity: str | None
    truncated: bool


def _names(text: str) -> list[str]:
    return [name for name in (part.strip() for part in text.split(",")) if name]


Measures = Annotated[str, Query(description=f"Comma-separated, any of: {', '.join(MEASURES)}.")]
GroupBy = Annotated[
    str, Query(description="Comma-separated fields of the filter language, such as `model,metadata.plan`.")
]
Granularity = Annotated[
    str,
    Query(
        description=f"Group by time, too: `{AUTO}`, or one of {', '.join(GRANULARITIES)}; in UTC, weeks from Monday."
    ),
]
Sort = Annotated[
    str,
    Query(
        description="A measure, a field or `time`, with `-` the largest first. By default time, else the first measure."
    ),
]
Limit = Annotated[int, Query(ge=1, le=MOST_ROWS, description="Rows at most.")]


@router.get("/metrics", responses=documented(MetricsAnswer), openapi_extra=FILTER_PARAMETERS)
def get_metrics(
    request: Request,
    project: Authorised,
    filter: Filtered,
    measures: Measures,
    group_by: GroupBy = "",
    granularity: Granularity = "",
    sort: Sort = "",
    limit: Limit = ROWS,
) -> Response:
    """Work out measures over the spans that meet the filter, for each value of some fields and each piece of time."""
    question = Question(filter, _names(measures), _names(group_by), granularity, sort, limit)
    return respond(_answer(services(request).reader.figures.ask(project.id, question)))


def _answer(answer: Answer) -> MetricsAnswer:
    return MetricsAnswer([_row(row) for row in answer.rows], answer.granularity or None, answer.truncated)


def _row(row: Row) -> MetricsRow:
    begin = None if row.time is None else iso(row.time * 10**9)
    measures: dict[str, Any] = {
        name: plain(value) if isinstance(value, Decimal) else value for name, value in row.values.items()
    }
    return MetricsRow(begin, row.group, measures)
