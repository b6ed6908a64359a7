"""The static files: each page names them by what they hold, so a browser may keep them for good."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import Final

from starlette.middleware.gzip import GZipMiddleware
from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Receive, Scope, Send

DIRECTORY: Final = Path(__file__).parent / "static"
#: Changes when any of the files does; pages ask for `/static/name?v=VERSION`.
VERSION: Final = hashlib.sha256(
    b"".join(path.read_bytes() for path in sorted(DIRECTORY.rglob("*")) if path.is_file())
).hexdigest()[:12]


class Assets(StaticFiles):
    """Serves `DIRECTORY`. A URL with the version is kept for good, any other is asked for again (by ETag)."""

    def __init__(self) -> None:
        super().__init__(directory=DIRECTORY)
        self._compressed = GZipMiddleware(super().__call__, minimum_size=1000)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, compressed where the browser takes that."""
        await self._compressed(scope, receive, send)

    def file_response(
        self, full_path: str | os.PathLike[str], stat_result: os.stat_result, scope: Scope, status_code: int = 200
    ) -> Response:
        """Return a file with the headers that go with it."""
        response = super().file_response(full_path, stat_result, scope, status_code)
        versioned = scope["query_string"] == f"v={VERSION}".encode()
        response.headers["Cache-Control"] = "public, max-age=31536000, immutable" if versioned else "no-cache"
        response.headers["X-Content-Type-Options"] = "nosniff"
        return response
