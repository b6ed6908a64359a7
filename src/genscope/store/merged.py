"""The spans of a time, merged: pieces of one span as one row.

FINAL merges where parts of the table overlap, and reads the rest as it is. But of three parts or more that overlap one after
another, as those of a table written in the order of time do, the engine (ClickHouse 26.9, `splitPartsRanges`) merges all but the
ends of the chain: to count 5 million spans took 2 s. So a long time is read in slices, one for each stretch that lies in one part
alone and one for all that is between them: 0.1 s. It is FINAL in every slice, and all rows of a span have the same time, so the
answer is exact whatever the parts are by the time it is read.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable
from typing import Final, NamedTuple

from genscope.store.engine import Engine, Part
from genscope.store.where import Where

#: Columns that `*` leaves out.
COMPUTED: Final = ("input_tokens", "output_tokens", "total_cost", "cached_tokens", "told_tokens")
#: Rows of a stretch from which on a slice, 2 ms to plan, is worth it: to merge so many takes 25 ms.
WORTH: Final = 50_000
#: Slices at most.
SLICES: Final = 24

_NANOSECONDS: Final = 10**9


class Stretch(NamedTuple):
    """A time in which all rows lie in one part, in seconds since the epoch, and about how many there are."""

    start: int
    end: int
    rows: int


def merged(engine: Engine, asked: Where) -> str:
    """Return what a query over the spans that are asked about reads FROM: a table `spans` in which each span is one row."""
    found = [stretch for stretch in stretches(engine.parts("spans")) if stretch.rows >= WORTH]
    chosen = [cut for stretch in found if (cut := _within(stretch, asked)) is not None and cut.rows >= WORTH]
    if not chosen:
        return "spans FINAL"
    chosen = sorted(heapq.nlargest(SLICES, chosen, key=lambda stretch: stretch.rows))
    columns = ", ".join(("*", *COMPUTED))
    between = zip((None, *(one.end for one in chosen)), (*(one.start for one in chosen), None), strict=True)
    rest = " OR ".join(f"({_during(start, end)})" for start, end in between if start is None or start != end)
    times = [*(_during(one.start, one.end) for one in chosen), rest]
    return f"({' UNION ALL '.join(f'SELECT {columns} FROM spans FINAL WHERE {time}' for time in times)}) AS spans"  # noqa: S608


def stretches(parts: Iterable[Part]) -> list[Stretch]:
    """Return where parts lie alone, in the order of time. A part that was never merged may hold several rows of a span."""
    # The engine tells the ends of a part in 32 bits: of one beyond 2106 they are no range.
    ranged = [part for part in parts if part.first <= part.last]
    events = sorted(
        event for at, part in enumerate(ranged) for event in ((part.first, at, part), (part.last + 1, at, None))
    )
    found: list[Stretch] = []
    open_: dict[int, Part] = {}
    since = 0
    for time, at, part in events:
        if len(open_) == 1 and time > since:
            (alone,) = open_.values()
            if alone.level:
                share = (time - since) / (alone.last + 1 - alone.first)
                found.append(Stretch(since, time, int(alone.rows * share)))
        if part is None:
            del open_[at]
        else:
            open_[at] = part
        since = time
    return found


def _within(stretch: Stretch, asked: Where) -> Stretch | None:
    start = max(stretch.start, -(-asked.start // _NANOSECONDS)) if asked.start is not None else stretch.start
    end = min(stretch.end, asked.end // _NANOSECONDS) if asked.end is not None else stretch.end
    if start >= end:
        return None
    return Stretch(start, end, stretch.rows * (end - start) // (stretch.end - stretch.start))


def _during(start: int | None, end: int | None) -> str:
    bounds = [] if start is None else [f"time >= toDateTime64({start}, 9, 'UTC')"]
    if end is not None:
        bounds.append(f"time < toDateTime64({end}, 9, 'UTC')")
    return " AND ".join(bounds)
