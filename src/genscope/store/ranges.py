"""A range of time in equal parts, for trends."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, TypeVar

Number = TypeVar("Number", int, float)

#: How far from the epoch a range may reach, in nanoseconds, because numbers of the engine have an end.
MOST: Final = 2**62


@dataclass(frozen=True, slots=True)
class Range:
    """A range of time in equal parts, in nanoseconds since the epoch."""

    begin: int
    width: int
    parts: int

    @classmethod
    def between(cls, begin: int, end: int, parts: int) -> Range:
        """Return the range from one moment to another, in so many parts."""
        begin, end = max(begin, -MOST), min(end, MOST)
        return cls(begin, max(-(-(end - begin) // parts), 1), parts)

    @property
    def begins(self) -> list[int]:
        """Where each part begins."""
        return [self.begin + part * self.width for part in range(self.parts)]

    def gathered(self, amounts: Iterable[tuple[int, Number]]) -> list[Number]:
        """Return an amount for each part, given the amounts of some parts by their number."""
        gathered: list[Number] = [0] * self.parts
        for part, amount in amounts:
            # What came while this was asked belongs to the last part.
            gathered[max(0, min(part, self.parts - 1))] += amount
        return gathered
