"""What a span cost: as its sender reported it, else its usage at the price that held when it started."""

from __future__ import annotations

from importlib.metadata import version

from genscope.model import PAID_TYPES, Span
from genscope.pricing import cost, rates
from genscope.pricing.override import NONE, Overrides


def price(span: Span, overrides: Overrides = NONE) -> None:
    """Set `cost`, `cost_source`, `cost_rule` and `cost_missing` of `span` from its `usage`, `model`, `provider` and start.

    One of `overrides` wins over the price list. A `provider` that was not told becomes the one whose price list has the
    model. A cost reported by the sender stays, and one that was computed before is computed again.

    Without enough to go by there is no cost, never 0, and `cost_missing` says why; a span that is no call to a model and
    has no usage lacks nothing.
    """
    span.cost_missing = None
    model = rates.find(span.provider, span.model) if span.model is not None else None
    if span.provider is None and model is not None:
        span.provider = model.provider
    if span.cost is not None and span.cost_source != "computed":
        span.cost_source = "reported"
        return
    span.cost = span.cost_source = span.cost_rule = None
    time = span.start_time or span.time
    valid = overrides.find(span.provider, span.model, time) if span.model is not None else None
    if valid is None and model is not None:
        valid = model.at(time)
    usage = span.usage
    all_input = span.type == "embedding" or (valid is not None and valid.input_only)
    if usage is not None and all_input and "input" not in usage and "total" in usage:
        usage = {"input": usage["total"]}
    if usage is None and valid is not None and valid.flat and span.type in PAID_TYPES:
        usage = {"input": 0, "output": 0}
    if usage is None or ("input" not in usage and "output" not in usage):
        span.cost_missing = "no_usage" if span.type in PAID_TYPES else None
    elif span.model is None:
        span.cost_missing = "no_model"
    else:
        span.cost = None if valid is None else cost.computed(usage, valid)
        if span.cost is None or valid is None:
            span.cost_missing = "unknown_model"
        else:
            span.cost_source = "computed"
            span.cost_rule = valid.rule(usage.get("input", 0))


def price_list_version() -> str:
    """The version of the price list, which is that of the `genai-prices` package."""
    return version("genai-prices")


def warm_up() -> None:
    """Load the price list, which takes a quarter of a second, before the first span needs it."""
    rates.find(None, "gpt-4o")
