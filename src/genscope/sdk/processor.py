"""Where OpenTelemetry hands ended spans over, and which traces are kept."""

from __future__ import annotations

from typing import TYPE_CHECKING

from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor
from opentelemetry.sdk.trace.sampling import ParentBased, Sampler, TraceIdRatioBased

if TYPE_CHECKING:
    from genscope.sdk.delivery import Delivery


def sampler(rate: float) -> Sampler:
    """Return the sampler of a tracer provider that is ours: whoever began a trace has decided, else its id does."""
    return ParentBased(TraceIdRatioBased(rate))


class Processor(SpanProcessor):
    """Hands sampled spans to a delivery. `rate` is for a provider of the application's own, whose sampler knows none."""

    def __init__(self, delivery: Delivery, rate: float = 1.0) -> None:
        self._delivery = delivery
        self._bound = TraceIdRatioBased.get_bound_for_rate(rate)

    def on_end(self, span: ReadableSpan) -> None:
        """Hand a span over. Never raises, never waits."""
        context = span.context
        if context is None or not context.trace_flags.sampled:
            return
        if context.trace_id & TraceIdRatioBased.TRACE_ID_LIMIT < self._bound:
            self._delivery.span(span)

    def shutdown(self) -> None:
        """Send what waits, within the settings' `exit_timeout`."""
        self._delivery.close()

    def force_flush(self, timeout_millis: int = 30000) -> bool:
        """Wait until what was handed over is answered; False if that took longer."""
        return self._delivery.flush(timeout_millis / 1000)
