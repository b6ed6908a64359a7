"""Maxim's commit log: lines of what happened to a session, a trace or a thing within one, in any order, as pieces of spans.

Source: the wire format of maxim-py 3.14, @maximai/maxim-js 6.29, maxim-go and Maxim's SDK for Java; see docs/maxim.md.
"""

from __future__ import annotations

from typing import Final

from genscope.model import Pieces
from genscope.receive.errors import TooLarge
from genscope.receive.maxim.actions import ACTIONS, Batch, unknown
from genscope.receive.maxim.line import Line, parse
from genscope.receive.otlp_span import MalformedError

#: Lines of one request. The SDKs send at most 5 MiB or what gathered in ten seconds.
MAX_LINES: Final = 100_000


def decode(body: bytes, *, repository: str, now: int, max_value_bytes: int) -> Pieces:
    """Decode the lines of a request, which is always of one log repository. A line that cannot be taken is rejected alone.

    Args:
        body: lines, with a newline (and nothing else) between them.
        repository: the log repository that they were sent to.
        now: nanoseconds since the epoch; things that have no time of their own happened then.
        max_value_bytes: bytes of UTF-8 in one text before it is cut.

    Raises:
        TooLarge: there are more lines than one request may carry.
    """
    count = body.count(b"\n")
    if count > MAX_LINES:
        raise TooLarge(f"The request has {count} lines, {MAX_LINES} are the limit: send fewer at a time.")
    batch = Batch(repository, now)
    lines: list[tuple[int, Line]] = []
    for number, text in enumerate(body.split(b"\n"), 1):
        if text.strip():
            batch.turn_to(number)
            try:
                lines.append((number, parse(text, max_value_bytes)))
            except MalformedError as error:
                batch.reject(text, str(error))
    # Some things are told without a time: they happened between the lines before and behind that have one.
    batch.clock = next((line.moment for _, line in lines if line.moment is not None), now)
    for number, line in lines:
        batch.turn_to(number, line.moment)
        try:
            ACTIONS.get((line.entity, line.action), unknown)(batch, line)
        except MalformedError as error:
            batch.reject(line.text, str(error), line)
    return batch.pieces
