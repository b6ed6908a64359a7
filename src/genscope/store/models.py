"""Questions about calls to models: what each did, cost and took, and of which of them the cost is known.

A call that two libraries tell of counts once in all of them (`queries/told_twice.sql`).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final, TypeAlias

import pyarrow as pa

from genscope.model import COST_MISSING, Usage
from genscope.query.filter import Filter
from genscope.store.calls import Counts, counted
from genscope.store.engine import Engine, Parameter
from genscope.store.merged import merged
from genscope.store.scores import where as where_scores
from genscope.store.sql import sql
from genscope.store.where import SPAN_IN_TRACE, Where, where

#: What calls may be grouped by beside their model -> its column.
GROUPS: Final = {"name": "name", "prompt": "prompt_name", "environment": "environment", "release": "release"}
#: Steps of a trend, from the first to the last call that was asked about.
STEPS: Final = 24
#: Rows of a comparison, the most called ones.
MOST_ROWS: Final = 2000
#: Totals of usage: those that have columns of their own, or all kinds, which takes three times as long.
HEADLINES: Final = (
    "map('input', sum(input_tokens), 'output', sum(output_tokens), 'input_cache_read', sum(cached_tokens))"
)
EVERY_KIND: Final = "sumMap(usage)"
#: Why a call has no cost. A span that came in pieces may lack its reason: then it is what the whole lacks.
MISSING: Final = (
    "multiIf(cost_missing IS NOT NULL, cost_missing, input_tokens IS NULL AND output_tokens IS NULL, 'no_usage', "
    "model IS NULL, 'no_model', 'unknown_model')"
)
#: What models are compared by, call by call -> the SQL of its amount: milliseconds, tokens, US dollars.
MEASURES: Final = {
    "latency": "duration / 1e6",
    "time_to_first_token": "(toUnixTimestamp64Nano(completion_start_time) - begin) / 1e6",
    "tokens_per_second": "if(duration > 0, output_tokens / (duration / 1e9), NULL)",
    "output_tokens": "output_tokens",
    "cost": "total_cost",
}
#: Bins of a distribution to a power of ten: a bin's upper edge is a fifth above its lower one.
PER_DECADE: Final = 12
#: The quantiles of a distribution.
LEVELS: Final = (0.1, 0.5, 0.9, 0.95, 0.99)

#: A model of a provider.
Key: TypeAlias = "tuple[str | None, str | None]"


@dataclass(frozen=True, slots=True)
class CallGroup:
    """The calls of one type to one model of which the same is known about their cost. Times are nanoseconds."""

    type: str
    provider: str | None
    model: str | None
    priced: bool
    #: `reported` or `computed`; None where there is no cost.
    cost_source: str | None
    #: Why there is no cost; None where there is one.
    missing: str | None
    calls: int
    calls_without_usage: int
    tokens: int
    cost: Decimal | None
    first_time: int
    last_time: int


@dataclass(frozen=True, slots=True)
class Quantiles:
    """Exact quantiles in milliseconds; None where nothing was measured."""

    p50: float | None
    p95: float | None
    p99: float | None


@dataclass(frozen=True, slots=True)
class ScoreMean:
    """What was said of a model's calls, or of their traces, under one name. Of what is true or false the mean is the share."""

    name: str
    data_type: str
    scores: int
    mean: float


@dataclass(frozen=True, slots=True)
class ModelSummary:
    """What one model of one provider did."""

    provider: str | None
    model: str | None
    calls: int
    errors: int
    usage: Usage
    total_cost: Decimal | None
    unpriced_calls: int
    #: Calls without a cost by the reason.
    missing: dict[str, int]
    latency_ms: Quantiles
    time_to_first_token_ms: Quantiles
    tokens_per_second: float | None
    #: Of the column that calls are grouped by.
    value: str | None = None
    #: Calls in each of `STEPS` equal parts of the time from the first to the last call.
    trend: tuple[int, ...] = ()
    scores: list[ScoreMean] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Distribution:
    """How one of `MEASURES` is distributed over the calls to one model of which it is known."""

    calls: int
    mean: float | None
    #: At `LEVELS`, exactly.
    quantiles: tuple[float, ...]
    #: Calls by the number of their bin: `bin` holds amounts from 10 ** (bin / PER_DECADE) on. Amounts of 0 are in none.
    bins: dict[int, int]


class Models:
    """Compares the models that a project calls. Every call blocks."""

    def __init__(self, engine: Engine, counts: Counts) -> None:
        """Take how it is said of a span whether it `counts` (`Reader.counts`)."""
        self._engine = engine
        self._counts = counts

    def compared(
        self, project_id: str, filter: Filter, *, by: str = "", usage: str = EVERY_KIND, limit: int = MOST_ROWS
    ) -> list[ModelSummary]:
        """Return one row per provider and model of the calls that meet the filter, the most called first.

        With one of `GROUPS` there is a row for each of its values as well. `usage` is `HEADLINES` or `EVERY_KIND`.
        """
        value = f"toString({GROUPS[by]})" if by else "NULL"
        extent = self.extent(project_id, filter)
        if extent is None:
            return []
        first, last = extent
        parameters: dict[str, Parameter] = {"first": first, "step": (last - first) // STEPS + 1, "limit": limit}
        parts = {
            "value": value,
            "usage": usage,
            "missing": MISSING,
            "reasons": str(len(COST_MISSING)),
            "reason_names": str(list(COST_MISSING)),
            "steps": str(STEPS),
        }
        scores = self._scores(project_id, filter, value)
        return [
            ModelSummary(
                provider=row["provider"],
                model=row["model"],
                calls=row["calls"],
                errors=row["errors"],
                usage={kind: count for kind, count in row["usage"] if count is not None},
                total_cost=row["cost"],
                unpriced_calls=row["unpriced_calls"],
                missing={reason: n for reason, n in zip(COST_MISSING, row["missing"], strict=True) if n},
                latency_ms=_quantiles(row["latency"], row["timed_calls"]),
                time_to_first_token_ms=_quantiles(row["time_to_first_token"], row["streamed_calls"]),
                tokens_per_second=_number(row["tokens_per_second"]),
                value=row["value"],
                trend=tuple(row["trend"]),
                scores=scores.get((row["value"], row["provider"], row["model"]), []),
            )
            for row in self.ask("models", project_id, filter, parts, parameters).to_pylist()
        ]

    def coverage(self, project_id: str, filter: Filter) -> list[CallGroup]:
        """Return the calls to a model that meet the filter, grouped by what is known of their cost."""
        rows = self.ask("coverage", project_id, filter, {"missing": MISSING}).to_pylist()
        return [CallGroup(**row) for row in rows]

    def distributions(
        self, project_id: str, filter: Filter, models: Sequence[Key]
    ) -> dict[tuple[Key, str], Distribution]:
        """Return how each of `MEASURES` is distributed over the calls to these models, by model and measure."""
        amounts = ", ".join(f"toFloat64({amount})" for amount in MEASURES.values())
        parts = {"measures": f"[{amounts}]", "per_decade": str(PER_DECADE), "levels": ", ".join(map(str, LEVELS))}
        measures = tuple(MEASURES)
        bins: dict[tuple[Key, str], dict[int, int]] = {}
        for row in self.ask("models_bins", project_id, filter, parts, models=models).to_pylist():
            key = (row["provider"], row["model"]), measures[row["measure"] - 1]
            bins.setdefault(key, {})[row["bin"]] = row["calls"]
        found: dict[tuple[Key, str], Distribution] = {}
        for row in self.ask("models_quantiles", project_id, filter, parts, models=models).to_pylist():
            key = (row["provider"], row["model"]), measures[row["measure"] - 1]
            if row["calls"]:
                quantiles = tuple(row["quantiles"])
                found[key] = Distribution(row["calls"], _number(row["mean"]), quantiles, bins.get(key, {}))
        return found

    def _scores(
        self, project_id: str, filter: Filter, value: str
    ) -> dict[tuple[str | None, str | None, str | None], list[ScoreMean]]:
        said = where_scores(project_id, Filter())
        if not self._engine.query(f"SELECT 1 FROM scores WHERE {said} LIMIT 1", said.parameters).num_rows:  # noqa: S608
            return {}
        parts = {
            "said": "scores.project_id = {project_id:String} AND NOT removed",
            "value": value,
            "span_in_trace": SPAN_IN_TRACE,
        }
        rows = self.ask("models_scores", project_id, filter, parts)
        found: dict[tuple[str | None, str | None, str | None], list[ScoreMean]] = {}
        for row in rows.to_pylist():
            mean = ScoreMean(row["name"], row["data_type"], row["scores"], row["mean"])
            found.setdefault((row["value"], row["provider"], row["model"]), []).append(mean)
        return found

    def extent(self, project_id: str, filter: Filter) -> tuple[int, int] | None:
        """Return when the first and the last span in the filter's range begin, None if there is none."""
        condition = where(project_id, Filter(filter.start, filter.end))
        text = sql("models_extent").substitute(where=str(condition))
        rows = self._engine.query(text, condition.parameters).to_pylist()
        return (rows[0]["first"], rows[0]["last"]) if rows else None

    def ask(
        self,
        name: str,
        project_id: str,
        filter: Filter,
        parts: Mapping[str, str],
        parameters: Mapping[str, Parameter] | None = None,
        models: Sequence[Key] = (),
    ) -> pa.Table:
        """Ask a query about the calls to a model that meet the filter, of which each counts once; of some `models`, or of all.

        `parts` of its text are put in as they are.
        """
        condition, counts = counted(project_id, filter, self._counts)
        condition.add("type IN ('generation', 'embedding')")
        if models:
            condition.add(" OR ".join(_is(condition, *model) for model in models))
        text = sql(name).substitute(parts, spans=merged(self._engine, condition), where=str(condition), counts=counts)
        return self._engine.query(text, condition.parameters | {"project_id": project_id} | dict(parameters or {}))


def _is(condition: Where, provider: str | None, model: str | None) -> str:
    return " AND ".join(
        f"{column} IS NULL" if name is None else f"{column} = {condition.bind(name)}"
        for column, name in (("provider", provider), ("model", model))
    )


def _quantiles(nanoseconds: list[Any], count: int) -> Quantiles:
    return Quantiles(*(value / 1e6 for value in nanoseconds)) if count else Quantiles(None, None, None)


def _number(value: float | None) -> float | None:
    """Return None for the NaN with which the engine answers a mean or quantile of nothing."""
    return float(value) if value is not None and math.isfinite(value) else None
