"""A period at one glance: totals with what they leave out and their change, figures over time, and the most of everything."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any, Final, Literal, NamedTuple

from genscope.api.shapes import iso, plain
from genscope.query.filter import Condition, Filter
from genscope.store.failures import FailureGroup
from genscope.store.figures import MEASURES, TIME, Question, Row, Value, automatic, pieces
from genscope.store.reader import Reader
from genscope.web import addresses, format
from genscope.web.state import ALL, RANGES, State

#: What is shown over time, split by model, and what the most of everything is the most of: by name the measure and its title.
SPLITS: Final = {"cost": ("cost", "Cost"), "calls": ("calls", "Calls"), "tokens": ("total_tokens", "Tokens")}
#: Models that are told apart over time; there are as many colours.
MOST_MODELS: Final = 6
#: Where the lists of the most are.
MOST: Final = "/overview/most"
#: Rows of each list.
MOST_ROWS: Final = 6
#: Rows of figures by time and model that are looked at.
MOST_FIGURES: Final = 10_000

TOTALS: Final = (
    "traces",
    "spans",
    "errors",
    "calls",
    "generations",
    "failed_calls",
    "error_rate",
    "cost",
    "unpriced_calls",
    "input_tokens",
    "output_tokens",
    "total_tokens",
    "cached_tokens",
    "calls_without_usage",
    "latency_p50",
    "latency_p95",
    "timed_calls",
    "time_to_first_token_p50",
    "time_to_first_token_p95",
    "streamed_calls",
)
OVER_TIME: Final = ("calls", "failed_calls", "latency_p50", "latency_p95", "time_to_first_token_p50")
OF_MOST: Final = ("calls", "cost", "total_tokens", "failed_calls")

Judgement = Literal["better", "worse", ""]
Totals = dict[str, Value]


class Change(NamedTuple):
    """How a figure differs from that of the period before, and whether that is good."""

    text: str
    judgement: Judgement
    #: What it was before.
    before: str


@dataclass(frozen=True, slots=True)
class Note:
    """What is to be known about a figure, and where it leads."""

    text: str
    href: str = ""
    #: Whether it says what the figure leaves out.
    gap: bool = False


@dataclass(frozen=True, slots=True)
class Tile:
    """One of the headline figures."""

    name: str
    title: str
    value: str
    #: The value in full, where it is shortened.
    exact: str
    change: Change | None
    notes: list[Note] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Line:
    """One row of a list of the most: its parts as texts, and its share of all in percent."""

    label: str
    href: str
    share: float
    texts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Ranking:
    """A list of the most."""

    name: str
    title: str
    #: What stands above the rows' names, and above their texts.
    of: str
    columns: tuple[str, ...]
    lines: list[Line]
    #: The page of all of them.
    href: str


@dataclass(frozen=True, slots=True)
class Most:
    """The lists of the most, which a browser asks for when it has the rest: they take as long again."""

    #: The overview that they are part of.
    overview: str
    rankings: list[Ranking]

    def json(self) -> dict[str, Any]:
        """Return the lists as data, by name."""
        return {
            ranking.name: [
                {"label": line.label, "url": line.href} | dict(zip(ranking.columns, line.texts, strict=True))
                for line in ranking.lines
            ]
            for ranking in self.rankings
        }


@dataclass(frozen=True, slots=True)
class Overview:
    """The view of the page."""

    state: State
    error: str = ""
    start: int = 0
    end: int = 0
    #: Where the period before begins; None if this one has no begin of its own.
    before: int | None = None
    totals: Totals = field(default_factory=dict)
    totals_before: Totals | None = None
    tiles: list[Tile] = field(default_factory=list)
    charts: dict[str, dict[str, Any]] = field(default_factory=dict)

    @property
    def split(self) -> str:
        """What is shown over time and by model, one of `SPLITS`."""
        return _split(self.state)

    @property
    def splits(self) -> list[tuple[str, str]]:
        """What may be shown so, by name, and its title."""
        return [(name, title) for name, (_, title) in SPLITS.items()]

    @property
    def most(self) -> str:
        """The URL of the lists of the most, in the same period."""
        return replace(self.state, path=MOST).url()

    @property
    def length(self) -> str:
        """How long the period is."""
        return dict(RANGES).get(self.state.range) or format.duration(self.end - self.start)

    @property
    def empty(self) -> bool:
        """Whether no span meets the filter."""
        return not self.totals.get("spans")

    def json(self) -> dict[str, Any]:
        """Return the view as data."""
        if self.error:
            return {"error": self.error}
        return {
            "from": iso(self.start),
            "to": iso(self.end),
            "totals": _plain(self.totals),
            "before": None
            if self.totals_before is None
            else {"from": iso(self.before), "to": iso(self.start), "totals": _plain(self.totals_before)},
            "charts": self.charts,
        }


def _plain(totals: Totals) -> dict[str, Any]:
    return {name: plain(value) if isinstance(value, Decimal) else value for name, value in totals.items()}


def _split(state: State) -> str:
    return state.value("by") if state.value("by") in SPLITS else "cost"


def look(reader: Reader, project_id: str, state: State) -> Overview:
    """Return the overview of what meets the state's filter.

    Raises:
        FilterError: the filter cannot be understood.
    """
    chosen = state.filter()
    start, end = reader.figures.extent(project_id, chosen)
    before = None if chosen.start is None else replace(chosen, start=2 * start - end, end=start)
    figures = reader.figures.within(project_id, chosen if before is None else replace(chosen, start=before.start))
    totals = figures.ask(project_id, Question(chosen, TOTALS)).rows[0].values
    previous = figures.ask(project_id, Question(before, TOTALS)).rows[0].values if before else None
    measure, _ = SPLITS[_split(state)]
    granularity = automatic(start, end)
    over_time, by_model, models = figures.sets(
        project_id,
        Question(
            _calls(chosen),
            tuple(dict.fromkeys((measure, *OVER_TIME))),
            ("model",),
            granularity,
            f"-{measure}",
            MOST_FIGURES,
        ),
        [[TIME], [TIME, "model"], ["model"]],
    )
    x = pieces(granularity, start, end)
    largest = [row.group["model"] for row in models[:MOST_MODELS]]
    return Overview(
        state,
        start=start,
        end=end,
        before=before.start if before else None,
        totals=totals,
        totals_before=previous if previous and previous["spans"] else None,
        tiles=_tiles(Links(state, chosen), totals, previous),
        charts={
            "split": _split_chart(measure, x, over_time, by_model, largest),
            "latency": _latency_chart(x, over_time),
            "errors": _errors_chart(x, over_time),
        },
    )


def most(reader: Reader, project_id: str, state: State) -> Most:
    """Return the most of everything among what meets the state's filter.

    Raises:
        FilterError: the filter cannot be understood.
    """
    chosen = state.filter()
    measure, _ = SPLITS[_split(state)]
    figures = reader.figures.within(project_id, chosen)
    totals = figures.ask(project_id, Question(chosen, (measure, "errors"))).rows[0].values
    models, names, users = figures.sets(
        project_id,
        Question(_calls(chosen), OF_MOST, ("model", "name", "user"), "", f"-{measure}", MOST_ROWS),
        [["model"], ["name"], ["user"]],
    )
    links = Links(state, chosen)
    return Most(
        state.url(),
        [
            _ranking("models", "Models", models, totals, measure, links.of("model"), links.page("models")),
            _ranking("users", "Users", users, totals, measure, links.user, links.page("users")),
            _ranking("names", "Names", names, totals, measure, links.of("name"), links.page("generations")),
            _errors(reader, project_id, chosen, totals, links.page("errors")),
        ],
    )


def _calls(filter: Filter) -> Filter:
    return filter.where("type", "generation", "embedding")


@dataclass(frozen=True, slots=True)
class Links:
    """Where figures lead: to lists of what they are about, in the same time range."""

    state: State
    filter: Filter

    def page(self, page: str, *conditions: Condition) -> str:
        """Return the URL of a page of what meets the filter and more conditions."""
        begin = self.state.value("from") or self.state.age
        q = str(replace(self.filter, conditions=(*self.filter.conditions, *conditions)))
        return addresses.listing(page, q, "" if begin == ALL else begin, self.state.value("to"))

    def of(self, field: str) -> Callable[[str | None], str]:
        """Return what says where the generations are that have a value of a field, or none."""

        def url(value: str | None) -> str:
            known = Condition(field, (), "is null") if value is None else Condition(field, (value,))
            return self.page("generations", known)

        return url

    def user(self, value: str | None) -> str:
        """Return where a user is, or the generations of nobody."""
        return self.of("user_id")(None) if value is None else addresses.user(value)


# ---- headline figures


def _tiles(links: Links, now: Totals, before: Totals | None) -> list[Tile]:
    def tile(name: str, title: str, *notes: Note | None, bad: bool = False, label: str = "") -> Tile:
        value = now[name]
        known = None if before is None or not before["spans"] else before[name]
        changed = None if before is None else change(name, value, known, bad=bad)
        told = [note for note in notes if note]
        return Tile(label or name, title, short(name, value), exact(name, value), changed, told)

    calls = Condition("type", ("generation", "embedding"))
    every, spans = _int(now["calls"]), _int(now["spans"])
    return [
        tile("cost", "Cost", _gap(now["unpriced_calls"], every, "no price", links.page("spans", calls, _NO_COST))),
        tile(
            "traces",
            "Traces",
            Note(f"{format.short_count(spans)} span{'' if spans == 1 else 's'}", links.page("spans")),
        ),
        tile("generations", "Generations", _embeddings(now, links)),
        tile(
            "total_tokens",
            "Tokens",
            _in_and_out(now),
            _gap(now["calls_without_usage"], every, "no tokens", links.page("spans", calls, *_NO_TOKENS)),
            label="tokens",
        ),
        tile(
            "error_rate",
            "Error rate",
            _of(now["failed_calls"], every, "calls failed", links.page("spans", calls, _FAILED)),
            _other_errors(now, links),
            bad=True,
        ),
        tile("latency_p50", "Latency p50", bad=True),
        tile("latency_p95", "Latency p95", _timed(now, every), bad=True),
        tile("time_to_first_token_p50", "First token p50", _streamed(now, every), bad=True, label="first_token_p50"),
    ]


_NO_COST: Final = Condition("total_cost", (), "is null")
_NO_TOKENS: Final = (Condition("input_tokens", (), "is null"), Condition("output_tokens", (), "is null"))
_FAILED: Final = Condition("level", ("ERROR",))


def _gap(missing: Value, every: int, what: str, href: str) -> Note | None:
    if not every:
        return None
    if not missing:
        return Note(f"of all {every:,} calls")
    return Note(f"{_int(missing):,} of {every:,} calls have {what}", href, gap=True)


def _of(part: Value, every: int, what: str, href: str) -> Note | None:
    return Note(f"{_int(part):,} of {every:,} {what}", href if part else "") if every else None


def _embeddings(now: Totals, links: Links) -> Note | None:
    others = _int(now["calls"]) - _int(now["generations"])
    href = links.page("spans", Condition("type", ("embedding",)))
    return Note(f"and {others:,} embeddings", href) if others else None


def _in_and_out(now: Totals) -> Note | None:
    if now["total_tokens"] is None:
        return None
    told = f"{short('input_tokens', now['input_tokens'])} → {short('output_tokens', now['output_tokens'])}"
    cached, entered = _int(now["cached_tokens"]), _int(now["input_tokens"])
    return Note(f"{told}, {_percent(cached / entered)} cached" if cached and entered else told)


def _other_errors(now: Totals, links: Links) -> Note | None:
    others = _int(now["errors"]) - _int(now["failed_calls"])
    return Note(f"and {others:,} other spans", links.page("errors")) if others > 0 else None


def _timed(now: Totals, every: int) -> Note | None:
    missing = every - _int(now["timed_calls"])
    return Note(f"{missing:,} of {every:,} calls have no end", gap=True) if missing else None


def _streamed(now: Totals, every: int) -> Note | None:
    return Note(f"told of {_int(now['streamed_calls']):,} of {every:,} calls") if every else None


def _int(value: Value) -> int:
    return int(value or 0)


def _percent(share: float) -> str:
    return f"{100 * share:.3g} %"


def short(name: str, value: Value) -> str:
    """Return the value of a measure as it is read at a glance."""
    if value is None:
        return format.UNKNOWN
    match MEASURES[name].unit:
        case "usd":
            return format.money(Decimal(value))
        case "ms":
            return format.duration(round(float(value) * 1e6))
        case "percent":
            return _percent(float(value))
        case _:
            return format.short_count(int(value))


def exact(name: str, value: Value) -> str:
    """Return it in full, where `short` leaves something out."""
    if value is None:
        return ""
    match MEASURES[name].unit:
        case "usd":
            return format.exact_money(Decimal(value))
        case "count" | "tokens":
            return format.count(int(value))
        case _:
            return ""


def change(name: str, now: Value, before: Value, *, bad: bool) -> Change | None:
    """Return how a figure differs from what it was before; `bad` if more of it is worse."""
    if now is None or (not now and not before):
        return None
    if MEASURES[name].unit == "percent" and before is not None:
        difference = 100 * (float(now) - float(before))
        text = f"{difference:+{'.2g' if abs(difference) < 10 else '.0f'}} points" if abs(difference) >= 0.05 else "±0"
    elif before:
        difference = float(now) / float(before) - 1
        text = "±0 %" if abs(difference) < 0.005 else _relative(difference)
    else:
        return Change("new", "", "nothing" if before is None else short(name, before))
    judgement: Judgement = "" if not bad or text.startswith("±") else "worse" if difference > 0 else "better"
    return Change(text.replace("-", "\N{MINUS SIGN}"), judgement, short(name, before))


def _relative(difference: float) -> str:
    return (
        f"{difference:+.0%}".replace("%", " %") if difference < 9 else f"\N{MULTIPLICATION SIGN} {difference + 1:,.0f}"
    )


# ---- over time


def _number(value: Value) -> float | int | None:
    return float(value) if isinstance(value, Decimal) else value


def _split_chart(
    measure: str, x: Sequence[int], over_time: Sequence[Row], by_model: Sequence[Row], models: Sequence[str | None]
) -> dict[str, Any]:
    """Return a measure over time by model, the largest ones by themselves and the others together."""
    place = {begin: at for at, begin in enumerate(x)}
    others = [0.0] * len(x)
    for row in over_time:
        if row.time in place:
            others[place[row.time]] = float(row.values[measure] or 0)
    series: dict[str | None, list[float]] = {model: [0.0] * len(x) for model in models}
    for row in by_model:
        model, amount = row.group["model"], float(row.values[measure] or 0)
        if model in series and row.time in place:
            series[model][place[row.time]] = amount
            others[place[row.time]] -= amount
    told = [
        {"label": format.one_line(model or "no model", 80), "values": [_rounded(value) for value in values]}
        for model, values in series.items()
    ]
    # What is left of a sum of floats may be a trifle that is none.
    rest = [_rounded(value) if value > 1e-9 else 0 for value in others]
    if any(rest):
        told.append({"label": "other models", "color": "--series-other", "values": rest})
    return {"kind": "stacked", "unit": MEASURES[measure].unit, "x": list(x), "series": told, "zoom": True}


def _rounded(value: float) -> float | int:
    return int(value) if value == int(value) else float(f"{value:.9g}")


def _line(x: Sequence[int], rows: Sequence[Row], measure: str, missing: float | None = None) -> list[Any]:
    known = {row.time: _number(row.values[measure]) for row in rows}
    return [known.get(begin, missing) for begin in x]


def _latency_chart(x: Sequence[int], rows: Sequence[Row]) -> dict[str, Any]:
    lines = [
        {"label": "p50", "color": "--latency", "values": _line(x, rows, "latency_p50")},
        {"label": "p95", "color": "--series-2", "values": _line(x, rows, "latency_p95")},
    ]
    first = _line(x, rows, "time_to_first_token_p50")
    if any(value is not None for value in first):
        lines.append({"label": "First token p50", "color": "--series-4", "values": first})
    return {"kind": "line", "unit": "ms", "x": list(x), "series": lines, "zoom": True}


def _errors_chart(x: Sequence[int], rows: Sequence[Row]) -> dict[str, Any]:
    failed = {"label": "Failed calls", "color": "--error", "values": _line(x, rows, "failed_calls", 0)}
    return {"kind": "bars", "unit": "count", "x": list(x), "series": [failed], "zoom": True}


# ---- the most of everything


def _ranking(
    name: str,
    title: str,
    rows: Sequence[Row],
    totals: Totals,
    measure: str,
    url: Callable[[str | None], str],
    href: str,
) -> Ranking:
    every = float(totals[measure] or 0)
    lines = []
    for row in rows:
        (label,) = row.group.values()
        share = float(row.values[measure] or 0) / every if every else 0.0
        texts = tuple(short(one, row.values[one]) for one in ("calls", "total_tokens", "cost"))
        lines.append(Line(label or f"no {title.lower().removesuffix('s')}", url(label), round(100 * share, 1), texts))
    return Ranking(name, title, title.removesuffix("s"), ("calls", "tokens", "cost"), lines, href)


def _errors(reader: Reader, project_id: str, filter: Filter, totals: Totals, href: str) -> Ranking:
    every = _int(totals["errors"])
    groups: list[FailureGroup] = []
    if every:
        shown = reader.failures.range(project_id, filter, 1)
        groups = reader.failures.groups(project_id, filter, shown, order="count", limit=MOST_ROWS).rows
    lines = [
        Line(
            " · ".join(text for text in (group.message or group.exception, group.name) if text) or "no message",
            addresses.failure(group.fingerprint),
            round(100 * group.count / every, 1),
            (format.short_count(group.trace_count), format.short_count(group.count)),
        )
        for group in groups
    ]
    return Ranking("errors", "Errors", "Message", ("traces", "spans"), lines, href)
