"""The filter language as text: what one condition looks like."""

from __future__ import annotations

import re
from typing import Final

#: What needs no quotes.
_PLAIN: Final = re.compile(r"[\w./@+][\w./@+-]*")


def term(field: str, value: str) -> str:
    """Return the text of a condition that `field` is `value`, quoted where it has to be."""
    plain = _PLAIN.fullmatch(value) is not None
    return f"{field}:{value}" if plain else '{}:"{}"'.format(field, value.replace("\\", "\\\\").replace('"', '\\"'))
