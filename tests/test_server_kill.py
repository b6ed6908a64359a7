"""What was acknowledged is on disk: power cuts under load, and clean stops."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

import httpx
import pytest

from tests.running import Server
from tests.sending import PROTOBUF, encoded, new_id, request, span

ROUNDS = 10
SENDERS = 4
BATCH = 8


@dataclass
class Load:
    """Sender threads, each on a connection of its own, until the server is gone; knows what was acknowledged."""

    server: Server
    session: str
    acknowledged: set[str] = field(default_factory=set)
    #: Requests without an answer: stored or not, nobody knows.
    unanswered: list[tuple[list[str], bytes]] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _first: threading.Event = field(default_factory=threading.Event)
    _threads: list[threading.Thread] = field(default_factory=list)

    def start(self) -> None:
        """Send from several threads; return when the first request was acknowledged."""
        self._first.clear()
        self._threads = [threading.Thread(target=self._send, args=(self.server.client(),)) for _ in range(SENDERS)]
        for thread in self._threads:
            thread.start()
        assert self._first.wait(30)

    def join(self) -> None:
        for thread in self._threads:
            thread.join(60)
            assert not thread.is_alive()

    def _send(self, client: httpx.Client) -> None:
        with client:
            while True:
                ids = [new_id(8) for _ in range(BATCH)]
                trace_id = new_id(16)
                attributes = {"session.id": self.session, "input": "word " * 200}
                spans = [span(trace_id, span_id=span_id, attributes=attributes) for span_id in ids]
                body = encoded(request(spans))
                try:
                    status = client.post("/v1/traces", content=body, headers={"content-type": PROTOBUF}).status_code
                except httpx.TransportError:
                    with self._lock:
                        self.unanswered.append((ids, body))
                    return
                with self._lock:
                    self.statuses[status] += 1
                    if status == 200:
                        self.acknowledged.update(ids)
                        self._first.set()
                    else:
                        self.unanswered.append((ids, body))

    def send_again(self) -> None:
        """Send what got no answer once more, as an exporter would."""
        with self.server.client() as client:
            for ids, body in self.unanswered:
                answer = client.post("/v1/traces", content=body, headers={"content-type": PROTOBUF})
                assert answer.status_code == 200
                self.acknowledged.update(ids)
        self.unanswered.clear()


def stored(server: Server, session: str) -> Counter[str]:
    """Return how often the list has each span of a session."""
    found: Counter[str] = Counter()
    cursor = ""
    while True:
        page = server.get("/api/v1/spans", session_id=session, limit=1000, cursor=cursor)
        found.update(one["span_id"] for one in page["data"])
        cursor = page["next_cursor"]
        if not cursor:
            return found


def check(load: Load) -> None:
    """Every acknowledged span is there once, and what is there beside them are whole requests without an answer."""
    found = stored(load.server, load.session)
    missing = load.acknowledged - found.keys()
    assert not missing, f"{len(missing)} of {len(load.acknowledged)} acknowledged spans are missing"
    assert set(found.values()) <= {1}
    extra = found.keys() - load.acknowledged
    assert extra <= {one for ids, _ in load.unanswered for one in ids}


@pytest.fixture
def killable(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    server = Server(tmp_path_factory.mktemp("kill"))
    yield server
    server.kill()


def test_every_acknowledged_span_survives_kill_9_under_load(killable: Server) -> None:
    seed = random.SystemRandom().getrandbits(32)
    chance = random.Random(seed)
    print(f"seed {seed}")
    load = Load(killable, "killed")
    for _ in range(ROUNDS):
        killable.start()
        load.send_again()
        load.start()
        time.sleep(chance.uniform(0, 0.6))
        killable.kill()
        load.join()
    killable.start()
    assert len(load.acknowledged) >= ROUNDS * BATCH
    check(load)
    load.send_again()
    found = stored(killable, load.session)
    assert found.keys() == load.acknowledged
    assert set(found.values()) == {1}
    # Sums count them once, too, and every trace is whole.
    listed, cursor = [], ""
    while cursor is not None:
        page = killable.get("/api/v1/traces", session_id=load.session, limit=1000, cursor=cursor)
        listed += page["data"]
        cursor = page["next_cursor"]
    assert {trace["span_count"] for trace in listed} == {BATCH}
    assert len(listed) * BATCH == len(load.acknowledged)
    assert set(load.statuses) == {200}


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_clean_stop_under_load_keeps_what_was_acknowledged(killable: Server, number: signal.Signals) -> None:
    load = Load(killable.start(), number.name)
    load.start()
    time.sleep(0.3)
    assert killable.stop(number) == 0
    load.join()
    assert set(load.statuses) <= {200, 503}
    killable.start()
    check(load)
    assert "Traceback" not in "".join(killable.output)


def test_two_stops_in_a_row_close_one_after_the_other(fresh_server: Server) -> None:
    """A second Ctrl-C of an impatient user does no harm to what was acknowledged."""
    load = Load(fresh_server, "impatient")
    load.start()
    assert fresh_server.process is not None
    fresh_server.process.send_signal(signal.SIGINT)
    fresh_server.process.send_signal(signal.SIGINT)
    assert fresh_server.process.wait(30) == 0
    load.join()
    fresh_server.url = fresh_server.login_url = ""
    fresh_server.start()
    check(load)


def test_killed_while_a_large_request_is_under_way_the_store_opens_again(killable: Server) -> None:
    trace_id = new_id(16)
    spans = [span(trace_id, attributes={"n": number, "input": "x" * 2000}) for number in range(5000)]
    body = encoded(request(spans))
    killable.start()
    answers: list[int] = []

    def send() -> None:
        with killable.client() as client:
            try:
                answers.append(client.post("/v1/traces", content=body, headers={"content-type": PROTOBUF}).status_code)
            except httpx.TransportError:
                answers.append(0)

    sender = threading.Thread(target=send)
    sender.start()
    time.sleep(0.2)
    killable.kill()
    sender.join(60)
    killable.start()
    with killable.client() as client:
        for _ in range(2):
            answer = client.post("/v1/traces", content=body, headers={"content-type": PROTOBUF})
            assert answer.status_code == 200
    assert killable.get("/api/v1/traces/" + trace_id)["trace"]["span_count"] == len(spans)
    assert answers[0] in (0, 200)


def run(*arguments: str, environment: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("GENSCOPE_")}
    return subprocess.run(
        [sys.executable, "-m", "genscope.cli", *arguments],
        env=clean | {"COLUMNS": "200", "TERM": "dumb"} | (environment or {}),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_a_second_server_on_the_directory_is_refused_and_the_first_goes_on(server: Server) -> None:
    second = run("serve", "--port", "0", "--grpc-port", "0", "--data", str(server.data))
    assert second.returncode == 1
    assert "in use by another process" in second.stderr
    assert "--data" in second.stderr
    assert "Traceback" not in second.stderr
    trace_id = new_id(16)
    with server.client() as client:
        body = encoded(request([span(trace_id)]))
        assert client.post("/v1/traces", content=body, headers={"content-type": PROTOBUF}).status_code == 200
    assert len(server.trace(trace_id)) == 1


def test_a_taken_port_is_told(server: Server, tmp_path_factory: pytest.TempPathFactory) -> None:
    data = str(tmp_path_factory.mktemp("taken"))
    port = server.url.rpartition(":")[2]
    done = run("serve", "--port", port, "--grpc-port", "0", "--data", data)
    assert done.returncode == 1
    assert f"cannot listen on 127.0.0.1:{port}" in done.stderr
    assert "--port" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_taken_grpc_port_is_told(server: Server, tmp_path_factory: pytest.TempPathFactory) -> None:
    data = str(tmp_path_factory.mktemp("taken"))
    done = run("serve", "--port", "0", "--grpc-port", str(server.grpc_port), "--data", data)
    assert done.returncode == 1
    assert f"127.0.0.1:{server.grpc_port}" in done.stderr
    assert "--grpc-port" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_data_directory_that_cannot_be_made_is_told(tmp_path_factory: pytest.TempPathFactory) -> None:
    file = tmp_path_factory.mktemp("file") / "file"
    file.write_text("")
    done = run("serve", "--port", "0", "--grpc-port", "0", "--data", str(file / "below"))
    assert done.returncode == 1
    assert str(file) in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("arguments", "environment", "told"),
    [
        (["--port", "70000"], {}, "port"),
        (["--port", "http"], {}, "--port"),
        (["--nonsense"], {}, "--nonsense"),
        (["--store", "postgres://somewhere"], {}, "chdb:///path"),
        (["--host", "0.0.0.0", "--allow-anonymous"], {}, "loopback"),
        (["--allow-anonymous", "--host", "192.0.2.1"], {}, "loopback"),
        ([], {"GENSCOPE_MAX_BODY_BYTES": "0"}, "max_body_bytes"),
        ([], {"GENSCOPE_LINGER": "soon"}, "linger"),
        ([], {"GENSCOPE_INIT_PUBLIC_KEY": "pk-only"}, "init_secret_key"),
    ],
)
def test_wrong_settings_are_told(arguments: list[str], environment: dict[str, str], told: str) -> None:
    done = run("serve", *arguments, environment=environment)
    assert done.returncode == 2
    assert told in done.stderr
    assert "Traceback" not in done.stderr


def test_an_impossible_project_name_is_told(tmp_path_factory: pytest.TempPathFactory) -> None:
    data = str(tmp_path_factory.mktemp("name"))
    done = run("serve", "--port", "0", "--data", data, environment={"GENSCOPE_INIT_PROJECT": "Not a slug"})
    assert done.returncode in (1, 2)
    assert "Not a slug" in done.stderr
    assert "Traceback" not in done.stderr


def test_help_and_version() -> None:
    from genscope import __version__

    assert run("--version").stdout.strip() == __version__
    for arguments in (["--help"], ["serve", "--help"], ["demo", "--help"]):
        done = run(*arguments)
        assert done.returncode == 0
        assert "Usage:" in done.stdout
    assert "--allow-anonymous" in run("serve", "--help").stdout
