"""`genscope query`: spans that meet a filter, as a table or JSON lines."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Annotated, Any, Final

import typer

from genscope.cli.client import DEFAULT_URL, Client, PublicKey, SecretKey, Url
from genscope.cli.output import give_up, print_table
from genscope.query import language
from genscope.query.filter import FilterError

#: Rows that one request asks for at most.
PAGE: Final = 1000
#: What a table shows unless it is told, by what is listed.
COLUMNS: Final = {
    "generations": "start_time,name,model,level,usage.input,usage.output,cost.total,duration_ms,time_to_first_token_ms,trace_id",
    "spans": "start_time,type,name,level,duration_ms,cost.total,trace_id,span_id",
    "traces": "start_time,name,span_count,error_count,total_tokens,total_cost,duration_ms,user_id,trace_id",
}
#: What a column is called where its name is long.
TITLES: Final = {
    "start_time": "start",
    "usage.input": "in",
    "usage.output": "out",
    "cost.total": "cost",
    "total_cost": "cost",
    "total_tokens": "tokens",
    "duration_ms": "latency",
    "time_to_first_token_ms": "first token",
    "span_count": "spans",
    "error_count": "errors",
    "user_id": "user",
}

FilterText = Annotated[
    str, typer.Argument(metavar="FILTER", help="A filter, as the search box takes it; quote it for the shell.")
]
Since = Annotated[str, typer.Option("--since", "--from", help="Begin: an ISO 8601 time, or an age such as 24h or 30d.")]
Until = Annotated[str, typer.Option("--until", "--to", help="End, not included; default: now.")]


def query(
    filter: FilterText = "",
    since: Since = "",
    until: Until = "",
    limit: Annotated[int, typer.Option(min=1, help="Rows at most.")] = 50,
    traces: Annotated[bool, typer.Option("--traces", help="List traces.")] = False,
    spans: Annotated[bool, typer.Option("--spans", help="List spans of every type.")] = False,
    sort: Annotated[
        str, typer.Option(help="What to sort by, a minus before it for the largest first.")
    ] = "-start_time",
    columns: Annotated[str, typer.Option(help="Columns of the table, such as name,model,metadata.plan.")] = "",
    full: Annotated[bool, typer.Option("--full", help="With --json: whole inputs, outputs and attributes.")] = False,
    url: Url = DEFAULT_URL,
    public_key: PublicKey = "",
    secret_key: SecretKey = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, an object a line.")] = False,
) -> None:
    """List the generations that meet a filter, the latest first; or spans, or traces.

    Examples:

      genscope query 'model:gpt-4o level:ERROR' --since 1d

      genscope query 'cost>0.01 -tag:test' --sort=-cost --limit 10

      genscope query '"refund policy" user:alice' --traces --json
    """
    check(filter)
    if traces and spans:
        give_up("--traces and --spans exclude each other", 2)
    what = "traces" if traces else "spans" if spans else "generations"
    parameters = {"q": filter, "from": since, "to": until, "sort": sort, "full": "1" if full else ""}
    rows = _rows(
        Client(url, public_key, secret_key), what, {name: text for name, text in parameters.items() if text}, limit
    )
    if as_json:
        for row in rows:
            typer.echo(json.dumps(row))
        return
    names = [name.strip() for name in (columns or COLUMNS[what]).split(",") if name.strip()]
    print_table([{TITLES.get(name, name): _shown(name, _value(row, name)) for name in names} for row in rows])


def check(filter: str) -> None:
    """Exit with what is wrong with a filter, and where, if anything is."""
    try:
        language.parse(filter)
    except FilterError as error:
        pointed = error.pointed()
        give_up(f"{error}\n{pointed}" if pointed else str(error), 2)


def _rows(client: Client, what: str, parameters: dict[str, str], limit: int) -> Iterator[dict[str, Any]]:
    cursor = ""
    while limit > 0:
        page = client.ask("GET", what, parameters | {"limit": str(min(limit, PAGE)), "cursor": cursor})
        yield from page["data"]
        cursor, limit = page["next_cursor"], limit - len(page["data"])
        if not cursor:
            return


def _value(row: dict[str, Any], name: str) -> Any:
    """Return a field of a row, or the entry of a field that is an object."""
    if name in row:
        return row[name]
    field, _, key = name.partition(".")
    if field not in row:
        give_up(f"--columns: there is no column {name!r}; there are {', '.join(sorted(row))}", 2)
    inner = row[field]
    return inner.get(key) if isinstance(inner, dict) else None


def _shown(name: str, value: Any) -> object:
    if value is None:
        return "-"
    if name.endswith("_time"):
        return str(value)[:19].replace("T", " ")
    if name.endswith("_ms"):
        return f"{value / 1000:.2f} s" if value >= 1000 else f"{value:.0f} ms"
    if name.split(".", maxsplit=1)[0] in ("cost", "total_cost"):
        return f"${value}"
    if isinstance(value, int):
        return value
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    # What strangers wrote must not speak to the terminal.
    return "".join(character if character.isprintable() else " " for character in text)
