"""Sends what is said of turns afterwards as scores, over the route that Langfuse's SDKs use."""

from __future__ import annotations

from typing import Any, Final

import requests

from genscope.demo.scenario import Verdict

BATCH: Final = 200
#: How the type of a value is called on the wire.
DATA_TYPES: Final[dict[type, str]] = {bool: "BOOLEAN", float: "NUMERIC", str: "CATEGORICAL"}


class ScoreSender:
    """Collects scores and sends many in one request."""

    def __init__(self, url: str, public_key: str | None, secret_key: str | None) -> None:
        self._url = f"{url.rstrip('/')}/api/public/scores"
        self._session = requests.Session()
        if public_key and secret_key:
            self._session.auth = (public_key, secret_key)
        self._waiting: list[dict[str, Any]] = []

    def add(self, trace_id: str, verdict: Verdict, environment: str) -> None:
        """Say it of a trace."""
        score = {
            # One verdict of a name for a trace: told again, it replaces what it said before.
            "id": f"{verdict.name}-{trace_id}",
            "traceId": trace_id,
            "name": verdict.name,
            "value": int(verdict.value) if isinstance(verdict.value, bool) else verdict.value,
            "dataType": DATA_TYPES[type(verdict.value)],
            "environment": environment,
        }
        self._waiting.append(score | ({"comment": verdict.comment} if verdict.comment else {}))

    def flush(self) -> bool:
        """Send what waits, and return whether the server took it."""
        taken = True
        while self._waiting:
            some, self._waiting = self._waiting[:BATCH], self._waiting[BATCH:]
            try:
                taken = self._session.post(self._url, json=some, timeout=10).ok and taken
            except requests.RequestException:
                taken = False
        return taken
