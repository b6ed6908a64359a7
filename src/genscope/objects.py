"""The bytes of attachments: a directory on this machine, or a bucket that speaks S3; `obstore` is behind both.

An object is named after the hash of its key, within its project. So no key that a sender makes up can reach outside of its project,
be too long for a file's name, meet another one that differs by case, or be file and directory at once.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import os
import threading
from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Final

import anyio
from obstore.exceptions import BaseError
from obstore.store import LocalStore, ObjectStore, S3Store

from genscope.receive.errors import BadRequest, Overloaded, TooLarge

#: What of a body is held in memory while it arrives; more goes to a nameless file.
IN_MEMORY: Final = 1 << 20
#: Parts of 5 MiB, the least that a bucket takes, that one upload may have in memory on their way.
PARTS: Final = 2
#: Bytes that a reader is given at a time.
CHUNK: Final = 1 << 18
#: How long a bucket that does not answer is asked again: senders wait 30 s.
PATIENCE: Final = timedelta(seconds=15)


@dataclass(frozen=True, slots=True)
class Found:
    """An object that is there: its size in bytes, and when it was stored, in nanoseconds since the epoch."""

    size: int
    time: int


class Objects:
    """Objects by project and key. What was put is on disk, or in the bucket, before `put` returns."""

    def __init__(self, url: str, data: Path, *, max_bytes: int, fsync: bool) -> None:
        """Open the store.

        Args:
            url: `s3://bucket/prefix`; empty for a directory inside `data`.
            data: where bodies gather until they are whole.
            max_bytes: bound of one object.
            fsync: whether files and their directories are synced to disk.

        Raises:
            OSError: the directory cannot be made.
            obstore.exceptions.BaseError: the environment says nonsense about the bucket.
        """
        data.mkdir(parents=True, exist_ok=True)
        self.max_bytes = max_bytes
        self._data = data
        self._fsync = fsync
        self._directory = None if url else data / "objects"
        #: For each deletion under way the names of the objects that somebody needs since it began.
        self._wanted: list[set[str]] = []
        self._deleting = threading.Lock()
        self._store: ObjectStore = (
            LocalStore(self._directory, mkdir=True)
            if self._directory
            else S3Store.from_url(
                url, client_options={"allow_http": True}, retry_config={"max_retries": 3, "retry_timeout": PATIENCE}
            )
        )
        if self._directory:
            # What was being written when the process was killed; nobody else writes here.
            for half in self._directory.glob("*/*/*#*"):
                half.unlink()

    async def put(self, project_id: str, key: str, body: AsyncIterable[bytes], *, sha256: bytes | None = None) -> None:
        """Store an object under a key, or another one in its place.

        Nothing of it is stored before the whole body has come and is what it should be.

        Raises:
            TooLarge: the body has more than `max_bytes`.
            BadRequest: the body has another hash than `sha256`.
            Overloaded: it could not be stored now.
        """
        name = _name(project_id, key)
        hashed = hashlib.sha256()
        size = 0
        try:
            async with anyio.SpooledTemporaryFile(IN_MEMORY, dir=str(self._data)) as whole:
                async for piece in body:
                    size += len(piece)
                    if size > self.max_bytes:
                        raise TooLarge(f"the file is over {self.max_bytes} bytes, which is the limit of this server")
                    hashed.update(piece)
                    await whole.write(piece)
                if sha256 is not None and hashed.digest() != sha256:
                    raise BadRequest("the bytes do not have the SHA-256 that was announced: send the file again")
                await whole.seek(0)
                await self.keep(project_id, key)
                await self._store.put_async(name, whole.wrapped, max_concurrency=PARTS)
            if self._directory and self._fsync:
                await asyncio.to_thread(_sync, self._directory, name)
        except (BaseError, OSError) as error:
            raise _unavailable(error) from error

    async def find(self, project_id: str, key: str) -> Found | None:
        """Return what is known of an object; None if there is none under this key.

        Raises:
            Overloaded: the store does not answer.
        """
        try:
            meta = await self._store.head_async(_name(project_id, key))
        except FileNotFoundError:
            return None
        except (BaseError, OSError) as error:
            raise _unavailable(error) from error
        return Found(meta["size"], int(meta["last_modified"].timestamp() * 1e9))

    async def read(self, project_id: str, key: str, begin: int, end: int) -> AsyncIterator[bytes]:
        """Return the bytes from `begin` up to `end` of an object that is there.

        Raises:
            Overloaded: the store does not answer.
        """
        name = _name(project_id, key)
        if begin == end:
            return _nothing()
        try:
            got = await self._store.get_async(name, options={"range": (begin, end)})
        except (BaseError, OSError) as error:
            raise _unavailable(error) from error
        return _bytes(got.stream(min_chunk_size=CHUNK))

    async def keep(self, project_id: str, key: str) -> None:
        """Keep an object, if it is there when this returns, from deletions that have begun before.

        Those that begin later have to see by themselves that it is needed.
        """
        await asyncio.to_thread(self._keep, _name(project_id, key))

    @contextlib.contextmanager
    def deletion(self, project_id: str) -> Iterator[Callable[[Sequence[str]], None]]:
        """Begin to delete: find out within it which keys nothing needs any more, and hand them to what it gives. Blocks.

        What is put or to be kept meanwhile is left. Objects that are not there are no error.

        Raises:
            Overloaded: the store does not answer.
        """
        wanted: set[str] = set()
        with self._deleting:
            self._wanted.append(wanted)
        try:
            yield lambda keys: self._delete([_name(project_id, key) for key in keys], wanted)
        finally:
            with self._deleting:
                self._wanted = [other for other in self._wanted if other is not wanted]

    def _delete(self, names: Sequence[str], wanted: set[str]) -> None:
        for name in names:
            with self._deleting:
                if name in wanted:
                    continue
                try:
                    self._store.delete(name)
                except FileNotFoundError:
                    continue
                except (BaseError, OSError) as error:
                    raise _unavailable(error) from error

    def _keep(self, name: str) -> None:
        with self._deleting:
            for wanted in self._wanted:
                wanted.add(name)


async def _nothing() -> AsyncIterator[bytes]:
    return
    yield b""


async def _bytes(chunks: AsyncIterable[bytes]) -> AsyncIterator[bytes]:
    async for chunk in chunks:
        yield bytes(chunk)


def _name(project_id: str, key: str) -> str:
    digest = hashlib.sha256(key.encode()).hexdigest()
    return f"{project_id}/{digest[:2]}/{digest}"


def _sync(root: Path, name: str) -> None:
    """Sync a file that was renamed to its place, and the directories that lead to it."""
    path = root / name
    for one in (path, *path.parents):
        descriptor = os.open(one, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        if one == root.parent:
            return


def _unavailable(error: Exception) -> Overloaded:
    reason = str(error).partition("\n")[0]
    return Overloaded(f"files cannot be stored or read at the moment: {reason}")
