"""Costs that are computed again: what they depend on is read in windows of time, and new ones are written over the old.

`spans` is a table whose rows only ever unite, and of two costs the dearer wins; so a new cost is no new row. It is written by a
mutation, which rewrites the few columns of the cost in the parts that have such spans, in every row of a span that came in
pieces. The mutation looks the new values up in the table `repriced`, which only ever holds what is being written.

A piece of a span that arrives between the reading and the writing and tells more tokens keeps the cost that it brought.

A mutation that a crash cuts off is gone with the next start, but for the parts that it had finished: the same again sets it right.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from genscope.model import Span
from genscope.query.filter import Filter
from genscope.store.engine import Connection, Engine
from genscope.store.errors import StoreError
from genscope.store.rows import PLAIN, TIME, encode_costs, values
from genscope.store.sql import sql
from genscope.store.where import COST_MISSING, where

#: Rows of a window: what is read and held at a time.
WINDOW: Final = 20_000
#: What identifies a span, and what is written.
KEY: Final = ("project_id", "time", "trace_id", "span_id")
WRITTEN: Final = ("provider", "service_tier", "cost", "cost_source", "cost_missing", "cost_rule")
#: Totals of tokens that a cost was computed from.
SIDES: Final = ("input", "output")
#: Seconds between two looks at a mutation.
STEP: Final = 0.02

# The mutation runs later and elsewhere, so it needs the name of the database as well.
_LOOK_UP: Final = "joinGet('default.repriced', '{column}', " + ", ".join(KEY) + ")"
_WRITE: Final = (
    "ALTER TABLE spans UPDATE "
    + ", ".join(f"{column} = {_LOOK_UP.format(column=column)}" for column in WRITTEN)
    + " WHERE project_id = {project_id:String} AND time >= fromUnixTimestamp64Nano({first:Int64}, 'UTC')"
    + " AND time <= fromUnixTimestamp64Nano({last:Int64}, 'UTC') AND "
    + _LOOK_UP.format(column="staged")
    + "".join(f" AND ifNull({side}_tokens, 0) <= {_LOOK_UP.format(column=side)}" for side in SIDES)
)
_OURS: Final = "database = 'default' AND table = 'spans' AND command LIKE '%default.repriced%'"
_UNDER_WAY: Final = f"SELECT latest_fail_reason FROM system.mutations WHERE {_OURS} AND NOT is_done"  # noqa: S608 - of constants
_CANCEL: Final = f"KILL MUTATION WHERE {_OURS}"
_RUNNING: Final = "SELECT 1 FROM system.merges WHERE database = 'default' AND table = 'spans' AND is_mutation"


class Stopped(Exception):
    """The server is being stopped; what was written stays, and the rest can be done again."""


class Costs:
    """The costs of stored spans. Every call blocks; call it from a worker thread."""

    def __init__(self, engine: Engine) -> None:
        """Give up what a crash has left behind."""
        self._engine = engine
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        with self._engine.connection() as connection:
            _give_up(connection)

    def stop(self) -> None:
        """End what is being written as soon as possible."""
        self._stopping.set()

    def windows(self, project_id: str, filter: Filter) -> Iterator[tuple[Filter, int, int]]:
        """Cut the filter's range of time into windows of about `WINDOW` rows, the oldest first.

        Yields:
            The filter narrowed to a window, how many of its rows will have been looked at then, and how many there are.
        """
        condition = where(project_id, replace(filter, conditions=()))
        text = sql("reprice_extent").substitute(where=str(condition))
        rows, last = self._engine.query(text, condition.parameters).to_pylist()[0].values()
        start, done = filter.start, 0
        # Until there is no more, whatever was counted: rows that arrive late move the others on.
        while rows:
            rest = replace(filter, start=start, end=last + 1)
            condition = where(project_id, replace(rest, conditions=()))
            text = sql("spans_boundary").substitute(where=str(condition), direction="ASC")
            found = self._engine.query(text, condition.parameters | {"offset": WINDOW})
            if not found.num_rows:
                yield rest, rows, rows
                return
            # Rows of one moment stay together, so that pieces of a span do.
            start = found["boundary"][0].as_py() + 1
            done = min(done + WINDOW, rows)
            yield replace(rest, end=start), done, rows

    def read(self, project_id: str, window: Filter) -> list[Span]:
        """Return the spans of a window that have a price or could have one, with what it depends on and nothing else."""
        condition = where(project_id, window)
        text = sql("reprice_rows").substitute(where=str(condition), cost_missing=COST_MISSING)
        rows = self._engine.query(text, condition.parameters)
        columns = {name: values(rows[name]) for name in rows.column_names}
        columns |= {name: [value or None for value in columns[name]] for name in ("usage", "cost")}
        return [Span(**dict(zip(columns, row, strict=True))) for row in zip(*columns.values(), strict=True)]

    def write(self, rows: pa.Table) -> None:
        """Write the costs of spans, as `encode` has them, over those that are stored.

        Raises:
            Stopped: the server is being stopped.
            StoreError: not all of it was written.
        """
        moments = rows["time"].cast(pa.int64())
        parameters = {
            "project_id": rows["project_id"][0].as_py(),
            "first": pc.min(moments).as_py(),
            "last": pc.max(moments).as_py(),
        }
        with self._lock, self._engine.connection() as connection:
            connection.insert("repriced", rows)
            try:
                connection.command(_WRITE, parameters)
                while reasons := connection.query(_UNDER_WAY).column(0).to_pylist():
                    if reason := next(filter(None, reasons), None):
                        raise StoreError(reason)
                    if self._stopping.wait(STEP):
                        raise Stopped
            finally:
                _give_up(connection)


def _give_up(connection: Connection) -> None:
    """End the mutations that write costs, and forget what they look up when nothing looks any more."""
    connection.command(_CANCEL)
    while connection.query(_RUNNING).num_rows:
        time.sleep(STEP)
    connection.command("TRUNCATE TABLE repriced")


def encode(project_id: str, spans: Sequence[Span]) -> pa.Table:
    """Return what `Costs.write` wants to know of these spans."""
    columns = {
        "project_id": pa.array([project_id] * len(spans), pa.string()),
        "time": pa.array([span.time for span in spans], TIME),
        "cost": encode_costs([span.cost or {} for span in spans]),
    }
    for side in SIDES:
        columns[side] = pa.array([(span.usage or {}).get(side, 0) for span in spans], pa.uint64())
    for name in (*KEY, *WRITTEN):
        if name not in columns:
            columns[name] = pa.array([getattr(span, name) for span in spans], PLAIN[name])
    return pa.table(columns)
