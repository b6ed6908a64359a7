"""What every command prints, and how."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Annotated, Final, NoReturn

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

out = Console(highlight=False, soft_wrap=True)
#: For tables: an amount or a name that is cut off at the edge of the terminal is of no use.
wide = Console(highlight=False, width=10_000)
err = Console(stderr=True, highlight=False, soft_wrap=True)

#: Letters of a value in a table; no model that anyone sells has a longer name, and no price can be set for one.
LONGEST: Final = 300

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def fail(message: str) -> None:
    """Print what went wrong. The message may hold a user's text, so none of it is taken for markup."""
    err.print("error:", style="red", end=" ")
    err.print(message, markup=False)


def give_up(message: str, status: int = 1) -> NoReturn:
    """Print what went wrong, and exit."""
    fail(message)
    raise typer.Exit(status)


def print_json(value: object) -> None:
    """Print JSON for another program."""
    typer.echo(json.dumps(value, indent=2))


def print_rows(rows: Sequence[Mapping[str, object]], as_json: bool) -> None:
    """Print rows as a table, or as JSON for another program."""
    if as_json:
        print_json(rows)
    else:
        print_table(rows)


def print_table(rows: Sequence[Mapping[str, object]]) -> None:
    """Print rows as a table, numbers to the right."""
    table = Table(box=None, header_style="bold")
    for name, value in (rows[0] if rows else {}).items():
        table.add_column(name, justify="right" if isinstance(value, int) or str(value).startswith("$") else "left")
    for row in rows:
        table.add_row(*(Text(_written(value)) for value in row.values()))
    wide.print(table if rows else "none")


def _written(value: object) -> str:
    text = f"{value:,}" if isinstance(value, int) else str(value)
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"
