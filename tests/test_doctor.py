"""`genscope doctor` against a server that is well, one that is not there, and a key that opens nothing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.command import asked, asked_json, genscope, of
from tests.running import Server, free_port


def states(findings: list[dict[str, Any]]) -> dict[str, str]:
    return {finding["check"]: finding["state"] for finding in findings}


def test_a_server_that_is_well_takes_and_returns_a_span(project: Server, tmp_path: Path) -> None:
    found = states(asked_json(project, "doctor", "--send", "--data", str(tmp_path)))
    assert {name: found[name] for name in ("server", "key", "rejected input", "prices", "a span")} == dict.fromkeys(
        ("server", "key", "rejected input", "prices", "a span"), "ok"
    )
    # It leaves nothing behind.
    assert project.get("/api/v1/spans")["data"] == []
    assert "none in 24 hours" in asked(project, "doctor")


def test_what_is_wrong_is_named_with_what_to_do(server: Server, tmp_path: Path) -> None:
    nobody = genscope("doctor", "--json", "--data", str(tmp_path), GENSCOPE_URL=f"http://127.0.0.1:{free_port()}")
    assert nobody.returncode == 1
    assert states(json.loads(nobody.stdout))["server"] == "failed"
    assert "genscope serve" in nobody.stdout
    stranger = genscope("doctor", "--json", **of(server) | {"GENSCOPE_SECRET_KEY": "no such secret"})
    assert stranger.returncode == 1
    assert states(json.loads(stranger.stdout))["key"] == "failed"
    assert "GENSCOPE_SECRET_KEY" in stranger.stdout
