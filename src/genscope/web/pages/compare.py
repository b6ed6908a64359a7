"""Two generations, or two traces, beside each other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from starlette.requests import Request

from genscope.messages import speaker
from genscope.model import Span
from genscope.query.filter import Filter
from genscope.services import services
from genscope.store.reader import Reader, TraceSummary
from genscope.web import addresses, compare
from genscope.web.frame import Viewer, page, page_router
from genscope.web.messages import Message, conversation
from genscope.web.tree import begin

router = page_router()

HOW: Final = "expected TRACE or TRACE/SPAN, ids as their pages show them"
#: How many of the same name are offered to be compared with.
OTHERS: Final = 10
SIDES: Final[tuple[Literal["input"], Literal["output"]]] = ("input", "output")


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two: a trace, or a span in one, and what it is told by; `kind` is `trace` or the type of the span."""

    trace_id: str
    span_id: str | None
    name: str
    kind: str
    model: str | None
    time: int

    @property
    def url(self) -> str:
        """Its page."""
        return addresses.trace(self.trace_id, self.span_id)


@dataclass(frozen=True, slots=True)
class Compared:
    """Two things beside each other; without sides it is still to be said which."""

    asked: tuple[str, str]
    error: str = ""
    sides: tuple[Side, Side] | None = None
    figures: list[compare.Figure] = field(default_factory=list)
    #: Input and output of two spans, and how many pairs of messages are left out.
    texts: list[tuple[str, list[compare.Turn], int]] = field(default_factory=list)
    #: The spans of two traces, and how many there are in all.
    lines: list[compare.Line] = field(default_factory=list)
    line_count: int = 0
    #: What the only one that was named may be compared with, and where.
    others: list[tuple[Side, str]] = field(default_factory=list)

    @property
    def swapped(self) -> str:
        """The URL of both in the other order."""
        return addresses.compare(self.asked[1], self.asked[0])

    def json(self) -> dict[str, Any]:
        """Return what is compared and what differs, as JSON."""
        if self.sides is None:
            return {"error": self.error or f"left and right: {HOW}"}
        left, right = self.sides
        told: dict[str, Any] = {
            "left": {"trace_id": left.trace_id, "span_id": left.span_id, "name": left.name},
            "right": {"trace_id": right.trace_id, "span_id": right.span_id, "name": right.name},
            "figures": [
                {"label": one.label, "left": one.left, "right": one.right, "change": one.change} for one in self.figures
            ],
        }
        for side, turns, hidden in self.texts:
            told[side] = {"turns": [_turn(turn) for turn in turns], "hidden": hidden}
        if left.span_id is None:
            told["spans"] = [
                {
                    "depth": line.depth,
                    "left": line.left and line.left.span.span_id,
                    "right": line.right and line.right.span.span_id,
                    "differences": line.differences,
                }
                for line in self.lines
            ]
        return told


def _turn(turn: compare.Turn) -> dict[str, Any]:
    told: dict[str, Any] = {"role": turn.role, "same": turn.texts is None}
    if turn.texts is not None:
        told["uncompared"] = turn.texts.uncompared
        told["left"] = [{"kind": piece.kind, "text": piece.text} for piece in turn.texts.left]
        told["right"] = [{"kind": piece.kind, "text": piece.text} for piece in turn.texts.right]
    return told


@page(router, "/compare", "compare.html", name="compare")
def compared(request: Request, project: Viewer, left: str = "", right: str = "") -> Compared:
    """Compare two spans, or two traces: `left` and `right` are `TRACE` or `TRACE/SPAN`."""
    asked = left.strip(), right.strip()
    reader = services(request).reader
    if not all(asked):
        return Compared(asked, others=_others(reader, project.id, "".join(asked)))
    first, second = (addresses.sides(one) for one in asked)
    if first is None or second is None:
        return Compared(asked, f"{'right' if first else 'left'}: {HOW}.")
    if (first[1] is None) != (second[1] is None):
        return Compared(asked, "One of them is a trace and the other a span in one: choose two of a kind.")
    if first[1] is None:
        traces = [reader.trace_summary(project.id, trace_id) for trace_id, _ in (first, second)]
        before, after = traces
        if before is None or after is None:
            return _missing(asked, traces)
        return _traces(reader, project.id, asked, before, after)
    spans = [reader.span(project.id, trace_id, span_id or "") for trace_id, span_id in (first, second)]
    one, other = spans
    if one is None or other is None:
        return _missing(asked, spans)
    return _spans(asked, one, other)


def _others(reader: Reader, project_id: str, asked: str) -> list[tuple[Side, str]]:
    """Return the latest of the same name as the only one that was named."""
    trace_id, span_id = addresses.sides(asked) or ("", None)
    if span_id is not None:
        span = reader.span(project_id, trace_id, span_id)
        if span is None or span.name is None:
            return []
        found = [_side(one) for one in reader.spans(project_id, Filter().where("name", span.name), limit=OTHERS).rows]
    else:
        summary = reader.trace_summary(project_id, trace_id) if trace_id else None
        if summary is None or summary.name is None:
            return []
        traces = reader.traces(project_id, Filter().where("name", summary.name), limit=OTHERS).rows
        found = [_whole(one) for one in traces if one.name == summary.name]
    sides = [(one, addresses.side(one.trace_id, one.span_id)) for one in found]
    return [(one, addresses.compare(text, asked)) for one, text in sides if text != asked]


def _missing(asked: tuple[str, str], found: Sequence[object]) -> Compared:
    missing = next(text for text, one in zip(asked, found, strict=True) if one is None)
    return Compared(asked, f"There is no {'span' if '/' in missing else 'trace'} {missing!r} in this project.")


def _spans(asked: tuple[str, str], left: Span, right: Span) -> Compared:
    texts: list[tuple[str, list[compare.Turn], int]] = []
    for side in SIDES:
        turns, hidden = compare.conversations(_said(left, side), _said(right, side))
        if turns:
            texts.append((side, turns, hidden))
    return Compared(asked, sides=(_side(left), _side(right)), figures=compare.figures(left, right), texts=texts)


def _side(span: Span) -> Side:
    return Side(span.trace_id, span.span_id, span.name or "unnamed", span.type or "span", span.model, begin(span))


def _whole(trace: TraceSummary) -> Side:
    return Side(trace.trace_id, None, trace.name or "unnamed", "trace", None, trace.start_time)


def _said(span: Span, side: Literal["input", "output"]) -> list[Message]:
    return conversation(span.input if side == "input" else span.output, speaker(span.type, side))


def _traces(
    reader: Reader, project_id: str, asked: tuple[str, str], left: TraceSummary, right: TraceSummary
) -> Compared:
    lines = compare.trees(*(reader.trace(project_id, one.trace_id, full=False) for one in (left, right)))
    return Compared(
        asked,
        sides=(_whole(left), _whole(right)),
        figures=compare.totals(left, right),
        lines=lines[: compare.MOST_ROWS],
        line_count=len(lines),
    )
