"""Figures over spans: any of the measures here, by any field that a filter may name, and by time.

Tokens, cost and whatever else is said of calls is that of calls to a model, of which each counts once (`queries/told_twice.sql`).
Quantiles are exact. Money is a decimal.
"""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Final, Literal, TypeAlias

from genscope.query.fields import BY_NAME, TABLE
from genscope.query.filter import Filter, FilterError
from genscope.store.calls import ONCE, Counts, counted
from genscope.store.engine import Engine, Parameter
from genscope.store.merged import merged
from genscope.store.metrics import BUCKETS
from genscope.store.sql import sql
from genscope.store.where import COLUMNS, EARLIEST, EITHER, LATEST, Column, Where, cost_of, where

Unit = Literal["count", "tokens", "usd", "ms", "percent", "tokens/s"]
Value: TypeAlias = "int | float | Decimal | None"


@dataclass(frozen=True, slots=True)
class Measure:
    """What is worked out of the spans of a group: SQL with aggregates. `percent` is a share of 1."""

    sql: str
    unit: Unit
    description: str


#: Percentiles of an amount, all by one aggregate, which the engine works out once for as many of them as are asked for.
PERCENTILES: Final = (50, 75, 90, 95, 99)
_LEVELS: Final = ", ".join(str(percentile / 100) for percentile in PERCENTILES)
#: Aggregates of an amount that is known of some spans.
AGGREGATES: Final[Mapping[str, str]] = {
    "avg": "avgOrNull({0})",
    "min": "min({0})",
    "max": "max({0})",
    **{
        f"p{percentile}": f"if(count({{0}}) = 0, NULL, quantilesExact({_LEVELS})({{0}})[{place}])"
        for place, percentile in enumerate(PERCENTILES, 1)
    },
}


def _between(begin: str, end: str) -> str:
    """Return the SQL of the nanoseconds from one moment to another; neither is made up where it is not known."""
    return f"(toUnixTimestamp64Nano({end}) - toUnixTimestamp64Nano({begin}))"


_DURATION: Final = _between("spans.start_time", "spans.end_time")
_TOKENS: Final = (
    "if(input_tokens IS NULL AND output_tokens IS NULL, NULL, ifNull(input_tokens, 0) + ifNull(output_tokens, 0))"
)
_FAILED: Final = "level = 'ERROR'"

#: Amounts of single spans: their SQL, its factor to the unit, the unit, and of what they are.
AMOUNTS: Final[Mapping[str, tuple[str, str, Unit, str]]] = {
    "latency": (f"if(paid, {_DURATION}, NULL)", "1e6", "ms", "Milliseconds from start to end of a call"),
    "time_to_first_token": (
        f"if(paid, {_between('spans.start_time', 'completion_start_time')}, NULL)",
        "1e6",
        "ms",
        "Milliseconds from the start of a call to its first token",
    ),
    "tokens_per_second": (
        f"if(paid AND {_DURATION} > 0, output_tokens * 1e9 / {_DURATION}, NULL)",
        "1",
        "tokens/s",
        "Output tokens of a call per second of its latency",
    ),
    "duration": (_DURATION, "1e6", "ms", "Milliseconds from start to end of a span of any type"),
}


def _amounts() -> dict[str, Measure]:
    return {
        f"{name}_{aggregate}": Measure(f"{text.format(amount)} / {factor}", unit, f"{description}: {aggregate}")
        for name, (amount, factor, unit, description) in AMOUNTS.items()
        for aggregate, text in AGGREGATES.items()
    }


#: What may be asked for, by name.
MEASURES: Final[Mapping[str, Measure]] = {
    "spans": Measure("count()", "count", "Spans"),
    "traces": Measure("uniqExact(cityHash64(trace_id))", "count", "Traces that the spans belong to"),
    "errors": Measure(f"countIf({_FAILED})", "count", "Spans of level `ERROR`"),
    "calls": Measure("countIf(paid)", "count", "Calls to a model: generations and embeddings, each counted once"),
    "generations": Measure("countIf(paid AND type = 'generation')", "count", "Generations, each counted once"),
    "failed_calls": Measure(f"countIf(paid AND {_FAILED})", "count", "Calls of level `ERROR`"),
    "error_rate": Measure(
        f"countIf(paid AND {_FAILED}) / nullIf(countIf(paid), 0)", "percent", "Share of the calls that failed"
    ),
    "cost": Measure("sumIf(spans.total_cost, paid)", "usd", "Cost of the calls whose cost is known"),
    "input_cost": Measure(f"sumIf({cost_of('input')}, paid)", "usd", "Cost of their input"),
    "output_cost": Measure(f"sumIf({cost_of('output')}, paid)", "usd", "Cost of their output"),
    "cost_per_call": Measure(
        "toDecimal128(sumIf(spans.total_cost, paid), 12) / nullIf(countIf(paid AND spans.total_cost IS NOT NULL), 0)",
        "usd",
        "Cost of a call whose cost is known, on average",
    ),
    "unpriced_calls": Measure("countIf(paid AND spans.total_cost IS NULL)", "count", "Calls whose cost is not known"),
    "calls_without_usage": Measure(
        "countIf(paid AND input_tokens IS NULL AND output_tokens IS NULL)", "count", "Calls whose tokens nobody told"
    ),
    "input_tokens": Measure("sumIf(input_tokens, paid)", "tokens", "Tokens in"),
    "output_tokens": Measure("sumIf(output_tokens, paid)", "tokens", "Tokens out"),
    "total_tokens": Measure(f"sumIf({_TOKENS}, paid)", "tokens", "Tokens in and out"),
    "cached_tokens": Measure("sumIf(cached_tokens, paid)", "tokens", "Tokens in that came from the provider's cache"),
    "cached_share": Measure(
        "sumIf(cached_tokens, paid) / nullIf(sumIf(input_tokens, paid), 0)",
        "percent",
        "Share of the tokens in that came from the provider's cache, null where nobody tells of one",
    ),
    "tokens_per_second": Measure(
        f"sumIf(output_tokens, paid AND {_DURATION} > 0) * 1e9"
        f" / nullIf(sumIf({_DURATION}, paid AND output_tokens IS NOT NULL AND {_DURATION} > 0), 0)",
        "tokens/s",
        "Output tokens of all calls per second of their latency",
    ),
    "timed_calls": Measure(f"count({AMOUNTS['latency'][0]})", "count", "Calls whose latency is known"),
    "streamed_calls": Measure(
        f"count({AMOUNTS['time_to_first_token'][0]})", "count", "Calls whose first token's time is known"
    ),
    "users": Measure("uniqExact(user_id)", "count", "Different users"),
    "sessions": Measure("uniqExact(session_id)", "count", "Different sessions"),
    "models": Measure("uniqExact(model)", "count", "Different models"),
    **_amounts(),
}

#: Fields that spans may be grouped by, by the names that a filter has for them.
DIMENSIONS: Final = {name: field for name, field in BY_NAME.items() if field.kind in ("text", "list")}
#: How far around a range of time another span of a trace may say whose it is, in nanoseconds: one hour.
AROUND: Final = 3600 * 10**9

#: Lengths of time to group by, in seconds; of a month it is about that. All begin in UTC, weeks on Monday.
GRANULARITIES: Final[Mapping[str, int]] = {
    "minute": 60,
    "5minutes": 300,
    "15minutes": 900,
    "30minutes": 1800,
    "hour": 3600,
    "3hours": 10_800,
    "6hours": 21_600,
    "12hours": 43_200,
    "day": 86_400,
    "week": 604_800,
    "month": 2_629_746,
}
AUTO: Final = "auto"
#: What the beginning of a row's time is called where names are.
TIME: Final = "time"
#: The first Monday since the epoch.
_MONDAY: Final = 345_600
#: Rows of an answer at most, and where nothing else is said.
MOST_ROWS: Final = 10_000
ROWS: Final = 1_000
#: Measures and fields that one question may name.
MOST_NAMES: Final = 30


@dataclass(frozen=True, slots=True)
class Question:
    """Which figures are asked for, by the names of the tables here. `sort` is one of them or `time`, with `-` the largest first."""

    filter: Filter
    measures: Sequence[str]
    group_by: Sequence[str] = ()
    granularity: str = ""
    sort: str = ""
    limit: int = ROWS


@dataclass(frozen=True, slots=True)
class Row:
    """The figures of one group. `time` is when its time begins, in seconds since the epoch; None where time is not asked for."""

    time: int | None
    group: dict[str, str | None]
    values: dict[str, Value]


@dataclass(frozen=True, slots=True)
class Answer:
    """The figures that were asked for."""

    rows: list[Row]
    #: What `auto` came to; empty where time is not asked for.
    granularity: str
    #: Whether there are more rows than were asked for.
    truncated: bool


def automatic(start: int, end: int) -> str:
    """Return the granularity that cuts a range of time (nanoseconds) into about `BUCKETS` pieces."""
    wanted = (end - start) / 1e9 / BUCKETS
    return min(GRANULARITIES, key=lambda name: abs(math.log(GRANULARITIES[name] / max(wanted, 1))))


def begins(granularity: str, column: str = "time") -> str:
    """Return the SQL of when the piece of time begins that a moment lies in, in seconds since the epoch."""
    if granularity == "month":
        return f"toInt64(toUnixTimestamp(toDateTime(toStartOfMonth({column}), 'UTC')))"
    seconds, offset = f"toUnixTimestamp64Second({column})", _MONDAY if granularity == "week" else 0
    return f"({seconds} - positiveModulo({seconds} - {offset}, {GRANULARITIES[granularity]}))"


def pieces(granularity: str, start: int, end: int) -> list[int]:
    """Return when each piece of time that a range (nanoseconds) touches begins, in seconds since the epoch; never none."""
    first, last = start // 10**9, max(end - 1, start) // 10**9
    if granularity == "month":
        begin, found = datetime.fromtimestamp(first, UTC).replace(day=1, hour=0, minute=0, second=0), []
        while begin.timestamp() <= last:
            found.append(int(begin.timestamp()))
            begin = (begin + timedelta(days=31)).replace(day=1)
        return found
    length, offset = GRANULARITIES[granularity], _MONDAY if granularity == "week" else 0
    return list(range(first - (first - offset) % length, last + 1, length))


class Figures:
    """Works out figures over a project's spans. Every call blocks."""

    def __init__(self, engine: Engine, counts: Counts) -> None:
        """Take the engine, and what says which of two tellings of a call counts (`Reader.counts`)."""
        self._engine = engine
        self._counts = counts

    def within(self, project_id: str, filter: Filter) -> Figures:
        """Return these for questions about a filter's range of time, whether any call in it is told twice being asked only now."""
        _, counts = counted(project_id, Filter(filter.start, filter.end), self._counts)
        return Figures(self._engine, lambda *_: ONCE) if counts == ONCE else self

    def ask(self, project_id: str, question: Question) -> Answer:
        """Answer a question.

        Raises:
            FilterError: it names what does not exist, or too much of it.
        """
        _check(question)
        granularity = self._granularity(project_id, question)
        (rows,) = self._sets(project_id, replace(question, granularity=granularity), [_groups(question)])
        return Answer(rows[: question.limit], granularity, len(rows) > question.limit)

    def sets(self, project_id: str, question: Question, sets: Sequence[Sequence[str]]) -> list[list[Row]]:
        """Answer a question once for each of several sets of names to group by, `time` among them, all of them in one go.

        Together they are the question's `group_by` and `granularity`. Of each set there are `limit` rows, sorted as for `ask`.

        Raises:
            FilterError: as for `ask`.
        """
        _check(question)
        return [rows[: question.limit] for rows in self._sets(project_id, question, sets)]

    def extent(self, project_id: str, filter: Filter) -> tuple[int, int]:
        """Return the range of time that a filter is about, in nanoseconds: from the first span on where it has no begin."""
        end = min(time.time_ns() if filter.end is None else filter.end, LATEST)
        if filter.start is not None:
            start = max(EARLIEST, min(filter.start, LATEST))
            return start, max(start, end)
        everything = where(project_id, Filter(end=filter.end))
        text = sql("spans_boundary").substitute(where=str(everything), direction="ASC")
        found = self._engine.query(text, everything.parameters | {"offset": 0})
        first: int = found["boundary"][0].as_py() if found.num_rows else end
        return min(first, end), end

    def _granularity(self, project_id: str, question: Question) -> str:
        if question.granularity != AUTO:
            return question.granularity
        return automatic(*self.extent(project_id, question.filter))

    def _sets(self, project_id: str, question: Question, sets: Sequence[Sequence[str]]) -> list[list[Row]]:
        condition, counts = counted(project_id, question.filter, self._counts)
        columns = {name: _bound(name, condition) for name in question.group_by}
        of_trace = list(dict.fromkeys(one.sql for several in columns.values() for one in several if one.of_trace))
        if of_trace and not self._lacks(condition, of_trace):
            of_trace = []
        chosen = {name: _dimension(several, of_trace) for name, several in columns.items()}
        if question.granularity:
            chosen[TIME] = begins(question.granularity)
        # Columns by their places: a name might be that of a column of the table.
        places = {name: f"c{place}" for place, name in enumerate((*chosen, *question.measures))}
        chosen |= {name: MEASURES[name].sql for name in question.measures}
        grouped = [f"({', '.join(places[name] for name in names)})" for names in sets]
        bits = " + ".join(
            f"bitShiftLeft(grouping({places[name]}), {bit})" for bit, name in enumerate(_groups(question))
        )
        text = sql("figures").substitute(
            columns=", ".join(f"{text} AS {places[name]}" for name, text in chosen.items()),
            set=bits or "0",
            counts=counts,
            spans=merged(self._engine, condition),
            where=str(condition),
            joins=self._join(question.filter, condition, of_trace) if of_trace else "",
            sets=f"GROUP BY GROUPING SETS ({', '.join(grouped)})" if bits else "",
            order=", ".join(_order(question, places)),
        )
        parameters: dict[str, Parameter] = {"project_id": project_id, "limit": question.limit + 1}
        found = self._engine.query(text, condition.parameters | parameters).to_pylist()
        rows: dict[int, list[dict[str, Any]]] = {}
        for row in found:
            rows.setdefault(row["set"], []).append({name: row[place] for name, place in places.items()})
        return [[_row(row, names, question) for row in rows.get(_bits(question, names), ())] for names in sets]

    def _join(self, filter: Filter, condition: Where, of_trace: Sequence[str]) -> str:
        """Return the join with what any span of a trace says for all of it, as `queries/traces_rows.sql` has it."""
        start = None if filter.start is None else filter.start - AROUND
        end = None if filter.end is None else filter.end + AROUND
        around = Where(["project_id = {project_id:String}"], condition.parameters, start=start, end=end)
        if start is not None:
            around.add(f"time >= {around.bind_time(start)}")
        if end is not None:
            around.add(f"time < {around.bind_time(end)}")
        lacking = " OR ".join(f"ifNull({text}, '') = ''" for text in of_trace)
        # By hashes, because the index of trace ids takes long for thousands of them.
        lack = f"SELECT cityHash64(trace_id) FROM spans WHERE {condition} AND ({lacking})"  # noqa: S608
        around.add(f"cityHash64(trace_id) IN ({lack})")
        told = ", ".join(
            f"argMaxIf({text}, time, {text} != '') AS told__{place}" for place, text in enumerate(of_trace)
        )
        rows = merged(self._engine, around)
        return (
            f"LEFT JOIN (SELECT trace_id AS told__id, {told} FROM {rows} WHERE {around} GROUP BY trace_id)"  # noqa: S608
            " AS told ON told__id = spans.trace_id"
        )

    def _lacks(self, condition: Where, texts: Sequence[str]) -> bool:
        """Return whether any span does not say itself what others may say for all of its trace."""
        lacking = " OR ".join(f"ifNull({text}, '') = ''" for text in texts)
        text = f"SELECT 1 FROM spans WHERE {condition} AND ({lacking}) LIMIT 1"  # noqa: S608
        return self._engine.query(text, condition.parameters).num_rows > 0


def _check(question: Question) -> None:
    if not question.measures:
        raise FilterError(f"measures: expected at least one of {', '.join(MEASURES)}")
    for name in question.measures:
        if name not in MEASURES:
            raise FilterError(f"measures: unknown measure {name!r}; expected any of {', '.join(MEASURES)}")
    for names, what in ((question.measures, "measures"), (question.group_by, "group_by")):
        if len(names) > MOST_NAMES:
            raise FilterError(f"{what}: {len(names)} are too many; at most {MOST_NAMES} can be asked for at once")
        twice = [name for place, name in enumerate(names) if name in names[:place]]
        if twice:
            raise FilterError(f"{what}: {twice[0]!r} is named twice")
    for name in question.group_by:
        _named(name)
    if question.granularity not in ("", AUTO, *GRANULARITIES):
        raise FilterError(
            f"granularity: {question.granularity!r} is none; expected one of {', '.join((AUTO, *GRANULARITIES))}"
        )
    sortable = [*_groups(question), *question.measures]
    if question.sort and question.sort.removeprefix("-") not in sortable:
        raise FilterError(
            f"sort: {question.sort!r} is not asked for; expected one of {', '.join(sortable)}, with - for the largest first"
        )
    if not 1 <= question.limit <= MOST_ROWS:
        raise FilterError(f"limit: {question.limit} is not between 1 and {MOST_ROWS}")


def _named(name: str) -> tuple[list[Column], str]:
    """Return the columns of a dimension, of which the first that is known counts, and the key of the entry that is meant."""
    field, key = DIMENSIONS.get(name), ""
    if field is None:
        begin, _, key = name.partition(".")
        field = DIMENSIONS.get(begin)
    if field is None or bool(key) != field.keyed:
        known = [f"{field.name}.KEY" if field.keyed else field.name for field in TABLE if field.name in DIMENSIONS]
        raise FilterError(f"group_by: unknown field {name!r}; expected any of {', '.join(known)}")
    return [COLUMNS.get(column, Column(column)) for column in EITHER.get(field.asked, (field.asked,))], key


def _bound(name: str, condition: Where) -> list[Column]:
    """Return the columns of a dimension, the key of the entry that is meant put in."""
    columns, key = _named(name)
    bound = condition.bind(key) if key else ""
    return [replace(column, sql=column.sql.replace("$key", bound)) for column in columns]


def _dimension(columns: Sequence[Column], of_trace: Sequence[str]) -> str:
    """Return the SQL of what spans are grouped by: what they say themselves comes before what others say of their trace."""
    if columns[0].kind == "list":
        # A span counts under each of its values, and once where it has none.
        return f"nullIf(arrayJoin(emptyArrayToSingle({columns[0].sql})), '')"
    texts = [column.sql for column in columns]
    texts += [f"told__{of_trace.index(column.sql)}" for column in columns if column.sql in of_trace]
    known = ", ".join(f"nullIf({text}, '')" for text in texts)
    return f"coalesce({known})"


def _groups(question: Question) -> list[str]:
    return [*([TIME] if question.granularity else []), *question.group_by]


def _bits(question: Question, names: Sequence[str]) -> int:
    """Return the number of a set: a bit for each name that it leaves out."""
    return sum(1 << bit for bit, name in enumerate(_groups(question)) if name not in names)


def _order(question: Question, places: Mapping[str, str]) -> list[str]:
    groups = _groups(question)
    sort = question.sort or (TIME if question.granularity else f"-{question.measures[0]}")
    first = f"{places[sort.removeprefix('-')]} {'DESC' if sort.startswith('-') else 'ASC'} NULLS LAST"
    return [first, *(places[name] for name in groups)]


def _row(found: Mapping[str, Any], names: Sequence[str], question: Question) -> Row:
    return Row(
        found[TIME] if TIME in names else None,
        {name: found[name] for name in names if name != TIME},
        {name: _number(found[name]) for name in question.measures},
    )


def _number(value: Value) -> Value:
    return None if isinstance(value, float) and not math.isfinite(value) else value
