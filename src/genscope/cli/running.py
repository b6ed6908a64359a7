"""Where commands find the server that runs on a data directory: a file in it, which only its owner may read."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from genscope.config import Settings

#: In the data directory while a server runs on it.
FILE: Final = "server.json"


def _file(settings: Settings) -> Path:
    return settings.data / FILE


@contextlib.contextmanager
def announced(settings: Settings, url: str, token: str) -> Iterator[None]:
    """Tell commands the server's URL, and the token that opens it to whoever may read the directory."""
    file = _file(settings)
    file.parent.mkdir(parents=True, exist_ok=True)
    # What a server left that was killed may belong to somebody else.
    file.unlink(missing_ok=True)
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as opened:
        json.dump({"url": url, "token": token}, opened)
    try:
        yield
    finally:
        file.unlink(missing_ok=True)


def find(settings: Settings) -> tuple[str, str] | None:
    """Return the URL and the token of the server that runs on the data directory, if it tells them."""
    try:
        told = json.loads(_file(settings).read_text())
        return str(told["url"]), str(told["token"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
