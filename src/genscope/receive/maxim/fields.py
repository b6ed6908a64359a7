"""Which entry of a line's data feeds which field of a span: a table for each kind of thing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, TypeAlias

from genscope.conventions.tools import offered
from genscope.model import Json, Patch
from genscope.receive.maxim import result, scores, values

#: Puts a value that is not null into a piece; the last argument is when, in nanoseconds since the epoch.
Teller: TypeAlias = Callable[[Patch, Json, int], None]


def tell(patch: Patch, data: Mapping[str, Any], clock: int) -> None:
    """Put all that `data` say into a piece: what no table knows is kept as an attribute.

    Raises:
        MalformedError: a value is not of its type.
    """
    tellers = TELLERS[patch.entity.kind]
    for key, value in data.items():
        if value is None:
            continue
        teller = tellers.get(key)
        if teller is None:
            patch.span.attributes[key] = value
        else:
            teller(patch, value, clock)


def _field(name: str, decode: Callable[[Json], Any]) -> Teller:
    def teller(patch: Patch, value: Json, _clock: int) -> None:
        setattr(patch.span, name, decode(value))

    return teller


def _nothing(_patch: Patch, _value: Json, _clock: int) -> None:
    """The line itself said it: whose data these are, and what that is a part of."""


def _instant(patch: Patch, value: Json, _clock: int) -> None:
    patch.span.start_time = patch.span.end_time = values.time(value)


def _metrics(patch: Patch, value: Json, clock: int) -> None:
    patch.scores += scores.metrics(patch.entity, value, clock)


def _error(patch: Patch, value: Json, _clock: int) -> None:
    result.tell_error(patch.span, value)


def _name_of_trace(patch: Patch, value: Json, _clock: int) -> None:
    patch.span.name = patch.span.trace_name = values.text(value)


def _metadata_of_trace(patch: Patch, value: Json, _clock: int) -> None:
    patch.span.metadata = values.metadata(value)
    patch.span.trace_metadata = dict(patch.span.metadata)


def _model(patch: Patch, value: Json, _clock: int) -> None:
    """The model that was asked for, which gives way to the one that answered and stays an attribute."""
    patch.span.model = values.text(value)
    if patch.span.model:
        patch.span.model_rule = "maxim model"
        patch.span.attributes["model"] = value


def _provider(patch: Patch, value: Json, _clock: int) -> None:
    patch.span.provider = values.provider(value)
    if patch.span.provider != value:
        patch.span.attributes["provider"] = value


def _parameters(patch: Patch, value: Json, _clock: int) -> None:
    patch.span.model_parameters = values.parameters(value)
    patch.span.tools = offered("generation", None, None, None, patch.span.model_parameters)


def _first_messages(patch: Patch, value: Json, _clock: int) -> None:
    patch.span.input = values.content(list(values.messages(value)))


def _result(patch: Patch, value: Json, _clock: int) -> None:
    result.tell(patch.span, value)


def _cost(patch: Patch, value: Json, _clock: int) -> None:
    result.tell_cost(patch.span, value, "maxim cost")


_OF_ALL: Final[Mapping[str, Teller]] = {
    "id": _nothing,
    "spanId": _nothing,
    "name": _field("name", values.text),
    "tags": _field("tags", values.tags),
    "metadata": _field("metadata", values.metadata),
    "metrics": _metrics,
    "startTimestamp": _field("start_time", values.time),
    "endTimestamp": _field("end_time", values.time),
    "error": _error,
}
_INPUT: Final = _field("input", values.content)
_OUTPUT: Final = _field("output", values.content)

TELLERS: Final[Mapping[str, Mapping[str, Teller]]] = {
    "trace": {
        **_OF_ALL,
        "name": _name_of_trace,
        "metadata": _metadata_of_trace,
        "sessionId": _field("session_id", values.text),
        "input": _INPUT,
        "output": _OUTPUT,
    },
    "span": {**_OF_ALL, "input": _INPUT, "output": _OUTPUT},
    "generation": {
        **_OF_ALL,
        "messages": _first_messages,
        "model": _model,
        "provider": _provider,
        "modelParameters": _parameters,
        "maximPromptId": _field("prompt_name", values.text),
        "maximPromptVersionId": _field("prompt_version", values.text),
        "result": _result,
        "cost": _cost,
    },
    "retrieval": {**_OF_ALL, "input": _INPUT, "docs": _OUTPUT, "output": _OUTPUT},
    "tool_call": {**_OF_ALL, "args": _INPUT, "result": _OUTPUT},
    "event": {**_OF_ALL, "timestamp": _instant},
}
