"""Group commit: rows of many requests, one insert, and every request waits for it.

A request hands over a table of rows and gets a future. One thread takes what has gathered, inserts it, and resolves the
futures once the engine has it on disk. While an insert runs the next group gathers, so a group is as large as the load makes it.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Final

import pyarrow as pa

from genscope.store.errors import StoreError

log = logging.getLogger(__name__)

#: One insert takes at most about this much; more waits for the next.
GROUP_BYTES: Final = 32 << 20

#: Tables whose rows say where those of other tables are, and so have to be there when these are.
FIRST: Final = frozenset({"entities"})

Insert = Callable[[str, pa.Table], None]


class BufferFull(Exception):
    """More rows wait than the buffer may hold; the same call succeeds once they are stored."""


class WriterClosed(Exception):
    """The writer is being shut down."""


@dataclass(slots=True)
class _Entry:
    table: str
    rows: pa.Table
    size: int
    since: float = field(default_factory=time.monotonic)
    stored: Future[None] = field(default_factory=Future)
    #: Rows of the same request without which these would not be found.
    after: list[Future[None]] = field(default_factory=list)


class Writer:
    """Buffers rows up to a bound and inserts them in groups. Safe to use from any thread."""

    def __init__(self, insert: Insert, *, linger: float, max_bytes: int) -> None:
        """Start the writing thread.

        Args:
            insert: stores rows in a table, durably, before it returns; called from one thread only.
            linger: seconds that rows wait for company at least, from when they came.
            max_bytes: bound of what is buffered, in bytes of Arrow.
        """
        self._insert = insert
        self._linger = linger
        self._max_bytes = max_bytes
        self._entries: deque[_Entry] = deque()
        self._bytes = 0
        self._changed = threading.Condition()
        self._closed = False
        self._thread = threading.Thread(target=self._run, name="genscope-writer", daemon=True)
        self._thread.start()

    @property
    def buffered_bytes(self) -> int:
        """Bytes of rows that are accepted and not yet stored."""
        return self._bytes

    def submit(self, *tables: tuple[str, pa.Table]) -> list[Future[None]]:
        """Queue the rows of one request, by table; all of them, or none.

        Returns:
            A future for each table: done when its rows are on disk, or holding the `StoreError` that kept them from it.

        Raises:
            BufferFull: no room now.
            WriterClosed: the server is shutting down.
        """
        entries = [_Entry(table, rows, rows.nbytes) for table, rows in tables]
        first = [entry.stored for entry in entries if entry.table in FIRST]
        for entry in entries:
            if entry.table not in FIRST:
                entry.after = first
        size = sum(entry.size for entry in entries)
        for entry in entries:
            # From now on it cannot be cancelled: a sender that hangs up takes nothing back, and the writer may always answer.
            entry.stored.set_running_or_notify_cancel()
        with self._changed:
            if self._closed:
                raise WriterClosed
            # A single request may be larger than the buffer; it must not be refused for ever.
            if self._bytes and self._bytes + size > self._max_bytes:
                raise BufferFull
            self._entries.extend(sorted(entries, key=lambda entry: entry.table not in FIRST))
            self._bytes += size
            self._changed.notify()
        return [entry.stored for entry in entries]

    @property
    def alive(self) -> bool:
        """Whether rows are still being stored."""
        return self._thread.is_alive()

    def close(self) -> None:
        """Store what is buffered, then stop. Returns when the last row is on disk."""
        with self._changed:
            self._closed = True
            self._changed.notify()
        self._thread.join()

    def _run(self) -> None:
        while group := self._next_group():
            for table in sorted({entry.table for entry in group}, key=lambda table: (table not in FIRST, table)):
                self._store(table, [entry for entry in group if entry.table == table])
            with self._changed:
                self._bytes -= sum(entry.size for entry in group)
            # Not held while waiting for the next group: these are the largest objects of the process.
            group.clear()

    def _next_group(self) -> list[_Entry]:
        with self._changed:
            self._changed.wait_for(lambda: self._entries or self._closed)
            deadline = self._entries[0].since + self._linger if self._entries else 0.0
            while not self._closed and self._bytes < GROUP_BYTES and (left := deadline - time.monotonic()) > 0:
                self._changed.wait(left)
            group: list[_Entry] = []
            size = 0
            while self._entries and (not group or size + self._entries[0].size <= GROUP_BYTES):
                group.append(self._entries.popleft())
                size += group[-1].size
            return group

    def _store(self, table: str, entries: list[_Entry]) -> None:
        """Insert as one; where that fails, each by itself, so that one request's rows cannot fail another's."""
        for entry in entries:
            if error := next((error for first in entry.after if (error := first.exception())), None):
                entry.stored.set_exception(error)
        entries = [entry for entry in entries if not entry.stored.done()]
        if not entries:
            return
        try:
            self._insert(table, pa.concat_tables([entry.rows for entry in entries]).unify_dictionaries())
        except (StoreError, pa.ArrowException) as error:
            if len(entries) == 1:
                log.error("insert into %s failed: %s", table, error)  # noqa: TRY400 - the message is the engine's own
                entries[0].stored.set_exception(StoreError(str(error)))
                return
            for entry in entries:
                self._store(table, [entry])
        except BaseException as error:
            log.exception("insert into %s failed", table)
            for entry in entries:
                entry.stored.set_exception(StoreError(str(error)))
        else:
            for entry in entries:
                entry.stored.set_result(None)
