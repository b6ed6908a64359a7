"""How long a project keeps its traces, and the work of deleting those that are older."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from typing import Final

from genscope.store.catalog import Catalog
from genscope.store.errors import StoreError
from genscope.store.expiry import Expired, Expiry

log = logging.getLogger(__name__)

#: The name of the setting of a project: its days, or `null`.
SETTING: Final = "retention"
DAY: Final = 86_400 * 10**9
#: A hundred years are for ever.
MOST_DAYS: Final = 36_500
#: Seconds between two looks for what has become too old.
EVERY: Final = 3600
#: Traces that are deleted at once.
BATCH: Final = 5000

#: Deletes traces of a project with all that belongs to them.
DeleteTraces = Callable[[str, Sequence[str]], None]


class Retention:
    """The days that projects keep their traces, read once and kept, and a thread that deletes what is older."""

    def __init__(self, catalog: Catalog, expiry: Expiry, delete_traces: DeleteTraces) -> None:
        """Read the settings."""
        self._catalog = catalog
        self._expiry = expiry
        self._delete_traces = delete_traces
        self._days = {id_: int(text) for id_, text in catalog.project_settings(SETTING).items() if text != "null"}
        self._changed = threading.Event()
        self._closing = False
        self._thread = threading.Thread(target=self._run, name="genscope-retention", daemon=True)

    def start(self) -> None:
        """Begin to delete."""
        self._thread.start()

    def close(self) -> None:
        """Stop after the traces that are being deleted."""
        self._closing = True
        self._changed.set()
        if self._thread.is_alive():
            self._thread.join()

    def days(self, project_id: str) -> int | None:
        """Return for how many days a project keeps its traces; None: for ever."""
        return self._days.get(project_id)

    def set(self, project_id: str, days: int | None) -> None:
        """Set for how many days a project keeps its traces, None: for ever; what is too old now is deleted at once. Blocks.

        Raises:
            ValueError: this is no number of days.
        """
        check_days(days)
        self._catalog.set_project_setting(project_id, SETTING, "null" if days is None else str(days))
        kept = {id_: known for id_, known in self._days.items() if id_ != project_id}
        self._days = kept if days is None else kept | {project_id: days}
        self._changed.set()

    def expired(self, project_id: str, days: int) -> Expired:
        """Return what would be too old. Blocks.

        Raises:
            ValueError: this is no number of days.
        """
        check_days(days)
        return self._expiry.count(project_id, time.time_ns() - days * DAY)

    def _run(self) -> None:
        while not self._closing:
            self._changed.clear()
            for project_id in self._days:
                try:
                    self._delete(project_id)
                except StoreError as error:
                    log.warning("retention of project %s: %s; tried again within the hour", project_id, error)
            if not self._closing:
                self._changed.wait(EVERY)

    def _delete(self, project_id: str) -> None:
        """Delete what is too old in a project, until nothing is, or the project keeps it after all."""
        begun, deleted = time.monotonic(), 0
        while not self._closing and (days := self.days(project_id)) is not None:
            before = time.time_ns() - days * DAY
            trace_ids = self._expiry.traces(project_id, before, BATCH)
            if trace_ids:
                self._delete_traces(project_id, trace_ids)
                deleted += len(trace_ids)
            if len(trace_ids) < BATCH:
                self._expiry.delete_remains(project_id, before)
                break
        if deleted:
            seconds = time.monotonic() - begun
            log.info("retention: deleted %d traces of project %s in %.1f s", deleted, project_id, seconds)


def check_days(days: int | None) -> None:
    """Return if a project can keep its traces for this many days.

    Raises:
        ValueError: it cannot; the message says why.
    """
    if days is not None and not 1 <= days <= MOST_DAYS:
        raise ValueError(f"traces are kept for 1 to {MOST_DAYS} days, or for ever")
