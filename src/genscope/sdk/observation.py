"""An observation: one thing the application does, such as a call to a model. Beneath it is an OpenTelemetry span."""

from __future__ import annotations

import contextlib
import time
import traceback
from abc import ABC, abstractmethod
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, Self, TypedDict, TypeVar, Unpack, cast

from opentelemetry import context as contexts
from opentelemetry.trace import (
    Status,
    StatusCode,
    format_span_id,
    format_trace_id,
    get_current_span,
    set_span_in_context,
)

from genscope.sdk import attributes, notices, values
from genscope.sdk.attributes import Attribute, Fields, ObservationType, TraceFields

if TYPE_CHECKING:
    from collections.abc import Mapping
    from contextvars import Token
    from types import TracebackType

    from opentelemetry.context import Context
    from opentelemetry.trace import Span

    from genscope.sdk.client import Client
    from genscope.sdk.propagation import TraceContext
    from genscope.sdk.results import Result

Stream = TypeVar("Stream")
#: Where an exception remembers in which trace it was recorded.
_RECORDED: Final = "__genscope_trace__"


class ScoreFields(TypedDict, total=False):
    """What else can be told of a score."""

    #: The same id again replaces the score.
    score_id: str | None
    #: `NUMERIC`, `CATEGORICAL`, `BOOLEAN` or `TEXT`; told by the value unless given.
    data_type: str | None
    comment: str | None
    config_id: str | None
    metadata: Any
    timestamp: datetime | None


class Starter(ABC):
    """What starts observations: a client beneath whatever is current, an observation beneath itself.

    `start_as_current_*` are for `with`: the observation starts with the block and ends with it, whatever starts within is its
    child, and an exception that leaves the block is recorded. What `start_*` return has to be ended by `end()`.
    `trace_context` tells of a parent elsewhere, see `genscope.extract`. All take the fields of `Fields`.
    """

    __slots__ = ()

    @abstractmethod
    def _start(
        self,
        name: str | None,
        as_type: ObservationType,
        trace_context: TraceContext | None,
        fields: Fields,
        moment: int | None = None,
    ) -> Observation:
        """Start an observation beneath this, unless `trace_context` tells of another parent; `moment` is in nanoseconds."""

    def start_observation(
        self,
        name: str | None = None,
        *,
        as_type: ObservationType = "span",
        trace_context: TraceContext | None = None,
        **fields: Unpack[Fields],
    ) -> Observation:
        """Start an observation of any type, which is not current and which `end()` ends."""
        return self._start(name, as_type, trace_context, fields)

    def start_span(
        self, name: str | None = None, *, trace_context: TraceContext | None = None, **fields: Unpack[Fields]
    ) -> Observation:
        """Start a span, as `start_observation` does."""
        return self._start(name, "span", trace_context, fields)

    def start_generation(
        self, name: str | None = None, *, trace_context: TraceContext | None = None, **fields: Unpack[Fields]
    ) -> Observation:
        """Start a generation, a call to a model, as `start_observation` does."""
        return self._start(name, "generation", trace_context, fields)

    def start_as_current_observation(
        self,
        name: str | None = None,
        *,
        as_type: ObservationType = "span",
        trace_context: TraceContext | None = None,
        end_on_exit: bool | None = True,
        **fields: Unpack[Fields],
    ) -> Current:
        """Start an observation of any type for the time of a `with` block."""
        return Current(self, name, as_type, trace_context, fields, end_on_exit is not False)

    def start_as_current_span(
        self,
        name: str | None = None,
        *,
        trace_context: TraceContext | None = None,
        end_on_exit: bool | None = True,
        **fields: Unpack[Fields],
    ) -> Current:
        """Start a span for the time of a `with` block."""
        return Current(self, name, "span", trace_context, fields, end_on_exit is not False)

    def start_as_current_generation(
        self,
        name: str | None = None,
        *,
        trace_context: TraceContext | None = None,
        end_on_exit: bool | None = True,
        **fields: Unpack[Fields],
    ) -> Current:
        """Start a generation, a call to a model, for the time of a `with` block."""
        return Current(self, name, "generation", trace_context, fields, end_on_exit is not False)

    def create_event(
        self, name: str | None = None, *, trace_context: TraceContext | None = None, **fields: Unpack[Fields]
    ) -> Observation:
        """Record something that took no time."""
        moment = time.time_ns()
        return self._start(name, "event", trace_context, fields, moment).end(end_time=moment)


class Observation(Starter):
    """What `start_*` return. No method raises, whatever it is given.

    One that is not recorded, since the SDK is disabled or the trace was not sampled, is of the same type and does nothing.
    """

    __slots__ = ("_client", "_held", "_quiet", "_span")

    def __init__(self, client: Client, span: Span) -> None:
        self._client = client
        self._span = span
        #: How many have to let go of it before it ends: the block of a `with`, streams that are read.
        self._held = 0
        #: Whether what a function returned is left out; of a model's answer the output.
        self._quiet = False

    @property
    def id(self) -> str:
        """The span's id: 16 hexadecimal digits."""
        return format_span_id(self._span.get_span_context().span_id)

    @property
    def trace_id(self) -> str:
        """The id of the trace: 32 hexadecimal digits."""
        return format_trace_id(self._span.get_span_context().trace_id)

    @property
    def span(self) -> Span:
        """The OpenTelemetry span beneath."""
        return self._span

    @property
    def recorded(self) -> bool:
        """Whether this is recorded, and has not ended."""
        return self._span.is_recording()

    def update(self, *, name: str | None = None, response: object = None, **fields: Unpack[Fields]) -> Self:
        """Tell more of it; see `Fields`.

        `response` is a model's answer as its library returned it, of which output, usage and model are taken.

        >>> import genscope
        >>> with genscope.get_client().start_as_current_generation(name="draft-reply", model="gpt-4o") as gen:
        ...     text = "It left our warehouse this morning."
        ...     _ = gen.update(output=text, usage_details={"input": 12, "output": 5})
        """
        span = self._span
        if not span.is_recording():
            if span.get_span_context().trace_flags.sampled:
                notices.once(
                    "ended", "what has ended, or is another process's, was told more, which is lost", stack_info=True
                )
            return self
        if name is not None:
            span.update_name(attributes.plain(name))
        if response is not None and not self._understand(response):
            kind = type(response)
            notices.once(
                ("response", kind),
                "%s is no answer of a model that is known (a stream is for `watch`); it is recorded as output",
                kind,
            )
            self.update(output=response)
        if fields:
            told = attributes.write(attributes.OBSERVATION, fields, self._client.settings)
            if told:
                span.set_attributes(told)
            if attributes.LEVEL in told:
                self._set_status(told)
        return self

    @property
    def _said(self) -> Mapping[str, Any]:
        """What the span says so far, whoever told it."""
        return getattr(self._span, "attributes", None) or {}

    def _be_generation(self) -> None:
        """Take the type of a call to a model, if it is one of ours that has another."""
        if self._said.get(attributes.TYPE) not in (None, "generation", "embedding") and self.recorded:
            self._span.set_attribute(attributes.TYPE, "generation")

    def _set_status(self, told: dict[str, attributes.Attribute]) -> None:
        """Tell OpenTelemetry, too, that it failed."""
        if told[attributes.LEVEL] == "ERROR":
            message = told.get(attributes.STATUS_MESSAGE)
            self._span.set_status(Status(StatusCode.ERROR, cast("str | None", message)))

    def _understand(self, response: object) -> bool:
        """Tell what a model answered; False if it is no answer that is known."""
        from genscope.sdk.results import understand  # noqa: PLC0415 - only who hands answers over needs it

        result = understand(response)
        if result is not None:
            self._answered(result)
        return result is not None

    def _returned(self, result: Any, call: bool) -> Any:
        """Tell what a function returned, one that may have called a model or not, and return it."""
        if call:
            from genscope.sdk import streams  # noqa: PLC0415 - only who streams needs it

            if streams.is_stream(result):
                return self.watch(result)
            if self._understand(result):
                return result
        if not self._quiet:
            self.update(output=result)
        return result

    def _answered(self, result: Result, first: int | None = None) -> None:
        """Tell what a model answered, and when its first token came; whose model it is, and when, the application knows better."""
        told = {name: getattr(result, name) for name in attributes.RESULT}
        if attributes.PROVIDER in self._said:
            told["provider"] = None
        if self._quiet:
            told["output"] = None
        self._span.set_attributes(attributes.write(attributes.RESULT, told, self._client.settings))
        if first is not None and attributes.COMPLETION_START_TIME not in self._said:
            self._span.set_attribute(attributes.COMPLETION_START_TIME, first)
        if result.error is not None:
            self.update(level="ERROR", status_message=result.error)

    def update_trace(self, **fields: Unpack[TraceFields]) -> Self:
        """Tell of the whole trace; see `TraceFields`. For spans to come, too, and for those of other libraries, use `propagate`."""
        span = self._span
        if span.is_recording():
            told = attributes.write(attributes.TRACE, fields, self._client.settings)
            span.set_attributes(attributes.joined(self._said, told))
        return self

    def end(self, *, end_time: int | datetime | None = None) -> Self:
        """It has ended, now or at `end_time` (nanoseconds since the epoch, or a moment). Later calls do nothing."""
        if self._span.is_recording():
            try:
                self._span.end(None if end_time is None else _moment(end_time))
            except Exception as error:  # whatever processors of the application do
                notices.once(("end", type(error)), "an observation could not be ended: %r", error, exc_info=True)
        return self

    def fail(self, error: BaseException) -> Self:
        """It failed with this exception: level ERROR and its message, unless an error was told; its traceback once a trace.

        The end of a generator or a program (`GeneratorExit`, `SystemExit`) is no failure.
        """
        span = self._span
        if isinstance(error, GeneratorExit | SystemExit) or not span.is_recording():
            return self
        try:
            if not failed(span):
                self.update(level="ERROR", status_message=said(error))
            if getattr(error, _RECORDED, None) != span.get_span_context().trace_id:
                span.add_event("exception", self._exception(error))
                with contextlib.suppress(AttributeError, TypeError):
                    setattr(error, _RECORDED, span.get_span_context().trace_id)
        except Exception as trouble:  # exceptions are the application's, and may do anything when they are looked at
            notices.once(("exception", type(error)), "%s could not be recorded: %r", type(error), trouble)
        return self

    def _exception(self, error: BaseException) -> dict[str, Attribute]:
        settings = self._client.settings
        return {
            "exception.type": f"{type(error).__module__}.{type(error).__qualname__}".removeprefix("builtins."),
            "exception.message": values.text(attributes.plain(error), settings),
            "exception.stacktrace": values.text("".join(traceback.format_exception(error)), settings),
        }

    def watch(self, stream: Stream) -> Stream:
        """Return a model's stream, sync or async, that is recorded while it is read: first token, output, usage, error.

        Chunks pass on untouched and at once. The observation ends when the stream does, or is given up; within `with`, when the
        block has ended, too. An answer that is no stream is recorded as `update(response=...)` does, and returned.
        """
        if not self._span.is_recording():
            return stream
        from genscope.sdk import streams  # noqa: PLC0415 - only who streams needs it

        if not streams.is_stream(stream):
            self.update(response=stream)
            return stream
        self._hold()

        def done(result: Result, first: int | None) -> None:
            if self._span.is_recording():
                self._answered(result, first)
            self._release()

        def broken(error: BaseException) -> None:
            self.fail(error)

        return streams.watch(stream, done, broken)

    def _hold(self) -> Self:
        """Keep it open until this, too, is released."""
        self._held += 1
        return self

    def _release(self) -> None:
        """Let go; the last one ends it."""
        self._held -= 1
        if self._held <= 0:
            self.end()

    def score(self, name: str, value: float | str, **more: Unpack[ScoreFields]) -> None:
        """Score this observation."""
        if self._span.get_span_context().trace_flags.sampled:
            self._client.create_score(name, value, trace_id=self.trace_id, observation_id=self.id, **more)

    def score_trace(self, name: str, value: float | str, **more: Unpack[ScoreFields]) -> None:
        """Score the trace."""
        if self._span.get_span_context().trace_flags.sampled:
            self._client.create_score(name, value, trace_id=self.trace_id, **more)

    def _start(
        self,
        name: str | None,
        as_type: ObservationType,
        trace_context: TraceContext | None,
        fields: Fields,
        moment: int | None = None,
    ) -> Observation:
        return self._client._start(name, as_type, trace_context, fields, moment, set_span_in_context(self._span))


class Current:
    """What `start_as_current_*` return, for `with`."""

    __slots__ = ("_end", "_how", "_observation", "_starter", "_token")

    def __init__(
        self,
        starter: Starter,
        name: str | None,
        as_type: ObservationType,
        trace_context: TraceContext | None,
        fields: Fields,
        end: bool,
    ) -> None:
        self._starter = starter
        self._how = (name, as_type, trace_context, fields)
        self._end = end

    def __enter__(self) -> Observation:
        """Start it, and make it current."""
        self._observation = observation = self._starter._start(*self._how)
        if self._end:
            observation._hold()
        self._token = attached(observation.span)
        return observation

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Record the exception, if there is one, and end it."""
        observation = self._observation
        detach(self._token, observation.span)
        if error is not None:
            observation.fail(error)
        if self._end:
            observation._release()


def attached(span: Span) -> Token[Context] | None:
    """Make a span current, unless it is none at all."""
    return contexts.attach(set_span_in_context(span)) if span.get_span_context().is_valid else None


def detach(token: Token[Context] | None, span: Span) -> None:
    """Make current what was before `attached`.

    A generator may go on in another thread or task than the one it began in. Its token is of no use there, but where its span is
    still current what was before it takes its place.
    """
    if token is None:
        return
    try:
        token.var.reset(token)
    except (RuntimeError, ValueError):
        if get_current_span() is span:
            old = token.old_value
            contexts.attach(contexts.Context() if old is token.MISSING else cast("Context", old))


def _moment(told: int | datetime) -> int | None:
    try:
        return attributes.nanoseconds(told)
    except Exception as error:  # it is no moment
        notices.once("end_time", "end_time %s is no moment, now is taken: %r", type(told), error)
        return None


def failed(span: Span) -> bool:
    """Whether a span was told to have failed."""
    status = getattr(span, "status", None)
    return status is not None and status.status_code is StatusCode.ERROR


def said(error: BaseException) -> str:
    """Return an exception's name and message."""
    name, message = type(error).__name__, attributes.plain(error)
    return f"{name}: {message}" if message else name
