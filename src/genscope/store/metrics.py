"""Figures over observations, traces and scores, by any of some dimensions, as Langfuse's clients name them.

The tokens and cost of an observation are those of a call to a model, of which each counts once (`queries/told_twice.sql`), so
that totals are those of the traces.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any, Final, Literal

from genscope.query.filter import Condition, Filter
from genscope.store import scores
from genscope.store.calls import counted
from genscope.store.engine import Engine, Parameter
from genscope.store.merged import merged
from genscope.store.sql import sql
from genscope.store.traces import where_traces
from genscope.store.where import IS_TRACE, PARENT, SPAN_IN_TRACE, START, Where, cost_of, seconds

#: Aggregations of a measure, by the SQL of one value.
AGGREGATIONS: Final[Mapping[str, str]] = {
    "sum": "sum({0})",
    "avg": "avg({0})",
    "count": "count({0})",
    "max": "max({0})",
    "min": "min({0})",
    **{f"p{percent}": f"quantileExact({percent / 100})(toFloat64({{0}}))" for percent in (50, 75, 90, 95, 99)},
    "histogram": "histogram({1})(toFloat64({0}))",
}
#: Spans of time, and how one is written.
GRANULARITIES: Final[Mapping[str, str]] = {
    "minute": "formatDateTime(toStartOfMinute({0}), '%Y-%m-%dT%H:%i:%SZ')",
    "hour": "formatDateTime(toStartOfHour({0}), '%Y-%m-%dT%H:%i:%SZ')",
    "day": "toString(toDate({0}))",
    "week": "toString(toMonday({0}))",
    "month": "toString(toStartOfMonth({0}))",
}
#: Seconds of each of them.
LENGTHS: Final = {"minute": 60, "hour": 3600, "day": 86_400, "week": 604_800, "month": 2_592_000}
#: How many spans of time `auto` aims at.
BUCKETS: Final = 50
MONTH: Final = "formatDateTime({0}, '%Y-%m')"
DAY: Final = "toString(toDate({0}))"

Join = Literal["trace", "span", "scores", "members"]


@dataclass(frozen=True, slots=True)
class Expression:
    """SQL over one row of a view, and what it is joined with for it."""

    sql: str
    join: Join | None = None


def _trace(column: str) -> Expression:
    return Expression(f"trace__{column}", "trace")


def _span(column: str) -> Expression:
    return Expression(f"span__{column}", "span")


def _paid(value: str) -> Expression:
    return Expression(f"if(paid, {value}, NULL)")


_TOKENS: Final = (
    "if(input_tokens IS NULL AND output_tokens IS NULL, NULL, ifNull(input_tokens, 0) + ifNull(output_tokens, 0))"
)
_SECONDS: Final = f"nullIf({seconds('spans.end_time')}, 0)"


@dataclass(frozen=True, slots=True)
class View:
    """What figures may be asked of."""

    #: The query that the rows come from, `queries/metrics_*.sql`.
    source: Literal["observations", "traces", "scores"]
    time: str
    measures: Mapping[str, Expression]
    dimensions: Mapping[str, Expression]
    #: Dimensions with as many values as there are rows.
    many: Mapping[str, Expression]
    #: Types of scores.
    types: tuple[str, ...] = ()


OBSERVATIONS: Final = View(
    "observations",
    START,
    {
        "count": Expression("1"),
        "latency": Expression(f"{seconds('spans.end_time')} * 1e3"),
        "streamingLatency": Expression(f"{seconds('spans.end_time', 'completion_start_time')} * 1e3"),
        "timeToFirstToken": Expression(f"{seconds('completion_start_time')} * 1e3"),
        "inputTokens": _paid("input_tokens"),
        "outputTokens": _paid("output_tokens"),
        "totalTokens": _paid(_TOKENS),
        "outputTokensPerSecond": _paid(f"output_tokens / {_SECONDS}"),
        "tokensPerSecond": _paid(f"{_TOKENS} / {_SECONDS}"),
        "inputCost": _paid(cost_of("input")),
        "outputCost": _paid(cost_of("output")),
        "totalCost": _paid("total_cost"),
        "countScores": Expression("scores__count", "scores"),
    },
    {
        "environment": Expression("ifNull(environment, 'default')"),
        "type": Expression("upper(ifNull(type, 'span'))"),
        "name": Expression("name"),
        "level": Expression("ifNull(level, 'DEFAULT')"),
        "version": Expression("version"),
        "release": Expression("release"),
        "tags": Expression("arraySort(trace__tags)", "trace"),
        "traceName": _trace("name"),
        "traceRelease": _trace("release"),
        "traceVersion": _trace("version"),
        "providedModelName": Expression("model"),
        "promptName": Expression("prompt_name"),
        "promptVersion": Expression("prompt_version"),
        "isRootObservation": Expression(f"{PARENT} IS NULL OR ifNull(is_root, false)"),
        "startTimeMonth": Expression(MONTH.format(START)),
    },
    {
        "id": Expression("span_id"),
        "traceId": Expression("trace_id"),
        "parentObservationId": Expression(PARENT),
        "userId": _trace("user_id"),
        "sessionId": _trace("session_id"),
    },
)
TRACES: Final = View(
    "traces",
    "fromUnixTimestamp64Nano(start_time, 'UTC')",
    {
        "count": Expression("1"),
        "latency": Expression("(end_time - start_time) / 1e6"),
        "observationsCount": Expression("members__count", "members"),
        "scoresCount": Expression("scores__count", "scores"),
        "inputTokens": Expression("input_tokens"),
        "outputTokens": Expression("output_tokens"),
        "totalTokens": Expression(_TOKENS),
        "totalCost": Expression("total_cost"),
        "uniqueUserIds": Expression("user_id"),
        "uniqueSessionIds": Expression("session_id"),
    },
    {
        "name": Expression("name"),
        "tags": Expression("arraySort(tags)"),
        "release": Expression("release"),
        "version": Expression("version"),
        "environment": Expression("ifNull(environment, 'default')"),
        "timestampMonth": Expression(MONTH.format("fromUnixTimestamp64Nano(start_time, 'UTC')")),
    },
    {
        "id": Expression("trace_id"),
        "userId": Expression("user_id"),
        "sessionId": Expression("session_id"),
    },
)
#: Measures that are the number of different values, however they are aggregated.
UNIQUE: Final = ("uniqueUserIds", "uniqueSessionIds")

_COUNT: Final = {"count": Expression("1")}
_VALUE: Final = {**_COUNT, "value": Expression("value")}
_SAID: Final = {
    "environment": Expression("ifNull(environment, 'default')"),
    "name": Expression("name"),
    "source": Expression("if(source IN ('EVAL', 'ANNOTATION'), source, 'API')"),
    "dataType": Expression("data_type"),
    "configId": Expression("config_id"),
    "timestampMonth": Expression(MONTH.format("scores.time")),
    "timestampDay": Expression(DAY.format("scores.time")),
    "traceName": _trace("name"),
    "tags": Expression("arraySort(trace__tags)", "trace"),
    "traceRelease": _trace("release"),
    "traceVersion": _trace("version"),
    "observationName": _span("name"),
    "observationModelName": _span("model"),
    "observationPromptName": _span("prompt_name"),
    "observationPromptVersion": _span("prompt_version"),
}
_SAID_MANY: Final = {
    "id": Expression("id"),
    "traceId": Expression("trace_id"),
    "userId": _trace("user_id"),
    "sessionId": Expression("session_id"),
    "observationId": Expression(SPAN_IN_TRACE),
}
_NUMBER: Final = {"value": Expression("value")}
_BOOLEAN: Final = {"booleanValue": Expression("value = 1")}
_TEXT: Final = {"stringValue": Expression("string_value")}


def _scores(measures: Mapping[str, Expression], more: Mapping[str, Expression], *types: str) -> View:
    return View("scores", "scores.time", measures, {**_SAID, **more}, _SAID_MANY, types)


#: What figures may be asked of, by name.
VIEWS: Final[Mapping[str, View]] = {
    "observations": OBSERVATIONS,
    "traces": TRACES,
    "scores-numeric": _scores(_VALUE, _NUMBER, "NUMERIC", "BOOLEAN"),
    "scores-boolean": _scores(_VALUE, {**_NUMBER, **_BOOLEAN}, "BOOLEAN"),
    "scores-categorical": _scores(_COUNT, _TEXT, "CATEGORICAL", "TEXT"),
}


#: Columns of the figures of days.
DAILY: Final = (
    f"toDate({START}) AS date",
    "ifNull(model, '') AS model_name",
    "grouping(model_name) = 0 AS by_model",
    "sumIf(input_tokens, paid) AS input",
    "sumIf(output_tokens, paid) AS output",
    "uniqExact(trace_id) AS traces",
    "count() AS observations",
    "sumIf(spans.total_cost, paid) AS money",
)


@dataclass(frozen=True, slots=True)
class Figures:
    """Which figures are asked for. All names are those of the tables here; `filter` is on what the view consists of."""

    view: str
    metrics: Sequence[tuple[str, str]]
    dimensions: Sequence[str]
    filter: Filter
    granularity: str | None = None
    #: Names of columns of the answer, and whether the largest comes first.
    order: Sequence[tuple[str, bool]] = ()
    bins: int = 10
    limit: int = 100

    @property
    def columns(self) -> list[str]:
        """The names of the columns of the answer."""
        time = ["time_dimension"] if self.granularity else []
        return [*self.dimensions, *time, *(f"{aggregation}_{measure}" for measure, aggregation in self.metrics)]


def automatic(start: int, end: int) -> str:
    """Return the granularity that cuts a range of time (nanoseconds) into about `BUCKETS` pieces."""
    wanted = (end - start) / 1e9 / BUCKETS
    return min(LENGTHS, key=lambda name: abs(math.log(LENGTHS[name] / max(wanted, 1))))


class Metrics:
    """Works out figures. Every call blocks."""

    def __init__(self, engine: Engine, counts: Callable[[str, Where, str], str]) -> None:
        """Take the engine, and what says which of two tellings of a call counts (`Reader.counts`)."""
        self._engine = engine
        self._counts = counts

    def figures(self, project_id: str, asked: Figures) -> list[dict[str, Any]]:
        """Return one row for each combination of the dimensions' values."""
        view = VIEWS[asked.view]
        dimensions = [{**view.dimensions, **view.many}[name] for name in asked.dimensions]
        measures = [view.measures[measure] for measure, _ in asked.metrics]
        time = [GRANULARITIES[asked.granularity].format(view.time)] if asked.granularity else []
        groups = [*(dimension.sql for dimension in dimensions), *time]
        figures = [
            f"uniqExact({measure.sql})"
            if name in UNIQUE
            else AGGREGATIONS[aggregation].format(measure.sql, f"{asked.bins:d}")
            for measure, (name, aggregation) in zip(measures, asked.metrics, strict=True)
        ]
        chosen = [f"{text} AS c{index}" for index, text in enumerate([*groups, *figures])]
        joins = dict.fromkeys(one.join for one in [*dimensions, *measures] if one.join)
        text, parameters = self._source(project_id, view, asked.filter, ", ".join(chosen), list(joins))
        if groups:
            text += " GROUP BY " + ", ".join(str(place) for place in range(1, len(groups) + 1))
        columns = asked.columns
        order = [f"{columns.index(name) + 1} {'DESC' if largest else 'ASC'}" for name, largest in asked.order]
        text += (f" ORDER BY {', '.join(order)}" if order else "") + f" LIMIT {asked.limit:d}"
        rows = self._engine.query(text, parameters).to_pylist()
        return [dict(zip(columns, map(_plain, row.values()), strict=True)) for row in rows]

    def days(self, project_id: str, filter: Filter) -> list[dict[str, Any]]:
        """Return per day, and per day and model, what was called and what it cost; the latest day first.

        `by_model` tells the rows of a model from that of a whole day.
        """
        text, parameters = self._source(project_id, OBSERVATIONS, filter, ", ".join(DAILY), [])
        text += (
            " GROUP BY GROUPING SETS ((date), (date, model_name)) ORDER BY date DESC, by_model, money DESC, model_name"
        )
        return [
            {name: _plain(value) for name, value in row.items()}
            for row in self._engine.query(text, parameters).to_pylist()
        ]

    def _source(
        self, project_id: str, view: View, filter: Filter, columns: str, joins: list[Join]
    ) -> tuple[str, dict[str, Parameter]]:
        """Return the beginning of a query over the rows of a view, and its parameters."""
        whole = "true"
        counts = "true AS counts"
        if view.source == "scores":
            types = Condition("data_type", view.types)
            condition = scores.where(project_id, replace(filter, conditions=(*filter.conditions, types)))
        elif view.source == "traces":
            condition, whole = where_traces(project_id, filter)
            counts = self._counts(project_id, condition, "true")
        else:
            condition, counts = counted(project_id, filter, self._counts)
        joined = " ".join(self._join(join, view, project_id, condition) for join in joins)
        parts = {"where": str(condition), "counts": counts}
        text = sql(f"metrics_{view.source}").substitute(
            parts,
            columns=columns,
            spans=merged(self._engine, condition),
            traces=sql("traces_rows").substitute(parts),
            whole=whole,
            joins=joined,
        )
        parameters: dict[str, Parameter] = {"project_id": project_id, "preview": 0}
        return text, condition.parameters | parameters

    def _join(self, join: Join, view: View, project_id: str, condition: Where) -> str:
        project = condition.bind(project_id)
        if join == "scores":
            # Of an observation those of it alone, of a trace those of its observations too.
            ids = "trace_id, span_id" if view.source == "observations" else "trace_id"
            said = (
                f"SELECT {ids}, count() AS scores__count FROM scores FINAL WHERE project_id = {project} AND NOT removed"  # noqa: S608
            )
            said += f" GROUP BY {ids}"
            return f"LEFT JOIN ({said}) AS said USING ({ids})"
        if join == "members":
            members = f"SELECT trace_id, countIf(NOT ({IS_TRACE})) AS members__count"
            rows = f"{members} FROM {merged(self._engine, Where([]))} WHERE project_id = {project}"
            return f"LEFT JOIN ({rows} GROUP BY trace_id) AS members USING trace_id"
        table = "scores" if view.source == "scores" else "spans"
        spans = Where([f"project_id = {project}", f"trace_id IN (SELECT trace_id FROM {table} WHERE {condition})"])  # noqa: S608
        if join == "span":
            columns = ["span_id", "name", "model", "prompt_name", "prompt_version"]
            rows = f"{merged(self._engine, spans)} WHERE {spans}"
        else:
            columns = ["name", "tags", "user_id", "session_id", "release", "version"]
            rows = f"({sql('traces_rows').substitute(where=str(spans), counts='true AS counts')})"
        # Names of their own: those of the view's columns would be ambiguous.
        named = ", ".join(f"{column} AS {join}__{column}" for column in ("trace_id", *columns))
        keys = "trace_id", "span_id" if join == "span" else "trace_id"
        same = " AND ".join(f"{join}__{key} = {table}.{key}" for key in dict.fromkeys(keys))
        return f"LEFT JOIN (SELECT {named} FROM {rows}) AS {join} ON {same}"  # noqa: S608


def _plain(value: Any) -> Any:
    """Return a value as JSON has it: money as a number, and nothing for what is none."""
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, list) and value and isinstance(value[0], dict):
        return [list(one.values()) for one in value]
    return value
