from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.running import Server


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One server for all tests of a worker; each test writes traces of its own."""
    running = Server(tmp_path_factory.mktemp("server")).start()
    yield running
    running.stop()


@pytest.fixture
def fresh_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """An empty server of the test's own, to be filled, stopped or killed."""
    running = Server(tmp_path_factory.mktemp("fresh")).start()
    yield running
    if running.process is not None and running.process.poll() is None:
        running.stop()
