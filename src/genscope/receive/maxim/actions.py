"""What a line does, by its entity and its action."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, TypeAlias

from genscope.model import TRACE, Attachment, Entity, Patch, Pieces, Rejected, Session, patch_order, piece
from genscope.receive.maxim import scores, values
from genscope.receive.maxim.fields import tell
from genscope.receive.maxim.line import Line, checked_id
from genscope.receive.maxim.result import tell_error
from genscope.receive.otlp_span import MAX_PAYLOAD, MAX_TIME, MalformedError

#: The types of spans that Maxim's things become.
TYPES: Final = {
    TRACE: "span",
    "span": "span",
    "generation": "generation",
    "retrieval": "retriever",
    "tool_call": "tool",
    "event": "event",
}
#: The ranks of pieces: what is told later beats the creation, the end beats that, and a cost that is told by itself the result's.
CREATION, UPDATE, RESULT, LAST_WORD = range(4)
#: Where lines that were too long for the log are uploaded to, behind the name of the repository.
LARGE_LINES: Final = "large-logs/"
#: Tags of an attachment that tell what of the span it belongs to.
_PLACES: Final = ("attach-to", "attachedTo")


class Batch:
    """The lines of one request on their way to pieces. All times are nanoseconds since the epoch."""

    def __init__(self, repository: str, now: int) -> None:
        self.repository = repository
        self.pieces = Pieces()
        #: The latest time that a line told, by the sender's clock.
        self.clock = now
        self._now = now
        self._number = 0
        self._roots: dict[str, Patch] = {}

    def turn_to(self, number: int, moment: int | None = None) -> None:
        """Go on to the line of a number, and to when it happened, if it says so."""
        self._number = number
        self.clock = self.clock if moment is None else moment

    def reject(self, text: bytes, reason: str, line: Line | None = None) -> None:
        """Keep a line that cannot be taken, and why."""
        ids = ("", "") if line is None else (line.id, "") if line.entity == TRACE else ("", line.id)
        name = "" if line is None else f"{line.entity} {line.action}"
        payload = text[:MAX_PAYLOAD].decode(errors="replace")
        self.pieces.rejected.append(Rejected(*ids, name, f"Maxim log, line {self._number}: {reason}", payload))

    def entity(self, kind: str, identity: str) -> Entity:
        """Return a thing of this repository."""
        return Entity(kind, identity, self.repository)

    def patch(self, about: Entity, rank: int, parent: Entity | None = None) -> Patch:
        """Return a piece that says nothing but what the thing is."""
        span = piece()
        span.type, span.protocol = TYPES[about.kind], "maxim"
        # A trace is there as soon as anything is told of it or in it.
        if rank == CREATION or about.kind == TRACE:
            span.type_rule, span.level = f"maxim {about.kind}", "DEFAULT"
        if about.kind == TRACE:
            span.is_root = True
        return Patch(about, span, patch_order(rank, self._now + self._number), parent=parent)

    def add(self, patch: Patch) -> None:
        """Take a piece, and the trace that it is told of as a part of."""
        self.pieces.patches.append(patch)
        if patch.entity.kind == TRACE:
            self._roots.setdefault(patch.entity.id, patch)
        if patch.parent is not None:
            self.mention(patch.parent, patch.span.start_time)

    def mention(self, entity: Entity, start: int | None = None) -> None:
        """Make a trace be there that began at `start` or before."""
        if entity.kind != TRACE:
            return
        root = self._roots.get(entity.id)
        if root is None:
            root = self.patch(entity, CREATION)
            self.add(root)
        if start is not None and (root.span.start_time is None or start < root.span.start_time):
            root.span.start_time = start


#: Takes a line. Raises MalformedError, and then has taken nothing of it.
Action: TypeAlias = Callable[[Batch, Line], None]


def unknown(_batch: Batch, line: Line) -> None:
    """Refuse what no entity does."""
    raise MalformedError(f"{line.entity[:80]!r} and {line.action[:80]!r} are no entity and action of Maxim's log")


def _tells(rank: int) -> Action:
    """Something about the line's own entity."""

    def take(batch: Batch, line: Line) -> None:
        patch = batch.patch(batch.entity(line.entity, line.id), rank)
        tell(patch, line.object, batch.clock)
        batch.add(patch)

    return take


def _tells_one(key: str) -> Action:
    """One value at the end, under `key`; Java's static methods send it bare."""

    def take(batch: Batch, line: Line) -> None:
        patch = batch.patch(batch.entity(line.entity, line.id), RESULT)
        wrapped = isinstance(line.data, dict) and key in line.data
        tell(patch, line.object if wrapped else {key: line.data}, batch.clock)
        batch.add(patch)

    return take


def _makes(kind: str) -> Action:
    """A new thing within the line's entity."""

    def take(batch: Batch, line: Line) -> None:
        data = line.object
        parent = batch.entity(line.entity, line.id)
        patch = batch.patch(batch.entity(kind, checked_id(data.get("id"))), CREATION, parent)
        tell(patch, data, batch.clock)
        batch.add(patch)

    return take


_makes_tool_call: Final = _makes("tool_call")


def _tool_call(batch: Batch, line: Line) -> None:
    """A tool call; or an error, which the static method of Java's SDK 1.1.0 calls one."""
    action = _error if "message" in line.object and "args" not in line.object else _makes_tool_call
    action(batch, line)


def _update_generation(batch: Batch, line: Line) -> None:
    """As any update, but that messages follow those that are there."""
    patch = batch.patch(batch.entity(line.entity, line.id), UPDATE)
    told = dict(line.object)
    messages = told.pop("messages", None)
    tell(patch, told, batch.clock)
    patch.messages = [] if messages is None else values.messages(messages)
    batch.add(patch)


def _event(batch: Batch, line: Line) -> None:
    """Something that happened at a moment, which Go does not tell, as Java does not tell an id."""
    data = line.object
    entity = batch.entity("event", checked_id(data.get("id") or line.digest))
    patch = batch.patch(entity, CREATION, batch.entity(line.entity, line.id))
    patch.span.start_time = patch.span.end_time = batch.clock
    tell(patch, data, batch.clock)
    batch.add(patch)


def _error(batch: Batch, line: Line) -> None:
    """An error of the line's entity, which may have several; Go tells no more of one than its name."""
    data = values.mapping(line.object)
    patch = batch.patch(batch.entity(line.entity, line.id), RESULT)
    tell_error(patch.span, {"message": data.get("message") or data.get("name")})
    patch.span.attributes[f"errors.{checked_id(data.get('id') or line.digest)}"] = data
    batch.add(patch)


def _feedback(batch: Batch, line: Line) -> None:
    patch = batch.patch(batch.entity(line.entity, line.id), UPDATE)
    patch.scores.append(scores.feedback(patch.entity, line.object, batch.clock))
    batch.add(patch)


def _evaluate(batch: Batch, line: Line) -> None:
    """A wish of evaluators or values of their variables: several unite."""
    patch = batch.patch(batch.entity(line.entity, line.id), UPDATE)
    patch.span.attributes[f"evaluate.{line.digest}"] = values.mapping(line.object)
    batch.add(patch)


def _attachment(batch: Batch, line: Line) -> None:
    data: dict[str, Any] = values.mapping(line.object)
    entity = batch.entity(line.entity, line.id)
    tags = values.mapping(data.get("tags") or {})
    attached = {str(tags.pop(name)) for name in _PLACES if name in tags}
    place = next((place for place in ("input", "output", "metadata") if place in attached), None)
    linked = data.get("type") == "url"
    size = data.get("size")
    told = values.metadata(data.get("metadata") or {})
    batch.pieces.attachments.append(
        Attachment(
            id=checked_id(data.get("id") or line.digest),
            entity=entity,
            time=batch.clock,
            name=values.text(data.get("name") or ""),
            key=None if linked else _key(batch, data.get("key"), ""),
            url=values.text(data.get("url") or "") if linked else None,
            mime_type=values.text(data.get("mimeType") or data.get("mime_type") or ""),
            size=size if type(size) is int and 0 <= size <= MAX_TIME else None,
            place=place,
            trace_id=line.id if line.entity == TRACE else None,
            metadata={**told, "tags": tags} if tags else told,
        )
    )
    batch.mention(entity)


def _large_line(batch: Batch, line: Line) -> None:
    """A line that was uploaded: it was taken when it came, so that only its name is looked at."""
    _key(batch, line.object.get("key"), LARGE_LINES)


def _key(batch: Batch, key: Any, folder: str) -> str:
    """Return the key of an upload. Raises MalformedError for one that is not of this repository."""
    if isinstance(key, str) and key.startswith(f"{batch.repository}/{folder}") and ".." not in key.split("/"):
        return key
    raise MalformedError(f"the key of an upload does not begin with {batch.repository}/{folder}")


def _nothing(_batch: Batch, line: Line) -> None:
    """Tags of an error, which Go tells a second time: they stand in the line that tells the error."""
    values.mapping(line.object)


def _session(batch: Batch, line: Line) -> None:
    """What is told of a session itself; what has no field is metadata."""
    data = values.mapping(line.object)
    session = Session(line.id, repository=batch.repository)
    session.name = values.text(data.pop("name", ""))
    session.tags = values.tags(data.pop("tags", {}))
    told = values.metadata(data.pop("metadata", {}))
    metrics = scores.metrics(batch.entity(scores.SESSION, line.id), data.pop("metrics", {}), batch.clock)
    for field, key in (("start_time", "startTimestamp"), ("end_time", "endTimestamp")):
        if key in data:
            setattr(session, field, values.time(data.pop(key)))
    data.pop("id", None)
    session.metadata = data | told
    batch.pieces.sessions.append(session)
    batch.pieces.scores += metrics


def _session_feedback(batch: Batch, line: Line) -> None:
    batch.pieces.scores.append(scores.feedback(batch.entity(scores.SESSION, line.id), line.object, batch.clock))
    batch.pieces.sessions.append(Session(line.id, repository=batch.repository))


def _of_session(name: str) -> Action:
    """Something that happened to a session: an entry of its metadata, of which several unite."""

    def take(batch: Batch, line: Line) -> None:
        data = values.mapping(line.object)
        told: dict[str, Any] = {f"{name}.{checked_id(data.get('id') or line.digest)}": data}
        batch.pieces.sessions.append(Session(line.id, metadata=told, repository=batch.repository))

    return take


_OF_ALL: Final[Mapping[str, Action]] = {
    "create": _tells(CREATION),
    "update": _tells(UPDATE),
    "end": _tells(RESULT),
    "add-event": _event,
    "add-error": _error,
    "add-feedback": _feedback,
    "add-attachment": _attachment,
    "evaluate": _evaluate,
}
_OF_CONTAINERS: Final[Mapping[str, Action]] = {
    "add-span": _makes("span"),
    "add-generation": _makes("generation"),
    "add-retrieval": _makes("retrieval"),
    "add-tool-call": _tool_call,
}
_RESULT_AND_ERROR: Final[Mapping[str, Action]] = {"result": _tells_one("result"), "error": _tells_one("error")}

#: What each entity of the log can do.
_BY_ENTITY: Final[Mapping[str, Mapping[str, Action]]] = {
    TRACE: {**_OF_ALL, **_OF_CONTAINERS},
    "span": {**_OF_ALL, **_OF_CONTAINERS},
    "generation": {
        **_OF_ALL,
        **_RESULT_AND_ERROR,
        "update": _update_generation,
        "add-cost": _tells(LAST_WORD),
    },
    "retrieval": _OF_ALL,
    "tool_call": {**_OF_ALL, **_RESULT_AND_ERROR},
    scores.SESSION: {
        **dict.fromkeys(("create", "update", "end"), _session),
        **{f"add-{name}": _of_session(name) for name in ("event", "error", "attachment")},
        "add-feedback": _session_feedback,
        "evaluate": _of_session("evaluate"),
    },
    "error": {"update": _nothing},
    "storage": {"process-large-log": _large_line},
}
ACTIONS: Final[Mapping[tuple[str, str], Action]] = {
    (entity, action): take for entity, actions in _BY_ENTITY.items() for action, take in actions.items()
}
