"""Programs that fork, spawn, start threads and end in all ways: each span is sent once, and by whoever recorded it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from tests.hostile import Hostile, answers
from tests.running import free_port

PROGRAM = Path(__file__).parent / "programs" / "processes.py"
#: Versions that Genscope supports.
VERSIONS = [f"3.{minor}" for minor in range(11, 16)]


def interpreters() -> dict[str, str]:
    """Return a working interpreter of each version that this machine has, on the path or from pyenv."""
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    found: dict[str, str] = {}
    for version in VERSIONS:
        places = [shutil.which(f"python{version}"), *sorted(map(str, pyenv.glob(f"{version}.*/bin/python")))]
        for place in filter(None, places):
            if subprocess.run([place, "-V"], check=False, capture_output=True).returncode == 0:
                found[version] = place
    return found


INTERPRETERS = interpreters()


@pytest.fixture
def receiver() -> Iterator[Hostile]:
    """A server that takes everything and keeps the requests."""
    with Hostile("http://127.0.0.1:9", then=answers(200)) as hostile:
        yield hostile


def run(url: str, way: str, python: str = sys.executable, **settings: str) -> subprocess.CompletedProcess[str]:
    """Run a program, which has nothing to send by before it ends."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("GENSCOPE_", "OTEL_"))}
    # What the SDK needs is pure Python or bound to no version, so that any interpreter can use this environment's.
    packages = [str(Path(__file__).parents[1] / "src"), sysconfig.get_path("purelib")]
    environment |= {"PYTHONPATH": os.pathsep.join(packages)}
    environment |= {"GENSCOPE_URL": url, "GENSCOPE_FLUSH_INTERVAL": "3600", "GENSCOPE_EXIT_TIMEOUT": "60"}
    environment |= {f"GENSCOPE_{name.upper()}": value for name, value in settings.items()}
    return subprocess.run(
        [python, str(PROGRAM), way], env=environment, capture_output=True, text=True, timeout=180, check=False
    )


def sent(receiver: Hostile) -> Counter[str]:
    """Return how often each span was sent, by name; no two have one id, whatever process made them."""
    spans = [
        span
        for request in receiver.requests
        for resource in ExportTraceServiceRequest.FromString(request.body).resource_spans
        for scope in resource.scope_spans
        for span in scope.spans
    ]
    assert len({span.span_id for span in spans}) == len(spans)
    return Counter(span.name for span in spans)


WAYS = {
    "exits": ["a"],
    "raises": ["a"],
    "forks_and_flushes": ["parent's", "child's"],
    "begins_again": ["a", "b"],
    "does_nothing": [],
}
#: What is tried with every interpreter: `everything` has several ways.
FORKED = ["parent's", "child's", "pool's"]
EVERYTHING = ["a", "a", "b", "a", "b", "c", "parent's, before", "child's", "parent's, after", *FORKED, *FORKED]


@pytest.mark.parametrize("way", WAYS)
def test_each_span_is_sent_once(receiver: Hostile, way: str) -> None:
    ended = run(receiver.url, way)
    assert ended.returncode == {"exits": 3, "raises": 1}.get(way, 0), ended.stderr
    assert sent(receiver) == Counter(WAYS[way])
    said = ended.stderr.strip().splitlines()
    if way == "raises":
        assert said[-1] == "ValueError: the application's own"
    else:
        assert said == []


@pytest.mark.parametrize("version", INTERPRETERS)
def test_every_interpreter_that_is_here(receiver: Hostile, version: str) -> None:
    for way in ("everything", "records_at_exit"):
        ended = run(receiver.url, way, INTERPRETERS[version])
        assert ended.returncode == 0, ended.stderr
        assert "genscope" not in ended.stderr
    assert sent(receiver) == Counter([*EVERYTHING, "a"])


def test_a_server_that_is_down_holds_the_end_up_for_so_long_only() -> None:
    url = f"http://127.0.0.1:{free_port()}"
    ended = run(url, "ends", exit_timeout="0.5")
    assert ended.returncode == 0
    assert "1 span could not be sent before the end" in ended.stderr
