"""News of what was stored: who hears it, lists that follow it, and the end of a server that has listeners."""

from __future__ import annotations

import asyncio
import json
import secrets
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest
from playwright.sync_api import Page, expect

from genscope.live import MOST_TRACES, News
from tests import spans as spans_
from tests.running import Server
from tests.sending import PROTOBUF, encoded, new_id, request, span


def heard(news: News, *projects: tuple[str, list[str]], many: int = 1) -> list[list[str] | None]:
    """Return the first pieces of news of project `a` while these things are announced."""

    async def listen() -> list[list[str] | None]:
        told: list[list[str] | None] = []
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


# --- lists ----------------------------------------------------------------------------------------------------------

#: Without what looks every few seconds: rows that appear were told of.
DEAF = "window.setInterval = () => 0"


def many(server: Server, user: str, numbers: range, **fields: Any) -> list[str]:
    """Send generations n0, n1 ... of a user in one request, each a second older than the one before; return their traces."""
    traces = [secrets.token_hex(16) for _ in numbers]
    given = {"user__id": user, "gen_ai__operation__name": "chat"} | fields
    spans = (
        spans_.span(trace, secrets.token_hex(8), name=f"n{n}", at=-n, **given)
        for trace, n in zip(traces, numbers, strict=True)
    )
    spans_.send(server, *spans)
    return traces


@pytest.fixture
def live(page: Page, server: Server) -> Callable[..., Any]:
    """Open a list of a user's generations that is live, and give the names in it; it hears news alone."""
    page.add_init_script(DEAF)

    def opened(user: str, name: str = "generations", more: str = "") -> Any:
        page.goto(f"{server.url}/{name}?q=user:{user}{more}&live=1")
        return page.locator("#rows tr[data-time] b")

    return opened


def test_rows_appear_change_and_go_without_a_reload(page: Page, server: Server, live: Callable[..., Any]) -> None:
    user = f"user-{secrets.token_hex(6)}"
    names = live(user, more="%20-level:ERROR")
    expect(page.get_by_text("new ones appear here")).to_be_visible()
    many(server, user, range(1, 3))
    expect(names).to_have_text(["n1", "n2"])
    expect(page.get_by_text("new ones appear here")).to_be_hidden()
    page.keyboard.press("j")
    expect(page.locator("#rows tr").first.get_by_role("link")).to_be_focused()
    many(server, user, range(1))
    many(server, user, range(900, 901))
    expect(names).to_have_text(["n0", "n1", "n2", "n900"])
    expect(page.locator("#rows tr").nth(1).get_by_role("link")).to_be_focused()
    trace, span_id = secrets.token_hex(16), secrets.token_hex(8)
    start = time.time()
    shapes: list[tuple[dict[str, Any], str]] = [({}, "grows"), ({"gen_ai__request__model": "gpt-4o"}, "gpt-4o")]
    for fields, expected in shapes:
        told = spans_.span(
            trace,
            span_id,
            name="grows",
            at=start - 5 - time.time(),
            user__id=user,
            gen_ai__operation__name="chat",
            **fields,
        )
        told["startTimeUnixNano"] = str(int((start - 5) * 1e9))
        spans_.send(server, told)
        expect(page.locator("#rows tr", has_text="grows")).to_contain_text(expected)
    told["status"] = {"code": 2, "message": "too slow"}
    spans_.send(server, told)
    expect(names).to_have_text(["n0", "n1", "n2", "n900"])


def test_a_list_stands_still_while_it_is_paused_or_scrolled(
    page: Page, server: Server, live: Callable[..., Any]
) -> None:
    user = f"user-{secrets.token_hex(6)}"
    many(server, user, range(100, 140))
    names = live(user)
    expect(names).to_have_count(40)
    page.keyboard.press("p")
    news = page.locator("#news button")
    many(server, user, range(10, 12))
    expect(news).to_have_text("2 new")
    expect(names).to_have_count(40)
    page.get_by_role("button", name="Resume").click()
    expect(names).to_have_count(42)
    expect(news).to_be_hidden()

    page.mouse.wheel(0, 900)
    expect(page.locator("#rows tr").first).not_to_be_in_viewport()
    before = page.evaluate("scrollY")
    many(server, user, range(3))
    many(server, user, range(500, 501))
    expect(news).to_have_text("3 new")
    expect(names).to_have_count(43)
    assert page.evaluate("scrollY") == before
    news.click()
    expect(names).to_have_text([f"n{n}" for n in (0, 1, 2, 10, 11, *range(100, 140), 500)])
    assert page.evaluate("scrollY") == 0


def test_a_burst_leaves_no_hole(page: Page, server: Server, live: Callable[..., Any]) -> None:
    user = f"user-{secrets.token_hex(6)}"
    many(server, user, range(2000, 2003))
    names = live(user)
    expect(names).to_have_count(3)
    many(server, user, range(1000))
    expect(names).to_have_text([f"n{n}" for n in (*range(500), *range(2000, 2003))])
    between = page.locator("tr.between")
    expect(between.locator("xpath=following-sibling::tr[1]")).to_contain_text("n2000")
    many(server, user, range(1100, 1101))
    many(server, user, range(3000, 3001))
    expect(names).to_have_text([f"n{n}" for n in (*range(500), 1100, *range(2000, 2003), 3000)])
    between.get_by_role("link").click()
    expect(names).to_have_count(50)


def test_traces_are_followed_and_the_switch_is_in_the_url(page: Page, server: Server, live: Callable[..., Any]) -> None:
    user = f"user-{secrets.token_hex(6)}"
    names = live(user, "traces")
    trace = many(server, user, range(1))[0]
    expect(names).to_have_text(["n0"])
    spans_.send(server, spans_.span(trace, secrets.token_hex(8), at=-60, name="earlier", user__id=user))
    many(server, user, range(30, 31))
    expect(names).to_have_count(2)
    expect(page.locator(f"#t-{trace} .c-spans")).to_contain_text("2")
    page.get_by_role("button", name="Live", exact=True).click()
    expect(page).to_have_url(f"{server.url}/traces?q=user%3A{user}")
    expect(page.locator("[data-live]")).to_have_count(0)
