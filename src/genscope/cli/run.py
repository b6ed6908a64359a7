"""`genscope run`: listed beside the commands of the server; it needs none of them, see `genscope.__main__`."""

from __future__ import annotations

from typing import Annotated, Final

import typer

from genscope.sdk import running

#: Whatever stands behind it is the program's.
CONTEXT: Final = {"ignore_unknown_options": True, "allow_interspersed_args": False}


def run(arguments: Annotated[list[str] | None, typer.Argument(metavar="PROGRAM | -m MODULE")] = None) -> None:
    """Run a Python program with tracing turned on, without a change to it."""
    running.run(arguments or [])
