"""Answers that come in pieces, put together: what is kept of an endless one is bounded."""

from __future__ import annotations

import json
from collections.abc import Hashable, Iterator
from io import StringIO
from typing import Any, Final, Protocol

from genscope.sdk.results.fields import Fields, plain
from genscope.sdk.results.result import Result

#: Characters and things (texts, calls, parts) kept of one stream.
MOST_CHARACTERS: Final = 4_000_000
MOST_THINGS: Final = 1_000


class Gathering(Protocol):
    """The pieces of one answer, as they come."""

    def add(self, piece: Fields) -> bool:
        """Take a piece in; returns whether the model says something in it."""
        ...

    def result(self) -> Result:
        """Return what came so far, read as the answer that it would be in one piece."""
        ...


class Kept:
    """Texts by key that grow, and things that were told whole; together no more than the bounds above."""

    __slots__ = ("_left", "_texts", "_things")

    def __init__(self) -> None:
        self._texts: dict[Hashable, StringIO] = {}
        self._left = MOST_CHARACTERS
        self._things = 0

    def add(self, key: Hashable, piece: object) -> bool:
        """Append to a text; returns whether it was one, and not empty."""
        if not isinstance(piece, str) or not piece:
            return False
        if self._left > 0:
            text = self._texts.get(key)
            if text is None:
                if len(self._texts) >= MOST_THINGS:
                    return True
                text = self._texts[key] = StringIO()
            text.write(piece if len(piece) <= self._left else piece[: self._left])
            self._left -= len(piece)
        return True

    def text(self, key: Hashable) -> str:
        """Return a text, empty if there is none."""
        found = self._texts.get(key)
        return found.getvalue() if found else ""

    def __iter__(self) -> Iterator[Any]:
        """Iterate over the keys of the texts in the order in which they began."""
        return iter(self._texts)

    def thing(self, value: object) -> Any:
        """Return a thing as JSON if there is room for it, else None."""
        if self._things >= MOST_THINGS or self._left <= 0:
            return None
        self._things += 1
        made = plain(value)
        self._left -= len(json.dumps(made, default=str))
        return made


def parsed(text: str) -> Any:
    """Return the JSON that was told in pieces; the text itself where it is none (yet)."""
    try:
        return json.loads(text) if text else {}
    except (ValueError, RecursionError):
        return text


def place(value: object) -> int:
    """Return an index, which is below `MOST_THINGS`; 0 where none is told."""
    return min(max(value, 0), MOST_THINGS - 1) if isinstance(value, int) else 0
