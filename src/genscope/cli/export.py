"""`genscope export` and `genscope import`: spans out into a file, and back."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeElapsedColumn, TransferSpeedColumn

from genscope.cli.client import DEFAULT_URL, Client, PublicKey, SecretKey, Url
from genscope.cli.output import err, give_up, out
from genscope.cli.query import Since, Until, check

#: The formats by the ends of names of files.
FORMATS: Final = {".jsonl": "jsonl", ".ndjson": "jsonl", ".csv": "csv", ".parquet": "parquet"}
#: Bytes of lines that one request of an import carries; a longer line goes by itself.
REQUEST: Final = 8 << 20
_COLUMNS: Final = (
    TextColumn("{task.description}"),
    BarColumn(),
    DownloadColumn(),
    TransferSpeedColumn(),
    TimeElapsedColumn(),
)

Out = Annotated[
    Path,
    typer.Argument(metavar="FILE", help="What to write: the format is that of its name, .jsonl, .csv or .parquet."),
]
In = Annotated[Path, typer.Argument(metavar="FILE", help="JSON lines that `genscope export` wrote.")]


def export(
    file: Out,
    filter: Annotated[str, typer.Option("--query", "-q", help="Only what meets this filter.")] = "",
    since: Since = "",
    until: Until = "",
    force: Annotated[bool, typer.Option("--force", help="Write over a file that is there.")] = False,
    url: Url = DEFAULT_URL,
    public_key: PublicKey = "",
    secret_key: SecretKey = "",
) -> None:
    """Write whole spans into a file, the earliest first.

    Examples:

      genscope export all.jsonl

      genscope export errors.csv --query 'type:generation level:ERROR' --since 7d
    """
    form = FORMATS.get(file.suffix.lower())
    if form is None:
        give_up(f"{file.name}: the name of the file tells its format; let it end in {', '.join(FORMATS)}", 2)
    if file.exists() and not force:
        give_up(f"{file} is there already; --force writes over it", 2)
    check(filter)
    parameters = {"format": form, "q": filter, "from": since, "to": until}
    pieces = Client(url, public_key, secret_key).file(
        "export", {name: text for name, text in parameters.items() if text}
    )
    part = file.with_name(f"{file.name}.part")
    size = 0
    try:
        with part.open("wb") as target, _progress() as progress:
            task = progress.add_task("exporting", total=None)
            for piece in pieces:
                target.write(piece)
                size += len(piece)
                progress.update(task, completed=size)
        part.replace(file)
    except OSError as error:
        give_up(f"{file}: {error.strerror}")
    except KeyboardInterrupt:
        give_up("stopped: nothing was written", 130)
    finally:
        part.unlink(missing_ok=True)
    out.print(f"{file}: {size:,} bytes", markup=False)


def import_(file: In, url: Url = DEFAULT_URL, public_key: PublicKey = "", secret_key: SecretKey = "") -> None:
    """Store the spans and scores of an export as they were. What is there already stays once, so it may be run again.

    Example:

      genscope import all.jsonl --url http://other-server:4318
    """
    client = Client(url, public_key, secret_key)
    spans = scores = 0
    try:
        with file.open("rb") as source, _progress() as progress:
            task = progress.add_task("importing", total=file.stat().st_size)
            for lines in _requests(source):
                stored = client.send("import", lines)
                spans, scores = spans + stored["spans"], scores + stored["scores"]
                progress.advance(task, len(lines))
    except OSError as error:
        give_up(f"{file}: {error.strerror}")
    except KeyboardInterrupt:
        give_up("stopped: what was stored stays; the same command again does the rest", 130)
    out.print(f"{spans:,} spans and {scores:,} scores", markup=False)


def _requests(lines: Iterator[bytes]) -> Iterator[bytes]:
    """Yield lines in pieces of about the size of a request."""
    held: list[bytes] = []
    size = 0
    for line in lines:
        if held and size + len(line) > REQUEST:
            yield b"".join(held)
            held, size = [], 0
        held.append(line)
        size += len(line)
    if held:
        yield b"".join(held)


def _progress() -> Progress:
    return Progress(*_COLUMNS, console=err, transient=True, disable=not err.is_terminal)
