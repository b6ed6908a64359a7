"""Text to JSON, also where strict readers are right to refuse it but senders write it all the same."""

from __future__ import annotations

import json
import re
from math import isfinite
from typing import Any, Final

import orjson

from genscope.receive.errors import BadRequest
from genscope.receive.otlp_span import MAX_DEPTH, json_text

#: In order: an escaped pair of surrogates, half a pair, any other escape.
_SURROGATES: Final = re.compile(
    r"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|(\\u[dD][89a-fA-F][0-9a-fA-F]{2})|\\."
)
_DECIMAL: Final = re.compile(r"-?[0-9]{1,20}", re.ASCII)


def load(body: bytes) -> Any:
    """The JSON value of a body. NaN and infinities are the strings `NaN`, `Infinity` and `-Infinity`, integers beyond 64 bits
    and numbers beyond doubles the text that was sent; halves of surrogate pairs and bytes that are not UTF-8 are U+FFFD.

    Raises BadRequest for what is no JSON, or nests too deeply to be read.
    """
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        pass
    text = _SURROGATES.sub(_surrogate, body.decode("utf-8-sig", errors="replace"))
    try:
        return _LENIENT.decode(text)
    except RecursionError:
        raise BadRequest("The body nests deeper than can be read; flatten the deepest value.") from None
    except ValueError as error:
        raise BadRequest(f"The body is not JSON: {error}.") from error


def _surrogate(match: re.Match[str]) -> str:
    return "\\ufffd" if match[1] else match[0]


def _finite(text: str) -> float | str:
    number = float(text)
    return number if isfinite(number) else text


def _limited(text: str) -> int | str:
    # Larger integers would fit Python but no encoder behind the door.
    return int(text) if _DECIMAL.fullmatch(text) and -(1 << 63) <= int(text) < 1 << 64 else text


_LENIENT: Final = json.JSONDecoder(parse_constant=str, parse_int=_limited, parse_float=_finite, strict=False)


def flattened(value: Any) -> Any:
    """`value`, or a copy in which what lies deeper than `MAX_DEPTH` levels is JSON text, if it nests deeper than can be written."""
    try:
        orjson.dumps(value)
    except TypeError:
        return _flattened(value, MAX_DEPTH)
    return value


def _flattened(value: Any, levels: int) -> Any:
    if not isinstance(value, dict | list):
        return value
    if not levels:
        return json_text(value)
    if isinstance(value, list):
        return [_flattened(item, levels - 1) for item in value]
    return {key: _flattened(item, levels - 1) for key, item in value.items()}
