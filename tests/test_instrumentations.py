"""Real SDKs, instrumentations and frameworks tell of one conversation; whatever the path, Genscope understands the same.

`make paths` writes what was measured into docs/conventions.md; the tests hold it against what stands there.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path as File
from typing import Any

import pytest

from tests.providers import server as providers
from tests.providers import table
from tests.providers.conversation import PROVIDERS, told
from tests.providers.path import Path
from tests.providers.paths import PATHS
from tests.providers.seen import Seen, expected, seen
from tests.running import Server
from tests.test_clients import Client, langfuse_variables, opentelemetry_variables

PAGE = File(__file__).parent.parent / "docs" / "conventions.md"
ANTHROPIC = "com.anthropic.sdk.python"
WRITE = os.environ.get("WRITE_PATHS") == "1"


@pytest.fixture(scope="session")
def provider_url() -> Iterator[str]:
    with providers.running() as url:
        yield url


def run(path: Path, server: Server, provider_url: str) -> dict[str, dict[str, Any]]:
    """Run a path's program and return the traces it made by their modes, each with its spans."""
    variables = langfuse_variables(server) | opentelemetry_variables(server, "json")
    variables |= {
        "CONVERSATION": told(PROVIDERS[path.provider]),
        "PROVIDER_URL": provider_url,
        "MODES": " ".join(path.modes),
        **dict.fromkeys(("OPENAI_API_KEY", "ANTHROPIC_API_KEY", "GEMINI_API_KEY"), "none"),
    }
    program = Client(path.environment, f"instrumented/{path.program}")
    made = program.run(variables | path.variables, *path.arguments)
    assert tuple(made["traces"]) == path.modes
    return {mode: server.get(f"/api/v1/traces/{trace}", messages="1") for mode, trace in made["traces"].items()}


def calls(spans: list[dict[str, Any]]) -> tuple[list[Seen], list[Seen]]:
    """Return the calls to a model as the path told of them, and as they count.

    Anthropic's SDK traces itself beneath every instrumentation, so that two tell of one call; the SDK's own counts.
    """
    generations = [span for span in spans if span["type"] == "generation"]
    own = [seen(span) for span in generations if span["scope"]["name"] == ANTHROPIC]
    others = [seen(span) for span in generations if span["scope"]["name"] != ANTHROPIC]
    return others or own, own or others


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.name)
def test_path_means_the_same(path: Path, server: Server, provider_url: str) -> None:
    measured: dict[str, list[Seen]] = {}
    for mode, found in run(path, server, provider_url).items():
        measured[mode], counted = calls(found["spans"])
        assert measured[mode] == path.change(mode)(expected(PROVIDERS[path.provider])), mode
        # Each call once, whatever agents, chains and SDKs repeat of it.
        assert Decimal(found["trace"]["total_cost"]) == sum(call.cost or 0 for call in counted)
    row = table.row(path, measured)
    if WRITE:
        table.write(PAGE, PATHS, path, row)
    assert row in table.rows(PAGE), "run `make paths` and see what changed in docs/conventions.md"


def test_table_has_a_row_for_each_path() -> None:
    assert [table.name(row) for row in table.rows(PAGE)] == [path.name for path in PATHS]
