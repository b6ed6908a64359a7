"""Models side by side: what each did, cost and took, and how that is distributed over the calls to some of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final, Literal
from urllib.parse import quote, unquote, urlencode

import msgspec
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from genscope.api.shapes import ModelShape, model_shape
from genscope.query.filter import FilterError
from genscope.query.language import joined, term
from genscope.services import services
from genscope.store.models import (
    GROUPS,
    HEADLINES,
    LEVELS,
    MEASURES,
    MOST_ROWS,
    PER_DECADE,
    Distribution,
    Key,
    ModelSummary,
    ScoreMean,
)
from genscope.web import addresses, format
from genscope.web.frame import Viewer, page, page_router
from genscope.web.state import State

router = page_router()

#: The time range without one in the URL.
AGE: Final = "7d"
#: Models that are laid over each other: as many as there are colours to tell apart.
MOST_COMPARED: Final = 6
#: Values of what calls are grouped by that are shown, those with the most calls.
MOST_SECTIONS: Final = 50
#: Calls from which on a figure is told from chance: with fewer a model is best in nothing, unless all have fewer.
ENOUGH: Final = 20
#: What stands beside a model's name in a URL, unquoted; a comma parts models, the first slash provider and model.
PLAIN: Final = " !$&'()*+:;=@"
SHAPES: Final = (("", "Density"), ("cumulative", "Cumulative"))
GROUPINGS: Final = (("", "Model"), *((name, f"{name.capitalize()}") for name in GROUPS))


# ---- the table


@dataclass(frozen=True, slots=True)
class Column:
    """A column of the table: what it is sorted by, and how its cells read."""

    key: str
    title: str
    #: What it is sorted by and judged by; None: unknown.
    value: Callable[[ModelSummary], Any]
    text: Callable[[Any], str]
    #: Which of its values is the best.
    best: Literal["low", "high"] | None = None
    #: The columns that one heading stands above.
    group: str = ""
    css: str = ""
    hint: str = ""


def _milliseconds(amount: float | None) -> str:
    return format.duration(None if amount is None else round(amount * 1e6))


def _percent(share: float | None) -> str:
    if share is None:
        return format.UNKNOWN
    return f"{share * 100:.3g} %" if share < 0.9995 else "100 %"


def _number(amount: float | None) -> str:
    if amount is None:
        return format.UNKNOWN
    return f"{amount:,.0f}" if amount >= 100 else f"{amount:.3g}"


def _shape(attribute: str) -> Callable[[ModelSummary], Any]:
    return lambda row: getattr(model_shape(row), attribute)


def _per_thousand(row: ModelSummary) -> Decimal | None:
    cost = model_shape(row).cost_per_1000_calls
    return None if cost is None else Decimal(cost)


def _quantile(name: str, quantile: str) -> Callable[[ModelSummary], Any]:
    return lambda row: getattr(getattr(row, name), quantile)


def _times(key: str, name: str, group: str) -> Iterable[Column]:
    for quantile in ("p50", "p95", "p99"):
        value = _quantile(name, quantile)
        yield Column(f"{key}_{quantile}", quantile, value, _milliseconds, "low", group, "latency")


COLUMNS: Final = {
    column.key: column
    for column in (
        Column("calls", "Calls", lambda row: row.calls, format.short_count, hint="Generations and embeddings"),
        Column("cost", "Cost", lambda row: row.total_cost, format.money, css="cost"),
        Column("per_1000", "Per 1,000", _per_thousand, format.money, "low", css="cost", hint="Cost per 1,000 calls of known cost"),
        Column("input", "In", lambda row: row.usage.get("input"), format.short_count, group="Tokens"),
        Column("output", "Out", lambda row: row.usage.get("output"), format.short_count, group="Tokens"),
        Column("cached", "Cached", _shape("cached_share"), _percent, "high", "Tokens", hint="Share of the input read from a cache"),
        *_times("latency", "latency_ms", "Latency"),
        *_times("ttft", "time_to_first_token_ms", "First token"),
        Column("tps", "Tok/s", lambda row: row.tokens_per_second, _number, "high", hint="Output tokens per second of latency"),
        Column("errors", "Errors", lambda row: row.errors / row.calls, _percent, "low", hint="Share of calls that failed"),
    )
}  # fmt: skip
#: Further orders: those of the two columns that are no numbers.
ORDERS: Final = ("model", *COLUMNS)


@dataclass(frozen=True, slots=True)
class Cell:
    """One value of a row."""

    column: Column
    text: str
    best: bool


@dataclass(frozen=True, slots=True)
class Row:
    """One model of the table."""

    summary: ModelSummary
    key: str
    #: The list of its calls.
    url: str
    chosen: bool
    cells: list[Cell]
    #: The line of its calls over time, as `points` of a polyline 72 wide and 16 high; empty without any.
    trend: str

    @property
    def scores(self) -> list[tuple[ScoreMean, str]]:
        """What was said of its calls, with how the mean reads."""
        return [
            (score, _percent(score.mean) if score.data_type == "BOOLEAN" else f"{score.mean:.3g}")
            for score in self.summary.scores
        ]


@dataclass(frozen=True, slots=True)
class Section:
    """The models that were called under one value of what calls are grouped by, or all."""

    value: str | None
    rows: list[Row]
    calls: int
    #: Their distributions over each other; empty for less than two.
    compare_url: str


@dataclass(frozen=True, slots=True)
class Percentiles:
    """A row of the comparison: a model's percentiles of one measure, and what each is of the first model's."""

    label: str
    calls: int
    values: list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Measure:
    """One measure of the comparison: its chart and its percentiles."""

    name: str
    title: str
    chart: dict[str, Any]
    rows: list[Percentiles]


@dataclass(frozen=True, slots=True)
class Chosen:
    """A model that is compared."""

    key: str
    label: str
    without_url: str


@dataclass(slots=True)
class ModelsView:
    """Everything that the page shows."""

    state: State
    sections: list[Section] = field(default_factory=list)
    left_out: int = 0
    chosen: list[Chosen] = field(default_factory=list)
    measures: list[Measure] = field(default_factory=list)
    has_scores: bool = False
    error: str = ""
    notice: str = ""
    #: Whether the project has never called a model.
    empty: bool = False
    groupings: tuple[tuple[str, str], ...] = GROUPINGS
    shapes: tuple[tuple[str, str], ...] = SHAPES
    levels: tuple[str, ...] = tuple(f"p{level * 100:g}" for level in LEVELS)

    @property
    def shared(self) -> str:
        """The part of the query that the other pages about models have, too."""
        return shared(self.state)

    @property
    def columns(self) -> list[Column]:
        """The columns in their order."""
        return list(COLUMNS.values())

    @property
    def groups(self) -> list[tuple[str, int]]:
        """The headings above the columns, and how many columns each spans."""
        spans: list[tuple[str, int]] = []
        for column in COLUMNS.values():
            if column.group and spans and spans[-1][0] == column.group:
                spans[-1] = (column.group, spans[-1][1] + 1)
            else:
                spans.append((column.group, 1))
        return spans

    def sort_url(self, key: str) -> str:
        """The URL that sorts by a column: the largest first, or the other way round if it is so already."""
        first, second = (key, f"-{key}") if key == "model" else (f"-{key}", key)
        return self.state.url(sort=second if self.order == first else first)

    @property
    def order(self) -> str:
        """What the rows are sorted by, a minus before it for the largest first."""
        return self.state.value("sort") or "-calls"

    def sorted_as(self, key: str) -> str:
        """How a column is sorted, as `aria-sort` has it."""
        return {key: "ascending", f"-{key}": "descending"}.get(self.order, "none")

    def json(self) -> Any:
        """The view for programs: the rows of `/api/v1/models`, and the distributions of those that are compared."""
        if self.error:
            return {"error": self.error}
        rows: list[ModelShape] = [model_shape(row.summary) for section in self.sections for row in section.rows]
        return {
            "data": rows,
            "left_out": self.left_out,
            "compared": [one.label for one in self.chosen],
            "distributions": [
                {
                    "measure": measure.name,
                    "from": measure.chart["x"],
                    "to": measure.chart["end"],
                    "unit": measure.chart["axis"],
                    "series": msgspec.to_builtins(measure.chart["series"]),
                }
                for measure in self.measures
            ],
        }


@page(router, "/models", "models.html", name="models")
def models(request: Request, project: Viewer) -> ModelsView | Response:
    """Compare the models that were called in a period."""
    given = request.query_params.multi_items()
    chosen = [part for name, value in given if name == "compare" for part in value.split(",") if part]
    pairs = [
        *((name, value) for name, value in given if name != "compare"),
        ("compare", ",".join(dict.fromkeys(chosen))),
    ]
    state = State.read("/models", pairs, own=("by", "sort", "shape", "compare"), age=AGE)
    if sum(name == "compare" for name, _ in given) > 1 and not request.url.path.endswith(".json"):
        return RedirectResponse(state.url(), 303)
    view = ModelsView(state)
    try:
        _fill(view, request, project.id)
    except FilterError as problem:
        view.error = str(problem)
    return view


def _fill(view: ModelsView, request: Request, project_id: str) -> None:
    state, reader = view.state, services(request).reader
    by = _one_of(state, "by", ("", *GROUPS))
    shape = _one_of(state, "shape", [name for name, _ in SHAPES])
    if view.order.removeprefix("-") not in ORDERS:
        raise FilterError(f"sort: {view.order!r} is no column; expected one of {', '.join(ORDERS)}")
    chosen = [parse(text) for text in state.value("compare").split(",") if text]
    filter = state.filter()
    found = reader.models.compared(project_id, filter, by=by, usage=HEADLINES)
    view.empty = not found and reader.is_empty(project_id)
    view.has_scores = any(summary.scores for summary in found)
    sections: dict[str | None, list[ModelSummary]] = {}
    for summary in found:
        sections.setdefault(summary.value, []).append(summary)
    ordered = sorted(sections.items(), key=lambda section: -sum(row.calls for row in section[1]))
    view.sections = [_section(view, by, value, rows, chosen) for value, rows in ordered[:MOST_SECTIONS]]
    view.left_out = max(len(ordered) - MOST_SECTIONS, int(len(found) == MOST_ROWS))
    if len(chosen) == 1:
        view.notice = "Choose at least two models to lay them over each other."
    if len(chosen) > MOST_COMPARED:
        view.notice = f"At most {MOST_COMPARED} models are laid over each other: these are the first."
        chosen = chosen[:MOST_COMPARED]
    keys = [key(*one) for one in chosen]
    view.chosen = [
        Chosen(text, _label(one), state.url(compare=",".join(other for other in keys if other != text)))
        for text, one in zip(keys, chosen, strict=True)
    ]
    if len(chosen) > 1:
        distributions = reader.models.distributions(project_id, filter, chosen)
        view.measures = list(_measures(chosen, distributions, cumulative=shape == "cumulative"))


def _one_of(state: State, name: str, legal: Sequence[str]) -> str:
    value = state.value(name)
    if value not in legal:
        raise FilterError(f"{name}: {value!r} is none of {', '.join(filter(None, legal))}")
    return value


def _section(view: ModelsView, by: str, value: str | None, found: list[ModelSummary], chosen: list[Key]) -> Section:
    state = view.state
    column, reverse = view.order.removeprefix("-"), view.order.startswith("-")
    best = {key: _best(one, found) for key, one in COLUMNS.items()}
    rows = [_row(state, by, summary, best, chosen) for summary in _sorted(found, column, reverse=reverse)]
    several = [(row.provider, row.model) for row in found[:MOST_COMPARED]]
    compare_url = ""
    if by and value is not None and len(several) > 1:
        q = joined(state.q, named(by, value))
        compare_url = state.url(q=q, by="", compare=",".join(key(*one) for one in several))
    return Section(value, rows, sum(row.calls for row in found), compare_url)


def _sorted(rows: list[ModelSummary], column: str, *, reverse: bool) -> list[ModelSummary]:
    """Sort rows; what is unknown comes last either way."""
    if column == "model":
        return sorted(rows, key=lambda row: (row.model or "", row.provider or ""), reverse=reverse)
    value = COLUMNS[column].value
    known = [row for row in rows if value(row) is not None]
    return sorted(known, key=value, reverse=reverse) + [row for row in rows if value(row) is None]


def _best(column: Column, rows: list[ModelSummary]) -> object:
    """Return the best of a column's values; None where there is nothing to choose from."""
    if column.best is None:
        return None
    enough = [row for row in rows if _judged(row)] or rows
    known = {value for row in enough if (value := column.value(row)) is not None}
    return (min if column.best == "low" else max)(known) if len(known) > 1 else None


def _judged(row: ModelSummary) -> bool:
    """Whether a model is compared with the others: it answers, which one that embeds does not, and often enough."""
    return row.calls >= ENOUGH and bool(row.usage.get("output"))


def _row(state: State, by: str, summary: ModelSummary, best: dict[str, object], chosen: list[Key]) -> Row:
    terms = [state.q, "type:(generation OR embedding)"]
    terms += [named("provider", summary.provider), named("model", summary.model)]
    terms += [named(by, summary.value)] if by else []
    q = joined(*terms)
    cells = []
    for column in COLUMNS.values():
        value = column.value(summary)
        is_best = best[column.key] is not None and value == best[column.key] and _judged(summary)
        cells.append(Cell(column, column.text(value), is_best))
    one = summary.provider, summary.model
    url = addresses.listing("spans", q, state.value("from") or AGE, state.value("to"))
    return Row(summary, key(*one), url, one in chosen, cells, _trend(summary.trend))


def shared(state: State) -> str:
    """Return the query of a state without what its page has of its own."""
    return urlencode([(name, value) for name, value in state.params if name in ("q", "from", "to")])


def named(field: str, value: str | None) -> str:
    """Return the condition that a field has a value, or none."""
    return f"-{field}:*" if value is None else term(field, value)


def _trend(counts: Sequence[int]) -> str:
    most = max(counts, default=0)
    if not most:
        return ""
    step = 72 / max(len(counts) - 1, 1)
    return " ".join(f"{index * step:.1f},{15 - 14 * count / most:.1f}" for index, count in enumerate(counts))


def key(provider: str | None, model: str | None) -> str:
    """Return a model as a URL names it, such as `openai/gpt-4o`."""
    return f"{quote(provider or '', safe=PLAIN)}/{quote(model or '', safe=PLAIN + '/')}"


def parse(text: str) -> Key:
    """Return the model that a URL names; the inverse of `key`."""
    provider, slash, model = text.partition("/")
    if not slash:
        raise FilterError(f"compare: {text[:100]!r} is no model; expected provider/model, such as openai/gpt-4o")
    return unquote(provider) or None, unquote(model) or None


def _label(one: Key) -> str:
    provider, model = one
    return f"{provider}/{model or format.UNKNOWN}" if provider else model or format.UNKNOWN


# ---- the comparison

#: Measure -> its title, the unit of a chart's axis, and how an amount reads.
_MEASURES: Final[dict[str, tuple[str, str, Callable[[float], str]]]] = {
    "latency": ("Latency", "ms", _milliseconds),
    "time_to_first_token": ("Time to first token", "ms", _milliseconds),
    "tokens_per_second": ("Output tokens per second", "tokens/s", _number),
    "output_tokens": ("Output tokens per call", "tokens", _number),
    "cost": ("Cost per call", "usd", lambda amount: format.money(Decimal(f"{amount:.12f}"))),
}


def _measures(
    chosen: list[Key], distributions: dict[tuple[Key, str], Distribution], *, cumulative: bool
) -> Iterable[Measure]:
    for name in MEASURES:
        known = [(one, distributions[one, name]) for one in chosen if (one, name) in distributions]
        if not known:
            continue
        title, unit, text = _MEASURES[name]
        chart = _chart([(_label(one), found) for one, found in known], unit, cumulative=cumulative)
        first = known[0][1]
        rows = [Percentiles(_label(one), found.calls, _differences(found, first, text)) for one, found in known]
        yield Measure(name, title, chart, rows)


def _differences(found: Distribution, first: Distribution, text: Callable[[float], str]) -> list[tuple[str, str]]:
    pairs = [*zip(found.quantiles, first.quantiles, strict=True), (found.mean, first.mean)]
    return [
        (format.UNKNOWN if value is None else text(value), "" if found is first else difference(value, base))
        for value, base in pairs
    ]


def difference(value: float | Decimal | None, base: float | Decimal | None) -> str:
    """Return by how much a value is more or less than another one, in percent; empty where that says nothing."""
    if value is None or base is None or base <= 0:
        return ""
    share = (float(value) / float(base) - 1) * 100
    if abs(share) < 0.05:
        return "±0 %"
    return f"{share:+,.{0 if abs(share) >= 10 else 1}f} %"


def _chart(found: list[tuple[str, Distribution]], unit: str, *, cumulative: bool) -> dict[str, Any]:
    """Return lines over one logarithmic axis: the share of calls in each bin, or up to its end."""
    places = sorted({place for _, one in found for place in one.bins})
    # One empty bin on each side, so that a line comes down to the axis.
    bins = range(places[0] - 1, places[-1] + 2) if places else range(0)
    series = []
    for index, (label, one) in enumerate(found):
        shares = [one.bins.get(place, 0) / one.calls for place in bins]
        if cumulative:
            below = 1 - sum(one.bins.values()) / one.calls
            shares = [below := below + share for share in shares]
        series.append({"label": label, "color": f"--series-{index + 1}", "values": shares})
    return {
        "kind": "line",
        "log": True,
        "axis": unit,
        "unit": "percent",
        "x": [10 ** (place / PER_DECADE) for place in bins],
        "end": 10 ** ((bins[-1] + 1) / PER_DECADE) if bins else None,
        "series": series,
    }
