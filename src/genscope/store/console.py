"""The SQL console: one read-only statement over one project's rows, bounded in time, memory and rows.

Three walls stand before other projects' rows, files and the network, each enough by itself for what it is there for:

- The statement is made of what `store.allowed` knows, and is written anew from what was understood.
- The engine's own parser has to see in it the same tables, and functions of the same list.
- It runs in a connection of its own that is read-only, where the engine itself lets no row of another project and none of other
  tables through.
"""

from __future__ import annotations

import contextlib
import re
import secrets
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import msgspec

from genscope.query.filter import Filter
from genscope.store.allowed import KEYWORDS, Checked, Refused, allows, checked
from genscope.store.engine import Connection, Engine, Parameter, Setting
from genscope.store.errors import QueryTooLarge, StoreBusy, StoreError
from genscope.store.sql import sql
from genscope.store.tables import TABLES
from genscope.store.where import Where, where

#: Rows of an answer, and what one query may take.
MAX_ROWS: Final = 10_000
SECONDS: Final = 15
MEMORY: Final = 512 << 20
ANSWER: Final = 64 << 20
#: Queries that run at once; others wait this many seconds.
AT_ONCE: Final = 2
PATIENCE: Final = 5.0

SETTINGS: Final[Mapping[str, Parameter]] = {
    "max_execution_time": SECONDS,
    "max_memory_usage": MEMORY,
    "max_result_bytes": ANSWER,
    "limit": MAX_ROWS + 1,
    "max_threads": 2,
    "max_query_size": 1 << 20,
    "max_ast_elements": 100_000,
    "allow_ddl": 0,
    "allow_introspection_functions": 0,
    "output_format_json_quote_64bit_integers": 0,
    "output_format_json_quote_decimals": 1,
    "output_format_json_escape_forward_slashes": 0,
    "date_time_output_format": "iso",
}
_OPERATOR_NAMES: Final = """
_cast and array arrayelement casewithexpression concat divide equals exists globalin globalnotin greater greaterorequals
if ilike in isdistinctfrom isnotdistinctfrom isnotnull isnull lambda less lessorequals like minus modulo multiif
multiply negate not notequals notilike notin notlike notnullin nullin or plus tuple tupleelement untuple
"""
#: What the engine calls operators and literals.
_OPERATORS: Final = frozenset(_OPERATOR_NAMES.split())
_PLAIN_TYPE: Final = re.compile(r"LowCardinality\((.*)\)|SimpleAggregateFunction\(\w+, (.*)\)")


@dataclass(frozen=True, slots=True)
class Answer:
    """What a query answered: columns by name and type, rows as JSON has them (money and large decimals as text)."""

    columns: list[tuple[str, str]]
    rows: list[list[Any]]
    #: Whether there were more rows than an answer may have.
    cut: bool
    rows_read: int
    seconds: float


class Console:
    """Runs statements that people wrote. Every call blocks."""

    def __init__(self, engine: Engine, counts: Callable[[str, Where, str], str]) -> None:
        """`counts` returns the SQL that says of a call told twice which of the two counts, see `Reader.counts`."""
        self._engine = engine
        self._counts = counts
        self._free = threading.BoundedSemaphore(AT_ONCE)

    def run(self, project_id: str, text: str) -> Answer:
        """Return what a statement answers over one project's rows.

        Raises:
            Refused: it is none that is run here, or the engine cannot make sense of it.
            QueryTooLarge: it takes more time or memory than one may.
            StoreBusy: others are being run, or have taken the memory.
        """
        statement = checked(text, TABLES, f"_{secrets.token_hex(8)}", self._hidden)
        with self._turn(), self._engine.connection(self._settings(project_id)) as connection:
            try:
                self._agree(connection, statement)
                parameters: dict[str, Parameter] = {"project_id": project_id, "preview": 0}
                whole = self._whole(project_id, statement, parameters)
                answer = msgspec.json.decode(connection.text(whole, "JSONCompact", parameters))
            except (QueryTooLarge, StoreBusy):
                raise
            except StoreError as error:
                raise Refused(_told(str(error), statement.mark)) from None
        rows = answer["data"]
        return Answer(
            [(column["name"], _plain_type(column["type"])) for column in answer["meta"]],
            rows[:MAX_ROWS],
            len(rows) > MAX_ROWS,
            answer["statistics"]["rows_read"],
            answer["statistics"]["elapsed"],
        )

    @contextlib.contextmanager
    def _turn(self) -> Iterator[None]:
        if not self._free.acquire(timeout=PATIENCE):
            raise StoreBusy("other queries are being run")
        try:
            yield
        finally:
            self._free.release()

    @cached_property
    def _hidden(self) -> frozenset[str]:
        """Names of functions that may not be called and of the store's tables, but for those that tables and columns here have."""
        functions: list[str] = self._engine.query("SELECT name FROM system.functions").to_pydict()["name"]
        columns = {column.name for table in TABLES.values() for column in table.columns}
        return (
            frozenset({name.lower() for name in functions if not allows(name)} | {*self._names()})
            - columns
            - TABLES.keys()
        )

    def _names(self) -> list[str]:
        names: list[str] = self._engine.query("SELECT name FROM system.tables WHERE database = 'default'").to_pydict()[
            "name"
        ]
        return names

    def _settings(self, project_id: str) -> dict[str, Setting]:
        own = "project_id = '{}'".format(project_id.replace("\\", "\\\\").replace("'", "\\'"))
        filters = {
            f"default.{name}": own if name in ("spans", "scores", "traces") else "false" for name in self._names()
        }
        # The last one: after it nothing can be set any more.
        return {**SETTINGS, "additional_table_filters": filters, "readonly": 1}

    def _agree(self, connection: Connection, statement: Checked) -> None:
        """Have the engine's parser look for tables and functions that the other parser may have taken for something else."""
        for line in connection.text(f"EXPLAIN AST {statement.sql}", "TSVRaw").decode().splitlines():
            kind, _, rest = line.strip().partition(" ")
            name = rest.split(" (", 1)[0]
            if kind == "Function" and not (allows(name) or name.lower() in _OPERATORS | KEYWORDS):
                raise Refused(f"the function {name} is not available here")
            if kind == "TableIdentifier" and not name.endswith(statement.mark):
                raise Refused(f"there is no table {name!r}; tables are {', '.join(TABLES)}")
            if kind == "Identifier" and name.lower() in self._hidden:
                raise Refused(f"{name} is a function that is not available here: call the column something else")
            if kind in ("TableFunction", "Set", "Into"):
                raise Refused("only SELECT is allowed here")

    def _whole(self, project_id: str, statement: Checked, parameters: dict[str, Parameter]) -> str:
        """Return the statement with the SQL of its tables in the place of their names."""
        text = statement.sql
        for name in statement.tables:
            select = TABLES[name].select
            if "$traces" in select:
                condition = where(project_id, Filter())
                counts = self._counts(project_id, condition, "true")
                parameters |= condition.parameters
                select = select.replace("$traces", sql("traces_rows").substitute(where=str(condition), counts=counts))
            text = text.replace(f'"{name}{statement.mark}"', f"({select})")
        return text


def _plain_type(name: str) -> str:
    found = _PLAIN_TYPE.fullmatch(name)
    return _plain_type(found[1] or found[2]) if found else name


def _told(message: str, mark: str) -> str:
    """Return what the engine says is wrong, without what is about the inside of it."""
    text = message.replace(mark, "").split("DB::Exception: ", 1)[-1]
    text = re.split(r"\. Stack trace|[.:] In scope |[.:] While |[.:] while |\(version ", text, maxsplit=1)[0]
    text = re.sub(r"\s*\([A-Z_]+\)\s*$", "", text).replace("default.", "").strip().rstrip(".:")
    return text[:500] or "the engine cannot run this"
