"""Settings: how the project, the store and the server are doing."""

from __future__ import annotations

import shutil
import time
from dataclasses import dataclass
from typing import Any

import msgspec
from prometheus_client import REGISTRY
from starlette.requests import Request

from genscope import __version__
from genscope.api.shapes import iso
from genscope.services import services
from genscope.store.health import EngineState, Extent, Table
from genscope.web.frame import Viewer, Visiting, page, page_router

router = page_router()


@dataclass(frozen=True, slots=True)
class ServerState:
    """The server as a process and on its disk; sizes in bytes, None where the system does not tell."""

    version: str
    uptime_seconds: int | None
    memory: int | None
    disk_free: int
    disk_total: int
    engine: EngineState
    tables: list[Table]
    storing: bool

    @property
    def stored(self) -> int:
        """Bytes of all tables."""
        return sum(table.bytes for table in self.tables)


@dataclass(frozen=True, slots=True)
class Health:
    """What the project has; and for the owner of the server how that is doing."""

    extent: Extent
    server: ServerState | None
    error: str = ""

    def json(self) -> dict[str, Any]:
        """Return what the page says as JSON."""
        extent, server = self.extent, self.server
        told: dict[str, Any] = {
            "spans": extent.spans,
            "traces": extent.traces,
            "oldest": iso(extent.oldest),
            "newest": iso(extent.newest),
        }
        if server is not None:
            told["server"] = msgspec.to_builtins(server)
            told["server"]["engine"]["last_insert"] = iso(server.engine.last_insert)
        return told


@page(router, "/settings/health", "settings_health.html", name="settings")
def health(request: Request, project: Viewer, visitor: Visiting) -> Health:
    """Tell how large and old the project is, and how the server is doing."""
    found = services(request).reader.health
    return Health(found.extent(project.id), _server(request) if visitor.owns_server else None)


def _server(request: Request) -> ServerState:
    served = services(request)
    found = served.reader.health
    begun = REGISTRY.get_sample_value("process_start_time_seconds")
    memory = REGISTRY.get_sample_value("process_resident_memory_bytes")
    disk = shutil.disk_usage(found.path)
    return ServerState(
        version=__version__,
        uptime_seconds=None if begun is None else int(time.time() - begun),
        memory=None if memory is None else int(memory),
        disk_free=disk.free,
        disk_total=disk.total,
        engine=found.engine(),
        tables=found.tables(),
        storing=served.ingest.storing,
    )
