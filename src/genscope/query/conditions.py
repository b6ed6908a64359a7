"""What a filter asks of one thing: conditions, and how they are joined."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

#: What a condition may ask; where there are several values, `contains` and those after it look at the first.
Operator = Literal[
    "any of",
    "none of",
    "all of",
    "contains",
    "does not contain",
    "starts with",
    "ends with",
    "<",
    "<=",
    ">",
    ">=",
    "is null",
    "is not null",
]


class FilterError(ValueError):
    """A filter that cannot be understood. The message is written for the person who typed it.

    Where it is about a text of the filter language, `text` is that text and `column` says where in it, counted from 1.
    """

    def __init__(self, message: str, text: str = "", column: int | None = None) -> None:
        super().__init__(message)
        self.text = text
        self.column = column

    def pointed(self) -> str:
        """Return the line of the text that is wrong with a caret beneath the place; empty where there is none."""
        if self.column is None:
            return ""
        before = self.text[: self.column - 1]
        begin = before.rfind("\n") + 1
        line = self.text[begin:].split("\n", 1)[0]
        return f"{line}\n{' ' * (len(before) - begin)}^"


@dataclass(frozen=True, slots=True)
class Condition:
    """What `field` has to do with `values`: by default it equals any one of them.

    Numbers and moments (nanoseconds since the epoch) are written as text, too. `key` names the entry of a map that is meant.
    """

    field: str
    values: tuple[str, ...]
    operator: Operator = "any of"
    key: str = ""


@dataclass(frozen=True, slots=True)
class AllOf:
    """Every part holds."""

    parts: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class AnyOf:
    """At least one part holds."""

    parts: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Not:
    """The part does not hold, or nothing is known of what it asks about."""

    part: Node


#: A condition, or several joined.
Node = Condition | AllOf | AnyOf | Not
