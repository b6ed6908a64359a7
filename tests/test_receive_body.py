from __future__ import annotations

import asyncio
import gzip
import sys
import tracemalloc
import zlib
from collections.abc import AsyncIterator, Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genscope.receive.body import MAX_MEMBERS, decode_body, read_body
from genscope.receive.errors import BadRequest, TooLarge, UnsupportedMediaType

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

LIMIT = 1 << 20
TEXT = b"the quick brown fox " * 500


def raw_deflate(data: bytes) -> bytes:
    compressor = zlib.compressobj(wbits=-15)
    return compressor.compress(data) + compressor.flush()


ENCODERS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "x-gzip": gzip.compress,
    "deflate": zlib.compress,
    "Deflate": raw_deflate,
    "zstd": zstd.compress,
    "identity": bytes,
}


@given(data=st.binary(max_size=5000), coding=st.sampled_from(sorted(ENCODERS)))
def test_each_coding_is_undone(data: bytes, coding: str) -> None:
    assert decode_body(ENCODERS[coding](data), coding, LIMIT) == data


@pytest.mark.parametrize("coding", [None, "", "identity", " Identity , "])
def test_no_coding(coding: str | None) -> None:
    assert decode_body(TEXT, coding, LIMIT) == TEXT


def test_codings_are_undone_in_reverse_order_and_any_case() -> None:
    assert decode_body(gzip.compress(zstd.compress(TEXT)), "ZSTD, GZip", LIMIT) == TEXT


def test_members_are_joined() -> None:
    assert decode_body(gzip.compress(b"one ") + gzip.compress(b"") + gzip.compress(b"two"), "gzip", LIMIT) == b"one two"
    assert decode_body(zstd.compress(b"one ") + zstd.compress(b"two"), "zstd", LIMIT) == b"one two"


@pytest.mark.parametrize("coding", ["gzip", "deflate", "zstd"])
@pytest.mark.parametrize("kept", [1, 5, 12, -9, -1])
def test_truncated_body_is_a_bad_request(coding: str, kept: int) -> None:
    with pytest.raises(BadRequest, match=r"truncated|not valid"):
        decode_body(ENCODERS[coding](TEXT)[:kept], coding, LIMIT)


@pytest.mark.parametrize("coding", ["gzip", "deflate", "zstd"])
def test_corrupt_body_is_a_bad_request(coding: str) -> None:
    body = bytearray(ENCODERS[coding](TEXT))
    body[-2] ^= 0xFF
    for wrong in (bytes(body), b"\xff\xff not compressed", ENCODERS[coding](TEXT) + b"garbage"):
        with pytest.raises(BadRequest):
            decode_body(wrong, coding, LIMIT)


def test_unknown_or_too_many_codings() -> None:
    with pytest.raises(UnsupportedMediaType, match="'br'; use one of gzip, deflate, zstd"):
        decode_body(b"", "br", LIMIT)
    with pytest.raises(UnsupportedMediaType):
        decode_body(b"", "gzip,gzip,gzip,gzip", LIMIT)


@pytest.mark.parametrize("coding", sorted(ENCODERS))
def test_the_limit_is_exact(coding: str) -> None:
    body = ENCODERS[coding](TEXT)
    assert decode_body(body, coding, len(TEXT)) == TEXT
    with pytest.raises(TooLarge, match=f"over {len(TEXT) - 1} bytes"):
        decode_body(body, coding, len(TEXT) - 1)


def test_millions_of_empty_members_are_refused() -> None:
    with pytest.raises(BadRequest, match="members"):
        decode_body(gzip.compress(b"") * (MAX_MEMBERS + 1), "gzip", LIMIT)


def gzip_bomb() -> bytes:
    """One gzip member of 10 GiB: after a full flush the same block may be repeated."""
    compressor = zlib.compressobj(9, wbits=31)
    head = compressor.compress(b"") + compressor.flush(zlib.Z_FULL_FLUSH)
    block = compressor.compress(bytes(1 << 20)) + compressor.flush(zlib.Z_FULL_FLUSH)
    return head + block * (10 << 10)


def zstd_bomb(window: int = 7) -> bytes:
    """One zstd frame (RFC 8878, 3.1.1) of 10 GiB in run-length blocks of 128 KiB; window 2 ** (10 + window) bytes."""
    run = (0b010 | (1 << 17) << 3).to_bytes(3, "little") + b"\0"
    return bytes.fromhex("28b52ffd00") + bytes([window << 3]) + run * (10 << 13)


@pytest.mark.parametrize(("coding", "bomb"), [("gzip", gzip_bomb()), ("zstd", zstd_bomb())])
def test_a_bomb_of_10_gib_is_refused_with_flat_memory(coding: str, bomb: bytes) -> None:
    limit = 16 << 20
    assert len(bomb) < limit
    tracemalloc.start()
    try:
        with pytest.raises(TooLarge):
            decode_body(bomb, coding, limit)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 3 * limit


def test_bombs_within_bombs() -> None:
    with pytest.raises(TooLarge):
        decode_body(gzip.compress(gzip.compress(bytes(LIMIT + 1))), "gzip, gzip", LIMIT)


def test_zstd_window_is_bounded() -> None:
    with pytest.raises(BadRequest, match="zstd"):
        decode_body(zstd_bomb(window=20), "zstd", LIMIT)


async def chunks(*pieces: bytes) -> AsyncIterator[bytes]:
    for piece in pieces:
        yield piece


def test_read_body_joins_chunks() -> None:
    assert asyncio.run(read_body(chunks(b"ab", b"", b"cd"), 4)) == b"abcd"


def test_read_body_stops_at_the_limit() -> None:
    taken = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal taken
        while True:
            taken += 1
            yield bytes(1000)

    with pytest.raises(TooLarge):
        asyncio.run(read_body(endless(), 10_000))
    assert taken == 11
