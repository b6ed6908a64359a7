"""Amounts of money: those that a sender reported, and those that follow from usage and rates."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import ROUND_HALF_EVEN, Context, Decimal, DecimalException
from functools import lru_cache
from typing import Final

import orjson

from genscope.model import Cost, Json, RawSpan, Usage
from genscope.pricing.rates import Rates
from genscope.pricing.usage import LONGEST_KIND, MOST_KINDS, ancestors, kind_of

#: Amounts are stored with 12 digits after the point and 26 before; anything near the latter is no price of a call.
_SMALLEST: Final = Decimal("1e-12")
_LARGEST: Final = Decimal("1e20")
_EXACT: Final = Context(prec=38, rounding=ROUND_HALF_EVEN)
_ZERO: Final = Decimal(0)
#: What the names of amounts end with and the names of counts do not: `input_cost`, `inputCost`.
_COST: Final = re.compile(r"(?<=.)_?cost$", re.IGNORECASE)
#: Kinds whose cost is told even if it is zero; of the parts only those that cost something are.
_TOTALS: Final = ("input", "output")
_NOTHING: Final = dict.fromkeys(_TOTALS, 0)
#: Kinds that no price list has a price of.
_TEXT: Final = frozenset({"input_text", "output_text", "input_cache_read_text", "input_modality_text"})
#: What was cached of a modality -> the modality, which counts it as well.
CACHED: Final = tuple((f"input_cache_read_{modality}", f"input_{modality}") for modality in ("audio", "image", "video"))


def amount(value: Json) -> Decimal | None:
    """US dollars as the sender wrote them, rounded half-even to 12 digits; None for what is no possible amount."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    text = str(value) if not isinstance(value, int) or abs(value) < 10**20 else ""
    try:
        return _stored(Decimal(text)) if 0 < len(text) <= 64 else None
    except DecimalException:
        return None


def _stored(money: Decimal) -> Decimal | None:
    if not money.is_finite() or not 0 <= money < _LARGEST:
        return None
    return money.copy_abs() if int(money.as_tuple().exponent) >= -12 else money.quantize(_SMALLEST, context=_EXACT)


def from_total(value: Json, _span: RawSpan) -> Cost | None:
    """A decoder of a cost reported as one number (`gen_ai.usage.cost`)."""
    total = amount(value)
    return None if total is None else {"total": total}


def from_details(value: Json, _span: RawSpan) -> Cost | None:
    """A decoder of a cost reported by kind (Langfuse's `cost_details`): exclusive buckets, maybe a total.

    The buckets become `input` and `output` totals with their parts; a bucket of neither keeps its name.
    """
    if isinstance(value, str):
        try:
            value = orjson.loads(value)
        except ValueError:
            return None
    if not isinstance(value, dict):
        return None
    cost: Cost = {}
    for name, reported in value.items():
        money = amount(reported)
        if money is not None and len(name) <= LONGEST_KIND and len(cost) < MOST_KINDS:
            known = kind_of(_COST.sub("", name))
            cost.setdefault(known[1] if known else name, money)
    if not cost:
        return None
    total = cost.pop("total", None)
    buckets = sum((money for kind, money in cost.items() if not _within(kind, cost)), _ZERO)
    inclusive = total is not None and total == cost.get("input", _ZERO) + cost.get("output", _ZERO)
    for side in ("input", "output"):
        parts = [money for kind, money in cost.items() if kind.startswith(f"{side}_") and not _within(kind, cost)]
        if parts and not inclusive:
            cost[side] = cost.get(side, _ZERO) + sum(parts, _ZERO)
    cost["total"] = buckets if total is None else total
    return cost if all(money < _LARGEST for money in cost.values()) else None


def _within(kind: str, kinds: Mapping[str, object]) -> bool:
    """Whether `kind` is part of another part, and so counted there already."""
    return any(whole in kinds for whole in ancestors(kind) if whole not in ("input", "output"))


def computed(usage: Usage, rates: Rates) -> Cost | None:
    """What `usage` costs at `rates`, by kind; None if a total has no rate or is not known.

    Each kind is paid at its own rate or, without one, at that of what it is a part of. Text is what is left of a total
    beside the other modalities, whether it was counted or not, and audio that was cached is not paid as audio again.
    """
    basis = usage.get("input", 0)
    left = {**_NOTHING, **usage}
    cost: Cost = {}
    total = _ZERO
    kinds, shared = parts_first(tuple([kind for kind, count in usage.items() if count or kind in _TOTALS]))
    for cached, modality in shared:
        twice = min(usage[cached], usage[modality])
        left[modality] -= twice
        left["input"] += twice
    for kind, whole in kinds:
        count = left[kind]
        rate = rates.rate(kind, basis)
        if rate is None:
            if count > 0:
                return None
            rate = _ZERO
        paid = max(count, 0) * rate
        if kind in cost:
            paid += cost[kind]
        cost[kind] = paid
        if whole is None:
            total += paid
        else:
            left[whole] -= usage[kind]
            cost[whole] = cost[whole] + paid if whole in cost else paid
    if rates.request:
        cost["request"] = rates.request
        total += rates.request
    cost["total"] = total
    if rates.fine:
        cost = {kind: money.quantize(_SMALLEST, context=_EXACT) for kind, money in cost.items()}
    return cost


@lru_cache(maxsize=1024)
def parts_first(
    kinds: tuple[str, ...],
) -> tuple[tuple[tuple[str, str | None], ...], tuple[tuple[str, str], ...]]:
    """Kinds with what each is a part of, parts before wholes; and pairs of kinds that count some tokens both."""
    known = frozenset(kinds) - {"total"} - _TEXT
    # A total that was not told costs what its parts do.
    known |= {side for side in _TOTALS if any(kind.startswith(f"{side}_") for kind in known)}
    return tuple(
        (kind, next((whole for whole in ancestors(kind) if whole in known), None))
        for kind in sorted(known, key=lambda kind: (-len(kind), kind))
    ), tuple((cached, modality) for cached, modality in CACHED if cached in known and modality in known)
