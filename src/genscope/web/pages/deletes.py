"""Deleting traces that were chosen in a list: first what is asked is said, and then exactly that is done."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Final

from fastapi import Form, Query
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response, StreamingResponse

from genscope.api.deletes import LINES, lines
from genscope.query.filter import FilterError
from genscope.services import services
from genscope.store.catalog import Project
from genscope.web.format import count
from genscope.web.frame import Editor, frame, page_router, render
from genscope.web.listing import LISTS
from genscope.web.security import local_path
from genscope.web.state import State

router = page_router()

#: From how many traces on their number has to be typed.
MANY: Final = 100


@dataclass(frozen=True, slots=True)
class Asked:
    """What is to be deleted: traces that were named, or all that a list shows, which is fixed in time."""

    back: str
    #: The traces that were named; else those that `list` has with filter `q` from `start` to `end`, in nanoseconds.
    named: tuple[str, ...] = ()
    list: str = ""
    q: str = ""
    start: int | None = None
    end: int | None = None
    #: What was found.
    traces: tuple[str, ...] = ()
    error: str = ""

    @property
    def which(self) -> str:
        """A text that stands for exactly these traces."""
        return hashlib.sha256("\0".join(self.traces).encode("utf-8", "replace")).hexdigest()

    @property
    def number(self) -> int:
        """How many they are."""
        return len(self.traces)

    @property
    def typed(self) -> bool:
        """Whether their number has to be typed."""
        return self.number > MANY


@router.get("/delete")
def ask(request: Request, project: Editor, list: Annotated[str, Query()] = "") -> Response:
    """Ask whether all traces that a list shows shall be deleted."""
    shown = LISTS.get(list)
    if shown is None:
        return _page(request, project, Asked("/traces", error=f"list: expected one of {', '.join(LISTS)}"))
    state = State.read(f"/{list}", request.query_params.multi_items())
    try:
        filter = shown.filter(state)
    except FilterError as problem:
        return _page(request, project, Asked(state.url(), error=str(problem)))
    # What comes while one thinks about it is not meant.
    now = time.time_ns()
    end = now if filter.end is None else min(filter.end, now)
    asked = Asked(state.url(), list=list, q=state.q, start=filter.start, end=end)
    return _page(request, project, _found(request, project, asked))


@router.post("/delete/ask")
def ask_named(
    request: Request,
    project: Editor,
    trace: Annotated[Sequence[str], Form()] = (),
    back: Annotated[str, Form()] = "",
) -> Response:
    """Ask whether these traces shall be deleted."""
    asked = Asked(local_path(back), named=tuple(sorted(set(trace))))
    return _page(request, project, _found(request, project, asked))


@router.post("/delete")
def delete(
    request: Request,
    project: Editor,
    which: Annotated[str, Form()],
    back: Annotated[str, Form()] = "",
    trace: Annotated[Sequence[str], Form()] = (),
    list: Annotated[str, Form()] = "",
    q: Annotated[str, Form()] = "",
    start: Annotated[int | None, Form()] = None,
    end: Annotated[int | None, Form()] = None,
    typed: Annotated[str, Form()] = "",
) -> Response:
    """Delete what was asked, if it is still the same; told line by line to who accepts that."""
    asked = _found(request, project, Asked(local_path(back), tuple(sorted(set(trace))), list, q, start, end))
    if asked.which != which:
        message = f"By now these are {count(asked.number)} traces, or others than before. Nothing was deleted yet."
        return _page(request, project, replace(asked, error=message))
    if asked.typed and "".join(filter_digits(typed)) != str(asked.number):
        return _page(request, project, replace(asked, error=f"Type {asked.number} to delete so many traces."))
    deletes = services(request).deletes
    if LINES in request.headers.get("accept", ""):
        return StreamingResponse(lines(deletes, project.id, asked.traces), media_type=LINES)
    for _ in deletes.many(project.id, asked.traces):
        pass
    return RedirectResponse(asked.back, 303)


def filter_digits(text: str) -> Sequence[str]:
    """Return the digits of a number as it is typed, with or without separators of thousands."""
    return [sign for sign in text if sign.isdecimal()]


def _found(request: Request, project: Project, asked: Asked) -> Asked:
    served = services(request)
    if asked.named:
        known = served.reader.summaries_of(project.id, [*asked.named])
        return replace(asked, traces=tuple(sorted(known)))
    shown = LISTS.get(asked.list)
    if shown is None:
        return replace(asked, error="Choose at least one trace.")
    try:
        filter = replace(shown.filter(State.read("/", [("q", asked.q)])), start=asked.start, end=asked.end)
        found = served.deletes.matching(project.id, filter, begun=shown.counted == "traces")
    except FilterError as problem:
        return replace(asked, error=str(problem))
    return replace(asked, traces=tuple(found))


def _page(request: Request, project: Project, asked: Asked) -> Response:
    status = 400 if asked.error else 200
    if "hx-request" in request.headers:
        return render("_delete.html", status, asked=asked)
    return render("delete.html", status, **frame(request, project, "delete"), asked=asked)
