"""LiteLLM's `otel` callback, where it says more than `gen_ai.*`: the provider's whole usage, in Python's own notation, and
what the call cost by LiteLLM's own prices, discounts and margins.

Source: `litellm.integrations.opentelemetry`, version 1.106.
"""

from __future__ import annotations

import ast
from typing import Final

from genscope.conventions.table import Table
from genscope.model import Cost, Json, RawSpan, Usage
from genscope.pricing import cost, usage

#: Letters of a usage; real ones have about 500.
_LONGEST: Final = 10_000


def _usage(value: Json, _span: RawSpan) -> Usage | None:
    """Usage from `{'prompt_tokens': 9, 'prompt_tokens_details': {'cached_tokens': 4, 'text_tokens': None}}`."""
    if not isinstance(value, str) or len(value) > _LONGEST:
        return None
    try:
        told = ast.literal_eval(value)
    except (ValueError, SyntaxError, RecursionError, MemoryError):
        return None
    named = isinstance(told, dict) and all(isinstance(name, str) for name in told)
    return usage.from_details(told) if named else None


def _cost(value: Json, span: RawSpan) -> Cost | None:
    """The total; models without a price are free to LiteLLM, which tells nothing."""
    told = cost.from_total(value, span)
    return told if told and told["total"] else None


TABLE: Table = {
    "usage": {"metadata.usage_object": _usage},
    "cost": {"gen_ai.cost.total_cost": _cost},
}
