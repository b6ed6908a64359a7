"""Semantic Kernel for Python, where it wrote token counts before `gen_ai.usage.*`. Everything else of it is `gen_ai.*`.

Source: semantic-kernel 1.x, model diagnostics.
"""

from __future__ import annotations

from typing import Final

from genscope.conventions.table import Table
from genscope.model import Json, RawSpan, Usage
from genscope.pricing import usage

_RESPONSE: Final = "gen_ai.response."
_COUNTS: Final = ("prompt_tokens", "completion_tokens", "total_tokens")


def _usage(_value: Json, span: RawSpan) -> Usage | None:
    counts = {name: span.attributes.get(f"{_RESPONSE}{name}") for name in _COUNTS}
    return usage.from_attributes(counts)


TABLE: Table = {"usage": {f"{_RESPONSE}prompt_tokens": _usage, f"{_RESPONSE}completion_tokens": _usage}}
