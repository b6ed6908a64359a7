"""A page of a list that can be sorted, as it is shown and as JSON."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from genscope.web.state import State

Row = TypeVar("Row")


@dataclass(frozen=True, slots=True)
class Listed(Generic[Row]):
    """Some rows of a list, and the cursor that leads to the next ones; or what is wrong with the question."""

    state: State
    #: How the API shows a row.
    shape: Callable[[Row], Any]
    rows: list[Row] = field(default_factory=list)
    cursor: str | None = None
    paged: bool = False
    error: str = ""

    @property
    def sort(self) -> str:
        """What it is sorted by."""
        return self.state.value("sort") or "last"

    def json(self) -> dict[str, Any]:
        """Return the page as the API's list does."""
        if self.error:
            return {"error": self.error}
        return {"data": [self.shape(row) for row in self.rows], "next_cursor": self.cursor}
