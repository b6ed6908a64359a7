"""Files and links as a page shows them: images and sound in place, all else as a link."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from genscope.model import Attachment, Entity
from genscope.web.format import one_line, size

#: Tells where an attachment is, None if nowhere; `genscope.links` knows.
Address: TypeAlias = Callable[[Attachment], str | None]

#: What stands in an input or output where Langfuse's SDKs took a file out, and uploaded it by itself.
REFERENCE: Final = re.compile(r"@@@langfuseMedia:type=([^|@\s]{1,100})\|id=([\w-]{1,100})\|source=\w{1,40}@@@")
#: References that are drawn of one text.
MAX_REFERENCES: Final = 50
#: How a browser may show what.
PLAYERS: Final = (
    (re.compile(r"image/(png|jpe?g|gif|webp|avif|bmp)"), "image"),
    (re.compile(r"audio/.*"), "audio"),
    (re.compile(r"video/.*"), "video"),
)
#: Where a link of a sender's may lead.
SCHEMES: Final = ("http://", "https://")


@dataclass(frozen=True, slots=True)
class Medium:
    """A file or a link. `told` says of what type, how large and where it is; `href` is empty if it leads nowhere."""

    kind: Literal["image", "audio", "video", "file"]
    name: str
    told: str
    href: str
    key: str | None = None


def nowhere(attachment: Attachment) -> None:
    """Tell of no attachment where it is, for those who do not show them."""


def medium(attachment: Attachment, address: Address) -> Medium:
    """Return an attachment for showing. What is on another server is never loaded, only linked."""
    href = address(attachment) or ""
    if attachment.key is None and not href.lower().startswith(SCHEMES):
        href = ""
    mime = attachment.mime_type or ""
    kind = next((kind for pattern, kind in PLAYERS if attachment.key and pattern.fullmatch(mime.lower())), "file")
    told = (attachment.place, mime, None if attachment.size is None else size(attachment.size))
    return Medium(
        kind,  # type: ignore[arg-type]  # of the literals above
        one_line(attachment.name or attachment.url or kind, 200),
        " · ".join(one_line(one, 100) for one in told if one),
        href,
        attachment.key,
    )


def split(text: str, address: Address) -> Iterator[str | Medium]:
    """Yield a text with its references in their places as what they refer to."""
    position = 0
    for count, found in enumerate(REFERENCE.finditer(text)):
        if count == MAX_REFERENCES:
            break
        yield text[position : found.start()]
        mime, key = found.groups()
        yield medium(Attachment(key, Entity("span", ""), 0, key=key, mime_type=mime), address)
        position = found.end()
    yield text[position:]
