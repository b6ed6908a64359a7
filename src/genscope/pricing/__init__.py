"""What a span cost: as its sender reported it, else its usage at the price that held when it started."""

from __future__ import annotations

from typing import Final

from genscope.model import PAID_TYPES, Span, Usage
from genscope.pricing import cost, price_list
from genscope.pricing.billed import billed
from genscope.pricing.override import NONE, Overrides

#: A count that only a call in another tier of service has, as LangChain names it -> the tier.
_TOLD_BY_USAGE: Final = {"input_flex": "flex", "input_priority": "priority"}


def price(span: Span, overrides: Overrides = NONE) -> None:
    """Set `cost`, `cost_source`, `cost_rule` and `cost_missing` of `span`.

    It goes by `usage`, `model`, `provider`, `service_tier`, `type`, start and `server_address`. One of
    `overrides` wins over the price list, whatever the tier. A cost reported by the sender stays, and one that was computed
    before is computed again. A `provider` that was not told becomes the one whose price list has the model, and a
    `service_tier` the one whose names the counts have.

    Without enough to go by there is no cost, never 0, and `cost_missing` says why; a span that is no call to a model and
    has no usage lacks nothing.
    """
    span.cost_missing = None
    name = span.model
    model = None if name is None else price_list.find(span.provider, name, span.server_address)
    if span.provider is None and model is not None:
        span.provider = model.provider
    if span.cost is not None and span.cost_source != "computed":
        span.cost_source = "reported"
        return
    span.cost = span.cost_source = span.cost_rule = None
    time = span.start_time or span.time
    rates = None if name is None else overrides.find(span.provider, name, time)
    if span.service_tier is None and span.usage:
        span.service_tier = _tier(span.usage)
    if rates is None and model is not None:
        rates = model.at(time, span.service_tier)
    usage = billed(span.type, span.usage, rates)
    if usage is None:
        span.cost_missing = "no_usage" if span.type in PAID_TYPES else None
    elif name is None:
        span.cost_missing = "no_model"
    elif rates is None:
        span.cost_missing = "unknown_model" if model is None else "unknown_price"
    else:
        span.cost = cost.computed(usage, rates)
        if span.cost is None:
            span.cost_missing = "unknown_price"
        else:
            span.cost_source = "computed"
            span.cost_rule = rates.rule(usage.get("input", 0))


def _tier(usage: Usage) -> str | None:
    for kind in usage:
        if kind in _TOLD_BY_USAGE:
            return _TOLD_BY_USAGE[kind]
    return None


def warm_up() -> None:
    """Load the price list, which takes a quarter of a second, before the first span needs it."""
    price_list.find(None, "gpt-4o")
