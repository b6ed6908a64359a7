"""A trace as one dialogue: what each call to a model was given anew and answered, its tools' results beside their calls.

Every call carries the whole history of its conversation again. A call goes on where the earlier one left off whose messages it
repeats most of, in their order; what is left is new. So conversations side by side, as of sub-agents, are told apart.
"""

from __future__ import annotations

import json
from bisect import bisect_right
from collections import Counter
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from genscope import messages as conversations
from genscope.messages import decode, speaker
from genscope.model import Json, Span
from genscope.web.media import Address, nowhere
from genscope.web.messages import Message, Part, clip, conversation, paired, results, shown
from genscope.web.tree import Row

#: Characters of one turn that are shown; its span has the rest.
MAX_TURN: Final = 30_000
#: Conversations that go on beside each other.
MAX_THREADS: Final = 16

#: What makes two messages the same, whatever form they were sent in.
_Key: TypeAlias = Hashable


@dataclass(frozen=True, slots=True)
class Turn:
    """One call to a model, or to a tool that no message tells of."""

    span: Span
    #: The agents that it is a part of, the outermost first.
    agents: tuple[Span, ...]
    #: Messages that it was given again.
    repeated: int
    given: list[Message]
    answered: list[Message]
    #: Characters left out of both.
    hidden: int


def agents(rows: Iterable[Row]) -> dict[str, tuple[Span, ...]]:
    """Return the agents around each span of a tree, the outermost first."""
    around: dict[str, tuple[Span, ...]] = {}
    above: list[tuple[Span, ...]] = []
    for row in rows:
        del above[row.depth :]
        outside = above[-1] if above else ()
        around[row.span.span_id] = outside
        above.append((*outside, row.span) if row.span.type == "agent" else outside)
    return around


def turns(spans: Sequence[Span], around: dict[str, tuple[Span, ...]], address: Address = nowhere) -> list[Turn]:
    """Return whole spans, in the order of their start, as the turns of a dialogue."""
    threads: list[list[_Key]] = []
    told: list[tuple[Span, int, list[Message], list[Message]]] = []
    for span in spans:
        if span.type != "generation":
            given = conversation(span.input, speaker(span.type, "input"), address)
            told.append((span, 0, given, conversation(span.output, speaker(span.type, "output"), address)))
            continue
        given_whole = conversations.conversation(span.input, speaker(span.type, "input"))
        answer = conversations.conversation(span.output, speaker(span.type, "output"))
        keys = [_key(message) for message in given_whole]
        thread, repeated = _continued(keys, threads)
        # Another conversation may begin with the same instructions; one that has it all takes its place.
        if thread is not None and len(repeated) >= len(threads[thread]) - 1:
            del threads[thread]
        threads.append([*keys, *map(_key, answer)])
        del threads[:-MAX_THREADS]
        new = [message for index, message in enumerate(given_whole) if index not in repeated]
        told.append((span, len(repeated), shown(new, address), shown(answer, address)))
    return _beside(told, around)


def _beside(
    told: list[tuple[Span, int, list[Message], list[Message]]], around: dict[str, tuple[Span, ...]]
) -> list[Turn]:
    """Put results beside the calls that they answer, wherever in the dialogue they were told."""
    spoken = [one for one in told if one[0].type == "generation"]
    known: dict[str, Part] = {}
    for _, _, given, _ in spoken:
        for id_, result in results(given).items():
            known.setdefault(id_, result)
    answered = Counter(
        part.name for *_, said in spoken for message in said for part in message.parts if part.id in known and part.name
    )
    calls = {part.id for *_, said in spoken for message in said for part in message.parts if part.kind == "tool_call"}
    made = []
    for span, repeated, given, said in told:
        # A tool's span tells what its call and result have told already.
        if span.type == "tool" and answered[span.name or ""] > 0:
            answered[span.name or ""] -= 1
            continue
        if span.type == "generation":
            given = _without(paired(given, results(given)), calls & known.keys())  # noqa: PLW2901
            said = paired(said, known)  # noqa: PLW2901
        given, hidden = clip(given, MAX_TURN)  # noqa: PLW2901
        said, more = clip(said, MAX_TURN)  # noqa: PLW2901
        made.append(Turn(span, around.get(span.span_id, ()), repeated, given, said, hidden + more))
    return made


def _without(said: list[Message], calls: Iterable[str]) -> list[Message]:
    """Leave out the results that stand beside these calls."""
    beside = set(calls)
    kept = (
        Message(
            message.role,
            [part for part in message.parts if not (part.kind == "tool_result" and part.id in beside)],
            message.name,
        )
        for message in said
    )
    return [message for message in kept if message.parts]


def _continued(keys: list[_Key], threads: list[list[_Key]]) -> tuple[int | None, set[int]]:
    """Return which thread messages go on with, None for none, and the indices of those that it has already."""
    best: tuple[int | None, set[int]] = (None, set())
    for index, thread in enumerate(threads):
        places: dict[_Key, list[int]] = {}
        for place, key in enumerate(thread):
            places.setdefault(key, []).append(place)
        position, repeated = -1, set()
        for number, key in enumerate(keys):
            where = places.get(key, ())
            next_ = bisect_right(where, position)
            if next_ < len(where):
                position = where[next_]
                repeated.add(number)
        if len(repeated) >= max(len(best[1]), 1):
            best = (index, repeated)
    return best


def _key(message: conversations.Message) -> _Key:
    # Reasoning is often not sent again.
    return message.role, tuple(_part(part) for part in message.parts if part.kind != "reasoning")


def _part(part: conversations.Part) -> _Key:
    match part.kind:
        case "text":
            return hash(part.text.strip())
        case "tool_call":
            return part.kind, part.name, _canonical(part.value)
        case "tool_result" | "json":
            return part.kind, _canonical(part.value)
        case _:
            return part.kind, part.mime, part.url, hash(part.data), part.id


def _canonical(value: Json) -> int:
    """Return the same for the same JSON, whether it was sent as a text or not."""
    value = decode(value) if isinstance(value, str) else value
    try:
        return hash(json.dumps(value, sort_keys=True))
    except (ValueError, RecursionError, TypeError):
        return hash(repr(value))
