"""What two failures have in common: the SQL of a short text that is the same for failures of one kind.

A fingerprint is of the place (type and name of the span, type of the exception), of the status that the message tells, and of the
message without what is another each time: the first 16 hexadecimal digits of the MD5 of these lines. It is worked out of the rows
when it is asked for, because a span may arrive in pieces, of which none need know all of it.
It must not change: links and notes name it.
"""

from __future__ import annotations

from typing import Final

#: Characters of a message that are looked at.
LOOKED_AT: Final = 1000

#: What stands for whatever is another each time.
ANY: Final = "*"

#: What in a message is another each time, in this order: (regular expression of RE2, what takes its place).
VARIABLE: Final = (
    # URLs, whatever they lead to.
    (r"(?i)\b[a-z][a-z0-9+.-]*://[^\s\"'<>)\]}]+", ANY),
    # What is quoted, unless the quote is an apostrophe.
    (r'"(?:[^"\\]|\\.)*"', ANY),
    (r"(^|\W)'(?:[^'\\]|\\.)*'", rf"\1{ANY}"),
    (r"`[^`]*`", ANY),
    # Times of day and dates with them.
    (r"\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:[.,]\d+)?)?(?:Z|[+-]\d\d:?\d\d)?)?", ANY),
    (r"(?i)\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b", ANY),
    # Any piece of a path, and any word, that has a digit in it: ids, hexadecimal and other numbers, with sign and unit.
    (r"/[\w.@%+~:=-]*\d[\w.@%+~:=-]*", f"/{ANY}"),
    (r"[-+]?\b\w*\d[\w.,]*(?:-\w*\d\w*)*\b%?", ANY),
    # Hexadecimal numbers may lack digits.
    (r"(?i)\b[0-9a-f]{16,}\b", ANY),
    (rf"\{ANY}(?:[\s,;:]*\{ANY})+", ANY),
    (r"\s+", " "),
)

#: A status of HTTP says what failed, though it is a number. Not only at the begin: `Error code: 429`, `status=503`, `HTTP/1.1 500`.
STATUS: Final = r"(?i)(?:^|\b(?:code|status|error|http(?:/[\d.]+)?)[\W_]{0,3}(?:code[\W_]{0,3})?)([1-5]\d\d)\b"


def _text(value: str) -> str:
    """Return a literal of SQL."""
    return "'{}'".format(value.replace("\\", "\\\\").replace("'", "\\'"))


def _normalised(message: str) -> str:
    for pattern, stand_in in VARIABLE:
        message = f"replaceRegexpAll({message}, {_text(pattern)}, {_text(stand_in)})"
    return f"trim({message})"


#: The exceptions of a span, as its events tell them, the last one first.
_LAST: Final = (
    "arrayLast(event -> JSONExtractString(event, 'name') = 'exception', JSONExtractArrayRaw(ifNull(events, '[]')))"
)
#: The type of the exception that was recorded last, empty without one.
EXCEPTION: Final = f"JSONExtractString({_LAST}, 'attributes', 'exception.type')"
#: What a span says of its failure: the message of its status, else that of its exception; empty without one.
MESSAGE: Final = (
    f"if(ifNull(status_message, '') != '', assumeNotNull(status_message), "
    f"JSONExtractString({_LAST}, 'attributes', 'exception.message'))"
)
#: The message without what is another each time.
NORMALISED: Final = _normalised(f"substringUTF8({MESSAGE}, 1, {LOOKED_AT})")
_STATUS: Final = f"extract(substringUTF8({MESSAGE}, 1, {LOOKED_AT}), {_text(STATUS)})"
_LINES: Final = ("ifNull(type, 'span')", "ifNull(spans.name, '')", EXCEPTION, _STATUS, NORMALISED)
#: The fingerprint of a row of `spans`, NULL where it is no failure.
FINGERPRINT: Final = (
    f"if(level = 'ERROR', lower(hex(substring(MD5(concat({', char(10), '.join(_LINES)})), 1, 8))), NULL)"
)
