"""The rows of an answer: read page by page as they are needed, and all of them as a table."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Any, Generic, TypeVar, overload

from genscope.sdk.asking import Ask
from genscope.sdk.rows import read

if TYPE_CHECKING:
    import pandas
    import polars
    import pyarrow

T = TypeVar("T")


class Rows(Sequence[T], Generic[T]):
    """What was asked for. The server is asked when the rows are looked at, page by page, and once for each page.

    Looking at them raises `ReadError` where the server refuses. It is a sequence: its length, its last row and every table
    need all of the rows.
    """

    def __init__(self, ask: Ask, kind: type[T]) -> None:
        self._ask = ask
        self._kind = kind
        self._read: list[T] = []
        self._cursor: str | None = ""
        self._cut = False

    @property
    def rows(self) -> list[T]:
        """All of them, as a list."""
        while self._read_on():
            pass
        return self._read

    @property
    def cut(self) -> bool:
        """Whether there are more rows than the server tells: of metrics and SQL, since lists are read to their end."""
        return bool(self.rows) and self._cut

    def __iter__(self) -> Iterator[T]:
        at = 0
        while at < len(self._read) or self._read_on():
            yield from self._read[at : at + 1]  # none, where a page was empty
            at = min(at + 1, len(self._read))

    def __len__(self) -> int:
        return len(self.rows)

    def __bool__(self) -> bool:
        return any(True for _ in self)

    @overload
    def __getitem__(self, index: int) -> T: ...
    @overload
    def __getitem__(self, index: slice) -> list[T]: ...
    def __getitem__(self, index: int | slice) -> T | list[T]:
        if isinstance(index, int) and index >= 0:
            while len(self._read) <= index and self._read_on():
                pass
            return self._read[index]
        return self.rows[index]

    def __repr__(self) -> str:
        return f"<Rows, {len(self._read)} read so far>"

    def to_arrow(self) -> pyarrow.Table:
        """Return all rows as an Arrow table, which `pip install pyarrow` brings; docs/reading.md tells of the columns."""
        _needed("to_arrow", "pyarrow")
        from genscope.sdk import tables  # noqa: PLC0415 - the SDK works without pyarrow

        return tables.arrow(self.rows, self._kind)

    def to_pandas(self) -> pandas.DataFrame:
        """Return the same as a data frame of pandas, which `pip install pandas pyarrow` brings."""
        _needed("to_pandas", "pandas", "pyarrow")
        return self.to_arrow().to_pandas()

    def to_polars(self) -> polars.DataFrame:
        """Return the same as a data frame of Polars, which `pip install polars pyarrow` brings."""
        frame: polars.DataFrame = _needed("to_polars", "polars", "pyarrow").from_arrow(self.to_arrow())
        return frame

    def _read_on(self) -> bool:
        """Read a page; false if there is none left. One that could not be read is asked for again the next time."""
        if self._cursor is None:
            return False
        page = self._ask(self._cursor, len(self._read))
        self._read += [read(self._kind, told) for told in page.rows]
        self._cursor, self._cut = page.cursor, page.cut
        return True


def _needed(what: str, *names: str) -> Any:
    """Return the first of these packages, or say what to install."""
    try:
        first, *_ = [import_module(name) for name in names]
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            f"{what}() needs {error.name}: pip install {' '.join(names)}", name=error.name
        ) from error
    return first
