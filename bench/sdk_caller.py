"""One SDK in a process of its own, which records generations and prints figures as a line of JSON. Run by bench/sdk.py.

    python sdk_caller.py overhead IDIOM COUNT ROUNDS
    python sdk_caller.py throughput IDIOM COUNT
    python sdk_caller.py memory IDIOM COUNT

Where to, and with which key, is in the environment.
"""

from __future__ import annotations

import gc
import json
import logging
import os
import statistics
import sys
import time
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

#: 4 KB of messages and 1 KB of answer, as bench/load.py has them.
MESSAGES = [
    {"role": "system", "content": "You answer customers of a web shop. " * 40},
    {"role": "user", "content": "Where is my order, and why does nobody answer? " * 54},
]
ANSWER = "It left our warehouse this morning, and will be with you tomorrow. " * 15
USAGE = {"input": 1000, "output": 250}

#: Records one generation; waits until all that were recorded are sent.
Idiom = tuple[Callable[[], None], Callable[..., object]]


def genscope_context() -> Idiom:
    """Genscope's context idiom."""
    client = import_module("genscope").init()

    def generation() -> None:
        with client.start_as_current_generation(name="draft-reply", model="gpt-4o", input=MESSAGES) as gen:
            gen.update(output=ANSWER, usage_details=USAGE)

    return generation, client.flush


def genscope_logger() -> Idiom:
    """Genscope's Logger idiom."""
    genscope = import_module("genscope")
    client = genscope.init()
    trace = genscope.Logger().trace({"id": "bench"})
    return _logged(trace), client.flush


def langfuse() -> Idiom:
    """Langfuse's context idiom."""
    client = import_module("langfuse").Langfuse(
        base_url=os.environ["GENSCOPE_URL"],
        public_key=os.environ["GENSCOPE_PUBLIC_KEY"],
        secret_key=os.environ["GENSCOPE_SECRET_KEY"],
    )

    def generation() -> None:
        with client.start_as_current_observation(
            as_type="generation", name="draft-reply", model="gpt-4o", input=MESSAGES
        ) as gen:
            gen.update(output=ANSWER, usage_details=USAGE)

    return generation, client.flush


def maxim() -> Idiom:
    """Maxim's Logger idiom."""
    maxim = import_module("maxim")
    client = maxim.Maxim({"api_key": os.environ["GENSCOPE_SECRET_KEY"], "base_url": os.environ["GENSCOPE_URL"]})
    logger = client.logger({"id": "bench"})
    return _logged(logger.trace({"id": "bench"})), logger.flush


def _logged(trace: Any) -> Callable[[], None]:
    numbers = iter(range(10**9))
    begin = time.time_ns()

    def generation() -> None:
        call = {"id": f"{begin}-{next(numbers)}", "name": "draft-reply", "provider": "openai", "model": "gpt-4o"}
        generation = trace.generation({**call, "messages": MESSAGES, "model_parameters": {"temperature": 0.7}})
        generation.result(
            {
                "id": "chatcmpl-123",
                "object": "chat.completion",
                "created": 1767323045,
                "model": "gpt-4o",
                "choices": [{"index": 0, "message": {"role": "assistant", "content": ANSWER}, "finish_reason": "stop"}],
                "usage": {"prompt_tokens": 1000, "completion_tokens": 250, "total_tokens": 1250},
            }
        )

    return generation


IDIOMS: dict[str, Callable[[], Idiom]] = {
    "genscope_context": genscope_context,
    "genscope_logger": genscope_logger,
    "langfuse": langfuse,
    "maxim": maxim,
}


def overhead(name: str, count: int, rounds: int) -> dict[str, float]:
    """Return microseconds per generation: of the calling thread, by the clock, the slowest of a hundred, of the whole process."""
    began = time.process_time()
    generation, flush = IDIOMS[name]()
    started = time.process_time() - began
    generation()
    flush()
    wall: list[float] = []
    thread: list[float] = []
    process: list[float] = []
    each: list[int] = []
    for _ in range(rounds):
        before = time.perf_counter(), time.thread_time(), time.process_time()
        for _ in range(count):
            generation()
        wall.append((time.perf_counter() - before[0]) / count)
        thread.append((time.thread_time() - before[1]) / count)
        flush()
        process.append((time.process_time() - before[2]) / count)
        for _ in range(count):
            one = time.perf_counter_ns()
            generation()
            each.append(time.perf_counter_ns() - one)
        flush()
    each.sort()
    return {
        "thread": statistics.median(thread) * 1e6,
        "wall": statistics.median(wall) * 1e6,
        "p99": each[int(len(each) * 0.99)] / 1e3,
        "process": statistics.median(process) * 1e6,
        "start": started * 1e3,
    }


def throughput(name: str, count: int) -> dict[str, float]:
    """Return generations a second until all are stored, and microseconds of this process for each."""
    generation, flush = IDIOMS[name]()
    generation()
    flush()
    before = time.perf_counter(), time.process_time()
    for _ in range(count):
        generation()
    assert flush()
    return {
        "rate": count / (time.perf_counter() - before[0]),
        "process": (time.process_time() - before[1]) / count * 1e6,
    }


def memory(name: str, count: int) -> dict[str, float]:
    """Return bytes of memory per generation that waits for a server that is down, as the SDK counts them and as they are."""
    logging.disable()
    generation, flush = IDIOMS[name]()
    delivery = import_module("genscope").get_client().delivery
    generation()
    flush(1.0)  # in vain, but then all is loaded that sends
    before, counted = _resident(), delivery.size
    for _ in range(count):
        generation()
    return {"told": (delivery.size - counted) / count, "real": (_resident() - before) / count}


def _resident() -> int:
    gc.collect()
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


if __name__ == "__main__":
    measure, idiom, *numbers = sys.argv[1:]
    measures: dict[str, Callable[..., dict[str, float]]] = {
        "overhead": overhead,
        "throughput": throughput,
        "memory": memory,
    }
    print(json.dumps(measures[measure](idiom, *map(int, numbers))), flush=True)
    os._exit(0)  # nobody waits for what waits
