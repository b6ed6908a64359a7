"""What of a call's usage its bill is made of."""

from __future__ import annotations

from genscope.model import PAID_TYPES, Usage
from genscope.pricing.rates import Rates
from genscope.pricing.usage import FEES


def billed(type_: str | None, usage: Usage | None, rates: Rates | None) -> Usage | None:
    """Return what the bill of a span of a type is made of, None if its usage does not tell."""
    if usage is None:
        return {} if rates is not None and rates.request and rates.flat and type_ in PAID_TYPES else None
    if type_ == "reranker" and rates is not None and rates.flat and rates.tiers and FEES.isdisjoint(usage):
        return None  # It is billed by the search, and nobody told how many there were.
    if "input" in usage or "output" in usage:
        return usage
    if "total" in usage and (type_ == "embedding" or (rates is not None and rates.input_only)):
        return {**usage, "input": usage["total"]}
    return usage if rates is not None and rates.flat and not FEES.isdisjoint(usage) else None
