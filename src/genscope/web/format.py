"""How values read: times, durations, money, counts and untrusted text, each as one short string."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from time import time_ns
from typing import Final

from markupsafe import Markup, escape

#: What stands where nothing is known.
UNKNOWN: Final = "—"

MINUTE, HOUR, DAY = 60, 3600, 86400
EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)

#: Why a generation has no cost, by `Span.cost_missing`.
COST_MISSING: Final = {
    "no_usage": "No cost: the sender told neither input nor output tokens.",
    "no_model": "No cost: the sender named no model.",
    "unknown_model": "No cost: no price is known for this model.",
    "unknown_price": "No cost: the model's price in this tier of service, or for a kind of usage of this call, is not known.",
}

#: Control characters become their Unicode pictures, so that an escape sequence is seen and does nothing. Line feed, tab
#: and carriage return keep their meaning.
_PICTURES: Final = {code: 0x2400 + code for code in range(32) if code not in (0x09, 0x0A, 0x0D)} | {0x7F: 0x2421}
_PICTURES.update({code: 0xFFFD for code in range(0x80, 0xA0) if code != 0x85})
#: Bidirectional embeddings, overrides and isolates can make text read as what it is not (CVE-2021-42574).
_DIRECTIONS: Final = {code: f"[U+{code:04X}]" for code in (*range(0x202A, 0x202F), *range(0x2066, 0x206A))}
#: A lone surrogate cannot be encoded as UTF-8, and would break the whole response.
_SURROGATE: Final = re.compile("[\ud800-\udfff]")
_INERT: Final[dict[int, int | str]] = {**_PICTURES, **_DIRECTIONS}
_SPACE: Final = re.compile(r"\s+")
#: A run without a place to break a line: base64, or an attack. Laying out 200,000 of these takes Chromium 30 s.
_RUN: Final = re.compile(r"\S{1000,}")
_JOINT: Final = re.compile(r"(?<=[._])(?=[^._])")
_PIECE: Final = re.compile(r"\S{1,200}")


def inert(text: object) -> str:
    """Return text in which control characters and changes of direction are visible instead of effective."""
    return _SURROGATE.sub("\ufffd", str(text)).translate(_INERT)


def one_line(text: object, length: int = 200) -> str:
    """Return the start of a text as one inert line of at most `length` characters, an ellipsis where it was cut."""
    # A little more than is shown: enough to notice the cut, never a walk through megabytes.
    line = _SPACE.sub(" ", inert(str(text)[: 4 * length])).strip()
    return line if len(line) <= length else line[: length - 1].rstrip() + "…"


def prose(text: object) -> Markup:
    """Return text as inert HTML in which endless words can be broken; `<wbr>` is not copied with the text."""
    text = inert(text)
    html, done = [], 0
    for run in _RUN.finditer(text):
        html.append(escape(text[done : run.start()]))
        html.extend(escape(piece) + Markup("<wbr>") for piece in _PIECE.findall(run[0]))
        done = run.end()
    return Markup("").join([*html, escape(text[done:])])


def dotted(name: str) -> Markup:
    """Return an attribute's name as HTML that breaks at its dots and underscores rather than within words."""
    return Markup("<wbr>").join(escape(part) for part in _JOINT.split(name))


def sentence(text: str) -> str:
    """Return a message of a program as a sentence: with a capital and a full stop."""
    text = text[:1].upper() + text[1:]
    return text if text.endswith((".", "!", "?")) else f"{text}."


def duration(nanoseconds: int | None) -> str:
    """Return a length of time with three significant digits at most, such as `812 ms`, `1.24 s` or `2 m 05 s`."""
    if nanoseconds is None:
        return UNKNOWN
    if nanoseconds < 0:
        return f"-{duration(-nanoseconds)}"
    if nanoseconds == 0:
        return "0 ms"
    microseconds = nanoseconds / 1e3
    if microseconds < 999.5:
        return f"{microseconds:.3g} µs"
    if microseconds < 999_500:
        return f"{microseconds / 1e3:.3g} ms"
    seconds = nanoseconds / 1e9
    if seconds < MINUTE:
        return f"{seconds:.1f} s" if seconds >= 10 else f"{seconds:.2f} s"
    whole = round(seconds)
    if whole < HOUR:
        return f"{whole // MINUTE} m {whole % MINUTE:02d} s"
    if whole < DAY:
        return f"{whole // HOUR} h {whole % HOUR // MINUTE:02d} m"
    return f"{whole // DAY} d {whole % DAY // HOUR} h"


def count(number: int | None) -> str:
    """Return a whole number with thousands separators."""
    return UNKNOWN if number is None else f"{number:,}"


def short_count(number: int | None) -> str:
    """Return a whole number in at most five characters, such as `1,050`, `12.4k` or `3.1M`."""
    if number is None:
        return UNKNOWN
    for size, unit in ((1_000_000_000, "G"), (1_000_000, "M"), (1_000, "k")):
        if number >= size and number >= 10_000:
            value = number / size
            return f"{value:.0f}{unit}" if value >= 99.95 else f"{value:.1f}{unit}"
    return f"{number:,}"


def exact(number: Decimal) -> str:
    """Return a decimal in full, without an exponent and without trailing zeros."""
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def money(dollars: Decimal | None) -> str:
    """Return an amount as it is read in a table: cents from a dollar on, else three significant digits."""
    if dollars is None:
        return UNKNOWN
    if not dollars.is_finite():
        return str(dollars)
    if dollars < 0:
        return f"-{money(-dollars)}"
    if dollars == 0:
        return "$0"
    if dollars >= 1:
        return f"${dollars:,.2f}"
    places = min(max(2 - dollars.adjusted(), 2), 12)
    text = f"{dollars:.{places}f}"
    head, _, tail = text.partition(".")
    return f"${head}.{tail.rstrip('0').ljust(2, '0')}"


def exact_money(dollars: Decimal | None) -> str:
    """Return an amount in full."""
    return UNKNOWN if dollars is None else f"${exact(dollars)}"


def rate(dollars: Decimal, count: int, many: int) -> str:
    """Return the price of `many` that makes `count` cost `dollars`, to eight significant digits."""
    price = dollars * many / count
    return f"${exact(price.quantize(Decimal(1).scaleb(price.adjusted() - 7)).normalize())}" if price else "$0"


def moment(nanoseconds: int) -> datetime | None:
    """Return a time in UTC, or None if it is outside what a date can say."""
    try:
        return EPOCH + timedelta(microseconds=nanoseconds // 1000)
    except OverflowError:
        return None


def utc(nanoseconds: int | None) -> str:
    """Return a time in full, to the millisecond, in UTC."""
    when = None if nanoseconds is None else moment(nanoseconds)
    return UNKNOWN if when is None else f"{when:%Y-%m-%d %H:%M:%S}.{when.microsecond // 1000:03d} UTC"


def iso(nanoseconds: int | None) -> str:
    """Return a time for the `datetime` attribute of `<time>`."""
    when = None if nanoseconds is None else moment(nanoseconds)
    return "" if when is None else when.isoformat().replace("+00:00", "Z")


def ago(nanoseconds: int | None, now: int | None = None) -> str:
    """Return how long ago a time was, such as `12 s ago`; from a week on, its date."""
    if nanoseconds is None:
        return UNKNOWN
    seconds = ((time_ns() if now is None else now) - nanoseconds) / 1e9
    if seconds < -MINUTE:
        return utc(nanoseconds)[:16]
    steps: tuple[tuple[float, Callable[[int], str]], ...] = (
        (5, lambda s: "now"),
        (MINUTE, lambda s: f"{s} s ago"),
        (HOUR, lambda s: f"{s // MINUTE} min ago"),
        (DAY, lambda s: f"{s // HOUR} h ago"),
        (7 * DAY, lambda s: f"{s // DAY} d ago"),
    )
    for limit, say in steps:
        if seconds < limit:
            return say(int(seconds))
    return utc(nanoseconds)[:10]


def size(number: int) -> str:
    """Return a number of bytes or characters in a unit that keeps it short."""
    for unit, name in ((1_000_000_000, "GB"), (1_000_000, "MB"), (1_000, "KB")):
        if number >= unit:
            return f"{number / unit:.1f} {name}"
    return f"{number} B"


def why_no_cost(reason: str | None) -> str:
    """Return the sentence that explains a missing cost."""
    return COST_MISSING.get(reason or "", "No cost is known.")


FILTERS: Final[dict[str, Callable[..., str]]] = {
    "inert": inert,
    "prose": prose,
    "dotted": dotted,
    "one_line": one_line,
    "sentence": sentence,
    "duration": duration,
    "count": count,
    "short_count": short_count,
    "money": money,
    "exact_money": exact_money,
    "utc": utc,
    "iso": iso,
    "ago": ago,
    "size": size,
    "why_no_cost": why_no_cost,
}
