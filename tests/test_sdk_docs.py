"""Every example of the SDK's pages and docstrings, run against a real server."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.providers import server as providers
from tests.running import Server
from tests.test_clients import ROOT
from tests.test_sdk_langfuse import genscope_variables, interpreter

DOCS = ROOT / "docs"
BLOCK = re.compile(r"^```python\n([\s\S]*?)^```$", re.MULTILINE)
SECONDS = 180
#: Blocks of one page are one program; those that import what others make run where that is.
VENDORS = re.compile(r"^ *(from|import) (openai|anthropic|langchain|agents)", re.MULTILINE)
DOCTESTS = """
import doctest, importlib, pkgutil
import genscope.sdk

names = ["genscope", *(module.name for module in pkgutil.walk_packages(genscope.sdk.__path__, "genscope.sdk."))]
results = [doctest.testmod(importlib.import_module(name)) for name in names]
assert sum(result.attempted for result in results) > 10, results
assert not any(result.failed for result in results)
"""
END = "\nimport genscope\nassert genscope.get_client().flush(60)\nassert not genscope.get_client().delivery.rejected\n"


def program(page: Path) -> str:
    """Return the examples of a page, each at the lines where it stands, so that a traceback points into the page."""
    text = page.read_text()
    lines = [""] * (text.count("\n") + 1)
    for block in BLOCK.finditer(text):
        first = text[: block.start(1)].count("\n")
        code = block[1].splitlines()
        lines[first : first + len(code)] = code
    return "\n".join(lines)


PAGES = {page.name: source for page in sorted(DOCS.glob("*.md")) if "genscope" in (source := program(page))}


@pytest.fixture(scope="module")
def done(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], str]]:
    """What went wrong in each program, by its name; they run two at a time."""
    environment = genscope_variables(server) | {"NO_PROXY": "*", "OPENAI_API_KEY": "none", "ANTHROPIC_API_KEY": "none"}

    def run(source: str, url: str) -> str:
        command = interpreter("instrumented") if VENDORS.search(source) else [sys.executable]
        variables = {"PYTHONPATH": str(ROOT / "src"), "OPENAI_BASE_URL": f"{url}/v1", "ANTHROPIC_BASE_URL": url}
        ended = subprocess.run(
            [*command, "-"],
            input=source + END,
            env=environment | variables,
            cwd=tmp_path_factory.mktemp("page"),
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )
        return "" if ended.returncode == 0 else ended.stdout + ended.stderr

    with providers.running() as url, ThreadPoolExecutor(2) as pool:
        runs: dict[str, Future[str]] = {
            name: pool.submit(run, source, url) for name, source in {**PAGES, "docstrings": DOCTESTS}.items()
        }
        yield lambda name: runs[name].result()


@pytest.mark.parametrize("name", [*PAGES, "docstrings"])
def test_examples_run(name: str, done: Callable[[str], str]) -> None:
    assert done(name) == ""


def test_the_page_names_all_there_is() -> None:
    import genscope
    from genscope.sdk.attributes import OBSERVATION, TYPES
    from genscope.sdk.client import Client

    page = (DOCS / "sdk.md").read_text()
    names = {name for name in genscope.__all__ if name.islower()}
    names |= {name for name in vars(Client) if not name.startswith("_")} | {*OBSERVATION} | TYPES
    assert [name for name in sorted(names) if f"`{name}" not in page and f".{name}(" not in page] == []
