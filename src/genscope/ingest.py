"""The way in: a request's bytes become rows on disk, and only then does it return.

spans:  bytes -> receive (decode) -> conventions (understand) -> pricing -> store.rows (columns) -> store.writer (commit)
pieces: bytes -> receive (decode) -> places (where to, at what cost) -> store.rows (columns) -> store.writer (commit)
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Final, TypeVar

import pyarrow as pa
from prometheus_client import Counter, Histogram

from genscope import conventions, pricing
from genscope.model import Pieces, RawSpan, Rejected, Score, Span
from genscope.places import Placed, Places
from genscope.pricing.override import NONE, Overrides
from genscope.receive import otlp
from genscope.receive.body import decode_body
from genscope.receive.errors import BadRequest, Overloaded
from genscope.redaction import Redactor
from genscope.store import attachments, costs, entities, scores, sessions
from genscope.store.costs import Costs, Stopped
from genscope.store.errors import StoreError
from genscope.store.rows import encode, encode_rejected
from genscope.store.writer import BufferFull, Writer, WriterClosed

log = logging.getLogger(__name__)

SPANS: Final = Counter("genscope_spans", "Spans received, by what became of them.", ["outcome"])
REQUESTS: Final = Histogram(
    "genscope_ingest_seconds",
    "Time from the whole body to its rows on disk.",
    buckets=(0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5),
)

#: Decoding holds the interpreter's lock most of the time: two threads keep it busy while a third part of the work, the
#: engine's, runs beside them.
THREADS: Final = 2
#: Requests of pieces that are prepared at a time. One may have to wait while traces are joined; finished spans never wait for it.
PIECES_THREADS: Final = 16
#: Seconds after which a refused sender should try again.
RETRY_AFTER: Final = 1
FULL: Final = "more is waiting to be stored than fits; send it again later"


#: (project, trace and span ids) -> the times at which the known ones of these spans are placed.
SpanTimes = Callable[[str, Iterable[tuple[str, str]]], dict[tuple[str, str], int]]


#: What a request of pieces is decoded to, and how: (plain body, time in nanoseconds since the epoch) -> what it tells.
Told = TypeVar("Told", bound=Pieces)
Decode = Callable[[bytes, int], Told]

#: Counts bytes of a request that are held until its rows are stored, or raises `Overloaded` if they do not fit any more.
Room = Callable[[int], None]

#: Takes notice that traces of a project have new rows on disk: (project, their ids). Called in the event loop.
Announce = Callable[[str, Collection[str]], None]


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of one request; see `Settings`."""

    body_bytes: int
    value_bytes: int
    spans: int
    pending_bytes: int


@dataclass(frozen=True, slots=True)
class Prepared:
    """A request whose rows are on their way to the disk."""

    spans: int
    #: Traces that these are of.
    traces: frozenset[str]
    rejected: list[Rejected]
    stored: list[Future[None]]
    #: What is left to do when they are there, before the sender is told; blocks.
    finish: Callable[[], None] | None = None


class Ingest:
    """Takes requests of every protocol and returns when what they carried is on disk."""

    def __init__(
        self,
        writer: Writer,
        span_times: SpanTimes,
        places: Places,
        costs: Costs,
        overrides: Callable[[str], Overrides],
        limits: Limits,
        announce: Announce,
        redactor: Callable[[str], Redactor | None],
    ) -> None:
        """Make ready.

        Args:
            writer: takes the rows.
            span_times: tells where earlier deliveries of spans are placed in time.
            places: tells where pieces of spans go.
            costs: writes costs over dearer ones.
            overrides: tells the prices that a project set itself.
            limits: bounds of one request.
            announce: is told what was stored, before its sender is.
            redactor: tells what masks what comes into a project, if anything does.
        """
        self._writer = writer
        self._span_times = span_times
        self._places = places
        self._costs = costs
        self._overrides = overrides
        self._limits = limits
        self._announce = announce
        self._redactor = redactor
        self._pending = 0
        self._counting = threading.Lock()
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="genscope-ingest")
        self._pieces_threads = ThreadPoolExecutor(PIECES_THREADS, thread_name_prefix="genscope-pieces")

    @property
    def storing(self) -> bool:
        """Whether rows still reach the store."""
        return self._writer.alive

    @property
    def limits(self) -> Limits:
        """The bounds of one request."""
        return self._limits

    async def take_otlp(
        self,
        project_id: str,
        body: bytes,
        content_encoding: str | None,
        form: otlp.Format,
        repository: str | None = None,
    ) -> list[Rejected]:
        """Store the spans of an OTLP trace request, in a log repository if it names one, and return those that could not be taken.

        Raises:
            RequestError: the request as a whole is refused, and nothing of it was stored.
        """
        prepared = await self._take(
            project_id, lambda: self._prepare_otlp(project_id, body, content_encoding, form, repository)
        )
        return prepared.rejected

    async def take_pieces(
        self,
        project_id: str,
        protocol: str,
        body: bytes,
        content_encoding: str | None,
        decode: Decode[Told],
        room: Room | None = None,
    ) -> Told:
        """Store what a request of a protocol that sends pieces tells, and return it, with what could not be taken.

        Args:
            project_id: whose it is.
            protocol: the name of the protocol, for what could not be taken.
            body: as received.
            content_encoding: how it is compressed.
            decode: makes pieces of the plain body, given also the time in nanoseconds since the epoch; called in a worker thread.
            room: has counted the body, and counts what it becomes: many of these requests may wait for traces to be joined.

        Raises:
            RequestError: the request as a whole is refused, and nothing of it was stored.
        """
        told: list[Told] = []

        def prepare() -> Prepared:
            now = time.time_ns()
            plain = decode_body(body, content_encoding, self._limits.body_bytes)
            if room is not None:
                room(len(plain) - len(body))
            told.append(decode(plain, now))
            return self._prepare_pieces(project_id, protocol, told[0], now)

        await self._take(project_id, prepare, self._pieces_threads)
        return told[0]

    async def take_spans(self, project_id: str, spans: list[Span], said: list[Score]) -> None:
        """Store spans and scores as they are, such as those of an export.

        Raises:
            RequestError: nothing of it was stored; `BadRequest` for values that no column can hold.
        """

        def prepare() -> Prepared:
            if (redactor := self._redactor(project_id)) is not None:
                redactor.spans(spans)
                redactor.pieces(Pieces(scores=said))
            try:
                tables = [("spans", encode(project_id, spans))] if spans else []
                if said:
                    tables.append(("scores", scores.encode(project_id, said)))
            except (pa.ArrowException, OverflowError, TypeError, ValueError) as error:
                raise BadRequest(f"a value cannot be stored: {error}") from None
            return Prepared(len(spans), _traces(spans), [], self._writer.submit(*tables))

        await self._take(project_id, prepare)

    def _prepare_pieces(self, project_id: str, protocol: str, pieces: Pieces, now: int) -> Prepared:
        if (redactor := self._redactor(project_id)) is not None:
            redactor.pieces(pieces)
        said: list[tuple[str, pa.Table]] = []
        if pieces.sessions:
            said.append(("sessions", sessions.encode(project_id, pieces.sessions)))
        if pieces.attachments:
            said.append(("attachments", attachments.encode(project_id, pieces.attachments)))
        if pieces.rejected:
            said.append(("rejected", encode_rejected(project_id, protocol, now, pieces.rejected)))
        stored: list[Future[None]] = []

        def submit(placed: Placed) -> list[Future[None]]:
            tables = list(said)
            if placed.placements:
                tables.append(("entities", entities.encode(project_id, placed.placements)))
            if placed.spans:
                tables.append(("spans", encode(project_id, placed.spans)))
            if told := [*pieces.scores, *placed.scores]:
                tables.append(("scores", scores.encode(project_id, told)))
            stored.extend(self._writer.submit(*tables))
            return stored

        placed = self._places.take(project_id, pieces.patches, now, submit, self._overrides(project_id))
        unfinished = self._places.shared or placed.cheaper
        finish = partial(self._finish, project_id, placed) if unfinished else None
        return Prepared(len(placed.spans), _traces(placed.spans), pieces.rejected, stored, finish)

    def _finish(self, project_id: str, placed: Placed) -> None:
        if self._places.shared:
            self._places.confirm(project_id, placed)
        if placed.cheaper:
            with self._places.lowering(placed) as spans:
                self._costs.write(costs.encode(project_id, spans))

    def _prepare_otlp(
        self, project_id: str, body: bytes, content_encoding: str | None, form: otlp.Format, repository: str | None
    ) -> Prepared:
        raw = decode_body(body, content_encoding, self._limits.body_bytes)
        decoded = otlp.decode(raw, form, max_spans=self._limits.spans, max_value_bytes=self._limits.value_bytes)
        now = time.time_ns()
        self._place(project_id, decoded.spans)
        spans, rejected = understand(decoded.spans, now, self._overrides(project_id))
        for span in spans:
            span.repository = repository
        rejected = [*decoded.rejected, *rejected]
        if (redactor := self._redactor(project_id)) is not None:
            redactor.spans(spans)
            rejected = redactor.rejected(rejected)
        tables = [("spans", encode(project_id, spans))] if spans else []
        if rejected:
            tables.append(("rejected", encode_rejected(project_id, "otlp", now, rejected)))
        return Prepared(len(spans), _traces(spans), rejected, self._writer.submit(*tables))

    def _place(self, project_id: str, spans: Sequence[RawSpan]) -> None:
        """Give spans without any time the one at which an earlier delivery placed them, so that they count once."""
        timeless = [span for span in spans if span.start_time is None and span.end_time is None]
        if timeless:
            known = self._span_times(project_id, [(span.trace_id, span.span_id) for span in timeless])
            for span in timeless:
                span.start_time = known.get((span.trace_id, span.span_id))

    @contextlib.contextmanager
    def room(self) -> Iterator[Room]:
        """Count the bytes of a request from when they are read until its rows are stored."""
        taken = 0

        def take(size: int) -> None:
            nonlocal taken
            with self._counting:
                # One request alone is let through whatever its size: it must not be refused for ever.
                if self._pending > taken and self._pending + size > self._limits.pending_bytes:
                    raise Overloaded(FULL, RETRY_AFTER)
                taken += size
                self._pending += size

        try:
            yield take
        finally:
            with self._counting:
                self._pending -= taken

    async def _take(
        self, project_id: str, prepare: Callable[[], Prepared], threads: ThreadPoolExecutor | None = None
    ) -> Prepared:
        threads = threads or self._threads
        try:
            with REQUESTS.time():
                loop = asyncio.get_running_loop()
                prepared = await loop.run_in_executor(threads, prepare)
                for stored in prepared.stored:
                    # A sender that hangs up stops waiting; the rows are stored all the same.
                    await asyncio.shield(asyncio.wrap_future(stored))
                if prepared.finish is not None:
                    await loop.run_in_executor(threads, prepared.finish)
        except (BufferFull, WriterClosed, Stopped):
            raise Overloaded(FULL, RETRY_AFTER) from None
        except StoreError as error:
            raise Overloaded(f"the store does not take rows at the moment: {error}", RETRY_AFTER) from error
        SPANS.labels("rejected").inc(len(prepared.rejected))
        SPANS.labels("stored").inc(prepared.spans)
        self._announce(project_id, prepared.traces)
        return prepared

    def close(self) -> None:
        """Wait for the requests that are being prepared."""
        self._threads.shutdown()
        self._pieces_threads.shutdown()


def _traces(spans: Iterable[Span]) -> frozenset[str]:
    return frozenset(span.trace_id for span in spans)


def understand(raw: Sequence[RawSpan], now: int, overrides: Overrides = NONE) -> tuple[list[Span], list[Rejected]]:
    """Turn decoded spans into Genscope's own, priced. A span that cannot be understood is rejected by itself."""
    spans, rejected = [], []
    for one in raw:
        try:
            span = conventions.to_span(one, now)
            pricing.price(span, overrides)
        except Exception as error:
            log.exception("span %s of trace %s could not be understood", one.span_id, one.trace_id)
            reason = f"Genscope could not understand this span ({type(error).__name__}); please report it"
            rejected.append(Rejected(one.trace_id, one.span_id, one.name, reason))
        else:
            spans.append(span)
    return spans, rejected
