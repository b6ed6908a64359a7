"""What a model charges: dollars per token and call, at a time, in a tier of service."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from typing import Final, TypeAlias

from genscope.pricing.usage import ancestors

#: Rates by rising number of input tokens from which they hold, the first from 0.
Tiers: TypeAlias = "tuple[tuple[int, Decimal], ...]"

#: What costs many times as much as text, so that without a price of its own its cost is not known.
_DEARER: Final = ("audio", "video")
#: Tiers of service that are the one that everybody gets.
_STANDARD: Final = frozenset({None, "default", "standard", "on_demand"})
_ZERO: Final = Decimal(0)


class Rates:
    """Dollars per token by kind, per call of `usage.FEES`, and per request, as one price of one model has them.

    `rule` says whose price it is. `as_text` names the kinds of input, of those that usually are dearer, that cost what
    text does; `any_kind`: all kinds do. `flat`: tokens cost nothing, calls may.
    """

    def __init__(
        self,
        tiers: Mapping[str, Tiers],
        rule: str,
        request: Decimal | None = None,
        *,
        as_text: tuple[str, ...] = (),
        any_kind: bool = False,
        flat: bool = False,
    ) -> None:
        self.tiers = tiers
        self.request = request
        self.as_text = as_text
        self.flat = flat
        self._dearer = () if any_kind else _DEARER
        #: Whether there is a price for input and none for output, as of a model that embeds: nobody bills its output.
        self.input_only = "input" in tiers and "output" not in tiers
        self._free = ("",) if flat else ("output",) if self.input_only and not any_kind else ()
        #: Whether a rate has more than the 12 digits that amounts are stored with, so that amounts need rounding.
        self.fine = any(_digits(rate) > 12 for rates in tiers.values() for _, rate in rates)
        starts = sorted({start for rates in tiers.values() for start, _ in rates[1:]})
        self._rules = ((0, rule), *((start, f"{rule} over {start} input tokens") for start in starts))

    def rule(self, input_tokens: int) -> str:
        """Which price a call of `input_tokens` is charged."""
        rule = self._rules[0][1]
        for start, longer in self._rules[1:]:
            if input_tokens > start:
                rule = longer
        return rule

    def rate(self, kind: str, input_tokens: int) -> Decimal | None:
        """Dollars per `kind` in a call of `input_tokens`; of what it is a part of, if it has no own rate.

        None if neither has one, and for audio and video without their own, unless these cost what text does.
        """
        tiers = self.tiers.get(kind)
        if tiers is None:
            side, _, modality = kind.rpartition("_")
            if modality in self._dearer and not (side.startswith("input") and modality in self.as_text):
                return None
            for whole in ancestors(kind):
                tiers = self.tiers.get(whole)
                if tiers is not None:
                    break
            else:
                return _ZERO if kind.startswith(self._free) else None
        rate = tiers[0][1]
        for start, dollars in tiers[1:]:
            if input_tokens > start:
                rate = dollars
        return rate

    def changed(self, tiers: Mapping[str, Tiers], how: str) -> Rates:
        """These rates with some of `tiers` instead, as `how` adds to the rule."""
        return Rates(
            {**self.tiers, **tiers}, f"{self._rules[0][1]} {how}", self.request, as_text=self.as_text, flat=self.flat
        )


def _digits(amount: Decimal) -> int:
    return -int(amount.normalize().as_tuple().exponent)


@dataclass(slots=True, frozen=True)
class Valid:
    """When a price holds: from `start` to `end`, in the hours (UTC, over midnight if they end before they start)."""

    start: datetime | None = None
    end: datetime | None = None
    hours: tuple[time, time] | None = None
    #: Monday to Friday only.
    weekdays: bool = False

    def at(self, moment: datetime) -> bool:
        """Whether it holds at `moment` (UTC)."""
        if (self.start and moment < self.start) or (self.end and moment >= self.end):
            return False
        if self.weekdays and moment.weekday() > 4:
            return False
        if self.hours is None:
            return True
        begin, end = self.hours
        now = moment.time()
        return begin <= now < end if begin <= end else now >= begin or now < end

    def changes(self, first: datetime, last: datetime) -> Iterator[datetime]:
        """The moments at which it may begin or end to hold; of its hours those of the days from `first` to `last`."""
        yield from (moment for moment in (self.start, self.end) if moment is not None)
        day = datetime.combine(first.date(), time(), UTC)
        while self.hours is not None and day <= last:
            yield day
            yield from (datetime.combine(day.date(), hour, UTC) for hour in self.hours)
            day += timedelta(days=1)

    def __str__(self) -> str:
        """As the rule of a price tells it; empty: always."""
        start = f" from {self.start:%Y-%m-%d}" if self.start else ""
        return start + (f" {self.hours[0]:%H:%M} to {self.hours[1]:%H:%M} UTC" if self.hours else "")


@dataclass(slots=True, frozen=True)
class Variant:
    """What a tier of service charges instead of the standard rates."""

    tiers: Mapping[str, Tiers]
    start: datetime | None = None


@dataclass(slots=True, frozen=True)
class Model:
    """A model with all its prices."""

    #: Whose prices these are, by OpenTelemetry's name.
    provider: str
    #: The last one that holds is valid, the first one if none does.
    prices: tuple[tuple[Valid, Rates], ...]
    #: Tier of service -> its rates, the latest first.
    variants: Mapping[str, tuple[Variant, ...]] = field(default_factory=dict)
    #: Tier of service -> what it costs of the standard price, by the beginnings of kinds, where it has no rates.
    discounts: Mapping[str, tuple[Decimal, tuple[str, ...]]] = field(default_factory=dict)
    _known: dict[tuple[str, int, int], Rates] = field(default_factory=dict)

    def at(self, time: int, tier: str | None = None) -> Rates | None:
        """The rates valid at `time` (nanoseconds since the epoch) in a tier of service, None if the tier's are not known.

        A tier's rates hold before the day from which the list has them, too, if the standard price was the same then.
        """
        if tier in _STANDARD and len(self.prices) == 1:
            return self.prices[0][1]
        moment = datetime.fromtimestamp(time // 1_000_000_000, UTC)
        index = self._index(moment)
        if tier is None or tier in _STANDARD:
            return self.prices[index][1]
        variants = self.variants.get(tier, ())
        for rank, variant in enumerate(variants):
            if variant.start is None or variant.start <= moment:
                return self._changed(tier, index, rank)
        if variants and (start := variants[-1].start) and self._index(start) == index:
            return self._changed(tier, index, len(variants) - 1)
        return self._changed(tier, index, -1) if tier in self.discounts else None

    def changes(self, first: int, last: int) -> set[int]:
        """The moments from which the standard rates may be others, for calls between two times; all in nanoseconds."""
        begin, end = (datetime.fromtimestamp(moment // 10**9, UTC) for moment in (first, last))
        moments = (moment for valid, _ in self.prices for moment in valid.changes(begin, end))
        return {int(moment.timestamp()) * 10**9 for moment in moments}

    def _index(self, moment: datetime) -> int:
        return next((index for index, (valid, _) in reversed([*enumerate(self.prices)]) if valid.at(moment)), 0)

    def _changed(self, tier: str, index: int, rank: int) -> Rates:
        known = self._known.get((tier, index, rank))
        if known is None:
            standard = self.prices[index][1]
            if rank >= 0:
                tiers = self.variants[tier][rank].tiers
            else:
                factor, but = self.discounts[tier]
                tiers = {
                    kind: tuple((start, rate * factor) for start, rate in rates)
                    for kind, rates in standard.tiers.items()
                    if not kind.startswith(but)
                }
            known = self._known[tier, index, rank] = standard.changed(tiers, tier)
        return known
