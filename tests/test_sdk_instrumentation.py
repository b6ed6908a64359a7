"""Instrumentations that are installed, turned on by `init(instrument=...)` or `genscope run`, around real libraries."""

from __future__ import annotations

import json
import os
import secrets
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.sdk.trace import TracerProvider

from genscope.sdk.instrumentation import LIBRARIES, instrument
from genscope.sdk.settings import Settings
from tests.providers import server as providers
from tests.providers.conversation import ARGUMENTS, PROVIDERS, QUESTION, told
from tests.providers.wire import compact
from tests.running import Server

ROOT = Path(__file__).parent.parent
PROGRAM = ROOT / "tests" / "clients" / "instrumented" / "untouched.py"
SECONDS = 180
OPENAI, ANTHROPIC = (tuple(call.cost for call in PROVIDERS[name].calls) for name in ("openai", "anthropic"))
#: What each library's trace costs: its calls once each, although OpenAI's SDK is instrumented beneath some of them.
COSTS = {
    "openai": OPENAI[0],
    "anthropic": ANTHROPIC[0],
    "langchain": OPENAI[0],
    "openai_agents": sum(OPENAI),
    "llama_index": sum(OPENAI),
    "pydantic_ai": sum(OPENAI),
}
RUN = ("-m", "genscope", "run", str(PROGRAM))
INIT = (str(PROGRAM), "--init")
#: Environment, the arguments of its interpreter, and the libraries that are called.
WAYS = [
    ("instrumented", RUN, ("langchain", "openai_agents")),
    ("litellm-llama-index", (*INIT, "llama-index"), ("llama_index",)),
    ("gemini-bedrock-pydantic-ai", (*INIT, "pydantic-ai,anthropic"), ("anthropic", "pydantic_ai")),
]


@pytest.fixture(scope="module")
def provider_url() -> Iterator[str]:
    with providers.running() as url:
        yield url


@dataclass(frozen=True)
class Run:
    """Runs the interpreter of an environment of `tests/clients`, which finds the SDK, and reads what that sent."""

    server: Server
    provider_url: str
    environment: str
    name: str

    def python(self, *arguments: str, **variables: str) -> str:
        """Run it with these variables and nothing of the caller's; it must succeed. Return its standard error."""
        interpreter = ROOT / ".clients" / self.environment / "bin" / "python"
        assert interpreter.exists(), f"{interpreter} is missing: run `make clients`"
        needed = {
            "PATH": os.environ["PATH"],
            "HOME": os.environ.get("HOME", "/"),
            "NO_PROXY": "*",
            "PYTHONPATH": str(ROOT / "src"),
            "GENSCOPE_URL": self.server.url,
            "GENSCOPE_PUBLIC_KEY": self.server.public_key,
            "GENSCOPE_SECRET_KEY": self.server.secret_key,
            "GENSCOPE_ENVIRONMENT": self.name,
            "CONVERSATION": told(PROVIDERS["openai"]),
            "PROVIDER_URL": self.provider_url,
            "ANTHROPIC_MODEL": PROVIDERS["anthropic"].model,
            "MODES": "plain",
            "OPENAI_API_KEY": "none",
            "ANTHROPIC_API_KEY": "none",
        }
        done = subprocess.run(
            [str(interpreter), *arguments],
            env=needed | variables,
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stderr

    def traces(self) -> list[dict[str, Any]]:
        """Return the traces, the earliest first, with their spans."""
        listed = self.server.get("/api/v1/traces", environment=self.name, sort="start_time")["data"]
        return [self.server.get(f"/api/v1/traces/{one['trace_id']}") for one in listed]


@pytest.fixture
def run(server: Server, provider_url: str) -> Callable[[str], Run]:
    return lambda environment: Run(server, provider_url, environment, f"e-{secrets.token_hex(4)}")


@pytest.mark.parametrize(("environment", "arguments", "libraries"), WAYS)
def test_a_program_is_traced(
    run: Callable[[str], Run], environment: str, arguments: tuple[str, ...], libraries: tuple[str, ...]
) -> None:
    program = run(environment)
    program.python(*arguments, *libraries)
    traces = program.traces()
    # One for each library, in the order that they were called in.
    assert [Decimal(one["trace"]["total_cost"]) for one in traces] == [COSTS[name] for name in libraries]
    for one in traces:
        calls = [span for span in one["spans"] if span["type"] == "generation"]
        assert calls
        assert all(QUESTION in str(call["input"]) and call["output"] for call in calls)


def test_what_shall_not_leave_does_not_leave(run: Callable[[str], Run]) -> None:
    program = run("instrumented")
    hidden = {"GENSCOPE_CAPTURE_INPUT": "false", "GENSCOPE_CAPTURE_OUTPUT": "false"}
    program.python(*INIT, "openai,anthropic", "openai", "anthropic", **hidden)
    traces = program.traces()
    assert len(traces) == 2
    for one in traces:
        (call,) = one["spans"]
        assert call["usage"]["input"] > 0
        text = json.dumps(call, ensure_ascii=False).replace("\\", "")
        assert QUESTION not in text
        assert compact(ARGUMENTS) not in text


def test_what_is_missing_is_said_with_what_to_install(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "environ", {})  # which it changes
    for which in (["cohere", "opnai", "bedrock"], True):
        assert instrument(which, TracerProvider(), Settings()) == []
    said = [record.getMessage() for record in caplog.records]
    assert said[0] == "cohere is not instrumented: cohere is not installed"
    assert said[1].startswith("there is no instrumentation named 'opnai'; known are ag2, agno,")
    # Which is here for the tests of attachments.
    assert said[2] == "bedrock is not instrumented: pip install openinference-instrumentation-bedrock"
    assert said[3] == "bedrock not instrumented: pip install openinference-instrumentation-bedrock"


def test_one_that_is_broken_harms_nobody(run: Callable[[str], Run], tmp_path: Path) -> None:
    """The best one fails; the next one does the work, and the program knows nothing of it. Of another little is left."""
    (tmp_path / "removed-1.dist-info").mkdir()
    (tmp_path / "removed-1.dist-info" / "entry_points.txt").write_text(
        "[opentelemetry_instrumentor]\nhalf = half:Half\n"
    )
    (tmp_path / "broken.py").write_text("raise RuntimeError('out of order')")
    package = tmp_path / "openinference_instrumentation_openai-9.dist-info"
    package.mkdir()
    (package / "METADATA").write_text("Metadata-Version: 2.1\nName: openinference-instrumentation-openai\nVersion: 9\n")
    (package / "entry_points.txt").write_text("[opentelemetry_instrumentor]\nopenai = broken:Instrumentor\n")
    program = run("openai-v2")
    said = program.python(*INIT, "openai", "openai", PYTHONPATH=f"{tmp_path}:{ROOT / 'src'}")
    assert "the instrumentation broken:Instrumentor does not work here: RuntimeError: out of order" in said
    (trace,) = program.traces()
    (call,) = trace["spans"]
    assert QUESTION in str(call["input"])


def test_the_page_names_all_there_is() -> None:
    page = (ROOT / "docs" / "instrumentation.md").read_text()
    for name, library in LIBRARIES.items():
        ways = [*(["itself"] if library.itself else []), *(f"`{package}`" for package in library.instrumentations)]
        assert f"| `{name}` | `{library.package}` | {', '.join(ways)} |\n" in page
