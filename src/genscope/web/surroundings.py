"""What stands around the rows of a list: facets at its side, and over it how many rows there are when."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any, Final

from genscope.query import language
from genscope.query.filter import Filter
from genscope.store.facets import Bucket
from genscope.store.reader import Reader
from genscope.web.format import count
from genscope.web.listing import List
from genscope.web.state import State

SECOND: Final = 10**9
DAY: Final = 86_400 * SECOND
#: Stretches of time that a bar may stand for, in seconds.
WIDTHS: Final = (
    1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400,
    *(86400 * days for days in (2, 7, 14, 28, 91, 182, 364, 1820, 3640, 18200, 36400)),
)  # fmt: skip
#: Bars that a chart has at most.
BARS: Final = 120

#: What a facet is called, by the name of its field.
TITLES: Final = {
    "model": "Model",
    "provider": "Provider",
    "name": "Name",
    "type": "Type",
    "level": "Level",
    "env": "Environment",
    "user": "User",
    "trace_name": "Trace name",
    "release": "Release",
    "tag": "Tag",
    "tool_call": "Tool called",
}


@dataclass(frozen=True, slots=True)
class Value:
    """A value of a facet: how many rows have it, and where following it leads."""

    text: str
    count: int
    chosen: bool
    url: str


@dataclass(frozen=True, slots=True)
class Facet:
    """A field and the values of it that rows have."""

    field: str
    title: str
    values: list[Value]
    more: bool


@dataclass(frozen=True, slots=True)
class Facets:
    """The facets of a list, and among how many of the newest spans they were counted; None for all."""

    facets: list[Facet]
    scanned: int | None


@dataclass(frozen=True, slots=True)
class Histogram:
    """A chart for `static/chart.js`, and what it says in words."""

    data: dict[str, Any]
    summary: str


def facets(reader: Reader, project_id: str, list_: List, state: State) -> Facets:
    """Count what the rows of a list have in common.

    Raises:
        FilterError: the state cannot be understood.
    """
    titles = {field: title for field, title in TITLES.items() if field != "type" or not list_.type}
    found = reader.facets.overview(project_id, list_.filter(state), counted=list_.counted, fields=titles)
    shown = [
        Facet(
            facet.field, titles[facet.field], [_value(state, facet.field, *value) for value in facet.values], facet.more
        )
        for facet in found.facets
    ]
    return Facets(shown, found.scanned)


def _value(state: State, field: str, text: str, number: int) -> Value:
    chosen = language.has_term(state.q, field, text)
    change = language.without if chosen else language.with_term
    return Value(text, number, chosen, state.url(q=change(state.q, field, text)))


def histogram(reader: Reader, project_id: str, list_: List, state: State) -> Histogram | None:
    """Count the rows of a list over its time range; None where there are none at all.

    Raises:
        FilterError: the state cannot be understood.
    """
    filter = list_.filter(state)
    extent = reader.facets.extent(project_id)
    if extent is None:
        return None
    begin = filter.start if filter.start is not None else extent[0]
    end = filter.end if filter.end is not None else _end(reader, project_id, list_, filter, begin, extent[1])
    width = bar_width(end - begin)
    buckets = reader.facets.histogram(project_id, Filter(begin, end, filter.conditions), width, counted=list_.counted)
    return _drawn(buckets, list_, begin, end, width) if buckets else None


def _end(reader: Reader, project_id: str, list_: List, filter: Filter, begin: int, latest: int) -> int:
    """Return where a range without an end has one: now, or later where rows are, at most a day.

    A clock that is wrong by years would make one bar of all the others' spans, and one that is wrong by minutes, of a span that
    the list does not have, would leave room for nothing. `latest` is the latest start of the project's spans.
    """
    now = _now()
    if begin >= now:
        return max(latest, begin) + 1
    if latest < now:
        return now if filter.start is not None else latest + 1
    width = min(bar_width(now - begin), bar_width(DAY))
    ahead = reader.facets.histogram(project_id, Filter(now, now + DAY, filter.conditions), width, counted=list_.counted)
    return ahead[-1].start + width if ahead else now


def bar_width(length: int) -> int:
    """Return what one bar stands for where a chart is `length` long, both in nanoseconds."""
    return next((width for width in WIDTHS if length <= BARS * width * SECOND), WIDTHS[-1]) * SECOND


def _drawn(buckets: list[Bucket], list_: List, begin: int, end: int, width: int) -> Histogram:
    first = min(begin // width * width, buckets[0].start)
    last = max((end - 1) // width * width, buckets[-1].start)
    known = {bucket.start: bucket for bucket in buckets}
    # Times before 1700 or after 2262 make more bars than a chart may have; then there are gaps instead of zeros.
    starts = list(range(first, last + 1, width)) if (last - first) // width <= 4 * BARS else sorted(known)
    bars = [known.get(start, Bucket(start, 0, 0)) for start in starts]
    total, failed = sum(bar.count for bar in bars), sum(bar.errors for bar in bars)
    series = [{"label": "without error", "color": "--accent", "values": [bar.count - bar.errors for bar in bars]}]
    if failed:
        series.append({"label": "with error", "color": "--error", "values": [bar.errors for bar in bars]})
    else:
        series[0]["label"] = list_.many
    data = {
        "kind": "stacked",
        "x": [start // SECOND for start in starts],
        "series": series,
        "unit": "count",
        "step": width // SECOND,
        "end": (starts[-1] + width) // SECOND,
        "zoom": True,
    }
    return Histogram(data, f"{count(total)} {list_.many if total != 1 else list_.one}, {count(failed)} with an error.")


def _now() -> int:
    return time.time_ns()
