"""The prices that projects set themselves, at hand for every request that brings spans."""

from __future__ import annotations

import hashlib
import threading
from typing import Final

from genscope.pricing.override import NONE, Override, Overrides
from genscope.store.catalog import Catalog, Price

#: Prices that a project may set: far more than anyone writes, few enough to be looked through.
MOST_PRICES: Final = 1000


class TooManyPrices(ValueError):
    """A project has as many prices as it may."""


class Prices:
    """The prices of all projects, read once and kept. Reading never waits for the store."""

    def __init__(self, catalog: Catalog) -> None:
        """Read the prices."""
        self._catalog = catalog
        self._lock = threading.Lock()
        self._by_project: dict[str, dict[str, Price]] = {}
        self._overrides: dict[str, Overrides] = {}
        self.refresh()

    def refresh(self) -> None:
        """Read the prices again: another server of the same store may have changed them."""
        with self._lock:
            self._read()

    def _read(self) -> None:
        by_project: dict[str, dict[str, Price]] = {}
        for price in self._catalog.prices():
            by_project.setdefault(price.project_id, {})[price.id] = price
        if by_project != self._by_project:
            self._overrides = {
                project_id: Overrides(_override(price) for price in prices.values())
                for project_id, prices in by_project.items()
            }
            self._by_project = by_project

    def overrides(self, project_id: str) -> Overrides:
        """Return what `pricing.price` takes for the spans of a project."""
        return self._overrides.get(project_id, NONE)

    def of(self, project_id: str) -> list[Price]:
        """Return the prices of a project by model, provider and start."""
        return list(self._by_project.get(project_id, {}).values())

    def set(self, project_id: str, override: Override) -> Price:
        """Set a price of a project, in the place of one for the same model, provider and start. Blocks.

        Raises:
            TooManyPrices: it would be one more than a project may have.
        """
        price = Price(
            project_id,
            _id(override),
            override.model,
            override.provider,
            override.start,
            dict(override.prices),
            override.request,
        )
        with self._lock:
            known = self._by_project.get(project_id, {})
            if price.id not in known and len(known) >= MOST_PRICES:
                raise TooManyPrices(
                    f"the project has {MOST_PRICES} prices, which is the most: remove one, or use a pattern"
                )
            self._catalog.set_price(price)
            self._read()
        return price

    def remove(self, project_id: str, price_id: str) -> Price | None:
        """Remove a price of a project and return it; None if it has none of this id. Blocks."""
        with self._lock:
            price = self._by_project.get(project_id, {}).get(price_id)
            if price is not None:
                self._catalog.set_price(price, removed=True)
                self._read()
        return price


def _id(override: Override) -> str:
    """Return an id that follows from what a price is for, so that setting it twice sets it once."""
    what = (override.model.lower(), override.provider or "", "" if override.start is None else str(override.start))
    return hashlib.sha256("\n".join(what).encode()).hexdigest()[:16]


def _override(price: Price) -> Override:
    return Override(price.model, price.provider, price.start, price.prices, price.request)
