"""Two texts, conversations, spans or traces beside each other: what belongs together, and what differs.

Pure functions. Everything is aligned by a longest common subsequence, which `rapidfuzz` finds by words of 64 bits: two traces of
10,000 spans take a tenth of a second, however alike their spans are called.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final, Literal, TypeVar

from rapidfuzz.distance import LCSseq

from genscope.model import Json, Span
from genscope.store.reader import TraceSummary
from genscope.web import addresses, format, messages
from genscope.web.messages import Message
from genscope.web.tree import Row, duration, layout, time_to_first_token

T = TypeVar("T")

#: Words of two texts that are compared where the texts differ; what follows is shown as it is.
MOST_WORDS: Final = 10_000
#: Words that may be the same by chance.
FEW: Final = 3
#: Characters of a text that are shown where it is the same as the other, at either end, and of what is not compared any more.
AROUND: Final = 240
MOST_SHOWN: Final = 20_000
MOST_PIECES: Final = 2_000
#: Messages of a conversation, characters of those that differ, and rows of two traces that are drawn.
MOST_MESSAGES: Final = 200
MOST_TEXT: Final = 200_000
MOST_ROWS: Final = 2_000

#: Languages that put no spaces between words are compared letter by letter.
_DENSE: Final = "\u0e00-\u0eff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af"
_WORD: Final = re.compile(rf"(?:[{_DENSE}]|[^\W{_DENSE}]+|\W)\s*")
_LETTER: Final = re.compile(r"\w")


def align(left: Sequence[T], right: Sequence[T], *keys: Callable[[T], Hashable]) -> list[tuple[T | None, T | None]]:
    """Return both sequences in their order with what belongs together side by side.

    What has nothing beside it has None there. What has the same first key is matched first, so that most of both is; between
    the matches the next key decides, and so on.
    """
    if not keys or not left or not right:
        return [*((one, None) for one in left), *((None, one) for one in right)]
    key, *rest = keys
    pairs: list[tuple[T | None, T | None]] = []
    done_left = done_right = 0
    for begin_left, begin_right, length in _matches([key(one) for one in left], [key(one) for one in right]):
        between = align(left[done_left:begin_left], right[done_right:begin_right], *rest)
        pairs += between
        done_left, done_right = begin_left + length, begin_right + length
        pairs += zip(left[begin_left:done_left], right[begin_right:done_right], strict=True)
    after = align(left[done_left:], right[done_right:], *rest)
    return [*pairs, *after]


def _matches(left: Sequence[Hashable], right: Sequence[Hashable]) -> Iterator[tuple[int, int, int]]:
    for found in LCSseq.opcodes(left, right).as_matching_blocks():
        if found.size:
            yield found.a, found.b, found.size


# --- texts ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Piece:
    """A piece of one of two texts; of what is left out, `text` is how many characters it has."""

    kind: Literal["same", "changed", "skipped"]
    text: str


@dataclass(frozen=True, slots=True)
class Texts:
    """Two texts in pieces. `uncompared` characters at the end of both together were not compared."""

    left: list[Piece]
    right: list[Piece]
    uncompared: int = 0
    #: They differ, but in white space alone.
    spacing: bool = False


def texts(left: str, right: str) -> Texts:
    """Compare two texts word by word; white space between words is shown, but not compared."""
    start = _common(left, right)
    end = _common_end(left[start:], right[start:])
    head, tail = left[:start], left[len(left) - end :]
    left_words, left_rest = _words(left[start : len(left) - end])
    right_words, right_rest = _words(right[start : len(right) - end])
    sides = [Piece("same", head)], [Piece("same", head)]
    done = (0, 0)
    found = _matches([word.strip() for word in left_words], [word.strip() for word in right_words])
    for *begins, length in [*_telling(list(found), left_words, right_words), (len(left_words), len(right_words), 0)]:
        for side, words, before, begin in zip(sides, (left_words, right_words), done, begins, strict=True):
            side.append(Piece("changed", "".join(words[before:begin])))
            side.append(Piece("same", "".join(words[begin : begin + length])))
        done = (begins[0] + length, begins[1] + length)
    for side, rest in zip(sides, (left_rest, right_rest), strict=True):
        side += [Piece("changed", rest), Piece("same", tail)]
    shown_left, shown_right = (_folded(_joined(side)) for side in sides)
    changed = any(piece.kind == "changed" for piece in (*shown_left, *shown_right))
    return Texts(shown_left, shown_right, len(left_rest) + len(right_rest), left != right and not changed)


def _telling(
    matches: list[tuple[int, int, int]], left: Sequence[str], right: Sequence[str]
) -> list[tuple[int, int, int]]:
    """Leave out a few words that two passages share which say something else otherwise: they are the same by chance."""
    kept: list[tuple[int, int, int]] = []
    ends = [*matches, (len(left), len(right), 0)][1:]
    done = (0, 0)
    for match, following in zip(matches, ends, strict=True):
        begin_left, begin_right, length = match
        end_left, end_right = begin_left + length, begin_right + length
        before = max(begin_left - done[0], begin_right - done[1])
        after = max(following[0] - end_left, following[1] - end_right)
        if length > FEW or length > before or length > after:
            kept.append(match)
            done = (end_left, end_right)
    return kept


def _words(text: str) -> tuple[list[str], str]:
    """Return the words of a text with the space behind them, and what is beyond the bound."""
    words: list[str] = []
    for found in _WORD.finditer(text):
        if len(words) >= MOST_WORDS:
            return words, text[found.start() :]
        words.append(found[0])
    return words, ""


def _common(left: str, right: str) -> int:
    """Return how many characters both begin with, up to the end of a word. By halves: a loop over megabytes takes seconds."""
    low, high = 0, min(len(left), len(right))
    if left[:high] == right[:high]:
        low = high
    while low < high:
        middle = (low + high + 1) // 2
        if left[low:middle] == right[low:middle]:
            low = middle
        else:
            high = middle - 1
    if low == len(left) == len(right):
        return low
    return max(left.rfind(" ", 0, low), left.rfind("\n", 0, low)) + 1


def _common_end(left: str, right: str) -> int:
    """Return how many characters both end with, from the begin of a word on."""
    low, high = 0, min(len(left), len(right))
    while low < high:
        middle = (low + high + 1) // 2
        if left[len(left) - middle : len(left) - low] == right[len(right) - middle : len(right) - low]:
            low = middle
        else:
            high = middle - 1
    begin = len(left) - low
    spaces = [at for at in (left.find(" ", begin), left.find("\n", begin)) if at >= 0]
    return len(left) - min(spaces) if spaces else 0


def _joined(pieces: Sequence[Piece]) -> list[Piece]:
    """Unite neighbours of one kind. A sign between two changes is one change with them."""
    told = [piece for piece in pieces if piece.text]
    united: list[Piece] = []
    for place, piece in enumerate(told):
        between = 0 < place < len(told) - 1 and told[place - 1].kind == told[place + 1].kind == "changed"
        kind = "changed" if between and not _LETTER.search(piece.text) else piece.kind if piece.text.strip() else "same"
        if united and united[-1].kind == kind:
            united[-1] = Piece(kind, united[-1].text + piece.text)
        else:
            united.append(Piece(kind, piece.text))
    return united


def _folded(pieces: Sequence[Piece]) -> list[Piece]:
    """Leave out most of what is the same for long, and the end of what differs for longer than anybody reads."""
    folded: list[Piece] = []
    for place, piece in enumerate(pieces):
        first, last = place == 0, place == len(pieces) - 1
        head, tail = (0 if first and not last else AROUND), (0 if last else AROUND)
        if piece.kind == "changed":
            head, tail = MOST_SHOWN, 0
        hidden = len(piece.text) - head - tail
        if hidden <= AROUND:
            folded.append(piece)
            continue
        ends = Piece(piece.kind, piece.text[:head]), Piece(piece.kind, piece.text[len(piece.text) - tail :])
        folded += [one for one in (ends[0], Piece("skipped", str(hidden)), ends[1]) if one.text]
    rest = sum(int(piece.text) if piece.kind == "skipped" else len(piece.text) for piece in folded[MOST_PIECES:])
    return [*folded[:MOST_PIECES], *([Piece("skipped", str(rest))] if rest else [])]


# --- conversations --------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Turn:
    """Two messages that belong together, or one that the other side lacks. Without `texts` they are the same."""

    left: Message | None
    right: Message | None
    texts: Texts | None

    @property
    def role(self) -> str:
        """Who speaks."""
        said = self.left or self.right
        return said.role if said else ""


def spoken(message: Message) -> str:
    """Return what a message says as one text."""
    return "\n\n".join(
        f"{'→' if part.kind == 'tool_call' else '←'} {part.name}\n{part.text}" if part.name else part.text
        for part in message.parts
    )


def conversations(left: Sequence[Message], right: Sequence[Message]) -> tuple[list[Turn], int]:
    """Return two conversations message by message, and how many of their pairs are left out."""
    pairs = align(left, right, lambda one: (one.role, spoken(one)), lambda one: one.role)
    turns: list[Turn] = []
    shown = 0
    for before, after in pairs[:MOST_MESSAGES]:
        if shown > MOST_TEXT:
            break
        texts_ = "" if before is None else spoken(before), "" if after is None else spoken(after)
        compared = None if before and after and texts_[0] == texts_[1] else texts(*texts_)
        shown += sum(len(piece.text) for piece in (*compared.left, *compared.right)) if compared else 0
        turns.append(Turn(before, after, compared))
    return turns, len(pairs) - len(turns)


# --- figures --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Figure:
    """One value of both sides as it is read, and what became of it from left to right; `meaning` chooses its colour."""

    label: str
    left: str
    right: str
    change: str = ""
    meaning: Literal["", "cost", "latency", "error"] = ""

    @property
    def differs(self) -> bool:
        """Whether it is another value on the right."""
        return self.left != self.right


#: Values that say nothing where both sides have them.
SILENT: Final = frozenset((value, value) for value in (format.UNKNOWN, "0", "DEFAULT"))


def change(left: float | None, right: float | None) -> str:
    """Return what became of a number: in percent, or how many times as much it is."""
    if left is None or right is None or left == right:
        return ""
    if left <= 0 or right < 0:
        return ""
    times = right / left
    if times >= 3:
        return f"{times:,.0f}\u00d7" if times >= 100 else f"{times:.3g}\u00d7"
    percent = f"{(times - 1) * 100:+.0f} %"
    return percent if percent not in ("+0 %", "-0 %") else f"{(times - 1) * 100:+.2g} %"


def _number(
    label: str,
    left: float | None,
    right: float | None,
    written: Callable[..., str],
    meaning: Literal["", "cost", "latency", "error"] = "",
) -> Figure:
    return Figure(label, written(left), written(right), change(left, right), meaning)


def _text(label: str, left: Json, right: Json) -> Figure:
    return Figure(label, _said(left), _said(right))


def _money(label: str, left: Decimal | None, right: Decimal | None) -> Figure:
    known = None if left is None else float(left), None if right is None else float(right)
    return Figure(label, format.money(left), format.money(right), change(*known), "cost")


def _said(value: Json) -> str:
    if value in (None, "", [], {}):
        return format.UNKNOWN
    return format.one_line(value if isinstance(value, str) else messages.pretty(value), 400)


def figures(left: Span, right: Span) -> list[Figure]:
    """Return what two spans are and took: those values that one of them has at all."""
    figures_ = [
        _text("Name", left.name, right.name),
        _text("Type", left.type or "span", right.type or "span"),
        _text("Model", left.model, right.model),
        _text("Provider", left.provider, right.provider),
        _text("Level", left.level or "DEFAULT", right.level or "DEFAULT"),
        _text("Status", left.status_message, right.status_message),
        _number("Latency", duration(left), duration(right), format.duration, "latency"),
        _number("First token", time_to_first_token(left), time_to_first_token(right), format.duration, "latency"),
        _money("Cost", (left.cost or {}).get("total"), (right.cost or {}).get("total")),
    ]
    usage = (left.usage or {}, right.usage or {})
    figures_ += [
        _number(f"Tokens: {kind}", usage[0].get(kind), usage[1].get(kind), format.count)
        for kind in sorted({*usage[0], *usage[1]}, key=_usage_order)
    ]
    parameters = (left.model_parameters or {}, right.model_parameters or {})
    figures_ += [
        _text(f"Parameter: {format.one_line(name, 80)}", parameters[0].get(name), parameters[1].get(name))
        for name in sorted({*parameters[0], *parameters[1]})
    ]
    figures_ += [
        _text("Prompt", _prompt(left), _prompt(right)),
        _text("Environment", left.environment, right.environment),
        _text("Release", left.release, right.release),
    ]
    return [one for one in figures_ if (one.left, one.right) not in SILENT]


def totals(left: TraceSummary, right: TraceSummary) -> list[Figure]:
    """Return what two traces are and took as a whole."""
    figures_ = [
        _text("Name", left.name, right.name),
        _number("Duration", left.duration, right.duration, format.duration, "latency"),
        _money("Cost", left.total_cost, right.total_cost),
        _number("Unpriced calls", left.unpriced_count, right.unpriced_count, format.count),
        _number("Spans", left.span_count, right.span_count, format.count),
        _number("Generations", left.generation_count, right.generation_count, format.count),
        _number("Errors", left.error_count, right.error_count, format.count, "error"),
        _number("Tokens in", left.input_tokens, right.input_tokens, format.count),
        _number("Tokens out", left.output_tokens, right.output_tokens, format.count),
        _text("Models", ", ".join(left.models), ", ".join(right.models)),
        _text("User", left.user_id, right.user_id),
        _text("Environment", left.environment, right.environment),
        _text("Release", left.release, right.release),
        _text("Tags", ", ".join(left.tags), ", ".join(right.tags)),
    ]
    return [one for one in figures_ if (one.left, one.right) not in SILENT]


def _usage_order(kind: str) -> tuple[int, str]:
    known = [place for place, name in enumerate(("input", "output", "total")) if kind.startswith(name)]
    return (known[0] if known else 9, kind)


def _prompt(span: Span) -> str:
    return " ".join(part for part in (span.prompt_name, span.prompt_version and f"v{span.prompt_version}") if part)


# --- traces ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Line:
    """A row of two trees beside each other; `differences` name in what two spans that belong together differ."""

    left: Row | None
    right: Row | None
    depth: int
    differences: list[str] = field(default_factory=list)

    @property
    def url(self) -> str:
        """Where its two spans are compared; empty where there is one."""
        if self.left is None or self.right is None:
            return ""
        return addresses.compare(
            *(addresses.side(row.span.trace_id, row.span.span_id) for row in (self.left, self.right))
        )


#: What two spans of two traces are compared by. Texts are previews.
COMPARED: Final[dict[str, Callable[[Span], object]]] = {
    "name": lambda span: span.name,
    "model": lambda span: span.model,
    "level": lambda span: span.level or "DEFAULT",
    "input": lambda span: span.input,
    "output": lambda span: span.output,
}


def trees(left: list[Span], right: list[Span]) -> list[Line]:
    """Return two traces as rows of one tree: children are aligned in their order, by type and name, else by type alone."""
    lines: list[Line] = []
    roots = align(_roots(left), _roots(right), _Node.kind, _Node.type, lambda _: None)
    stack = [(before, after, 0) for before, after in reversed(roots)]
    while stack:
        before, after, depth = stack.pop()
        row, other = before.row if before else None, after.row if after else None
        lines.append(Line(row, other, depth, _differences(row, other)))
        below = align(before.children if before else [], after.children if after else [], _Node.kind, _Node.type)
        stack.extend((one, another, depth + 1) for one, another in reversed(below))
    return lines


@dataclass(slots=True)
class _Node:
    row: Row
    children: list[_Node] = field(default_factory=list)

    def kind(self) -> Hashable:
        return self.row.span.type, self.row.span.name

    def type(self) -> Hashable:
        return self.row.span.type


def _roots(spans: list[Span]) -> list[_Node]:
    roots: list[_Node] = []
    path: list[_Node] = []
    for row in layout(spans):
        node = _Node(row)
        del path[row.depth :]
        (path[-1].children if path else roots).append(node)
        path.append(node)
    return roots


def _differences(left: Row | None, right: Row | None) -> list[str]:
    if left is None or right is None:
        return []
    return [name for name, value in COMPARED.items() if value(left.span) != value(right.span)]
