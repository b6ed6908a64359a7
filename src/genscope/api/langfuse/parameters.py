"""What Langfuse's clients ask with: pages by number, moments, groups of fields, and filters as JSON."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Final

import msgspec
from fastapi import Depends, Request

from genscope.query.filter import Condition, Filter, FilterError, Operator, parse_time

#: Rows of a page by number: they come whole, as long as their texts may be.
MOST_ROWS: Final = 100


class Meta(msgspec.Struct, rename="camel"):
    """Which page of how many this is."""

    page: int
    limit: int
    total_items: int
    total_pages: int


class CursorMeta(msgspec.Struct, omit_defaults=True):
    """The cursor of the next page; absent on the last one."""

    cursor: str | None = None


@dataclass(frozen=True, slots=True)
class Numbered:
    """Which page is asked for; the first one is 1."""

    page: int
    limit: int

    @property
    def offset(self) -> int:
        """How many rows the pages before have."""
        return (self.page - 1) * self.limit

    def meta(self, total: int) -> Meta:
        """Return what a page says of the whole list."""
        return Meta(self.page, self.limit, total, math.ceil(total / self.limit))


def number(request: Request, name: str, default: int, most: int) -> int:
    """Return a whole number from 1 to `most`.

    Raises:
        FilterError: it is none.
    """
    text = request.query_params.get(name)
    if text is None:
        return default
    if not (text.isascii() and text.isdecimal() and 1 <= int(text[:20]) <= most):
        raise FilterError(f"{name}: {text!r} is not a whole number from 1 to {most}")
    return int(text)


def _numbered(request: Request) -> Numbered:
    return Numbered(number(request, "page", 1, 10**9), number(request, "limit", 50, MOST_ROWS))


Paged = Annotated[Numbered, Depends(_numbered)]


def several(request: Request, name: str) -> list[str]:
    """Return the values of a parameter that may be repeated."""
    return [value for value in request.query_params.getlist(name) if value]


def listed(request: Request, name: str) -> list[str]:
    """Return the values of a parameter that separates them by commas."""
    return [value for text in several(request, name) for value in text.split(",") if value]


def moment(request: Request, name: str) -> int | None:
    """Return a time in nanoseconds since the epoch; None if it is not given.

    Raises:
        FilterError: it is none.
    """
    text = request.query_params.get(name)
    return parse_time(text, name) if text else None


def groups(request: Request, known: Sequence[str], default: Sequence[str]) -> frozenset[str]:
    """Return which groups of fields are asked for (`fields`).

    Raises:
        FilterError: there is no such group.
    """
    chosen = [name.strip() for name in listed(request, "fields")]
    for name in chosen:
        if name not in known:
            raise FilterError(f"fields: there is no group {name!r}; expected some of {', '.join(known)}")
    return frozenset(chosen or default)


#: Operators by type of condition, and what they are here.
COMPARED: Final[Mapping[str, Operator]] = {">": ">", "<": "<", ">=": ">=", "<=": "<="}
OPTIONS: Final[Mapping[str, Operator]] = {"any of": "any of", "none of": "none of"}
TEXT: Final[Mapping[str, Operator]] = {
    "=": "any of",
    "contains": "contains",
    "does not contain": "does not contain",
    "starts with": "starts with",
    "ends with": "ends with",
    "matches": "contains",
}
OPERATORS: Final[Mapping[str, Mapping[str, Operator]]] = {
    "string": TEXT,
    "stringOptions": OPTIONS,
    "categoryOptions": OPTIONS,
    "arrayOptions": {**OPTIONS, "all of": "all of"},
    "number": {"=": "any of", **COMPARED},
    "numberObject": {"=": "any of", **COMPARED},
    "datetime": COMPARED,
    "stringObject": {**TEXT, "is set": "is not null", "is not set": "is null"},
    "boolean": {"=": "any of", "<>": "none of"},
    "null": {"is null": "is null", "is not null": "is not null"},
}
#: Types that ask for an entry of a map, by its key.
KEYED: Final = ("stringObject", "numberObject", "categoryOptions")


@dataclass(frozen=True, slots=True)
class Asked:
    """One column that may be asked for: the field that it is here, and the types of condition that suit it."""

    field: str
    types: tuple[str, ...] = ("string", "stringOptions", "null")


def numbers(field: str) -> Asked:
    """Return a column of numbers."""
    return Asked(field, ("number", "null"))


def times(field: str) -> Asked:
    """Return a column of moments."""
    return Asked(field, ("datetime", "null"))


def flag(field: str) -> Asked:
    """Return a column that is true or false."""
    return Asked(field, ("boolean",))


def given(
    request: Request, names: Mapping[str, Operator], columns: Mapping[str, Asked], legal: Mapping[str, Sequence[str]]
) -> dict[str, list[Condition]]:
    """Return what the parameters that are called as columns ask, by column; a repeated one has several values.

    Raises:
        FilterError: a value is none of the `legal` ones.
    """
    found = {}
    for name, operator in names.items():
        if values := several(request, name):
            for value in values:
                if name in legal and value not in legal[name]:
                    raise FilterError(f"{name}: {value!r} is none of {', '.join(legal[name])}")
            found[name] = [Condition(columns[name].field, tuple(values), operator)]
    return found


class Asking(msgspec.Struct):
    """One condition as Langfuse's clients write it."""

    column: str
    type: str
    operator: str
    value: Any = None
    key: str | None = None


def conditions(text: str | None, columns: Mapping[str, Asked]) -> dict[str, list[Condition]]:
    """Return the conditions of a JSON filter, by the column that each is about.

    Raises:
        FilterError: it is not a list of conditions, or one of them is not understood.
    """
    if not text:
        return {}
    try:
        asked = msgspec.json.decode(text, type=list[Asking])
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as problem:
        raise FilterError(
            f"filter: {problem}; expected a JSON array of {{type, column, operator, value, key}}"
        ) from None
    return asked_conditions(asked, columns)


def asked_conditions(asked: Sequence[Asking], columns: Mapping[str, Asked]) -> dict[str, list[Condition]]:
    """Return conditions as the store knows them, by the column that each is about.

    Raises:
        FilterError: one of them is not understood.
    """
    found: dict[str, list[Condition]] = {}
    for one in asked:
        found.setdefault(one.column, []).append(_condition(one, columns))
    return found


def _condition(one: Asking, columns: Mapping[str, Asked]) -> Condition:
    column = columns.get(one.column)
    if column is None:
        raise FilterError(
            f"filter: there is no column {one.column!r} to filter by; expected one of {', '.join(columns)}"
        )
    if one.type not in column.types:
        raise FilterError(f"filter: {one.column} takes the types {', '.join(column.types)}, not {one.type!r}")
    operators = OPERATORS[one.type]
    if one.operator not in operators:
        raise FilterError(f"filter: {one.type} takes the operators {', '.join(operators)}, not {one.operator!r}")
    if one.type in KEYED and not one.key:
        raise FilterError(f"filter: {one.column} needs the key of the entry that is meant")
    operator = operators[one.operator]
    values = () if operator in ("is null", "is not null") else _values(one)
    field = f"{column.field}_number" if one.type == "numberObject" else column.field
    return Condition(field, values, operator, one.key or "" if one.type in KEYED else "")


def _values(one: Asking) -> tuple[str, ...]:
    """Return the values of a condition as text, checked against its type."""
    values = one.value if one.type.endswith("Options") else [one.value]
    kind: tuple[type, ...] = {"number": (int, float), "numberObject": (int, float), "boolean": (bool,)}.get(
        one.type, (str,)
    )
    if not isinstance(values, list) or not all(
        isinstance(value, kind) and (kind == (bool,) or not isinstance(value, bool)) for value in values
    ):
        many = "a list of texts" if one.type.endswith("Options") else f"a value of type {one.type}"
        raise FilterError(f"filter: {one.column} {one.operator} needs {many}, not {one.value!r}")
    if one.type == "datetime":
        return tuple(str(parse_time(value, f"filter: {one.column}")) for value in values)
    return tuple(str(value).lower() if isinstance(value, bool) else str(value) for value in values)


def merged(
    start: int | None,
    end: int | None,
    plain: Mapping[str, Sequence[Condition]],
    filter: Mapping[str, Sequence[Condition]],
) -> Filter:
    """Return plain parameters and a JSON filter together: of two that are about one column, the JSON filter's hold."""
    chosen = {**plain, **filter}
    return Filter(start, end, tuple(condition for conditions in chosen.values() for condition in conditions))
