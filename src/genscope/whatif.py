"""What calls would have cost on other models: what they used, at the prices of others.

store.usages (what calls used, added up) -> pricing.bulk -> a row for each name and model
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final

from genscope.pricing import bulk
from genscope.pricing.bulk import Target
from genscope.pricing.override import Overrides
from genscope.query.filter import Filter
from genscope.store.usages import Usages, Used

__all__ = ["MOST_TARGETS", "Outcome", "Row", "Target", "WhatIf", "what_if"]

#: Models that calls are priced on at once.
MOST_TARGETS: Final = 5
_ZERO: Final = Decimal(0)


@dataclass(slots=True)
class Outcome:
    """What some calls would have cost on one model. Money is US dollars."""

    #: Calls whose cost there is known, and that cost.
    calls: int = 0
    cost: Decimal = _ZERO
    #: Of these, the calls of which it is known what they did cost: both costs of them, which can be compared.
    compared: int = 0
    compared_cost: Decimal = _ZERO
    actual_cost: Decimal = _ZERO
    #: Calls whose cost there is not known, by the reason.
    missing: Counter[str] = field(default_factory=Counter)

    def add(self, other: Outcome) -> None:
        """Count the calls of another outcome on the same model, too."""
        self.calls += other.calls
        self.cost += other.cost
        self.compared += other.compared
        self.compared_cost += other.compared_cost
        self.actual_cost += other.actual_cost
        self.missing += other.missing

    @property
    def difference(self) -> Decimal | None:
        """How much more it would have been, for the calls that can be compared; None if there are none."""
        return self.compared_cost - self.actual_cost if self.compared else None


@dataclass(slots=True)
class Row:
    """Calls of one name to one model: what they did cost, and what they would have on each target."""

    name: str | None
    provider: str | None
    model: str | None
    outcomes: list[Outcome]
    calls: int = 0
    #: Calls of which it is known what they did cost, and that cost.
    priced: int = 0
    cost: Decimal = _ZERO
    #: Calls that nobody told the usage of: what they would have cost cannot be known.
    without_usage: int = 0

    def add(self, other: Row) -> None:
        """Count the calls of another row, too."""
        self.calls += other.calls
        self.priced += other.priced
        self.cost += other.cost
        self.without_usage += other.without_usage
        for mine, others in zip(self.outcomes, other.outcomes, strict=True):
            mine.add(others)


@dataclass(frozen=True, slots=True)
class WhatIf:
    """What a period's calls would have cost on other models, the rows of the highest cost first."""

    targets: tuple[Target, ...]
    #: Why a target has no price at all, in the order of the targets; None where it has one.
    unknown: tuple[str | None, ...]
    rows: list[Row]
    total: Row

    def by_name(self) -> list[tuple[Row, list[Row]]]:
        """Return the rows of each name, and all of them together."""
        names: dict[str | None, list[Row]] = {}
        for row in self.rows:
            names.setdefault(row.name, []).append(row)
        together = [(_sum(rows, name, len(self.targets)), rows) for name, rows in names.items()]
        return sorted(together, key=lambda pair: (-pair[0].cost, -pair[0].calls))


def what_if(usages: Usages, overrides: Overrides, project_id: str, filter: Filter, targets: Sequence[Target]) -> WhatIf:
    """Return what the calls that meet a filter would have cost on each target, at the prices that held when they began.

    Blocks. It is exact: the sum of what each call by itself would have cost.
    """
    first, last = usages.extent(project_id, filter) or (0, 0)
    segments = sorted({first, *(moment for one in targets for moment in one.changes(overrides, first, last))})
    rates = {moment: [one.rates(overrides, moment) for one in targets] for moment in segments}
    sizes = bulk.sizes([one for some in rates.values() for one in some])
    rows: dict[tuple[str | None, str | None, str | None], Row] = {}
    for used in usages.of(project_id, filter, bulk.lines, sizes, segments):
        key = used.name, used.provider, used.model
        if key not in rows:
            rows[key] = Row(*key, [Outcome() for _ in targets])
        calls = bulk.Calls(used.type, used.kinds, used.calls, used.sums, sizes[used.size - 1] + 1 if used.size else 0)
        _count(rows[key], used, [bulk.priced(calls, one) for one in rates[used.segment]])
    ordered = sorted(rows.values(), key=lambda row: (-row.cost, -row.calls, row.name or "", row.model or ""))
    latest = rates[segments[-1]]
    unknown = tuple(one if isinstance(one, str) else None for one in latest)
    return WhatIf(tuple(targets), unknown, ordered, _sum(ordered, None, len(targets)))


def _count(row: Row, used: Used, costs: Sequence[Decimal | str]) -> None:
    row.calls += used.calls
    if used.cost is not None:
        row.priced += used.calls
        row.cost += used.cost
    row.without_usage += 0 if used.kinds else used.calls
    for outcome, cost in zip(row.outcomes, costs, strict=True):
        if isinstance(cost, str):
            outcome.missing[cost] += used.calls
            continue
        outcome.calls += used.calls
        outcome.cost += cost
        if used.cost is not None:
            outcome.compared += used.calls
            outcome.compared_cost += cost
            outcome.actual_cost += used.cost


def _sum(rows: Iterable[Row], name: str | None, targets: int) -> Row:
    total = Row(name, None, None, [Outcome() for _ in range(targets)])
    for row in rows:
        total.add(row)
    return total
