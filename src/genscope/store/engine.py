"""chDB, which is ClickHouse inside this process, behind the three verbs that the store needs: query, command, insert.

What to know of it, as measured with chdb 4.4 (docs/architecture.md has the whole list):

- One process owns a directory. Any number of `Session`s of that process may work on it side by side, one query at a time each,
  with the GIL released; so a pool of sessions is a connection pool.
- A query blocks its thread in C, where Python's signal handlers cannot run: never query on the main thread of a server.
- Importing it blocks SIGPIPE in the importing thread and installs C handlers for SIGINT and the fatal signals; Python's own
  `signal.signal` handlers, installed later, take precedence.
- Query parameters arrive in the engine's TSV escaping, those of arrays as literals; `_written` is the inverse.
- A query that fails half-way leaves the beginning of its answer in the session: such a session is thrown away.
- Planning costs more than reading for a small query: 150 parameters took 10 ms, one array of as many values takes 1 ms.
"""

from __future__ import annotations

import contextlib
import math
import queue
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

import pyarrow as pa
from chdb import ChdbError
from chdb.session import Session

from genscope.store.errors import QueryTooLarge, QueryUnending, StoreBusy, StoreError, StoreLocked

#: A value that SQL may name as `{name:Type}`; a list is an `Array(String)`.
Parameter = str | int | float | list[str]
#: A value of a setting; a dict is a `Map(String, String)`.
Setting = Parameter | Mapping[str, str]

#: Rounds off what an embedded server has no use for: the defaults expect a machine of its own.
SERVER_SETTINGS: Final[Mapping[str, Parameter]] = {
    "mark_cache_size": 128 << 20,
    "index_mark_cache_size": 64 << 20,
    # What a page of a list decompressed, the next one and the live one read again.
    "uncompressed_cache_size": 128 << 20,
    "max_thread_pool_size": 256,
    "background_schedule_pool_size": 4,
    # Seconds. By default what waits for a thread in the background is looked at again after up to a second. A deletion takes all
    # parts one by one: of 2 s that one took on two cores it slept 1.5 s.
    "background_processing_pool_task_sleep_seconds_when_no_work_random_part": 0.01,
    "background_processing_pool_thread_sleep_seconds_if_nothing_to_do": 0.01,
}

#: For every query. `time` is in the sorting key and decides the partition, so rows of one key never live in two partitions.
QUERY_SETTINGS: Final[Mapping[str, Parameter]] = {
    "async_insert": 0,
    "do_not_merge_across_partitions_select_final": 1,
    # Conditions on the sorting key, and no others, are met before rows merge and before wide columns are read.
    "optimize_move_to_prewhere_if_final": 1,
    "throw_on_max_partitions_per_insert_block": 0,
    "session_timezone": "UTC",
    "use_uncompressed_cache": 1,
    # Else a query gets one thread for each GiB that the server's own limit leaves free, which is one.
    "max_threads_min_free_memory_per_thread": 0,
    # A column keeps its name in WHERE and ORDER BY, whatever the SELECT list calls by that name.
    "prefer_column_name_to_alias": 1,
}

#: Seconds that a reader waits for a connection.
PATIENCE: Final = 5.0
#: Seconds that queries have to end when the engine is closed.
LAST: Final = 3.0
#: Seconds for which the parts of a table are taken to be as they were.
PARTS_AGE: Final = 2.0
#: Names of the engine's errors that mean a query went over its limits.
TOO_LARGE: Final = ("MEMORY_LIMIT_EXCEEDED", "TIMEOUT_EXCEEDED")
#: How the engine begins to say that everything at once needs more memory than it may have, whatever one query needs.
ALL_MEMORY: Final = "(total) memory limit exceeded"


class Part(NamedTuple):
    """A part of a table on disk: from when to when its rows are, in seconds since the epoch, and how often it was merged."""

    first: int
    last: int
    rows: int
    level: int


class Connection:
    """A connection to the engine. It runs one statement at a time; which thread asks does not matter."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def query(self, sql: str, parameters: Mapping[str, Parameter] | None = None) -> pa.Table:
        """Read.

        Raises:
            StoreError: the engine's own message; `QueryTooLarge` over the connection's limits, `StoreBusy` over the engine's.
        """
        table: pa.Table = self._run(sql, parameters, "ArrowTable")
        return table

    def text(self, sql: str, form: str, parameters: Mapping[str, Parameter] | None = None) -> bytes:
        """Read, as the engine itself writes rows in one of its formats.

        Raises:
            StoreError: the engine's own message; `QueryTooLarge` over the connection's limits, `StoreBusy` over the engine's.
        """
        written: bytes = self._run(sql, parameters, form).bytes()
        return written

    def command(self, sql: str, parameters: Mapping[str, Parameter] | None = None) -> None:
        """Change something.

        Raises:
            StoreError: the engine's own message.
        """
        self._run(sql, parameters, "Null")

    def insert(self, table: str, rows: pa.Table) -> None:
        """Append rows, matching columns by name. They are committed, and on disk, when this returns.

        Raises:
            StoreError: not all of it was stored.
        """
        columns = ", ".join(rows.column_names)
        # chDB finds `rows` by its name among the local variables of the caller of `query`.
        sql = f"INSERT INTO {table} ({columns}) SELECT {columns} FROM Python(rows)"  # noqa: S608
        try:
            self._session.query(sql, "Null")
        except (ChdbError, RuntimeError) as error:
            raise StoreError(str(error)) from None

    def close(self) -> None:
        """End it."""
        self._session.close()

    def _run(self, sql: str, parameters: Mapping[str, Parameter] | None, form: str) -> Any:
        values = {name: _written(value) for name, value in (parameters or {}).items()}
        try:
            return self._session.query(sql, form, params=values)
        except (ChdbError, RuntimeError) as error:
            raise _kind(str(error))(str(error)) from None


class Engine:
    """An embedded ClickHouse on one directory. Every method may be called from any thread but a server's main one."""

    def __init__(
        self, path: Path, *, memory_bytes: int, query_memory_bytes: int, query_seconds: int, connections: int
    ) -> None:
        """Open or create the directory.

        Raises:
            StoreLocked: another process has it open.
            StoreError: it cannot be opened for another reason.
        """
        path.mkdir(parents=True, exist_ok=True)
        options = "&".join(f"{name}={value}" for name, value in SERVER_SETTINGS.items())
        url = f"{path.resolve()}?{options}&max_server_memory_usage={memory_bytes}"
        # Half of what there is at most: only others can leave a query without memory, and what it needs itself is told apart.
        most = min(query_memory_bytes, memory_bytes // 2)
        self._limits = {"max_memory_usage": most, "max_execution_time": query_seconds}
        self._url = url
        self.path = path
        self._writer = self._connect({})
        # For what must not wait behind readers: the small tables, and whether the store answers.
        self._own = self._connect({})
        self._own_lock = threading.Lock()
        # None stands for a session that is connected when it is needed.
        self._readers: queue.LifoQueue[Connection | None] = queue.LifoQueue()
        self._connections = connections
        self._closing = False
        self._lent: set[Connection] = set()
        #: Parts of tables, and when they were asked for.
        self._parts: dict[str, tuple[float, Sequence[Part]]] = {}
        for _ in range(connections):
            self._readers.put(None)

    def _connect(self, limits: Mapping[str, Setting]) -> Connection:
        settings = {**QUERY_SETTINGS, **limits}
        try:
            session = Session(self._url)
            for name, value in settings.items():
                session.query(f"SET {name} = {_literal(value)}")
        except (ChdbError, RuntimeError) as error:
            if "EmbeddedServer" in str(error) or "Cannot lock" in str(error):
                raise StoreLocked(f"{self.path} is in use by another process; one process owns a store") from None
            raise _kind(str(error))(str(error)) from None
        return Connection(session)

    @contextlib.contextmanager
    def connection(self, settings: Mapping[str, Setting] | None = None) -> Iterator[Connection]:
        """Open a connection for work that takes long and must keep nobody waiting.

        It has no limits of memory or time but those among its settings, which are set in their order.

        Raises:
            StoreError: it cannot be opened.
        """
        with contextlib.closing(self._connect(settings or {})) as connection:
            self._lent.add(connection)
            try:
                yield connection
            finally:
                self._lent.discard(connection)

    @contextlib.contextmanager
    def _reader(self) -> Iterator[Connection]:
        try:
            connection = self._readers.get(timeout=PATIENCE)
        except queue.Empty:
            raise StoreBusy("all connections for readers are busy") from None
        keep: Connection | None = None
        try:
            if self._closing:
                raise StoreBusy("the store is being closed")
            connection = connection or self._connect(self._limits)
            yield connection
            keep = connection
        finally:
            # An answer that breaks off leaves its beginning in the session, which would put it before the next answer.
            try:
                if keep is None and connection is not None:
                    connection.close()
            finally:
                self._readers.put(keep)

    def query(self, sql: str, parameters: Mapping[str, Parameter] | None = None) -> pa.Table:
        """Read, within the limits of memory and time for readers.

        Raises:
            StoreError: the engine's own message; `QueryTooLarge` over the limits, `StoreBusy` over those of the engine.
        """
        with self._reader() as connection:
            return connection.query(sql, parameters)

    def command(self, sql: str, parameters: Mapping[str, Parameter] | None = None) -> None:
        """Change the schema or the small tables, without the limits of readers.

        Raises:
            StoreError: the engine's own message.
        """
        with self._own_lock:
            self._own.command(sql, parameters)

    def parts(self, table: str) -> Sequence[Part]:
        """Return what a table whose partitions are times consists of, or did so a moment ago.

        Raises:
            StoreError: the engine's own message.
        """
        asked, parts = self._parts.get(table, (-math.inf, ()))
        if time.monotonic() - asked >= PARTS_AGE:
            found = self.query(
                "SELECT toUnixTimestamp(min_time) AS first, toUnixTimestamp(max_time) AS last, rows, level "
                "FROM system.parts WHERE active AND database = currentDatabase() AND table = {table:String}",
                {"table": table},
            )
            parts = [Part(**row) for row in found.to_pylist()]
            self._parts[table] = (time.monotonic(), parts)
        return parts

    def ping(self) -> None:
        """Return if the engine answers, however busy the readers are.

        Raises:
            StoreError: it does not.
        """
        self.command("SELECT 1")

    def insert(self, table: str, rows: pa.Table) -> None:
        """Append rows, matching columns by name. They are committed, and on disk, when this returns.

        Only one thread may insert.

        Raises:
            StoreError: not all of it was stored.
        """
        self._writer.insert(table, rows)

    def close(self) -> None:
        """End the queries that still run, and close every session.

        Raises:
            QueryUnending: one of them does not end; the engine cannot interrupt a function that works on one row. What was stored
                is on disk; only the end of the process ends it.
        """
        self._closing = True
        with contextlib.suppress(StoreError):
            self.command("KILL QUERY WHERE query_id != queryID() ASYNC")
        end = time.monotonic() + LAST
        for _ in range(self._connections):
            try:
                connection = self._readers.get(timeout=max(0.0, end - time.monotonic()))
            except queue.Empty:
                raise QueryUnending("a query does not end") from None
            if connection is not None:
                connection.close()
        while self._lent:
            if time.monotonic() > end:
                raise QueryUnending("a query does not end")
            time.sleep(0.05)
        self._own.close()
        self._writer.close()


_ESCAPES: Final = str.maketrans(
    {"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r", "\0": "\\0", "\b": "\\b", "\f": "\\f"}
)


def _kind(message: str) -> type[StoreError]:
    if ALL_MEMORY in message:
        return StoreBusy
    return QueryTooLarge if any(name in message for name in TOO_LARGE) else StoreError


def _literal(value: Setting) -> str:
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{_literal(key)}: {_literal(text)}" for key, text in value.items()) + "}"
    if isinstance(value, str):
        return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"
    return repr(value)


def _written(value: Parameter) -> str | int | float:
    if isinstance(value, str):
        return value.translate(_ESCAPES)
    if isinstance(value, list):
        return "[" + ",".join("'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'" for text in value) + "]"
    return value
