"""The price list as a list: which models it knows, and what they charge now."""

from __future__ import annotations

import time
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import Final

from genai_prices.data_snapshot import get_snapshot

from genscope.pricing import price_list, published
from genscope.pricing.rates import Rates
from genscope.pricing.usage import FEES

#: Whose models are suggested: makers that sell what they make.
MAKERS: Final = (
    "openai",
    "anthropic",
    "google",
    "mistral",
    "x-ai",
    "deepseek",
    "cohere",
)
_MILLION: Final = Decimal(1_000_000)
_DAY: Final = 24 * 3600


@dataclass(frozen=True, slots=True)
class Listed:
    """A model of the list, with what it charges now in US dollars: per million tokens by kind, of fees per thousand, per call."""

    seller: str
    #: OpenTelemetry's name of the seller.
    provider: str
    model: str
    prices: dict[str, Decimal]
    request: Decimal | None
    #: Whether prices depend on the length of the input, the hour or the day; what is told then is the least of it.
    varies: bool
    #: Which price it is, as `cost_rule` tells it.
    rule: str


def find(text: str, limit: int) -> tuple[list[Listed], int]:
    """Return the first models whose seller or name has all words of a text, and how many there are."""
    words = text.lower().split()
    found = [
        one for one in everything() if all(word in f"{one.seller} {one.provider} {one.model}".lower() for word in words)
    ]
    return found[:limit], len(found)


def makers() -> list[Listed]:
    """Return the models that their makers sell and that generate."""
    return [one for one in everything() if one.seller in MAKERS and "output" in one.prices]


def everything() -> tuple[Listed, ...]:
    """Return every model of the list, by seller and name, with the prices of today."""
    return _everything(int(time.time()) // _DAY)


@lru_cache(maxsize=1)
def _everything(day: int) -> tuple[Listed, ...]:
    names = [(seller.id, info.id) for seller in get_snapshot().providers for info in seller.models]
    found = (_listed(seller, model, day * _DAY * 10**9) for seller, model in dict.fromkeys([*names, *published.ADDED]))
    known = [one for one in found if one is not None]
    makers = {seller: rank for rank, seller in enumerate(MAKERS)}
    return tuple(sorted(known, key=lambda one: (makers.get(one.seller, len(makers)), one.seller, one.model)))


def _listed(seller: str, name: str, moment: int) -> Listed | None:
    provider = price_list.provider_of(seller)
    model = price_list.find(provider, name)
    rates = None if model is None else model.at(moment)
    if model is None or rates is None:
        return None
    prices = {kind: tiers[0][1] * (1000 if kind in FEES else _MILLION) for kind, tiers in rates.tiers.items()}
    return Listed(seller, provider, name, prices, rates.request, len(model.prices) > 1 or _tiered(rates), rates.rule(0))


def _tiered(rates: Rates) -> bool:
    return any(len(tiers) > 1 for tiers in rates.tiers.values())


def version() -> str:
    """Return the version of the price list."""
    return price_list.list_version()
