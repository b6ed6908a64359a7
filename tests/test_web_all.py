"""Every page, held to the same rules: it fits, it can be read and reached by everybody, and it is small."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator
from typing import Any, Final

import httpx
import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, expect

from tests.browser import PHONE, accessible, fits, logged_in, sound
from tests.running import Server
from tests.spans import agent, generation, send, span

WIDE: Final[Any] = {"width": 1440, "height": 900}
#: Bytes of scripts and styles that a page may have, as they are sent.
MOST_BYTES: Final = 100_000
#: Pages that show something in a project without any span as well.
ALWAYS: Final = (
    "/overview",
    "/generations",
    "/traces",
    "/spans",
    "/sessions",
    "/users",
    "/models",
    "/models/what-if",
    "/prices",
    "/errors",
    "/compare",
    "/scores",
    "/sql",
    "/views",
    "/settings",
    "/settings/keys",
    "/settings/members",
    "/settings/retention",
    "/settings/redaction",
    "/settings/health",
    "/rejected",
    "/api/docs",
)
#: Pages about one thing, and pages in another state. What stands in braces is known when there are spans.
OTHERS: Final = (
    "/overview?by=calls&from=7d",
    "/generations?q=model%3Agpt-4o+Where&columns=name,input,cost,tags",
    "/generations?q=nothing-like-it",
    "/generations?q=level%3A",
    "/generations?peek={trace_id}",
    "/traces/{trace_id}",
    "/traces/{trace_id}?view=timeline",
    "/traces/{trace_id}?view=conversation",
    "/sessions/{session_id}",
    "/users/{user_id}",
    "/models?compare=openai/gpt-4o&compare=anthropic/claude-sonnet-4-5",
    "/models/what-if?target=gpt-4o-mini",
    "/errors/{fingerprint}",
    "/compare?left={trace_id}&right={other_id}",
    "/scores/helpful",
    "/sql?query=SELECT+model%2C+count()+AS+calls+FROM+generations+GROUP+BY+model",
    "/traces/{unknown}",
)
#: What a hostile sender may call a thing.
HOSTILE: Final = "<b>\u202eevil</b>" + "x" * 120


@pytest.fixture(scope="module")
def filled(server: Server) -> tuple[Server, dict[str, str]]:
    """A project with a failure, a session, a hostile name, two models and scores, and ids that pages are about."""
    server = server.new_project()
    trace_id, session_id = agent(server), "case-1"
    model = {"langfuse__observation__model__name": "claude-sonnet-4-5"}
    other_id = generation(server, "alice", -60, session__id=session_id, **model)
    generation(server, HOSTILE, -3600, name=HOSTILE, session__id=HOSTILE, langfuse__trace__tags=[HOSTILE])
    send(server, span(secrets.token_hex(16), secrets.token_hex(8), name="retrieve", at=-30))
    with server.client() as client:
        for value in (True, False):
            said = {"name": "helpful", "value": value, "trace_id": other_id, "comment": "Good."}
            client.post("/api/v1/scores", json=said).raise_for_status()
    found = {
        "trace_id": trace_id,
        "other_id": other_id,
        "session_id": session_id,
        "user_id": "alice",
        "fingerprint": server.get("/api/v1/errors")["data"][0]["fingerprint"],
        "unknown": "f" * 32,
    }
    return server, found


@pytest.fixture(scope="module")
def context(browser: Browser, filled: tuple[Server, dict[str, str]]) -> Iterator[BrowserContext]:
    """One context for all pages; its end is checked by `sound`."""
    opened = logged_in(browser, filled[0], viewport=WIDE)
    with sound(opened) as page:
        page.close()
        yield opened


@pytest.mark.parametrize("path", [*ALWAYS, *OTHERS])
def test_page(context: BrowserContext, filled: tuple[Server, dict[str, str]], path: str) -> None:
    server, ids = filled
    refused = path.endswith(("level%3A", "{unknown}"))
    page = context.new_page()
    said: list[str] = []

    def heard(message: ConsoleMessage) -> None:
        # The browser tells of every answer that is no success.
        if message.type == "error" and not (refused and "Failed to load resource" in message.text):
            said.append(message.text)

    page.on("console", heard)
    page.on("pageerror", lambda error: said.append(str(error)))
    answer = page.goto(server.url + path.format(**ids))
    page.wait_for_load_state("networkidle")
    assert answer is not None
    assert answer.ok is not refused
    assert re.fullmatch(r".+ · Genscope", page.title())
    assert page.get_by_role("heading", level=1).count() == 1
    accessible(page)
    fits(page)
    _reached_by_keyboard(page)
    page.set_viewport_size(PHONE)
    fits(page)
    loaded = page.evaluate("performance.getEntriesByType('resource').map((one) => [one.name, one.encodedBodySize])")
    assert 0 < sum(size for name, size in loaded if "/static/" in name) <= MOST_BYTES
    page.close()
    assert said == []


@pytest.mark.parametrize(
    "path", ["/overview", "/generations", "/models?compare=openai/gpt-4o&compare=anthropic/claude-sonnet-4-5"]
)
def test_a_chart_not_yet_drawn_anew_does_not_widen_its_page(
    browser: Browser, filled: tuple[Server, dict[str, str]], path: str
) -> None:
    context = logged_in(browser, filled[0], viewport=WIDE)
    context.add_init_script("ResizeObserver = class { observe() {} disconnect() {} }")
    with sound(context) as page:
        page.goto(filled[0].url + path)
        page.locator(".uplot").first.wait_for()
        page.set_viewport_size(PHONE)
        fits(page)


def _reached_by_keyboard(page: Page) -> None:
    """The first link leads past the frame, the next key to what the page is for, and one sees where one is."""
    page.get_by_role("link", name="Skip to content").press("Enter")
    expect(page.locator("main")).to_be_focused()
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.closest('main') !== null")
    assert page.evaluate("document.activeElement.matches(':focus-visible')")
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") != "none"


def test_an_empty_project_says_what_comes_next(project: Server) -> None:
    answers = {}
    with project.client(follow_redirects=True) as client:
        form = {"public_key": project.public_key, "secret_key": project.secret_key}
        client.post("/login", data=form).raise_for_status()
        for path in ALWAYS:
            answers[path] = client.get(path)
            assert answers[path].status_code == httpx.codes.OK, path
    pages = {path: answer.text.partition("<main")[2].partition("</main>")[0] for path, answer in answers.items()}
    welcomed = {path for path, text in pages.items() if "Send the first generation</h1>" in text}
    assert welcomed == {"/overview", "/generations", "/traces", "/spans"}
    for path, text in pages.items():
        assert re.search(r"<(a|button|form)\b", text), path
