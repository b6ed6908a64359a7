"""The vocabulary of Genscope as types.

Receivers turn bytes into `RawSpan`s, conventions and pricing turn a `RawSpan` into a `Span`, and the store, the API and the
web know nothing but `Span`. Names follow OpenTelemetry and its GenAI semantic conventions where these have one.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final, NamedTuple, TypeAlias

#: A JSON value. Bytes of an OTLP `bytesValue` are base64 text by the time they are here, NaN and infinities are the
#: strings "NaN", "Infinity" and "-Infinity", as OTLP/JSON writes them.
Json: TypeAlias = "None | bool | int | float | str | list[Json] | dict[str, Json]"
Attributes: TypeAlias = dict[str, Json]

#: Token counts by kind. `input` and `output` are totals; every other kind is a part of the one it is named after.
Usage: TypeAlias = dict[str, int]
#: US dollars by the kinds of `Usage`, plus `total`.
Cost: TypeAlias = dict[str, Decimal]

SPAN_TYPES: Final = (
    "span",
    "generation",
    "embedding",
    "tool",
    "retriever",
    "reranker",
    "agent",
    "chain",
    "evaluator",
    "guardrail",
    "event",
)
#: Types that are calls to a model, billed by usage, so that a missing cost is a gap to be shown. Not rerankers: many run
#: locally or are billed by the search. One that tells its tokens is priced all the same.
PAID_TYPES: Final = frozenset({"generation", "embedding"})
#: Why a call has no cost: what its sender did not tell, or what of its price is not known.
COST_MISSING: Final = ("no_usage", "no_model", "unknown_model", "unknown_price")
LEVELS: Final = ("DEBUG", "DEFAULT", "WARNING", "ERROR")


@dataclass(slots=True, frozen=True)
class Resource:
    """What produced the spans of one OTLP `ResourceSpans`: its attributes, shared by all of them."""

    attributes: Attributes = field(default_factory=dict)


@dataclass(slots=True, frozen=True)
class Scope:
    """The instrumentation scope (library) that made a span."""

    name: str = ""
    version: str = ""
    attributes: Attributes = field(default_factory=dict)


@dataclass(slots=True)
class Event:
    """A span event: something that happened at `time` (nanoseconds since the epoch, None if not told)."""

    name: str
    time: int | None
    attributes: Attributes


@dataclass(slots=True)
class Link:
    """A span link: a reference to a span of this or another trace."""

    trace_id: str
    span_id: str
    attributes: Attributes


@dataclass(slots=True)
class RawSpan:
    """A span as its sender described it, decoded but not yet understood. Times are nanoseconds since the epoch."""

    trace_id: str
    span_id: str
    parent_span_id: str | None
    name: str
    start_time: int | None
    end_time: int | None
    attributes: Attributes
    resource: Resource
    scope: Scope
    events: list[Event] = field(default_factory=list)
    links: list[Link] = field(default_factory=list)
    #: OTLP `Status.code`: 0 unset, 1 ok, 2 error.
    status_code: int = 0
    status_message: str = ""
    #: OTLP `SpanKind` in lower case (`internal`, `client`, ...), None if unspecified.
    kind: str | None = None
    trace_state: str = ""


@dataclass(slots=True)
class Span:
    """One span in Genscope's own vocabulary: a row of the store, except for its project.

    None means "not known". Rows of one `(time, trace_id, span_id)` merge in the store field by field, so a `Span` may be
    a piece of a span. Times are nanoseconds since the epoch.
    """

    trace_id: str
    span_id: str
    #: Where the span is placed in the order of the store; the start for a span whose start is known. Never changes.
    time: int
    parent_span_id: str | None = None
    type: str | None = None
    name: str | None = None
    start_time: int | None = None
    end_time: int | None = None
    completion_start_time: int | None = None
    level: str | None = None
    status_message: str | None = None
    model: str | None = None
    provider: str | None = None
    model_parameters: Attributes | None = None
    #: Text exactly as sent; the JSON text where the sender gave a structure.
    input: str | None = None
    output: str | None = None
    usage: Usage | None = None
    cost: Cost | None = None
    #: `reported` by the sender or `computed` from usage and price; None without a cost.
    cost_source: str | None = None
    #: Why a generation has no cost, one of `COST_MISSING`.
    cost_missing: str | None = None
    #: The tier of service that the provider says it gave (`batch`, `flex`, `priority`, ...), which decides the price.
    service_tier: str | None = None
    #: The host that was asked (`server.address`), which tells the seller where the provider is no more than the protocol.
    server_address: str | None = None
    #: Which rule gave the value: `dialect source`, as the tables of `genscope.conventions` have it; for the cost the price
    #: that was applied. None where no rule did.
    type_rule: str | None = None
    model_rule: str | None = None
    usage_rule: str | None = None
    cost_rule: str | None = None
    #: Names of the tools that the model was offered, and of those that it called.
    tools: list[str] = field(default_factory=list)
    tool_calls: list[str] = field(default_factory=list)
    session_id: str | None = None
    user_id: str | None = None
    tags: list[str] = field(default_factory=list)
    environment: str | None = None
    release: str | None = None
    version: str | None = None
    metadata: Attributes = field(default_factory=dict)
    #: Values that a sender gave for the whole trace, kept on the span that carried them.
    trace_name: str | None = None
    trace_input: str | None = None
    trace_output: str | None = None
    trace_public: bool | None = None
    trace_metadata: Attributes = field(default_factory=dict)
    #: True on a span that is the root of what its sender sent, even when it names a parent.
    is_root: bool | None = None
    prompt_name: str | None = None
    prompt_version: str | None = None
    #: Every attribute as sent, but for those that became `input`, `output` or a metadata entry unchanged.
    attributes: Attributes = field(default_factory=dict)
    events: list[Event] = field(default_factory=list)
    links: list[Link] = field(default_factory=list)
    resource: Resource = field(default_factory=Resource)
    scope: Scope = field(default_factory=Scope)
    kind: str | None = None
    trace_state: str | None = None
    protocol: str | None = "otlp"
    #: The log repository that the sender named, one of several in a project (Maxim).
    repository: str | None = None
    #: Messages that were appended to `input` one after another, in their order: JSON texts of lists of messages by the hash of
    #: each, with the order in which they were told. `input` has them already in a span that was read.
    input_parts: dict[str, tuple[int, str]] = field(default_factory=dict)
    #: Only in a piece: the orders of the entries of its maps, as `metadata.plan`, see `Patch`.
    orders: dict[str, int] = field(default_factory=dict)


class Entity(NamedTuple):
    """A thing as its sender names it: unique by kind and id within a repository of a project.

    The kind `trace` stands for a whole execution: its row is the root span of the trace of that id.
    """

    kind: str
    id: str
    repository: str | None = None

    @property
    def span_id(self) -> str:
        """The id of the entity's span; a trace and a span in it may well have the same id."""
        return f"{self.id}:root" if self.kind == TRACE else self.id


#: The kind of entity that is a whole trace.
TRACE: Final = "trace"


@dataclass(slots=True)
class Score:
    """A number, a category or a text that was said about a trace, a span or a session.

    Of `value` and `string_value` at least one is there. Times are nanoseconds since the epoch.
    """

    id: str
    name: str
    time: int
    #: `NUMERIC`, `BOOLEAN` (value 0 or 1), `CATEGORICAL`, `TEXT` or `CORRECTION` (string_value; what should have been said).
    data_type: str = "NUMERIC"
    value: float | None = None
    string_value: str | None = None
    comment: str | None = None
    trace_id: str | None = None
    span_id: str | None = None
    session_id: str | None = None
    #: Who says so: `API`, `EVAL` or `ANNOTATION`, as Langfuse has them; `FEEDBACK` of a user, `METRIC` of the application.
    source: str = "API"
    environment: str | None = None
    config_id: str | None = None
    metadata: Attributes = field(default_factory=dict)
    protocol: str = "langfuse"
    repository: str | None = None
    #: Of two scores with one id the one of the higher revision holds.
    revision: int = 0
    removed: bool = False


@dataclass(slots=True)
class Session:
    """A piece of what a sender told of a session itself, beside the traces in it; pieces unite as those of spans do."""

    id: str
    name: str | None = None
    start_time: int | None = None
    end_time: int | None = None
    tags: list[str] = field(default_factory=list)
    metadata: Attributes = field(default_factory=dict)
    repository: str | None = None


@dataclass(slots=True)
class Attachment:
    """A file or a link that belongs to a span or a trace. The bytes of a file lie in the object store under `key`."""

    id: str
    entity: Entity
    time: int
    name: str | None = None
    key: str | None = None
    url: str | None = None
    mime_type: str | None = None
    size: int | None = None
    #: Where in the span it belongs: `input`, `output` or `metadata`; None if that was not told.
    place: str | None = None
    #: The trace, where the sender told it.
    trace_id: str | None = None
    metadata: Attributes = field(default_factory=dict)


@dataclass(slots=True)
class Patch:
    """A piece of a span, for senders that tell of one in several messages: late, doubled, in any order.

    `span` holds what the piece knows, None or empty elsewhere; its ids, `time`, parent and `repository` are filled in when its
    place is found (`genscope.places`). Its `start_time` is where the span is placed if it is met here first.

    Merging: maps and lists unite, the earliest start and the latest end win, and of two values of another field or of one entry
    of a map the one of the higher `order` (`patch_order`) wins, however they arrive; any level wins over `DEFAULT`. A value that
    is told again in the same rank keeps its first order, unless the piece is `dated`. Counts of tokens only grow.
    """

    entity: Entity
    span: Span
    order: int
    #: The id of the trace, if the message tells it; a piece of an entity of the kind `trace` need not.
    trace_id: str | None = None
    #: What the entity is a part of, if the message tells it; a parent that never comes is no harm.
    parent: Entity | None = None
    #: Messages that follow those of `span.input`.
    messages: list[Json] = field(default_factory=list)
    #: Said about this entity: trace and span ids are filled in when its place is found.
    scores: list[Score] = field(default_factory=list)
    #: Whether `order` is of the sender's own clock: then a value that is told again later is news, but for the same message.
    dated: bool = False


@dataclass(slots=True)
class Pieces:
    """What one request told, in a protocol that sends pieces."""

    patches: list[Patch] = field(default_factory=list)
    scores: list[Score] = field(default_factory=list)
    sessions: list[Session] = field(default_factory=list)
    attachments: list[Attachment] = field(default_factory=list)
    rejected: list[Rejected] = field(default_factory=list)


def piece() -> Span:
    """Return a span that knows nothing yet, for a `Patch`."""
    return Span("", "", 0, protocol=None)


def patch_order(rank: int, moment: int) -> int:
    """Return the order of a piece: `rank` (0 to 3) first, so that a result beats a creation; then `moment`.

    That is nanoseconds since the epoch. A sender's own clock is the best moment; without one it is when the piece arrived.
    """
    return (rank << 62) | max(0, min(moment, (1 << 62) - 1))


@dataclass(slots=True, frozen=True)
class Rejected:
    """A span that could not be taken, and the reason its sender is told."""

    trace_id: str
    span_id: str
    name: str
    reason: str
    #: What was received, as JSON text, cut to a few kilobytes.
    payload: str = ""
