"""The columns that lists can have, and which of them a page shows, in which order and sorted by which."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from genscope.web.state import State

#: The order that a list has of itself: the latest first.
NEWEST: Final = "-start_time"


@dataclass(frozen=True, slots=True)
class Column:
    """A column: `templates/_span_cells.html` or `_trace_cells.html` has a macro of its name, `lists.css` a class `c-name`.

    `sort` is the order of `store.orders` that its header sorts by, empty where there is none. `shown` says whether a
    list has it of itself.
    """

    name: str
    title: str
    sort: str = ""
    shown: bool = True
    numeric: bool = False


@dataclass(frozen=True, slots=True)
class Header:
    """The head of a column that is shown: what `aria-sort` says of it, and the `sort` that following it leads to."""

    column: Column
    sorted: str
    next: str


OF_SPANS: Final = (
    Column("time", "Time", "start_time"),
    Column("name", "Name", "name"),
    Column("model", "Model", "model"),
    Column("user", "User", "user"),
    Column("input", "Prompt"),
    Column("output", "Completion"),
    Column("tokens", "Tokens", "tokens", numeric=True),
    Column("cost", "Cost", "cost", numeric=True),
    Column("latency", "Latency", "latency", numeric=True),
    Column("type", "Type", "type", shown=False),
    Column("trace", "Trace", shown=False),
    Column("level", "Level", shown=False),
    Column("ttft", "First token", "ttft", shown=False, numeric=True),
    Column("input_tokens", "Tokens in", "input_tokens", shown=False, numeric=True),
    Column("output_tokens", "Tokens out", "output_tokens", shown=False, numeric=True),
    Column("provider", "Provider", "provider", shown=False),
    Column("session", "Session", "session", shown=False),
    Column("tags", "Tags", shown=False),
    Column("scores", "Scores", shown=False),
    Column("tool_calls", "Tool calls", shown=False),
    Column("env", "Environment", "env", shown=False),
    Column("release", "Release", shown=False),
    Column("version", "Version", shown=False),
    Column("prompt", "Prompt template", shown=False),
)
OF_TRACES: Final = (
    Column("time", "Time", "start_time"),
    Column("name", "Name", "name"),
    Column("user", "User", "user"),
    Column("input", "Input"),
    Column("output", "Output"),
    Column("models", "Models"),
    Column("spans", "Spans", "spans", numeric=True),
    Column("tokens", "Tokens", "tokens", numeric=True),
    Column("cost", "Cost", "cost", numeric=True),
    Column("latency", "Duration", "latency", numeric=True),
    Column("errors", "Errors", "errors", shown=False, numeric=True),
    Column("session", "Session", "session", shown=False),
    Column("tags", "Tags", shown=False),
    Column("scores", "Scores", shown=False),
    Column("env", "Environment", "env", shown=False),
    Column("release", "Release", shown=False),
    Column("version", "Version", shown=False),
)


def shown_first(columns: Sequence[Column], *names: str) -> tuple[Column, ...]:
    """Return columns of which exactly these are shown of themselves, in this order and before the others."""
    by_name = {column.name: column for column in columns}
    first = [Column(c.name, c.title, c.sort, True, c.numeric) for c in (by_name.pop(name) for name in names)]
    return (*first, *(Column(c.name, c.title, c.sort, False, c.numeric) for c in by_name.values()))


def chosen(columns: Sequence[Column], state: State) -> list[Column]:
    """Return the columns that `columns` in the URL names, in its order; without any, those that are shown of themselves."""
    by_name = {column.name: column for column in columns}
    names = dict.fromkeys(state.value("columns").split(","))
    return [by_name[name] for name in names if name in by_name] or [column for column in columns if column.shown]


def headers(columns: Iterable[Column], state: State) -> list[Header]:
    """Return the heads of columns: following one sorts by it, following it again turns the order round and then undoes it."""
    sort = state.value("sort") or NEWEST
    return [_header(column, sort) for column in columns]


def _header(column: Column, sort: str) -> Header:
    rising, falling = column.sort, f"-{column.sort}"
    # Of numbers the largest are looked for, of names the first.
    first, second = (falling, rising) if column.numeric or column.sort == "start_time" else (rising, falling)
    if not column.sort or sort not in (rising, falling):
        return Header(column, "", "" if first == NEWEST else first)
    said = "ascending" if sort == rising else "descending"
    return Header(column, said, second if sort == first else "")
