"""What all things that a logger tells of have in common."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final, Self, Unpack
from uuid import uuid4

from genscope.sdk import attributes, notices, pieces
from genscope.sdk.logger.configs import ErrorConfig, FeedbackConfig, Moment
from genscope.sdk.observation import said
from genscope.sdk.pieces import Name, Piece

if TYPE_CHECKING:
    from types import TracebackType

    from genscope.sdk.client import Client
    from genscope.sdk.settings import Settings


#: Where an exception remembers in which trace it was recorded.
RECORDED: Final = "__genscope_trace__"
#: Characters of an id; the server takes no longer ones.
LONGEST_ID: Final = 512


def merged(config: Any, more: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a config and keyword arguments tell. Never raises."""
    if config is None:
        return dict(more)
    try:
        return {**config, **more}
    except Exception:  # anything may be given
        notices.once(("config", type(config)), "%s is no mapping, and says nothing", type(config))
        return dict(more)


class Thing:
    """A handle on something that the server knows by its kind and id. All of its methods only add; none raises or waits.

    Any number of handles, in any threads and processes, may be on one thing. With `with` it ends when the block does, and an
    exception that leaves the block is its error.
    """

    __slots__ = ("_client", "_ended", "_name", "_recorded", "_trace_id")

    def __init__(self, client: Client, name: Name, trace_id: str | None, recorded: bool) -> None:
        self._client = client
        self._name = name
        self._trace_id = trace_id
        self._recorded = recorded
        self._ended = False

    @property
    def id(self) -> str:
        """What it is called."""
        return self._name.id

    @property
    def trace_id(self) -> str | None:
        """The id of its trace; None for what was found by its own id alone, and for sessions."""
        return self._trace_id

    def _begin(self, fields: Mapping[str, Any], parent: Name | None) -> Self:
        """Tell of it for the first time."""
        if self._recorded:
            settings, moment = self._client.settings, pieces.moment()
            piece = Piece(settings)
            piece.told = {**self._made_by(), "start_time": str(moment)}
            self._send(piece, fields, moment, parent)
        return self

    def _made_by(self) -> Mapping[str, str]:
        """Return what the first piece says beside what it was told."""
        return {}

    def _tell(self, fields: Mapping[str, Any]) -> Self:
        if self._recorded:
            self._send(Piece(self._client.settings), fields, pieces.moment())
        return self

    def _send(self, piece: Piece, fields: Mapping[str, Any], moment: int, parent: Name | None = None) -> None:
        try:
            piece.tell(fields)
            self._ended = self._ended or "end_time" in piece.told
            self._client.delivery.piece(piece.line(self._name, moment, self._trace_id, parent))
        except Exception as error:  # an observer must not break what it observes
            notices.once(("piece", self._name.kind), "a %s could not be recorded: %r", self._name.kind, error)

    def update(self, config: Mapping[str, Any] | None = None, /, **more: Any) -> Self:
        """Tell anything of it that it could have been made with."""
        return self._tell(merged(config, more))

    def set_name(self, name: str) -> Self:
        """Name it."""
        return self._tell({"name": name})

    def add_tag(self, name: str, value: str | None = None) -> Self:
        """Add a tag: a text, or a name with a value."""
        return self._tell({"tags": [name] if value is None else {name: value}})

    def add_metadata(self, metadata: Mapping[str, Any]) -> Self:
        """Add entries of metadata to those that were told."""
        return self._tell({"metadata": metadata})

    def set_start_timestamp(self, timestamp: Moment) -> Self:
        """It began then, if nobody tells of an earlier start."""
        return self._tell({"start_timestamp": timestamp})

    def set_end_timestamp(self, timestamp: Moment) -> Self:
        """It ended then, if nobody tells of a later end."""
        return self._tell({"end_timestamp": timestamp})

    def end(self) -> Self:
        """It has ended, now, unless it was told before."""
        return self if self._ended else self._finish({})

    def _finish(self, fields: Mapping[str, Any]) -> Self:
        return self._tell({**fields, "end_timestamp": pieces.moment()})

    def feedback(self, feedback: FeedbackConfig | None = None, /, **more: Unpack[FeedbackConfig]) -> Self:
        """A user thinks something of it; the last feedback holds."""
        told = merged(feedback, more)
        comment, value = told.pop("comment", None), told.pop("score", None)
        value, data_type = (comment, "TEXT") if value is None else (value, None)
        if value is None:
            notices.once("feedback", "feedback has neither a score nor a comment, and says nothing")
            return self
        metadata = merged(told.pop("metadata", None), told) or None
        return self._score("feedback", value, "FEEDBACK", data_type=data_type, comment=comment, metadata=metadata)

    def score(self, name: str, value: float | str, *, comment: str | None = None, metadata: Any = None) -> Self:
        """Score it: with a number, true or false, or a category. The last score of a name holds."""
        return self._score(name, value, "API", comment=comment, metadata=metadata)

    def add_metric(self, name: str, value: float) -> Self:
        """The application measured something of it; the last value of a name holds."""
        return self._score(name, value, "METRIC")

    def _score(self, name: str, value: float | str, source: str, **more: Any) -> Self:
        if self._recorded:
            try:
                about = self._name
                line = pieces.score(
                    self._client.settings, name, value, about=about, trace_id=self._trace_id, source=source, **more
                )
                self._client.delivery.piece(line)
            except Exception as error:  # an observer must not break what it observes
                notices.once(("score", type(error)), "a score could not be recorded: %r", error)
        return self

    def __enter__(self) -> Self:
        """Begin a block."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End it, and record the exception, if there is one."""
        if error is not None and not isinstance(error, GeneratorExit | SystemExit):
            self._fail(error, {})
        self.end()

    def _fail(self, error: Any, more: Mapping[str, Any]) -> Self:
        """It failed; a session does not, but for the traces in it."""
        return self


class Part(Thing):
    """A trace, or anything in one."""

    __slots__ = ()

    def _made_by(self) -> Mapping[str, str]:
        settings = self._client.settings
        return pieces.began(settings.environment, settings.release)

    def set_input(self, input: Any) -> Self:
        """What went in: any object."""
        return self._tell({"input": input})

    def set_output(self, output: Any) -> Self:
        """What came out: any object."""
        return self._tell({"output": output})

    def error(self, error: ErrorConfig | BaseException | str | None = None, /, **more: Unpack[ErrorConfig]) -> Self:
        """It failed: with an exception, a message, or what a provider told of an error."""
        return self._fail(error, more)

    def _fail(self, error: Any, more: Mapping[str, Any]) -> Self:
        if self._recorded:
            settings = self._client.settings
            try:
                told, events = failure(error, more, self._trace_id, settings)
            except (
                Exception
            ) as trouble:  # exceptions are the application's, and may do anything when they are looked at
                notices.once(("error", type(error)), "%s could not be recorded: %r", type(error), trouble)
                told, events = {"status_message": type(error).__name__}, {}
            piece = Piece(settings)
            piece.told = events
            self._send(piece, {"level": "ERROR", **told}, pieces.moment())
        return self


def failure(
    error: Any, more: Mapping[str, Any], trace_id: str | None, settings: Settings
) -> tuple[dict[str, Any], dict[str, str]]:
    """Return the fields that an error tells, and of an exception its traceback, as JSON, once in a trace."""
    events = {}
    # By its type, since a proxy of something that is not there raises when it is asked for its class.
    if issubclass(type(error), BaseException):
        told: dict[str, Any] = {"message": said(error), "type": type(error).__name__, **more}
        if trace_id is None or getattr(error, RECORDED, None) != trace_id:
            events["events"] = pieces.exception(error, settings)
            with contextlib.suppress(AttributeError, TypeError):
                setattr(error, RECORDED, trace_id)
    elif issubclass(type(error), str):
        told = {"message": error, **more}
    else:
        told = merged(error, more)
    known = {"status_message": told.pop("message", None)}
    known |= {f"error_{key}": told.pop(key, None) or None for key in ("type", "code")}
    return known | ({"metadata": told} if told else {}), events


def identity(fields: Mapping[str, Any]) -> str:
    """Return the id that a config tells, or one that is made up."""
    return named(fields.get("id"))


def named(id: Any) -> str:
    """Return an id as text; one that is made up for what is none. Never raises."""
    if id is not None:
        try:
            if text := attributes.plain(id):
                if len(text) > LONGEST_ID:
                    notices.once("id", "an id has %d characters; it is cut to %d", len(text), LONGEST_ID)
                return text[:LONGEST_ID]
        except Exception:  # whatever an object does when it is asked what it is
            notices.once(("id", type(id)), "%s is no id; another one is made up", type(id))
    return uuid4().hex
