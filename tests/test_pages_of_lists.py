"""Lists read page by page: every row comes once, in whatever order, while more arrives; and a cursor is of one list alone."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from decimal import Decimal
from itertools import count
from typing import Any

import pytest

from genscope.model import Score, Span
from genscope.query.filter import Filter, FilterError
from genscope.store import failures, orders, scores, users
from genscope.store.engine import Engine
from genscope.store.migrate import migrate
from genscope.store.paging import Page, encode_cursor
from genscope.store.ranges import Range
from genscope.store.reader import Reader
from genscope.store.rows import encode

PROJECT = "shop"
SECOND = 10**9
#: Some time ago, so that what arrives while one pages is later.
BEGIN = time.time_ns() - 1000 * SECOND
NAMES = [f"{number}" for number in range(9)]
LATER = count()


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    path = tmp_path_factory.mktemp("lists")
    opened = Engine(path, memory_bytes=1 << 30, query_memory_bytes=1 << 29, query_seconds=60, connections=1)
    with contextlib.closing(opened):
        migrate(opened)
        for number, name in enumerate(NAMES):
            opened.insert("spans", encode(PROJECT, [call(name, BEGIN + number // 3 * SECOND, number)]))
        opened.insert("scores", scores.encode(PROJECT, [said(name) for name in NAMES]))
        yield opened


def call(name: str, at: int, number: int = 0) -> Span:
    """A failed call of a user and session of their own; every third costs nothing that is known, others the same by two."""
    return Span(
        f"t-{name}-{at}",
        f"s-{name}",
        at,
        type="generation",
        name=f"failure of {'abcdefghi'[int(name)]}",
        start_time=at,
        end_time=at + number % 2 * SECOND,
        level="ERROR",
        user_id=name,
        session_id=name,
        cost=None if number % 3 == 2 else {"total": Decimal(number // 2) / 1000},
        usage=None if number % 3 == 2 else {"input": number // 4, "output": 1},
    )


def said(name: str) -> Score:
    return Score(f"score-{name}", "good", BEGIN, value=1.0, trace_id="t")


#: A list by its name: how a page of it is read, and what tells its rows apart.
LISTS: dict[str, tuple[Callable[[Reader, int, str | None], Page[Any]], Callable[[Any], str]]] = {
    **{
        f"users {order}": (
            lambda reader, limit, cursor, order=order: reader.users.page(  # type: ignore[misc]
                PROJECT, Filter(), order=order, limit=limit, cursor=cursor
            ),
            lambda row: row.id,
        )
        for order in users.ORDERS
    },
    **{
        f"errors {order}": (
            lambda reader, limit, cursor, order=order: reader.failures.groups(  # type: ignore[misc]
                PROJECT,
                Filter(),
                Range.between(BEGIN, time.time_ns(), 2),
                order=order,
                limit=limit,
                cursor=cursor,
            ),
            lambda row: row.fingerprint,
        )
        for order in failures.ORDERS
    },
    "sessions": (
        lambda reader, limit, cursor: reader.sessions.page(PROJECT, Filter(), limit=limit, cursor=cursor),
        lambda row: row.id,
    ),
    "scores": (
        lambda reader, limit, cursor: reader.scores.page(PROJECT, Filter(), limit=limit, cursor=cursor),
        lambda row: row.id,
    ),
    **{
        f"{read} {sign}{order}": (
            lambda reader, limit, cursor, read=read, sort=f"{sign}{order}": getattr(reader, read)(  # type: ignore[misc]
                PROJECT, Filter(None, BEGIN + 500 * SECOND), sort=sort, limit=limit, cursor=cursor
            ),
            lambda row: row.trace_id,
        )
        for read, known in (("spans", orders.OF_SPANS), ("traces", orders.OF_TRACES))
        for order in dict.fromkeys((orders.TIME, *known))
        for sign in ("", "-")
    },
}


@pytest.mark.parametrize("name", LISTS)
def test_every_row_comes_once_while_more_arrives(engine: Engine, name: str) -> None:
    page, key = LISTS[name]
    reader = Reader(engine)
    seen: list[str] = []
    cursor, more = None, next(LATER)
    while True:
        found = page(reader, 4, cursor)
        seen += [key(row) for row in found.rows]
        cursor = found.next_cursor
        if cursor is None:
            break
        # Whoever would have come last, and was seen already, is active again: nobody may come twice or be left out.
        active = (NAMES[0], NAMES[-1], NAMES[more % len(NAMES)])
        engine.insert("spans", encode(PROJECT, [call(who, time.time_ns()) for who in active]))
    assert sorted(seen) == sorted(set(seen))
    assert len(seen) == len(NAMES), seen


def test_a_cursor_is_of_one_list_and_order(engine: Engine) -> None:
    reader = Reader(engine)
    cursors = {name: page(reader, 2, None).next_cursor for name, (page, _) in LISTS.items()}
    for name, (page, _) in LISTS.items():
        for other, cursor in cursors.items():
            # Spans and traces of one order have positions of different lengths.
            if other != name:
                with pytest.raises(FilterError, match="cursor"):
                    page(reader, 2, cursor)


@pytest.mark.parametrize("name", ["spans -cost", "traces -latency", "users cost", "errors count", "sessions"])
@pytest.mark.parametrize("value", ["nonsense", "1e9", "9" * 40, "", "1' OR 1=1"])
def test_a_cursor_whose_value_is_none_is_refused(engine: Engine, name: str, value: str) -> None:
    read, _, sort = name.partition(" ")
    list_ = sort if read in ("spans", "traces") else name
    ids = ["a", "b"] if read == "spans" else ["a"]
    with pytest.raises(FilterError, match="cursor"):
        LISTS[name][0](Reader(engine), 2, encode_cursor(list_, value, BEGIN, *ids))
