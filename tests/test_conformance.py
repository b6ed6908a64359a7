"""The shared conformance runner against a real server: everything between the wire and the read API at once."""

from __future__ import annotations

import os
import subprocess
import sys

from tests.running import Server
from tests.test_conventions_conformance import CASES, KNOWN, SHARED


def test_the_runner_finds_the_known_differences_and_no_other(server: Server) -> None:
    assert CASES or os.environ.get("CI") != "true"
    if not CASES:
        return
    command = [sys.executable, str(SHARED / "run.py"), "--verbose", "--url", server.url]
    command += ["--public-key", server.public_key, "--secret-key", server.secret_key]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)
    lines = done.stdout.splitlines()
    failed = {line.split("__")[1] for line in lines if "__" in line and not line.startswith(" ")}
    assert failed == KNOWN.keys()
    assert lines[-1] == f"{len(CASES) - len(KNOWN)} of {len(CASES)} cases hold"
