"""A small JSON body of a request to the API."""

from __future__ import annotations

from typing import Final, TypeVar

import msgspec
from starlette.requests import ClientDisconnect, Request

from genscope.receive.body import read_body
from genscope.receive.errors import BadRequest, UnsupportedMediaType

#: Bytes of a body that changes settings; a real one has a few hundred.
MOST_BYTES: Final = 64 * 1024

Body = TypeVar("Body")


async def json_body(request: Request, type_: type[Body], what: str) -> Body:
    """Return the body of a request as a type; `what` it is called where it is none.

    Raises:
        BadRequest: it is not JSON of this type.
        UnsupportedMediaType: it is said to be something else.
        TooLarge: it is more than `MOST_BYTES`.
    """
    content_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if content_type != "application/json":
        raise UnsupportedMediaType(f"Content-Type {content_type!r} is not read here: send application/json")
    try:
        return msgspec.json.decode(await read_body(request.stream(), MOST_BYTES), type=type_)
    except ClientDisconnect:
        raise BadRequest("the connection ended before the body did") from None
    except (ValueError, UnicodeError) as error:
        raise BadRequest(f"this is no {what}: {error}") from None
