"""A real server as a process of its own, for tests: started on free ports, stopped or killed by id."""

from __future__ import annotations

import contextlib
import json
import os
import re
import secrets
import signal
import socket
import ssl
import subprocess
import sys
import threading
from dataclasses import dataclass, field, replace
from pathlib import Path
from queue import Empty, Queue
from typing import Any

import httpx

START_SECONDS = 180
#: Nothing is encrypted here, and to read the system's certificates takes as long as a request.
PLAIN = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class Server:
    """`genscope serve` on a data directory; start, stop and kill as often as wanted."""

    data: Path
    project: str = "default"
    anonymous: bool = False
    environment: dict[str, str] = field(default_factory=dict)
    public_key: str = field(default_factory=lambda: f"pk-{secrets.token_hex(4)}")
    secret_key: str = field(default_factory=lambda: f"sk-{secrets.token_hex(8)}")
    url: str = ""
    login_url: str = ""
    grpc_port: int = 0
    process: subprocess.Popen[str] | None = None
    output: list[str] = field(default_factory=list)

    def start(self) -> Server:
        self.grpc_port = free_port()
        environment = {name: value for name, value in os.environ.items() if not name.startswith("GENSCOPE_")}
        environment |= {
            "GENSCOPE_INIT_PROJECT": self.project,
            "GENSCOPE_INIT_PUBLIC_KEY": self.public_key,
            "GENSCOPE_INIT_SECRET_KEY": self.secret_key,
            "COLUMNS": "400",
        } | self.environment
        command = [sys.executable, "-m", "genscope.cli", "serve", "--port", "0", "--grpc-port", str(self.grpc_port)]
        command += ["--data", str(self.data)] + (["--allow-anonymous"] if self.anonymous else [])
        self.process = subprocess.Popen(
            command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        lines: Queue[str] = Queue()
        threading.Thread(target=self._read, args=(self.process, lines), daemon=True).start()
        while not (self.url and (self.login_url or self.anonymous)):
            try:
                line = lines.get(timeout=START_SECONDS)
            except Empty:
                self.kill()
                raise AssertionError(f"the server did not start: {''.join(self.output)}") from None
            if line == "":
                raise AssertionError(f"the server ended at once: {''.join(self.output)}")
            if found := re.search(r"running on (http://\S+)", line):
                self.url = found[1]
            if found := re.search(r"(http://\S+/login\?token=\S+)", line):
                self.login_url = found[1]
        return self

    def _read(self, process: subprocess.Popen[str], lines: Queue[str]) -> None:
        assert process.stdout is not None
        for line in process.stdout:
            self.output.append(line)
            lines.put(line)
        lines.put("")

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Ask it to end, and return its exit status."""
        assert self.process is not None
        self.process.send_signal(number)
        status = self.process.wait(timeout=30)
        self.url = self.login_url = ""
        return status

    def kill(self) -> None:
        """End it as a power cut would."""
        if self.process is not None:
            with contextlib.suppress(ProcessLookupError):
                self.process.kill()
            self.process.wait(timeout=30)
        self.url = self.login_url = ""

    def new_project(self) -> Server:
        """Make an empty project, and return the server as one has it who has the key of that project alone."""
        told = json.loads((self.data / "server.json").read_text())
        project = f"project-{secrets.token_hex(6)}"
        with httpx.Client(
            base_url=told["url"], auth=("command", told["token"]), trust_env=False, verify=PLAIN
        ) as owner:
            made = owner.post("/api/v1/projects", json={"id": project, "name": project}, timeout=120)
            keys = made.raise_for_status().json()
        # Whoever has a project alone can neither stop the server nor log in to all of it.
        return replace(
            self,
            project=project,
            public_key=keys["public_key"],
            secret_key=keys["secret_key"],
            login_url="",
            process=None,
        )

    @property
    def basic(self) -> tuple[str, str]:
        return self.public_key, self.secret_key

    def client(self, **options: Any) -> httpx.Client:
        """Return an HTTP client of this server with its key."""
        return httpx.Client(base_url=self.url, auth=self.basic, timeout=120, trust_env=False, verify=PLAIN, **options)

    def get(self, path: str, **parameters: Any) -> Any:
        """Read JSON."""
        with self.client() as client:
            answer = client.get(path, params=parameters)
            answer.raise_for_status()
            return answer.json()

    def trace(self, trace_id: str) -> dict[str, dict[str, Any]]:
        """Return the spans of a trace by span id."""
        return {span["span_id"]: span for span in self.get(f"/api/v1/traces/{trace_id}")["spans"]}

    def send(self, body: dict[str, Any]) -> httpx.Response:
        """Send an OTLP/JSON request."""
        with self.client() as client:
            return client.post("/v1/traces", json=body)
