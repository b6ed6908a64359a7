"""A trace: its spans as a tree or on the axis of time beside the chosen one of them, or what was said in it as one dialogue."""

from __future__ import annotations

import gzip
from collections.abc import Callable, Container
from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import Any, Final
from urllib.parse import quote, urlencode

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response

from genscope.api import native, resend
from genscope.model import Span
from genscope.services import services
from genscope.store.catalog import Project
from genscope.store.within import MAX_SPANS, Outline, Place, Spoken
from genscope.web import detail, dialogue, repeat, tree
from genscope.web.frame import Viewer, frame, page_router, render
from genscope.web.state import State

router = page_router()

#: The views of a trace, and what they are called.
VIEWS: Final = {"tree": "Tree", "timeline": "Timeline", "conversation": "Conversation"}
#: What of a tree may be shown alone: what it is called, and which rows these are.
SHOWN: Final[dict[str, tuple[str, Callable[[tree.Row], bool]]]] = {
    "errors": ("Errors", lambda row: row.span.level == "ERROR"),
    "slow": ("Slow", lambda row: row.slow),
    "critical": ("Critical path", lambda row: row.critical > 0),
}
#: What of a trace's page is in its URL beside its id.
OWN: Final = ("view", "span", "show", "find", "depth", "text", "zoom", "after")
#: Rows that stand in the list itself; a script puts the others there as they come into sight.
DIRECT: Final = 500
#: Turns of a dialogue on one page, and the bytes of inputs and outputs that are read for them.
TURNS: Final = 50
MAX_BYTES: Final = 20_000_000
#: Pages larger than this are sent compressed: a tree of 10,000 rows shrinks to a tenth.
COMPRESSED: Final = 100_000


@dataclass
class View:
    """What the page of a trace shows."""

    state: State
    outline: Outline
    rows: list[tree.Row]
    found: list[str] | None

    @cached_property
    def numbers(self) -> dict[str, int]:
        """How many rows each of `SHOWN` has."""
        return {name: sum(map(is_one, self.rows)) for name, (_, is_one) in SHOWN.items()}

    @cached_property
    def marked(self) -> frozenset[str]:
        """The ids of the spans in which the text was found."""
        return frozenset(self.found or ())

    @cached_property
    def drawn(self) -> list[tree.Row]:
        """The rows that are shown: all, or those asked for and all above them."""
        chosen = SHOWN.get(self.state.value("show"))
        return self.rows if chosen is None else tree.kept(self.rows, chosen[1])

    @property
    def depth(self) -> int | None:
        """How deep the tree is unfolded; None for all of it."""
        told = self.state.value("depth")
        return int(told) if told.isascii() and told.isdecimal() and len(told) < 6 else None

    @property
    def name(self) -> str:
        """The name of the view that is shown."""
        return self.state.value("view") or "tree"

    @cached_property
    def chosen(self) -> Span:
        """The span that is asked for; else the first that was found, or of those asked for, or of all."""
        by_id = {row.span.span_id: row.span for row in self.rows}
        hits = (row for row in self.drawn if row.span.span_id in self.marked)
        shown = SHOWN.get(self.state.value("show"))
        wanted = (row for row in self.drawn if shown and shown[1](row))
        first = next(hits, None) or next(wanted, None) or self.rows[0]
        return by_id.get(self.state.value("span"), first.span)

    @property
    def wanted(self) -> str:
        """The id of the span that was asked for and is not here."""
        asked = self.state.value("span")
        return asked if asked != self.chosen.span_id else ""

    @property
    def link(self) -> str:
        """The query of a link to a span, to which its id is to be added."""
        others = self.state.others("span", "after")
        return f"?{urlencode(others)}&span=" if others else "?span="


@router.get("/project/{project_id}/traces/{trace_id:path}")
@router.get("/trace/{trace_id:path}")
def printed(trace_id: str, observation: str = "") -> Response:
    """Lead from the URLs that Langfuse's SDKs print to the trace, or to a span of it."""
    query = f"?{urlencode({'span': observation})}" if observation else ""
    return RedirectResponse(f"/traces/{quote(trace_id, safe='')}{query}", 303)


# Ids may hold anything, slashes too, so the longer paths come first.
@router.get("/traces/{trace_id:path}/spans/{span_id:path}/{side}.txt")
def span_text(request: Request, project: Viewer, trace_id: str, span_id: str, side: str) -> Response:
    """Return a span's whole input or output as it was sent, as plain text."""
    found = services(request).reader.span(project.id, trace_id, span_id) if side in ("input", "output") else None
    text = None if found is None else found.input if side == "input" else found.output
    if text is None:
        return PlainTextResponse(f"This span has no {side}.", 404)
    return PlainTextResponse(text.encode("utf-8", "replace"))


@router.get("/traces/{trace_id:path}/spans/{span_id:path}/call.{language}")
def span_call(request: Request, project: Viewer, trace_id: str, span_id: str, language: str) -> Response:
    """Return a program that repeats the call of a span: `call.sh` with curl, or `call.py`."""
    found = services(request).reader.span(project.id, trace_id, span_id)
    call = None if found is None else repeat.call(found)
    write = repeat.LANGUAGES.get(language)
    if call is None or write is None:
        return PlainTextResponse("This span is no call to a model that can be repeated.", 404)
    return PlainTextResponse(write(call))


@router.get("/traces/{trace_id:path}/spans/{span_id:path}")
def span_pane(request: Request, project: Viewer, trace_id: str, span_id: str) -> Response:
    """Return the pane of one span alone."""
    within = services(request).reader.within
    place = within.place(project.id, trace_id)
    found = within.spans(place, [span_id]) if place else []
    if place is None or not found:
        return render("_missing_span.html", 404, span_id=span_id)
    about = _detail(request, project, place, found[0])
    shown: dict[str, Any] = {"trace_id": trace_id, "state": _state(request, trace_id), "detail": about}
    return render("_pane.html", **frame(request, project, "trace"), **shown)


@router.get("/traces/{trace_id:path}.otlp.json")
def trace_as_otlp(request: Request, project: Viewer, trace_id: str) -> Response:
    """Return a trace as an OTLP request, as a file to be kept or sent elsewhere."""
    return resend.download(request, project, trace_id) or _no_trace(trace_id)


@router.get("/traces/{trace_id:path}.json")
def trace_as_json(request: Request, project: Viewer, trace_id: str) -> Response:
    """Return what `/api/v1/traces/{trace_id}` does."""
    within = services(request).reader.within
    if within.place(project.id, trace_id) is None:
        # Ids may end in anything, too.
        if within.place(project.id, f"{trace_id}.json") is not None:
            return trace(request, project, f"{trace_id}.json")
        return _no_trace(trace_id)
    return native.get_trace(request, project, trace_id)


@router.get("/traces/{trace_id:path}")
def trace(request: Request, project: Viewer, trace_id: str) -> Response:
    """Show a trace in one of its `VIEWS`."""
    within = services(request).reader.within
    place = within.place(project.id, trace_id)
    outline = within.outline(place) if place else None
    if place is None or outline is None or not outline.spans:
        return render("missing.html", 404, **frame(request, project, "trace"), trace_id=trace_id)
    state = _state(request, trace_id)
    sought = state.value("find")
    view = View(
        state,
        outline,
        tree.layout(outline.spans, outline.repeated),
        within.found(place, sought) if sought else None,
    )
    about: dict[str, Any] = {}
    if view.name == "conversation":
        about["dialogue"] = _dialogue(request, project, place, view)
    else:
        about["detail"] = _detail(request, project, place, _whole(request, place, view.chosen))
        about["ticks"] = tree.ticks(outline.summary.duration)
    response = render(
        "trace.html",
        **frame(request, project, "trace"),
        trace_id=trace_id,
        state=state,
        summary=outline.summary,
        repositories=sorted({span.repository for span in outline.spans if span.repository}),
        view=view,
        views=VIEWS,
        shown=SHOWN,
        most=MAX_SPANS,
        direct=DIRECT,
        **about,
    )
    return _compressed(request, response)


@dataclass(frozen=True, slots=True)
class Dialogue:
    """A page of the turns of a trace."""

    turns: list[dialogue.Turn]
    #: The spans of it that are too long to be read with the others.
    long: list[Spoken]
    begin: int
    total: int
    next: int | None


def _dialogue(request: Request, project: Project, place: Place, view: View) -> Dialogue:
    served = services(request)
    spoken = served.reader.within.spoken(place)
    told = view.state.value("after")
    begin = min(int(told), len(spoken)) if told.isascii() and told.isdecimal() and len(told) < 9 else 0
    chosen: list[Spoken] = []
    length = 0
    for one in spoken[begin : begin + TURNS]:
        length += one.bytes
        if length > MAX_BYTES and chosen:
            break
        chosen.append(one)
    long = [one for one in chosen if one.bytes > MAX_BYTES]
    # The last call of the page before tells what the first one of this page repeats.
    earlier = next((one for one in reversed(spoken[:begin]) if one.bytes <= MAX_BYTES), None)
    ids = [one.span_id for one in chosen if one.bytes <= MAX_BYTES] + ([earlier.span_id] if earlier else [])
    by_id = {span.span_id: span for span in served.reader.within.spans(place, ids)}
    spans = sorted(by_id.values(), key=lambda span: (tree.begin(span), span.span_id))
    turns = dialogue.turns(spans, dialogue.agents(view.rows), partial(served.links.address, project.id))
    if earlier:
        turns = [turn for turn in turns if turn.span.span_id != earlier.span_id]
    end = begin + len(chosen)
    return Dialogue(turns, long, begin, len(spoken), end if end < len(spoken) else None)


def _state(request: Request, trace_id: str) -> State:
    state = State.read(f"/traces/{quote(trace_id, safe='')}", request.query_params.multi_items(), own=OWN)
    known: dict[str, Container[str]] = {"view": VIEWS, "show": SHOWN, "text": ("plain",)}
    params = tuple(
        (name, value) for name, value in state.params if name in OWN and (name not in known or value in known[name])
    )
    # What it is without being said need not be said.
    return replace(state, params=tuple(pair for pair in params if pair != ("view", "tree")))


def _whole(request: Request, place: Place, outline: Span) -> Span:
    """Return the whole of a span; its end may be that of its trace, which the outline knows."""
    found = services(request).reader.within.spans(place, [outline.span_id])
    return replace(found[0], end_time=found[0].end_time or outline.end_time) if found else outline


def _detail(request: Request, project: Project, place: Place, span: Span) -> detail.Detail:
    served = services(request)
    attached = served.attachments.of_spans(project.id, [span]).get((span.trace_id, span.span_id), ())
    scores = served.reader.scores.of_traces(project.id, [span.trace_id])
    tools = served.reader.within.tools(place, span) if span.tool_calls else []
    return detail.detail(span, attached, partial(served.links.address, project.id), scores, tools)


def _no_trace(trace_id: str) -> Response:
    return JSONResponse({"error": "Not Found", "message": f"no trace {trace_id!r} in this project"}, 404)


def _compressed(request: Request, response: Response) -> Response:
    response.headers["Vary"] = "Accept-Encoding"
    if len(response.body) > COMPRESSED and "gzip" in request.headers.get("accept-encoding", ""):
        response.body = gzip.compress(response.body, 1)
        response.headers["Content-Encoding"] = "gzip"
        response.headers["Content-Length"] = str(len(response.body))
    return response
