"""The tables that the SQL console shows: what each of their columns is, and the SQL that makes it from one project's rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from genscope.store.where import COLUMNS, COST_MISSING, PARENT, START, cost_of


@dataclass(frozen=True, slots=True)
class TableColumn:
    """A column: its type as the engine calls it, what it holds, and its SQL where that is another name."""

    name: str
    type: str
    description: str
    sql: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """A table by its name; `source` is the SQL that its columns are selected from."""

    name: str
    description: str
    columns: tuple[TableColumn, ...]
    source: str

    @property
    def select(self) -> str:
        """The SQL of the whole table, in which `$traces` is still to be put where it has that."""
        columns = ", ".join(f"{column.sql or column.name} AS {column.name}" for column in self.columns)
        return f"SELECT {columns} FROM {self.source}"  # noqa: S608 - of constants


def _decoded(column: str) -> str:
    """Return the SQL of a map of JSON texts as one of texts, see `rows.entry`."""
    raw = "if(startsWith(v, '\\x01'), substring(v, 18), v)"
    return f"mapApply((k, v) -> (k, if(startsWith({raw}, '\"'), JSONExtractString({raw}), {raw})), {column})"


_SPANS: Final = "default.spans FINAL WHERE spans.project_id = {project_id:String}"
_COLUMNS: Final = (
    TableColumn("trace_id", "String", "Id of the trace"),
    TableColumn("span_id", "String", "Id of the span within it"),
    TableColumn("parent_span_id", "Nullable(String)", "The span it is a part of; NULL at the root", PARENT),
    TableColumn(
        "time",
        "DateTime64(9)",
        "Where it is placed, nearly always its start: to ask about a period is fast by this column",
    ),
    TableColumn("start_time", "DateTime64(9)", "When it began", START),
    TableColumn("end_time", "Nullable(DateTime64(9))", "When it ended", "spans.end_time"),
    TableColumn("latency", "Nullable(Float64)", "Seconds from start to end", COLUMNS["latency"].sql),
    TableColumn(
        "time_to_first_token", "Nullable(Float64)", "Seconds to the first token", COLUMNS["time_to_first_token"].sql
    ),
    TableColumn("type", "Nullable(String)", "`generation`, `tool`, `span`, ..."),
    TableColumn("name", "Nullable(String)", "Name of the span"),
    TableColumn("level", "Nullable(String)", "`DEBUG`, `DEFAULT`, `WARNING` or `ERROR`"),
    TableColumn("status_message", "Nullable(String)", "Message of the error"),
    TableColumn("model", "Nullable(String)", "Model, as the provider names it"),
    TableColumn("provider", "Nullable(String)", "Who runs it"),
    TableColumn("model_parameters", "Nullable(String)", "Parameters of the call, as JSON"),
    TableColumn("input", "Nullable(String)", "Prompt, as JSON where it was a structure"),
    TableColumn("output", "Nullable(String)", "Completion, likewise"),
    TableColumn("input_tokens", "Nullable(UInt64)", "Tokens in, cached ones included"),
    TableColumn("output_tokens", "Nullable(UInt64)", "Tokens out, reasoning included"),
    TableColumn("usage", "Map(String, UInt64)", "Tokens by kind, such as `usage['input_cache_read']`"),
    TableColumn("cost", "Nullable(Decimal(38, 12))", "Cost in US dollars; NULL where it is not known", "total_cost"),
    TableColumn("input_cost", "Nullable(Decimal(38, 12))", "That of the input", cost_of("input")),
    TableColumn("output_cost", "Nullable(Decimal(38, 12))", "That of the output", cost_of("output")),
    TableColumn("cost_source", "Nullable(String)", "`reported` or `computed`"),
    TableColumn("cost_missing", "Nullable(String)", "Why there is no cost", COST_MISSING),
    TableColumn("user_id", "Nullable(String)", "User, where this span names one"),
    TableColumn("session_id", "Nullable(String)", "Session, where this span names one"),
    TableColumn("tags", "Array(String)", "Tags"),
    TableColumn("tools", "Array(String)", "Tools that the model was offered"),
    TableColumn("tool_calls", "Array(String)", "Tools that it called"),
    TableColumn("metadata", "Map(String, String)", "Metadata of the span", _decoded("metadata")),
    TableColumn("trace_name", "Nullable(String)", "Name of the trace, where this span tells it"),
    TableColumn("trace_metadata", "Map(String, String)", "Metadata of the trace, likewise", _decoded("trace_metadata")),
    TableColumn("environment", "Nullable(String)", "Environment"),
    TableColumn("release", "Nullable(String)", "Release"),
    TableColumn("version", "Nullable(String)", "Version"),
    TableColumn("prompt_name", "Nullable(String)", "Prompt that was used"),
    TableColumn("prompt_version", "Nullable(String)", "Its version"),
    TableColumn("service_tier", "Nullable(String)", "Tier of service"),
    TableColumn("attributes", "Map(String, String)", "Attributes as they were sent", _decoded("attributes")),
    TableColumn("scope", "Nullable(String)", "Library that told of it", "scope_name"),
    TableColumn("protocol", "Nullable(String)", "Protocol it came by"),
)
_TRACES: Final = (
    TableColumn("trace_id", "String", "Id of the trace"),
    TableColumn("name", "Nullable(String)", "Its name, or that of its first span"),
    TableColumn("start_time", "DateTime64(9)", "When it began", "fromUnixTimestamp64Nano(start_time, 'UTC')"),
    TableColumn(
        "end_time", "Nullable(DateTime64(9))", "When its last span ended", "fromUnixTimestamp64Nano(end_time, 'UTC')"
    ),
    TableColumn("latency", "Nullable(Float64)", "Seconds between the two", "(end_time - start_time) / 1e9"),
    TableColumn("span_count", "UInt64", "Spans"),
    TableColumn("generation_count", "UInt64", "Spans of type `generation`"),
    TableColumn("error_count", "UInt64", "Spans of level `ERROR`"),
    TableColumn("unpriced_count", "UInt64", "Calls to a model whose cost is not known"),
    TableColumn("input_tokens", "Nullable(UInt64)", "Tokens into its calls, of which each counts once"),
    TableColumn("output_tokens", "Nullable(UInt64)", "Tokens out of them"),
    TableColumn("cost", "Nullable(Decimal(38, 12))", "What they cost in US dollars", "total_cost"),
    TableColumn("user_id", "Nullable(String)", "User"),
    TableColumn("session_id", "Nullable(String)", "Session"),
    TableColumn("tags", "Array(String)", "Tags"),
    TableColumn("models", "Array(String)", "Models"),
    TableColumn("environment", "Nullable(String)", "Environment"),
    TableColumn("release", "Nullable(String)", "Release"),
    TableColumn("version", "Nullable(String)", "Version"),
    TableColumn("metadata", "Map(String, String)", "Metadata", _decoded("metadata")),
)
_SCORES: Final = (
    TableColumn("id", "String", "Id of the score"),
    TableColumn("name", "String", "What was judged"),
    TableColumn("time", "DateTime64(9)", "When"),
    TableColumn("data_type", "String", "`NUMERIC`, `BOOLEAN`, `CATEGORICAL`, `TEXT` or `CORRECTION`"),
    TableColumn("value", "Nullable(Float64)", "The number; 0 or 1 of a boolean"),
    TableColumn("string_value", "Nullable(String)", "The category or text"),
    TableColumn("comment", "Nullable(String)", "What was said beside it"),
    TableColumn("trace_id", "Nullable(String)", "The trace it is about"),
    TableColumn("span_id", "Nullable(String)", "The span within it"),
    TableColumn("session_id", "Nullable(String)", "The session it is about"),
    TableColumn("source", "String", "Who says so: `API`, `EVAL`, `ANNOTATION`, `FEEDBACK` or `METRIC`"),
    TableColumn("environment", "Nullable(String)", "Environment"),
    TableColumn("metadata", "Map(String, String)", "Metadata", _decoded("metadata")),
)
_SESSIONS: Final = (
    TableColumn("id", "Nullable(String)", "Id of the session", "session_id"),
    TableColumn(
        "start_time", "DateTime64(9)", "When its first trace began", "fromUnixTimestamp64Nano(min(begin), 'UTC')"
    ),
    TableColumn(
        "end_time",
        "Nullable(DateTime64(9))",
        "When the last span of its traces ended",
        "fromUnixTimestamp64Nano(max(last), 'UTC')",
    ),
    TableColumn("trace_count", "UInt64", "Traces", "count()"),
    TableColumn("span_count", "UInt64", "Their spans", "sum(spans)"),
    TableColumn("error_count", "UInt64", "Spans of level `ERROR`", "sum(errors)"),
    TableColumn("input_tokens", "Nullable(UInt64)", "Tokens in", "sum(tokens_in)"),
    TableColumn("output_tokens", "Nullable(UInt64)", "Tokens out", "sum(tokens_out)"),
    TableColumn("cost", "Nullable(Decimal(38, 12))", "Cost in US dollars", "sum(money)"),
    TableColumn("user_id", "Nullable(String)", "User, of its latest trace", "argMaxIf(user, begin, user != '')"),
    TableColumn("tags", "Array(String)", "Tags of its traces", "groupUniqArrayArray(labels)"),
)

#: The tables by name.
TABLES: Final[Mapping[str, Table]] = {
    table.name: table
    for table in (
        Table("spans", "Every span", _COLUMNS, _SPANS),
        Table(
            "generations",
            "Spans of type `generation`: one call to a model each",
            _COLUMNS,
            f"{_SPANS} AND type = 'generation'",
        ),
        Table(
            "traces",
            "Traces, gathered from their spans; what they were asked and answered is in `spans`",
            _TRACES,
            "($traces)",
        ),
        Table(
            "scores",
            "What was said of traces, spans and sessions",
            _SCORES,
            "default.scores FINAL WHERE scores.project_id = {project_id:String} AND NOT removed",
        ),
        Table(
            "sessions",
            "Traces that share a session",
            _SESSIONS,
            "(SELECT session_id, start_time AS begin, end_time AS last, span_count AS spans, error_count AS errors, "
            "input_tokens AS tokens_in, output_tokens AS tokens_out, total_cost AS money, user_id AS user, tags AS labels "
            "FROM ($traces) WHERE session_id != '') "
            "GROUP BY session_id",
        ),
    )
}
