"""Which traces of a project are older than it wants to keep, and what is left of them when they are gone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from genscope.store.engine import Engine, Parameter
from genscope.store.sql import sql

#: The sessions that spans name.
SESSIONS: Final = (
    "SELECT assumeNotNull(session_id) FROM spans WHERE project_id = {project_id:String} AND session_id IS NOT NULL"
)


@dataclass(frozen=True, slots=True)
class Expired:
    """How many traces are too old, and when the oldest began, in nanoseconds since the epoch."""

    traces: int
    oldest: int | None


class Expiry:
    """Answers what is too old: whole traces, by the start of their last span. Times are nanoseconds since the epoch."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def traces(self, project_id: str, before: int, limit: int) -> list[str]:
        """Return ids of traces of which nothing is as new as `before`."""
        parameters: dict[str, Parameter] = {"project_id": project_id, "before": before, "limit": limit}
        found = self._engine.query(sql("expired_traces").template, parameters)
        return [str(id_) for id_ in found["trace_id"].to_pylist()]

    def count(self, project_id: str, before: int) -> Expired:
        """Return how many these are."""
        parameters: dict[str, Parameter] = {"project_id": project_id, "before": before}
        (row,) = self._engine.query(sql("expired_count").template, parameters).to_pylist()
        return Expired(row["traces"], row["oldest"] if row["traces"] else None)

    def delete_remains(self, project_id: str, before: int) -> None:
        """Delete what was said of sessions and traces that are gone, as far as it is as old."""
        parameters: dict[str, Parameter] = {"project_id": project_id, "before": before}
        moment = "fromUnixTimestamp64Nano({before:Int64}, 'UTC')"
        self._engine.command(
            f"DELETE FROM scores WHERE project_id = {{project_id:String}} AND time < {moment} AND ("  # noqa: S608
            "trace_id IS NOT NULL AND trace_id NOT IN (SELECT trace_id FROM traces WHERE project_id = {project_id:String}) "
            f"OR trace_id IS NULL AND ifNull(session_id, '') NOT IN ({SESSIONS}))",
            parameters,
        )
        self._engine.command(
            "DELETE FROM sessions WHERE project_id = {project_id:String} "  # noqa: S608 - of constants
            f"AND ifNull(end_time, start_time) < {moment} AND id NOT IN ({SESSIONS})",
            parameters,
        )
