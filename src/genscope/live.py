"""News of what was stored: whoever shows a project's rows learns at once which traces have new ones.

Everything here runs in the server's event loop, between two awaits, so nothing is locked. What another server of the same store
takes in is no news here; who wants to see that, too, has to look now and then.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Collection, Iterator
from typing import Final

#: Readers at a time. Each costs a query for every piece of news.
MOST_READERS: Final = 100
#: Traces that a piece of news names. Of more it is said that there are many: then looking at the newest rows is cheaper.
MOST_TRACES: Final = 50
#: Seconds between two pieces of news to one reader at least, and at most, so that whatever stands between keeps the line open.
PACE: Final = 0.25
HEARTBEAT: Final = 15.0


class Reader:
    """One who wants to know, and what it was not told yet: constant memory, however slow it reads."""

    def __init__(self) -> None:
        self._traces: set[str] = set()
        self._many = False
        self._told = asyncio.Event()

    def tell(self, traces: Collection[str]) -> None:
        """Add to what it will be told next."""
        if not self._many:
            self._traces.update(traces)
            self._many = len(self._traces) > MOST_TRACES
        self._told.set()

    def wake(self) -> None:
        """Let it look up though there is no news."""
        self._told.set()

    async def next(self, patience: float) -> list[str] | None:
        """Wait for news and return the traces that have new rows; none if there are too many to name, None without news."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._told.wait(), patience)
        if not self._told.is_set():
            return None
        traces = [] if self._many else sorted(self._traces)
        self._traces, self._many = set(), False
        self._told.clear()
        return traces


class News:
    """Brings what was stored to those who want to know."""

    def __init__(self) -> None:
        self._readers: dict[str, set[Reader]] = {}
        self._count = 0
        self._closed = asyncio.Event()

    @property
    def full(self) -> bool:
        """Whether no more can be told."""
        return self._count >= MOST_READERS or self._closed.is_set()

    def announce(self, project_id: str, traces: Collection[str]) -> None:
        """Say that traces of a project have new rows, which are on disk. Costs nothing where nobody listens."""
        for reader in self._readers.get(project_id, ()):
            reader.tell(traces)

    def close(self) -> None:
        """End what everybody listens to; called in the event loop."""
        self._closed.set()
        for readers in self._readers.values():
            for reader in readers:
                reader.wake()

    async def listen(self, project_id: str, seconds: float) -> AsyncIterator[list[str] | None]:
        """Yield news of a project for so many seconds or until `close`: see `Reader.next`. The first says nothing of which."""
        loop = asyncio.get_running_loop()
        end = loop.time() + seconds
        with self._reader(project_id) as reader:
            # What was stored before anybody listened.
            yield []
            while not self._closed.is_set() and (left := end - loop.time()) > 0:
                news = await reader.next(min(HEARTBEAT, left))
                if self._closed.is_set():
                    return
                yield news
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._closed.wait(), PACE)

    @contextlib.contextmanager
    def _reader(self, project_id: str) -> Iterator[Reader]:
        reader = Reader()
        self._readers.setdefault(project_id, set()).add(reader)
        self._count += 1
        try:
            yield reader
        finally:
            self._count -= 1
            readers = self._readers[project_id]
            readers.discard(reader)
            if not readers:
                del self._readers[project_id]
