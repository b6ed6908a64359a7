"""The command line: a table of contents of its commands, a module for each noun."""

from __future__ import annotations

from typing import Annotated

import typer

from genscope import __version__
from genscope.cli import access, coverage, doctor, export, prices, query, reprice, run, serve
from genscope.cli.output import out

app = typer.Typer(
    name="genscope",
    help="Self-hosted observability for LLM applications: one process, exact answers.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
)
app.command("serve")(serve.serve)
app.command("demo")(serve.demo_command)
app.command("run", add_help_option=False, context_settings=run.CONTEXT)(run.run)
app.add_typer(access.projects_app, name="projects")
app.add_typer(access.keys_app, name="keys")
app.add_typer(prices.app, name="prices")
app.command("reprice")(reprice.reprice)
app.command("query")(query.query)
app.command("export")(export.export)
app.command("import")(export.import_)
app.command("coverage")(coverage.coverage)
app.command("doctor")(doctor.doctor)


@app.callback(invoke_without_command=True)
def root(version: Annotated[bool, typer.Option("--version", help="Print the version and exit.")] = False) -> None:
    """Self-hosted observability for LLM applications: one process, exact answers."""
    if version:
        out.print(__version__)
        raise typer.Exit


def main() -> None:
    """Run the command line."""
    app()
