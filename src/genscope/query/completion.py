"""What may come next while one types a filter."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from genscope.query.fields import BY_NAME, TABLE, Field
from genscope.query.language import name_of, quoted

#: A value of a field and, where it is known, how often it occurs.
Value = tuple[str, int | None]
#: Returns values of a field (with a key, of that entry; without one, of a keyed field its keys) that begin with a text.
Values = Callable[[Field, str, str], Sequence[Value]]

#: A condition as far as it is typed: field, perhaps key, operator and the beginning of a value; or the beginning of a field.
_TYPED: Final = re.compile(
    r"""-?((?P<name>[A-Za-z_]\w*)(\.(?P<key>"(\\.|[^"\\])*"|[^\s"():<>=!]*))?(:|!=|[<>]=?|=)(?P<value>"?[^"]*)|(?P<begun>[^"]*))""",
    re.DOTALL,
)
_OPERATORS: Final = {"time": (">", "<"), "words": (":",), "score": (":", ">", "<"), "text": (":",), "list": (":",)}
_COMPARED: Final = (">", "<", ":")


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A text that may replace that between two places of the filter, and what it means."""

    text: str
    start: int
    end: int
    description: str
    count: int | None = None


def complete(text: str, position: int, values: Values) -> list[Suggestion]:
    """Return what may stand at a place of a filter instead of what was begun there, the best first.

    Args:
        text: the filter as far as it is typed.
        position: where the cursor is, from 0.
        values: asked for values where one is being typed.
    """
    position = max(0, min(position, len(text)))
    typed = _TYPED.fullmatch(_condition(text[:position]))
    if typed is None:
        return []
    if typed["name"]:
        return _values(typed, position, values)
    begun = typed["begun"]
    start = position - len(begun)
    name, dot, key = begun.partition(".")
    field = BY_NAME.get(name)
    if dot and field is not None and field.keyed:
        found = values(field, "", key)
        operator = _operators(field)[0]
        return [
            Suggestion(f"{name_of(field.name, value)}{operator}", start, position, field.description, count)
            for value, count in found
        ]
    wanted = begun.lower()
    return [
        Suggestion(_written(one), start, position, one.description)
        for one in TABLE
        if one.name.startswith(wanted) or (wanted and one.asked.startswith(wanted))
    ]


def _values(typed: re.Match[str], position: int, values: Values) -> list[Suggestion]:
    field, begun = BY_NAME.get(typed["name"]), typed["value"]
    if field is None or field.kind not in ("text", "list", "score"):
        return []
    key = typed["key"] or ""
    prefix = begun.lstrip('"')
    key = key[1:-1] if key.startswith('"') else key
    found: Sequence[Value] = [(one, None) for one in field.values if one.casefold().startswith(prefix.casefold())]
    if not field.values and bool(key) == field.keyed:
        found = values(field, key, prefix)
    return [
        Suggestion(quoted(value), position - len(begun), position, field.description, count) for value, count in found
    ]


def _condition(before: str) -> str:
    """Return what stands of the condition that a text ends in; within `model:(a OR b` that is `model:b`."""
    begin, head, quoting, escaped = 0, "", False, False
    for index, character in enumerate(before):
        if quoting:
            quoting, escaped = escaped or character != '"', character == "\\" and not escaped
        elif character == '"':
            quoting = True
        elif character == "(":
            head, begin = before[begin:index] if before[:index].endswith(":") else "", index + 1
        elif character == ")":
            head, begin = "", index + 1
        elif character.isspace():
            begin = index + 1
    return head + before[begin:]


def _operators(field: Field) -> Sequence[str]:
    return _OPERATORS.get(field.kind, _COMPARED)


def _written(field: Field) -> str:
    return f"{field.name}." if field.keyed else f"{field.name}{_operators(field)[0]}"
