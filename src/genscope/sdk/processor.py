"""Where OpenTelemetry hands spans over, and which traces are kept."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from opentelemetry.sdk.trace import ReadableSpan, Span, SpanProcessor
from opentelemetry.sdk.trace.sampling import ParentBased, Sampler, SamplingResult, TraceIdRatioBased

from genscope.sdk.propagation import carried

if TYPE_CHECKING:
    from opentelemetry.context import Context

    from genscope.sdk.attributes import Attribute
    from genscope.sdk.delivery import Delivery


class Sampling(Sampler):
    """Samples for a tracer provider of ours: whoever began a trace has decided, else its id does, by a rate that may change."""

    def __init__(self, rate: float) -> None:
        self.change(rate)

    def change(self, rate: float) -> None:
        """From now on sample by another rate; OpenTelemetry's tracers keep the sampler that they were made with."""
        self._sampler = ParentBased(TraceIdRatioBased(rate))

    def should_sample(self, *arguments: Any, **named: Any) -> SamplingResult:
        """Decide about a span."""
        return self._sampler.should_sample(*arguments, **named)

    def get_description(self) -> str:
        """Return what it is."""
        return "genscope"


class Processor(SpanProcessor):
    """Tells spans what `propagate` told, and hands those that ended to a delivery.

    A tracer provider has one, which OpenTelemetry cannot take away: a second `init` leads it elsewhere.
    """

    def __init__(self, delivery: Delivery | None, rate: float = 1.0) -> None:
        self.lead(delivery, rate, {})

    def lead(self, delivery: Delivery | None, rate: float, always: Mapping[str, Attribute]) -> None:
        """Hand spans to this delivery, None for nowhere. All get the attributes `always` that their resource has not.

        `rate` is for a provider of the application's own, whose sampler knows none.
        """
        self._delivery = delivery
        self._bound = TraceIdRatioBased.get_bound_for_rate(rate)
        self._always = always

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        """Tell a span, whoever starts it, what holds for all; what it says itself comes first."""
        told = carried(parent_context)
        if self._always or told:
            said = set(span.attributes or ())
            untold = {name: value for name, value in {**self._always, **told}.items() if name not in said}
            span.set_attributes(untold)

    def on_end(self, span: ReadableSpan) -> None:
        """Hand a span over, if it is sampled. Never raises, never waits."""
        context = span.context
        if self._delivery is None or context is None or not context.trace_flags.sampled:
            return
        if context.trace_id & TraceIdRatioBased.TRACE_ID_LIMIT < self._bound:
            self._delivery.span(span)

    def shutdown(self) -> None:
        """Send what waits, within the settings' `exit_timeout`."""
        if self._delivery is not None:
            self._delivery.close()

    def force_flush(self, timeout_millis: int = 30000) -> bool:
        """Wait until what was handed over is answered; False if that took longer."""
        return self._delivery is None or self._delivery.flush(timeout_millis / 1000)
