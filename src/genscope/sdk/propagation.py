"""What holds for all observations of a request, those of other libraries included, and how a trace goes on in another process."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, MutableMapping, Sequence
from typing import TYPE_CHECKING, Any, Final, TypedDict, cast

from opentelemetry import context as contexts
from opentelemetry.trace import get_current_span
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from genscope.sdk import attributes
from genscope.sdk.attributes import Attribute

if TYPE_CHECKING:
    from contextvars import Token
    from types import TracebackType

    from opentelemetry.context import Context

_CARRIED: Final = contexts.create_key("genscope-carried")
_W3C: Final = TraceContextTextMapPropagator()


class TraceContext(TypedDict, total=False):
    """A place in a trace: beneath a span, or in the trace alone."""

    #: 32 hexadecimal digits.
    trace_id: str
    #: 16 hexadecimal digits.
    parent_span_id: str | None
    #: Whether the trace is recorded; unless told, its id decides.
    sampled: bool


class propagate:  # noqa: N801 - it reads like a function, as `contextlib.suppress` does
    """Tell every observation in a `with` block, and the current one, whose it is. Nothing of it leaves the process in headers.

    What is told within holds before what was told around it; metadata and tags add up.

    >>> import genscope
    >>> client = genscope.get_client()
    >>> with genscope.propagate(user_id="alice", session_id="ticket-4711", tags=["mail"], metadata={"plan": "pro"}):
    ...     with client.start_as_current_span(name="answer-ticket"):
    ...         pass  # what is recorded here is alice's
    """

    def __init__(
        self,
        *,
        user_id: str | None = None,
        session_id: str | None = None,
        tags: Sequence[str] | None = None,
        metadata: Mapping[str, Any] | None = None,
        version: str | None = None,
        trace_name: str | None = None,
        environment: str | None = None,
        prompt: Any = None,
    ) -> None:
        self._told: dict[str, Any] = {
            "user_id": user_id,
            "session_id": session_id,
            "tags": tags,
            "metadata": metadata,
            "version": version,
            "name": trace_name,
            "environment": environment,
            "prompt": prompt,
        }
        self._tokens: list[Token[Context]] = []

    def __enter__(self) -> None:
        """Begin to tell."""
        from genscope.sdk.client import get_client  # noqa: PLC0415 - the client imports this module

        client = get_client()
        if not client.settings.enabled:
            return
        around = carried()
        told = attributes.joined(around, attributes.write(attributes.TRACE, self._told, client.settings))
        current = get_current_span()
        if current.is_recording():
            current.set_attributes(told)
        self._tokens.append(contexts.attach(contexts.set_value(_CARRIED, {**around, **told})))

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop telling."""
        if self._tokens:
            token = self._tokens.pop()
            with contextlib.suppress(RuntimeError, ValueError):  # the block ends in another task than it began in
                token.var.reset(token)


def carried(context: Context | None = None) -> Mapping[str, Attribute]:
    """Return the attributes that all spans of a context get."""
    return cast("Mapping[str, Attribute]", contexts.get_value(_CARRIED, context) or {})


def inject(headers: MutableMapping[str, str]) -> MutableMapping[str, str]:
    """Add the current trace to the headers of a request (`traceparent` of W3C), and return them.

    >>> import genscope
    >>> with genscope.get_client().start_as_current_span(name="ask-the-other-service"):
    ...     headers = genscope.inject({"accept": "application/json"})
    >>> sorted(headers)
    ['accept', 'traceparent']
    """
    with contextlib.suppress(Exception):
        _W3C.inject(headers)
    return headers


def extract(headers: Mapping[str, str]) -> TraceContext | None:
    """Return the place in a trace that a request's headers tell, for `trace_context`; None if they tell none.

    >>> import genscope
    >>> headers = {"traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"}
    >>> with genscope.get_client().start_as_current_span(name="serve", trace_context=genscope.extract(headers)) as span:
    ...     span.trace_id
    '0af7651916cd43dd8448eb211c80319c'
    """
    try:
        lower = {str(name).lower(): value for name, value in headers.items()}
        place = get_current_span(_W3C.extract(lower, contexts.Context())).get_span_context()
    except Exception:  # headers are a stranger's, and their mapping a framework's
        return None
    if not place.is_valid:
        return None
    return {
        "trace_id": f"{place.trace_id:032x}",
        "parent_span_id": f"{place.span_id:016x}",
        "sampled": place.trace_flags.sampled,
    }
