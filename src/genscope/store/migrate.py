"""Numbered `.sql` files, applied once each, in order, at start."""

from __future__ import annotations

from importlib import resources
from string import Template

from genscope.store.engine import Engine
from genscope.store.errors import StoreError

LEDGER = """
CREATE TABLE IF NOT EXISTS migrations (version UInt32, name String, applied DateTime64(6, 'UTC') DEFAULT now64(6))
ENGINE = MergeTree ORDER BY version SETTINGS fsync_after_insert = 1, fsync_part_directory = 1
"""


def migrate(engine: Engine, *, fsync: bool = True) -> list[str]:
    """Bring the store to the newest schema and return the names of the files that were applied.

    A file that was cut off half-way is applied again from its start, so every statement of a file must bear repetition.

    Raises:
        StoreError: a statement failed, or the store was written by a newer Genscope.
    """
    engine.command(LEDGER)
    known: set[int] = {row["version"] for row in engine.query("SELECT version FROM migrations").to_pylist()}
    files = sorted(
        (file for file in resources.files("genscope.store").joinpath("schema").iterdir() if file.name.endswith(".sql")),
        key=lambda file: file.name,
    )
    versions = {int(file.name.split("_", 1)[0]) for file in files}
    if unknown := known - versions:
        raise StoreError(
            f"the store has schema version {max(unknown)}, which this one does not know: install the newer Genscope"
        )
    applied = []
    for file in files:
        version = int(file.name.split("_", 1)[0])
        if version in known:
            continue
        for statement in statements(Template(file.read_text()).substitute(fsync=int(fsync))):
            engine.command(statement)
        engine.command(
            "INSERT INTO migrations (version, name) VALUES ({version:UInt32}, {name:String})",
            {"version": version, "name": file.name},
        )
        applied.append(file.name)
    return applied


def statements(text: str) -> list[str]:
    """Split the text of a migration at the semicolons that end a line."""
    return [part.strip() for part in (text + "\n").split(";\n") if part.strip()]
