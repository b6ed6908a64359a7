"""What can go wrong in the store."""

from __future__ import annotations


class StoreError(Exception):
    """The engine refused or failed; the message is the engine's own."""


class StoreLocked(StoreError):
    """Another process owns the directory."""


class StoreBusy(StoreError):
    """No connection, or no memory, became free in time; the same query may succeed later."""


class QueryUnending(StoreError):
    """A query that the engine cannot interrupt keeps the store from being closed."""


class QueryTooLarge(StoreError):
    """A query would have taken more memory or time than one may; a narrower one succeeds."""
