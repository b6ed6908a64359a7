"""A session: traces that belong together, such as those of one conversation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Unpack

from genscope.sdk.logger.configs import TraceConfig
from genscope.sdk.logger.containers import Trace
from genscope.sdk.logger.thing import Thing, identity, merged
from genscope.sdk.pieces import Name, sampled


class Session(Thing):
    """A session. It is known by its id alone, so that its traces may name it without it ever being made."""

    __slots__ = ()

    def trace(self, config: TraceConfig | None = None, /, **more: Unpack[TraceConfig]) -> Trace:
        """An execution of the application in this session."""
        return begun(self._client, {**merged(config, more), "session_id": self.id})


def begun(client: Any, fields: Mapping[str, Any]) -> Trace:
    """Return a trace that is told of for the first time."""
    return found(client, identity(fields))._begin(fields, None)


def found(client: Any, trace_id: str) -> Trace:
    """Return a handle on a trace."""
    settings = client.settings
    return Trace(client, Name("trace", trace_id), trace_id, settings.enabled and sampled(trace_id, settings))
