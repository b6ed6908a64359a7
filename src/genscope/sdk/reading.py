"""Reading back: what the server knows, as typed rows and as tables. Unlike everything else in the SDK, this raises.

What it takes is imported when a question is asked: most programs only write.
"""
# ruff: noqa: PLC0415

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, TypeVar

from genscope.sdk.settings import Settings

if TYPE_CHECKING:
    from genscope.sdk.answers import Rows
    from genscope.sdk.rows import Failure, Figures, Model, Score, Session, Span, Trace, TraceSummary, User

T = TypeVar("T")
#: A moment as text (ISO 8601, or an age such as `15m`, `24h`, `7d`), as a `datetime` (a naive one is local time), or as an age.
Moment = str | datetime | timedelta
#: One name, or several: any of them.
Names = str | Sequence[str]


class Reading:
    """The questions that a client asks its server. Filters (`q`) are docs/filters.md; all raise `ReadError`.

    Periods begin with `since` and end before `until`; without them they are all of time.
    """

    settings: Settings

    def query(
        self,
        q: str = "",
        *,
        since: Moment | None = None,
        until: Moment | None = None,
        sort: str = "-start_time",
        limit: int | None = None,
        full: bool = True,
    ) -> Rows[Span]:
        """Return the generations that meet a filter, the latest first.

        Args:
            q: the filter, such as `model:gpt-4o level:ERROR`.
            since: where the period begins, such as `"1d"`.
            until: where it ends, not included.
            sort: what to sort by, a minus before it for the largest first, such as `-cost`.
            limit: rows at most; by default all, read as they are needed.
            full: False leaves shortened texts in `input` and `output`, and `attributes` empty; it is faster.
        """
        return self._spans("generations", q, since, until, sort, limit, full)

    def spans(
        self,
        q: str = "",
        *,
        since: Moment | None = None,
        until: Moment | None = None,
        sort: str = "-start_time",
        limit: int | None = None,
        full: bool = True,
    ) -> Rows[Span]:
        """Return the spans of every type that meet a filter; see `query`."""
        return self._spans("spans", q, since, until, sort, limit, full)

    def traces(
        self,
        q: str = "",
        *,
        since: Moment | None = None,
        until: Moment | None = None,
        sort: str = "-start_time",
        limit: int | None = None,
    ) -> Rows[TraceSummary]:
        """Return the traces of which a span meets a filter, the latest first."""
        from genscope.sdk.rows import TraceSummary

        return self._list("traces", TraceSummary, limit, q=q, since=since, until=until, sort=sort)

    def trace(self, id: str) -> Trace:
        """Return a trace with all its spans; `ReadError` with status 404 if there is none of this id."""
        from urllib.parse import quote

        from genscope.sdk.asking import ask
        from genscope.sdk.rows import Trace, read

        told = ask(self.settings, "GET", f"traces/{quote(id, safe='')}", has="spans")
        return read(Trace, told["trace"] | {"spans": told["spans"]})

    def models(
        self, q: str = "", *, since: Moment | None = None, until: Moment | None = None, by: str = ""
    ) -> Rows[Model]:
        """Return what each model did, and with `by` (`name`, `prompt`, `environment`, `release`) for each value of that."""
        from genscope.sdk.rows import Model

        return self._whole("models", Model, q=q, since=since, until=until, by=by)

    def sessions(
        self, q: str = "", *, since: Moment | None = None, until: Moment | None = None, limit: int | None = None
    ) -> Rows[Session]:
        """Return the sessions that have a span which meets a filter, the latest to be active first."""
        from genscope.sdk.rows import Session

        return self._list("sessions", Session, limit, q=q, since=since, until=until)

    def users(
        self,
        q: str = "",
        *,
        since: Moment | None = None,
        until: Moment | None = None,
        sort: str = "last",
        limit: int | None = None,
    ) -> Rows[User]:
        """Return users by `last` (seen), `cost`, `traces`, `generations`, `sessions` or `errors`, the most first."""
        from genscope.sdk.rows import User

        return self._list("users", User, limit, q=q, since=since, until=until, sort=sort)

    def errors(
        self,
        q: str = "",
        *,
        since: Moment | None = None,
        until: Moment | None = None,
        sort: str = "last",
        limit: int | None = None,
    ) -> Rows[Failure]:
        """Return failures, those of one kind together, by `last`, `first`, `count` or `users`."""
        from genscope.sdk.rows import Failure

        return self._list("errors", Failure, limit, q=q, since=since, until=until, sort=sort)

    def scores(
        self,
        name: Names = (),
        *,
        since: Moment | None = None,
        until: Moment | None = None,
        trace_id: Names = (),
        span_id: Names = (),
        session_id: Names = (),
        source: Names = (),
        limit: int | None = None,
    ) -> Rows[Score]:
        """Return scores, the latest first; of several values of an argument any holds."""
        from genscope.sdk.rows import Score

        return self._list(
            "scores",
            Score,
            limit,
            since=since,
            until=until,
            name=name,
            trace_id=trace_id,
            span_id=span_id,
            session_id=session_id,
            source=source,
        )

    def metrics(
        self,
        measures: Names,
        *,
        group_by: Names = (),
        granularity: str = "",
        q: str = "",
        since: Moment | None = None,
        until: Moment | None = None,
        sort: str = "",
        limit: int = 1000,
    ) -> Rows[Figures]:
        """Return measures, such as `["calls", "cost"]`, by fields and by time; see docs/metrics.md."""
        from genscope.sdk.rows import Figures

        return self._whole(
            "metrics",
            Figures,
            q=q,
            since=since,
            until=until,
            measures=_joined(measures),
            group_by=_joined(group_by),
            granularity=granularity,
            sort=sort,
            limit=str(limit),
        )

    def sql(self, query: str) -> Rows[dict[str, Any]]:
        """Return what a SELECT over the project's rows answers, at most 10,000 rows; see docs/sql.md."""
        from genscope.sdk.answers import Rows
        from genscope.sdk.asking import selected

        return Rows(selected(self.settings, query), dict)

    def _spans(
        self, path: str, q: str, since: Moment | None, until: Moment | None, sort: str, limit: int | None, full: bool
    ) -> Rows[Span]:
        from genscope.sdk.asking import PAGE, WHOLE_PAGE
        from genscope.sdk.rows import Span

        size, whole = (WHOLE_PAGE, "1") if full else (PAGE, "0")
        return self._list(path, Span, limit, size=size, q=q, since=since, until=until, sort=sort, full=whole)

    def _list(
        self, path: str, kind: type[T], limit: int | None, *, size: int = 0, **asked: Moment | Names | None
    ) -> Rows[T]:
        """Return the rows of a list that is read page by page."""
        from genscope.sdk.answers import Rows
        from genscope.sdk.asking import PAGE, paged, parameters

        return Rows(paged(self.settings, path, parameters(asked), limit, size or PAGE), kind)

    def _whole(self, path: str, kind: type[T], **asked: Moment | Names | None) -> Rows[T]:
        """Return the rows of a list that comes in one answer."""
        from genscope.sdk.answers import Rows
        from genscope.sdk.asking import parameters, whole

        return Rows(whole(self.settings, path, parameters(asked)), kind)


def _joined(names: Names) -> str:
    return names if isinstance(names, str) else ",".join(names)
