"""Unmodified vendor SDKs and OpenTelemetry's exporters, each in a process of its own with only URL and keys set."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.running import Server

ROOT = Path(__file__).parent.parent
PROGRAMS = ROOT / "tests" / "clients"
PROGRAM_SECONDS = 180

ANSWER = "It left our warehouse this morning."
MESSAGES = [
    {"role": "system", "content": "You answer customers of a bookshop."},
    {"role": "user", "content": "Where is my order 4711? Grüße 📦"},
]


@dataclass(frozen=True)
class Client:
    """A program and the environment that it runs in."""

    environment: str
    program: str

    def run(self, variables: dict[str, str], *arguments: str) -> dict[str, Any]:
        """Run the program with these variables and return the JSON object on its last line."""
        # Nothing of the caller's environment but what a process needs: no proxy and no key of another service.
        environment = {"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/"), "NO_PROXY": "*", **variables}
        done = subprocess.run(
            [str(self._interpreter()), str(PROGRAMS / self.program), *arguments],
            env=environment,
            capture_output=True,
            text=True,
            timeout=PROGRAM_SECONDS,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
        return result | {"stderr": done.stderr}

    def _interpreter(self) -> Path:
        binaries = Path(sys.executable).parent
        if self.environment == "node":
            return binaries / "node"
        if self.environment == "genscope":
            return binaries / "python"
        interpreter = ROOT / ".clients" / self.environment / "bin" / "python"
        assert interpreter.exists(), f"{interpreter} is missing: run `make clients`"
        return interpreter


LANGFUSE_CLIENTS = [
    Client("langfuse-3.0.0", "python/langfuse_generation.py"),
    Client("langfuse-3.15.0", "python/langfuse_generation.py"),
    Client("langfuse-3.15.0", "python/langfuse_observation.py"),
    Client("langfuse-4.18.0", "python/langfuse_observation.py"),
    Client("langfuse-5.0.4", "python/langfuse_observation.py"),
    Client("node", "node/langfuse_generation.mjs"),
]
PYTHON_LANGFUSE_CLIENTS = [client for client in LANGFUSE_CLIENTS if client.environment != "node"]
OPENTELEMETRY_PYTHON = Client("genscope", "python/opentelemetry_gen_ai.py")
OPENTELEMETRY_NODE = Client("node", "node/opentelemetry_gen_ai.mjs")


def name_of(client: Client) -> str:
    return f"{client.environment}-{Path(client.program).stem}"


def langfuse_variables(server: Server, secret_key: str | None = None) -> dict[str, str]:
    return {
        "LANGFUSE_BASE_URL": server.url,
        "LANGFUSE_HOST": server.url,  # what versions before 3.8.1 read
        "LANGFUSE_PUBLIC_KEY": server.public_key,
        "LANGFUSE_SECRET_KEY": secret_key or server.secret_key,
    }


def read_trace(server: Server, trace_id: str) -> list[dict[str, Any]]:
    response = httpx.get(f"{server.url}/api/v1/traces/{trace_id}", auth=(server.public_key, server.secret_key))
    assert response.status_code == 200, response.text
    spans: list[dict[str, Any]] = response.json()["spans"]
    return spans


def read_pair(server: Server, trace_id: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the two spans of a trace, the root first; JavaScript's clock may give both the same start."""
    root, inner = sorted(read_trace(server, trace_id), key=lambda span: span["parent_span_id"] is not None)
    return root, inner


def decimals(cost: dict[str, str]) -> dict[str, Decimal]:
    return {kind: Decimal(amount) for kind, amount in cost.items()}


@pytest.mark.parametrize("client", LANGFUSE_CLIENTS, ids=name_of)
def test_langfuse_program_is_recorded_whole(server: Server, client: Client) -> None:
    made = client.run(langfuse_variables(server))

    (generation,) = read_trace(server, made["success"])
    assert generation["type"] == "generation"
    assert generation["name"] == "draft-reply"
    assert generation["parent_span_id"] is None
    assert generation["model"] == "gpt-4o"
    assert generation["input"] == MESSAGES
    assert generation["output"] == ANSWER
    assert generation["usage"] == {"input": 1000, "output": 50, "total": 1050}
    assert decimals(generation["cost"]) == {
        "input": Decimal("0.0025"),
        "output": Decimal("0.0005"),
        "total": Decimal("0.003"),
    }
    assert generation["cost_source"] == "computed"
    assert generation["level"] == "DEFAULT"
    assert generation["duration_ms"] >= 9  # the model takes ten, and clocks are rounded
    assert generation["scope"]["name"] == "langfuse-sdk"

    (failed,) = read_trace(server, made["failure"])
    assert failed["level"] == "ERROR"
    assert failed["status_message"] == "Error code: 529 - overloaded"
    assert failed["cost"] is None
    assert failed["usage"] is None
    assert [event["name"] for event in failed["events"]] in (["exception"], [])

    root, inner = read_pair(server, made["ticket"])
    assert (root["name"], root["type"], root["parent_span_id"]) == ("answer-ticket", "span", None)
    assert root["input"] == {"ticket": 4711}
    assert root["output"] == {"reply": ANSWER}
    assert root["user_id"] == "alice"
    assert root["session_id"] == "ticket-4711"
    assert sorted(root["tags"]) == ["books", "demo"]
    assert root["trace_name"] == "support"
    assert inner["parent_span_id"] == root["span_id"]
    assert inner["model_parameters"] == {"temperature": 0.7}
    assert inner["usage"] == {"input": 1000, "output": 50, "total": 1050, "input_cache_read": 800}
    assert Decimal(inner["cost"]["total"]) == Decimal("0.002")
    assert inner["completion_start_time"] is not None
    assert 0 <= inner["time_to_first_token_ms"] < inner["duration_ms"]
    # TypeScript's SDK sends the number 1 and the text "1" alike: the difference is lost before the wire.
    attempt = 1 if client.environment != "node" else "1"
    assert inner["metadata"] == {"attempt": attempt, "channel": "mail", "number": "123"}


@pytest.mark.parametrize("client", PYTHON_LANGFUSE_CLIENTS, ids=name_of)
def test_langfuse_auth_check(server: Server, client: Client) -> None:
    assert client.run(langfuse_variables(server))["auth_check"] is True


@pytest.mark.parametrize("client", LANGFUSE_CLIENTS, ids=name_of)
def test_langfuse_program_survives_a_wrong_key(server: Server, client: Client) -> None:
    made = client.run(langfuse_variables(server, secret_key="wrong"))

    assert not made.get("auth_check", False)
    response = httpx.get(f"{server.url}/api/v1/traces/{made['success']}", auth=(server.public_key, server.secret_key))
    assert response.status_code == 404


def opentelemetry_variables(server: Server, transport: str) -> dict[str, str]:
    basic = base64.b64encode(f"{server.public_key}:{server.secret_key}".encode()).decode()
    variables = {
        "http": {
            "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": f"{server.url}/v1/traces",
            "OTEL_EXPORTER_OTLP_TRACES_HEADERS": f"authorization=Bearer%20{server.secret_key}",
            "OTEL_EXPORTER_OTLP_COMPRESSION": "gzip",
        },
        "grpc": {
            "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{server.grpc_port}",
            "OTEL_EXPORTER_OTLP_HEADERS": f"x-api-key={server.secret_key}",
        },
        "json": {
            "OTEL_EXPORTER_OTLP_ENDPOINT": server.url,
            "OTEL_EXPORTER_OTLP_HEADERS": f"authorization=Basic%20{basic}",
        },
    }
    return variables[transport]


@pytest.mark.parametrize("transport", ["http", "grpc", "json"])
def test_opentelemetry_program_is_recorded_whole(server: Server, transport: str) -> None:
    variables = opentelemetry_variables(server, transport)
    program = OPENTELEMETRY_NODE if transport == "json" else OPENTELEMETRY_PYTHON
    made = program.run(variables, transport)

    root, generation = read_pair(server, made["success"])
    assert (root["name"], root["type"]) == ("answer-ticket", "span")
    assert generation["type"] == "generation"
    assert generation["parent_span_id"] == root["span_id"]
    assert generation["model"] == "gpt-4o"
    assert generation["provider"] == "openai"
    assert generation["model_parameters"] == {"temperature": 0.7}
    assert generation["session_id"] == "ticket-4711"
    assert generation["input"] == [{"role": "user", "parts": [{"type": "text", "content": "Where is my order 4711?"}]}]
    assert generation["output"][0]["parts"][0]["content"] == ANSWER
    assert generation["usage"] == {"input": 1000, "output": 50, "total": 1050, "input_cache_read": 800}
    assert Decimal(generation["cost"]["total"]) == Decimal("0.002")
    assert generation["duration_ms"] >= 9

    _, failed = read_pair(server, made["failure"])
    assert failed["level"] == "ERROR"
    assert failed["status_message"] == "RuntimeError: Error code: 529 - overloaded"
    assert [event["name"] for event in failed["events"]] == ["exception"]
    assert failed["cost"] is None


@pytest.mark.parametrize("transport", ["http", "grpc"])
def test_spans_exported_twice_count_once(server: Server, transport: str) -> None:
    made = OPENTELEMETRY_PYTHON.run(opentelemetry_variables(server, transport), transport, transport)
    assert "Failed to export" not in made["stderr"]

    root, generation = read_pair(server, made["success"])
    assert root["span_id"] != generation["span_id"]
    assert Decimal(generation["cost"]["total"]) == Decimal("0.002")


def test_gen_ai_program_survives_a_wrong_key(server: Server) -> None:
    variables = opentelemetry_variables(server, "grpc") | {"OTEL_EXPORTER_OTLP_HEADERS": "x-api-key=wrong"}
    made = OPENTELEMETRY_PYTHON.run(variables, "grpc")

    response = httpx.get(f"{server.url}/api/v1/traces/{made['success']}", auth=(server.public_key, server.secret_key))
    assert response.status_code == 404
