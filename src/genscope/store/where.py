"""The one builder of SQL conditions: a `Filter` becomes a WHERE clause and its parameters."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final, Literal

from genscope.query.filter import Condition, Filter, Operator
from genscope.store.engine import Parameter

#: A reason that one piece of a span gave is void once another piece brought the cost.
COST_MISSING: Final = "if(total_cost IS NULL, cost_missing, NULL)"
#: The moments a `DateTime64(9)` column can hold, in nanoseconds since the epoch.
EARLIEST: Final = -2_208_988_800 * 10**9
LATEST: Final = 2**63 - 1

Kind = Literal["text", "number", "time", "list", "flag"]


@dataclass(frozen=True, slots=True)
class Column:
    """What a condition on a field looks at: SQL over the rows of a table, in which `$key` is the entry of a map."""

    sql: str
    kind: Kind = "text"
    #: Whether it is said of a whole trace: by `any` span of it, or by `all` of them together, where the SQL has aggregates.
    of_trace: Literal["any", "all"] | None = None


def map_entry(column: str) -> str:
    """Return the SQL of the entry `$key` of a map of JSON texts as text, NULL without one; see `rows.entry`."""
    raw = f"if(startsWith({column}[$key], '\\x01'), substring({column}[$key], 18), {column}[$key])"
    return f"if(mapContains({column}, $key), if(startsWith({raw}, '\"'), JSONExtractString({raw}), {raw}), NULL)"


START: Final = "ifNull(spans.start_time, spans.time)"
ROOT: Final = "(parent_span_id IS NULL OR ifNull(is_root, false))"
#: The row of a trace that its sender told as a thing of its own, see `Entity.span_id`.
IS_TRACE: Final = "span_id = concat(trace_id, ':root')"

#: The parent of a span within its trace.
PARENT: Final = "nullIf(parent_span_id, concat(trace_id, ':root'))"
#: A span by its id, NULL for the trace itself.
SPAN_IN_TRACE: Final = "nullIf(span_id, concat(trace_id, ':root'))"


def seconds(end: str, start: str = START) -> str:
    """Return the SQL of a duration in seconds."""
    return f"(toUnixTimestamp64Nano({end}) - toUnixTimestamp64Nano({start})) / 1e9"


def cost_of(kind: str) -> str:
    """Return the SQL of the cost of one kind of usage, NULL where it is not known."""
    return f"if(has(cost.kind, '{kind}'), cost.amount[indexOf(cost.kind, '{kind}')], NULL)"


#: Fields of spans that are not simply the column of that name.
COLUMNS: Final[Mapping[str, Column]] = {
    "scope": Column("scope_name"),
    # Some senders tell these of a trace once, others with each of its spans: they hold for all of it.
    "session_id": Column("session_id", of_trace="any"),
    "user_id": Column("user_id", of_trace="any"),
    "cost_missing": Column(COST_MISSING),
    "tag": Column("tags", "list"),
    "tool": Column("tools", "list"),
    "tool_call": Column("tool_calls", "list"),
    # What nobody told is what clients that have no word for it take it for.
    "environment_or_default": Column("ifNull(environment, 'default')"),
    "observation_type": Column("upper(ifNull(type, 'span'))"),
    "level_or_default": Column("ifNull(level, 'DEFAULT')"),
    "is_trace": Column(IS_TRACE, "flag"),
    "is_root": Column(ROOT, "flag"),
    "parent_or_trace": Column(PARENT),
    "is_root_observation": Column(f"({PARENT} IS NULL OR ifNull(is_root, false))", "flag"),
    "prompt_version_number": Column("toFloat64OrNull(prompt_version)", "number"),
    "start_time": Column(START, "time"),
    "end_time": Column("spans.end_time", "time"),
    "latency": Column(seconds("spans.end_time"), "number"),
    "time_to_first_token": Column(seconds("completion_start_time"), "number"),
    "tokens_per_second": Column(f"output_tokens / nullIf({seconds('spans.end_time')}, 0)", "number"),
    "input_tokens": Column("input_tokens", "number"),
    "output_tokens": Column("output_tokens", "number"),
    "total_tokens": Column("greatest(ifNull(input_tokens, 0) + ifNull(output_tokens, 0), usage['total'])", "number"),
    "input_cost": Column(cost_of("input"), "number"),
    "output_cost": Column(cost_of("output"), "number"),
    "total_cost": Column("total_cost", "number"),
    "metadata": Column(map_entry("metadata")),
    "metadata_number": Column(f"toFloat64OrNull({map_entry('metadata')})", "number"),
    "trace_tag": Column("tags", "list", "any"),
    "trace_metadata": Column(map_entry("trace_metadata"), of_trace="any"),
    "trace_metadata_number": Column(f"toFloat64OrNull({map_entry('trace_metadata')})", "number", "any"),
    # As queries/traces_rows.sql names a trace.
    "name_of_trace": Column(
        "coalesce(argMaxIf(trace_name, time, trace_name != ''), "
        f"argMinIf(spans.name, time, {ROOT}), argMin(spans.name, time))",
        of_trace="all",
    ),
}

#: Operators that hold where another one does not, NULL included.
NEGATIVE: Final[Mapping[Operator, Operator]] = {
    "none of": "any of",
    "does not contain": "contains",
    "is null": "is not null",
}
COMPARED: Final[Mapping[str, str]] = {
    "contains": "position({column}, {value}) > 0",
    "starts with": "startsWith({column}, {value})",
    "ends with": "endsWith({column}, {value})",
    "<": "{column} < {value}",
    "<=": "{column} <= {value}",
    ">": "{column} > {value}",
    ">=": "{column} >= {value}",
}


@dataclass(slots=True)
class Where:
    """Conditions that all hold, and the parameters that they name."""

    clauses: list[str]
    parameters: dict[str, Parameter] = field(default_factory=dict)

    def bind(self, value: Parameter, type_: str = "String") -> str:
        """Add a parameter and return how SQL names it."""
        name = f"p{len(self.parameters)}"
        self.parameters[name] = value
        return f"{{{name}:{type_}}}"

    def add(self, clause: str) -> None:
        """Add one more condition."""
        self.clauses.append(clause)

    def bind_list(self, values: Iterable[str]) -> str:
        """Add a list of texts as a parameter and return how SQL names it."""
        return self.bind(list(values), "Array(String)")

    def bind_time(self, nanoseconds: int) -> str:
        """Add a moment as a parameter and return how SQL names it."""
        return f"fromUnixTimestamp64Nano({self.bind_nanoseconds(nanoseconds)}, 'UTC')"

    def bind_nanoseconds(self, nanoseconds: int) -> str:
        """Add a moment as a number, which is kept within what a column can hold, and return how SQL names it."""
        return self.bind(max(EARLIEST, min(nanoseconds, LATEST)), "Int64")

    def add_condition(self, project_id: str, column: Column, condition: Condition) -> None:
        """Add what a condition asks of a column."""
        if column.of_trace == "any" and condition.operator == "all of" and len(condition.values) > 1:
            # Each may be said by another span.
            for value in condition.values:
                self.add_condition(project_id, column, replace(condition, values=(value,)))
            return
        positive = NEGATIVE.get(condition.operator)
        clause = _positive(self, column, condition, positive or condition.operator)
        if column.of_trace:
            spans = f"SELECT trace_id FROM spans FINAL WHERE project_id = {self.bind(project_id)}"  # noqa: S608
            clause = (
                f"{spans} AND {clause}" if column.of_trace == "any" else f"{spans} GROUP BY trace_id HAVING {clause}"
            )
            clause = f"trace_id IN ({clause})"
        self.add(f"NOT ifNull({clause}, false)" if positive else clause)

    def __str__(self) -> str:
        return " AND ".join(f"({clause})" for clause in self.clauses)


def where(project_id: str, filter: Filter) -> Where:
    """Return the conditions of a filter over the `spans` of one project. Every query over rows begins here."""
    built = Where([])
    built.add(f"project_id = {built.bind(project_id)}")
    if filter.start is not None:
        built.add(f"time >= {built.bind_time(filter.start)}")
    if filter.end is not None:
        built.add(f"time < {built.bind_time(filter.end)}")
    for condition in filter.conditions:
        built.add_condition(project_id, COLUMNS.get(condition.field, Column(condition.field)), condition)
    return built


def _positive(built: Where, column: Column, condition: Condition, operator: Operator) -> str:
    text = column.sql.replace("$key", built.bind(condition.key)) if condition.key else column.sql
    values = condition.values
    if operator == "is not null":
        return f"notEmpty({text})" if column.kind == "list" else f"{text} IS NOT NULL"
    if column.kind == "list" and operator in ("any of", "all of"):
        return f"{'hasAny' if operator == 'any of' else 'hasAll'}({text}, {built.bind_list(values)})"
    if operator == "any of" and column.kind == "text":
        return f"{text} IN {built.bind_list(values)}"
    if operator == "any of":
        return f"({' OR '.join(f'{text} = {_bind(built, column.kind, value)}' for value in values) or 'false'})"
    return COMPARED[operator].format(column=text, value=_bind(built, column.kind, values[0]))


def _bind(built: Where, kind: Kind, value: str) -> str:
    match kind:
        case "number":
            return built.bind(float(value), "Float64")
        case "time":
            return built.bind_time(int(value))
        case "flag":
            return "true" if value == "true" else "false"
        case _:
            return built.bind(value)
