"""Sessions: the list of them, and each as the conversation that it is."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response

from genscope.api.sessions import session_shape
from genscope.api.shapes import score_shape
from genscope.model import Score
from genscope.query.filter import FilterError
from genscope.services import services
from genscope.store.sessions import TURNS, SessionSummary
from genscope.web import addresses, turns
from genscope.web.frame import Viewer, frame, page, page_router, render
from genscope.web.state import PAGE, State

router = page_router()

#: The time range that lists begin with: what sessions come to is read from their spans.
AGE: Final = "24h"


@dataclass(frozen=True, slots=True)
class Sessions:
    """A page of the list."""

    state: State
    rows: list[SessionSummary] = field(default_factory=list)
    #: What was said of the sessions as wholes, by their id.
    scores: dict[str, list[Score]] = field(default_factory=dict)
    cursor: str | None = None
    paged: bool = False
    error: str = ""

    def json(self) -> dict[str, Any]:
        """Return the page as `/api/v1/sessions` does, and what was said of each."""
        if self.error:
            return {"error": self.error}
        rows = [
            {"session": session_shape(row), "scores": [score_shape(score) for score in self.scores.get(row.id, ())]}
            for row in self.rows
        ]
        return {"data": rows, "next_cursor": self.cursor}


@dataclass(frozen=True, slots=True)
class Conversation:
    """A session and a page of its turns."""

    session: SessionSummary
    turns: list[turns.Shown]
    scores: list[Score]
    cursor: str | None
    paged: bool

    @property
    def url(self) -> str:
        """The page's own path."""
        return addresses.session(self.session.id)

    def json(self) -> dict[str, Any]:
        """Return the session, and its turns with texts in plain."""
        return {
            "session": session_shape(self.session),
            "scores": [score_shape(score) for score in self.scores],
            "turns": [turn.json() for turn in self.turns],
            "next_cursor": self.cursor,
        }


@page(router, "/sessions", "sessions.html", name="sessions")
def sessions(request: Request, project: Viewer, cursor: str = "") -> Sessions:
    """List sessions, the latest to be active first."""
    state = State.read("/sessions", request.query_params.multi_items(), age=AGE)
    reader = services(request).reader
    try:
        found = reader.sessions.page(project.id, state.filter(), limit=PAGE, cursor=cursor or None)
    except FilterError as problem:
        return Sessions(state, error=str(problem))
    scores: dict[str, list[Score]] = {}
    for score in reader.scores.of_sessions(project.id, [row.id for row in found.rows]):
        scores.setdefault(score.session_id or "", []).append(score)
    return Sessions(state, found.rows, scores, found.next_cursor, bool(cursor))


# Ids may hold anything, slashes too.
@page(router, "/sessions/{session_id:path}", "session.html", name="sessions")
def session(request: Request, project: Viewer, session_id: str, cursor: str = "") -> Conversation | Response:
    """Show a session as a conversation, the earliest turn first."""
    reader = services(request).reader
    found = reader.sessions.one(project.id, session_id)
    if found is None:
        return render(
            "unknown.html",
            404,
            **frame(request, project, "sessions"),
            kind="session",
            id=session_id,
            list="/sessions?from=all",
            why="Its spans have not arrived yet, were deleted, or name it otherwise.",
        )
    page_ = reader.sessions.turns(project.id, session_id, limit=TURNS, cursor=cursor or None)
    said = reader.scores.of_traces(project.id, [turn.trace_id for turn in page_.rows])
    about = reader.scores.of_session(project.id, session_id)
    return Conversation(found, [turns.shown(turn, said) for turn in page_.rows], about, page_.next_cursor, bool(cursor))
