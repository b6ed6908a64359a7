"""The code of the vendors' pages about generations, word for word, with only URL and key set around it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import textwrap
from decimal import Decimal
from pathlib import Path
from typing import Any

from tests.running import Server
from tests.test_clients import langfuse_variables

ROOT = Path(__file__).parent.parent
PAGES = ROOT.parent / "shared" / "seeds"
NODE = [str(Path(sys.executable).parent / "node"), "--input-type=module-typescript", "-"]
SECONDS = 180

CUSTOMER = [
    {"role": "system", "content": "you are a helpful assistant who helps gather customer information"},
    {"role": "user", "content": "My internet is not working"},
]
MESSAGES = [{"role": "user", "content": "Where is my order 4711?"}]


def snippets(page: str, language: str) -> list[str]:
    """Return the blocks of code of a language on a page, in order."""
    blocks = re.findall(rf"^ *```{language} .*\n([\s\S]*?)^ *```$", (PAGES / f"{page}.md").read_text(), re.MULTILINE)
    assert len(blocks) == 2, page
    return [textwrap.dedent(block) for block in blocks]


def run(command: list[str], source: str, directory: Path, temporary: Path, variables: dict[str, str]) -> None:
    """Run a program in the directory where it finds its packages."""
    environment = {"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/"), "NO_PROXY": "*"}
    done = subprocess.run(
        command,
        input=source,
        env=environment | {"TMPDIR": f"{temporary}/"} | variables,
        cwd=directory,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def python(environment: str) -> list[str]:
    return [str(ROOT / ".clients" / environment / "bin" / "python"), "-"]


def maxim_variables(server: Server) -> dict[str, str]:
    return {"URL": server.url, "KEY": server.secret_key}


def customer_trace(server: Server) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the trace of Maxim's page and the generation in it."""
    spans = server.trace("trace-id")
    assert sorted(spans) == ["generation-id", "trace-id:root"]
    root, generation = spans["trace-id:root"], spans["generation-id"]
    assert (root["type"], root["parent_span_id"]) == ("span", None)
    assert (generation["type"], generation["parent_span_id"]) == ("generation", "trace-id:root")
    assert generation["name"] == "customer-support--gather-information"
    assert (generation["model"], generation["provider"]) == ("gpt-4o", "openai")
    assert generation["model_parameters"] == {"temperature": 0.7}
    assert generation["input"] == CUSTOMER
    return root, generation


def assert_answered(server: Server) -> None:
    root, generation = customer_trace(server)
    assert "Can you please share your customer id?" in str(generation["output"])
    assert generation["usage"] == {"input": 100, "output": 50, "total": 150}
    assert Decimal(generation["cost"]["total"]) == Decimal("0.00075")
    # The page never ends its trace, so it ends with its last child.
    assert root["end_time"] == generation["end_time"]
    assert server.get("/api/v1/traces/trace-id")["trace"]["end_time"] == generation["end_time"]


MAXIM_PYTHON = """
import os
import time

from maxim import Maxim

maxim = Maxim({"base_url": os.environ["URL"], "api_key": os.environ["KEY"]})
logger = maxim.logger({"id": "repo-seed"})
trace = logger.trace({"id": "trace-id"})
"""


def test_maxim_page_in_python(project: Server, tmp_path: Path) -> None:
    source = "\n".join([MAXIM_PYTHON, *snippets("maxim-generations", "python"), "maxim.cleanup()"])
    run(python("maxim-3.14.20"), source, tmp_path, tmp_path, maxim_variables(project))
    assert_answered(project)


MAXIM_TYPESCRIPT = """
import { Maxim } from "@maximai/maxim-js";

const maxim = new Maxim({ baseUrl: process.env.URL, apiKey: process.env.KEY! });
const logger = (await maxim.logger({ id: "repo-seed" }))!;
"""


def test_maxim_page_in_typescript(project: Server, tmp_path: Path) -> None:
    source = "\n".join([MAXIM_TYPESCRIPT, *snippets("maxim-generations", "typescript"), "await maxim.cleanup();"])
    run(NODE, source, ROOT / "tests" / "clients" / "node-maxim", tmp_path, maxim_variables(project))
    assert_answered(project)


def test_maxim_page_in_go_as_far_as_it_compiles(project: Server, tmp_path: Path) -> None:
    command = [str(ROOT / ".clients" / "go" / "bin" / "seed"), project.url, project.secret_key]
    run(command, "", tmp_path, tmp_path, {})
    _, generation = customer_trace(project)
    assert "Hello, world!" in str(generation["output"])
    assert generation["usage"] == {"input": 10, "output": 10, "total": 20}
    assert Decimal(generation["cost"]["total"]) == Decimal("0.000125")


LEMMA_PYTHON = """
from types import SimpleNamespace

messages = [{"role": "user", "content": "Where is my order 4711?"}]

def call_model(messages):
    return SimpleNamespace(text="It left.", usage=SimpleNamespace(input_tokens=1000, output_tokens=50))
"""
LEMMA_PYTHON_FAILURE = """
def call_model(messages):
    raise RuntimeError("overloaded")

try:
"""
LEMMA_PYTHON_END = """
except RuntimeError:
    pass
langfuse.flush()
"""
LEMMA_TYPESCRIPT = """
import { LangfuseSpanProcessor } from "@langfuse/otel";
import { NodeSDK } from "@opentelemetry/sdk-node";

const sdk = new NodeSDK({ spanProcessors: [new LangfuseSpanProcessor()] });
sdk.start();
const messages = [{ role: "user", content: "Where is my order 4711?" }];
let callModel = async (messages: object) => ({ text: "It left.", usage: { inputTokens: 1000, outputTokens: 50 } });
"""
LEMMA_TYPESCRIPT_FAILURE = """
callModel = async () => {
  throw new Error("overloaded");
};
try {
"""
LEMMA_TYPESCRIPT_END = """
} catch {}
await sdk.shutdown();
"""


def assert_drafted(server: Server) -> None:
    failed, drafted = sorted(
        server.get("/api/v1/generations", full=1)["data"], key=lambda generation: generation["level"], reverse=True
    )
    assert {failed["name"], drafted["name"]} == {"draft-reply"}
    assert (drafted["level"], drafted["model"]) == ("DEFAULT", "gpt-4o")
    assert (drafted["input"], drafted["output"]) == (MESSAGES, "It left.")
    assert drafted["usage"] == {"input": 1000, "output": 50, "total": 1050}
    assert Decimal(drafted["cost"]["total"]) == Decimal("0.003")
    assert (failed["level"], failed["status_message"], failed["cost"]) == ("ERROR", "overloaded", None)


def test_lemma_page_in_python(project: Server, tmp_path: Path) -> None:
    record, fail = snippets("lemma-generations", "python")
    source = "\n".join([LEMMA_PYTHON, record, LEMMA_PYTHON_FAILURE, textwrap.indent(fail, "    "), LEMMA_PYTHON_END])
    run(python("langfuse-3.15.0"), source, tmp_path, tmp_path, langfuse_variables(project))
    assert_drafted(project)


def test_lemma_page_in_typescript(project: Server, tmp_path: Path) -> None:
    record, fail = snippets("lemma-generations", "typescript")
    source = "\n".join([LEMMA_TYPESCRIPT, record, LEMMA_TYPESCRIPT_FAILURE, fail, LEMMA_TYPESCRIPT_END])
    run(NODE, source, ROOT / "tests" / "clients" / "node", tmp_path, langfuse_variables(project))
    assert_drafted(project)
