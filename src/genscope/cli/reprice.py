"""`genscope reprice`: the costs of stored spans again."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from genscope.cli.client import (
    DEFAULT_URL,
    Client,
    Conditions,
    FromTime,
    PublicKey,
    SecretKey,
    ToTime,
    Url,
    filter_parameters,
)
from genscope.cli.output import AsJson, err, give_up, out, print_json, print_table


def reprice(
    begin: FromTime,
    end: ToTime = "",
    where: Conditions = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would change, and change nothing.")] = False,
    url: Url = DEFAULT_URL,
    public_key: PublicKey = "",
    secret_key: SecretKey = "",
    as_json: AsJson = False,
) -> None:
    """Price stored spans again, after a price was set or removed or the price list was updated, and say what changed.

    Usage and model are taken as they are stored. A cost that the sender reported stays, and what no price fits any more loses
    its cost. Ctrl-C ends it: what was written stays, and the same command again does the rest.

    Examples:

      genscope reprice --from 30d --dry-run

      genscope reprice --from 2026-01-01 --to 2026-02-01 --where model=my-llama --where environment=production
    """
    parameters = [*filter_parameters(begin, end, where), ("dry_run", "1" if dry_run else "0")]
    lines = Client(url, public_key, secret_key).lines("POST", "reprice", parameters)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    try:
        with Progress(*columns, console=err, transient=True, disable=not err.is_terminal) as progress:
            task = progress.add_task("looking" if dry_run else "repricing", total=None)
            for line in lines:
                if line["type"] == "progress":
                    progress.update(task, completed=line["done"], total=line["total"] or None)
                    continue
                progress.stop()
                if line["type"] == "error":
                    give_up(line["message"])
                _print(line, as_json)
                return
    except KeyboardInterrupt:
        give_up("stopped: what was written stays; the same command again does the rest", 130)
    give_up("the server ended in the middle; what it has done stays, run this again")


def _print(result: dict[str, Any], as_json: bool) -> None:
    if as_json:
        print_json(result)
        return
    would = "would have another cost" if result["dry_run"] else "have another cost now"
    out.print(
        f"{result['spans']:,} spans looked at; {result['changed']:,} {would}.\n"
        f"Of {result['calls']:,} calls to a model: {result['newly_priced']:,} newly priced, "
        f"{result['no_longer_priced']:,} no longer priced.\n"
        f"{result['reported']:,} spans keep the cost that their sender reported.\n"
        f"Total cost   ${result['cost_before']} -> ${result['cost_after']}",
        markup=False,
    )
    if result["models"]:
        out.print()
        print_table([_row(model) for model in result["models"]])
    if result["dry_run"] and result["changed"]:
        out.print("\nNothing was written. The same command without --dry-run writes it.")


def _row(model: dict[str, Any]) -> dict[str, object]:
    return {
        "provider": model["provider"] or "-",
        "model": model["model"] or "-",
        "calls": model["calls"],
        "changed": model["changed"],
        "newly priced": model["newly_priced"],
        "no longer": model["no_longer_priced"],
        "before": f"${model['cost_before']}",
        "after": f"${model['cost_after']}",
    }
