"""Every snippet of an empty project's page: copied by its button, and run as it stands there."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import sync_playwright

from tests.browser import launch
from tests.running import Server
from tests.test_clients import PROGRAMS, ROOT

BINARIES = Path(sys.executable).parent
SECONDS = 180
PYTHON = ".clients/{}/bin/python"
#: What runs the program of a tab; several where its packages' versions are.
INTERPRETERS = {
    "genscope": [str(BINARIES / "python")],
    "python5": [PYTHON.format("langfuse-4.18.0"), PYTHON.format("langfuse-5.0.4")],
    "python3": [PYTHON.format("langfuse-3.0.0"), PYTHON.format("langfuse-3.15.0")],
    "typescript": [str(BINARIES / "node")],
    "otel": [str(BINARIES / "python")],
    "curl": [""],
}


@pytest.fixture(params=[False, True], ids=["key", "anonymous"])
def empty(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Server]:
    running = Server(tmp_path, anonymous=request.param).start()
    yield running
    running.stop()


def snippets(server: Server) -> dict[str, list[str]]:
    """Return the code of every tab, as it is read and as its buttons copy it."""
    found: dict[str, list[str]] = {}
    with sync_playwright() as playwright:
        browser = launch(playwright)
        context = browser.new_context(permissions=["clipboard-read", "clipboard-write"])
        page = context.new_page()
        page.goto(server.login_url or server.url)
        page.get_by_role("heading", name="Send the first generation").wait_for()
        assert server.secret_key not in page.content()
        for tab in INTERPRETERS:
            page.locator(f"label[for=t-{tab}]").click()
            for snippet in page.locator(f".p-{tab} .snippet").all():
                snippet.get_by_role("button").click()
                copied = page.evaluate("navigator.clipboard.readText()")
                assert copied == snippet.locator("code").inner_text()
                found.setdefault(tab, []).append(copied)
        browser.close()
    return found


def run(shell: str, interpreter: str, program: str, secret_key: str) -> None:
    """Do in a shell what a reader would: paste the first snippet, then run the second."""
    # The packages are installed already, each version in an environment of its own.
    script = f"pip() {{ :; }}; npm() {{ :; }}\n{shell}\n"
    if interpreter:
        module = "--input-type=module" if interpreter.endswith("node") else "-"
        script += f'exec "{ROOT / interpreter}" {module}\n'
    done = subprocess.run(
        ["bash", "-eu", "-c", script],
        env={"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/"), "NO_PROXY": "*"}
        | {"GENSCOPE_SECRET_KEY": secret_key},
        cwd=PROGRAMS / "node",  # where programs without a file find their packages
        input=program,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert done.returncode == 0, (shell, done.stdout, done.stderr)


def test_every_snippet_copied_and_run_stores_a_priced_generation(empty: Server) -> None:
    found = snippets(empty)
    assert found.keys() == INTERPRETERS.keys()
    stored = 0
    for tab, interpreters in INTERPRETERS.items():
        shell, *programs = found[tab]
        needs_key = not empty.anonymous or "LANGFUSE" in shell
        assert ("GENSCOPE_SECRET_KEY" in shell) == needs_key
        for interpreter in interpreters:
            run(shell, interpreter, "".join(programs), empty.secret_key if needs_key else "")
            stored += 1
            generations = empty.get("/api/v1/generations")["data"]
            assert len(generations) == stored, (tab, interpreter)
            assert generations[0]["model"] == "gpt-4o"
            assert generations[0]["usage"] == {"input": 1000, "output": 50, "total": 1050}
            assert generations[0]["cost"]["total"] == "0.003"
            assert "Where is my order 4711?" in str(generations[0]["input"])
            assert "this morning" in str(generations[0]["output"])
