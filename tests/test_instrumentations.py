"""Real SDKs, instrumentations and frameworks tell of one conversation; whatever the path, Genscope understands the same."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import pytest

from genscope.web.messages import Message, Part, conversation
from tests.providers import server as providers
from tests.providers.conversation import ANSWER, ARGUMENTS, PROVIDERS, QUESTION, RESULT, SYSTEM, TOOL_NAME, told
from tests.providers.paths import PATHS, Path
from tests.running import Server
from tests.test_clients import Client, langfuse_variables, opentelemetry_variables

Said = list[tuple[Any, ...]]


@dataclass(frozen=True)
class Seen:
    """What Genscope understood of one call to a model."""

    model: str
    provider: str | None
    usage: dict[str, int]
    cost: Decimal
    cost_source: str
    input: Said
    output: Said


@pytest.fixture(scope="session")
def provider_url() -> Iterator[str]:
    with providers.running() as url:
        yield url


def run(path: Path, streamed: bool, server: Server, provider_url: str) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Run a path's program and return its trace and spans."""
    variables = langfuse_variables(server) | opentelemetry_variables(server, "json")
    variables |= {
        "CONVERSATION": told(PROVIDERS[path.provider]),
        "PROVIDER_URL": provider_url,
        "STREAMED": str(int(streamed)),
        **dict.fromkeys(("OPENAI_API_KEY", "ANTHROPIC_API_KEY", "GEMINI_API_KEY"), "none"),
    }
    program = Client(path.environment, f"instrumented/{path.program}")
    made = program.run(variables | path.variables, *path.arguments)
    found = server.get(f"/api/v1/traces/{made['trace']}")
    return found["trace"], found["spans"]


def seen(span: dict[str, Any]) -> Seen:
    return Seen(
        model=span["model"],
        provider=span["provider"],
        usage={kind: count for kind, count in (span["usage"] or {}).items() if count},
        cost=Decimal((span["cost"] or {}).get("total", "NaN")),
        cost_source=span["cost_source"],
        input=said(span["input"], "user"),
        output=said(span["output"], "assistant"),
    )


def said(value: Any, role: str) -> Said:
    text = value if isinstance(value, str) else json.dumps(value)
    return [(message.role, *part) for message in conversation(text, role) for part in map(plain, message.parts) if part]


def plain(part: Part) -> tuple[Any, ...]:
    return part.kind, part.text, part.name, part.id


@pytest.mark.parametrize("streamed", [False, True], ids=["plain", "streamed"])
@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.name)
def test_path(path: Path, streamed: bool, server: Server, provider_url: str) -> None:
    trace, spans = run(path, streamed, server, provider_url)
    calls = [seen(span) for span in spans if span["type"] == "generation"]
    for c in calls:
        print(c)
    provider = PROVIDERS[path.provider]
    assert [c.cost for c in calls] == [c.cost for c in provider.calls]
