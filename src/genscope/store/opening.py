"""How a store is opened that settings name."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from genscope.config import Settings
from genscope.store.engine import Engine
from genscope.store.migrate import migrate


@contextlib.contextmanager
def open_store(settings: Settings) -> Iterator[Engine]:
    """Open the store, bring its schema up to date, and close it when done.

    Raises:
        StoreError: it cannot be opened; `StoreLocked` if another process has it.
    """
    engine = Engine(
        settings.store_path,
        memory_bytes=settings.engine_memory_bytes,
        query_memory_bytes=settings.query_memory_bytes,
        query_seconds=settings.query_seconds,
        connections=settings.query_connections,
    )
    with contextlib.closing(engine):
        migrate(engine, fsync=settings.fsync)
        yield engine
