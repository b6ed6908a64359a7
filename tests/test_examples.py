"""Every program of `examples/`, started as its first lines say, with the real SDK against a real server."""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, expect, sync_playwright

from tests.browser import launch, logged_in
from tests.running import Server

ROOT = Path(__file__).parent.parent
EXAMPLES = sorted(path.stem for path in (ROOT / "examples").iterdir() if path.suffix != ".md")
SECONDS = 300
ANSWER = "Sorry to hear that. Can you please share your customer id?"
#: Examples by OpenTelemetry's conventions, whose messages have parts, and which know no tag, input and output of a trace.
OPENTELEMETRY = ["maxim_java", "opentelemetry_python"]


def run(server: Server, name: str, directory: Path, secret_key: str | None = None) -> str:
    """Run an example and return the id of the trace that it printed."""
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": os.environ.get("HOME", "/"),
        "TMPDIR": f"{directory}/",  # where SDKs keep what they could not send
        "NO_PROXY": "*",
        "GENSCOPE_URL": server.url,
        "GENSCOPE_PUBLIC_KEY": server.public_key,
        "GENSCOPE_SECRET_KEY": secret_key or server.secret_key,
        "GENSCOPE_PROJECT": server.project,
    }
    done = subprocess.run(
        ["make", f"example-{name}"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    printed = re.search(r"recorded as trace (\S+)", done.stdout)
    assert done.returncode == 0, done.stderr
    assert printed, done.stdout + done.stderr
    return printed[1]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        started = launch(playwright)
        yield started
        started.close()


def test_there_is_an_example_for_every_vendor_and_language() -> None:
    readme = (ROOT / "examples" / "README.md").read_text()
    assert re.findall(r"`make example-(\w+)`", readme) == EXAMPLES


@pytest.mark.parametrize("name", EXAMPLES)
def test_example_is_recorded_whole(server: Server, browser: Browser, name: str, tmp_path: Path) -> None:
    trace_id = run(server, name, tmp_path)

    trace = server.get(f"/api/v1/traces/{trace_id}")
    spans: dict[str, dict[str, Any]] = {span["name"]: span for span in trace["spans"]}
    assert sorted(spans) == ["answer-customer", "ask-for-customer-id", "gather-information", "suggest-appointment"]
    root, span = spans["answer-customer"], spans["gather-information"]
    generation, failed = spans["ask-for-customer-id"], spans["suggest-appointment"]

    assert (root["type"], root["parent_span_id"], root["level"]) == ("span", None, "DEFAULT")
    assert root["session_id"].startswith("session-")
    if name not in OPENTELEMETRY:
        assert (root["input"], root["output"]) == ("My internet is not working", ANSWER)
    assert (span["type"], span["parent_span_id"]) == ("span", root["span_id"])

    assert (generation["type"], generation["parent_span_id"]) == ("generation", span["span_id"])
    assert (generation["level"], generation["status_message"]) == ("DEFAULT", None)
    assert generation["model"] == "gpt-4o"
    assert generation["provider"] == "openai"
    assert generation["model_parameters"] == {"temperature": 0.7}
    assert [message["role"] for message in generation["input"]] == ["system", "user"]
    assert ANSWER in json.dumps(generation["output"])
    assert generation["usage"] == {"input": 100, "output": 50, "total": 150}
    assert Decimal(generation["cost"]["total"]) == Decimal("0.00075")
    assert (generation["cost_source"], generation["cost_missing"]) == ("computed", None)

    assert (failed["type"], failed["parent_span_id"]) == ("generation", root["span_id"])
    assert failed["level"] == "ERROR"
    assert failed["status_message"].endswith(
        "the model is overloaded"
    )  # Lemma's SDK puts the type of the error before it
    assert (failed["usage"], failed["cost"]) == (None, None)
    assert all(one["end_time"] is not None for one in (trace["trace"], span, generation, failed))

    look(browser, server, trace_id, root["session_id"])


@pytest.mark.parametrize("name", ["maxim_python", "maxim_typescript"])
def test_maxims_programs_survive_a_wrong_key(server: Server, name: str, tmp_path: Path) -> None:
    trace_id = run(server, name, tmp_path, secret_key="wrong")

    with server.client() as client:
        assert client.get(f"/api/v1/traces/{trace_id}").status_code == 404
    # What was refused waits in a file to be sent again.
    assert any(trace_id in log.read_text() for log in tmp_path.rglob("logs-*.log"))


def look(browser: Browser, server: Server, trace_id: str, session_id: str) -> None:
    """Read the trace as a person does."""
    context = logged_in(browser, server)
    page = context.new_page()
    page.goto(f"{server.url}/traces/{trace_id}")
    head = page.locator(".trace-head")
    for text in ("answer-customer", "1 error", "$0.00075", session_id):
        expect(head).to_contain_text(text)
    tree = page.locator("#tree")
    expect(tree.locator(".n")).to_have_text(
        ["answer-customer", "gather-information", "ask-for-customer-id", "suggest-appointment"]
    )
    pane = page.locator("#pane")
    tree.locator("a", has_text="ask-for-customer-id").click()
    for text in ("gpt-4o", "My internet is not working", ANSWER, "temperature"):
        expect(pane).to_contain_text(text)
    tree.locator("a", has_text="suggest-appointment").click()
    expect(pane.locator(".failure")).to_contain_text("the model is overloaded")
    context.close()
