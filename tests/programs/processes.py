"""Ways for a program to start processes and threads and to end, each of which records spans and flushes nothing.

Run by `tests/test_sdk_processes.py`, which says where to by `GENSCOPE_*`: `python processes.py NAME`.
"""

from __future__ import annotations

import asyncio
import atexit
import multiprocessing
import os
import sys
import threading
from concurrent.futures import ProcessPoolExecutor
from typing import Any, NoReturn

import genscope


def record(name: str) -> None:
    with genscope.get_client().start_as_current_span(name=name):
        pass


def ends() -> None:
    record("a")


def exits() -> NoReturn:
    record("a")
    sys.exit(3)


def raises() -> NoReturn:
    with genscope.get_client().start_as_current_span(name="a"):
        raise ValueError("the application's own")


def leaves_threads() -> None:
    started = threading.Event()

    def work() -> None:
        started.wait()
        record("b")

    thread = threading.Thread(target=work)
    thread.start()
    record("a")
    started.set()


def records_at_exit() -> None:
    """Where a thread can no more be started, from Python 3.12 on."""
    genscope.init()
    atexit.register(record, "a")


def forks() -> None:
    record("parent's, before")
    child = os.fork()
    if child == 0:
        record("child's")
        sys.exit(0)
    os.waitpid(child, 0)
    record("parent's, after")


def forks_and_flushes() -> None:
    record("parent's")
    child = os.fork()
    if child == 0:
        record("child's")
        os._exit(0 if genscope.get_client().flush() else 1)
    assert os.waitpid(child, 0)[1] == 0


def in_processes(method: str) -> None:
    record("parent's")
    processes: Any = multiprocessing.get_context(method)
    child = processes.Process(target=record, args=("child's",))
    child.start()
    child.join()
    assert child.exitcode == 0
    with ProcessPoolExecutor(1, mp_context=processes) as pool:
        pool.submit(record, "pool's").result()


def in_loops() -> None:
    """Two event loops after one another, and one in a thread beside."""

    async def work(name: str) -> None:
        with genscope.get_client().start_as_current_span(name=name):
            await asyncio.sleep(0)

    asyncio.run(work("a"))
    thread = threading.Thread(target=asyncio.run, args=(work("b"),))
    thread.start()
    asyncio.run(work("c"))
    thread.join()


def begins_again() -> None:
    """As who runs a cell of a notebook twice."""
    genscope.init(release="1")
    record("a")
    genscope.init(release="2")
    record("b")


def does_nothing() -> None:
    genscope.init(enabled=False)
    record("a")
    assert threading.active_count() == 1, threading.enumerate()
    genscope.init(enabled=True)
    assert threading.active_count() == 1, threading.enumerate()


def everything() -> None:
    """What an interpreter of another version is tried with."""
    ends()
    leaves_threads()
    in_loops()
    forks()
    in_processes("fork")
    in_processes("spawn")


WAYS = {
    "ends": ends,
    "exits": exits,
    "raises": raises,
    "records_at_exit": records_at_exit,
    "forks_and_flushes": forks_and_flushes,
    "begins_again": begins_again,
    "does_nothing": does_nothing,
    "everything": everything,
}

if __name__ == "__main__":
    WAYS[sys.argv[1]]()
