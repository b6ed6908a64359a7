"""Generations, calls of tools and retrievals: what has an input and, one day, a result."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Self, TypeVar, Unpack

from genscope.sdk.logger.configs import ErrorConfig
from genscope.sdk.logger.thing import Part
from genscope.sdk.results import Result, understand
from genscope.sdk.streams import is_stream, watch

if TYPE_CHECKING:
    from genscope.sdk.client import Client
    from genscope.sdk.pieces import Name, Piece

Answer = TypeVar("Answer")


class Call(Part):
    """What ends with its result or its error."""

    __slots__ = ()

    def error(self, error: ErrorConfig | BaseException | str | None = None, /, **more: Unpack[ErrorConfig]) -> Self:
        """It failed, and ended: with an exception, a message, or what a provider told of an error."""
        self._fail(error, more)
        return self.end()


class Generation(Call):
    """One call to a model."""

    __slots__ = ("_provided",)

    def __init__(self, client: Client, name: Name, trace_id: str | None, recorded: bool) -> None:
        super().__init__(client, name, trace_id, recorded)
        #: Whether this handle was told the provider, who may be another than the one in whose format the answer is.
        self._provided = False

    def _send(self, piece: Piece, fields: Mapping[str, Any], moment: int, parent: Name | None = None) -> None:
        super()._send(piece, fields, moment, parent)
        self._provided = self._provided or fields.get("provider") is not None

    def result(self, answer: Answer) -> Answer:
        """The model answered; returns what it was given.

        An answer is the object that its library returned, or a dict like it: OpenAI (chat and responses), Anthropic, Gemini,
        Bedrock, LiteLLM. A stream is returned wrapped: its chunks pass on untouched, and when it ends this is told. The
        generation ends with it.
        """
        if not self._recorded:
            return answer
        if is_stream(answer):
            return watch(answer, self._answered, self._broke)
        result = understand(answer)
        if result is None:
            self._finish({"output": answer})
        else:
            self._answered(result)
        return answer

    def _answered(self, result: Result, first: int | None = None) -> None:
        fields: dict[str, Any] = {
            "answered_by": result.model,
            "output": result.output,
            "usage": result.usage,
            "answered_through": None if self._provided else result.provider,
            "service_tier": result.service_tier,
            "finish_reason": result.finish_reason,
            "response_id": result.id,
            "completion_start_time": first,
        }
        if result.error is not None:
            fields |= {"level": "ERROR", "status_message": result.error}
        self._finish(fields)

    def _broke(self, error: BaseException) -> None:
        self._fail(error, {})

    def set_model(self, model: str) -> Self:
        """The model that is asked."""
        return self._tell({"model": model})

    def set_provider(self, provider: str) -> Self:
        """Whose model it is."""
        return self._tell({"provider": provider})

    def set_model_parameters(self, parameters: Mapping[str, Any]) -> Self:
        """What the model is asked with."""
        return self._tell({"model_parameters": parameters})

    def add_message(self, message: Any) -> Self:
        """Another message to the model, after those that were told."""
        return self._tell({"message": message})

    def add_cost(self, cost: Mapping[str, float]) -> Self:
        """What it cost, in dollars by kind: `input`, `output`, `total`."""
        return self._tell({"cost": cost})


class ToolCall(Call):
    """A call of a tool."""

    __slots__ = ()

    def result(self, result: Answer) -> Answer:
        """The tool answered, and the call ended; returns what it was given."""
        self._finish({"output": result})
        return result


class Retrieval(Call):
    """A look-up of documents."""

    __slots__ = ()

    def input(self, query: Any) -> Self:
        """What was looked for."""
        return self._tell({"input": query})

    def output(self, docs: Any) -> Self:
        """What was found, with which the retrieval ended."""
        return self._finish({"output": docs})
