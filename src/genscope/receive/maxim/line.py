"""One line of the log: `entity{id=...,action=...,data=...}`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final

import orjson

from genscope.receive.errors import BadRequest
from genscope.receive.json_body import load
from genscope.receive.maxim.values import moment_in
from genscope.receive.otlp_span import MalformedError, bound_values

#: Characters of an id. The SDKs make UUIDs; users put in what their requests are called by.
LONGEST_ID: Final = 512
#: Brackets below which JSON cannot be nested too deeply to be written again (orjson writes 254 levels).
_SHALLOW: Final = 200
#: All before the data. Go and Java send any id, one with a comma as well, so that it ends only where the action begins.
_HEAD: Final = re.compile(rb"(\w+)\{id=(.*?),action=([^,]*),data=", re.DOTALL)


@dataclass(slots=True)
class Line:
    """A line that was read, but not yet understood."""

    entity: str
    id: str
    action: str
    data: Any
    #: When it happened by the sender's clock, nanoseconds since the epoch, if it says so.
    moment: int | None
    text: bytes

    @property
    def digest(self) -> str:
        """Names what this line tells of, where its sender gave it no name; the same for a line that is sent again."""
        return sha256(self.text).hexdigest()[:16]

    @property
    def object(self) -> dict[str, Any]:
        """The data as an object, null as an empty one. Raises MalformedError if it is something else."""
        if self.data is None:
            return {}
        if isinstance(self.data, dict):
            return self.data
        raise MalformedError("the data is no JSON object")


def parse(text: bytes, max_value_bytes: int) -> Line:
    """Read a line. Raises MalformedError if it is none."""
    text = text.strip(b"\r ")
    head = _HEAD.match(text)
    if head is None or not text.endswith(b"}"):
        raise MalformedError("the line is not of the form entity{id=...,action=...,data=...}")
    try:
        entity, identity, action = (part.decode() for part in head.groups())
    except UnicodeDecodeError:
        raise MalformedError("the entity, id or action is not UTF-8") from None
    data = _json(text[head.end() : -1])
    if len(text) * 3 > max_value_bytes:
        bound_values(holder := {"data": data}, max_value_bytes)
        data = holder["data"]
    return Line(entity, checked_id(identity), action, data, moment_in(data), text)


def checked_id(value: Any) -> str:
    """Return an id, which JavaScript may have as a number. Raises MalformedError if it is missing, neither or too long."""
    named = str(value) if type(value) is int else value
    if isinstance(named, str) and 0 < len(named) <= LONGEST_ID:
        return named
    raise MalformedError(f"an id is missing, no text or longer than {LONGEST_ID} characters")


def _json(text: bytes) -> Any:
    try:
        value = load(text)
        if len(text) > _SHALLOW and text.count(b"[") + text.count(b"{") > _SHALLOW:
            orjson.dumps(value)
    except BadRequest as error:
        raise MalformedError(f"the data is no JSON: {error.__cause__ or 'it nests too deeply'}") from None
    except TypeError:
        raise MalformedError("the data nests too deeply to be kept") from None
    return value
