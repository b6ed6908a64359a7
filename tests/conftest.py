from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from tests.browser import launch, logged_in, sound
from tests.running import Server


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One server for all tests of a worker; each test writes traces of its own."""
    running = Server(tmp_path_factory.mktemp("server")).start()
    yield running
    running.stop()


@pytest.fixture
def project(server: Server) -> Server:
    """An empty project of the test's own on that server."""
    return server.new_project()


@pytest.fixture
def fresh_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """An empty server of the test's own, to be stopped, killed or looked at from inside; to be filled, `project` is cheaper."""
    running = Server(tmp_path_factory.mktemp("fresh")).start()
    yield running
    if running.process is not None and running.process.poll() is None:
        running.stop()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A browser; of a module, because its event loop would be in the way of other tests'."""
    with sync_playwright() as playwright:
        started = launch(playwright)
        yield started
        started.close()


@pytest.fixture
def page(browser: Browser, server: Server) -> Iterator[Page]:
    """A page that is logged in to `server`, and on which no script may fail."""
    with sound(logged_in(browser, server)) as opened:
        yield opened
