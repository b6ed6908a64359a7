"""Why a whole request is refused, in terms every protocol can translate.

The `status` is the HTTP status; gRPC maps it to its own codes (see `receive.grpc`). The message goes to the sender, so
it says what was wrong and what to do about it.
"""

from __future__ import annotations

from typing import ClassVar


class RequestError(Exception):
    """A request that is refused as a whole. Never raised for one bad span: see `genscope.model.Rejected`.

    `retry_after` is the number of seconds after which the same request may succeed, None if it never will.
    """

    status: ClassVar[int] = 500

    def __init__(self, message: str, retry_after: int | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.retry_after = retry_after


class BadRequest(RequestError):
    """The body is truncated, corrupt or not of the format it is said to be."""

    status = 400


class Unauthorized(RequestError):
    """No valid key."""

    status = 401


class Forbidden(RequestError):
    """A valid key, but not for what was asked."""

    status = 403


class TooLarge(RequestError):
    """More bytes or spans than one request may carry."""

    status = 413


class UnsupportedMediaType(RequestError):
    """A Content-Type or Content-Encoding this server does not read."""

    status = 415


class Overloaded(RequestError):
    """No room at the moment; the same request will succeed later."""

    status = 503

    def __init__(self, message: str, retry_after: int = 1) -> None:
        super().__init__(message, retry_after)
