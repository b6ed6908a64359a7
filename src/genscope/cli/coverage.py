"""`genscope coverage`: what a total cost leaves out."""

from __future__ import annotations

import shlex
from typing import Any, Final

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
from genscope.cli.output import LONGEST, AsJson, out, print_json, print_table

#: What a reason means, and what to do about it.
REASONS: Final = {
    "no_usage": "neither input nor output tokens are known: have the application send them",
    "no_model": "no model is named: have the application send it",
    "unknown_model": "no price for the model: set one, see below",
    "unknown_price": "a price for the model, but none in its tier of service or of a kind of usage that the call had",
}


def coverage(
    begin: FromTime = "",
    end: ToTime = "",
    where: Conditions = None,
    url: Url = DEFAULT_URL,
    public_key: PublicKey = "",
    secret_key: SecretKey = "",
    as_json: AsJson = False,
) -> None:
    """Say how much of the calls to a model a total cost is about: how many lack a model, usage or a price, and which models.

    Examples:

      genscope coverage --from 7d

      genscope coverage --from 2026-01-01 --where environment=production --json
    """
    told = Client(url, public_key, secret_key).ask("GET", "coverage", filter_parameters(begin, end, where))
    if as_json:
        print_json(told)
        return
    types = ", ".join(f"{calls:,} of type {name}" for name, calls in told["by_type"].items())
    out.print(f"{told['calls']:,} calls to a model" + (f" ({types})" if types else ""), markup=False)
    if not told["calls"]:
        return
    out.print(
        f"{told['priced_calls']:,} have a cost, ${told['total_cost'] or '0'} in all; {told['unpriced_calls']:,} have none",
        markup=False,
    )
    if told["priced_share"] is not None:
        out.print(f"{_percent(told['priced_share'])} of {told['tokens']:,} tokens are in that cost", markup=False)
    for reason, calls in told["cost_missing"].items():
        out.print(f"  {calls:>9,}  {reason}: {REASONS.get(reason, 'see docs/pricing.md')}", markup=False)
    if told["unpriced_models"]:
        out.print("\nModels with calls that have no cost", style="bold")
        print_table([_row(model) for model in told["unpriced_models"]])
        _next_step(told["unpriced_models"])


def _percent(share: float) -> str:
    """Return a share as text that says 100 % of nothing but the whole."""
    return "100 %" if share == 1 else f"{min(share * 100, 99.99):.2f} %"


def _row(model: dict[str, Any]) -> dict[str, object]:
    return {
        "provider": model["provider"] or "-",
        "model": model["model"] or "-",
        "calls": model["calls"],
        "tokens": model["tokens"],
        "first seen": model["first_seen"],
        "last seen": model["last_seen"],
        "reason": ", ".join(model["cost_missing"]),
    }


def _next_step(models: list[dict[str, Any]]) -> None:
    """Print the lines that would give each model a price, and its calls a cost."""
    priceable = [
        model
        for model in models
        if 0 < len(model["model"] or "") <= LONGEST and "unknown_model" in model["cost_missing"]
    ]
    if not priceable:
        return
    out.print("\nTo give them one, in US dollars per million tokens (USD):")
    for model in priceable:
        command = ["genscope", "prices", "set", model["model"]]
        command += ["--provider", model["provider"]] if model["provider"] else []
        command += ["--input", "USD", "--output", "USD"]
        out.print("  " + shlex.join(command), markup=False)
    out.print("and then price again what is stored:")
    begin = min(model["first_seen"] for model in priceable)
    out.print("  " + shlex.join(["genscope", "reprice", "--from", begin]), markup=False)
