"""A project's own prices, `/api/v1/prices`."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Any, Final

import msgspec
from fastapi import APIRouter, Depends, Request, Response
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from genscope.api.native import Authorised
from genscope.api.openapi import accepted, documented
from genscope.api.shapes import Listing, iso, plain, respond
from genscope.pricing.override import Override, checked
from genscope.receive.body import read_body
from genscope.receive.errors import BadRequest, UnsupportedMediaType
from genscope.services import services
from genscope.store.catalog import Price

router = APIRouter(prefix="/api/v1/prices", tags=["prices"])

#: Bytes of a price; a real one has a few hundred.
MOST_BYTES: Final = 64 * 1024


class PriceBody(msgspec.Struct, forbid_unknown_fields=True):
    """A price to set. Amounts are US dollars, as text or as numbers."""

    #: Pattern over the model's whole name: `*` is any text, `?` any letter.
    model: str
    #: Per million tokens by kind of usage (`input`, `output`, `input_cache_read`, ...).
    prices: dict[str, Decimal] = {}
    #: OpenTelemetry's name of the provider, such as `azure.ai.openai`; null: any.
    provider: str | None = None
    #: ISO 8601 time from which it holds, UTC if it names no zone; null: always.
    start: str | None = None
    #: Per call.
    request: Decimal | None = None


class PriceShape(msgspec.Struct):
    """A price that the project set. Amounts are US dollars: per million tokens by kind of usage, and per call."""

    id: str
    model: str
    provider: str | None
    start: str | None
    prices: dict[str, str]
    request: str | None


def price_shape(price: Price) -> PriceShape:
    """Return a price as the API shows it."""
    return PriceShape(
        price.id,
        price.model,
        price.provider,
        iso(price.start),
        {kind: plain(amount) for kind, amount in price.prices.items()},
        None if price.request is None else plain(price.request),
    )


async def _override(request: Request) -> Override:
    content_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if content_type != "application/json":
        raise UnsupportedMediaType(f"Content-Type {content_type!r} is not read here: send application/json")
    try:
        content = await read_body(request.stream(), MOST_BYTES)
        body = msgspec.json.decode(content, type=PriceBody)
        start = None if body.start is None else moment(body.start)
        return checked(body.model, body.prices, body.provider, start, body.request)
    except ClientDisconnect:
        raise BadRequest("the connection ended before the body did") from None
    except (ValueError, UnicodeError) as error:
        raise BadRequest(f"this is no price: {error}") from None


def moment(text: str) -> int:
    """Return nanoseconds since the epoch for an ISO 8601 time, UTC if it names no zone; ValueError if it is none."""
    try:
        read = datetime.fromisoformat(text)
        read = read if read.tzinfo else read.replace(tzinfo=UTC)
        return int(read.astimezone(UTC).replace(microsecond=0).timestamp()) * 10**9 + read.microsecond * 1000
    except (ValueError, OverflowError):
        raise ValueError(
            f"start: {text[:80]!r} is no ISO 8601 time such as 2026-01-31 or 2026-01-31T12:00:00Z"
        ) from None


Wanted = Annotated[Override, Depends(_override)]
_BODY: Final[dict[str, Any]] = accepted(PriceBody)


@router.get("", responses=documented(Listing[PriceShape]))
def list_prices(request: Request, project: Authorised) -> Response:
    """List the prices that the project set itself."""
    return respond(Listing([price_shape(price) for price in services(request).prices.of(project.id)]))


@router.post("", responses=documented(PriceShape), openapi_extra=_BODY)
async def set_price(request: Request, project: Authorised, wanted: Wanted) -> Response:
    """Set a price for the models that a pattern meets, from a time on; it wins over the price list.

    A price for the same model, provider and start takes the place of the one before. Calls that are stored already keep
    their cost until they are priced again: `POST /api/v1/reprice`.
    """
    try:
        price = await run_in_threadpool(services(request).prices.set, project.id, wanted)
    except ValueError as error:
        raise BadRequest(str(error)) from None
    return respond(price_shape(price))


@router.delete("/{price_id}", responses=documented(PriceShape))
def remove_price(request: Request, project: Authorised, price_id: str) -> Response:
    """Remove a price, and return what it was."""
    price = services(request).prices.remove(project.id, price_id)
    if price is None:
        raise HTTPException(404, f"no price {price_id!r} in project {project.id!r}; GET /api/v1/prices lists them")
    return respond(price_shape(price))
