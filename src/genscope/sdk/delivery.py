"""Delivery: what the application recorded goes to the server, from a thread of its own, and stays until it is answered.

OpenTelemetry's batch processor throws a batch away when its exporter gives up, and bounds what waits by count. Here what waits is
bounded by bytes, and only an answer takes something out of it. docs/delivery.md tells what is promised.
"""

from __future__ import annotations

import atexit
import contextlib
import math
import os
import random
import sys
import threading
import time
import weakref
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from sys import getsizeof
from typing import TYPE_CHECKING, Any, Final, Literal

from opentelemetry import context

from genscope.sdk import notices

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import ReadableSpan

    from genscope.sdk.post import Post
    from genscope.sdk.settings import Settings

#: What a request holds at most; one thing by itself may be larger.
BATCH_COUNT: Final = 512
BATCH_BYTES: Final = 4 * 1024 * 1024
#: By so much the size of a request grows back after one was too large.
GROWTH: Final = 64 * 1024
#: Seconds until the first repetition, between repetitions at most, and between them at most while somebody waits in `flush`. Each
#: is twice the one before.
SOONEST: Final = 0.25
LATEST: Final = 30.0
LATEST_HURRIED: Final = 1.0
#: Seconds between repetitions of what was refused because of a setting, which only a human can mend.
REFUSED: Final = 60.0
#: What a thing takes in memory beside its texts; bench/sdk.py measures it.
SPAN_BYTES: Final = 3072
EVENT_BYTES: Final = 512
PIECE_BYTES: Final = 128

#: What a human can do about a request that was refused. Anything else: look at the address.
ADVICE: Final = {
    401: "Set GENSCOPE_PUBLIC_KEY and GENSCOPE_SECRET_KEY to a key pair of this server; its page /settings/keys makes one",
    403: "Set GENSCOPE_PUBLIC_KEY and GENSCOPE_SECRET_KEY to a key pair of the project that is meant",
    407: "Set HTTPS_PROXY or HTTP_PROXY to a proxy that lets this process through",
}
LOOK: Final = "Set GENSCOPE_URL to the address of a Genscope server"

#: What an answer means: taken; the server or the way to it is in trouble; a human has to mend a setting; the request is too large;
#: the request is at fault itself.
Meaning = Literal["taken", "later", "refused", "large", "poison"]
#: What waits, and how many bytes it takes.
Thing = tuple[int, Any]


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of a request."""

    meaning: Meaning
    #: What to tell in the log, where there is something to tell.
    reason: str = ""
    status: int = 0
    #: Seconds after which the server wants to be asked again, if it said so.
    after: float | None = None
    #: How many things of a request that was taken were not.
    rejected: int = 0


@dataclass(slots=True)
class Lane:
    """What waits for one route of the server, in order."""

    #: What one thing is called.
    noun: str
    waiting: deque[Thing] = field(default_factory=deque)
    #: How many bytes wait.
    size: int = 0
    #: How many were ever handed over, and how many of them are done with, in the same order.
    given: int = 0
    settled: int = 0
    #: How many bytes a request may have.
    most: int = BATCH_BYTES
    #: Since when the first has waited, and before when nothing is to be sent; `firm` if the server said so.
    since: float = 0.0
    due: float = 0.0
    firm: bool = False
    #: How many requests in a row failed, and whether the last one because of a setting.
    failures: int = 0
    refused: bool = False
    #: What is the matter, once that was told.
    trouble: str = ""
    reason: str = ""

    @property
    def full(self) -> bool:
        """Whether a request is."""
        return self.size >= self.most or len(self.waiting) >= BATCH_COUNT

    def ripe(self, interval: float) -> float:
        """Return when something is to be sent, if it may wait so many seconds for company."""
        if not self.waiting:
            return math.inf
        return self.due if self.full else max(self.due, self.since + interval)

    def hopeless(self, now: float, deadline: float) -> bool:
        """Whether nothing will be sent before the deadline, or what is will be refused."""
        return self.due > (now if self.refused else deadline)

    def batch(self) -> list[Thing]:
        """Return what waits first, as much as a request takes."""
        batch: list[Thing] = []
        size = 0
        # By index, because things are added meanwhile, which an iterator does not bear.
        for index in range(min(len(self.waiting), BATCH_COUNT)):
            thing = self.waiting[index]
            size += thing[0]
            if batch and size > self.most:
                break
            batch.append(thing)
        return batch


class Delivery:
    """Sends spans and pieces. No call raises; all but `flush` and `close` return at once."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._empty()
        _deliveries.add(self)

    def _empty(self) -> None:
        """Begin anew, as after a fork: what the parent was told is the parent's to send, and its locks may be held."""
        # Reentrant: a generator that is collected or a signal may end a span in the midst of a call of ours.
        self._lock = threading.RLock()
        self._changed = threading.Condition(self._lock)
        self._spans = Lane("span")
        self._pieces = Lane("piece")
        self._lanes = (self._spans, self._pieces)
        self._dropped = notices.Tally("dropped %d spans or pieces: %s. They are missing from their traces (%d so far)")
        self._rejected = notices.Tally("the server did not take %d spans or pieces: %s (%d so far)")
        #: Who sends: the thread, or in want of one whoever flushes.
        self._sender: threading.Thread | None = None
        self._post: Post | None = None
        self._closed = False
        self._hurried = 0
        #: Until when not to tell again of a trouble that was over.
        self._quiet: dict[str, float] = {}

    @property
    def dropped(self) -> int:
        """How many were lost because more than `buffer_bytes` waited."""
        return self._dropped.total

    @property
    def rejected(self) -> int:
        """How many the server would not take."""
        return self._rejected.total

    @property
    def size(self) -> int:
        """How many bytes wait, as far as can be told without encoding them."""
        return self._spans.size + self._pieces.size

    def span(self, span: ReadableSpan) -> None:
        """Send an ended span, some time soon."""
        try:
            size = SPAN_BYTES + _weight(span.attributes) + EVENT_BYTES * len(span.links)
            size += getsizeof(span.name) + getsizeof(span.status.description)
            for event in span.events:
                size += EVENT_BYTES + _weight(event.attributes)
            self._put(self._spans, (size, span))
        except Exception:  # spans of other makers
            notices.once("span", "a span could not be taken", exc_info=True)

    def piece(self, line: bytes) -> None:
        """Send a line of JSON, some time soon."""
        self._put(self._pieces, (PIECE_BYTES + len(line), line if line.endswith(b"\n") else line + b"\n"))

    def flush(self, timeout: float = 30.0) -> bool:
        """Wait until everything handed over before is answered.

        False if that takes longer than `timeout` seconds, or as soon as it is certain to: the server wants to be left alone for
        longer, or refused the key.
        """
        deadline = time.monotonic() + timeout
        with self._lock:
            if self._sender is threading.current_thread():
                return False
            marks = [(lane, lane.given) for lane in self._lanes if lane.waiting]
            if not marks:
                return True
            for lane in self._lanes:
                if not lane.firm:
                    lane.due = 0.0
            alone = self._sender is None and not self._start()
        if alone:
            self._send_until(deadline)
        with self._lock:
            self._hurried += 1
            self._changed.notify_all()
            try:
                while marks := [(lane, mark) for lane, mark in marks if lane.settled < mark]:
                    now = time.monotonic()
                    if now >= deadline or all(lane.hopeless(now, deadline) for lane, _ in marks):
                        return False
                    self._changed.wait(min(deadline - now, threading.TIMEOUT_MAX))
                return True
            finally:
                self._hurried -= 1

    def close(self, timeout: float | None = None) -> None:
        """Send what waits within `timeout` seconds (`exit_timeout` of the settings), tell what is left, and end the thread."""
        if self._closed:
            return
        arrived = self.flush(self.settings.exit_timeout if timeout is None else timeout)
        with self._lock:
            self._closed = True
            sender, self._sender = self._sender, None
            self._changed.notify_all()
        atexit.unregister(self.close)
        self._tell(now=True)
        for lane in self._lanes:
            if lane.waiting:
                left = f"{len(lane.waiting)} {lane.noun}{'s' * (len(lane.waiting) > 1)}"
                why = lane.reason or "there was no answer in time"
                notices.warn("%s could not be sent before the end: %s", left, why)
        if arrived and sender is not None and sender is not threading.current_thread():
            sender.join(1.0)

    def _put(self, lane: Lane, thing: Thing) -> None:
        with self._lock:
            # Also for what is dropped, since the thread tells of it.
            if self._sender is None:
                self._start()
            if self.size + thing[0] > self.settings.buffer_bytes:
                if self._dropped.add(1, f"more than buffer_bytes = {self.settings.buffer_bytes} waited"):
                    self._changed.notify_all()
                return
            lane.waiting.append(thing)
            lane.size += thing[0]
            lane.given += 1
            if len(lane.waiting) == 1:
                lane.since = time.monotonic()
                self._changed.notify_all()
            elif lane.full:
                self._changed.notify_all()

    def _start(self) -> bool:
        """Start the thread, in this process; False where there can be none (any more)."""
        self._closed = False
        try:
            self._sender = threading.Thread(target=self._run, name="genscope", daemon=True)
            self._sender.start()
        except RuntimeError:
            self._sender = None
            return False
        _at_exit(self.close)
        return True

    def _run(self) -> None:
        """Send until somebody else does, or nobody shall."""
        with _unseen():
            while self._sender is threading.current_thread():
                self._turn(math.inf)

    def _send_until(self, deadline: float) -> None:
        """Send here and now, where no thread can be started."""
        with self._lock:
            self._sender = threading.current_thread()
            self._hurried += 1
        try:
            with _unseen():
                while (
                    self._sender is threading.current_thread()
                    and (now := time.monotonic()) < deadline
                    and any(lane.waiting and not lane.hopeless(now, deadline) for lane in self._lanes)
                ):
                    self._turn(deadline)
        finally:
            with self._lock:
                self._hurried -= 1
                self._sender = None

    def _turn(self, deadline: float) -> None:
        """Wait for something to do, and do it."""
        self._tell()
        for lane in self._ripe(deadline):
            try:
                self._send(lane, lane.batch())
            except Exception as error:  # this thread is the only one
                notices.once(("delivery", type(error)), "delivery failed, and is tried again", exc_info=True)
                self._settle(lane, [], Answer("later", repr(error)))

    def _ripe(self, deadline: float) -> list[Lane]:
        """Return the lanes of which something is to be sent now; none if something else happened."""
        with self._lock:
            interval = 0.0 if self._hurried else self.settings.flush_interval
            now = time.monotonic()
            moments = [lane.ripe(interval) for lane in self._lanes]
            if ripe := [lane for lane, moment in zip(self._lanes, moments, strict=True) if moment <= now]:
                return ripe
            moment = min(deadline, *moments)
            self._changed.wait(min(max(0.0, moment - now), threading.TIMEOUT_MAX))
            return []

    def _send(self, lane: Lane, batch: list[Thing]) -> bool:
        """Send things; False if they have to wait. What is too large or at fault as a whole is sent in halves."""
        if self._post is None:
            self._post = self._open()
        answer = self._post.send(lane.noun, [thing for _, thing in batch])
        if answer.meaning in {"large", "poison"} and len(batch) > 1:
            if answer.meaning == "large":
                lane.most = max(GROWTH, sum(size for size, _ in batch) // 2)
            half = len(batch) // 2
            return self._send(lane, batch[:half]) and self._send(lane, batch[half:])
        return self._settle(lane, batch, answer)

    def _open(self) -> Post:
        with _Loading.lock:
            from genscope.sdk.post import Post  # noqa: PLC0415 - it takes 60 ms, which no caller shall wait for
        return Post(self.settings)

    def _settle(self, lane: Lane, batch: list[Thing], answer: Answer) -> bool:
        """Take out what is done with; False if nothing is."""
        line = None
        with self._lock:
            if self._sender is not threading.current_thread():
                return False
            now = time.monotonic()
            lane.reason = answer.reason
            if done := answer.meaning not in {"later", "refused"}:
                for size, _ in batch:
                    lane.waiting.popleft()
                    lane.size -= size
                lane.settled += len(batch)
                lane.since = now
                line = self._mended(lane)
                if answer.meaning == "taken":
                    lane.most = min(BATCH_BYTES, lane.most + GROWTH)
                if rejected := answer.rejected if answer.meaning == "taken" else len(batch):
                    self._rejected.add(rejected, answer.reason)
            else:
                lane.failures += 1
                lane.firm = bool(answer.after)
                lane.refused = answer.meaning == "refused"
                lane.due = now + self._pause(lane, answer)
                # A single failure is most often a connection that was kept for too long.
                if lane.refused or lane.failures > 1:
                    line = self._troubled(lane, answer)
        # First this is told and then who waits is woken, who may end the process.
        if line:
            notices.warn(line)
        with self._lock:
            self._changed.notify_all()
        return done

    def _pause(self, lane: Lane, answer: Answer) -> float:
        """Return how many seconds to wait after a failure."""
        if answer.after:  # "0" tells nothing, and would be no pause
            return _spread(max(answer.after, SOONEST), 1.0, 1.1)
        if answer.meaning == "refused":
            return _spread(REFUSED, 0.8, 1.2)
        latest = LATEST_HURRIED if self._hurried else LATEST
        return _spread(min(latest, SOONEST * 2.0 ** min(lane.failures - 1, 16)), 0.5, 1.0)

    def _troubled(self, lane: Lane, answer: Answer) -> str | None:
        """Return what is to be told of trouble; nothing of one that was told."""
        trouble = str(answer.status) if answer.meaning == "refused" else answer.meaning
        if not any(other.trouble == trouble for other in self._lanes):
            # What comes and goes is told at intervals, as a server that has more to do than it can.
            now = time.monotonic()
            if now < self._quiet.get(trouble, 0.0):
                return None
            self._quiet[trouble] = now + notices.INTERVAL
            lane.trouble = trouble
            return self._advice(lane, answer)
        lane.trouble = trouble
        return None

    def _advice(self, lane: Lane, answer: Answer) -> str:
        """Return what is the matter and what to do."""
        url, waits = self.settings.url, f"What is recorded waits, up to buffer_bytes = {self.settings.buffer_bytes}"
        if answer.meaning == "refused":
            key = f"the key {self.settings.public_key[:8]}…" if self.settings.public_key else "no key"
            advice = ADVICE.get(answer.status, LOOK)
            return f"{url} refused {lane.noun}s with {key}: {answer.reason}. {advice}. {waits}"
        if answer.status:
            return f"{url} is in trouble: {answer.reason}. {waits}, and is sent again"
        return f"{url} cannot be reached: {answer.reason}. {waits}, and is sent once it can be"

    def _mended(self, lane: Lane) -> str | None:
        """Return what is to be told when trouble is over."""
        trouble, lane.trouble = lane.trouble, ""
        lane.failures, lane.due, lane.firm, lane.refused = 0, 0.0, False, False
        if not trouble or any(other.trouble for other in self._lanes):
            return None
        return f"{self.settings.url} answers again; what waited is being sent"

    def _tell(self, *, now: bool = False) -> None:
        """Log losses, if it is time."""
        with self._lock:
            lines = [tally.line(now=now) for tally in (self._dropped, self._rejected)]
        for line in filter(None, lines):
            notices.warn(line)


@contextlib.contextmanager
def _unseen() -> Iterator[None]:
    """Let no instrumentation make spans of what happens here."""
    token = context.attach(
        context.set_value(
            context._SUPPRESS_INSTRUMENTATION_KEY,
            True,
            context.set_value(context._SUPPRESS_HTTP_INSTRUMENTATION_KEY, True),
        )
    )
    try:
        yield
    finally:
        context.detach(token)


def _spread(seconds: float, least: float, most: float) -> float:
    """Return about as many seconds, so that not all processes come back at the same moment."""
    return seconds * random.uniform(least, most)  # noqa: S311 - no secret


def _weight(attributes: Any) -> int:
    """Return how many bytes of memory attributes take."""
    # A copy is a plain dict, whose values are at hand in a tenth of the time.
    return _weights(attributes.copy().values()) if attributes else 0


def _weights(values: Iterable[Any]) -> int:
    size = 0
    for value in values:
        size += getsizeof(value)
        if type(value) is tuple:
            size += _weights(value)
        elif type(value) is dict:
            size += _weights(value.values())
    return size


#: What is called when the process ends, before what waits is sent for the last time.
_ENDINGS: Final[list[Callable[[], None]]] = []


def before_end(function: Callable[[], None]) -> None:
    """Have a function called when this process ends, and those that it forks: it may tell more, which is sent."""
    _ENDINGS.append(function)
    _at_exit(function)


def _at_exit(function: Callable[[], None]) -> None:
    """Have it called when this process ends, after those that tell more."""
    # Children of multiprocessing end by `os._exit`; before Python 3.13 they call what multiprocessing knows of and nothing else.
    processes, util = sys.modules.get("multiprocessing.process"), sys.modules.get("multiprocessing.util")
    child = util if processes is not None and processes.parent_process() is not None else None
    for one in dict.fromkeys((function, *_ENDINGS)):  # what is registered last is called first
        atexit.unregister(one)
        atexit.register(one)
        if child is not None:
            child.Finalize(None, one, exitpriority=0)


_deliveries: Final[weakref.WeakSet[Delivery]] = weakref.WeakSet()


class _Loading:
    """Held while modules are imported: a process that is forked meanwhile would wait for ever for an import of its own."""

    lock = threading.RLock()

    @classmethod
    def stop(cls) -> None:
        """Wait until nothing is imported; a second at most, since the module that forks may be what the import waits for."""
        cls.lock.acquire(timeout=1.0)

    @classmethod
    def go_on(cls) -> None:
        """The parent does."""
        with contextlib.suppress(RuntimeError):
            cls.lock.release()

    @classmethod
    def begin(cls) -> None:
        """The child begins anew."""
        cls.lock = threading.RLock()
        for delivery in _deliveries:
            delivery._empty()


if hasattr(os, "register_at_fork"):  # Windows has no fork
    os.register_at_fork(before=_Loading.stop, after_in_parent=_Loading.go_on, after_in_child=_Loading.begin)
