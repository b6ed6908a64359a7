"""The examples of the documentation, run as they stand there."""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.running import Server

DOCS = Path(__file__).parent.parent / "docs"
#: A command to run, and the answer that it is said to give.
EXAMPLE = re.compile(r"<!-- run -->\n```bash\n(.*?)```\n\n```json\n(.*?)```\n", re.DOTALL)


def examples(page: str) -> list[tuple[str, Any]]:
    text = (DOCS / page).read_text()
    found = EXAMPLE.findall(text)
    assert len(found) == text.count("<!-- run -->"), f"{page}: an example without its answer"
    return [(command, json.loads(answer)) for command, answer in found]


def check(shown: Any, given: Any, where: str) -> None:
    """What is shown is in the answer; `...` stands for any text, and numbers are shown to a tenth."""
    if isinstance(shown, dict):
        assert shown.keys() <= given.keys(), where
        for key, value in shown.items():
            check(value, given[key], f"{where}.{key}")
    elif isinstance(shown, list):
        assert len(shown) == len(given), where
        for index, value in enumerate(shown):
            check(value, given[index], f"{where}[{index}]")
    elif shown == "...":
        assert isinstance(given, str), where
    elif isinstance(shown, float):
        assert given == pytest.approx(shown, abs=0.05), where
    else:
        assert given == shown, where


def test_the_examples_of_ingest_and_api_do_what_they_say(project: Server) -> None:
    environment = {
        "PATH": os.environ["PATH"],
        "NO_PROXY": "*",
        "GENSCOPE_URL": project.url,
        "GENSCOPE_PUBLIC_KEY": project.public_key,
        "GENSCOPE_SECRET_KEY": project.secret_key,
    }
    for page in ("ingest.md", "api.md", "metrics.md"):
        for command, shown in examples(page):
            done = subprocess.run(
                ["bash", "-euo", "pipefail", "-c", command],
                env=environment,
                capture_output=True,
                text=True,
                timeout=60,
                check=False,
            )
            assert done.returncode == 0, (command, done.stdout, done.stderr)
            check(shown, json.loads(done.stdout), command)
