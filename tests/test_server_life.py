"""A server's start and stop, and what its keys open, as an operator meets them."""

from __future__ import annotations

import contextlib
import json
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import grpc
import httpx
import pytest

from tests.running import Server, free_port
from tests.sending import PROTOBUF, encoded, new_id, request, span

EXPORT = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"


def genscope(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "genscope.cli", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, env=environment or None)


def test_senders_that_hang_up_stop_nobody(fresh_server: Server) -> None:
    body = encoded(request([span(new_id(16)) for _ in range(50)]))
    metadata = (("authorization", f"Bearer {fresh_server.secret_key}"),)
    with grpc.insecure_channel(f"127.0.0.1:{fresh_server.grpc_port}") as channel:
        export = channel.unary_unary(EXPORT, request_serializer=None, response_deserializer=None)
        for milliseconds in range(1, 40, 3):
            try:
                export(body, metadata=metadata, timeout=milliseconds / 1000)
            except grpc.RpcError as error:
                assert error.code() == grpc.StatusCode.DEADLINE_EXCEEDED  # noqa: PT017
    trace_id = new_id(16)
    with fresh_server.client() as client:
        content = encoded(request([span(trace_id)]))
        assert client.post("/v1/traces", content=content, headers={"content-type": PROTOBUF}).status_code == 200
        assert client.get("/health").status_code == 200
    assert len(fresh_server.trace(trace_id)) == 1


def test_a_span_without_times_counts_once_however_often_it_comes(server: Server) -> None:
    trace_id = new_id(16)
    body = encoded(request([span(trace_id, start=0, end=0), span(trace_id)]))
    with server.client() as client:
        for _ in range(3):
            assert client.post("/v1/traces", content=body, headers={"content-type": PROTOBUF}).status_code == 200
    listed = server.get("/api/v1/spans", trace_id=trace_id)["data"]
    assert len(listed) == 2


def test_a_large_resource_shared_by_many_spans_is_taken(server: Server) -> None:
    trace_id = new_id(16)
    spans = [span(trace_id) for _ in range(5000)]
    body = encoded(request(spans, resource={"service.name": "shop", "note": "n" * 30_000}))
    with server.client() as client:
        assert client.post("/v1/traces", content=body, headers={"content-type": PROTOBUF}).status_code == 200
    assert server.get("/api/v1/traces", limit="1") is not None
    assert len(server.get("/api/v1/spans", trace_id=trace_id, limit="7")["data"]) == 7


@pytest.mark.parametrize("delay", [0.2, 0.8, 1.5])
def test_a_stop_during_the_start_is_not_forgotten(tmp_path: Path, delay: float) -> None:
    command = [
        sys.executable,
        "-m",
        "genscope.cli",
        "serve",
        "--port",
        "0",
        "--grpc-port",
        "0",
        "--data",
        str(tmp_path),
    ]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    time.sleep(delay)
    process.send_signal(signal.SIGTERM)
    output, _ = process.communicate(timeout=30)
    # Before its handlers are there, the signal ends the process as it does any other.
    assert process.returncode in (0, -signal.SIGTERM), output


def test_it_listens_on_ipv6_and_in_a_directory_of_any_name(tmp_path: Path) -> None:
    port, data = free_port(), tmp_path / "[bold]data[/]"
    command = [sys.executable, "-m", "genscope.cli", "serve", "--host", "::1", "--port", str(port), "--grpc-port", "0"]
    process = subprocess.Popen(
        [*command, "--data", str(data), "--allow-anonymous"],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert process.stdout is not None
    try:
        first = process.stdout.readline()
        assert f"running on http://[::1]:{port}" in first
        assert httpx.get(f"http://[::1]:{port}/api/v1/spans", trust_env=False, timeout=30).json()["data"] == []
        assert httpx.get(f"http://[::1]:{port}/generations", trust_env=False, timeout=30).status_code == 200
    finally:
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=30) == 0
        process.stdout.close()


@pytest.mark.parametrize(
    ("data", "store", "said"),
    [("a?b", "", "choose another path"), ("a", "chdb://", "needs a path"), ("a", "mysql://x", "not supported")],
)
def test_impossible_places_are_refused(tmp_path: Path, data: str, store: str, said: str) -> None:
    done = genscope("serve", "--data", str(tmp_path / data), *(["--store", store] if store else []))
    assert done.returncode == 2
    assert said in done.stderr


@pytest.mark.parametrize("runs", [False, True], ids=["stopped", "running"])
def test_keys_and_projects_by_command(fresh_server: Server, runs: bool) -> None:
    data = ("--data", str(fresh_server.data))
    if not runs:
        fresh_server.stop()
    made = genscope("projects", "create", "shop", "--name", "[/red] [bold]", *data, "--json")
    assert made.returncode == 0, made.stderr
    listed = genscope("projects", "list", *data)
    assert "[/red] [bold]" in listed.stdout, listed.stderr
    assert genscope("projects", "create", "shop", *data).returncode == 1
    assert genscope("projects", "create", "No Slug", *data).returncode == 2
    assert genscope("keys", "create", "--project", "nowhere", *data).returncode == 1
    revoked = genscope("keys", "revoke", fresh_server.public_key, *data)
    assert revoked.returncode == 0, revoked.stderr
    listed = genscope("keys", "list", *data, "--json")
    assert fresh_server.public_key not in listed.stdout
    if runs:
        (pair,) = json.loads(made.stdout)
        answer = httpx.get(
            f"{fresh_server.url}/api/v1/keys",
            auth=(pair["public_key"], pair["secret_key"]),
            timeout=60,
            trust_env=False,
        )
        assert [key["project"] for key in answer.json()["data"]] == ["shop"]
        with fresh_server.client() as client:
            assert client.get("/api/v1/keys").status_code == 401
        told = json.loads((fresh_server.data / "server.json").read_text())
        assert told["url"] == fresh_server.url
        assert (fresh_server.data / "server.json").stat().st_mode & 0o77 == 0
        fresh_server.stop()
    assert not (fresh_server.data / "server.json").exists()
    # The environment still names the revoked key: it must not come back by itself.
    with pytest.raises(AssertionError, match="was revoked"):
        fresh_server.start()


def test_an_initial_key_of_another_project_is_refused(fresh_server: Server) -> None:
    fresh_server.stop()
    fresh_server.project = "another"
    with pytest.raises(AssertionError, match="opens project 'default'"):
        fresh_server.start()
    fresh_server.public_key += "-2"
    with pytest.raises(AssertionError, match="choose another secret"):
        fresh_server.start()


def test_a_login_ends_with_its_key(fresh_server: Server) -> None:
    with httpx.Client(base_url=fresh_server.url, trust_env=False, timeout=30) as browser:
        pair = {"public_key": fresh_server.public_key, "secret_key": fresh_server.secret_key}
        assert browser.post("/login", data=pair).status_code == 303
        assert browser.get("/generations").status_code == 200
        assert browser.get(fresh_server.login_url.replace(fresh_server.url, "")).status_code == 303
        assert browser.get("/generations").status_code == 200
        again = browser.get(fresh_server.login_url.replace(fresh_server.url, ""), headers={"cookie": ""})
        assert again.status_code == 401


def test_a_query_that_cannot_be_interrupted_keeps_no_server_from_stopping(fresh_server: Server) -> None:
    endless = "SELECT repeat('a', 1000000) LIKE concat(repeat('%a', 10000), 'b') AS matched"

    def ask(query: str) -> None:
        with contextlib.suppress(httpx.HTTPError), fresh_server.client() as client:
            client.post("/api/v1/sql", json={"query": query})

    asking = threading.Thread(target=ask, args=(endless,), daemon=True)
    asking.start()
    ask("SELECT 1")
    # `stop` waits 30 s at most.
    assert fresh_server.stop() == 0
    asking.join(timeout=60)
