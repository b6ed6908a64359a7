"""The one builder of SQL conditions: a `Filter` becomes a WHERE clause and its parameters."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final, Literal

from genscope.query.filter import AllOf, AnyOf, Condition, Filter, Node, Not, Operator, leaves, parse_time
from genscope.store.engine import Parameter
from genscope.store.fingerprint import FINGERPRINT
from genscope.store.words import said

#: A reason that one piece of a span gave is void once another piece brought the cost.
COST_MISSING: Final = "if(total_cost IS NULL, cost_missing, NULL)"
#: The moments a `DateTime64(9)` column can hold, in nanoseconds since the epoch.
EARLIEST: Final = -2_208_988_800 * 10**9
LATEST: Final = 2**63 - 1
#: Rows of a window where what lies outside of it is asked for as well.
FAR: Final = 200_000
#: A moment as nanoseconds since the epoch; other moments are as `parse_time` takes them.
_NANOSECONDS: Final = re.compile(r"-?\d+", re.ASCII)

_DECIMAL: Final = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)", re.ASCII)

Kind = Literal["text", "number", "time", "list", "flag", "words"]


@dataclass(frozen=True, slots=True)
class Column:
    """What a condition on a field looks at: SQL over the rows of a table, in which `$key` is the entry of a map."""

    sql: str
    kind: Kind = "text"
    #: Whether it is said of a whole trace: by `any` span of it, or by `all` of them together, where the SQL has aggregates; or by
    #: a `score` of the span or its trace, where the SQL is about scores.
    of_trace: Literal["any", "all", "score"] | None = None


def map_entry(column: str) -> str:
    """Return the SQL of the entry `$key` of a map of JSON texts as text, NULL without one; see `rows.entry`."""
    raw = f"if(startsWith({column}[$key], '\\x01'), substring({column}[$key], 18), {column}[$key])"
    return f"if(mapContains({column}, $key), if(startsWith({raw}, '\"'), JSONExtractString({raw}), {raw}), NULL)"


def json_entry(column: str) -> str:
    """Return the SQL of the entry `$key` of the JSON text of an object as text, NULL without one."""
    text = f"if(JSONType({column}, $key) = 'String', JSONExtractString({column}, $key), JSONExtractRaw({column}, $key))"
    return f"if(JSONHas(ifNull({column}, ''), $key), {text}, NULL)"


START: Final = "ifNull(spans.start_time, spans.time)"
ROOT: Final = "(parent_span_id IS NULL OR ifNull(is_root, false))"
#: The row of a trace that its sender told as a thing of its own, see `Entity.span_id`.
IS_TRACE: Final = "span_id = concat(trace_id, ':root')"

#: The parent of a span within its trace.
PARENT: Final = "nullIf(parent_span_id, concat(trace_id, ':root'))"
#: A span by its id, NULL for the trace itself.
SPAN_IN_TRACE: Final = "nullIf(span_id, concat(trace_id, ':root'))"


def seconds(end: str, start: str = "spans.start_time") -> str:
    """Return the SQL of a duration in seconds, NULL where one of both is not known."""
    return f"(toUnixTimestamp64Nano({end}) - toUnixTimestamp64Nano({start})) / 1e9"


#: Tokens in and out, NULL where nobody told any. Some senders tell the sum alone.
TOTAL_TOKENS: Final = (
    "if(input_tokens IS NULL AND output_tokens IS NULL AND told_tokens IS NULL, NULL, "
    "greatest(ifNull(input_tokens, 0) + ifNull(output_tokens, 0), ifNull(told_tokens, 0)))"
)


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
    "error": Column(FINGERPRINT),
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
    "total_tokens": Column(TOTAL_TOKENS, "number"),
    "input_cost": Column(cost_of("input"), "number"),
    "output_cost": Column(cost_of("output"), "number"),
    "total_cost": Column("total_cost", "number"),
    "metadata": Column(map_entry("metadata")),
    "metadata_number": Column(f"toFloat64OrNull({map_entry('metadata')})", "number"),
    "trace_tag": Column("tags", "list", "any"),
    "trace_metadata": Column(map_entry("trace_metadata"), of_trace="any"),
    "trace_metadata_number": Column(f"toFloat64OrNull({map_entry('trace_metadata')})", "number", "any"),
    "attributes": Column(map_entry("attributes")),
    "attributes_number": Column(f"toFloat64OrNull({map_entry('attributes')})", "number"),
    "model_parameters": Column(json_entry("model_parameters")),
    "model_parameters_number": Column(f"toFloat64OrNull({json_entry('model_parameters')})", "number"),
    "usage": Column("if(mapContains(usage, $key), usage[$key], NULL)", "number"),
    "score": Column("[ifNull(string_value, ''), ifNull(toString(value), '')]", "list", "score"),
    "score_number": Column("value", "number", "score"),
    "input": Column("input", "words"),
    "output": Column("output", "words"),
    "text": Column("input, output", "words"),
    # As queries/traces_rows.sql names a trace.
    "name_of_trace": Column(
        "coalesce(argMaxIf(trace_name, time, trace_name != ''), "
        f"argMinIf(spans.name, time, {ROOT}), argMin(spans.name, time))",
        of_trace="all",
    ),
}

#: Fields that look for the same in several places.
EITHER: Final[Mapping[str, tuple[str, ...]]] = {
    "any_metadata": ("metadata", "trace_metadata"),
    "any_metadata_number": ("metadata_number", "trace_metadata_number"),
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
    #: The project and the range of time of the rows of `spans` that are asked about, for conditions that have to find rows first.
    scope: str = "true"
    #: This range in nanoseconds since the epoch, without its end.
    start: int | None = None
    end: int | None = None

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

    def add_conditions(self, project_id: str, conditions: Iterable[Node], columns: Mapping[str, Column]) -> None:
        """Add what conditions ask of columns; a field that is none of them is the column of its name."""
        for node in conditions:
            self.add(self.clause(project_id, node, columns))

    def clause(self, project_id: str, node: Node, columns: Mapping[str, Column]) -> str:
        """Return the SQL of what a condition asks, or several joined."""
        match node:
            case AllOf(parts):
                return " AND ".join(f"({self.clause(project_id, part, columns)})" for part in parts)
            case AnyOf(parts):
                return " OR ".join(f"({self.clause(project_id, part, columns)})" for part in parts)
            case Not(part):
                return f"NOT ifNull({self.clause(project_id, part, columns)}, false)"
            case Condition(field=name) if name in EITHER:
                either = AnyOf(tuple(replace(node, field=one) for one in EITHER[name]))
                return self.clause(project_id, either, columns)
            case Condition(field=name):
                return self._clause(project_id, columns.get(name, Column(name)), node)

    def _clause(self, project_id: str, column: Column, condition: Condition) -> str:
        if column.of_trace == "any" and condition.operator == "all of" and len(condition.values) > 1:
            # Each may be said by another span.
            each = (replace(condition, values=(value,)) for value in condition.values)
            return " AND ".join(f"({self._clause(project_id, column, one)})" for one in each)
        positive = NEGATIVE.get(condition.operator)
        clause = _positive(self, column, condition, positive or condition.operator)
        if column.of_trace:
            project = self.bind(project_id)
            since = "" if self.start is None else _SINCE.format(project=project, start=self.bind_time(self.start))
            clause = _OF_TRACE[column.of_trace].format(
                project=project, clause=clause, key=self.bind(condition.key), since=since
            )
        return f"NOT ifNull({clause}, false)" if positive else clause

    def __str__(self) -> str:
        return " AND ".join(f"({clause})" for clause in self.clauses)


#: Spans since the first one of any trace that has some after a moment, so that what is older need not be read. Those after the
#: moment itself are always among them, also of a trace whose row is missing (see `Reader._extent`).
_SINCE: Final = (
    " AND time >= least({start}, (SELECT min(first_time) FROM traces WHERE project_id = {project} AND trace_id IN "
    "(SELECT trace_id FROM traces WHERE project_id = {project} AND last_time >= {start})))"
)
#: How what is said of a trace is asked of one of its spans.
_OF_TRACE: Final[Mapping[str, str]] = {
    # FINAL merges whatever it reads, so it reads only where some piece of a span says so.
    "any": (
        "trace_id IN (SELECT trace_id FROM spans FINAL PREWHERE project_id = {project}{since} AND time IN "
        "(SELECT time FROM spans WHERE project_id = {project}{since} AND ({clause})) WHERE ({clause}))"
    ),
    "all": (
        "trace_id IN (SELECT trace_id FROM spans FINAL WHERE project_id = {project}{since} GROUP BY trace_id HAVING {clause})"
    ),
    "score": (
        "(trace_id, span_id) IN (SELECT ifNull(trace_id, ''), ifNull(span_id, '') {said}) OR trace_id IN "
        "(SELECT ifNull(trace_id, '') {said} AND (ifNull(span_id, '') IN ('', concat(ifNull(trace_id, ''), ':root'))))"
    ).replace(
        "{said}", "FROM scores FINAL WHERE project_id = {project} AND NOT removed AND name = {key} AND ({clause})"
    ),
}


def first_window(filter: Filter, rows: int) -> int:
    """Return how many rows the first window of a list holds: so many, or more where a small one is not read faster.

    That is where a filter asks of a span what others say for all of its trace, wherever in time they lie.
    """
    names = (name for leaf in leaves(filter.conditions) for name in EITHER.get(leaf.field, (leaf.field,)))
    return max(rows, FAR) if any(name in COLUMNS and COLUMNS[name].of_trace for name in names) else rows


def where(project_id: str, filter: Filter, parameters: dict[str, Parameter] | None = None) -> Where:
    """Return the conditions of a filter over the `spans` of one project. Every query over rows begins here.

    Its parameters become part of those given.
    """
    built = Where([], {} if parameters is None else parameters, start=filter.start, end=filter.end)
    built.add(f"project_id = {built.bind(project_id)}")
    if filter.start is not None:
        built.add(f"time >= {built.bind_time(filter.start)}")
    if filter.end is not None:
        built.add(f"time < {built.bind_time(filter.end)}")
    built.scope = str(built)
    built.add_conditions(project_id, filter.conditions, COLUMNS)
    return built


def _positive(built: Where, column: Column, condition: Condition, operator: Operator) -> str:
    text = column.sql.replace("$key", built.bind(condition.key)) if condition.key else column.sql
    values = condition.values
    if operator == "is not null" and column.of_trace == "score":
        return "true"
    if operator == "is not null" and column.kind == "words":
        return f"({' OR '.join(f'{name} IS NOT NULL' for name in text.split(', '))})"
    if column.kind == "words":
        return said(values[0], text.split(", "), built.scope, built.bind)
    if operator == "is not null":
        return f"notEmpty({text})" if column.kind == "list" else f"{text} IS NOT NULL"
    if column.kind == "list" and operator in ("any of", "all of"):
        found = f"{'hasAny' if operator == 'any of' else 'hasAll'}({text}, {built.bind_list(values)})"
        # 0.50 is the same number as 0.5.
        numbers = [float(value) for value in values if column.of_trace == "score" and _DECIMAL.fullmatch(value)]
        return " OR ".join([found, *(f"ifNull(value = {built.bind(number, 'Float64')}, false)" for number in numbers)])
    if operator == "any of" and column.kind == "text":
        return f"{text} IN {built.bind_list(values)}"
    if operator == "any of":
        return f"({' OR '.join(f'{text} = {_bind(built, column.kind, value)}' for value in values) or 'false'})"
    if column.kind == "list":
        return f"arrayExists(one -> {COMPARED[operator].format(column='one', value=built.bind(values[0]))}, {text})"
    return COMPARED[operator].format(column=text, value=_bind(built, column.kind, values[0]))


def _bind(built: Where, kind: Kind, value: str) -> str:
    match kind:
        case "number":
            return built.bind(float(value), "Float64")
        case "time":
            return built.bind_time(int(value) if _NANOSECONDS.fullmatch(value) else parse_time(value, "time"))
        case "flag":
            return "true" if value == "true" else "false"
        case _:
            return built.bind(value)
