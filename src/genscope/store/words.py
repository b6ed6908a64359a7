"""Words that a prompt or completion says, as a condition: found by the inverted indexes of schema/0020_words.sql.

Case does not count, and words are found whole. Of several words each has to follow the one before, with nothing but spaces,
punctuation and ends of lines between them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from typing import Final

from genscope.store.sql import sql

_WORD: Final = re.compile(r"[^\W_]+")
#: Letters of scripts that put no spaces between words: Thai to Khmer, Chinese, Japanese, Korean with its endings.
_UNSPACED: Final = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff\uff66-\uff9f\U00020000-\U0003ffff]"
)
#: What stands between words, for the engine's regular expressions; within JSON also the escape of a line's end.
_AMONG: Final = r"(?:[^\pL\pN]|\\[bfnrt])"


def said(
    text: str,
    columns: Sequence[str],
    scope: str,
    bind: Callable[[str], str],
) -> str:
    """Return the SQL of the condition that one of the columns, `input` and `output`, says this text.

    Args:
        text: a word or more.
        columns: where it may stand.
        scope: SQL of the project and the range of time that are asked about.
        bind: makes a parameter of a text.
    """
    words = _WORD.findall(text)
    # Text within JSON is escaped, by some senders all that is not ASCII.
    spellings = list(dict.fromkeys((" ".join(words), json.dumps(" ".join(words))[1:-1])))
    tokens = [bind(spelling) for spelling in spellings]
    expression = bind(pattern(words))

    def indexed(column: str) -> str:
        found = " OR ".join(f"hasAllTokens({column}, {token})" for token in tokens)
        # The index knows where a word of ASCII begins and ends, but neither what stands beside it nor that of other letters.
        return f"({found})" if len(words) == 1 and text.isascii() else f"(({found}) AND {matched(column)})"

    def matched(column: str) -> str:
        return f"match(ifNull({column}, ''), {expression})"

    return sql("words").substitute(
        scope=scope,
        indexed=" OR ".join(indexed(column) for column in columns),
        said=" OR ".join(matched(column) for column in columns),
        appended=f"arrayExists(part -> match(part, {expression}), mapValues(input_parts))"
        if "input" in columns
        else "false",
    )


def pattern(words: Sequence[str]) -> str:
    """Return a regular expression of the engine for these words in their order."""
    # Scripts without spaces have no ends of words.
    before = "" if _UNSPACED.match(words[0]) else rf"(?:^|{_AMONG})"
    after = "" if _UNSPACED.match(words[-1][-1]) else r"(?:$|[^\pL\pN])"
    plain = f"{_AMONG}+".join(re.escape(word) for word in words)
    escaped = f"{_AMONG}+".join(re.escape(json.dumps(word)[1:-1]) for word in words)
    return f"(?i){before}(?:{'|'.join(dict.fromkeys((plain, escaped)))}){after}"
