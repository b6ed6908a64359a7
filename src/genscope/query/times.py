"""Moments as people write them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

from genscope.query.conditions import FilterError

UNITS: Final = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


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
