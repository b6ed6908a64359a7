"""Everything that maxim-go can log, with its real uploads, against a real server."""

from __future__ import annotations

import os
import subprocess
from decimal import Decimal
from pathlib import Path

import httpx

from tests.running import Server

EVERYTHING = Path(__file__).parent.parent / ".clients" / "go" / "bin" / "everything"
SECONDS = 60


def test_everything_is_recorded(project: Server, tmp_path: Path) -> None:
    subprocess.run(
        [EVERYTHING, project.url, project.secret_key],
        env={"PATH": os.environ["PATH"], "TMPDIR": f"{tmp_path}/"},
        timeout=SECONDS,
        check=True,
    )

    assert project.get("/api/v1/rejected")["data"] == []
    spans = project.trace("trace-go-1")
    parents = {name: span["parent_span_id"] for name, span in spans.items()}
    assert parents == {"trace-go-1:root": None} | {
        child: parent
        for parent, children in {
            "trace-go-1:root": [
                "span-go-1",
                "event-1",
                "event-2",
                "gen-go-2",
                "gen-go-3",
                "gen-go-4",
                "gen-go-5",
                "gen-go-6",
                "call_2",
                "ret-1",
            ],
            "span-go-1": ["span-go-2"],
            "span-go-2": ["gen-go-1", "call_1"],
            "gen-go-1": ["event-3"],
        }.items()
        for child in children
    }

    root = spans["trace-go-1:root"]
    assert (root["session_id"], root["input"], root["output"]) == (
        "session-go-1",
        "My internet is not working",
        "Sorry",
    )
    typed, failed, unknown, _, raw, parsed = (spans[f"gen-go-{number}"] for number in range(1, 7))
    # What the result names as its model holds against what the program set.
    assert (typed["model"], typed["model_parameters"]) == ("gpt-4o", {"temperature": 0.1})
    assert (Decimal(typed["cost"]["total"]), typed["cost_source"]) == (Decimal("0.3"), "reported")
    assert (failed["level"], failed["status_message"]) == ("ERROR", "rate limited")
    assert (unknown["provider"], unknown["usage"], unknown["output"]) == ("aws.bedrock", None, None)
    # The object's method drops what the SDK has no field for, the logger's does not.
    assert raw["usage"] == {"input": 10, "output": 2, "total": 12, "input_cache_read": 5}
    assert parsed["usage"] == {"input": 10, "output": 2, "total": 12}
    assert (spans["call_1"]["type"], spans["call_1"]["input"], spans["call_1"]["output"]) == (
        "tool",
        {"id": 1},
        "found",
    )
    assert (spans["call_2"]["level"], spans["call_2"]["status_message"]) == ("ERROR", "not reachable")
    assert (spans["ret-1"]["type"], spans["ret-1"]["output"]) == ("retriever", ["one", "two"])
    assert spans["span-go-1"]["level"] == "ERROR"  # the SDK says that there was an error, and not which

    scores = project.get("/api/v1/scores")["data"]
    assert {(score["name"], score["value"]) for score in scores} == {
        ("ttft_ms", 180.5),
        ("tps", 12),
        ("precision", 0.5),
        ("feedback", 4),
        ("feedback", 5),
    }

    shot, picture = root["attachments"]
    (note,) = spans["span-go-1"]["attachments"]
    assert (picture["type"], picture["url"]) == ("url", "https://example.com/a/b.png")
    assert httpx.get(shot["url"]).content == b"\x89PNG1234"
    assert httpx.get(note["url"]).content == b"a note"
