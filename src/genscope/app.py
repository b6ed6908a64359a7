"""The application: a table of contents of its parts, and their life from start to stop."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import secrets
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass

from fastapi import FastAPI

from genscope import __version__, pricing, web
from genscope.api import (
    access,
    coverage,
    deletes,
    errors,
    export,
    failures,
    fields,
    ingest,
    langfuse,
    langfuse_ingestion,
    lemma,
    maxim,
    media,
    metrics,
    native,
    openapi,
    pieces,
    policies,
    prices,
    rejected,
    reprice,
    resend,
    scores,
    sessions,
    sql,
    status,
    storage,
    users,
    views,
    whatif,
)
from genscope.api.slashes import LeadingSlashes
from genscope.auth import Authenticator, ensure_project
from genscope.config import Settings
from genscope.ingest import Ingest, Limits
from genscope.links import Links
from genscope.live import News
from genscope.members import Members
from genscope.objects import Objects
from genscope.openid import OpenID
from genscope.places import Places
from genscope.prices import Prices
from genscope.receive import grpc, otlp
from genscope.redaction import Redactions
from genscope.reprice import Repricing
from genscope.retention import Retention
from genscope.services import Services
from genscope.store.attachments import Attachments
from genscope.store.catalog import Catalog
from genscope.store.costs import Costs
from genscope.store.deletes import Deletes
from genscope.store.entities import Entities
from genscope.store.errors import StoreError
from genscope.store.expiry import Expiry
from genscope.store.opening import open_store
from genscope.store.reader import Reader
from genscope.store.views import Views
from genscope.store.writer import Writer
from genscope.web.security import SecureSessions

log = logging.getLogger(__name__)

SESSION_SECRET = "session_secret"  # noqa: S105 - the name of a value, not a value
LINK_SECRET = "link_secret"  # noqa: S105 - as above
REDACTION_SECRET = "redaction_secret"  # noqa: S105 - as above
SESSION_SECONDS = 14 * 24 * 3600
#: How long another server of the same store may go by old prices.
REFRESH_SECONDS = 30


@dataclass(frozen=True, slots=True)
class Started:
    """An open server, before it listens."""

    services: Services
    session_secret: str
    #: The key pair made at the first start; its secret is not known later.
    made_keys: tuple[str, str] | None


@contextlib.contextmanager
def open_server(settings: Settings) -> Iterator[Started]:
    """Open everything that a server consists of; when this is left, everything acknowledged is on disk.

    Raises:
        StoreError: the store cannot be opened; `StoreLocked` if another process has it.
        ValueError: the settings name an impossible project.
    """
    pricing.warm_up()
    with open_store(settings) as engine:
        catalog = Catalog(engine)
        made_keys = ensure_project(
            catalog,
            settings.init_project,
            settings.init_public_key,
            settings.init_secret_key.get_secret_value(),
        )
        session_secret, link_secret = _secret(catalog, SESSION_SECRET), _secret(catalog, LINK_SECRET)
        limits = Limits(
            body_bytes=settings.max_body_bytes,
            value_bytes=settings.max_value_bytes,
            spans=settings.max_spans_per_request,
            pending_bytes=settings.max_buffer_bytes,
        )
        auth = Authenticator(catalog, Members(catalog), home=settings.init_project, anonymous=settings.allow_anonymous)
        writer = Writer(engine.insert, linger=settings.linger, max_bytes=settings.max_buffer_bytes)
        reader = Reader(engine)
        own_prices = Prices(catalog)
        costs = Costs(engine)
        repricing = Repricing(costs, own_prices.overrides)
        places = Places(Entities(engine))
        news = News()
        redactions = Redactions(catalog, _secret(catalog, REDACTION_SECRET))
        taking = Ingest(
            writer, reader.span_times, places, costs, own_prices.overrides, limits, news.announce, redactions.of
        )
        objects = Objects(settings.objects, settings.data, max_bytes=settings.max_object_bytes, fsync=settings.fsync)
        deletes = Deletes(engine, objects.deletion, places.doubt)
        retention = Retention(catalog, Expiry(engine), deletes.traces)
        services = Services(
            settings,
            auth,
            taking,
            reader,
            own_prices,
            repricing,
            objects,
            Links(link_secret),
            Attachments(engine),
            deletes,
            news,
            Views(engine),
            retention,
            redactions,
            OpenID(settings),
        )
        with contextlib.closing(writer), contextlib.closing(taking), contextlib.closing(retention):
            retention.start()
            try:
                yield Started(services, session_secret, made_keys)
            finally:
                auth.keep_uses()


def _secret(catalog: Catalog, name: str) -> str:
    """Return a secret of the server's own, made at its first start."""
    secret = catalog.value(name)
    if secret is None:
        secret = secrets.token_hex(32)
        catalog.set_value(name, secret)
    return secret


def create_app(started: Started) -> FastAPI:
    """Return the ASGI application of an open server."""
    app = FastAPI(
        title="Genscope",
        version=__version__,
        openapi_url="/api/v1/openapi.json",
        docs_url=None,
        redoc_url=None,
        lifespan=_lifespan,
    )
    app.state.services = started.services
    app.add_middleware(LeadingSlashes)
    app.add_middleware(
        SecureSessions,
        secret_key=started.session_secret,
        session_cookie=f"genscope_{started.services.settings.port}",
        max_age=SESSION_SECONDS,
    )
    errors.install(app, web.error_page)
    app.router.routes.extend(ingest.routes)
    for part in (
        access,
        resend,
        native,
        export,
        failures,
        users,
        fields,
        scores,
        sessions,
        rejected,
        coverage,
        deletes,
        metrics,
        pieces,
        policies,
        prices,
        reprice,
        sql,
        views,
        whatif,
    ):
        app.include_router(part.router)
    app.include_router(langfuse.router)
    app.include_router(langfuse_ingestion.router)
    app.include_router(lemma.router)
    app.include_router(maxim.router)
    app.include_router(media.router)
    app.include_router(storage.router)
    app.include_router(status.router)
    app.include_router(web.router)
    app.mount("/static", web.Assets(), name="static")
    app.openapi = lambda: openapi.complete(FastAPI.openapi(app), ingest.PATHS)  # type: ignore[method-assign]
    return app


@contextlib.asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    served: Services = app.state.services
    receiver = await _start_grpc(served) if served.settings.grpc_port else None
    refreshing = asyncio.create_task(_refresh(served))
    yield
    refreshing.cancel()
    if receiver is not None:
        await receiver.stop(grace=3)


async def _refresh(served: Services) -> None:
    """Learn of prices that another server of the same store changed, and store when keys were used last."""
    while True:
        await asyncio.sleep(REFRESH_SECONDS)
        with contextlib.suppress(StoreError):
            await asyncio.to_thread(served.prices.refresh)
        await asyncio.to_thread(served.auth.keep_uses)


async def _start_grpc(served: Services) -> grpc.Server:
    async def export(metadata: Mapping[str, str], body: bytes) -> bytes:
        # A page in a browser cannot speak gRPC in plain text, so what it claims as its host matters nothing here.
        project = served.auth.project(metadata, host=served.settings.host)
        with served.ingest.room() as take:
            take(len(body))
            rejected = await served.ingest.take_otlp(project.id, body, None, otlp.Format.PROTOBUF)
        return otlp.encode_response(otlp.Format.PROTOBUF, rejected)

    settings = served.settings
    return await grpc.start(export, settings.host, settings.grpc_port, max_message_bytes=settings.max_body_bytes)
