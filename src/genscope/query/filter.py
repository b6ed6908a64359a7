"""Filters over spans: a time range and equality conditions, checked against the fields that exist."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, Literal

from genscope.model import COST_MISSING, LEVELS, SPAN_TYPES

#: Fields that a condition may name. The value is the set of legal values, or None for any text.
FIELDS: Final[dict[str, tuple[str, ...] | None]] = {
    "trace_id": None,
    "span_id": None,
    "parent_span_id": None,
    "type": SPAN_TYPES,
    "name": None,
    "level": LEVELS,
    "model": None,
    "provider": None,
    "server_address": None,
    "service_tier": None,
    "session_id": None,
    "user_id": None,
    "tag": None,
    "tool": None,
    "tool_call": None,
    "trace_name": None,
    "environment": None,
    "release": None,
    "version": None,
    "prompt_name": None,
    "prompt_version": None,
    "cost_source": ("reported", "computed"),
    "cost_missing": COST_MISSING,
    "scope": None,
    "protocol": None,
    "repository": None,
}

#: What a condition may ask; where there are several values, `contains` and those after it look at the first.
Operator = Literal[
    "any of",
    "none of",
    "all of",
    "contains",
    "does not contain",
    "starts with",
    "ends with",
    "<",
    "<=",
    ">",
    ">=",
    "is null",
    "is not null",
]

#: Fields of scores that a condition may name, likewise.
SCORE_FIELDS: Final[dict[str, tuple[str, ...] | None]] = {
    "id": None,
    "name": None,
    "trace_id": None,
    "span_id": None,
    "session_id": None,
    "data_type": ("NUMERIC", "BOOLEAN", "CATEGORICAL", "TEXT", "CORRECTION"),
    "source": None,
    "environment": None,
    "config_id": None,
    "protocol": None,
    "repository": None,
}

UNITS: Final = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


class FilterError(ValueError):
    """A filter that cannot be understood. The message is written for the person who typed it."""


@dataclass(frozen=True, slots=True)
class Condition:
    """What `field` has to do with `values`: by default it equals any one of them.

    Numbers and moments (nanoseconds since the epoch) are written as text, too. `key` names the entry of a map that is meant.
    """

    field: str
    values: tuple[str, ...]
    operator: Operator = "any of"
    key: str = ""


@dataclass(frozen=True, slots=True)
class Filter:
    """Spans that start in `[start, end)` (nanoseconds since the epoch, None is open) and meet every condition."""

    start: int | None = None
    end: int | None = None
    conditions: tuple[Condition, ...] = ()

    def where(self, field: str, *values: str) -> Filter:
        """Return this filter with one more condition.

        Raises:
            FilterError: the field does not exist, or a value is none of those it can have.
        """
        return Filter(self.start, self.end, (*self.conditions, condition(field, values)))


def condition(field: str, values: Iterable[str], fields: Mapping[str, tuple[str, ...] | None] = FIELDS) -> Condition:
    """Check one condition against the fields that there are.

    Raises:
        FilterError: the field does not exist, or a value is none of those it can have.
    """
    if field not in fields:
        raise FilterError(f"unknown field {field!r}; expected one of {', '.join(sorted(fields))}")
    legal, chosen = fields[field], tuple(values)
    for value in chosen:
        if legal and value not in legal:
            raise FilterError(f"{field}: {value!r} is not a value of it; expected one of {', '.join(legal)}")
    return Condition(field, chosen)


def parse_time(text: str, name: str, now: datetime | None = None) -> int:
    """Return nanoseconds since the epoch for an ISO 8601 time or an age such as `15m`, `24h`, `7d`.

    A time without a zone is UTC.

    Raises:
        FilterError: the text is neither.
    """
    amount, unit = text[:-1], text[-1:]
    try:
        if amount.isdigit() and unit in UNITS:
            moment = (now or datetime.now(UTC)) - timedelta(**{UNITS[unit]: int(amount)})
        else:
            moment = datetime.fromisoformat(text)
            moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        whole = moment.astimezone(UTC).replace(microsecond=0)
    except (ValueError, OverflowError):
        raise FilterError(f"{name}: {text!r} is neither an ISO 8601 time nor an age such as 15m, 24h or 7d") from None
    return int(whole.timestamp()) * 1_000_000_000 + moment.microsecond * 1_000


def from_params(
    params: Mapping[str, str] | Iterable[tuple[str, str]], fields: Mapping[str, tuple[str, ...] | None] = FIELDS
) -> Filter:
    """Build a filter from query parameters: `from`, `to` and any of `fields`; a repeated field means any of its values.

    Empty values count as absent, so that a plain HTML form can be submitted half filled in. Other names are ignored:
    they belong to paging and presentation.

    Raises:
        FilterError: a time or a value that cannot be understood.
    """
    pairs = params.items() if isinstance(params, Mapping) else params
    chosen: dict[str, list[str]] = {}
    for name, value in pairs:
        if value and (name in fields or name in ("from", "to")):
            chosen.setdefault(name, []).append(value)
    start = parse_time(chosen.pop("from")[-1], "from") if "from" in chosen else None
    end = parse_time(chosen.pop("to")[-1], "to") if "to" in chosen else None
    return Filter(start, end, tuple(condition(field, values, fields) for field, values in chosen.items()))
