"""The logger: where things begin, and where they are found again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar, Unpack

from genscope.sdk import notices
from genscope.sdk.logger.calls import Generation, Retrieval, ToolCall
from genscope.sdk.logger.configs import LoggerConfig, SessionConfig, SpanType, TraceConfig
from genscope.sdk.logger.containers import Span, Trace, kind_of
from genscope.sdk.logger.session import Session, begun, found
from genscope.sdk.logger.thing import Part, identity, merged, named
from genscope.sdk.pieces import Name, sampled

if TYPE_CHECKING:
    from genscope.sdk.client import Client

Found = TypeVar("Found", bound=Part)


class Logger:
    """Makes traces and sessions, and finds what was made elsewhere. Any number of loggers are alike.

    >>> import genscope
    >>> trace = genscope.Logger().trace({"id": "trace-id", "name": "answer-customer"})
    >>> generation = trace.generation({"id": "generation-id", "provider": "openai", "model": "gpt-4o"})
    >>> _ = trace.end()
    """

    __slots__ = ("_client",)

    def __init__(self, config: LoggerConfig | Mapping[str, Any] | None = None, *, client: Client | None = None) -> None:
        """Make a logger of a client, by default the one of `genscope.init`.

        The mapping is there for programs that have one: which project things go to is told by the key, all else by `init`.
        """
        for key in merged(config, {}):
            if key != "id":
                notices.once(("logger", key), "a logger takes no %s; settings are those of genscope.init", key)
        if client is None:
            from genscope.sdk.client import get_client  # noqa: PLC0415 - the client makes loggers

            client = get_client()
        self._client = client

    def trace(self, config: TraceConfig | None = None, /, **more: Unpack[TraceConfig]) -> Trace:
        """An execution of the application, which begins now."""
        return begun(self._client, merged(config, more))

    def session(self, config: SessionConfig | None = None, /, **more: Unpack[SessionConfig]) -> Session:
        """A session, which begins now, or is told of once more."""
        fields = merged(config, more)
        return self.session_by_id(identity(fields))._begin(fields, None)

    # What was made elsewhere: a handle, made without asking the server, on what may not be there yet.

    def session_by_id(self, id: str) -> Session:
        """Find a session."""
        return Session(self._client, Name("session", named(id)), None, self._client.settings.enabled)

    def trace_by_id(self, id: str) -> Trace:
        """Find a trace."""
        return found(self._client, named(id))

    def span_by_id(self, id: str, *, trace_id: str | None = None, type: SpanType = "span") -> Span:
        """Find a span, of the type that it was made with; a span of OpenTelemetry's by its trace's id, too."""
        return self._found(Span, kind_of(type), id, trace_id)

    def generation_by_id(self, id: str, *, trace_id: str | None = None) -> Generation:
        """Find a generation."""
        return self._found(Generation, "generation", id, trace_id)

    def tool_call_by_id(self, id: str, *, trace_id: str | None = None) -> ToolCall:
        """Find a call of a tool; its `trace_id` tells calls apart to which a model gave one id."""
        return self._found(ToolCall, "tool", id, trace_id)

    def retrieval_by_id(self, id: str, *, trace_id: str | None = None) -> Retrieval:
        """Find a retrieval."""
        return self._found(Retrieval, "retriever", id, trace_id)

    def _found(self, made: type[Found], kind: str, id: str, trace_id: str | None) -> Found:
        settings = self._client.settings
        whole = None if trace_id is None else named(trace_id)
        # Without the trace's id nobody knows whether it is sampled.
        recorded = settings.enabled and (whole is None or sampled(whole, settings))
        return made(self._client, Name(kind, named(id)), whole, recorded)

    def flush(self, timeout: float = 30.0) -> bool:
        """Wait until everything told so far is stored; False if that takes longer than `timeout` seconds."""
        return self._client.flush(timeout)
