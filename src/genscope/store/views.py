"""The table `saved_views`: a project's views by their names."""

from __future__ import annotations

from genscope.store.engine import Engine
from genscope.views import MOST, SavedView


class Views:
    """Reads and writes saved views. Every call blocks."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def all(self, project_id: str) -> list[SavedView]:
        """Return a project's views by name."""
        rows = self._engine.query(
            "SELECT name, url FROM saved_views FINAL WHERE project_id = {project_id:String} AND NOT removed "
            "ORDER BY lowerUTF8(name), name",
            {"project_id": project_id},
        )
        return [SavedView(**row) for row in rows.to_pylist()]

    def get(self, project_id: str, name: str) -> SavedView | None:
        """Return the view of a name, None if there is none."""
        return next((view for view in self.all(project_id) if view.name == name), None)

    def save(self, project_id: str, view: SavedView) -> None:
        """Add a view, or put it in the place of the one of its name.

        Raises:
            ValueError: the project has as many views as it may.
        """
        known = {one.name for one in self.all(project_id)}
        if len(known) >= MOST and view.name not in known:
            raise ValueError(f"the project has {MOST} views already: delete one first")
        self._write(project_id, view, removed=False)

    def rename(self, project_id: str, view: SavedView, name: str) -> None:
        """Give a view another name. It is never without one, wherever this is cut off."""
        self._write(project_id, SavedView(name, view.url), removed=False)
        if name != view.name:
            self._write(project_id, view, removed=True)

    def remove(self, project_id: str, name: str) -> SavedView | None:
        """Remove the view of a name and return it, None if there is none."""
        view = self.get(project_id, name)
        if view is not None:
            self._write(project_id, view, removed=True)
        return view

    def _write(self, project_id: str, view: SavedView, *, removed: bool) -> None:
        self._engine.command(
            "INSERT INTO saved_views (project_id, name, url, removed) "
            "VALUES ({project_id:String}, {name:String}, {url:String}, {removed:UInt8})",
            {"project_id": project_id, "name": view.name, "url": view.url, "removed": int(removed)},
        )
