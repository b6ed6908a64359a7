"""Spans that come in pieces: where each piece belongs.

A row of the store is found by project, time, trace and span id. A piece knows less: the name of a thing, perhaps what it is a
part of. So every thing gets a place when it is met first, remembered here and kept in the table `entities`, and each of its
pieces goes there as a partial row, which the engine merges with the others. No payload is read.

A thing whose trace is not known founds one of its own, visible as any other; once a message tells what it is a part of, that
trace is joined to the right one.
"""

from __future__ import annotations

import contextlib
import threading
from collections import OrderedDict, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, wait
from dataclasses import dataclass, field, replace
from typing import Final, TypeAlias
from weakref import WeakValueDictionary

from genscope.merge import History, Partial
from genscope.model import TRACE, Entity, Patch, Score, Span
from genscope.pricing.override import NONE, Overrides
from genscope.store.entities import Entities, Placement
from genscope.store.errors import StoreBusy

#: How much is remembered, in values of fields of which it is known when they were told, of about 200 bytes each: 15,000 calls of 25
#: fields. What does not fit is looked up again.
REMEMBERED: Final = 500_000
#: What remembering a thing takes beside its values.
THING: Final = 8
#: Seconds that a request waits at most while others move what it tells of.
PATIENCE: Final = 10.0
#: Begins the id of a trace that was founded for want of the right one.
ORPHAN: Final = "orphan:"


@dataclass(slots=True, eq=False, weakref_slot=True)
class _Trace:
    """A trace. Things whose trace is not known yet share one, which learns later what it is a part of."""

    id: str
    part_of: _Trace | None = None
    #: Whether earlier requests put rows into it.
    has_rows: bool = False

    @property
    def is_orphan(self) -> bool:
        return self.id.startswith(ORPHAN)

    def whole(self) -> _Trace:
        whole = self
        while whole.part_of is not None:
            whole = whole.part_of
        # The way is long where a chain joined link by link; nobody has to go it again.
        trace = self
        while trace.part_of is not None:
            trace.part_of, trace = whole, trace.part_of
        return whole


@dataclass(slots=True, eq=False, weakref_slot=True)
class _Cost:
    """What a span costs, without its keys, once a dearer cost was stored."""

    span: Span | None = None


@dataclass(slots=True, eq=False)
class _Place:
    """Where a thing is; `time` is None until the first request that tells of it has been read."""

    entity: Entity
    trace: _Trace
    time: int | None = None
    history: History = field(default_factory=History)
    lowered: _Cost = field(default_factory=_Cost)


@dataclass(slots=True, eq=False)
class _Thing:
    """The places of a thing, the one linked last at the end: one id may name things in several traces."""

    places: list[_Place] = field(default_factory=list)
    #: Requests that told of it and are not stored yet. Until then only this memory knows of them.
    pending: int = 0
    #: Whether what is remembered may not be what is stored.
    doubtful: bool = False
    #: What it takes of what is remembered in all.
    weight: int = 0

    def weigh(self) -> int:
        """Return by how much its weight has grown."""
        before, self.weight = self.weight, THING + sum(THING + len(place.history) for place in self.places)
        return self.weight - before


@dataclass(slots=True, eq=False)
class _Move:
    """Orphans of a project whose rows are to become rows of the traces that they were found to be a part of."""

    project_id: str
    #: By the ids of orphans, those of the traces.
    wholes: dict[str, str]
    #: Rows that are perhaps on their way to the orphans.
    before: list[Future[None]]
    error: BaseException | None = None


@dataclass(slots=True)
class Placed:
    """What a request comes to: partial rows of spans, where their things are, and scores that know what they are about."""

    spans: list[Span] = field(default_factory=list)
    placements: list[Placement] = field(default_factory=list)
    scores: list[Score] = field(default_factory=list)
    #: Where costs have to be written over dearer ones, which would win otherwise; see `Places.lowering`.
    cheaper: list[_Place] = field(default_factory=list)


#: Hands rows to the writer.
Submit: TypeAlias = "Callable[[Placed], Sequence[Future[None]]]"


class Places:
    """Finds the places of pieces. Safe to use from any thread; a call may block while something is looked up."""

    def __init__(self, entities: Entities, *, shared: bool = False, remembered: int = REMEMBERED) -> None:
        """Begin without a memory.

        Args:
            entities: knows the places that are not remembered, and joins traces.
            shared: whether other servers write to the same store.
            remembered: how much is held in memory, see `REMEMBERED`.
        """
        self._entities = entities
        self.shared = shared
        self._remembered = remembered
        #: Held for moments only, and so by none that waits for `_moving`.
        self._lock = threading.Lock()
        #: Held while stored rows are moved or changed.
        self._moving = threading.Lock()
        #: What is to be moved and what is being moved. Until that is done, no piece is stored of what is in these traces:
        #: one that came before those that are moved would be taken for the older one.
        self._moves: list[_Move] = []
        self._things: OrderedDict[tuple[str, Entity], _Thing] = OrderedDict()
        self._weight = 0
        self._orphans: WeakValueDictionary[tuple[str, str], _Trace] = WeakValueDictionary()
        #: Costs by project, thing and trace as long as any request is to write them: whoever writes last writes what holds, also
        #: where the thing was forgotten meanwhile and looked up again.
        self._costs: WeakValueDictionary[tuple[str, Entity, str], _Cost] = WeakValueDictionary()
        #: Requests that are perhaps not stored yet, the oldest first.
        self._pending: deque[tuple[list[_Thing], Sequence[Future[None]]]] = deque()

    def take(
        self, project_id: str, patches: Sequence[Patch], now: int, submit: Submit, overrides: Overrides = NONE
    ) -> Placed:
        """Give each piece its place and hand over the rows, in one step: rows are stored in the order in which they were made.

        Args:
            project_id: whose pieces these are.
            patches: the pieces of a request, as they stood in it.
            now: nanoseconds since the epoch; where a thing is placed whose start is not told.
            submit: hands the rows over and returns a future for each table of them. What it raises is raised.
            overrides: the project's own prices.

        Raises:
            StoreError: a place could not be looked up, or traces not be joined; nothing was handed over.
        """
        mentioned = dict.fromkeys(entity for patch in patches for entity in (patch.entity, patch.parent) if entity)
        with self._lock:
            try:
                request = self._request(project_id, mentioned, patches, now)
                placed = request.place(overrides)
                futures = submit(placed)
            except BaseException:
                for entity in mentioned:
                    if thing := self._things.get((project_id, entity)):
                        thing.doubtful = True
                        self._weight += thing.weigh()
                raise
            things = list(request.things.values())
            for thing in things:
                thing.pending += 1
                self._weight += thing.weigh()
            self._pending.append((things, futures))
        return placed

    def _request(self, project_id: str, mentioned: Iterable[Entity], patches: Sequence[Patch], now: int) -> _Request:
        """Return a request whose things are where they belong: what has to be moved to there was moved."""
        keys = [(project_id, entity) for entity in mentioned]
        while True:
            self._forget()
            if self._is_moving(project_id, self._traces(keys)):
                self._settle()
                continue
            self._distrust(keys)
            unknown = [entity for entity in mentioned if (project_id, entity) not in self._things]
            stored = self._entities.find(project_id, unknown) if unknown else {}
            if self._is_moving(project_id, (one.trace_id for places in stored.values() for one in places)):
                self._settle()
                continue
            things = {entity: self._thing(project_id, entity, stored.get(entity, [])) for entity in mentioned}
            if apart := [entity for entity, thing in things.items() if self._is_apart(thing)]:
                self._unite(project_id, apart)
                continue
            request = _Request(self, project_id, things, patches, now)
            orphans = request.link()
            if not orphans:
                return request
            self._join(project_id, orphans)

    def _traces(self, keys: Iterable[tuple[str, Entity]]) -> Iterator[str]:
        """Yield the ids of the traces of the things that are remembered among these."""
        for key in keys:
            if thing := self._things.get(key):
                yield from (place.trace.whole().id for place in thing.places)

    def _is_moving(self, project_id: str, trace_ids: Iterable[str]) -> bool:
        moving = {
            id_ for move in self._moves if move.project_id == project_id for ids in move.wholes.items() for id_ in ids
        }
        return bool(moving) and not moving.isdisjoint(trace_ids)

    def doubt(self, project_id: str, trace_ids: Iterable[str]) -> None:
        """Trust the store alone in what these traces consist of: something else changed them."""
        ids = set(trace_ids)
        with self._lock:
            self._doubt(
                thing
                for (project, _), thing in self._things.items()
                if project == project_id and any(place.trace.whole().id in ids for place in thing.places)
            )

    def _doubt(self, things: Iterable[_Thing]) -> None:
        for thing in things:
            thing.doubtful = True

    def _distrust(self, keys: Iterable[tuple[str, Entity]]) -> None:
        """Forget of these things what the store may know better."""
        known = {key: thing for key in keys if (thing := self._things.get(key)) and (self.shared or thing.doubtful)}
        if any(thing.pending for thing in known.values()):
            wait(self._unstored())
            self._forget()
        for key in known:
            self._drop(key)

    def _drop(self, key: tuple[str, Entity]) -> None:
        if thing := self._things.pop(key, None):
            self._weight -= thing.weight

    def _unstored(self) -> list[Future[None]]:
        return [future for _, futures in self._pending for future in futures]

    def confirm(self, project_id: str, placed: Placed) -> None:
        """Bring together what servers placed apart that met a thing at the same moment. Needed only where the store is `shared`.

        To be called when the rows are stored, before their sender is told: each server then sees its own place, and those of the
        others that were there before; so whoever comes last sees all.
        """
        found = self._entities.find(project_id, [placement.entity for placement in placed.placements])
        for placements in found.values():
            for placement in placements:
                self._entities.gather(project_id, placement)

    @contextlib.contextmanager
    def lowering(self, placed: Placed) -> Iterator[list[Span]]:
        """Hold the traces of spans whose costs are to be written over dearer ones.

        Yields the spans with their keys and costs as they are by now: what the request itself made of them may be out of date, and
        whoever writes last has to write what holds.
        """
        with self._moving:
            with self._lock:
                while self._moves:
                    self._move()
                spans = [
                    replace(
                        place.lowered.span,
                        trace_id=place.trace.whole().id,
                        span_id=place.entity.span_id,
                        time=place.time,
                    )
                    for place in placed.cheaper
                    if place.lowered.span is not None and place.time is not None
                ]
            yield spans

    def _forget(self) -> None:
        """Forget the things that were not told of for the longest, but for those that the store does not know yet."""
        while self._pending and all(future.done() for future in self._pending[0][1]):
            things, futures = self._pending.popleft()
            for thing in things:
                thing.pending -= 1
            if any(future.exception() for future in futures):
                self._doubt(things)
        excess = self._weight - self._remembered
        forgotten = []
        for key, thing in self._things.items():
            if excess <= 0:
                break
            if not thing.pending:
                forgotten.append(key)
                excess -= thing.weight
        for key in forgotten:
            self._drop(key)

    def _thing(self, project_id: str, entity: Entity, stored: list[Placement]) -> _Thing:
        key = (project_id, entity)
        thing = self._things.get(key)
        if thing is None:
            thing = self._things[key] = _Thing([self._load(project_id, placement) for placement in stored])
        self._things.move_to_end(key)
        return thing

    def _load(self, project_id: str, stored: Placement) -> _Place:
        self._entities.gather(project_id, stored)
        trace = self.orphan(project_id, stored.trace_id) if stored.trace_id.startswith(ORPHAN) else None
        if trace is None:
            trace = _Trace(stored.trace_id)
        trace.has_rows = True
        cost = self._costs.get((project_id, stored.entity, trace.whole().id)) or _Cost()
        return _Place(stored.entity, trace, stored.time, History(stored.revisions, stored.facts), cost)

    def lower(self, project_id: str, place: _Place, span: Span) -> None:
        """Remember that a span costs less than is stored."""
        place.lowered.span = span
        self._costs[project_id, place.entity, place.trace.whole().id] = place.lowered

    def _is_apart(self, thing: _Thing) -> bool:
        return len({place.trace.whole().is_orphan for place in thing.places}) > 1

    def _unite(self, project_id: str, entities: Iterable[Entity]) -> None:
        """Join the traces that things founded here to those that another server, or an earlier life of this one, found for them."""
        orphans = []
        for entity in entities:
            places = self._things[project_id, entity].places
            whole = [place for place in places if not place.trace.whole().is_orphan][-1].trace
            for place in places:
                if (orphan := place.trace.whole()).is_orphan:
                    orphan.part_of = whole
                    orphans.append(orphan)
            # Both places hold a part of what is known; together it is found anew.
            self._drop((project_id, entity))
        self._join(project_id, orphans)

    def orphan(self, project_id: str, trace_id: str) -> _Trace:
        """Return a trace that was founded for want of the right one."""
        trace = self._orphans.get((project_id, trace_id))
        if trace is None:
            trace = self._orphans[project_id, trace_id] = _Trace(trace_id)
        return trace

    def _join(self, project_id: str, orphans: Sequence[_Trace]) -> None:
        """Have the rows of orphans moved to the traces that they were found to be a part of. Others are served meanwhile.

        Raises:
            StoreError: they were not moved, or not in time.
        """
        wholes = {orphan.id: orphan.whole().id for orphan in orphans}
        for (project, entity, trace_id), cost in list(self._costs.items()):
            if project == project_id and trace_id in wholes:
                self._costs[project, entity, wholes[trace_id]] = cost
        move = _Move(project_id, wholes, self._unstored())
        self._moves.append(move)
        self._settle()
        if move.error is not None:
            raise move.error

    def _settle(self) -> None:
        """Return when all that is to be moved by now was moved, by this thread or another."""
        self._lock.release()
        try:
            if not self._moving.acquire(timeout=PATIENCE):
                raise StoreBusy("other things are being moved")
            try:
                with self._lock:
                    self._move()
            finally:
                self._moving.release()
        finally:
            self._lock.acquire()

    def _move(self) -> None:
        """Move what is to be moved by now, that of a project at once. Both locks are held, this one not while the engine works."""
        for project_id in dict.fromkeys(move.project_id for move in self._moves):
            moves = [move for move in self._moves if move.project_id == project_id]
            wholes = {orphan: whole for move in moves for orphan, whole in move.wholes.items()}
            error: BaseException | None = None
            self._lock.release()
            try:
                # Rows that are on their way to the orphans have to arrive first.
                wait([future for move in moves for future in move.before])
                self._entities.join(project_id, wholes)
            except BaseException as raised:
                error = raised
            finally:
                self._lock.acquire()
            self._moves = [move for move in self._moves if move not in moves]
            if error is not None:
                for move in moves:
                    move.error = error
                # Everything that is remembered of them and what they were joined to is wrong now.
                self._doubt(self._things.values())
                self._orphans.clear()


class _Request:
    """The pieces of one request on their way to their places."""

    def __init__(
        self, places: Places, project_id: str, things: dict[Entity, _Thing], patches: Sequence[Patch], now: int
    ) -> None:
        self._places = places
        self._project_id = project_id
        self.things = things
        self._patches = patches
        #: Where each of them belongs.
        self._belongs: list[_Place] = []
        self._now = now
        #: Orphans with rows whose traces were found.
        self._joined: list[_Trace] = []
        #: The first patch that tells what a thing is a part of.
        self._links: dict[Entity, Patch] = {}
        for patch in patches:
            if _links(patch):
                self._links.setdefault(patch.entity, patch)

    def link(self) -> list[_Trace]:
        """Find where each piece belongs, and return the orphans whose rows have to be moved before `place`."""
        for patch in self._patches:
            self._belongs.append(self._relinked(patch) if _links(patch) else self._current(patch.entity))
        return self._joined

    def place(self, overrides: Overrides) -> Placed:
        """Make the rows."""
        partials: dict[_Place, Partial] = {}
        linked: set[_Place] = set()
        said: list[tuple[_Place, Score]] = []
        for patch, place in zip(self._patches, self._belongs, strict=True):
            partial = partials.setdefault(place, Partial(place.history))
            partial.add(patch)
            if _links(patch):
                linked.add(place)
            if (
                patch.parent is not None
                and partial.tell("parent_span_id", patch.parent.span_id, patch.order) is not None
            ):
                partial.span.parent_span_id = patch.parent.span_id
            for score in patch.scores:
                since = partial.tell(f"score.{score.id}", [score.value, score.string_value, score.comment], patch.order)
                if since is not None:
                    said.append((place, replace(score, revision=since)))
        placed = Placed()
        for place, partial in partials.items():
            placed.spans.append(self._row(place, partial, overrides, placed))
        for place, score in said:
            about = None if place.entity.kind == TRACE else place.entity.span_id
            placed.scores.append(replace(score, trace_id=place.trace.whole().id, span_id=about))
        for thing in self.things.values():
            # A parent that was only mentioned has a place as well, where its own pieces will go.
            for place in thing.places:
                place.trace.whole().has_rows = True
                if place in partials or place.time is None:
                    placed.placements.append(self._placement(place, partials.get(place), place in linked))
        return placed

    def _row(self, place: _Place, partial: Partial, overrides: Overrides, placed: Placed) -> Span:
        row = partial.span
        if place.time is None:
            told = row.end_time if row.start_time is None else row.start_time
            place.time = self._now if told is None else told
        cheaper = partial.price(place.time, overrides, lowered=place.lowered.span)
        if cheaper is not None:
            self._places.lower(self._project_id, place, cheaper)
            placed.cheaper.append(place)
        row.trace_id, row.span_id, row.time = place.trace.whole().id, place.entity.span_id, place.time
        row.repository = place.entity.repository
        return row

    def _placement(self, place: _Place, partial: Partial | None, linked: bool) -> Placement:
        if place.time is None:
            place.time = self._now
        revisions = partial.revisions if partial else {}
        at = self._now if linked else 0
        return Placement(place.entity, place.trace.whole().id, place.time, at, revisions, place.history.facts)

    def _current(self, entity: Entity, trace: _Trace | None = None) -> _Place:
        """Return the place of a thing; where it has none, as the request tells, else in `trace`, else in one that it founds."""
        # Up to what has a place, or will get one by itself; then down again, since what it is a part of decides.
        way = {entity: None}
        above = self._above(entity)
        while above is not None and above not in way:
            way[above] = None
            above = self._above(above)
        for one in reversed(way):
            places = self.things[one].places
            if not places:
                places.append(_Place(one, self._told(one) or trace or self._founded(one)))
        return self.things[entity].places[-1]

    def _above(self, entity: Entity) -> Entity | None:
        """Return what a thing without a place is a part of, as far as the request tells and that has to be known."""
        link = self._links.get(entity)
        if self.things[entity].places or link is None or link.trace_id is not None:
            return None
        return link.parent

    def _told(self, entity: Entity) -> _Trace | None:
        """Return the trace of a thing without a place, if the request tells it."""
        if entity.kind == TRACE:
            return _Trace(entity.id)
        link = self._links.get(entity)
        if link is not None and link.trace_id is not None:
            return _Trace(link.trace_id)
        if link is not None and link.parent is not None and self.things[link.parent].places:
            return self.things[link.parent].places[-1].trace.whole()
        return None

    def _founded(self, entity: Entity) -> _Trace:
        return self._places.orphan(self._project_id, f"{ORPHAN}{entity.kind}:{entity.id}")

    def _relinked(self, link: Patch) -> _Place:
        """Return the place of a thing of which a patch tells what it is a part of."""
        place = self._current(link.entity)
        told = None if link.trace_id is None else _Trace(link.trace_id)
        if link.parent is not None:
            # It gets a place too, and is in the same trace, whether or not it will ever say so itself.
            above = self._current(link.parent, told).trace.whole()
            if told is None:
                told = above
            elif above.is_orphan:
                self._join(above, told)
        trace = place.trace.whole()
        if told is None or trace.id == told.id:
            return place
        if trace.is_orphan:
            self._join(trace, told)
        elif told.is_orphan:
            self._join(told, trace)
        else:
            place = self._moved(link.entity, told)
        return place

    def _join(self, orphan: _Trace, whole: _Trace) -> None:
        orphan.part_of = whole
        if orphan.has_rows:
            whole.has_rows = True
            self._joined.append(orphan)

    def _moved(self, entity: Entity, trace: _Trace) -> _Place:
        """Return the place of a thing in another trace than before: its name was used again."""
        places = self.things[entity].places
        place = next((place for place in places if place.trace.whole().id == trace.id), None)
        if place is None:
            place = _Place(entity, trace)
        else:
            places.remove(place)
        places.append(place)
        return place


def _links(patch: Patch) -> bool:
    return patch.entity.kind != TRACE and (patch.trace_id is not None or patch.parent is not None)
