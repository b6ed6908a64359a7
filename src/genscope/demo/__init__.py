"""A believable application that writes traces: a customer-support agent, recorded with OpenTelemetry's own SDK.

It goes through the front door like any client: it knows a URL and a key, and nothing of the server's inside.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from random import Random
from threading import Event
from typing import Final

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from genscope.demo.emit import CONVENTIONS, DemoError, Emitter, exporter_to
from genscope.demo.scenario import Turn, moment, start_conversation, turns
from genscope.demo.scores import ScoreSender

__all__ = ["DemoError", "run"]

#: Customers who write at the same time, once the trickle runs.
OPEN_CASES: Final = 5
#: Seconds that a case takes at most, from the first question to the last answer.
LONGEST_CASE: Final = 1800


def run(
    url: str,
    public_key: str | None = None,
    secret_key: str | None = None,
    *,
    days: int = 7,
    traces: int = 400,
    rate: float = 0.5,
    seed: int = 7,
    once: bool = False,
    stop: Event | None = None,
) -> None:
    """Fill the server at `url` with the last `days` days of `traces` traces, then add `rate` traces a second.

    The texts, models and numbers follow from `seed`; trace ids do not, so that a second run adds to the first.

    Args:
        url: Base URL of the server, such as `http://127.0.0.1:4318`.
        public_key: The key to write with; None for a server that allows anonymous requests.
        secret_key: Its secret half.
        days: How far back the first traces reach.
        traces: How many there are of them.
        rate: Traces a second from then on.
        seed: Of the random numbers.
        once: Return after the first part.
        stop: Ends the second part when set; so does Ctrl-C.

    Raises:
        DemoError: The server refused spans or could not be reached.
    """
    random = Random(seed)  # noqa: S311 - a story, not a secret
    emitter = Emitter(exporter_to(url, public_key, secret_key), ScoreSender(url, public_key, secret_key))
    try:
        _fill(emitter, random, days, traces)
        if not once:
            _trickle(emitter, random, rate, stop or Event())
    except KeyboardInterrupt:
        pass
    finally:
        emitter.close()


def _fill(emitter: Emitter, random: Random, days: int, traces: int) -> None:
    """Write the past, the newest cases first, so that the page that opens on them is right at once."""
    now = time.time()
    clock = Random(random.random())  # noqa: S311 - of its own, so that the hour of day does not change the story
    history: list[tuple[float, Turn]] = []
    while len(history) < traces:
        case = list(_case(random))
        begun = moment(clock, now - LONGEST_CASE, days)
        history += [(begun + turn.offset, turn) for turn in case]
    history = sorted(history[:traces], key=lambda item: item[0], reverse=True)
    columns = (TextColumn("Writing {task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns) as progress:
        task = progress.add_task(f"the last {days} days", total=len(history))
        for start, turn in history:
            emitter.emit(turn, start, now)
            progress.advance(task)
        emitter.flush()


def _trickle(emitter: Emitter, random: Random, rate: float, stop: Event) -> None:
    """Write the present: every turn ends at the moment it is written."""
    cases: list[Iterator[Turn]] = []
    while not stop.wait(random.expovariate(rate)):
        if len(cases) < OPEN_CASES:
            cases.append(_case(random))
        case = random.choice(cases)
        turn = next(case, None)
        if turn is None:
            cases.remove(case)
            continue
        now = time.time()
        emitter.emit(turn, now - turn.root.duration, now)
        emitter.flush()


def _case(random: Random) -> Iterator[Turn]:
    return turns(random, start_conversation(random, tuple(CONVENTIONS)))
