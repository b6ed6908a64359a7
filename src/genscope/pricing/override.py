"""Prices that a project gives itself: for models that no list has, and instead of the list for those it has."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal, DecimalException
from fnmatch import translate
from typing import Final

from genscope.pricing.rates import Rates
from genscope.pricing.usage import FEES, LONGEST_KIND, MOST_KINDS

#: Letters in a pattern or a provider's name.
_LONGEST: Final = 300
#: What no price exceeds, in dollars: a dollar a token, a million a call.
_DEAREST: Final = Decimal(1_000_000)
#: Digits after the point of a price, which are those of an amount.
_DIGITS: Final = 12
_KIND: Final = re.compile(r"(input|output)(_[a-z0-9]+)*")
#: How many (provider, model) pairs are remembered; a project has a few dozen.
_REMEMBERED: Final = 4096
_MILLION: Final = Decimal(1_000_000)


@dataclass(frozen=True, slots=True)
class Override:
    """One price of a project. `checked` makes one of what a person wrote."""

    #: Pattern over the whole name of the model as sent, case-insensitive: `*` is any text, `?` any letter.
    model: str
    #: OpenTelemetry's name of the provider; None: any.
    provider: str | None
    #: Nanoseconds since the epoch from which it holds; None: always.
    start: int | None
    #: Kind of usage -> USD per million tokens, of `FEES` per thousand calls. A kind that is not named has the price of
    #: what it is a part of.
    prices: Mapping[str, Decimal]
    #: USD per call.
    request: Decimal | None = None


def checked(
    model: str,
    prices: Mapping[str, object],
    provider: str | None = None,
    start: int | None = None,
    request: object = None,
) -> Override:
    """An override of what a person wrote, prices as numbers or text. Raises ValueError with what is wrong with it."""
    model, provider = model.strip(), (provider or "").strip().lower() or None
    for what, name in (("model pattern", model), ("provider", provider)):
        if name is not None and not (0 < len(name) <= _LONGEST and name.isprintable()):
            raise ValueError(f"the {what} must be 1 to {_LONGEST} printable letters")
    if start is not None and not 0 <= start < 2**63:
        raise ValueError("the start must be a time from 1970 to 2262")
    if not prices and request is None:
        raise ValueError("give a price: of a kind of usage (input, output, ...) or per request")
    if len(prices) > MOST_KINDS:
        raise ValueError(f"at most {MOST_KINDS} kinds of usage can have a price")
    for kind in prices:
        if kind not in FEES and not (len(kind) <= LONGEST_KIND and _KIND.fullmatch(kind)):
            fees = ", ".join(sorted(FEES))
            raise ValueError(f"{kind[:80]!r} is no kind of usage: input, output, input_..., output_... or {fees}")
    return Override(
        model,
        provider,
        start,
        {kind: _price(kind, price) for kind, price in prices.items()},
        None if request is None else _price("request", request),
    )


def _price(kind: str, written: object) -> Decimal:
    text = str(written).strip()
    try:
        price = Decimal(text) if len(text) <= 64 and not isinstance(written, bool) else None
    except DecimalException:
        price = None
    if price is None or not price.is_finite():
        raise ValueError(f"the price of {kind} must be a number of US dollars, not {text[:80]!r}")
    if not 0 <= price <= _DEAREST:
        raise ValueError(f"the price of {kind} must be 0 to {_DEAREST} US dollars, not {text[:80]}")
    if int(price.normalize().as_tuple().exponent) < -_DIGITS:
        raise ValueError(f"the price of {kind} must have at most {_DIGITS} digits after the point, not {text[:80]}")
    # Zero may carry any exponent: `0e999999` is no more than 0.
    return price.copy_abs() if price else Decimal(0)


class Overrides:
    """The overrides of one project, immutable. Asking is cheap: an answer is remembered per provider and model."""

    def __init__(self, entries: Iterable[Override] = ()) -> None:
        ranked = sorted(entries, key=_rank)
        self._entries = tuple((_compiled(entry), entry, _rates(entry)) for entry in ranked)
        self._known: dict[tuple[str | None, str], tuple[tuple[int | None, Rates], ...]] = {}

    def find(self, provider: str | None, model: str, time: int) -> Rates | None:
        """The rates of the most specific override that holds at `time` (nanoseconds since the epoch), None without one.

        An exact name is more specific than a pattern, a pattern the more so the more it spells out, and one for a
        provider more than one for any; of equals the one that began last counts. A name longer than patterns may be fits none.
        """
        return next((rates for start, rates in self._of(provider, model) if start is None or start <= time), None)

    def changes(self, provider: str | None, model: str) -> set[int]:
        """The moments, in nanoseconds since the epoch, from which `find` may answer something else."""
        return {start for start, _ in self._of(provider, model) if start is not None}

    def _of(self, provider: str | None, model: str) -> tuple[tuple[int | None, Rates], ...]:
        """The rates of the overrides that fit, the most specific first, and from when on each holds."""
        if not self._entries or len(model) > _LONGEST:
            return ()
        matching = self._known.get((provider, model))
        if matching is None:
            matching = self._matching(provider, model)
            if len(self._known) >= _REMEMBERED:
                self._known.clear()
            self._known[provider, model] = matching
        return matching

    def _matching(self, provider: str | None, model: str) -> tuple[tuple[int | None, Rates], ...]:
        name = model.strip().lower()
        return tuple(
            (entry.start, rates)
            for pattern, entry, rates in self._entries
            if (entry.provider is None or entry.provider == provider) and pattern.fullmatch(name)
        )


def _rank(entry: Override) -> tuple[bool, int, bool, float]:
    literal = entry.model.replace("*", "").replace("?", "")
    return (
        literal != entry.model,
        -len(literal),
        entry.provider is None,
        float("inf") if entry.start is None else -entry.start,
    )


def _compiled(entry: Override) -> re.Pattern[str]:
    """Brackets are letters like any other: `claude-sonnet-4-5[1m]` is a model's name."""
    return re.compile(translate(entry.model.strip().lower().replace("[", "[[]")))


def _rates(entry: Override) -> Rates:
    """Without a price of tokens these cost nothing: the price of the call is all there is."""
    prices = {kind: price / (1000 if kind in FEES else _MILLION) for kind, price in entry.prices.items()}
    start = "" if entry.start is None else f" from {datetime.fromtimestamp(entry.start // 10**9, UTC):%Y-%m-%d}"
    seller = f"{entry.provider} " if entry.provider else ""
    return Rates(
        {kind: ((0, price),) for kind, price in prices.items()},
        f"override {seller}{entry.model}{start}",
        entry.request,
        any_kind=True,
        flat=all(kind in FEES for kind in prices),
    )


NONE: Final = Overrides()
