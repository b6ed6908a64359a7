"""What the SDK tells in the log (`genscope`): each mistake once per place, what goes on at intervals."""

from __future__ import annotations

import logging
import sys
from typing import Final

log: Final = logging.getLogger("genscope")
#: How many places are remembered, so that texts made at run time cannot grow it for ever.
PLACES: Final = 1000

_told: set[object] = set()


def once(place: object, message: str, *arguments: object, exc_info: bool = False) -> None:
    """Log a warning, unless one of this place was logged before."""
    if place in _told or len(_told) >= PLACES:
        return
    _told.add(place)
    log.warning(message, *arguments, exc_info=exc_info)


def debug() -> None:
    """Show everything the SDK tells, on standard error where nobody else listens."""
    log.setLevel(logging.DEBUG)
    if not log.hasHandlers():
        handler = logging.StreamHandler(sys.stderr)
        handler.setFormatter(logging.Formatter("%(asctime)s %(name)s %(levelname)s %(message)s"))
        log.addHandler(handler)
