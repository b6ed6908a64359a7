"""What a list reads of a span: the light columns whole, of a text what tells most of it, and of the heavy ones nothing."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from genscope.query.filter import Filter, Not, leaves
from genscope.store.rows import COLUMNS
from genscope.store.where import COST_MISSING, Where

PREVIEW: Final = 400
#: A preview that leaves nothing out.
WHOLE: Final = 2**31 - 1
#: Characters of a passage that stand before the word that was looked for.
BEFORE: Final = 100
#: What stands where text was left out: between the beginning and the end of an input, or before a passage from its middle.
CUT: Final = " … "
#: Columns that lists leave out (the text that stands in for them).
HEAVY: Final = {
    "attributes": "map()",
    "events": "NULL",
    "links": "NULL",
    "resource": "NULL",
    "scope_attributes": "NULL",
    "input_parts": "map()",
}
#: The end of an input: what was appended last (see schema/0004_pieces.sql), if anything was.
LAST_PART: Final = "if(notEmpty(input_parts), substring(arrayMin(mapValues(input_parts)), 17), input)"
PREVIEWED: Final = ("output", "trace_input", "trace_output")
#: Words of these fields are looked for in this column.
SEARCHED: Final = {"input": ("text", "input"), "output": ("text", "output")}
_APART: Final = re.compile(r"[\W_]+")
#: What may stand between the words of a phrase; in a text within JSON also the escape of a line's end.
_AMONG: Final = r"(?:[\W_]|\\[bfnrt])+"
#: A letter that words of its script have spaces between.
_SPACED: Final = re.compile("[0-9A-Za-z]")
#: Where a word begins and ends.
_BEGIN: Final = r"(?:\b|\\[bfnrt])"
_END: Final = r"\b"


def words(filter: Filter, fields: Iterable[str] = ("text", "input", "output")) -> list[str]:
    """Return the words and phrases that a filter looks for in prompts and completions."""
    asked = leaves(part for part in filter.conditions if not isinstance(part, Not))
    found = (leaf.values[0] for leaf in asked if leaf.field in fields and leaf.operator == "contains")
    return list(dict.fromkeys(found))


def pattern(words: Iterable[str]) -> str:
    """Return a regular expression of some words and phrases, whatever stands between the words of a phrase.

    It is one for Python and for the engine; both must ignore case.
    """
    phrases = [_APART.sub(" ", text).split() for text in words]
    texts = sorted((_AMONG.join(phrase) for phrase in phrases if phrase), key=len, reverse=True)
    return "|".join(
        f"{_BEGIN if _SPACED.match(text) else ''}{text}{_END if _SPACED.match(text[-1]) else ''}" for text in texts
    )


def columns(*, full: bool, condition: Where, filter: Filter) -> str:
    """Return the columns to be read, whole or as a list shows them: with the passages in which a filter's words stand."""
    if full:
        return ", ".join(_whole(column) for column in COLUMNS)
    return ", ".join(_light(column, condition, filter) for column in COLUMNS)


def _whole(column: str) -> str:
    return f"{COST_MISSING} AS cost_missing" if column == "cost_missing" else column


def _light(column: str, condition: Where, filter: Filter) -> str:
    if column in SEARCHED and (looked_for := words(filter, SEARCHED[column])):
        return f"{_passage(column, condition.bind(f'(?i){pattern(looked_for)}'))} AS {column}"
    if column in ("input", *PREVIEWED):
        return f"{_ends(column)} AS {column}"
    return f"{HEAVY[column]} AS {column}" if column in HEAVY else _whole(column)


def _ends(column: str) -> str:
    head = f"substringUTF8({column}, 1, {PREVIEW})"
    if column != "input":
        return head
    # The question stands at the end of a long conversation.
    cut = f"lengthUTF8(input) > {3 * PREVIEW} OR notEmpty(input_parts)"
    return f"if({cut}, concat(ifNull({head}, ''), '{CUT}', substringUTF8({LAST_PART}, -{PREVIEW})), input)"


def _passage(column: str, expression: str) -> str:
    """Return the SQL of the text around the first hit, if that lies in the middle of a text that would be cut."""
    before = f"lengthUTF8(splitByRegexp({expression}, ifNull({column}, ''), 1)[1])"
    inside = (
        f"lengthUTF8({column}) > {3 * PREVIEW} AND {before} BETWEEN {PREVIEW - BEFORE} AND lengthUTF8({column}) - 1"
    )
    passage = f"concat('{CUT}', substringUTF8({column}, {before} - {BEFORE} + 1, {PREVIEW}))"
    return f"if({inside}, {passage}, {_ends(column)})"
