"""Streams of answers, watched: who reads one gets its chunks untouched and at once, and its result is told when it is over.

A watched stream has the methods and attributes of the stream itself and counts as an instance of its class: OpenAI's `Stream`
and `AsyncStream`, the managers and helpers of `chat.completions.stream`, `responses.stream` and Anthropic's `messages.stream`,
Gemini's and other generators, LiteLLM's wrapper, Bedrock's `EventStream` within the answer that it comes in.
"""

from __future__ import annotations

import _thread
import os
import time
import weakref
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import suppress
from functools import lru_cache
from io import IOBase
from typing import Any, Final, TypeVar, cast

from genscope.sdk import delivery
from genscope.sdk.notices import log
from genscope.sdk.results import Pieces, Result
from genscope.sdk.results.fields import is_mock

Stream = TypeVar("Stream")

#: Where Bedrock's answers hold their stream: ConverseStream, InvokeModelWithResponseStream.
_WITHIN: Final = ("stream", "body")
#: What a stream has: one of these, and one of those.
_STREAM: Final = (("__iter__", "__aiter__"), ("__next__", "__anext__", "close", "aclose"))
#: Seconds that the garbage collector waits for what is told of a stream.
_PATIENCE: Final = 1.0


def is_stream(value: object) -> bool:
    """Whether a value gives its answer bit by bit: an iterator, what opens one in a `with`, an answer of Bedrock's with one."""
    try:
        return _streams(value)
    except Exception:
        log.debug("whether %s is a stream could not be seen", type(value), exc_info=True)
        return False


def _streams(value: object) -> bool:
    kind = value.__class__  # not its type: instrumentations wrap streams, too
    if isinstance(value, Mapping):
        return _key(value) is not None
    if issubclass(kind, IOBase) or is_mock(value):
        return False
    return kind.__name__.endswith("StreamManager") or all(
        any(hasattr(kind, name) for name in names) for names in _STREAM
    )


def _key(answer: Mapping[Any, Any]) -> str | None:
    """Return where an answer of Bedrock's holds its stream, None if it holds none."""
    held = [(key, answer[key]) for key in _WITHIN if key in answer]
    return next((key for key, value in held if not isinstance(value, Mapping) and is_stream(value)), None)


def watch(
    stream: Stream, done: Callable[[Result, int | None], None], failed: Callable[[BaseException], None]
) -> Stream:
    """Return a stream in the place of `stream` that tells what was read from it. What is no stream is returned as it is.

    `done` is called exactly once: at the end of the stream, after an error, when it is closed or its `with` is left, or when
    nobody holds it any more, then with what came so far. It gets the result and the time of the first token (`time.time_ns()`, None
    if there was none). `failed` is called before it with what the stream raised, which is raised all the same.

    Both are called by whoever reads the stream, or in a thread of their own when nobody holds it; what they raise is logged.
    """
    watcher = _Watcher(done, failed)
    if not is_stream(stream):
        watcher.finish()
        return stream
    if isinstance(stream, Mapping):
        key = _key(stream)
        return cast(Stream, {**stream, key: _watched(stream[key], watcher)})
    return cast(Stream, _watched(stream, watcher))


class _Watcher:
    """What is known of a stream, and who wants to know it."""

    __slots__ = ("_done", "_failed", "_first", "_open", "_pieces")

    def __init__(self, done: Callable[[Result, int | None], None], failed: Callable[[BaseException], None]) -> None:
        self._done = done
        self._failed = failed
        self._pieces = Pieces()
        self._first: int | None = None
        self._open = [True]
        _watching.add(self)

    def take(self, chunk: object) -> None:
        if self._pieces.add(chunk) and self._first is None:
            self._first = time.time_ns()

    def fail(self, error: BaseException) -> None:
        if self._open:
            try:
                self._failed(error)
            except Exception:
                log.warning("the error of a stream could not be recorded", exc_info=True)
        self.finish()

    def finish(self) -> None:
        try:
            self._open.pop()  # of several threads one gets it
        except IndexError:
            return
        _watching.discard(self)
        try:
            self._done(self._pieces.result(), self._first)
        except Exception:
            log.warning("the result of a stream could not be recorded", exc_info=True)

    def abandon(self) -> None:
        """Finish in another thread, and wait for it, but not for ever.

        The garbage collector calls this anywhere, also while this very thread holds the lock of the span that is told of.
        """
        if not self._open:
            return
        finished = _thread.allocate_lock()
        finished.acquire()
        try:
            _thread.start_new_thread(self._finish, (finished,))
        except RuntimeError:  # the program ends, or there are too many
            self.finish()
        else:
            finished.acquire(timeout=_PATIENCE)

    def _finish(self, finished: _thread.LockType) -> None:
        try:
            self.finish()
        finally:
            finished.release()


#: Those whose stream is not over.
_watching: Final[set[_Watcher]] = set()


def _end() -> None:
    """Tell of the streams that are still open when the program ends."""
    with suppress(KeyError):
        while True:
            _watching.pop().finish()


def _forget() -> None:
    """Leave the streams of the parent to the parent, in a process that was forked."""
    while _watching:
        _watching.pop()._open.clear()


delivery.before_end(_end)
if hasattr(os, "register_at_fork"):  # Windows has no fork
    os.register_at_fork(after_in_child=_forget)


# --- in the place of a stream -------------------------------------------------------------------------------------------

#: Methods of SDKs' helpers that read the stream themselves, and the function that does: it gets the watched stream instead.
_READERS: Final = frozenset(
    {"until_done", "get_final_message", "get_final_text", "get_final_completion", "get_final_response"}
)
#: Iterators that helpers make of themselves, by the function that makes them.
_ITERATORS: Final = {"text_stream": "__stream_text__"}
_CLOSERS: Final = ("close", "aclose")
#: What Python looks up in the class alone, beside the abilities below. A stream may be false or awaitable, say.
_PASSED: Final = ("__bool__", "__len__", "__contains__", "__getitem__", "__call__", "__await__", "__str__")


class _Watched:
    """Everything that the stream is, but for what its abilities below watch."""

    __slots__ = ("__weakref__", "_watched_iterator", "_watched_outer", "_watched_stream", "_watched_watcher")

    def __init__(self, stream: Any, watcher: _Watcher, outer: Any) -> None:
        # Who does not begin an iteration goes on with the stream itself.
        for name, value in (("stream", stream), ("watcher", watcher), ("outer", outer), ("iterator", stream)):
            object.__setattr__(self, f"_watched_{name}", value)

    def __getattr__(self, name: str) -> Any:
        stream = self._watched_stream
        reads = getattr(stream.__class__, name if name in _READERS else _ITERATORS.get(name, ""), None)
        if reads is not None:
            return reads.__get__(self)() if name in _ITERATORS else reads.__get__(self)
        found = getattr(stream, name)
        return self._watched_closing(found) if name in _CLOSERS else found

    def _watched_closing(self, close: Callable[..., Any]) -> Callable[..., Any]:
        watcher = self._watched_watcher

        def closing(*arguments: Any, **named: Any) -> Any:
            watcher.finish()
            return close(*arguments, **named)

        return closing

    def __setattr__(self, name: str, value: Any) -> None:
        setattr(self._watched_stream, name, value)

    def __delattr__(self, name: str) -> None:
        delattr(self._watched_stream, name)

    def __dir__(self) -> list[str]:
        return dir(self._watched_stream)

    def __repr__(self) -> str:
        return repr(self._watched_stream)

    @property  # type: ignore[misc]
    def __class__(self) -> type:
        return self._watched_stream.__class__  # type: ignore[no-any-return]


class _Iterated:
    __slots__ = ()

    def __iter__(self: Any) -> Iterator[Any]:
        object.__setattr__(self, "_watched_iterator", iter(self._watched_stream))
        return self  # type: ignore[no-any-return]

    def __next__(self: Any) -> Any:
        try:
            chunk = next(self._watched_iterator)
        except (StopIteration, GeneratorExit):
            self._watched_watcher.finish()
            raise
        except BaseException as error:
            self._watched_watcher.fail(error)
            raise
        self._watched_watcher.take(chunk)
        return chunk


class _IteratedAsync:
    __slots__ = ()

    def __aiter__(self: Any) -> AsyncIterator[Any]:
        object.__setattr__(self, "_watched_iterator", aiter(self._watched_stream))
        return self  # type: ignore[no-any-return]

    async def __anext__(self: Any) -> Any:
        try:
            chunk = await self._watched_iterator.__anext__()
        except (StopAsyncIteration, GeneratorExit):
            self._watched_watcher.finish()
            raise
        except BaseException as error:
            self._watched_watcher.fail(error)
            raise
        self._watched_watcher.take(chunk)
        return chunk


class _Entered:
    __slots__ = ()

    def __enter__(self: Any) -> Any:
        try:
            entered = self._watched_stream.__enter__()
        except BaseException as error:
            self._watched_watcher.fail(error)
            raise
        return _within(self, entered)

    def __exit__(self: Any, *raised: Any) -> Any:
        self._watched_watcher.finish()
        return self._watched_stream.__exit__(*raised)


class _EnteredAsync:
    __slots__ = ()

    async def __aenter__(self: Any) -> Any:
        try:
            entered = await self._watched_stream.__aenter__()
        except BaseException as error:
            self._watched_watcher.fail(error)
            raise
        return _within(self, entered)

    async def __aexit__(self: Any, *raised: Any) -> Any:
        self._watched_watcher.finish()
        return await self._watched_stream.__aexit__(*raised)


#: What a stream can do, and who watches it do so: a watched stream can do what the stream can, and no more.
_ABILITIES: Final = {
    "__iter__": _Iterated,
    "__aiter__": _IteratedAsync,
    "__enter__": _Entered,
    "__aenter__": _EnteredAsync,
}


def _within(watched: Any, entered: Any) -> Any:
    """Return what a `with` gives: the stream itself, or one that its manager opens. This one keeps the manager."""
    if entered is watched._watched_stream:
        return watched
    return _watched(entered, watched._watched_watcher, watched)


def _watched(stream: Any, watcher: _Watcher, outer: Any = None) -> Any:
    kind: Any = stream.__class__
    watched = _class_for(kind)(stream, watcher, outer)
    if outer is None:
        weakref.finalize(watched, watcher.abandon).atexit = False
    return watched


@lru_cache(maxsize=256)
def _class_for(kind: type) -> Callable[[Any, _Watcher, Any], _Watched]:
    abilities = tuple(ability for name, ability in _ABILITIES.items() if hasattr(kind, name))
    passed = {name: _passed(name) for name in _PASSED if hasattr(kind, name)}
    return type(f"Watched{kind.__name__}", (*abilities, _Watched), {"__slots__": (), **passed})


def _passed(name: str) -> Callable[..., Any]:
    def passed(self: Any, *arguments: Any, **named: Any) -> Any:
        return getattr(self._watched_stream, name)(*arguments, **named)

    return passed
