"""The table of paths in docs/conventions.md: a row for each, of what Genscope understood of its two calls together."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path as File

from tests.providers.conversation import PROVIDERS
from tests.providers.path import Path
from tests.providers.seen import Seen, expected

BEGIN, END = "<!-- paths:begin -->\n", "<!-- paths:end -->"
HEAD = (
    "| path | version | model | input, from cache, to cache | output, reasoning | cost in $ | messages | why it differs |\n"
    "| --- | --- | --- | --- | --- | --- | --- | --- |\n"
)
CLIENTS = File(__file__).parent.parent / "clients"


def row(path: Path, measured: dict[str, list[Seen]]) -> str:
    """Return the row of a path, in which a cell says both where streaming makes a difference."""
    right = expected(PROVIDERS[path.provider])
    columns: tuple[Callable[[list[Seen]], str], ...] = (
        lambda calls: ", ".join(dict.fromkeys(call.model or "none" for call in calls)),
        lambda calls: _sums(calls, "input", "input_cache_read", "input_cache_write"),
        lambda calls: _sums(calls, "output", "output_reasoning"),
        lambda calls: f"{sum((call.cost or Decimal(0) for call in calls), Decimal(0)):f}",
        lambda calls: "same" if _messages(calls) == _messages(right) else "differ",
    )
    cells = [_both({mode: column(calls) for mode, calls in measured.items()}) for column in columns]
    return f"| {' | '.join([path.name, _version(path), *cells, path.why])} |"


def _both(cells: dict[str, str]) -> str:
    return (
        next(iter(cells.values()))
        if len(set(cells.values())) == 1
        else ", ".join(f"{k}: {v}" for k, v in cells.items())
    )


def _sums(calls: list[Seen], *kinds: str) -> str:
    return ", ".join(str(sum(call.usage.get(kind, 0) for call in calls)) for kind in kinds)


def _messages(calls: list[Seen]) -> list[object]:
    return [(call.input, call.output) for call in calls]


def _version(path: Path) -> str:
    """Return the pinned version of what tells Genscope."""
    if path.environment == "node":
        pinned = json.loads((CLIENTS / "node" / "package.json").read_text())["dependencies"][path.package]
        return str(pinned).rpartition("@")[2]  # `npm:ai@5.0.277` beside a newer `ai`
    pinned = (CLIENTS / f"{path.environment}.txt").read_text()
    found = re.search(rf"^{re.escape(path.package)}==(\S+)", pinned, re.MULTILINE)
    assert found, f"{path.package} is not in tests/clients/{path.environment}.txt"
    return found[1]


def rows(page: File) -> list[str]:
    """Return the rows that stand in a page."""
    _, _, rest = page.read_text().partition(BEGIN)
    return rest.partition(END)[0].removeprefix(HEAD).splitlines()


def name(row: str) -> str:
    """Return the path's name in a row."""
    return row.removeprefix("| ").partition(" | ")[0]


def write(page: File, paths: list[Path], path: Path, new: str) -> None:
    """Put a path's row into its place in the page; rows of paths that are gone go too."""
    known = {name(row): row for row in rows(page)} | {path.name: new}
    lines = [known[one.name] for one in paths if one.name in known]
    before, _, rest = page.read_text().partition(BEGIN)
    page.write_text(before + BEGIN + HEAD + "".join(f"{line}\n" for line in lines) + END + rest.partition(END)[2])
