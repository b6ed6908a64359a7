"""The one builder of SQL conditions: a `Filter` becomes a WHERE clause and its parameters."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from genscope.query.filter import Condition, Filter
from genscope.store.engine import Parameter

#: A reason that one piece of a span gave is void once another piece brought the cost.
COST_MISSING: Final = "if(total_cost IS NULL, cost_missing, NULL)"
#: The column behind a field, where it is not of the same name.
COLUMNS: Final = {"scope": "scope_name", "cost_missing": COST_MISSING}
#: Fields that hold several values: a condition meets any of them.
ARRAYS: Final = {"tag": "tags", "tool": "tools", "tool_call": "tool_calls"}
#: The moments a `DateTime64(9)` column can hold, in nanoseconds since the epoch.
EARLIEST: Final = -2_208_988_800 * 10**9
LATEST: Final = 2**63 - 1


@dataclass(slots=True)
class Where:
    """Conditions that all hold, and the parameters that they name."""

    clauses: list[str]
    parameters: dict[str, Parameter] = field(default_factory=dict)

    def bind(self, value: Parameter, type_: str = "String") -> str:
        """Add a parameter and return how SQL names it."""
        name = f"p{len(self.parameters)}"
        self.parameters[name] = value
        return f"{{{name}:{type_}}}"

    def add(self, clause: str) -> None:
        """Add one more condition."""
        self.clauses.append(clause)

    def bind_list(self, values: Iterable[str]) -> str:
        """Add a list of texts as a parameter and return how SQL names it."""
        return self.bind(list(values), "Array(String)")

    def bind_time(self, nanoseconds: int) -> str:
        """Add a moment as a parameter and return how SQL names it."""
        moment = self.bind(max(EARLIEST, min(nanoseconds, LATEST)), "Int64")
        return f"fromUnixTimestamp64Nano({moment}, 'UTC')"

    def __str__(self) -> str:
        return " AND ".join(f"({clause})" for clause in self.clauses)


def where(project_id: str, filter: Filter) -> Where:
    """Return the conditions of a filter over the `spans` of one project. Every query over rows begins here."""
    built = Where([])
    built.add(f"project_id = {built.bind(project_id)}")
    if filter.start is not None:
        built.add(f"time >= {built.bind_time(filter.start)}")
    if filter.end is not None:
        built.add(f"time < {built.bind_time(filter.end)}")
    for condition in filter.conditions:
        built.add(_condition(built, condition))
    return built


def _condition(built: Where, condition: Condition) -> str:
    values = built.bind_list(condition.values)
    if condition.field in ARRAYS:
        return f"hasAny({ARRAYS[condition.field]}, {values})"
    return f"{COLUMNS.get(condition.field, condition.field)} IN {values}"
