"""Words that a prompt or completion says, as a condition: found by the inverted indexes of schema/0020_words.sql.

Case does not count. What is more than one word stands in the text as it was asked for, between ends of words.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from typing import Final

from genscope.store.sql import sql

#: Characters of scripts without spaces between words, of which the index knows no part: Thai to Khmer, Chinese, Japanese, Korean.
_UNSPACED: Final = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff\uff66-\uff9f\U00020000-\U0003ffff]"
)
_ONE_WORD: Final = re.compile(r"[0-9A-Za-z\u0080-\U0010ffff]+")
#: Merged rows hide from the optimiser, which would ask the index of their pieces.
_HIDDEN: Final = "concat({column}, '')"


def said(
    text: str, columns: Sequence[str], scope: str, bind: Callable[[str], str], bind_list: Callable[[Sequence[str]], str]
) -> str:
    """Return the SQL of the condition that one of the columns, `input` and `output`, says this text.

    Args:
        text: a word or more.
        columns: where it may stand.
        scope: SQL of the project and the range of time that are asked about.
        bind: makes a parameter of a text.
        bind_list: makes a parameter of a list of texts.
    """
    # Text within JSON is escaped, by some senders all that is not ASCII.
    spellings = list(dict.fromkeys((text, json.dumps(text, ensure_ascii=False)[1:-1], json.dumps(text)[1:-1])))
    anywhere = bind_list(spellings)
    tokens = [bind(spelling) for spelling in spellings] if not _UNSPACED.search(text) else []
    whole = bool(_ONE_WORD.fullmatch(text)) and text.isascii()

    def match(column: str, where: str) -> str:
        found = f"multiSearchAnyCaseInsensitiveUTF8(ifNull({where}, ''), {anywhere})"
        if not tokens:
            return found
        words = " OR ".join(f"hasAllTokens({column}, {token})" for token in tokens)
        return f"({words})" if whole else f"(({words}) AND {found})"

    indexed = " OR ".join(match(column, column) for column in columns)
    merged = " OR ".join(
        f"multiSearchAnyCaseInsensitiveUTF8(ifNull({_HIDDEN.format(column=column)}, ''), {anywhere})"
        for column in columns
    )
    appended = f"arrayExists(part -> multiSearchAnyCaseInsensitiveUTF8(part, {anywhere}), mapValues(input_parts))"
    return sql("words").substitute(
        scope=scope, indexed=indexed, said=merged, appended=appended if "input" in columns else "false"
    )
