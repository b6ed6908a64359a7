"""What the SDK tells in the log (`genscope`): a mistake once per place, losses at intervals."""

from __future__ import annotations

import contextlib
import logging
import sys
import time
from typing import Final

log: Final = logging.getLogger("genscope")
#: How many places are remembered, so that places made at run time cannot grow it for ever.
PLACES: Final = 1000
#: Seconds between lines that count the same loss.
INTERVAL: Final = 60.0

_told: set[object] = set()


def warn(message: str, *arguments: object, exc_info: bool = False, stack_info: bool = False) -> None:
    """Log a warning. What the application's handlers and filters raise goes no further: nobody else sends what is recorded."""
    with contextlib.suppress(Exception):
        log.warning(message, *arguments, exc_info=exc_info, stack_info=stack_info)


def once(place: object, message: str, *arguments: object, exc_info: bool = False, stack_info: bool = False) -> None:
    """Log a warning, unless one of this place was logged before."""
    if place in _told or len(_told) >= PLACES:
        return
    _told.add(place)
    warn(message, *arguments, exc_info=exc_info, stack_info=stack_info)


def debug() -> None:
    """Show everything the SDK tells, on standard error where nobody else listens."""
    log.setLevel(logging.DEBUG)
    if not log.hasHandlers():
        handler = logging.StreamHandler(sys.stderr)
        handler.setFormatter(logging.Formatter("%(asctime)s %(name)s %(levelname)s %(message)s"))
        log.addHandler(handler)


class Tally:
    """Counts one kind of loss, so that it is told at once and then at intervals, however often it happens."""

    def __init__(self, message: str) -> None:
        """`message` has places for the number that is new, for the last reason, and for the sum."""
        self.total = 0
        self._message = message
        self._reason = ""
        self._untold = 0
        self._next = 0.0

    def add(self, count: int, reason: str) -> bool:
        """Count; True if it is time to tell."""
        self.total += count
        self._untold += count
        self._reason = reason
        return time.monotonic() >= self._next

    def line(self, *, now: bool = False) -> str | None:
        """Return what is to be told, if anything is, and it is time or `now`."""
        if not self._untold or (time.monotonic() < self._next and not now):
            return None
        line = self._message % (self._untold, self._reason, self.total)
        self._untold = 0
        self._next = time.monotonic() + INTERVAL
        return line
