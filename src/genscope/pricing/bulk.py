"""Many calls priced at once: the lines of their bills are added up before they are priced.

A bill has a line for each kind of usage, with what is left of it after its parts (`cost.computed`). These lines follow from the
counts alone, whatever the rates: `lines` says how, so that a store can work them out call by call and add them up. Calls whose
lines are of the same kinds, that are of the same size and at the same rates, cost together exactly what each of them does.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import Final, TypeAlias

from genscope.pricing import price_list
from genscope.pricing.billed import billed
from genscope.pricing.cost import parts_first
from genscope.pricing.override import Overrides
from genscope.pricing.rates import Rates

#: One summand of a line: 1 or -1, and the kinds of whose counts it is the smallest.
Term: TypeAlias = "tuple[int, tuple[str, ...]]"

#: Kinds that say something even where they are 0.
TOTALS: Final = ("input", "output", "total")
#: Why a model is no choice for some calls.
OTHER_TYPE: Final = "other_type"


@lru_cache(maxsize=1024)
def lines(kinds: tuple[str, ...]) -> dict[str, tuple[Term, ...]]:
    """Return the lines of a bill of usage that has these kinds, of which all but `TOTALS` have counts above 0.

    A line whose sum is less than 0 bills nothing. Of a usage that tells a total alone, the total counts as its input.
    """
    told = (*kinds, "input") if "total" in kinds and not {"input", "output"} & {*kinds} else kinds
    left: dict[str, list[Term]] = {"input": [], "output": []}
    left |= {kind: [(1, (kind if kind in kinds else "total",))] for kind in told}
    order, shared = parts_first(told)
    for cached, modality in shared:
        left[modality].append((-1, (cached, modality)))
        left["input"].append((1, (cached, modality)))
    for kind, whole in order:
        if whole is not None:
            left[whole].append((-1, (kind,)))
    return {kind: tuple(left[kind]) for kind, _ in order}


@dataclass(frozen=True, slots=True)
class Calls:
    """Some calls that can be added up: of one type, with usage of the same kinds, and about as many input tokens."""

    type: str
    kinds: tuple[str, ...]
    count: int
    #: The sums of the lines of their bills.
    sums: Mapping[str, int]
    #: Input tokens of one of them: all are within one tier of the rates.
    input_tokens: int


@dataclass(frozen=True, slots=True)
class Target:
    """A model, at whose prices calls are to be priced, as it serves everybody. `provider` is None if any will do."""

    provider: str | None
    model: str

    def rates(self, overrides: Overrides, time: int) -> Rates | str:
        """Return its rates at a time in nanoseconds, or why there are none, one of `model.COST_MISSING`."""
        model = price_list.find(self.provider, self.model)
        found = overrides.find(self._seller(), self.model, time)
        if found is None and model is not None:
            found = model.at(time)
        return found or ("unknown_model" if model is None else "unknown_price")

    def changes(self, overrides: Overrides, first: int, last: int) -> set[int]:
        """Return the moments between two times from which its rates may be others."""
        model = price_list.find(self.provider, self.model)
        found = overrides.changes(self._seller(), self.model)
        if model is not None:
            found |= model.changes(first, last)
        return {moment for moment in found if first < moment <= last}

    def _seller(self) -> str | None:
        model = price_list.find(self.provider, self.model)
        return model.provider if self.provider is None and model is not None else self.provider


def sizes(rates: Sequence[Rates | str]) -> tuple[int, ...]:
    """Return the numbers of input tokens above which any of these rates are others."""
    tiers = (tier for one in rates if isinstance(one, Rates) for tier in one.tiers.values())
    return tuple(sorted({start for tier in tiers for start, _ in tier[1:]}))


def priced(calls: Calls, rates: Rates | str) -> Decimal | str:
    """Return what calls cost together at some rates in US dollars, or why that is not known, one of `model.COST_MISSING`.

    A model that embeds serves no generations, and one that generates embeds nothing: then it is `OTHER_TYPE`. Amounts of rates
    with more than 12 digits are not rounded call by call.
    """
    if not calls.kinds:
        return "no_usage"
    if isinstance(rates, str):
        return rates
    if not rates.flat and rates.input_only != (calls.type == "embedding"):
        return OTHER_TYPE
    if billed(calls.type, dict.fromkeys(calls.kinds, 1), rates) is None:
        return "no_usage"
    total = rates.request * calls.count if rates.request else Decimal(0)
    for kind, count in calls.sums.items():
        if count > 0:
            rate = rates.rate(kind, calls.input_tokens)
            if rate is None:
                return "unknown_price"
            total += count * rate
    return total
