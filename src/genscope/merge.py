"""What of a piece counts: one span's history in short, and the partial row that a piece adds to it.

What merges by itself is left to the engine: maps and lists unite, token counts grow, the earliest start wins. For all else
it is remembered when each value was told first, so that a value which is out of date stays out, in whatever order pieces come.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from operator import attrgetter
from sys import intern
from typing import Any, Final
from zlib import crc32

from genscope import pricing
from genscope.model import Patch, Span, piece
from genscope.pricing.override import Overrides
from genscope.store.entities import Facts
from genscope.store.rows import to_json

#: Fields of which of two values the one of the higher order wins.
SCALARS: Final = (
    "type",
    "name",
    "completion_start_time",
    "level",
    "status_message",
    "model",
    "provider",
    "model_parameters",
    "input",
    "output",
    "service_tier",
    "server_address",
    "type_rule",
    "model_rule",
    "usage_rule",
    "session_id",
    "user_id",
    "environment",
    "release",
    "version",
    "trace_name",
    "trace_input",
    "trace_output",
    "trace_public",
    "prompt_name",
    "prompt_version",
    "kind",
    "trace_state",
)
#: Fields that all pieces of a span tell alike.
UNDISPUTED: Final = ("protocol", "is_root")
#: Maps, of which each entry is such a field, and lists, which unite.
MAPS: Final = ("metadata", "trace_metadata", "attributes")
LISTS: Final = ("tags", "tools", "tool_calls")
_scalars: Final = attrgetter(*SCALARS)
#: What a price depends on beside the start and the tokens.
PRICED_BY: Final = ("type", "model", "provider", "service_tier", "server_address")
#: The bits of an order that are its rank.
RANKS: Final = 3 << 62
#: Of how many values of one field it is known when they were told. One that so many newer ones followed would be news again.
REMEMBERED: Final = 100
#: The bits of a number that are the hash of a value.
HASH_BITS: Final = 32
HASH: Final = (1 << HASH_BITS) - 1
#: What a price is.
BILL: Final = ("cost", "cost_source", "cost_missing", "cost_rule")


class History:
    """What is known of a span without its payloads."""

    __slots__ = ("_told", "facts")

    def __init__(self, revisions: Mapping[str, int] | None = None, facts: Facts | None = None) -> None:
        """Begin with what is stored of the span: its `revisions`, as `revise` returns them, and its facts."""
        self.facts = Facts() if facts is None else facts
        told: dict[str, list[int]] = {}
        for revision, kept in (revisions or {}).items():
            name, _, digest = revision.rpartition(" ")
            told.setdefault(intern(name), []).append((kept ^ RANKS) << HASH_BITS | int(digest, 16))
        #: By field when each of its values was told, and above the last `HASH_BITS` bits only, which are the hash of that value;
        #: the newest last. One number each, because of these there are millions.
        self._told = {name: tuple(sorted(values)[-REMEMBERED:]) for name, values in told.items()}

    def __len__(self) -> int:
        """Return how many values are remembered."""
        return sum(map(len, self._told.values()))

    def revise(self, name: str, digest: int, order: int) -> tuple[str, int, int | None]:
        """Learn that a field was told a value.

        Of several times that a value was told, the first of the highest rank counts: so a result that repeats what a creation
        said holds against an update, and one that is delivered twice is no news. Kept with its rank turned over, that is the least.

        Returns:
            The key of the revision, what is kept of it, and the order of the value if no other value of the field is newer.
        """
        values = self._told.get(name)
        told = order << HASH_BITS | digest
        if values is None:
            self._told[name] = (told,)
            return f"{name} {digest:08x}", order ^ RANKS, order
        known = next((value for value in values if value & HASH == digest), None)
        if known is None or _kept(told) < _kept(known):
            values = tuple(sorted((*(value for value in values if value != known), told))[-REMEMBERED:])
            self._told[name] = values
        else:
            told = known
        return f"{name} {digest:08x}", _kept(told), told >> HASH_BITS if told == values[-1] else None


def _kept(told: int) -> int:
    return (told >> HASH_BITS) ^ RANKS


@dataclass(slots=True)
class Partial:
    """The partial row that pieces of one request add to a span, and the revisions that they told."""

    history: History
    span: Span = field(default_factory=piece)
    revisions: dict[str, int] = field(default_factory=dict)
    #: Whether anything came that the price depends on.
    priced_anew: bool = False

    def tell(self, name: str, value: Any, order: int, *, dated: bool = False) -> int | None:
        """Learn that a field was told a value, and return since which order it holds; None if another value is newer."""
        digest = _digest(value)
        if dated:
            # The same value at another time is another one.
            digest = crc32(order.to_bytes(8, "big"), digest)
        revision, kept, since = self.history.revise(name, digest, order)
        self.revisions[revision] = kept
        return since

    def add(self, patch: Patch) -> None:
        """Add a piece."""
        told, row, order, facts = patch.span, self.span, patch.order, self.history.facts
        dated = patch.dated
        for name, value in zip(SCALARS, _scalars(told), strict=True):
            if value is None:
                continue
            # Every creation says that its level is DEFAULT, so that is never news.
            since = 0 if name == "level" and value == "DEFAULT" else order
            if self.tell(name, value, since, dated=dated) is not None:
                setattr(row, name, value)
                if name in PRICED_BY:
                    setattr(facts, name, value)
                    self.priced_anew = True
        for name in UNDISPUTED:
            if (value := getattr(told, name)) is not None:
                setattr(row, name, value)
        for name in MAPS:
            entries = getattr(told, name)
            if not entries:
                continue
            into = getattr(row, name)
            for key, value in entries.items():
                # Things of one kind have the same keys, which are remembered with each of them.
                field_name = intern(f"{name}.{key}")
                since_then = self.tell(field_name, value, order, dated=dated)
                if since_then is not None:
                    into[key] = value
                    row.orders[field_name] = since_then
        for name in LISTS:
            if listed := getattr(told, name):
                known = getattr(row, name)
                known.extend(one for one in dict.fromkeys(listed) if one not in known)
        for name in ("events", "links"):
            if (listed := getattr(told, name)) and self.tell(name, listed, order, dated=dated) is not None:
                setattr(row, name, listed)
        if told.end_time is not None and self.tell("end_time", told.end_time, max(told.end_time, 0)) is not None:
            row.end_time = told.end_time
        if told.scope.name:
            row.scope = told.scope
        if told.resource.attributes:
            row.resource = told.resource
        if patch.messages:
            text = to_json(patch.messages).decode()
            key = f"{_digest(text):08x}"
            row.input_parts[key] = min(row.input_parts.get(key, (order, text)), (order, text))
        self._add_bill(told, order, dated=dated)

    def _add_bill(self, told: Span, order: int, *, dated: bool) -> None:
        row, facts = self.span, self.history.facts
        if told.start_time is not None:
            row.start_time = _least(row.start_time, told.start_time)
            # Also when it is told again: what it changed may not have been stored.
            if facts.start_time is None or told.start_time <= facts.start_time:
                facts.start_time = told.start_time
                self.priced_anew = True
        if told.usage is not None:
            row.usage = _grown(row.usage, told.usage)
            facts.usage = _grown(facts.usage, told.usage)
            self.priced_anew = True
        if told.cost is not None and self.tell("cost", sorted(told.cost.items()), order, dated=dated) is not None:
            for name in BILL:
                setattr(row, name, getattr(told, name))
            row.cost_source = facts.cost_source = "reported"
            self.priced_anew = True

    def price(self, time: int, overrides: Overrides, *, lowered: Span | None) -> Span | None:
        """Give the row the cost that follows from all that is known; `time` stands in for a start that is not.

        Returns:
            The key-less span with the cost that holds, if a dearer one is stored, which would win over it. So after one was
            `lowered`, which it then is, whatever comes next, since that may be under way still. Else None.
        """
        row, facts = self.span, self.history.facts
        if not self.priced_anew:
            return None
        known = piece()
        known.time = time
        for name in PRICED_BY:
            setattr(known, name, getattr(facts, name))
        known.start_time, known.usage = facts.start_time, facts.usage
        if facts.cost_source == "reported":
            if row.cost is None:
                return lowered and replace(
                    lowered,
                    usage=facts.usage,
                    provider=facts.provider or lowered.provider,
                    service_tier=facts.service_tier or lowered.service_tier,
                )
            known.cost, known.cost_source, known.cost_rule = row.cost, row.cost_source, row.cost_rule
        pricing.price(known, overrides)
        for name in BILL:
            setattr(row, name, getattr(known, name))
        # What the price list made of the model's name gives way to what a sender tells, now or later.
        for name in ("provider", "service_tier"):
            if getattr(facts, name) is None:
                setattr(row, name, getattr(known, name))
        total = (known.cost or {}).get("total")
        highest = facts.highest_cost
        if total is not None and (highest is None or total >= highest):
            facts.highest_cost = total
            return lowered and known
        return None if highest is None else known


def _digest(value: Any) -> int:
    return crc32(value.encode("utf-8", "surrogatepass") if isinstance(value, str) else to_json(value))


def _least(one: int | None, other: int) -> int:
    return other if one is None else min(one, other)


def _grown(known: dict[str, int] | None, told: dict[str, int]) -> dict[str, int]:
    grown = dict(known or {})
    for kind, count in told.items():
        grown[kind] = max(grown.get(kind, 0), count)
    return grown
