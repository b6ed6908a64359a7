"""The command line as a user runs it, against a server of the tests."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Any

import orjson

from tests.running import Server

SECONDS = 120


def genscope(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run `genscope` with these variables and none of its own from outside."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("GENSCOPE_")}
    return subprocess.run(
        [sys.executable, "-m", "genscope.cli", *arguments],
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
        env=inherited | environment,
    )


def of(server: Server) -> dict[str, str]:
    """Return the variables that lead commands to a server, with its key."""
    return {
        "GENSCOPE_URL": server.url,
        "GENSCOPE_PUBLIC_KEY": server.public_key,
        "GENSCOPE_SECRET_KEY": server.secret_key,
    }


def asked(server: Server, *arguments: str) -> str:
    """Run a command with the server's key; it must succeed. Return what it printed."""
    done = genscope(*arguments, **of(server))
    assert done.returncode == 0, done.stderr
    return done.stdout


def asked_json(server: Server, *arguments: str) -> Any:
    """Run a command with `--json`; it must succeed."""
    return orjson.loads(asked(server, *arguments, "--json"))
