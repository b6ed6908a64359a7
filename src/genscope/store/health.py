"""What the store holds and takes, and how old and new that is."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from genscope.store.engine import Engine


@dataclass(frozen=True, slots=True)
class Table:
    """What a table takes on disk. Rows that are not merged yet count once each."""

    name: str
    rows: int
    bytes: int
    parts: int


@dataclass(frozen=True, slots=True)
class Extent:
    """What a project has: rows of spans, and the times of its first and last, in nanoseconds since the epoch."""

    spans: int
    traces: int
    oldest: int | None
    newest: int | None


@dataclass(frozen=True, slots=True)
class EngineState:
    """The engine's version, its memory in bytes, and when it last put rows of spans on disk, in nanoseconds since the epoch."""

    version: str
    memory: int
    last_insert: int | None


class Health:
    """Answers how the store is doing. Every call blocks."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    @property
    def path(self) -> Path:
        """The directory of the store."""
        return self._engine.path

    def tables(self) -> list[Table]:
        """Return the tables that hold something, the largest first."""
        rows = self._engine.query(
            "SELECT table AS name, toInt64(sum(rows)) AS rows, toInt64(sum(bytes_on_disk)) AS bytes, toInt64(count()) AS parts "
            "FROM system.parts WHERE active AND database = currentDatabase() GROUP BY table ORDER BY sum(bytes_on_disk) DESC, table"
        )
        return [Table(**row) for row in rows.to_pylist()]

    def extent(self, project_id: str) -> Extent:
        """Return what a project has. Reads no more of it than a count does."""
        spans = "spans WHERE project_id = {project:String}"
        (row,) = self._engine.query(
            f"SELECT (SELECT count() FROM {spans}) AS spans, "  # noqa: S608 - of constants
            "(SELECT uniqExact(trace_id) FROM traces WHERE project_id = {project:String}) AS traces, "
            f"(SELECT toUnixTimestamp64Nano(time) FROM {spans} ORDER BY project_id, time LIMIT 1) AS oldest, "
            f"(SELECT toUnixTimestamp64Nano(time) FROM {spans} ORDER BY project_id DESC, time DESC LIMIT 1) AS newest",
            {"project": project_id},
        ).to_pylist()
        return Extent(**row)

    def engine(self) -> EngineState:
        """Return how the engine is doing."""
        (row,) = self._engine.query(
            "SELECT version() AS version, (SELECT value FROM system.metrics WHERE metric = 'MemoryTracking') AS memory, "
            "(SELECT toInt64(toUnixTimestamp(maxOrNull(modification_time))) * 1000000000 FROM system.parts "
            "WHERE active AND database = currentDatabase() AND table = 'spans') AS last_insert"
        ).to_pylist()
        return EngineState(row["version"], row["memory"] or 0, row["last_insert"] or None)
