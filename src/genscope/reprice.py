"""Prices stored spans again: usage and model as they are stored, at the prices that hold now.

store.costs (read) -> pricing -> store.costs (write)
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final

import pyarrow as pa

from genscope import pricing
from genscope.model import PAID_TYPES, Cost, Span
from genscope.pricing.override import Overrides
from genscope.query.filter import Filter
from genscope.store.costs import WRITTEN, Costs, Stopped, encode

__all__ = ["AlreadyRunning", "Changes", "ModelChanges", "Progress", "Repricing", "Stopped"]

#: Spans whose new costs are written at a time. Each time the engine rewrites the costs of all spans of the months that have such
#: spans; what is to be written is held in memory until then, 400 bytes a span.
WRITE_SPANS: Final = 200_000


class AlreadyRunning(Exception):
    """The project's spans are being priced again just now."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far it is: rows that were looked at, of those that there are in the range of time."""

    done: int
    total: int


@dataclass(slots=True)
class ModelChanges:
    """What changed for the calls to one model. Money is US dollars, of the calls whose cost is known."""

    provider: str | None
    model: str | None
    calls: int = 0
    changed: int = 0
    newly_priced: int = 0
    no_longer_priced: int = 0
    cost_before: Decimal = Decimal(0)
    cost_after: Decimal = Decimal(0)

    def count(self, before: Cost | None, after: Cost | None, *, changed: bool) -> None:
        """Count one call."""
        self.calls += 1
        self.changed += changed
        self.newly_priced += before is None and after is not None
        self.no_longer_priced += before is not None and after is None
        self.cost_before += (before or {}).get("total", 0)
        self.cost_after += (after or {}).get("total", 0)


@dataclass(slots=True)
class Changes:
    """What pricing again changed. Calls to a model are told by model; other spans that have a cost are only counted."""

    #: Spans looked at, and those whose cost is another now, or has another source or reason.
    spans: int = 0
    changed: int = 0
    #: Spans whose cost the sender reported: it stays.
    reported: int = 0
    models: dict[tuple[str | None, str | None], ModelChanges] = field(default_factory=dict)

    def count(self, span: Span, before: Cost | None, *, changed: bool) -> None:
        """Count one span that was priced again."""
        self.spans += 1
        self.changed += changed
        self.reported += span.cost_source == "reported"
        if span.type in PAID_TYPES:
            key = (span.provider, span.model)
            if key not in self.models:
                self.models[key] = ModelChanges(*key)
            self.models[key].count(before, span.cost, changed=changed)


class Repricing:
    """Prices the spans of projects again, of each project by one request at a time."""

    def __init__(self, costs: Costs, overrides: Callable[[str], Overrides]) -> None:
        self._costs = costs
        self._overrides = overrides
        self._running: set[str] = set()
        self._lock = threading.Lock()
        self._stopping = False

    def stop(self) -> None:
        """Make whatever runs end soon with `Stopped`."""
        self._stopping = True
        self._costs.stop()

    @contextlib.contextmanager
    def turn(self, project_id: str) -> Iterator[None]:
        """Hold the project's turn.

        Raises:
            AlreadyRunning: another one holds it.
        """
        with self._lock:
            if project_id in self._running:
                raise AlreadyRunning
            self._running.add(project_id)
        try:
            yield
        finally:
            with self._lock:
                self._running.discard(project_id)

    def run(self, project_id: str, filter: Filter, *, dry_run: bool = False) -> Iterator[Progress | Changes]:
        """Price the spans that meet a filter again, and yield how far that is and, last, what changed. Blocks.

        Whoever stops asking ends it: what was written stays. The same again ends where it would have ended.

        Raises:
            Stopped: the server is being stopped.
            StoreError: the store could not be read or written.
        """
        overrides, changes = self._overrides(project_id), Changes()
        waiting: list[pa.Table] = []
        yield Progress(0, 0)
        for window, done, total in self._costs.windows(project_id, filter):
            changed = [span for span in self._costs.read(project_id, window) if _priced_again(span, overrides, changes)]
            if changed and not dry_run:
                waiting.append(encode(project_id, changed))
            if sum(rows.num_rows for rows in waiting) >= WRITE_SPANS:
                self._costs.write(pa.concat_tables(waiting))
                waiting.clear()
            if self._stopping:
                raise Stopped
            yield Progress(done, total)
        if waiting:
            self._costs.write(pa.concat_tables(waiting))
        yield changes


def _priced_again(span: Span, overrides: Overrides, changes: Changes) -> bool:
    """Price a span, count it, and return whether something is to be written."""
    before = [getattr(span, name) for name in WRITTEN]
    cost, reason = span.cost, (span.cost_source, span.cost_missing)
    pricing.price(span, overrides)
    changed = span.cost != cost or (span.cost_source, span.cost_missing) != reason
    changes.count(span, cost, changed=changed)
    return [getattr(span, name) for name in WRITTEN] != before
