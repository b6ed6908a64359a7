"""A trace as rows: its spans in tree order, the place of each on the time line, and what each and all below it took.

Pure functions over `Span`s. Whatever the senders' parent links say, every span appears exactly once.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from genscope.model import PAID_TYPES, Span

#: A span is slow whose own time on the critical path is this share of its trace's.
SLOW: Final = 0.2
#: Ticks on the axis of time at least.
TICKS: Final = 4


@dataclass(slots=True)
class Totals:
    """What calls to a model took together, each call counted once. None is "not known of any"."""

    calls: int = 0
    unpriced: int = 0
    input_tokens: int | None = None
    output_tokens: int | None = None
    cost: Decimal | None = None

    def add(self, other: Totals) -> None:
        """Add what other calls took."""
        self.calls += other.calls
        self.unpriced += other.unpriced
        self.input_tokens = _sum(self.input_tokens, other.input_tokens)
        self.output_tokens = _sum(self.output_tokens, other.output_tokens)
        self.cost = other.cost if self.cost is None else self.cost + (other.cost or 0)


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the tree. `left` and `width` are percent of the trace's duration, times nanoseconds."""

    span: Span
    depth: int
    children: int
    #: Its parent is named but never arrived, or is its own descendant.
    orphan: bool
    left: float
    width: float
    #: Percent of the trace's duration until the first token, measured from `left`; None if not known.
    first_token: float | None
    #: While none of its children ran.
    self_time: int
    #: Its own time on the critical path; 0 if it is not on it.
    critical: int
    #: Whether much of the trace's time is its own, see `SLOW`.
    slow: bool
    #: What it and all below it took.
    total: Totals
    #: Whether another span tells of the same call, and counts for it.
    repeated: bool


def begin(span: Span) -> int:
    """Return when a span started, or else where it is placed in time."""
    return span.time if span.start_time is None else span.start_time


def end(span: Span) -> int:
    """Return when a span ended; its beginning if that is not known, or before it."""
    return max(begin(span), span.end_time or 0)


def duration(span: Span) -> int | None:
    """Return a span's duration in nanoseconds, None while it is not known."""
    return None if span.start_time is None or span.end_time is None else span.end_time - span.start_time


def time_to_first_token(span: Span) -> int | None:
    """Return nanoseconds from the start to the first token."""
    first = span.completion_start_time
    return None if span.start_time is None or first is None else first - span.start_time


def _ordered(spans: list[Span]) -> Iterator[tuple[Span, int, int, bool]]:
    """Yield (span, depth, number of children, orphan), parents before children, siblings by start."""
    by_id = {span.span_id: span for span in spans}
    children: dict[str | None, list[Span]] = {}
    for span in sorted(by_id.values(), key=lambda s: (begin(s), s.span_id)):
        parent = span.parent_span_id or None
        children.setdefault(parent if parent in by_id else None, []).append(span)
    seen: set[str] = set()

    def walk(root: Span, orphan: bool) -> Iterator[tuple[Span, int, int, bool]]:
        stack = [(root, 0, orphan)]
        while stack:
            span, depth, lost = stack.pop()
            if span.span_id in seen:
                continue
            seen.add(span.span_id)
            below = [child for child in children.get(span.span_id, ()) if child.span_id not in seen]
            yield span, depth, len(below), lost
            stack.extend((child, depth + 1, False) for child in reversed(below))

    for root in children.get(None, ()):
        yield from walk(root, orphan=bool(root.parent_span_id))
    # What is left hangs in a cycle of parents: it is cut open at its earliest span.
    for span in sorted(by_id.values(), key=lambda s: (begin(s), s.span_id)):
        if span.span_id not in seen:
            yield from walk(span, orphan=True)


def layout(spans: list[Span], repeated: Container[str] = ()) -> list[Row]:
    """Return a trace's spans as rows of a tree. Two spans of one id become one row.

    `repeated` are the ids of the calls that another span tells of too, and counts for.
    """
    if not spans:
        return []
    ordered = list(_ordered(spans))
    below = children([depth for _, depth, _, _ in ordered])
    times = [(begin(span), end(span)) for span, _, _, _ in ordered]
    start, finish = min(map(begin, spans)), max(map(end, spans))
    whole = max(finish - start, 1)
    critical = critical_path(times, below)
    totals = _rolled_up(spans, ordered, below, repeated)
    rows = []
    for index, (span, depth, count, orphan) in enumerate(ordered):
        left = 100 * (begin(span) - start) / whole
        width = 100 * max(duration(span) or 0, 0) / whole
        first = time_to_first_token(span)
        share = None if first is None or first < 0 else min(100 * first / whole, width)
        own = uncovered(times[index], (times[child] for child in below[index]))
        slow = critical[index] >= SLOW * whole and len(ordered) > 1
        again = span.span_id in repeated
        rows.append(
            Row(span, depth, count, orphan, left, width, share, own, critical[index], slow, totals[index], again)
        )
    return rows


def children(depths: Sequence[int]) -> list[list[int]]:
    """Return for each row of a tree, of which the depths are given in its order, the indices of its children."""
    below: list[list[int]] = [[] for _ in depths]
    above: list[int] = []
    for index, depth in enumerate(depths):
        del above[depth:]
        if above:
            below[above[-1]].append(index)
        above.append(index)
    return below


def uncovered(span: tuple[int, int], parts: Iterable[tuple[int, int]]) -> int:
    """Return how much of a stretch of time none of the parts covers; they may overlap, and reach beyond it."""
    position, last = span
    free = 0
    for begins, ends in sorted(parts):
        if begins > position:
            free += min(begins, last) - position
        position = max(position, ends)
        if position >= last:
            return free
    return free + max(last - position, 0)


def critical_path(times: Sequence[tuple[int, int]], below: Sequence[Sequence[int]]) -> list[int]:
    """Return how long each row of a tree was what its end waited for: its own time, without that of its children.

    Read backwards from the end of the trace: what ended last is what was waited for; where it began, what had ended last before
    that, and so on; within each span the same among its children. A child that outlives its parent is waited for by the
    trace, not by the parent. (The method is that of "CRISP: Critical Path Analysis of Large-Scale Microservice
    Architectures", Zhang et al., USENIX ATC 2022.)
    """
    ends = [end for _, end in times]
    roots = set(range(len(times)))
    for index in range(len(times) - 1, -1, -1):  # children stand behind their parents
        ends[index] = max([ends[index], *(ends[child] for child in below[index])])
        roots.difference_update(below[index])
    own = [0] * len(times)
    top = -1

    def latest_first(indices: Iterable[int]) -> Iterator[int]:
        return iter(sorted(indices, key=lambda index: (-ends[index], -times[index][0])))

    # The moment that is reached, the rows that are being read backwards, and their children that are still to be looked at.
    moment = max(ends, default=0)
    stack = [(top, latest_first(roots))]
    while stack:
        index, rest = stack[-1]
        child = next((child for child in rest if ends[child] <= moment), None)
        if index != top:
            begins, finishes = times[index]
            until = begins if child is None else max(begins, ends[child])
            own[index] += max(min(moment, finishes) - until, 0)
        if child is not None:
            moment = ends[child]
            stack.append((child, latest_first(below[child])))
        else:
            stack.pop()
            moment = moment if index == top else min(moment, times[index][0])
    return own


def _rolled_up(
    spans: list[Span], ordered: list[tuple[Span, int, int, bool]], below: list[list[int]], repeated: Container[str]
) -> list[Totals]:
    own: dict[str, Totals] = {}
    for span in spans:
        own.setdefault(span.span_id, Totals()).add(_taken(span, repeated))
    totals = [own[span.span_id] for span, _, _, _ in ordered]
    for index in range(len(totals) - 1, -1, -1):
        for child in below[index]:
            totals[index].add(totals[child])
    return totals


def _taken(span: Span, repeated: Container[str]) -> Totals:
    """Return what a span took by itself: nothing unless it is a call to a model, and the one telling of it that counts."""
    if span.type not in PAID_TYPES or span.span_id in repeated:
        return Totals()
    usage, cost = span.usage or {}, (span.cost or {}).get("total")
    return Totals(1, int(cost is None), usage.get("input"), usage.get("output"), cost)


def whole(rows: Iterable[Row]) -> Totals:
    """Return what a trace took, which is what its roots took."""
    total = Totals()
    for row in rows:
        if row.depth == 0:
            total.add(row.total)
    return total


def ticks(nanoseconds: int | None) -> list[tuple[float, int]]:
    """Return round moments of a length of time for its axis: percent of it, and nanoseconds from its beginning."""
    if not nanoseconds or nanoseconds < 0:
        return [(0.0, 0)]
    step = 1
    while nanoseconds // (10 * step) >= TICKS:
        step *= 10
    step *= next(many for many in (5, 2, 1) if nanoseconds // (many * step) >= TICKS or many == 1)
    return [(100 * moment / nanoseconds, moment) for moment in range(0, nanoseconds + 1, step)]


def _sum(one: int | None, other: int | None) -> int | None:
    return other if one is None else one + (other or 0)


def kept(rows: Iterable[Row], wanted: Callable[[Row], bool]) -> list[Row]:
    """Return the rows that are wanted, and all above them, in their order."""
    above: list[tuple[int, Row]] = []
    found: dict[int, Row] = {}
    for index, row in enumerate(rows):
        del above[row.depth :]
        above.append((index, row))
        if wanted(row):
            for place, one in reversed(above):
                if place in found:
                    break
                found[place] = one
    return [found[index] for index in sorted(found)]
