"""Langfuse before OpenTelemetry: batches of events that create and update traces, observations and scores.

Source: Langfuse's SDKs Python 2.60 and JavaScript 3.39, and Python 3 and 4 and TypeScript 5, which send scores in the same way;
ingestion API of the Langfuse server 4.16. Events may come late, doubled and in any order: what is told later by the sender's own
clock counts, and an update counts more than a creation.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Final, NamedTuple, TypeAlias

from genscope.conventions.decode import iso_time, one_of
from genscope.model import SPAN_TYPES, TRACE, Attributes, Entity, Patch, Pieces, Scope, patch_order, piece
from genscope.receive import json_body
from genscope.receive.errors import BadRequest, TooLarge
from genscope.receive.langfuse import bodies
from genscope.receive.langfuse.bodies import NOTHING, Body, Object, rejected, with_tools
from genscope.receive.langfuse.scores import LONGEST_ID, decode_scores, identity, score
from genscope.receive.otlp_span import MalformedError, bound_values

__all__ = ["Batch", "Refused", "decode", "decode_scores"]

OBSERVATION: Final = "observation"
_OBSERVATION: Final = Body(bodies.OBSERVATION)
_TRACE: Final = Body(bodies.TRACE)
_TYPE: Final = one_of({type_: type_ for type_ in SPAN_TYPES})
#: Ranks of what is told: an update counts more, whenever it was.
CREATED, UPDATED = 0, 1
#: The order of what counts only if nothing else is told.
LAST_RESORT: Final = patch_order(CREATED, 0)
#: Events of one moment count in the order in which they stand in the batch; clocks of SDKs tick in microseconds or slower.
_TICK: Final = 1000


class Refused(NamedTuple):
    """An event that could not be taken."""

    id: str
    reason: str


@dataclass(slots=True)
class Batch(Pieces):
    """What the events of a request told, and what becomes of each of them."""

    #: Ids of the events that were taken.
    taken: list[str] = field(default_factory=list)
    refused: list[Refused] = field(default_factory=list)


@dataclass(slots=True, frozen=True)
class Event:
    """What stands around the body of an event."""

    id: str
    type: str
    #: Nanoseconds since the epoch.
    time: int
    #: Breaks the tie between events of one time.
    index: int
    #: The SDK.
    scope: Scope

    def order(self, rank: int) -> int:
        """The order of what it tells."""
        return patch_order(rank, self.time + self.index)


def decode(body: bytes, now: int, *, max_events: int, max_value_bytes: int) -> Batch:
    """Decode the body of `POST /api/public/ingestion`. An event that is not valid is refused alone.

    `now` is the time of events that tell none. A text over `max_value_bytes` (UTF-8) is cut and says so. Raises BadRequest if the
    body is no batch of events, and TooLarge for more than `max_events`.
    """
    envelope: Any = json_body.load(body)
    events = envelope.get("batch") if isinstance(envelope, dict) else None
    if not isinstance(events, list):
        raise BadRequest('The body is no batch of events; send {"batch": [{"id", "type", "timestamp", "body"}, ...]}.')
    if len(events) > max_events:
        raise TooLarge(f"The batch has {len(events)} events, {max_events} are the limit; send fewer at a time.")
    scope = _scope(envelope.get("metadata"))
    batch = Batch()
    for index, event in enumerate(events):
        try:
            _take(event, now, min(index, _TICK - 1), scope, max_value_bytes, batch)
        except MalformedError as error:
            batch.refused.append(Refused(_shown(event), str(error)))
            batch.rejected.append(rejected(str(error), event.get("body", event) if isinstance(event, dict) else event))
    return batch


def _shown(event: Any) -> str:
    """The id of an event that may be none."""
    told = event.get("id") if isinstance(event, dict) else None
    return told[:LONGEST_ID] if isinstance(told, str) else ""


def _scope(metadata: Any) -> Scope:
    """The SDK as the envelope names it."""
    if not isinstance(metadata, dict):
        return Scope()
    named: Attributes = {
        key: value for key in ("sdk_name", "sdk_integration") if isinstance(value := metadata.get(key), str)
    }
    version = metadata.get("sdk_version")
    return Scope("langfuse-sdk", version[:64] if isinstance(version, str) else "", named) if named else Scope()


def _take(sent: Any, now: int, index: int, scope: Scope, max_value_bytes: int, batch: Batch) -> None:
    if not isinstance(sent, dict):
        raise MalformedError("an event must be an object")
    event_id, type_, body = identity(sent, "id"), sent.get("type"), sent.get("body")
    if event_id is None:
        raise MalformedError("the event has no id")
    take = EVENTS.get(type_) if isinstance(type_, str) else None
    if take is None:
        raise MalformedError(f"there is no event of the type {str(type_)[:40]!r}; known are {', '.join(EVENTS)}")
    if not isinstance(body, dict):
        raise MalformedError("the body of an event must be an object")
    body = json_body.flattened(body)
    bound_values(body, max_value_bytes)
    time = iso_time(sent.get("timestamp"), NOTHING) or now
    take(Event(event_id, str(type_), time, index, scope), body, batch)
    batch.taken.append(event_id)


def _trace(event: Event, body: Object, batch: Batch) -> None:
    trace_id = identity(body, "id") or event.id
    span = _TRACE.read(body, event.scope)
    span.type, span.type_rule = "span", f"langfuse {event.type}"
    span.level = "DEFAULT"
    span.is_root = True
    span.start_time = span.start_time or event.time
    batch.patches.append(Patch(Entity(TRACE, trace_id), span, event.order(CREATED), dated=True))


def _observation(type_: str | None, rank: int, event: Event, body: Object, batch: Batch) -> None:
    """Take an observation of a type; of the one that the body tells if it is None."""
    id_, trace_id, parent = identity(body, "id"), identity(body, "traceId"), identity(body, "parentObservationId")
    if id_ is None and rank == UPDATED:
        raise MalformedError("an update needs the id of what it updates")
    span = _OBSERVATION.read(body, event.scope)
    span.type = type_ or _TYPE(body.get("type"), NOTHING)
    span.type_rule = f"langfuse {event.type}" if span.type else None
    span.level = span.level or "DEFAULT"
    if rank == CREATED and span.start_time is None:
        span.start_time = event.time
    if span.type == "event":
        span.end_time = span.start_time
    above = Entity(OBSERVATION, parent) if parent else None
    if above is None and rank == CREATED and trace_id is not None:
        above = Entity(TRACE, trace_id)  # An update that tells no parent leaves it as it is.
    entity = Entity(OBSERVATION, id_ or event.id)
    if type_ == "span" and rank == UPDATED:
        # This is the update of agents, tools and all others that have none of their own: any other word on the type beats it.
        batch.patches.append(
            Patch(entity, replace(piece(), type=span.type, type_rule=span.type_rule), LAST_RESORT, trace_id)
        )
        span.type = span.type_rule = None
    batch.patches.append(Patch(entity, with_tools(span), event.order(rank), trace_id, above, dated=True))


def _score(event: Event, body: Object, batch: Batch) -> None:
    batch.scores.append(score(body, event.id, event.time, event.order(UPDATED)))


def _nothing(event: Event, body: Object, batch: Batch) -> None:
    """Take what says nothing of traces: logs of the SDK, and the runs of datasets, which other routes know."""


Take: TypeAlias = Callable[[Event, Object, Batch], None]
#: Every type of event.
EVENTS: Final[Mapping[str, Take]] = {
    "trace-create": _trace,
    **{f"{type_}-create": partial(_observation, type_, CREATED) for type_ in SPAN_TYPES},
    **{f"{type_}-update": partial(_observation, type_, UPDATED) for type_ in SPAN_TYPES},
    "observation-create": partial(_observation, None, CREATED),
    "observation-update": partial(_observation, None, UPDATED),
    "score-create": _score,
    "sdk-log": _nothing,
    "dataset-run-item-create": _nothing,
}
