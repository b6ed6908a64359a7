"""The state of a page, all of it in its URL: time range, filter, and what the page has of its own."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final
from urllib.parse import urlencode

from genscope.query.filter import FIELDS, Condition, Filter, from_params
from genscope.query.language import joined, write

#: Ages that the time range picker offers.
RANGES: Final = (("15m", "15 min"), ("1h", "1 h"), ("24h", "24 h"), ("7d", "7 d"), ("30d", "30 d"), ("all", "All"))
#: What `from` says where the range has no begin.
ALL: Final = "all"
#: Rows of one page of a list.
PAGE: Final = 50


@dataclass(frozen=True, slots=True)
class State:
    """Where a page is and what it shows. Equal states have equal URLs."""

    path: str
    params: tuple[tuple[str, str], ...] = ()
    #: Names of the parameters that the page has of its own.
    own: tuple[str, ...] = ()
    #: The age that stands for `from` where the URL has none.
    age: str = ALL

    @classmethod
    def read(cls, path: str, pairs: Iterable[tuple[str, str]], *, own: Iterable[str] = (), age: str = ALL) -> State:
        """Return the state that query parameters describe: `q`, `from`, `to` and those of the page's `own`.

        A field of spans as a parameter of its own (`user_id=alice`) becomes a term of `q`, repeated any of its values. Other
        names, empty values and a `from` that says what it would be without are left out; of the same name the last one counts.
        """
        pairs, own = tuple(pairs), tuple(own)
        values = {name: value for name, value in pairs if value and (name in ("q", "from", "to") or name in own)}
        fields: dict[str, list[str]] = {}
        for name, value in pairs:
            if value and name in FIELDS and name not in own:
                fields.setdefault(name, []).append(value)
        terms = (write([Condition(name, tuple(dict.fromkeys(several)))]) for name, several in fields.items())
        values["q"] = joined(values.get("q", "").strip(), *terms)
        return cls(path, (), own, age)._with(values)

    def _with(self, values: dict[str, str]) -> State:
        if values.get("from") == self.age:
            values = {**values, "from": ""}
        names = ("q", "from", "to", *self.own)
        return replace(self, params=tuple((name, values[name]) for name in names if values.get(name)))

    def url(self, **changes: str) -> str:
        """Return this state's URL with parameters replaced; an empty value drops one. `from_` stands for `from`.

        A name that is no part of the state, such as `cursor`, comes last.
        """
        values = dict(self.params) | {name.rstrip("_"): value for name, value in changes.items()}
        others = (name for name in values if name not in ("q", "from", "to", *self.own))
        state = replace(self, own=(*self.own, *others))._with(values)
        return f"{self.path}?{state.query}" if state.params else self.path

    @property
    def query(self) -> str:
        """The query of this state's URL."""
        return urlencode(self.params)

    def sub(self, path: str, **changes: str) -> str:
        """Return the URL of a part of this page, such as its rows, in the same state."""
        return replace(self, path=f"{self.path}/{path}").url(**changes)

    def filter(self) -> Filter:
        """Return the filter of this state.

        Raises:
            FilterError: a time or the filter's text in it cannot be understood.
        """
        begin = self.value("from") or self.age
        times = (("from", "" if begin == ALL else begin), ("to", self.value("to")))
        return from_params((*times, ("q", self.q)))

    @property
    def q(self) -> str:
        """The text of the filter."""
        return self.value("q")

    @property
    def range(self) -> str:
        """The age that is chosen, one of `RANGES`; empty if it is another range."""
        begin = self.value("from") or self.age
        return begin if not self.value("to") and begin in dict(RANGES) else ""

    def value(self, name: str) -> str:
        """Return the value of a parameter, or an empty string."""
        return next((value for key, value in self.params if key == name), "")

    def others(self, *names: str) -> list[tuple[str, str]]:
        """Return the parameters that a form about `names` must carry along."""
        return [pair for pair in self.params if pair[0] not in names]
