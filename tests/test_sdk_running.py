"""`genscope run` beside `python`: the same program, the same answers, to the letter."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

SECONDS = 120
PROGRAM = """\
import pickle, sys, threading

class Ticket: ...

print(__name__, __file__, sys.argv, sys.path[0], __spec__ and __spec__.name, __package__)
print(vars(sys.modules["__main__"]) is globals())
print(type(pickle.loads(pickle.dumps(Ticket()))) is Ticket)
threading.Thread(target=print, args=["last"]).start()
if "exit" in sys.argv: sys.exit(7)
if "refuse" in sys.argv: sys.exit("no tickets")
if "interrupt" in sys.argv: raise KeyboardInterrupt
if "raise" in sys.argv:
    try: 1 / 0
    except ArithmeticError as error: raise ValueError("no") from error
"""


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("programs")
    (made / "desk").mkdir()
    for path in (made / "app.py", made / "desk" / "__main__.py"):
        path.write_text(PROGRAM)
    (made / "broken.py").write_text("x = (\n")
    return made


def run(directory: Path, *arguments: str) -> tuple[int, str, str]:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("GENSCOPE_")}
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=directory,
        # What is told, and to whom, is proved elsewhere.
        env=inherited | {"GENSCOPE_ENABLED": "false"},
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    return done.returncode, done.stdout, done.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ("app.py", "-x", "--help", "two words"),
        ("./app.py", "raise"),
        ("app.py", "exit"),
        ("app.py", "refuse"),
        ("app.py", "interrupt"),
        ("-m", "desk", "raise"),
        ("-m", "app", "--help"),
        ("desk", "raise"),
        ("broken.py",),
        ("-m", "no_such_module"),
    ],
    ids=" ".join,
)
def test_a_program_runs_as_ever(directory: Path, arguments: tuple[str, ...]) -> None:
    assert run(directory, "-m", "genscope", "run", *arguments) == run(directory, *arguments)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("no-such.py",), "genscope run: can't open file 'no-such.py': No such file or directory"),
        (("-m",), "genscope run: -m needs a module; see genscope run --help"),
        (("--verbose", "app.py"), "genscope run: there is no option --verbose"),
    ],
)
def test_what_cannot_be_run_is_said(directory: Path, arguments: tuple[str, ...], said: str) -> None:
    status, _, told = run(directory, "-m", "genscope", "run", *arguments)
    assert (status, said in told) == (2, True), told


def test_the_command_of_the_server_lists_it_and_runs_the_same(directory: Path) -> None:
    assert "Run a Python program with tracing turned on" in run(directory, "-m", "genscope", "--help")[1]
    ways = [run(directory, "-m", *way, "--help") for way in (("genscope", "run"), ("genscope.cli", "run"))]
    assert ways[0] == ways[1]
    assert "genscope run -m uvicorn app:api" in ways[0][1]
