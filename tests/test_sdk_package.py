"""The package as `pip install genscope` leaves it: light, whole, and typed for programs outside."""

from __future__ import annotations

import inspect
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import genscope
from genscope.sdk import logger
from tests.running import Server

ROOT = Path(__file__).parent.parent
LIGHT = ROOT / ".clients" / "light"
PROGRAMS = ROOT / "tests" / "clients" / "typed"
PYRIGHT = ROOT / "tests" / "clients" / "node-pyright" / "node_modules" / "pyright" / "index.js"
SECONDS = 300
#: Modules of the server's side, and what it needs.
SERVER_SIDE = ("genscope.api", "genscope.app", "genscope.cli", "genscope.model", "genscope.store", "chdb", "fastapi")
THREE_LINES = """\
import genscope
with genscope.init().start_as_current_generation(name="draft-reply", model="gpt-4o", input="Where is it?") as gen:
    gen.update(output="On its way.", usage_details={"input": 1000, "output": 50})
"""
#: What is still open at its end is told, though others asked before to be called at the end.
APP = """\
import sys, tempfile
import genscope
others = tempfile.TemporaryDirectory()
client = genscope.get_client()
with client.start_as_current_span(name=sys.argv[1]) as span:
    print(__name__, span.trace_id)
    stream = client.start_generation(name="left-open").watch(iter(["It ", "left."]))
    next(stream)
kept = [stream]
kept.append(kept)
"""


@dataclass(frozen=True)
class Installed:
    """An environment with the wheel and its dependencies, and nothing else."""

    directory: Path

    @property
    def python(self) -> Path:
        return self.directory / "bin" / "python"

    def run(self, command: str, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        """Run a program of the environment, with these variables and nothing of the caller's."""
        return subprocess.run(
            [str(self.directory / "bin" / command), *arguments],
            env={"PATH": os.environ["PATH"], "HOME": str(self.directory), "NO_PROXY": "*"} | variables,
            cwd=self.directory,
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Installed:
    assert LIGHT.exists(), f"{LIGHT} is missing: run `make clients`"
    directory = tmp_path_factory.mktemp("installed")

    def run(*command: str | Path) -> None:
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=SECONDS, check=False)
        assert done.returncode == 0, done.stderr

    run(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", directory / "wheel")
    (wheel,) = (directory / "wheel").glob("*.whl")
    run(sys.executable, "-m", "venv", "--without-pip", directory / "venv")
    made = Installed(directory / "venv")
    (packages,) = (LIGHT / "lib").glob("python3*/site-packages")
    (there,) = (made.directory / "lib").glob("python3*/site-packages")
    (there / "dependencies.pth").write_text(f"{packages}\n")
    # What the wheel wants is there, or pip, which may fetch nothing, would refuse.
    pip = (sys.executable, "-m", "pip", "--python", made.python, "--disable-pip-version-check")
    run(*pip, "install", "--no-index", "--no-compile", wheel)
    return made


def keys(server: Server) -> dict[str, str]:
    return {
        "GENSCOPE_URL": server.url,
        "GENSCOPE_PUBLIC_KEY": server.public_key,
        "GENSCOPE_SECRET_KEY": server.secret_key,
    }


def test_three_lines_send_a_trace(installed: Installed, server: Server) -> None:
    check = f"import sys; print(json.dumps([name for name in {SERVER_SIDE!r} if name in sys.modules]), gen.trace_id)"
    done = installed.run("python", "-c", f"{THREE_LINES}import json; {check}", **keys(server))
    assert done.returncode == 0, done.stderr
    imported, trace_id = done.stdout.split()
    assert imported == "[]"
    (call,) = server.trace(trace_id).values()  # sent when the program ended
    assert (call["name"], call["model"], call["cost"]["total"]) == ("draft-reply", "gpt-4o", "0.003")


def test_import_brings_little(installed: Installed) -> None:
    done = installed.run("python", "-X", "importtime", "-c", "import genscope; genscope.init")
    imported = set(re.findall(r"\| +([\w.]+)$", done.stderr, re.MULTILINE))
    assert "opentelemetry.sdk.trace" in imported
    assert not imported & {"requests", "google.protobuf", "genscope.sdk.rows", *SERVER_SIDE}


def test_the_command_runs_programs_and_says_what_is_missing(installed: Installed, server: Server) -> None:
    (installed.directory / "app.py").write_text(APP)
    done = installed.run("genscope", "run", "app.py", "from-the-command", **keys(server))
    assert done.returncode == 0, done.stderr
    name, trace_id = done.stdout.split()
    spans = {span["name"]: span["output"] for span in server.trace(trace_id).values()}
    assert (name, spans) == ("__main__", {"from-the-command": None, "left-open": "It "})
    assert installed.run("genscope", "run", "--help").stdout.startswith("Usage: genscope run PROGRAM")
    done = installed.run("genscope", "serve")
    assert (done.returncode, "pip install 'genscope[server]'" in done.stderr) == (1, True)


def test_a_program_outside_runs_as_it_is_typed(installed: Installed, server: Server) -> None:
    done = installed.run("python", str(PROGRAMS / "program.py"), **keys(server))
    assert done.returncode == 0, done.stderr
    made = json.loads(done.stdout)
    names = {span["name"] for span in server.trace(made["trace"]).values()}
    assert {"answer-ticket", "draft-reply", "look-up", "manual", "inner", "tool", "sent"} <= names
    assert {span["name"] for span in server.trace(made["logged"]).values()} >= {"look", "again", "search"}


#: What a checker finds in programs: by file and line.
Mistakes = dict[tuple[str, int], str]


def mypy(installed: Installed, programs: list[str]) -> Mistakes:
    command = [sys.executable, "-m", "mypy", "--strict", "--config-file=", "--no-incremental", "--show-error-codes"]
    done = subprocess.run(
        [*command, "--python-executable", str(installed.python), *programs],
        cwd=installed.directory,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert done.returncode in (0, 1), done.stdout + done.stderr
    found = re.findall(r"^(.+?):(\d+): error: (.*)$", done.stdout, re.MULTILINE)
    return {(Path(name).name, int(line)): message for name, line, message in found}


def pyright(installed: Installed, programs: list[str]) -> Mistakes:
    assert PYRIGHT.exists(), f"{PYRIGHT} is missing: run `make clients`"
    node = Path(sys.executable).parent / "node"
    done = subprocess.run(
        [str(node), str(PYRIGHT), "--pythonpath", str(installed.python), "--outputjson", *programs],
        cwd=installed.directory,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    found: list[dict[str, Any]] = json.loads(done.stdout)["generalDiagnostics"]
    return {
        (Path(one["file"]).name, one["range"]["start"]["line"] + 1): one["message"]
        for one in found
        if one["severity"] == "error"
    }


@pytest.mark.parametrize("checker", [mypy, pyright])
def test_types_from_outside(installed: Installed, checker: Callable[[Installed, list[str]], Mistakes]) -> None:
    """A program is as it should be, in another every line that is marked, and no other, is wrong."""
    programs = sorted(PROGRAMS.glob("*.py"))
    wrong = {
        (program.name, number)
        for program in programs
        for number, line in enumerate(program.read_text().splitlines(), 1)
        if line.endswith("# wrong")
    }
    found = checker(installed, [str(program) for program in programs])
    assert found.keys() == wrong, found


def public(kind: type) -> Iterator[str]:
    """Yield the names of what an object of a class offers."""
    for name, member in inspect.getmembers(kind):
        if not name.startswith("_") and (callable(member) or isinstance(member, property)):
            yield name


def test_the_typed_program_has_every_call() -> None:
    text = (PROGRAMS / "program.py").read_text()
    kinds = [genscope.Client, genscope.Observation, genscope.Rows, genscope.Logger]
    kinds += [getattr(logger, name) for name in logger.__all__]
    names = {name for kind in kinds for name in public(kind)} - {"index", "count"}  # those that every sequence has
    missing = [name for name in sorted(names) if f".{name}" not in text]
    missing += [name for name in genscope.__all__ if f"genscope.{name}" not in text]
    assert missing == []
