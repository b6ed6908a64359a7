"""What users and applications say about a thing afterwards: feedback and metrics."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256
from typing import Any, Final

from genscope.model import Entity, Json, Score
from genscope.receive.maxim.values import content, mapping, typed
from genscope.receive.maxim.values import metrics as decode_metrics
from genscope.receive.otlp_span import MalformedError

SESSION: Final = "session"
#: The name of the score that is a user's feedback; a thing has one.
FEEDBACK: Final = "feedback"


def feedback(about: Entity, data: Mapping[str, Any], clock: int) -> Score:
    """What a user thinks: `score`, a comment (`feedback` in the examples for TypeScript), and whatever else there is.

    Raises:
        MalformedError: it says nothing.
    """
    told = mapping(dict(data))
    comment = content(told.pop("comment", None)) or content(told.pop("feedback", None))
    value = told.pop("score", comment)
    if not isinstance(value, bool | int | float | str):
        raise MalformedError("the feedback has neither a score nor a comment")
    score = _score(about, "FEEDBACK", FEEDBACK, value, clock)
    score.comment = comment
    more = told.pop("metadata", None)
    score.metadata = {key: typed(entry) for key, entry in (told | (more if isinstance(more, dict) else {})).items()}
    return score


def metrics(about: Entity, value: Json, clock: int) -> list[Score]:
    """What the application measured, a score each. Raises MalformedError for what is no number."""
    return [_score(about, "METRIC", name, number, clock) for name, number in decode_metrics(value).items()]


def _score(about: Entity, source: str, name: str, value: bool | float | str, clock: int) -> Score:
    named = "\0".join((about.repository or "", about.kind, about.id, source, name))
    score = Score(sha256(named.encode()).hexdigest()[:32], name, clock, source=source, protocol="maxim")
    score.repository, score.revision = about.repository, clock
    if about.kind == SESSION:
        score.session_id = about.id
    if isinstance(value, str):
        score.data_type, score.string_value = ("TEXT" if source == "FEEDBACK" else "CATEGORICAL"), value
    else:
        score.data_type, score.value = ("BOOLEAN" if isinstance(value, bool) else "NUMERIC"), float(value)
    return score
