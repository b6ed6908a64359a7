"""A decorator that makes an observation of every call of a function."""

from __future__ import annotations

import contextlib
import inspect
import time
import weakref
from collections.abc import Callable, Coroutine, Iterable, Mapping
from functools import partial, wraps
from types import AsyncGeneratorType, CoroutineType, GeneratorType
from typing import TYPE_CHECKING, Any, Final, ParamSpec, TypeVar, overload

from opentelemetry import context as contexts
from opentelemetry.trace import set_span_in_context

from genscope.sdk import notices
from genscope.sdk.attributes import Fields, ObservationType
from genscope.sdk.client import get_client

if TYPE_CHECKING:
    from contextvars import Token

    from opentelemetry.context import Context

    from genscope.sdk.observation import Current, Observation
    from genscope.sdk.results import Pieces

P = ParamSpec("P")
R = TypeVar("R")
#: Types of functions that may return a model's answer, or a stream of it.
_CALLS: Final = frozenset({"generation", "embedding"})
#: How many things that a generator yields are kept for its output. Texts and bytes are kept as far as a value may be long.
MOST_ITEMS: Final = 10_000
_LONG: Final = frozenset({str, bytes, bytearray})


@overload
def observe(function: Callable[P, R], /) -> Callable[P, R]: ...
@overload
def observe(
    *,
    name: str | None = None,
    as_type: ObservationType | None = None,
    capture_input: bool | None = None,
    capture_output: bool | None = None,
    transform_to_string: Callable[[Iterable[Any]], str] | None = None,
) -> Callable[[Callable[P, R]], Callable[P, R]]: ...
def observe(
    function: Callable[..., Any] | None = None,
    /,
    *,
    name: str | None = None,
    as_type: ObservationType | None = None,
    capture_input: bool | None = None,
    capture_output: bool | None = None,
    transform_to_string: Callable[[Iterable[Any]], str] | None = None,
) -> Any:
    """Make an observation of every call: its name, arguments, result, time and exception; what it starts is beneath it.

    For functions, methods, coroutines, generators and async generators, which stay what they are. What a generator yields is
    its output, joined if it is text, or by `transform_to_string`. The input are the arguments by their names. Of a generation or
    embedding, an answer of a model is understood as `update(response=...)` does, and a stream of it,
    returned or yielded, is watched.

    >>> import genscope
    >>> @genscope.observe(as_type="tool")
    ... def search(query: str) -> list[str]:
    ...     return [f"about {query}"]
    >>> search("refunds")
    ['about refunds']
    """
    how = partial(
        _observed,
        name=name,
        as_type=as_type or "span",
        capture_input=capture_input is not False,
        capture_output=capture_output is not False,
        joined=transform_to_string,
    )
    return how if function is None else how(function)


def _observed(function: Any, **how: Any) -> Any:
    if isinstance(function, classmethod | staticmethod):
        return type(function)(_observed(function.__func__, **how))
    if not callable(function) or isinstance(function, type):
        notices.warn("%r cannot be observed: `observe` is for functions, beneath `property` and the like", function)
        return function
    calls = _Calls(function, **how)
    for is_one, wrapped in _KINDS:
        if is_one(function):
            return wrapped(function, calls)
    return _function(function, calls)


class _Calls:
    """What is recorded of the calls of a function."""

    def __init__(
        self,
        function: Callable[..., Any],
        name: str | None,
        as_type: ObservationType,
        capture_input: bool,
        capture_output: bool,
        joined: Callable[[Iterable[Any]], str] | None,
    ) -> None:
        self._name = name or getattr(function, "__name__", type(function).__name__)
        self._type = as_type
        #: Whether the function may call a model, and return or yield its answer.
        self.call = as_type in _CALLS
        self._capture_input = capture_input
        self._capture_output = capture_output
        self._joined = joined
        self._names, self._rest = _parameters(function)

    def begin(self, arguments: tuple[Any, ...], named: dict[str, Any]) -> Current:
        """Return what records one call while it is entered."""
        fields = self._fields(arguments, named)
        return get_client().start_as_current_observation(self._name, as_type=self._type, **fields)

    def start(self, arguments: tuple[Any, ...], named: dict[str, Any]) -> Observation:
        """Begin to record one call."""
        return get_client().start_observation(self._name, as_type=self._type, **self._fields(arguments, named))

    def _fields(self, arguments: tuple[Any, ...], named: dict[str, Any]) -> Fields:
        """Return arguments by their names, without `self` and `cls`, as the input."""
        if not self._capture_input:
            return {}
        told = dict(zip(self._names, arguments, strict=False))
        if len(arguments) > len(self._names):
            told[self._rest] = arguments[len(self._names) :]
        told.update(named)
        told.pop("self", None)
        told.pop("cls", None)
        return {"input": told or None}

    def returned(self, observation: Observation, result: Any) -> Any:
        """Record what a call returned, and return it. What goes on after the call is recorded until it ends."""
        if not observation.recorded:
            return result
        observation._quiet = not self._capture_output
        if (goes_on := _GOING_ON.get(type(result))) is not None:
            run = _Run(observation._hold(), self.call)
            going_on = goes_on(lambda: result, self, run)()
            weakref.finalize(going_on, run.dropped)
            return going_on
        return observation._returned(result, self.call)

    def ended(self, run: _Run) -> None:
        """Record what was yielded, and let the observation end."""
        if run.observation.recorded:
            run.observation._quiet = not self._capture_output
            run.tell(self._joined)
        run.observation._release()


class _Run:
    """A call that goes on for a while, and what it yields, as far as that is kept."""

    def __init__(self, observation: Observation, call: bool) -> None:
        self.observation = observation
        self.begun = False
        #: With what it was given up between two steps, which is no failure of its own.
        self.left: BaseException | None = None
        #: OpenTelemetry's context within; None where nothing is recorded, so that there is nothing to change.
        span = observation.span
        self._inside = set_span_in_context(span) if span.get_span_context().is_valid else None
        self._token: Token[Context] | None = None
        self._items: list[Any] = []
        self._answer: Pieces | None = None
        self._first: int | None = None
        if call and observation.recorded:
            from genscope.sdk.results import Pieces  # noqa: PLC0415 - only who calls models needs it

            self._answer = Pieces()
        self._left = observation._client.settings.max_value_bytes if observation.recorded else 0

    def __enter__(self) -> None:
        """Go on for a step: until it yields, what it starts is beneath the observation."""
        self._token = None if self._inside is None else contexts.attach(self._inside)

    def __exit__(self, *_: object) -> None:
        """Leave what is current to who called."""
        if self._token is not None:
            self._inside = contexts.get_current()
            with contextlib.suppress(
                ValueError
            ):  # whoever drives a coroutine by hand may end a step in another context
                self._token.var.reset(self._token)

    def add(self, item: Any) -> None:
        """Keep what was yielded, unless there is too much of it."""
        if self._answer is not None and self._answer.add(item) and self._first is None:
            self._first = time.time_ns()
        if self._left > 0 and len(self._items) < MOST_ITEMS:
            self._items.append(item)
            self._left -= len(item) if type(item) in _LONG else 0

    def tell(self, joined: Callable[[Iterable[Any]], str] | None) -> None:
        """Record what was yielded: the answer of a model, if it is one, else as one value."""
        understood = False
        if self._answer is not None:
            result = self._answer.result()
            # Texts may be told between chunks of no known kind.
            understood = result.output is not None and not any(type(item) is str for item in self._items)
            self.observation._answered(result, self._first)
        if not self.observation._quiet and (joined is not None or not understood):
            self.observation.update(output=self._whole(joined))

    def _whole(self, joined: Callable[[Iterable[Any]], str] | None) -> Any:
        items = self._items
        if joined is not None:
            try:
                return joined(items)
            except Exception as error:  # it is the application's
                notices.once(("joined", type(error)), "transform_to_string raised %r; the list is recorded", error)
        return "".join(items) if items and all(issubclass(type(item), str) for item in items) else items or None

    def dropped(self) -> None:
        """Nobody can go on with it; if it never began, nothing else ends the observation."""
        if not self.begun:
            self.observation.end()


def _parameters(function: Callable[..., Any]) -> tuple[list[str], str]:
    """Return the names of a function's parameters that are given by place, and of what takes the others."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):  # some of C
        return [], "args"
    rest = [one.name for one in parameters if one.kind is one.VAR_POSITIONAL]
    return [one.name for one in parameters if one.kind in _PLACED], rest[0] if rest else "args"


_PLACED: Final = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)


def _function(function: Callable[..., Any], calls: _Calls) -> Callable[..., Any]:
    @wraps(function)
    def observed(*arguments: Any, **named: Any) -> Any:
        with calls.begin(arguments, named) as observation:
            return calls.returned(observation, function(*arguments, **named))

    return observed


def _coroutine_function(function: Callable[..., Any], calls: _Calls) -> Callable[..., Any]:
    @wraps(function)
    async def observed(*arguments: Any, **named: Any) -> Any:
        with calls.begin(arguments, named) as observation:
            return calls.returned(observation, await function(*arguments, **named))

    return observed


def _awaited(returned: Callable[[], Coroutine[Any, Any, Any]], calls: _Calls, run: _Run) -> Callable[[], Any]:
    """As `_coroutine_function`, for a coroutine that an ordinary function returned."""

    async def observed() -> Any:
        run.begun = True
        try:
            with run:
                result = await returned()
            return calls.returned(run.observation, result)
        except BaseException as error:
            run.observation.fail(error)
            raise
        finally:
            run.observation._release()

    return observed


def _generator_function(function: Callable[..., Any], calls: _Calls, started: _Run | None = None) -> Callable[..., Any]:
    @wraps(function)
    def observed(*arguments: Any, **named: Any) -> Any:
        run = started or _Run(calls.start(arguments, named)._hold(), calls.call)
        run.begun = True
        try:
            with run:
                inner = function(*arguments, **named)
            step: Callable[[Any], Any] = inner.send
            given: Any = None
            while True:
                try:
                    with run:
                        item = step(given)
                except StopIteration as stop:
                    return stop.value
                run.add(item)
                try:
                    step, given = inner.send, (yield item)
                except GeneratorExit:
                    with run:
                        inner.close()
                    raise
                except BaseException as error:
                    step, given = inner.throw, error
        except BaseException as error:
            run.observation.fail(error)
            raise
        finally:
            calls.ended(run)

    return observed


def _async_generator_function(
    function: Callable[..., Any], calls: _Calls, started: _Run | None = None
) -> Callable[..., Any]:
    @wraps(function)
    async def observed(*arguments: Any, **named: Any) -> Any:
        run = started or _Run(calls.start(arguments, named)._hold(), calls.call)
        run.begun = True
        try:
            with run:
                inner = function(*arguments, **named)
            step: Callable[[Any], Any] = inner.asend
            given: Any = None
            while True:
                try:
                    with run:
                        item = await step(given)
                except StopAsyncIteration:
                    return
                run.add(item)
                try:
                    step, given = inner.asend, (yield item)
                except GeneratorExit:
                    with run:
                        await inner.aclose()
                    raise
                except BaseException as error:
                    from asyncio import CancelledError  # noqa: PLC0415 - who is here has imported it, others need not

                    step, given = inner.athrow, error
                    if isinstance(error, CancelledError):  # whoever reads was cancelled, or the loop ends
                        run.left = error
        except BaseException as error:
            if error is not run.left:
                run.observation.fail(error)
            raise
        finally:
            calls.ended(run)

    return observed


#: How functions of each kind are observed.
_KINDS: Final[tuple[tuple[Callable[[Any], bool], Callable[..., Any]], ...]] = (
    (inspect.isasyncgenfunction, _async_generator_function),
    (inspect.isgeneratorfunction, _generator_function),
    (inspect.iscoroutinefunction, _coroutine_function),
)
#: What a function may return that goes on after it, and how that is observed. By its very type: others may do anything when asked.
_GOING_ON: Final[Mapping[type, Callable[[Callable[[], Any], _Calls, _Run], Any]]] = {
    AsyncGeneratorType: _async_generator_function,
    GeneratorType: _generator_function,
    CoroutineType: _awaited,
}
