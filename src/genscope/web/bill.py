"""A span's cost, line by line: each count of tokens once, at the price that it was charged.

`Span.usage` and `Span.cost` hold totals (`input`, `output`) and parts of them (`input_cache_read`); a bill needs each
token in one line only, so a kind's own line holds what is left after its parts.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from genscope.model import Span
from genscope.pricing.cost import CACHED
from genscope.pricing.usage import FEES
from genscope.web import format as fmt

TIMES = "\N{MULTIPLICATION SIGN}"
NAMES = {
    "input": "Input",
    "input_cache_read": "Input, read from cache",
    "input_cache_write": "Input, written to cache",
    "input_cache_write_5m": "Input, written to cache for 5 min",
    "input_cache_write_1h": "Input, written to cache for 1 h",
    "input_cache_read_audio": "Input, audio read from cache",
    "input_cache_read_image": "Input, images read from cache",
    "input_audio": "Input, audio",
    "input_image": "Input, images",
    "input_video": "Input, video",
    "output": "Output",
    "output_reasoning": "Output, reasoning",
    "output_audio": "Output, audio",
    "output_image": "Output, images",
    "output_citation": "Output, citations",
    "web_search": "Web searches",
    "file_search": "File searches",
    "search": "Searches",
    "request": "The call itself",
}


@dataclass(frozen=True, slots=True)
class Line:
    """One kind of usage: how many tokens or calls, what they cost together, and how that came about."""

    kind: str
    name: str
    tokens: int | None
    cost: Decimal | None
    #: Tokens times the price of a million of them, or calls times that of a thousand; empty where it cannot be said.
    working: str


def _parents(kind: str, kinds: Iterable[str]) -> str | None:
    """Return the nearest kind that `kind` is a part of."""
    within = [other for other in kinds if kind != other and kind.startswith(f"{other}_")]
    return max(within, key=len, default=None)


def _own(values: dict[str, int] | dict[str, Decimal]) -> dict[str, Decimal]:
    """Return each kind's amount without that of its parts."""
    own = {kind: Decimal(value) for kind, value in values.items()}
    for kind, value in values.items():
        parent = _parents(kind, values)
        if parent is not None:
            own[parent] -= value
    return own


def _tokens(charged: dict[str, int]) -> dict[str, Decimal]:
    """Return each kind's count without that of its parts; what was cached of a modality is no part of the modality again."""
    own = _own(charged)
    for cached, modality in CACHED:
        if cached in own and modality in own:
            twice = min(own[cached], own[modality])
            own[modality] -= twice
            own["input"] = own.get("input", Decimal(0)) + twice
    return own


def lines(span: Span) -> list[Line]:
    """Return the lines of the bill, without a total."""
    usage = {kind: n for kind, n in (span.usage or {}).items() if kind != "total"}
    cost = {kind: money for kind, money in (span.cost or {}).items() if kind != "total"}
    # A part that was counted but not charged on its own stays within its total, or the line's price would be wrong.
    charged = {kind: n for kind, n in usage.items() if kind in cost} if cost else usage
    tokens, money = _tokens(charged), _own({kind: amount for kind, amount in cost.items() if kind in usage})
    bill = []
    for kind in sorted({*usage, *cost}):
        count = int(tokens[kind]) if kind in tokens else None
        amount = money.get(kind, cost.get(kind))
        if count is not None and count < 0:
            count, amount = usage[kind], cost.get(kind)  # The parts exceed their total: shown as they were sent.
        rest = count is not None and count != usage[kind]
        name = NAMES.get(kind, kind.replace("_", " ").capitalize()) + (", the rest" if rest else "")
        if kind in usage and count is None:
            name, count = f"{name} (within its total)", usage[kind]
        # Nothing is left beside its parts, or a kind that the sender always names was not used.
        if count == 0 and not amount and (usage.get(kind) or kind not in ("input", "output")):
            continue
        working = ""
        if count and amount is not None and kind in usage:
            many, unit = (1_000, "1k") if kind in FEES else (1_000_000, "1M")
            working = f"{fmt.count(count)} {TIMES} {fmt.rate(amount, count, many)} / {unit}"
        bill.append(Line(kind, name, count, amount, working))
    return bill
