"""Programs written for Langfuse's SDK run with Genscope's by their import line, and tell the same; and the pages of the vendors."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from decimal import Decimal
from typing import Any, Final

import pytest

from tests.providers import server as providers
from tests.providers.conversation import PROVIDERS, told
from tests.running import Server
from tests.test_clients import PROGRAMS, ROOT, langfuse_variables
from tests.test_seeds import LEMMA_PYTHON, LEMMA_PYTHON_END, LEMMA_PYTHON_FAILURE, snippets

SECONDS = 180
#: A program, the versions of Langfuse's SDK that it is written for, and the import line that it has with Genscope's.
PROGRAMS_OF: Final = {
    "langfuse_generation.py": (("3.15.0",), "from genscope import get_client"),
    "langfuse_observation.py": (
        ("5.0.4",),
        "from genscope import get_client, propagate as propagate_attributes",
    ),
    "langfuse_tracing.py": (
        ("3.15.0", "4.18.0", "5.0.4"),
        "from genscope import get_client, observe, propagate as propagate_attributes",
    ),
    "langfuse_tracing_3.py": (("3.15.0",), "from genscope import get_client, observe"),
}
GENSCOPE: Final = "genscope"
RUNS: Final = [(program, version) for program, (versions, _) in PROGRAMS_OF.items() for version in versions]
#: What must be the same; ids and times are not, and the rest says who sent it.
FIELDS: Final = (
    *("name", "type", "level", "status_message", "model", "provider", "model_parameters", "input", "output", "usage"),
    *(
        "cost",
        "cost_source",
        "session_id",
        "user_id",
        "tags",
        "trace_name",
        "trace_metadata",
        "trace_public",
        "is_root",
    ),
    *("environment", "release", "version", "metadata", "prompt_name", "prompt_version"),
)
#: Spans -> what Langfuse's SDK loses of them, which Genscope's keeps.
LOST: Final[dict[tuple[str, str], dict[str, Any]]] = {
    # A decorated function's exception has no event.
    ("refuse", "*"): {"events": []},
    # A decorated function that became a generation is what it was again when it returns.
    ("guess-agent", "*"): {"type": "span"},
    # What has a parent elsewhere is taken for the first of its trace.
    ("beneath", "*"): {"is_root": True},
    # Versions before 5 write metadata as texts, of which some come back as something else.
    ("judge", "3.15.0"): {"metadata": {"metadata": "as it is", "number": "1.5", "text": [1], "yes": True}},
    ("judge", "4.18.0"): {"metadata": {"metadata": "as it is", "number": "1.5", "text": [1], "yes": True}},
    # A decorated function's arguments have no names.
    ("answer", "3.15.0"): {"input": {"args": [], "kwargs": {}}},
}


def run(command: list[str], source: str, variables: dict[str, str]) -> dict[str, Any]:
    """Run a program and return the JSON object on its last line."""
    environment = {"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/"), "NO_PROXY": "*"}
    done = subprocess.run(
        [*command, "-"],
        input=source,
        env=environment | {"PYTHONPATH": str(PROGRAMS / "python")} | variables,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    made: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return made


def interpreter(environment: str) -> list[str]:
    return [str(ROOT / ".clients" / environment / "bin" / "python")]


def genscope_variables(server: Server) -> dict[str, str]:
    return {
        "GENSCOPE_URL": server.url,
        "GENSCOPE_PUBLIC_KEY": server.public_key,
        "GENSCOPE_SECRET_KEY": server.secret_key,
    }


@pytest.fixture(scope="module")
def made(server: Server) -> Iterator[Callable[[str, str], dict[str, Any]]]:
    """What each program printed, by its name and the version that it ran with; they run two at a time."""

    def start(program: str, version: str) -> dict[str, Any]:
        source = (PROGRAMS / "python" / program).read_text()
        if version != GENSCOPE:
            return run(interpreter(f"langfuse-{version}"), source, langfuse_variables(server))
        line = PROGRAMS_OF[program][1]
        return run(
            [sys.executable], re.sub(r"^from langfuse import .*$", line, source, flags=re.M), genscope_variables(server)
        )

    with ThreadPoolExecutor(2) as pool:
        runs: dict[tuple[str, str], Future[dict[str, Any]]] = {
            one: pool.submit(start, *one) for one in [*((program, GENSCOPE) for program in PROGRAMS_OF), *RUNS]
        }
        yield lambda program, version: runs[program, version].result()


def spans(server: Server, trace_id: str, lost: Callable[[str], dict[str, Any]] = lambda _: {}) -> list[dict[str, Any]]:
    """Return what a trace's spans say but for what is lost of a span of a name; the order does not depend on who sent them."""
    found = server.get(f"/api/v1/traces/{trace_id}")["spans"]
    names = {span["span_id"]: span["name"] for span in found}
    rows = []
    for span in found:
        row = {field: span[field] for field in FIELDS}
        row["parent"] = names.get(span["parent_span_id"])
        row["events"] = [event["name"] for event in span["events"]]
        row["first_token"] = span["completion_start_time"] is not None
        row["tags"] = sorted(span["tags"])
        row["session_id"] = (span["session_id"] or "").replace(trace_id, "")
        row["output"] = "" if span["output"] == trace_id else span["output"]
        rows.append(row | lost(span["name"]))
    return sorted(rows, key=lambda row: json.dumps([row["parent"], row["name"], row["input"], row["output"]]))


@pytest.mark.parametrize(("program", "version"), RUNS)
def test_a_program_tells_the_same(
    program: str, version: str, made: Callable[[str, str], dict[str, Any]], server: Server
) -> None:
    ours, theirs = made(program, GENSCOPE), made(program, version)
    assert ours.keys() == theirs.keys()
    for name, trace_id in ours.items():
        if name in {"seed", "auth_check"}:
            assert theirs[name] == trace_id, name
        else:
            told = spans(server, trace_id, lambda span: LOST.get((span, "*"), {}) | LOST.get((span, version), {}))
            assert told == spans(server, theirs[name]), name


def test_scores_are_the_same(server: Server) -> None:
    source = (PROGRAMS / "python" / "langfuse_scores.py").read_text()
    ours = run([sys.executable], source.replace("from langfuse", "from genscope"), genscope_variables(server))
    theirs = run(interpreter("langfuse-5.0.4"), source, langfuse_variables(server))

    def scores(made: dict[str, Any]) -> list[dict[str, Any]]:
        found = server.get("/api/v1/scores", trace_id=made["trace"])["data"]
        found += server.get("/api/v1/scores", session_id=f"session-{made['trace']}")["data"]
        text = json.dumps(sorted(found, key=lambda score: str(score["name"])))
        rows: list[dict[str, Any]] = json.loads(text.replace(made["trace"], "TRACE").replace(made["span"], "SPAN"))
        fields = (
            "name",
            "value",
            "string_value",
            "data_type",
            "comment",
            "metadata",
            "trace_id",
            "span_id",
            "session_id",
        )
        return [{field: row[field] for field in fields} for row in rows]

    assert len(scores(ours)) == 4
    assert scores(ours) == scores(theirs)


def test_lemmas_page_with_one_line_changed(server: Server) -> None:
    record, fail = snippets("lemma-generations", "python")
    source = "\n".join([LEMMA_PYTHON, record, LEMMA_PYTHON_FAILURE, textwrap.indent(fail, "    "), LEMMA_PYTHON_END])
    assert "from langfuse import get_client" in source
    source = source.replace("from langfuse import get_client", "from genscope import get_client") + "\nprint('{}')"
    run([sys.executable], source, genscope_variables(server) | {"GENSCOPE_RELEASE": "page-of-lemma"})
    failed, drafted = sorted(
        server.get("/api/v1/generations", full=1, q="release:page-of-lemma")["data"],
        key=lambda span: str(span["level"]),
        reverse=True,
    )
    assert (drafted["name"], drafted["model"], drafted["level"]) == ("draft-reply", "gpt-4o", "DEFAULT")
    assert drafted["input"] == [{"role": "user", "content": "Where is my order 4711?"}]
    assert (drafted["output"], Decimal(drafted["cost"]["total"])) == ("It left.", Decimal("0.003"))
    assert (failed["level"], failed["status_message"], failed["cost"]) == ("ERROR", "overloaded", None)


def test_calls_that_are_instrumented_too_count_once(server: Server) -> None:
    with providers.running() as url:
        made = run(
            interpreter("instrumented"),
            (PROGRAMS / "python" / "genscope_around_openai.py").read_text(),
            genscope_variables(server)
            | {
                "CONVERSATION": told(PROVIDERS["openai"]),
                "PROVIDER_URL": url,
                "PYTHONPATH": str(ROOT / "src"),
                "OPENAI_API_KEY": "none",
            },
        )
    found = server.get(f"/api/v1/traces/{made['trace']}")
    names = {span["span_id"]: span["name"] for span in found["spans"]}
    theirs = [span for span in found["spans"] if span["scope"]["name"].startswith("openinference")]
    assert [names[span["parent_span_id"]] for span in theirs] == ["told-twice", "streamed-twice", "plan"]
    # What was propagated is on the spans of other libraries, too.
    assert {(span["user_id"], span["session_id"], *span["tags"]) for span in theirs} == {
        ("alice", "ticket-4711", "mail")
    }
    first = PROVIDERS["openai"].calls[0]
    ours = {span["name"]: span for span in found["spans"] if span["scope"]["name"] == "genscope"}
    for name in ("told-twice", "streamed-twice"):
        assert first.usage.items() <= ours[name]["usage"].items()
    assert (found["trace"]["generation_count"], found["trace"]["call_count"]) == (5, 3)
    assert Decimal(found["trace"]["total_cost"]) == sum(Decimal(span["cost"]["total"]) for span in theirs)
    assert found["trace"]["total_tokens"] == 3 * first.usage["total"]
