"""Pages of lists: by cursor, which costs the same however far it goes, and by number, as some clients ask."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass, replace
from typing import Annotated, Any, Final, Generic, TypeVar

import msgspec

from genscope.query.filter import Filter, FilterError

T = TypeVar("T")

MAX_LIMIT: Final = 1000
#: A time in nanoseconds since the epoch, as the engine has it.
Time = Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)]


#: Positions in lists by their length: what the list is called, a time, and the ids that tell rows of one time apart.
_POSITIONS: Final[dict[int, Any]] = {2: tuple[str, Time, str], 3: tuple[str, Time, str, str]}
#: The same behind the value that a list is sorted by, None where a row has none.
_RANKED: Final[dict[int, Any]] = {2: tuple[str, str | None, Time, str], 3: tuple[str, str | None, Time, str, str]}


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """Some rows of a list, and the cursor that asks for the next ones (None at its end)."""

    rows: list[T]
    next_cursor: str | None


@dataclass(frozen=True, slots=True)
class Counted(Generic[T]):
    """Some rows of a list, and how many rows it has in all."""

    rows: list[T]
    total: int


def check_limit(limit: int) -> int:
    """Return the limit of a page.

    Raises:
        FilterError: it is not between 1 and `MAX_LIMIT`.
    """
    if not 1 <= limit <= MAX_LIMIT:
        raise FilterError(f"limit: {limit} is not between 1 and {MAX_LIMIT}")
    return limit


def encode_cursor(list_: str, *position: int | str | None) -> str:
    """Return the text of a position in a list; what the list is called tells it from all other lists and orders."""
    return base64.urlsafe_b64encode(msgspec.json.encode((list_, *position))).decode().rstrip("=")


def decode_cursor(list_: str, cursor: str, length: int, *, ranked: bool = False) -> tuple[Any, ...]:
    """Return the position that a cursor stands for, of `length` parts; in a list that is `ranked` behind a value.

    Raises:
        FilterError: it is none, or one of another list.
    """
    try:
        text = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
        of, *position = msgspec.json.decode(text, type=(_RANKED if ranked else _POSITIONS)[length])
    except (binascii.Error, msgspec.MsgspecError, UnicodeError, ValueError):
        of = None
    if of != list_:
        raise FilterError("cursor: not one that this list gave; start again without it")
    return tuple(position)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A position in a list of what was gathered from spans by a value, and the end of the time that all of its pages are about.

    Without that end a row that grows while one pages would come twice, or not at all.
    """

    value: str | None
    end: int
    id: str

    @classmethod
    def of(cls, list_: str, cursor: str) -> Snapshot:
        """Return the position that a cursor of a list stands for.

        Raises:
            FilterError: it is none, or one of another list.
        """
        return cls(*decode_cursor(list_, cursor, 2, ranked=True))

    def cursor(self, list_: str) -> str:
        """Return it as the text of a cursor."""
        return encode_cursor(list_, self.value, self.end, self.id)

    def within(self, filter: Filter) -> Filter:
        """Return a filter of what was there when the first page was read."""
        return replace(filter, end=self.end if filter.end is None else min(self.end, filter.end))
