"""News of what was stored, and the end of a server that has listeners."""

from __future__ import annotations

import asyncio
import json
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import pytest

from genscope.live import MOST_TRACES, News
from tests.running import Server
from tests.sending import PROTOBUF, encoded, new_id, request, span


def heard(news: News, *projects: tuple[str, list[str]], many: int = 1) -> list[list[str] | None]:
    """Return the first pieces of news of project `a` while these things are announced."""

    async def listen() -> list[list[str] | None]:
        told = []
        async for one in news.listen("a", 60):
            if not told:
                for project, traces in projects:
                    news.announce(project, traces)
            told.append(one)
            if len(told) > many:
                news.close()
        return told

    return asyncio.run(listen())


def test_news_are_gathered_and_those_of_others_are_not_told() -> None:
    assert heard(News(), ("b", ["other"]), ("a", ["x", "y"]), ("a", ["y", "z"])) == [[], ["x", "y", "z"]]


def test_more_than_can_be_named_are_many() -> None:
    names = [f"t{number}" for number in range(MOST_TRACES + 1)]
    assert heard(News(), ("a", names), ("a", ["one"])) == [[], []]


def test_an_end_is_heard_and_nobody_comes_after_it() -> None:
    async def last() -> list[list[str] | None]:
        news = News()
        told = []
        async for one in news.listen("a", 60):
            told.append(one)
            asyncio.get_running_loop().call_later(0.1, news.close)
        assert news.full
        return told

    assert asyncio.run(last()) == [[]]


def test_a_turn_ends() -> None:
    async def turns() -> list[list[str] | None]:
        return [one async for one in News().listen("a", 0.01)]

    assert asyncio.run(turns())[:1] == [[]]


@contextmanager
def listening(server: Server) -> Iterator[Iterator[list[str]]]:
    """Give the news that a browser that is logged in would get."""
    with httpx.Client(base_url=server.url, timeout=60, trust_env=False) as client:
        form = {"public_key": server.public_key, "secret_key": server.secret_key}
        assert client.post("/login", data=form).status_code == 303
        with client.stream("GET", "/live") as answer:
            assert answer.headers["content-type"].startswith("text/event-stream")
            yield (json.loads(line[6:])["traces"] for line in answer.iter_lines() if line.startswith("data: "))


def test_an_acknowledged_span_is_news_and_a_stop_ends_what_listens(fresh_server: Server) -> None:
    refused = httpx.get(f"{fresh_server.url}/live", trust_env=False)
    assert (refused.status_code, refused.headers["location"][:6]) == (303, "/login")
    trace_id = new_id(16)
    with listening(fresh_server) as news, fresh_server.client() as client:
        assert next(news) == []
        body = encoded(request([span(trace_id), span(trace_id)]))
        assert client.post("/v1/traces", content=body, headers={"content-type": PROTOBUF}).status_code == 200
        assert next(news) == [trace_id]
        before = time.monotonic()
        assert fresh_server.stop(signal.SIGTERM) == 0
        assert time.monotonic() - before < 10
        with pytest.raises(StopIteration):
            next(news)
