"""What calls to models used, added up as far as their bills add up, so that many calls are priced at once (`genscope.whatif`)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final, TypeAlias

from genscope.query.filter import Filter
from genscope.store.engine import Parameter
from genscope.store.models import Models
from genscope.store.where import START

#: Combinations of kinds that are added up; calls of rarer ones are told one by one where no two are alike.
MOST_STRUCTURES: Final = 48
#: Names that calls are told apart by; the others are one.
MOST_NAMES: Final = 200
OTHER_NAMES: Final = "other names"

#: A summand: 1 or -1, and the kinds of whose counts it is the smallest.
Term: TypeAlias = "tuple[int, tuple[str, ...]]"
#: A combination of kinds -> its lines, each as what it is the sum of.
Lines: TypeAlias = Callable[[tuple[str, ...]], Mapping[str, Sequence[Term]]]

_KEPT: Final = "amount > 0 OR kind IN ('input', 'output', 'total')"
_KINDS: Final = f"arrayFilter((kind, amount) -> {_KEPT}, mapKeys(usage), mapValues(usage))"
_AMOUNTS: Final = f"arrayFilter((amount, kind) -> {_KEPT}, mapValues(usage), mapKeys(usage))"
_NONE: Final = "CAST([], 'Array(Int64)')"
_INPUT: Final = "ifNull(input_tokens, if(output_tokens IS NULL, usage['total'], 0))"


@dataclass(frozen=True, slots=True)
class Used:
    """What some calls used that can be added up."""

    name: str | None
    provider: str | None
    model: str | None
    type: str
    #: The kinds of usage of each call; empty where nothing is told.
    kinds: tuple[str, ...]
    calls: int
    #: Line of a bill -> the sum of it over the calls; no call has a part of it that is less than 0.
    sums: dict[str, int]
    #: How many of the `sizes` asked about the input tokens of each are beyond.
    size: int
    #: The last of the `segments` asked about that each did not begin before.
    segment: int
    #: What they did cost; None where that is not known.
    cost: Decimal | None


class Usages:
    """Tells what a project's calls used. Every call blocks."""

    def __init__(self, models: Models) -> None:
        self._models = models

    def extent(self, project_id: str, filter: Filter) -> tuple[int, int] | None:
        """Return when the first and the last span in the filter's range begin, None if there is none."""
        return self._models.extent(project_id, filter)

    def of(
        self, project_id: str, filter: Filter, lines: Lines, sizes: Sequence[int], segments: Sequence[int]
    ) -> list[Used]:
        """Return what the calls that meet a filter used.

        Args:
            project_id: Whose calls.
            filter: Which calls.
            lines: How the lines of a bill follow from the kinds of a usage.
            sizes: Numbers of input tokens, ascending, that calls on both sides of are told apart.
            segments: Moments in nanoseconds, ascending, the first before all calls, likewise.
        """
        ask = self._models.ask
        limit: dict[str, Parameter] = {"limit": MOST_STRUCTURES}
        known = ask("usages_kinds", project_id, filter, {"kinds": _KINDS}, limit).to_pylist()
        structures = [tuple(row["kinds"]) for row in known]
        bills = [lines(kinds) for kinds in structures]
        found = ask("usages_names", project_id, filter, {}, {"limit": MOST_NAMES + 1})
        names: list[str] = [row["name"] for row in found.to_pylist()]
        parameters: dict[str, Parameter] = {}
        name = "name"
        if len(names) > MOST_NAMES:
            parameters = {"names": names[:MOST_NAMES]}
            name = f"if(name IS NULL OR name IN {{names:Array(String)}}, toString(name), '{OTHER_NAMES}')"
        ids = ", ".join(f"toUInt64({row['id']})" for row in known) or "toUInt64(0)"
        parts = {
            "kinds": _KINDS,
            "amounts": _AMOUNTS,
            "structures": f"[{ids}]",
            "lines": _cases([_array(kinds, bill) for kinds, bill in zip(structures, bills, strict=True)]),
            "label": name,
            "size": f"arrayCount(size -> {_INPUT} > size, {list(sizes)})" if sizes else "0",
            "start": START,
            "segments": f"[{', '.join(f'toInt64({moment})' for moment in segments)}]",
        }
        rows = ask("usages", project_id, filter, parts, parameters).to_pylist()
        return [self._used(row, structures, bills, lines) for row in rows]

    def _used(
        self,
        row: dict[str, Any],
        structures: Sequence[tuple[str, ...]],
        bills: Sequence[Mapping[str, Sequence[Term]]],
        lines: Lines,
    ) -> Used:
        if row["structure"]:
            kinds, sums = (
                structures[row["structure"] - 1],
                dict(zip(bills[row["structure"] - 1], row["sums"], strict=True)),
            )
        else:
            kinds = tuple(row["odd_kinds"])
            usage = dict(zip(kinds, row["odd_amounts"], strict=True))
            sums = {kind: max(_sum(terms, usage), 0) * row["calls"] for kind, terms in lines(kinds).items()}
        return Used(
            row["called"],
            row["provider"],
            row["model"],
            row["type"],
            kinds,
            row["calls"],
            sums,
            row["size"],
            row["segment"],
            row["cost"] if row["priced"] else None,
        )


def _sum(terms: Sequence[Term], usage: Mapping[str, int]) -> int:
    return sum(sign * min(usage[kind] for kind in kinds) for sign, kinds in terms)


def _cases(arrays: Sequence[str]) -> str:
    """Return the SQL of the array for each structure, counted from 1, and of an empty one for others."""
    cases = [f"structure = {number}, {array}" for number, array in enumerate(arrays, 1)]
    return f"multiIf({', '.join([*cases, _NONE])})" if cases else _NONE


def _array(kinds: tuple[str, ...], bill: Mapping[str, Sequence[Term]]) -> str:
    places = {kind: f"toInt64(amounts[{place}])" for place, kind in enumerate(kinds, 1)}
    return f"[{', '.join(_line(terms, places) for terms in bill.values())}]"


def _line(terms: Sequence[Term], places: Mapping[str, str]) -> str:
    text = "toInt64(0)"
    for sign, kinds in terms:
        least = places[kinds[0]] if len(kinds) == 1 else f"least({', '.join(places[kind] for kind in kinds)})"
        text += f" {'+' if sign > 0 else '-'} {least}"
    return text
