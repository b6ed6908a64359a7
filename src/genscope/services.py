"""What one running server consists of, handed to every route through `request.app.state.services`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

from starlette.requests import HTTPConnection

from genscope.auth import Authenticator
from genscope.config import Settings
from genscope.ingest import Ingest
from genscope.links import Links
from genscope.live import News
from genscope.objects import Objects
from genscope.openid import OpenID
from genscope.prices import Prices
from genscope.redaction import Redactions
from genscope.reprice import Repricing
from genscope.retention import Retention
from genscope.store.attachments import Attachments
from genscope.store.catalog import Project
from genscope.store.deletes import Deletes
from genscope.store.reader import Reader
from genscope.store.views import Views


@dataclass(slots=True)
class Services:
    """The parts that a route may use."""

    settings: Settings
    auth: Authenticator
    ingest: Ingest
    reader: Reader
    prices: Prices
    repricing: Repricing
    objects: Objects
    links: Links
    attachments: Attachments
    deletes: Deletes
    news: News
    views: Views
    retention: Retention
    redactions: Redactions
    openid: OpenID

    def stop(self) -> None:
        """Make what would not end by itself end soon; called in the event loop when the server is to stop."""
        self.repricing.stop()
        self.deletes.stop()
        self.news.close()


def services(connection: HTTPConnection) -> Services:
    """Return the services of the server that this request reached."""
    return cast(Services, connection.app.state.services)


def project_of(request: HTTPConnection) -> Project:
    """Return the project that the key of a request opens.

    Raises:
        Unauthorized: no valid key.
        Forbidden: it names another project.
    """
    return services(request).auth.project(request.headers, request.query_params, host=request.headers.get("host", ""))


def public_url(request: HTTPConnection) -> str:
    """Return this server's base URL as the one who asks reaches it, without a trailing slash."""
    return str(request.base_url).rstrip("/")
