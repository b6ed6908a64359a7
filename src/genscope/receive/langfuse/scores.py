"""Scores as Langfuse's SDKs send them: in events, and to a route of their own.

Typing: a number is NUMERIC and a string CATEGORICAL, unless `dataType` says otherwise.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from math import isfinite
from typing import Any, Final
from uuid import uuid4

from genscope.conventions import environment_name
from genscope.conventions.decode import iso_time
from genscope.model import Json, Pieces, Score, patch_order
from genscope.receive import json_body
from genscope.receive.errors import BadRequest, TooLarge
from genscope.receive.langfuse.bodies import NOTHING, Object, metadata, rejected
from genscope.receive.otlp_span import MalformedError, bound_values

#: Characters of an id.
LONGEST_ID: Final = 800
#: Who may say that a score is theirs.
_SOURCES: Final = ("API", "ANNOTATION", "EVAL")
#: What a score may be about, of which it tells one.
_SUBJECTS: Final = ("traceId", "sessionId", "datasetRunId")


def identity(body: Object, key: str) -> str | None:
    """The id under `key`, None without one. Raises MalformedError for what is none."""
    value = body.get(key)
    if value is None or value == "":
        return None
    if not isinstance(value, str):
        raise MalformedError(f"{key} must be a string, not {type(value).__name__}")
    if len(value) > LONGEST_ID:
        raise MalformedError(f"{key} has {len(value)} characters; {LONGEST_ID} are the limit")
    return value


def score(body: Object, id_: str, time: int, revision: int) -> Score:
    """The score that `body` tells, by the id and at the time (nanoseconds since the epoch) that hold if it tells none.

    Raises MalformedError for one that cannot be taken.
    """
    subjects = [subject for subject in _SUBJECTS if identity(body, subject)]
    if len(subjects) != 1:
        raise MalformedError(f"a score is about one of {', '.join(_SUBJECTS)}; this one tells {len(subjects)} of them")
    observation = identity(body, "observationId")
    if observation and subjects != ["traceId"]:
        raise MalformedError("a score about an observation needs its traceId as well")
    name = body.get("name")
    if not isinstance(name, str) or not name:
        raise MalformedError("name must be a string that is not empty")
    data_type, value, string_value = _typed(body.get("dataType"), body.get("value"))
    comment, environment = body.get("comment"), body.get("environment")
    told = metadata(body.get("metadata"), NOTHING) or {}
    run = identity(body, "datasetRunId")
    return Score(
        id=identity(body, "id") or id_,
        name=name,
        time=iso_time(body.get("timestamp"), NOTHING) or time,
        data_type=data_type,
        value=value,
        string_value=string_value,
        comment=comment if isinstance(comment, str) and comment else None,
        trace_id=identity(body, "traceId"),
        span_id=observation,
        session_id=identity(body, "sessionId"),
        source=next((source for source in _SOURCES if source == body.get("source")), "API"),
        environment=environment_name(environment) if isinstance(environment, str) else None,
        config_id=identity(body, "configId"),
        # There are no runs of datasets here; whose score it is stays known.
        metadata=told | {"datasetRunId": run} if run else told,
        revision=revision,
    )


def _typed(data_type: Json, value: Json) -> tuple[str, float | None, str | None]:
    """The type of a score, its value and its text."""
    if data_type is None:
        data_type = "CATEGORICAL" if isinstance(value, str) else "BOOLEAN" if isinstance(value, bool) else "NUMERIC"
    if not isinstance(data_type, str) or data_type not in _VALUES:
        raise MalformedError(f"dataType must be one of {', '.join(_VALUES)}, not {str(data_type)[:40]!r}")
    told = _VALUES[data_type](value)
    if told is None:
        raise MalformedError(f"the value of a {data_type} score must be {_EXPECTED[data_type]}")
    return data_type, *told


def _number(value: Json) -> tuple[float, None] | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return (float(value), None) if isfinite(value) else None


def _boolean(value: Json) -> tuple[float, None] | None:
    return (float(value), None) if isinstance(value, int | float) and value in (0, 1) else None


def _text(value: Json) -> tuple[None, str] | None:
    return (None, value) if isinstance(value, str) else None


_VALUES: Final[Mapping[str, Callable[[Json], tuple[float | None, str | None] | None]]] = {
    "NUMERIC": _number,
    "BOOLEAN": _boolean,
    "CATEGORICAL": _text,
    "TEXT": _text,
    "CORRECTION": _text,
}
_EXPECTED: Final = {
    "NUMERIC": "a finite number",
    "BOOLEAN": "0 or 1",
    **dict.fromkeys(("CATEGORICAL", "TEXT", "CORRECTION"), "a string"),
}


@dataclass(slots=True)
class Scores(Pieces):
    """The scores of a request."""

    #: Whether a list was sent, which is answered otherwise than a single one.
    is_list: bool = False
    #: Why each of the others could not be taken.
    errors: list[str] = field(default_factory=list)


def decode_scores(body: bytes, now: int, *, max_scores: int, max_value_bytes: int) -> Scores:
    """Decode the body of `POST /api/public/scores`: one score, or a list of them.

    One that is not valid is rejected alone. Raises BadRequest if the body is neither, or its only score is not valid, and TooLarge
    for more than `max_scores`.
    """
    sent: Any = json_body.load(body)
    if not isinstance(sent, dict | list):
        raise BadRequest("The body is neither a score nor a list of scores; send {name, value, traceId, ...}.")
    scores = Scores(is_list=isinstance(sent, list))
    items = sent if isinstance(sent, list) else [sent]
    if len(items) > max_scores:
        raise TooLarge(f"The request has {len(items)} scores, {max_scores} are the limit; send fewer at a time.")
    for item in items:
        try:
            scores.scores.append(_one(item, now, max_value_bytes))
        except MalformedError as error:
            scores.errors.append(str(error))
            scores.rejected.append(rejected(str(error), item))
    if scores.errors and not scores.is_list:
        raise BadRequest(f"The score cannot be taken: {scores.errors[0]}.")
    return scores


def _one(sent: Any, now: int, max_value_bytes: int) -> Score:
    if not isinstance(sent, dict):
        raise MalformedError("a score must be an object")
    body = json_body.flattened(sent)
    bound_values(body, max_value_bytes)
    return score(body, uuid4().hex, now, patch_order(1, now))
