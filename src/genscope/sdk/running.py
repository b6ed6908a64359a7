"""`genscope run`: a program as Python runs it, with tracing turned on before its first line.

It runs in this very process: `sys.argv`, `sys.path`, `__main__`, its exit status and its tracebacks are what they are without.
"""

from __future__ import annotations

import builtins
import io
import os
import runpy
import sys
from collections.abc import Callable
from importlib.machinery import SourceFileLoader
from pkgutil import get_importer
from types import ModuleType
from typing import Final

import genscope

#: What `python -m` itself calls.
_as_main: Final[Callable[..., object]] = runpy._run_module_as_main  # type: ignore[attr-defined]
HELP: Final = """\
Usage: genscope run PROGRAM [ARGUMENT]...
       genscope run -m MODULE [ARGUMENT]...

Run a Python program with tracing turned on, without a change to it: as `python PROGRAM` or `python -m MODULE` would,
after genscope.init(instrument=True). Calls to models of every library that an installed OpenTelemetry, OpenInference
or OpenLLMetry instrumentation knows become traces, and what is left of them is sent when the program ends.

  GENSCOPE_URL            the server, by default http://127.0.0.1:4318
  GENSCOPE_PUBLIC_KEY     the key of a project (a server that is open needs none)
  GENSCOPE_SECRET_KEY     its secret
  GENSCOPE_ENVIRONMENT    such as production; GENSCOPE_RELEASE: the version of the program
  GENSCOPE_ENABLED=false  run the program alone
  OTEL_PYTHON_DISABLED_INSTRUMENTATIONS
                          names of instrumentations to leave off, such as langchain,openai

Examples:

  genscope run app.py --port 8000
  genscope run -m uvicorn app:api

Interpreters that the program starts itself are not traced, those it forks are. docs/instrumentation.md tells more.
"""


def run(arguments: list[str]) -> None:
    """Run the program that the arguments name. What it raises is raised, `SystemExit` too."""
    match arguments:
        case [] | ["-h" | "--help", *_]:
            print(HELP, end="")
        case ["-m", module, *rest]:
            _begin(["-m", *rest], os.getcwd())
            _call(_as_main, module)
        case [str(option), *_] if option.startswith("-"):
            sys.exit(_refused(f"{option} needs a module" if option == "-m" else f"there is no option {option}"))
        case [path, *_] if get_importer(path):  # a directory or an archive, with a `__main__.py` in it
            _begin(arguments, os.path.join(os.getcwd(), path))
            _call(_as_main, "__main__", False)
        case [path, *_]:
            file_name = os.path.join(os.getcwd(), path)
            try:
                with io.open_code(file_name) as file:
                    source = file.read()
            except OSError as error:
                sys.exit(_refused(f"can't open file {path!r}: {error.strerror}"))
            _begin(arguments, os.path.dirname(os.path.realpath(path)))
            _call(_script, file_name, source)


def _begin(argv: list[str], directory: str) -> None:
    """Make the process look as it does before the first line of a program, and turn tracing on."""
    sys.argv = argv
    if not sys.flags.safe_path:
        sys.path[0] = directory
    sys.modules["__main__"] = ModuleType("__main__")
    genscope.init(instrument=True)


def _script(path: str, source: bytes) -> None:
    names = sys.modules["__main__"].__dict__
    names |= {"__file__": path, "__loader__": SourceFileLoader("__main__", path), "__builtins__": builtins}
    exec(compile(source, path, "exec", dont_inherit=True), names)  # noqa: S102 - it is what was asked for


def _call(function: Callable[..., object], *arguments: object) -> None:
    """Call what runs the program. A traceback that Python will print begins where that of the program alone begins."""
    try:
        function(*arguments)
    except BaseException as error:
        program = error.__traceback__
        while program is not None and program.tb_frame.f_code.co_filename == __file__:
            program = program.tb_next
        hook = sys.excepthook
        sys.excepthook = lambda kind, value, _: hook(kind, value.with_traceback(program), program)
        raise


def _refused(why: str) -> int:
    """Tell what is wrong with the arguments; return the exit status that Python has for it."""
    print(f"genscope run: {why}; see genscope run --help", file=sys.stderr)
    return 2
