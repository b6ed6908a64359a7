"""Reading a request body: its length and its Content-Encoding, with a hard limit on what either may produce.

Codings after RFC 9110, section 8.4.1, and RFC 8878 (zstd). Memory stays within a small multiple of the limit,
whatever the body claims about itself.
"""

from __future__ import annotations

import sys
import zlib
from collections.abc import AsyncIterable, Callable, Mapping
from typing import Final, Protocol

from genscope.receive.errors import BadRequest, TooLarge, UnsupportedMediaType

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

#: More codings on one body than anyone has reason to apply.
MAX_CODINGS: Final = 3
#: Members (gzip) or frames (zstd) of one body. Each costs a new decompressor: millions of empty ones would be slow.
MAX_MEMBERS: Final = 10_000
#: RFC 9659 fixes 8 MiB as the largest window a recipient of `Content-Encoding: zstd` has to provide.
ZSTD_WINDOW_LOG: Final = 23
#: Compressed bytes handed over at a time, which bounds what a decompressor copies into `unused_data`.
STEP: Final = 1 << 16


class _Decompressor(Protocol):
    @property
    def eof(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    def decompress(self, data: bytes, max_length: int, /) -> bytes: ...


def _expand(new: Callable[[], _Decompressor], body: bytes, limit: int) -> bytes:
    """Join the members of `body`. Raises TooLarge after at most `limit + 1` bytes, BadRequest for one cut off."""
    pieces: list[bytes] = []
    room = limit + 1
    position = members = 0
    while position < len(body):
        members += 1
        if members > MAX_MEMBERS:
            raise BadRequest(f"The compressed body has more than {MAX_MEMBERS} members; send it as one.")
        decompressor = new()
        while not decompressor.eof:
            step = body[position : position + STEP]
            if not step:
                raise BadRequest("The compressed body is truncated; send it again in full.")
            # Less than `room` bytes back means that the whole step was used, so nothing is left to drain.
            piece = decompressor.decompress(step, room)
            position += len(step) - len(decompressor.unused_data)
            pieces.append(piece)
            room -= len(piece)
            if room <= 0:
                raise TooLarge(f"The decompressed body is over {limit} bytes; send smaller batches.")
    return b"".join(pieces)


def _gzip(body: bytes, limit: int) -> bytes:
    return _expand(lambda: zlib.decompressobj(16 + zlib.MAX_WBITS), body, limit)


def _deflate(body: bytes, limit: int) -> bytes:
    # "deflate" means zlib-wrapped, but enough senders omit the wrapper (RFC 9110, 8.4.1.2) to accept both.
    try:
        return _expand(lambda: zlib.decompressobj(zlib.MAX_WBITS), body, limit)
    except zlib.error:
        return _expand(lambda: zlib.decompressobj(-zlib.MAX_WBITS), body, limit)


def _zstd(body: bytes, limit: int) -> bytes:
    options: dict[int, int] = {zstd.DecompressionParameter.window_log_max: ZSTD_WINDOW_LOG}
    return _expand(lambda: zstd.ZstdDecompressor(options=options), body, limit)


_CODINGS: Final[Mapping[str, Callable[[bytes, int], bytes]]] = {
    "gzip": _gzip,
    "x-gzip": _gzip,
    "deflate": _deflate,
    "zstd": _zstd,
}


def decode_body(body: bytes, content_encoding: str | None, limit: int) -> bytes:
    """Undo a Content-Encoding. `limit` is in bytes and holds for `body` itself and for the result of every coding.

    Raises UnsupportedMediaType (unknown coding), TooLarge (over the limit) or BadRequest (truncated or corrupt).
    """
    codings = [coding for part in (content_encoding or "").lower().split(",") if (coding := part.strip())]
    codings = [coding for coding in codings if coding != "identity"]
    if len(codings) > MAX_CODINGS:
        raise UnsupportedMediaType(f"More than {MAX_CODINGS} content codings; compress the body once.")
    if len(body) > limit:
        raise TooLarge(f"The body is over {limit} bytes; send smaller batches.")
    for coding in reversed(codings):
        decode = _CODINGS.get(coding)
        if decode is None:
            raise UnsupportedMediaType(
                f"Unknown Content-Encoding {coding[:40]!r}; use one of gzip, deflate, zstd or identity."
            )
        try:
            body = decode(body, limit)
        except (zlib.error, zstd.ZstdError) as error:
            raise BadRequest(f"The body is not valid {coding} ({error}); send it again.") from error
    return body


async def read_body(stream: AsyncIterable[bytes], limit: int, take: Callable[[int], None] | None = None) -> bytes:
    """Read a request body, chunked or not. Raises TooLarge as soon as more than `limit` bytes have come.

    `take` is told of every piece as it comes, and may refuse it by raising.
    """
    pieces: list[bytes] = []
    size = 0
    async for piece in stream:
        size += len(piece)
        if size > limit:
            raise TooLarge(f"The body is over {limit} bytes; send smaller batches.")
        if take is not None:
            take(len(piece))
        pieces.append(piece)
    return b"".join(pieces)
