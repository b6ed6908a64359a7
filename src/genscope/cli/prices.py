"""`genscope prices`: the prices that a project sets itself."""

from __future__ import annotations

import shlex
from typing import Annotated, Any

import typer

from genscope.cli.client import DEFAULT_URL, Client, PublicKey, SecretKey, Url
from genscope.cli.output import AsJson, give_up, out, print_json, print_rows, print_table

app = typer.Typer(
    help="A project's own prices: for models that the price list does not know, or instead of the list.",
    no_args_is_help=True,
)


@app.command("list")
def list_prices(
    url: Url = DEFAULT_URL, public_key: PublicKey = "", secret_key: SecretKey = "", as_json: AsJson = False
) -> None:
    """List the prices that the project set itself, in US dollars."""
    prices = Client(url, public_key, secret_key).ask("GET", "prices")["data"]
    print_rows(prices if as_json else [_row(price) for price in prices], as_json)


@app.command("set")
def set_price(
    model: Annotated[
        str, typer.Argument(help="Name of the model as it is sent, or a pattern: `*` is any text, `?` any letter.")
    ],
    input: Annotated[str | None, typer.Option("--input", metavar="USD", help="Per million tokens of input.")] = None,
    output: Annotated[str | None, typer.Option("--output", metavar="USD", help="Per million tokens of output.")] = None,
    price: Annotated[
        list[str] | None,
        typer.Option(
            "--price",
            metavar="KIND=USD",
            help="Per million tokens of another kind, such as input_cache_read=0.3, or per thousand of web_search, "
            "file_search and search; may be given more than once. A kind without a price has that of what it is a part of.",
        ),
    ] = None,
    request: Annotated[str | None, typer.Option("--request", metavar="USD", help="Per call.")] = None,
    provider: Annotated[
        str | None, typer.Option(help="Only for this provider, by OpenTelemetry's name; default: any.")
    ] = None,
    start: Annotated[
        str | None, typer.Option("--from", metavar="TIME", help="ISO 8601 time from which it holds; default: always.")
    ] = None,
    url: Url = DEFAULT_URL,
    public_key: PublicKey = "",
    secret_key: SecretKey = "",
    as_json: AsJson = False,
) -> None:
    """Set a price. It wins over the price list, and over one set before for the same model, provider and start.

    Of several that fit a call, the one that names its model most exactly counts, and of these the one that began last.

    Examples:

      genscope prices set my-llama --input 0.20 --output 0.60

      genscope prices set "gpt-4o*" --provider azure.ai.openai --input 2.2 --output 9 --price input_audio=40 --from 2026-01-01

      genscope prices set my-reranker --request 0.002
    """
    given = [("input", input), ("output", output), *map(_split, price or ())]
    prices = {kind: usd for kind, usd in given if usd is not None}
    if not prices and request is None:
        give_up("give a price: --input, --output, --price KIND=USD or --request, in US dollars", 2)
    body = {"model": model, "prices": prices, "provider": provider, "start": start, "request": request}
    made = Client(url, public_key, secret_key).ask("POST", "prices", body=body)
    if as_json:
        print_json(made)
        return
    print_table([_row(made)])
    exact = not set("*?") & set(made["model"])
    command = ["genscope", "reprice", "--from", made["start"] or "30d"]
    command += ["--where", f"model={model}"] if exact else []
    out.print(
        "\nCalls from now on have this price. To price those again that are stored:\n  " + shlex.join(command),
        markup=False,
    )


@app.command("remove")
def remove_price(
    price_id: Annotated[str, typer.Argument(metavar="ID", help="As `genscope prices list` shows it.")],
    url: Url = DEFAULT_URL,
    public_key: PublicKey = "",
    secret_key: SecretKey = "",
    as_json: AsJson = False,
) -> None:
    """Remove a price. Calls that are stored keep their cost until they are priced again: `genscope reprice`."""
    client = Client(url, public_key, secret_key)
    # An id stands in a path: what is none must not become another path.
    if not price_id.isalnum():
        give_up(f"{price_id!r} is no id of a price; see: genscope prices list", 2)
    removed = client.ask("DELETE", f"prices/{price_id}")
    if as_json:
        print_json(removed)
    else:
        out.print(f"removed {removed['id']}: {removed['model']}", markup=False)


def _split(text: str) -> tuple[str, str]:
    kind, _, usd = text.partition("=")
    if not kind or not usd:
        give_up(f"--price: {text!r} is not KIND=USD, such as input_cache_read=0.3", 2)
    return kind, usd


def _row(price: dict[str, Any]) -> dict[str, str]:
    return {
        "id": price["id"],
        "model": price["model"],
        "provider": price["provider"] or "any",
        "from": price["start"] or "always",
        "prices": ", ".join(f"{kind} {usd}" for kind, usd in price["prices"].items()) or "-",
        "per call": price["request"] or "-",
    }
