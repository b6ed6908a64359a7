"""What can be told of each thing, as the keys of a mapping or as keyword arguments. None says nothing.

Keys are those of Maxim's SDK for Python where it has them. Any other key becomes metadata.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Literal, TypeAlias, TypedDict

from genscope.sdk.attributes import Level

#: Texts, or names with a value each, which become `name:value`.
Tags: TypeAlias = Mapping[str, str] | Sequence[str]
#: A moment, or nanoseconds since the epoch. One without a zone is local time.
Moment: TypeAlias = datetime | int
#: What a span may be; a generation, a tool call, a retrieval and an event have methods of their own.
SpanType: TypeAlias = Literal[
    "span",
    "agent",
    "chain",
    "evaluator",
    "guardrail",
    "reranker",
    "embedding",
    "generation",
    "tool",
    "retriever",
    "event",
]


class LoggerConfig(TypedDict, total=False):
    """What a logger may be given; nothing is needed."""

    #: The name of a log repository, which a program for Maxim has. The project is that of the key.
    id: str


class Config(TypedDict, total=False):
    """What can be told of everything."""

    #: Any text, kept as it is; one is made up if none is given.
    id: str
    name: str | None
    tags: Tags | None
    metadata: Mapping[str, Any] | None
    #: When it began; by default when it is told of first.
    start_timestamp: Moment | None
    end_timestamp: Moment | None


class SessionConfig(Config, total=False):
    """What can be told of a session."""


class SpanFields(Config, total=False):
    """What can be told of all but sessions."""

    input: Any
    output: Any
    level: Level | None
    status_message: str | None
    user_id: str | None
    session_id: str | None
    environment: str | None
    release: str | None
    version: str | None


class TraceConfig(SpanFields, total=False):
    """What can be told of a trace."""


class SpanConfig(SpanFields, total=False):
    """What can be told of a span."""

    #: What kind of work it is, `span` by default. Told when it is made.
    type: SpanType


class GenerationConfig(SpanFields, total=False):
    """What can be told of a generation, one call to a model."""

    #: Whose the model is, such as `openai`, and which, such as `gpt-4o`.
    provider: str | None
    model: str | None
    #: What the model is asked: messages in the format of its provider.
    messages: Any
    #: Such as `{"temperature": 0.7}`.
    model_parameters: Mapping[str, Any] | None
    #: Tokens by kind, `input` and `output` with all their parts, and parts of these; for answers that do not tell them.
    usage: Mapping[str, int] | None
    #: Dollars by the same kinds, for what costs something else than the price list says.
    cost: Mapping[str, float] | None
    #: When the first token came.
    completion_start_time: Moment | None
    service_tier: str | None
    prompt_name: str | None
    prompt_version: str | None
    #: Maxim's words for these two.
    maxim_prompt_id: str | None
    maxim_prompt_version_id: str | None
    #: Not needed: a generation is a part of what made it.
    span_id: str | None


class ToolCallConfig(SpanFields, total=False):
    """What can be told of a call of a tool."""

    description: str | None
    #: What it was called with: JSON text, or any object.
    args: Any


class RetrievalConfig(SpanFields, total=False):
    """What can be told of a retrieval."""

    #: What was found.
    docs: Any


class EventConfig(SpanFields, total=False):
    """What can be told of an event, which takes no time."""


class ErrorConfig(TypedDict, total=False):
    """What can be told of an error."""

    message: str
    code: str | None
    type: str | None


class FeedbackConfig(TypedDict, total=False):
    """What a user thinks: a score, a comment or both. Anything else becomes metadata of the score."""

    score: float
    comment: str
