"""URLs that open one object to whoever has them, for a while: signed with the server's own secret.

A browser's `<img>` and the upload of an SDK send no key; what they may do stands in the URL.
"""

from __future__ import annotations

from dataclasses import astuple, dataclass
from typing import Final

from itsdangerous import BadData, SignatureExpired, URLSafeTimedSerializer

from genscope.model import Attachment
from genscope.receive.errors import Forbidden

#: Where objects are put and got, below the server's root: Go's SDK drops the path of its base URL.
PREFIX: Final = "/storage/"
#: Seconds that a URL opens its object.
LIFETIME: Final = 3600


@dataclass(frozen=True, slots=True)
class Upload:
    """Leave to put one object. `sha256` is the hash, in hex, that its bytes must have; None for any."""

    project_id: str
    key: str
    sha256: str | None = None


@dataclass(frozen=True, slots=True)
class Download:
    """Leave to get one object, under the media type and the name that its sender gave it."""

    project_id: str
    key: str
    mime_type: str | None = None
    name: str | None = None


class Links:
    """Makes and checks signed paths."""

    def __init__(self, secret: str) -> None:
        # The salt keeps the one kind of URL from being taken for the other, and for a session.
        self._signers = {
            kind: URLSafeTimedSerializer(secret, salt=f"object {kind.__name__}") for kind in (Upload, Download)
        }

    def path(self, leave: Upload | Download) -> str:
        """Return the path, from the server's root, that grants this from now on for `LIFETIME`."""
        return f"{PREFIX}{self._signers[type(leave)].dumps(astuple(leave))}"

    def address(self, project_id: str, attachment: Attachment, base: str = "") -> str | None:
        """Return where an attachment is: a file below `base`, the server's root, for a while; a link wherever it leads."""
        if attachment.key is None:
            return attachment.url
        return base + self.path(Download(project_id, attachment.key, attachment.mime_type, attachment.name))

    def upload(self, token: str) -> Upload:
        """Return what the end of an upload's path grants.

        Raises:
            Forbidden: it is not one of this server's, or too old.
        """
        return Upload(*self._read(Upload, token))

    def download(self, token: str) -> Download:
        """Return what the end of a download's path grants.

        Raises:
            Forbidden: it is not one of this server's, or too old.
        """
        return Download(*self._read(Download, token))

    def _read(self, kind: type[Upload | Download], token: str) -> list[str]:
        try:
            granted: list[str] = self._signers[kind].loads(token, max_age=LIFETIME)
        except SignatureExpired:
            raise Forbidden("this URL has expired: ask for a new one") from None
        except BadData:
            raise Forbidden("this URL was not signed by this server for this: ask for a new one") from None
        return granted
