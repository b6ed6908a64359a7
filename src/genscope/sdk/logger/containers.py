"""Traces and spans: what other things are parts of."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self, TypeVar, Unpack

from genscope.sdk import attributes, notices
from genscope.sdk.logger.calls import Generation, Retrieval, ToolCall
from genscope.sdk.logger.configs import EventConfig, GenerationConfig, RetrievalConfig, SpanConfig, Tags, ToolCallConfig
from genscope.sdk.logger.thing import Part, identity, merged, named
from genscope.sdk.pieces import Name

Made = TypeVar("Made", bound=Part)


class Container(Part):
    """What other things are parts of. What is made here begins at once, and is known by the `id` of its config."""

    __slots__ = ()

    def span(self, config: SpanConfig | None = None, /, **more: Unpack[SpanConfig]) -> Span:
        """A part of the work, with parts of its own; `type` tells what kind of work, such as `agent`."""
        fields = merged(config, more)
        return self._made(Span, kind_of(fields.get("type")), fields)

    def generation(self, config: GenerationConfig | None = None, /, **more: Unpack[GenerationConfig]) -> Generation:
        """A call to a model."""
        return self._made(Generation, "generation", merged(config, more))

    def tool_call(self, config: ToolCallConfig | None = None, /, **more: Unpack[ToolCallConfig]) -> ToolCall:
        """A call of a tool."""
        return self._made(ToolCall, "tool", merged(config, more))

    def retrieval(self, config: RetrievalConfig | None = None, /, **more: Unpack[RetrievalConfig]) -> Retrieval:
        """A look-up of documents."""
        return self._made(Retrieval, "retriever", merged(config, more))

    def event(
        self,
        id: str | EventConfig | None = None,
        name: str | None = None,
        tags: Tags | None = None,
        metadata: Mapping[str, Any] | None = None,
        **more: Any,
    ) -> Self:
        """Something happened, at this moment: `event("refund-1", "refunded")`, or with a config as everything else has."""
        told = {"name": name, "tags": tags, "metadata": metadata, **more}
        given = {key: value for key, value in told.items() if value is not None}
        fields = merged({"id": id} if id is None or issubclass(type(id), str) else id, given)
        self._made(Part, "event", fields)
        return self

    def _made(self, made: type[Made], kind: str, fields: Mapping[str, Any]) -> Made:
        thing = made(self._client, Name(kind, identity(fields)), self._trace_id, self._recorded)
        return thing._begin(fields, self._name)


class Trace(Container):
    """One execution of the application."""

    __slots__ = ()


class Span(Container):
    """A part of the work of a trace."""

    __slots__ = ()

    def input(self, input: Any) -> Self:
        """What went in, as `set_input`."""
        return self.set_input(input)


def kind_of(type_: Any) -> str:
    """Return a type of spans as it was told, `span` for what is none."""
    if type_ is None:
        return "span"
    told = named(type_)
    if told in attributes.TYPES:
        return told
    notices.once(("type", told), "there is no type %s; known are %s", told, ", ".join(sorted(attributes.TYPES)))
    return "span"
