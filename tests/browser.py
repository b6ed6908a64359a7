"""A real browser for tests of pages, and what every page is held to. The fixtures `browser` and `page` are in conftest.py."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final, Literal

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Error, Page, Playwright, expect

from tests.running import Server

# A loaded machine takes its time; what is wrong stays wrong for as long.
PATIENCE: Final = 60_000
expect.set_options(timeout=PATIENCE)

CHROMIUM: Final = "/usr/bin/chromium"
FLAGS: Final = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PHONE: Final[Any] = {"width": 390, "height": 844}
#: The rules that hold: WCAG 2.2 at level AA, and what axe calls best practice.
RULES: Final = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
#: The rules among them that depend on colours.
COLOURS: Final = ["color-contrast", "link-in-text-block"]
SCHEMES: Final[tuple[tuple[Literal["light", "dark"], list[str]], ...]] = (("light", RULES), ("dark", COLOURS))


def launch(playwright: Playwright) -> Browser:
    """Start Debian's Chromium."""
    return playwright.chromium.launch(executable_path=CHROMIUM, headless=True, args=FLAGS)


def logged_in(browser: Browser, server: Server, **options: Any) -> BrowserContext:
    """Return a context that is logged in to the server's project."""
    context = browser.new_context(**options)
    context.set_default_timeout(PATIENCE)
    form: dict[str, str | float | bool] = {"public_key": server.public_key, "secret_key": server.secret_key}
    assert context.request.post(f"{server.url}/login", form=form).ok
    return context


@contextmanager
def sound(context: BrowserContext) -> Iterator[Page]:
    """Give a page on which nothing may violate the Content-Security-Policy or fail in a script; it ends with the context."""
    opened = context.new_page()
    problems: list[str] = []

    def heard(message: ConsoleMessage) -> None:
        if "Content Security Policy" in message.text:
            problems.append(message.text)

    def failed(error: Error) -> None:
        problems.append(str(error))

    opened.on("console", heard)
    opened.on("pageerror", failed)
    yield opened
    context.close()
    assert problems == []


def accessible(page: Page) -> None:
    """Hold a page, as it is now, to `RULES`; in dark, to those that colours can break."""
    # What the header covers at the moment is there for who scrolls.
    page.evaluate("scrollTo(0, 0)")
    found = []
    for scheme, rules in SCHEMES:
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        violations = Axe().run(page, options={"runOnly": rules}).response["violations"]
        found += [
            f"{scheme}: {violation['id']}: {violation['help']}: {node['html'][:200]} ({node.get('failureSummary', '')})"
            for violation in violations
            for node in violation["nodes"]
        ]
    assert not found, "\n".join(found)


def fits(page: Page) -> None:
    """Hold a page to its width: nothing makes it scroll sideways."""
    wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert wide <= 0, f"the page at {page.url} is {wide} pixels wider than its window"
