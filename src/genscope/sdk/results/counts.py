"""Token counts of providers in Genscope's kinds, by a table for each kind of answer.

What a total includes depends on the provider; docs/pricing.md has the facts, and the server reads usage objects that it is sent
by the same rules (`genscope.pricing.usage`). `tests/test_sdk_results.py` holds both against each other.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, TypeAlias

from genscope.sdk.results.fields import Fields, fields, items, told

#: No call has a trillion tokens.
_LARGEST: Final = 10**12
_SIDES: Final = ("input", "output")
_BOTH: Final = frozenset(_SIDES)
_TOTALS: Final = _BOTH | {"total"}
_Tree: TypeAlias = "dict[str, _Tree | tuple[int, str]]"


class Counts:
    """How one provider counts.

    `names` has the kind for each name (with dots: of an object within); of several names of a kind the first that is there holds.
    `lists` has what kinds begin with in lists by modality, as Gemini has them. `beside` are the parts that the totals leave out,
    `beside_if` those that they leave out where a name is there. `denied`: others speak this
    format, too, and may count parts beside the totals; where the numbers cannot be meant otherwise, they do.
    """

    def __init__(
        self,
        names: Mapping[str, str],
        *,
        lists: Mapping[str, str] | None = None,
        beside: tuple[str, ...] = (),
        beside_if: Mapping[str, str] | None = None,
        denied: bool = False,
    ) -> None:
        self._names = _tree(names)
        self._lists = lists or {}
        self._beside = beside
        self._beside_if = beside_if or {}
        self._denied = denied

    def read(self, usage: object) -> dict[str, int] | None:
        """Return a usage object's counts by kind, with totals that include their parts; None if there are none."""
        whole = fields(usage)
        found: dict[str, tuple[int, int]] = {}
        _find(whole, self._names, found)
        counts = {kind: number for kind, (_, number) in found.items()}
        for name, prefix in self._lists.items():
            for item in items(whole.get(name)):
                number, modality = _by_modality(item)
                if modality and number is not None:
                    counts.setdefault(prefix + modality, number)
        if not counts.keys() <= _TOTALS:
            beside = [*self._beside, *(kind for name, kind in self._beside_if.items() if name in whole)]
            if self._denied and not beside:
                beside = _denied(counts)
            counts = _inclusive(counts, beside)
        if counts.keys() >= _BOTH:
            counts.pop("total", None)
        return counts or None


def _tree(names: Mapping[str, str]) -> _Tree:
    """Return a table of names with dots as tables within tables; each kind has its rank among those of its names."""
    tree: _Tree = {}
    for rank, (name, kind) in enumerate(names.items()):
        *holders, last = name.split(".")
        place: Any = tree
        for holder in holders:
            place = place.setdefault(holder, {})
        place[last] = (rank, kind)
    return tree


def _find(usage: Fields, names: _Tree, found: dict[str, tuple[int, int]]) -> None:
    for name, value in usage.items():
        known = names.get(name)
        if isinstance(known, dict):
            _find(fields(value), known, found)
        elif known is not None:
            rank, kind = known
            number = count(value)
            if number is not None and (kind not in found or rank < found[kind][0]):
                found[kind] = (rank, number)


def count(value: object) -> int | None:
    """Return a number of tokens, also one written as text; None for what cannot be one."""
    if type(value) is int:
        return value if 0 <= value <= _LARGEST else None
    if isinstance(value, str) and len(value) < 20 and value.isascii() and value.isdecimal():
        value = int(value)
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return value if type(value) is int and 0 <= value <= _LARGEST else None


def _by_modality(item: object) -> tuple[int | None, str | None]:
    """Return one of Gemini's counts by modality: `{"modality": "AUDIO", "tokenCount": 9}`."""
    one = fields(item)
    modality = told(one.get("modality"))
    return count(one.get("token_count", one.get("tokenCount"))), modality.lower() if modality else None


def _denied(counts: dict[str, int]) -> list[str]:
    """Return the parts that by the numbers themselves cannot be within their total."""
    parts = {side: [kind for kind in counts if kind.startswith(f"{side}_")] for side in _SIDES}
    beside: list[str] = []
    for side, kinds in parts.items():
        cached = sum(counts[kind] for kind in kinds if kind.startswith("input_cache"))
        if kinds and side in counts and max(cached, *(counts[kind] for kind in kinds)) > counts[side]:
            beside += kinds
    if not beside and counts.keys() >= {"total", "input", "output"}:
        excess = counts["total"] - counts["input"] - counts["output"]
        for kinds in (parts["input"], parts["output"], parts["input"] + parts["output"]):
            if 0 < excess == sum(counts[kind] for kind in kinds):
                return kinds
    return beside


def _inclusive(counts: dict[str, int], beside: list[str]) -> dict[str, int]:
    usage: dict[str, int] = {}
    for side in _SIDES:
        parts = [counts[kind] for kind in beside if kind in counts and kind.startswith(f"{side}_")]
        if parts or side in counts:
            usage[side] = min(counts.get(side, 0) + sum(parts), _LARGEST)
    return usage | {kind: number for kind, number in counts.items() if kind not in _BOTH}
