"""Users: the list of them, and each with what they cost, and their sessions and traces."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response

from genscope.api.sessions import session_shape
from genscope.api.shapes import plain, trace_shape
from genscope.api.users import user_shape
from genscope.query.filter import FilterError
from genscope.services import services
from genscope.store.figures import GRANULARITIES, TIME, Question, Row, automatic, pieces
from genscope.store.reader import TraceSummary
from genscope.store.sessions import SessionSummary
from genscope.store.users import UserSummary
from genscope.web import addresses
from genscope.web.frame import Viewer, frame, page, page_router, render
from genscope.web.listed import Listed
from genscope.web.state import PAGE, State

router = page_router()

AGE: Final = "24h"
#: Sessions and traces that the page of a user shows, and models.
LATEST: Final = 10
MODELS: Final = 12
#: What figures the page of a user has, by model and by time.
MEASURES: Final = ("cost", "calls", "failed_calls", "unpriced_calls", "input_tokens", "output_tokens")


@dataclass(frozen=True, slots=True)
class User:
    """A user, what they come to in the range of time, by model and over time, and the latest of theirs."""

    state: State
    user: UserSummary
    models: list[Row]
    times: list[Row]
    #: When each piece of the range begins, in seconds since the epoch, and its length.
    begins: list[int]
    step: int
    sessions: list[SessionSummary]
    traces: list[TraceSummary]

    @property
    def chart(self) -> dict[str, Any]:
        """Cost over time."""
        costs = {row.time: row.values["cost"] for row in self.times}
        values = [float(costs.get(begin) or 0) for begin in self.begins]
        series = [{"label": "Cost", "color": "--cost", "values": values}]
        return {"kind": "bars", "x": self.begins, "series": series, "unit": "usd", "step": self.step, "zoom": True}

    def listing(self, page: str, **more: str) -> str:
        """Return the URL of what is this user's in a list, in the same range of time."""
        times = {"from_": self.state.value("from") or AGE, "to": self.state.value("to")}
        return addresses.listing(page, self.state.q, **times, user=self.user.id, **more)

    def json(self) -> dict[str, Any]:
        """Return the user as `/api/v1/users/{user_id}` does, figures by model and time, and the latest sessions and traces."""
        return {
            "user": user_shape(self.user),
            "models": [{**row.group, **_plain(row)} for row in self.models],
            "over_time": [{"time": row.time, **_plain(row)} for row in self.times],
            "sessions": [session_shape(session) for session in self.sessions],
            "traces": [trace_shape(trace) for trace in self.traces],
        }


def _plain(row: Row) -> dict[str, Any]:
    return {name: plain(value) if isinstance(value, Decimal) else value for name, value in row.values.items()}


@page(router, "/users", "users.html", name="users")
def users(request: Request, project: Viewer, cursor: str = "") -> Listed[UserSummary]:
    """List users."""
    state = State.read("/users", request.query_params.multi_items(), own=("sort",), age=AGE)
    try:
        order = state.value("sort") or "last"
        reader = services(request).reader
        found = reader.users.page(project.id, state.filter(), order=order, limit=PAGE, cursor=cursor or None)
    except FilterError as problem:
        return Listed(state, user_shape, error=str(problem))
    return Listed(state, user_shape, found.rows, found.next_cursor, bool(cursor))


# Ids may hold anything, slashes too.
@page(router, "/users/{user_id:path}", "user.html", name="users")
def user(request: Request, project: Viewer, user_id: str) -> User | Response:
    """Show what a user did and cost in a range of time."""
    path = addresses.user(user_id)
    state = State.read(path, request.query_params.multi_items(), age=AGE)
    reader = services(request).reader
    chosen = state.filter()
    found = reader.users.one(project.id, user_id, chosen)
    if found is None:
        return render(
            "unknown.html",
            404,
            **frame(request, project, "users"),
            kind="user here",
            id=user_id,
            list=f"{path}?from=all",
            why="No trace in this time range names them.",
        )
    theirs = chosen.where("user_id", user_id)
    start, end = reader.figures.extent(project.id, theirs)
    granularity = automatic(start, end)
    asked = Question(theirs, MEASURES, group_by=("model",), granularity=granularity, sort="-cost", limit=1000)
    models, times = reader.figures.sets(project.id, asked, [("model",), (TIME,)])
    return User(
        state,
        found,
        [row for row in models if row.values["calls"]][:MODELS],
        sorted(times, key=lambda row: row.time or 0),
        pieces(granularity, start, end),
        GRANULARITIES[granularity],
        reader.sessions.page(project.id, theirs, limit=LATEST).rows,
        reader.traces(project.id, theirs, limit=LATEST).rows,
    )
