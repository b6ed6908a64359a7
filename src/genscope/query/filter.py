"""Filters over spans: a time range and conditions, checked against the fields that exist."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final

from genscope.query import language
from genscope.query.conditions import AllOf, AnyOf, Condition, FilterError, Node, Not, Operator
from genscope.query.fields import FIELDS
from genscope.query.times import parse_time

__all__ = [
    "FIELDS",
    "QUERY",
    "SCORE_FIELDS",
    "AllOf",
    "AnyOf",
    "Condition",
    "Filter",
    "FilterError",
    "Node",
    "Not",
    "Operator",
    "condition",
    "from_params",
    "leaves",
    "parse_time",
]

#: The parameter that holds a text of the filter language.
QUERY: Final = "q"

#: Fields of scores that a condition may name, likewise.
SCORE_FIELDS: Final[dict[str, tuple[str, ...] | None]] = {
    "id": None,
    "name": None,
    "trace_id": None,
    "span_id": None,
    "session_id": None,
    "data_type": ("NUMERIC", "BOOLEAN", "CATEGORICAL", "TEXT", "CORRECTION"),
    "source": None,
    "environment": None,
    "config_id": None,
    "protocol": None,
    "repository": None,
}


@dataclass(frozen=True, slots=True)
class Filter:
    """Spans that start in `[start, end)` (nanoseconds since the epoch, None is open) and meet every condition."""

    start: int | None = None
    end: int | None = None
    conditions: tuple[Node, ...] = ()

    def where(self, field: str, *values: str) -> Filter:
        """Return this filter with one more condition.

        Raises:
            FilterError: the field does not exist, or a value is none of those it can have.
        """
        return replace(self, conditions=(*self.conditions, condition(field, values)))

    def without(self, field: str) -> Filter:
        """Return this filter without the conditions on a field that do not stand in parentheses with others."""
        kept = (part for part in self.conditions if not (isinstance(part, Condition) and part.field == field))
        return replace(self, conditions=tuple(kept))

    def names(self, fields: Iterable[str]) -> bool:
        """Return whether a condition asks for any of these fields."""
        return any(part.field in fields for part in leaves(self.conditions))

    def __str__(self) -> str:
        """The conditions in the filter language."""
        return language.write(self.conditions)


def leaves(nodes: Iterable[Node]) -> Iterator[Condition]:
    """Yield every condition of these, however they are joined."""
    for node in nodes:
        match node:
            case Condition():
                yield node
            case Not(part):
                yield from leaves((part,))
            case AllOf(parts) | AnyOf(parts):
                yield from leaves(parts)


def condition(field: str, values: Iterable[str], fields: Mapping[str, tuple[str, ...] | None] = FIELDS) -> Condition:
    """Check one condition against the fields that there are.

    Raises:
        FilterError: the field does not exist, or a value is none of those it can have.
    """
    if field not in fields:
        raise FilterError(f"unknown field {field!r}; expected one of {', '.join(sorted(fields))}")
    legal, chosen = fields[field], tuple(values)
    for value in chosen:
        if legal and value not in legal:
            raise FilterError(f"{field}: {value!r} is not a value of it; expected one of {', '.join(legal)}")
    return Condition(field, chosen)


def from_params(
    params: Mapping[str, str] | Iterable[tuple[str, str]], fields: Mapping[str, tuple[str, ...] | None] = FIELDS
) -> Filter:
    """Build a filter from query parameters: `q`, `from`, `to` and any of `fields`; a repeated field means any of its values.

    All of them hold. Empty values count as absent, so that a plain HTML form can be submitted half filled in. Other names are
    ignored: they belong to paging and presentation. `q`, the filter language, is about spans, so only where `fields` are theirs.

    Raises:
        FilterError: a time, a value or a `q` that cannot be understood.
    """
    pairs = params.items() if isinstance(params, Mapping) else params
    chosen: dict[str, list[str]] = {}
    for name, value in pairs:
        if value and (name in fields or name in ("from", "to") or (name == QUERY and fields is FIELDS)):
            chosen.setdefault(name, []).append(value)
    start = parse_time(chosen.pop("from")[-1], "from") if "from" in chosen else None
    end = parse_time(chosen.pop("to")[-1], "to") if "to" in chosen else None
    asked = [one for text in chosen.pop(QUERY, ()) for one in language.parse(text)]
    plain = (condition(field, values, fields) for field, values in chosen.items())
    return Filter(start, end, (*plain, *asked))
