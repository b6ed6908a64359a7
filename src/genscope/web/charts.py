"""Charts in words: for those who do not see them, and where no script draws them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

from genscope.web import format

Number = int | float | Decimal

#: How a value of each unit reads; of another one it is a number and the unit's name. `static/chart.js` says the same.
UNITS: Final[dict[str, Callable[[Number], str]]] = {
    "count": lambda value: f"{value:,.2f}".removesuffix(".00"),
    "tokens": lambda value: f"{value:,.0f}",
    "usd": lambda value: format.money(Decimal(str(value))),
    "ms": lambda value: format.duration(round(value * 1_000_000)),
    "percent": lambda value: f"{100 * value:.3g} %",
}
#: Units whose values add up.
SUMS: Final = frozenset({"count", "tokens", "usd"})
#: What is said of a series, by what it is called.
OF_ALL: Final[dict[str, Callable[[Sequence[Number]], Number]]] = {
    "Total": sum,
    "Highest": max,
    "Lowest": min,
    "Last": lambda values: values[-1],
}


def columns(data: Mapping[str, Any]) -> tuple[str, ...]:
    """Return what is said of each series of a chart."""
    return ("Total", "Highest") if data.get("unit", "count") in SUMS else ("Lowest", "Highest", "Last")


def rows(data: Mapping[str, Any]) -> list[tuple[str, list[str]]]:
    """Return each series of a chart: its label, and the texts under `columns`."""
    unit = data.get("unit", "count")

    def say(value: Number) -> str:
        return UNITS[unit](value) if unit in UNITS else f"{value:,.3g} {unit}"

    def texts(values: Sequence[Number | None]) -> list[str]:
        known = [value for value in values if value is not None]
        return [say(OF_ALL[name](known)) if known else format.UNKNOWN for name in columns(data)]

    return [(one["label"], texts(one["values"])) for one in data["series"]]


FILTERS: Final[dict[str, Callable[..., Any]]] = {"chart_columns": columns, "chart_rows": rows}
