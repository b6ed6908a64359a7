"""A trace as rows: its spans in tree order with the place of each on the time line, and the totals of its header.

Pure functions over `Span`s. Whatever the senders' parent links say, every span appears exactly once.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from genscope.model import Span


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the tree. `left` and `width` are percent of the trace's duration."""

    span: Span
    depth: int
    children: int
    #: Its parent is named but never arrived, or is its own descendant.
    orphan: bool
    left: float
    width: float
    #: Percent of the trace's duration until the first token, measured from `left`; None if not known.
    first_token: float | None


def begin(span: Span) -> int:
    """Return when a span started, or else where it is placed in time."""
    return span.time if span.start_time is None else span.start_time


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


def layout(spans: list[Span]) -> list[Row]:
    """Return a trace's spans as rows of a tree. Two spans of one id become one row."""
    if not spans:
        return []
    start = min(map(begin, spans))
    end = max(max(begin(span), span.end_time or 0) for span in spans)
    whole = max(end - start, 1)
    rows = []
    for span, depth, children, orphan in _ordered(spans):
        left = 100 * (begin(span) - start) / whole
        width = 100 * max(duration(span) or 0, 0) / whole
        first = time_to_first_token(span)
        share = None if first is None or first < 0 else min(100 * first / whole, width)
        rows.append(Row(span, depth, children, orphan, left, width, share))
    return rows
