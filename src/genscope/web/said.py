"""How scores read."""

from __future__ import annotations

from genscope.model import Score


def score_value(score: Score) -> str:
    """Return what a score says as text: a number, yes or no, a category or a text."""
    if score.data_type == "BOOLEAN" and score.value is not None:
        return "yes" if score.value else "no"
    return score.string_value if score.string_value is not None else f"{score.value or 0:g}"
