"""The state of a list page, all of it in its URL: time range, conditions, paging, auto-refresh."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlencode

from genscope.query.filter import FIELDS, Filter, FilterError, condition, from_params

#: Ages that the time range picker offers; empty is all time.
RANGES: Final = (("15m", "15 min"), ("1h", "1 h"), ("24h", "24 h"), ("7d", "7 d"), ("30d", "30 d"), ("", "All"))
#: Parameters beside the filter's own that belong to the state.
OTHER: Final = ("from", "to", "live")
#: Rows of one page.
PAGE: Final = 50


@dataclass(frozen=True, slots=True)
class Listing:
    """Where a list page is and what it shows. Equal states have equal URLs."""

    path: str
    params: tuple[tuple[str, str], ...] = ()

    @classmethod
    def read(cls, path: str, pairs: Iterable[tuple[str, str]], fixed: Iterable[str] = ()) -> Listing:
        """Return the state that query parameters describe; other names, empty values and `fixed` are left out."""
        known = (set(FIELDS) | set(OTHER)) - set(fixed)
        return cls(path, tuple(dict.fromkeys((name, value) for name, value in pairs if value and name in known)))

    def url(self, **changes: str) -> str:
        """Return this state's URL with parameters replaced; an empty value drops one. `from_` stands for `from`."""
        new = {name.rstrip("_"): value for name, value in changes.items()}
        params = [pair for pair in self.params if pair[0] not in new]
        params += [(name, value) for name, value in new.items() if value]
        return f"{self.path}?{urlencode(params)}" if params else self.path

    def sub(self, path: str, **changes: str) -> str:
        """Return the URL of a part of this page, such as its rows, in the same state."""
        return Listing(f"{self.path}/{path}", self.params).url(**changes)

    def without(self, name: str, value: str) -> str:
        """Return this state's URL without one condition."""
        return Listing(self.path, tuple(pair for pair in self.params if pair != (name, value))).url()

    def narrowed(self, where: str) -> Listing:
        """Return this state with a condition typed as `field:value`.

        Raises:
            FilterError: the text is not of that form, or no such field or value exists.
        """
        name, colon, value = where.partition(":")
        name, value = name.strip(), value.strip().strip('"')
        if not colon or not value:
            raise FilterError(f"{where!r} is no condition; write field:value, such as user_id:alice")
        condition(name, (value,))
        return Listing(self.path, tuple(dict.fromkeys((*self.params, (name, value)))))

    def filter(self) -> Filter:
        """Return the filter of this state.

        Raises:
            FilterError: a time or value in it cannot be understood.
        """
        return from_params(self.params)

    def value(self, name: str) -> str:
        """Return the only value of a parameter, or an empty string."""
        values = [value for key, value in self.params if key == name]
        return values[0] if len(values) == 1 else ""

    def others(self, *names: str) -> list[tuple[str, str]]:
        """Return the parameters that a form about `names` must carry along."""
        return [pair for pair in self.params if pair[0] not in names]

    def chips(self) -> list[tuple[str, str]]:
        """Return the conditions that no control of the page shows."""
        shown = {("model", self.value("model")), ("level", "ERROR" if self.value("level") == "ERROR" else "")}
        return [pair for pair in self.params if pair[0] in FIELDS and pair not in shown]

    @property
    def custom_range(self) -> bool:
        """Whether the time range is none of `RANGES`."""
        return bool(self.value("to")) or self.value("from") not in dict(RANGES)
