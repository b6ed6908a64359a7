"""The client: what an application starts observations with. `init` makes it, `get_client` finds it."""

from __future__ import annotations

import hashlib
import os
import random
import threading
import time
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final, Unpack
from weakref import WeakKeyDictionary

from opentelemetry import trace
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import SpanLimits, TracerProvider
from opentelemetry.sdk.trace.id_generator import IdGenerator
from opentelemetry.sdk.trace.sampling import TraceIdRatioBased
from opentelemetry.trace import INVALID_SPAN, NonRecordingSpan, SpanContext, TraceFlags, set_span_in_context

from genscope import __version__
from genscope.sdk import attributes, notices
from genscope.sdk.attributes import Attribute, Fields, ObservationType, TraceFields
from genscope.sdk.delivery import Delivery
from genscope.sdk.observation import Observation, ScoreFields, Starter
from genscope.sdk.processor import Processor, Sampling
from genscope.sdk.propagation import TraceContext
from genscope.sdk.reading import Reading
from genscope.sdk.settings import Mask, Settings

if TYPE_CHECKING:
    from opentelemetry.context import Context

#: The name of the tracer, by which a server tells who made a span.
SCOPE: Final = "genscope"
#: The fields of a score, and what `pieces.score` calls them.
_SCORE_FIELDS: Final = {
    "score_id": "id",
    "data_type": "data_type",
    "comment": "comment",
    "config_id": "config_id",
    "metadata": "metadata",
    "timestamp": "timestamp",
}


class Client(Starter, Reading):
    """Starts observations, scores them, delivers them, and reads them back. Threads may share it. What does not read never raises.

    >>> import genscope
    >>> client = genscope.get_client()
    >>> with client.start_as_current_span(name="answer-ticket") as span:
    ...     with client.start_as_current_generation(name="draft-reply", model="gpt-4o", input="Where is my order?") as gen:
    ...         _ = gen.update(output="On its way.")
    """

    def __init__(self, settings: Settings, provider: TracerProvider | None = None) -> None:
        self.settings = settings
        self.delivery: Delivery = Delivery(settings)
        self._bound = TraceIdRatioBased.get_bound_for_rate(settings.sample_rate)
        self._nothing = Observation(self, INVALID_SPAN)
        #: OpenTelemetry's tracer provider of the process; None if disabled.
        self.provider: TracerProvider | None = None
        if settings.enabled:
            self._open(provider)

    def _open(self, provider: TracerProvider | None) -> None:
        """Join a tracer provider: the one given, else the application's, else one of our own."""
        settings = self.settings
        told: dict[str, Attribute] = {
            attributes.ENVIRONMENT: settings.environment,
            attributes.RELEASE: settings.release,
        }
        always = {name: value for name, value in told.items() if value}
        found: Any = provider or trace.get_tracer_provider()
        if not hasattr(found, "add_span_processor"):  # OpenTelemetry's is a stand-in as long as nobody has set one
            if provider is not None:
                notices.warn("%s is no tracer provider of OpenTelemetry's SDK; another is taken", type(provider))
            found = TracerProvider(
                resource=Resource.create(always),
                sampler=Sampling(settings.sample_rate),
                id_generator=_Ids(),
                span_limits=SpanLimits(max_span_attributes=SpanLimits.UNSET),
            )
            trace.set_tracer_provider(found)
        said = found.resource.attributes
        untold = {name: value for name, value in always.items() if said.get(name) != value}
        joins = found not in _processors
        processor = _processors.setdefault(found, Processor(None))
        processor.lead(self.delivery, settings.sample_rate, untold)
        if joins:
            found.add_span_processor(processor)
        elif isinstance(sampling := getattr(found, "sampler", None), Sampling):
            sampling.change(settings.sample_rate)
        self.provider = found
        self._tracer = found.get_tracer(SCOPE, __version__)

    def _start(
        self,
        name: str | None,
        as_type: ObservationType,
        trace_context: TraceContext | None,
        fields: Fields,
        moment: int | None = None,
        parent: Context | None = None,
    ) -> Observation:
        """Start an observation beneath `parent`, or what is current; one that does nothing if that cannot be."""
        if self.provider is None:
            return self._nothing
        try:
            return self._started(attributes.plain(name or as_type), as_type, trace_context, fields, moment, parent)
        except Exception as error:  # whatever processors and samplers of the application do
            notices.once(("start", type(error)), "an observation could not be started: %r", error, exc_info=True)
            return self._nothing

    def _started(
        self,
        name: str,
        as_type: ObservationType,
        trace_context: TraceContext | None,
        fields: Fields,
        moment: int | None,
        parent: Context | None,
    ) -> Observation:
        type_ = as_type if type(as_type) is str else attributes.plain(as_type)
        if type_ not in attributes.TYPES:
            notices.once(("type", type_), "there is no type %s; known are %s", type_, sorted(attributes.TYPES))
            type_ = "span"
        told: dict[str, Attribute] = {attributes.TYPE: type_}
        if trace_context and (place := self._elsewhere(trace_context)) is not None:
            parent = place
            if not trace_context.get("parent_span_id"):
                told[attributes.ROOT] = True
        above = trace.get_current_span(parent).get_span_context()
        if above.is_valid and not above.trace_flags.sampled:
            # What is within what is not recorded is seldom recorded, so that its values need not be written.
            return Observation(self, self._tracer.start_span(name, parent, attributes=told)).update(**fields)
        begun = moment or time.time_ns()
        told.update(attributes.write(attributes.OBSERVATION, fields, self.settings))
        observation = Observation(self, self._tracer.start_span(name, parent, attributes=told, start_time=begun))
        if attributes.LEVEL in told:
            observation._set_status(told)
        return observation

    def _elsewhere(self, place: TraceContext) -> Context | None:
        """Return the context of a place in a trace; None if it is none."""
        try:
            trace_id = int(place["trace_id"], 16)
            # A trace's own spans need a parent, so that OpenTelemetry takes its id; nobody ever tells of this one.
            span_id = int(place.get("parent_span_id") or place["trace_id"][16:], 16) or 1
            sampled = place.get("sampled")
        except Exception:  # it may be anything
            trace_id, span_id, sampled = 0, 0, None
        if not isinstance(sampled, bool):
            sampled = trace_id & TraceIdRatioBased.TRACE_ID_LIMIT < self._bound
        context = SpanContext(trace_id, span_id, is_remote=True, trace_flags=TraceFlags(sampled))
        if not context.is_valid:
            notices.once("trace_context", "trace_context %r is no place in a trace; it is ignored", place)
            return None
        return set_span_in_context(NonRecordingSpan(context))

    def _current(self) -> Observation:
        """Return what is current, which another library may have started."""
        span = trace.get_current_span() if self.provider is not None else INVALID_SPAN
        return Observation(self, span) if span.get_span_context().is_valid else self._nothing

    def update_current_span(self, *, name: str | None = None, **fields: Unpack[Fields]) -> None:
        """Tell more of the current observation, whoever started it."""
        self._current().update(name=name, **fields)

    def update_current_generation(
        self, *, name: str | None = None, response: object = None, **fields: Unpack[Fields]
    ) -> None:
        """Tell more of the current observation, which becomes a generation unless it is an embedding."""
        current = self._current()
        current._be_generation()
        current.update(name=name, response=response, **fields)

    def update_current_trace(self, **fields: Unpack[TraceFields]) -> None:
        """Tell of the current trace."""
        self._current().update_trace(**fields)

    def score_current_span(self, name: str, value: float | str, **more: Unpack[ScoreFields]) -> None:
        """Score the current observation."""
        self._current().score(name, value, **more)

    def score_current_trace(self, name: str, value: float | str, **more: Unpack[ScoreFields]) -> None:
        """Score the current trace."""
        self._current().score_trace(name, value, **more)

    def create_score(
        self,
        name: str,
        value: float | str,
        *,
        trace_id: str | None = None,
        observation_id: str | None = None,
        session_id: str | None = None,
        **more: Unpack[ScoreFields],
    ) -> None:
        """Score a trace, an observation of it, or a session: at any time, from any process."""
        if self.provider is None:
            return
        from genscope.sdk import pieces  # noqa: PLC0415 - most programs score nothing

        for key in more.keys() - _SCORE_FIELDS.keys():
            notices.once(("score", key), "a score has no field %s; known are %s", key, ", ".join(_SCORE_FIELDS))
        name = attributes.plain(name)
        told: dict[str, Any] = {_SCORE_FIELDS[key]: field for key, field in more.items() if key in _SCORE_FIELDS}
        try:
            if trace_id is None and session_id is None:
                notices.once(("score", name), "the score %s needs a trace_id or a session_id; it is lost", name)
            elif trace_id is None or pieces.sampled(trace_id, self.settings):
                about: dict[str, Any] = {"trace_id": trace_id, "span_id": observation_id, "session_id": session_id}
                self.delivery.piece(pieces.score(self.settings, name, value, **about, **told))
        except Exception as error:  # whatever the application's objects do
            notices.once(("score", name), "the score %s could not be recorded: %r", name, error)

    def get_current_trace_id(self) -> str | None:
        """Return the id of the current trace; None if there is none."""
        current = self._current()
        return None if current is self._nothing else current.trace_id

    def get_current_observation_id(self) -> str | None:
        """Return the id of the current observation; None if there is none."""
        current = self._current()
        return None if current is self._nothing else current.id

    def get_trace_url(self, *, trace_id: str | None = None) -> str | None:
        """Return where a trace, or else the current one, can be seen."""
        trace_id = trace_id or self.get_current_trace_id()
        return None if trace_id is None else f"{self.settings.url}/traces/{trace_id}"

    @staticmethod
    def create_trace_id(*, seed: str | None = None) -> str:
        """Return a new id of a trace; of the same `seed`, such as an id of your own, always the same one.

        >>> Client.create_trace_id(seed="order-4711") == Client.create_trace_id(seed="order-4711")
        True
        """
        data = os.urandom(16) if seed is None else hashlib.sha256(str(seed).encode("utf-8", "replace")).digest()[:16]
        return data.hex()

    def auth_check(self) -> bool:
        """Whether the server can be reached and takes the key. It waits for the answer; for the start of a program, or a test."""
        from genscope.sdk.asking import ask  # noqa: PLC0415 - it brings `requests`

        try:
            ask(self.settings, "GET", "traces", {"limit": "1"})
        except Exception as error:
            notices.warn("%s cannot be used: %s", self.settings.url, error)
            return False
        return True

    def flush(self, timeout: float = 30.0) -> bool:
        """Wait until the server has answered everything told so far; False if that takes longer than `timeout` seconds."""
        return self.delivery.flush(timeout)

    def shutdown(self) -> None:
        """Send what waits, within the settings' `exit_timeout`, and stop."""
        self.delivery.close(self.settings.exit_timeout)


class _Ids(IdGenerator):
    """Ids by a source of our own.

    OpenTelemetry's repeat themselves in a program that calls `random.seed`. To ask the system for each lets other threads go first.
    """

    def __init__(self) -> None:
        self._random = random.Random()  # noqa: S311 - ids are no secrets
        if hasattr(os, "register_at_fork"):  # Windows has no fork
            os.register_at_fork(after_in_child=self._random.seed)

    def generate_span_id(self) -> int:
        """Return 64 random bits."""
        return self._random.getrandbits(64) or 1

    def generate_trace_id(self) -> int:
        """Return 128 random bits."""
        return self._random.getrandbits(128) or 1

    def is_trace_id_random(self) -> bool:
        """Say so to other services."""
        return True


#: Our processor of each tracer provider.
_processors: WeakKeyDictionary[TracerProvider, Processor] = WeakKeyDictionary()
_lock = threading.RLock()


class _Process:
    """What there is once a process."""

    client: Client | None = None


def init(
    *,
    url: str | None = None,
    public_key: str | None = None,
    secret_key: str | None = None,
    environment: str | None = None,
    release: str | None = None,
    enabled: bool | None = None,
    sample_rate: float | None = None,
    capture_input: bool | None = None,
    capture_output: bool | None = None,
    mask: Mask | None = None,
    max_value_bytes: int | None = None,
    buffer_bytes: int | None = None,
    flush_interval: float | None = None,
    timeout: float | None = None,
    exit_timeout: float | None = None,
    debug: bool | None = None,
    instrument: bool | Sequence[str] = False,
    tracer_provider: TracerProvider | None = None,
) -> Client:
    """Start recording, and return the client, which `get_client` returns from now on.

    What is not given is read from the environment (`GENSCOPE_URL`, `GENSCOPE_PUBLIC_KEY`, `GENSCOPE_SECRET_KEY` ...);
    docs/delivery.md has all settings. `instrument` turns on instrumentations that are installed, see docs/instrumentation.md.
    An application that has a tracer provider gives it, or sets it before; the spans of both then go both ways.

    >>> import genscope
    >>> client = genscope.init(environment="production", release="2.4.1")
    """
    given = {name: value for name, value in locals().items() if name not in {"instrument", "tracer_provider"}}
    settings = Settings.read(**given)
    if settings.debug:
        notices.debug()
    with _lock:
        former = _Process.client
        try:
            made = _Process.client = Client(settings, tracer_provider)
        except Exception as error:  # OpenTelemetry has an environment of its own, and refuses what is wrong there
            notices.warn("nothing is recorded, since OpenTelemetry cannot be set up: %r", error)
            made = _Process.client = Client(replace(settings, enabled=False))
    if former is not None:
        if former.provider is not None and former.provider is not made.provider:
            _processors[former.provider].lead(None, 0.0, {})
        # What waits there may take a while.
        threading.Thread(target=former.shutdown, daemon=True).start()
    if instrument and made.provider is not None:
        from genscope.sdk.instrumentation import instrument as turn_on  # noqa: PLC0415

        turn_on(instrument, made.provider, settings)
    return made


def get_client() -> Client:
    """Return the client of the process. If nobody called `init`, this does, with what the environment says."""
    # Without the lock, which another thread may hold while this process is forked.
    return _Process.client or _first()


def _first() -> Client:
    with _lock:
        return _Process.client or init()
