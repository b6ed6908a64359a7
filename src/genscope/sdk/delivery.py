"""Delivery: what the application recorded goes to the server, from a thread of its own, and stays until it is answered.

OpenTelemetry's batch processor throws a batch away when its exporter gives up, and bounds what waits by count. Here what waits is
bounded by bytes, and only an answer takes something out of it. docs/delivery.md tells what is promised.
"""

from __future__ import annotations

import atexit
import contextlib
import gzip
import os
import threading
import time
import weakref
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import islice
from sys import getsizeof
from typing import TYPE_CHECKING, Any, Final, Literal

from opentelemetry import context

if TYPE_CHECKING:
    import requests
    from opentelemetry.sdk.trace import ReadableSpan

    from genscope.sdk.settings import Settings

#: What a request holds at most; a single thing may be larger.
BATCH_COUNT: Final = 512
BATCH_BYTES: Final = 4 * 1024 * 1024
#: Seconds until the first repetition and between repetitions, at most; each waits about twice as long as the one before.
SOONEST: Final = 0.25
LATEST: Final = 30.0
#: Seconds between repetitions of what was refused because of a key or an address, which only a human can mend.
REFUSED: Final = 60.0
#: The longest `Retry-After` that is believed, in seconds.
PATIENCE: Final = 3600.0
#: Seconds between lines of the log that count the same loss.
INTERVAL: Final = 60.0
#: What a span takes in memory beside its texts, as bench/sdk.py measures it.
SPAN_BYTES: Final = 2048
PIECE_BYTES: Final = 64

#: What an answer means: taken; the server or the way to it is in trouble; a human has to mend something; this request is at fault.
Meaning = Literal["taken", "later", "refused", "large", "poison"]


@dataclass(slots=True)
class Lane:
    """What waits for one route of the server, in order."""

    path: str
    content_type: str
    noun: str
    body: Callable[[Sequence[Any]], bytes]
    waiting: deque[tuple[int, Any]] = field(default_factory=deque)
    size: int = 0
    #: How many were ever handed over, and how many of them are done with, in the same order.
    given: int = 0
    settled: int = 0


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of a request."""

    meaning: Meaning
    #: What to tell in the log.
    said: str
    #: Seconds after which the server wants to be asked again, if it said so.
    after: float | None = None
    content: bytes = b""


class Delivery:
    """Sends spans and pieces. No call raises; all but `flush` and `close` return at once."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        #: How many were lost because more than `buffer_bytes` waited, and how many the server would not take.
        self.dropped = 0
        self.rejected = 0
        self._empty()
        _deliveries.add(self)

    def _empty(self) -> None:
        """Begin anew, as after a fork: what the parent was told is the parent's to send, and its locks may be held."""
        # Reentrant, because a generator that is collected, or a signal, may end a span in the midst of a call of ours.
        self._changed = threading.Condition(threading.RLock())
        self._lanes = (
            Lane("/v1/traces", "application/x-protobuf", "spans", _spans),
            Lane("/api/v1/pieces", "application/jsonl", "pieces", b"".join),
        )
        self._thread: threading.Thread | None = None
        self._session: requests.Session | None = None
        self._closed = False
        self._hurry = False
        self._failures = 0
        self._due = 0.0
        self._trouble: str | None = None
        self._unsaid = 0
        self._say_after = 0.0

    def span(self, span: ReadableSpan) -> None:
        """Send an ended span, some time soon."""
        size = SPAN_BYTES
        for value in (span.attributes or {}).values():
            size += getsizeof(value)
        self._put(self._lanes[0], size, span)

    def piece(self, line: bytes) -> None:
        """Send a line of JSON, some time soon."""
        self._put(self._lanes[1], PIECE_BYTES + len(line), line.rstrip(b"\n") + b"\n")

    def _put(self, lane: Lane, size: int, thing: Any) -> None:
        with self._changed:
            if self.size + size > self.settings.buffer_bytes:
                self.dropped += 1
                self._unsaid += 1
                return
            lane.waiting.append((size, thing))
            lane.size += size
            lane.given += 1
            if self._thread is None:
                self._start()
            elif len(lane.waiting) == 1 or self._full(lane):
                self._changed.notify_all()

    @property
    def size(self) -> int:
        """How many bytes wait, as far as the SDK can tell."""
        return self._lanes[0].size + self._lanes[1].size

    def flush(self, timeout: float = 30.0) -> bool:
        """Wait until everything handed over before is answered; False if that takes longer than `timeout` seconds."""
        deadline = time.monotonic() + timeout
        with self._changed:
            marks = [lane.given for lane in self._lanes]
            self._hurry = True
            self._changed.notify_all()
            return self._changed.wait_for(
                lambda: all(lane.settled >= mark for lane, mark in zip(self._lanes, marks, strict=True)),
                max(0.0, deadline - time.monotonic()),
            )

    def close(self, timeout: float | None = None) -> None:
        """Send what waits within `timeout` seconds (`exit_timeout` of the settings), and end the thread."""
        with contextlib.suppress(Exception):
            self.flush(self.settings.exit_timeout if timeout is None else timeout)
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def _start(self) -> None:
        """Start the thread, in this process."""
        self._closed = False
        self._thread = threading.Thread(target=self._run, name="genscope", daemon=True)
        self._thread.start()
        atexit.unregister(self.close)
        atexit.register(self.close)

    def _full(self, lane: Lane) -> bool:
        return len(lane.waiting) >= BATCH_COUNT or lane.size >= BATCH_BYTES

    def _run(self) -> None:
        """Send until closed. Nothing that instrumentation sees of it becomes a span."""
        for key in (context._SUPPRESS_INSTRUMENTATION_KEY, context._SUPPRESS_HTTP_INSTRUMENTATION_KEY):
            context.attach(context.set_value(key, True))
        while not self._closed:
            lanes = self._wait()
            for lane in lanes:
                self._send(lane)

    def _wait(self) -> list[Lane]:
        """Return the lanes of which something is to be sent now."""
        with self._changed:
            first = time.monotonic()
            while not self._closed:
                now = time.monotonic()
                some = [lane for lane in self._lanes if lane.waiting]
                ripe = first + self.settings.flush_interval
                if some and now >= self._due and (self._hurry or now >= ripe or any(map(self._full, some))):
                    return some
                if not some:
                    self._hurry = False
                    self._changed.wait()
                    first = time.monotonic()
                else:
                    self._changed.wait(max(self._due, ripe if not self._hurry else 0.0) - now)
            return []

    def _send(self, lane: Lane) -> None:
        with self._changed:
            batch = _batch(lane)
        if batch:
            answer = self._post(lane, [thing for _, thing in batch])
            self._settle(lane, batch, answer)

    def _settle(self, lane: Lane, batch: list[tuple[int, Any]], answer: Answer) -> None:
        with self._changed:
            if answer.meaning in {"later", "refused"}:
                self._failures += 1
                self._due = time.monotonic() + (answer.after or SOONEST * 2**self._failures)
                return
            self._failures = 0
            for size, _ in batch:
                lane.waiting.popleft()
                lane.size -= size
            lane.settled += len(batch)
            self._changed.notify_all()

    def _post(self, lane: Lane, things: Sequence[Any]) -> Answer:
        import requests  # noqa: PLC0415 - 60 ms, which `import genscope` shall not take

        if self._session is None:
            self._session = requests.Session()
            self._session.auth = (
                (self.settings.public_key, self.settings.secret_key) if self.settings.secret_key else _bare
            )
        try:
            got = self._session.post(
                self.settings.url + lane.path,
                gzip.compress(lane.body(things), 1),
                headers={"Content-Type": lane.content_type, "Content-Encoding": "gzip"},
                timeout=self.settings.timeout or None,
                allow_redirects=False,
            )
        except requests.RequestException as error:
            return Answer("later", str(error))
        return Answer(
            "taken" if got.ok else "later" if got.status_code >= 500 else "poison", got.reason, None, got.content
        )


def _batch(lane: Lane) -> list[tuple[int, Any]]:
    """Return what waits first, as much as one request takes."""
    batch: list[tuple[int, Any]] = []
    size = 0
    for entry in islice(lane.waiting, BATCH_COUNT):
        size += entry[0]
        if batch and size > BATCH_BYTES:
            break
        batch.append(entry)
    return batch


def _bare(request: Any) -> Any:
    """Add nothing to a request: without it `requests` would add what `.netrc` has for the host."""
    return request


def _spans(spans: Sequence[ReadableSpan]) -> bytes:
    """Return spans as a request of OTLP."""
    from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans  # noqa: PLC0415 - protobuf

    return encode_spans(spans).SerializeToString()


_deliveries: weakref.WeakSet[Delivery] = weakref.WeakSet()


def _after_fork() -> None:
    for delivery in _deliveries:
        delivery._empty()


os.register_at_fork(after_in_child=_after_fork)
