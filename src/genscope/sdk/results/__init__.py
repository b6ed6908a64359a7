"""Answers of models understood, by their shape: what was said, by which model, for how many tokens.

Each module has the tables of one provider's formats; nothing imports a provider's package. Nothing here raises, and what is not
known by its shape is None.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

from genscope.sdk.notices import log
from genscope.sdk.results import anthropic, bedrock, cohere, gemini, openai
from genscope.sdk.results.fields import Fields, fields, is_mock, told
from genscope.sdk.results.pieces import Gathering, Kept
from genscope.sdk.results.result import Result

__all__ = ["Pieces", "Result", "understand"]

_VENDORS: Final = (openai, anthropic, gemini, bedrock, cohere)
_ANSWERS: Final = tuple(answer for vendor in _VENDORS for answer in vendor.ANSWERS)
_STREAMS: Final = tuple(stream for vendor in _VENDORS for stream in vendor.STREAMS)
#: The package of an SDK -> its provider, by OpenTelemetry's name. Not so OpenAI's, which is used for many other servers.
_PACKAGES: Final = {
    "anthropic": "anthropic",
    "cohere": "cohere",
    "groq": "groq",
    "mistralai": "mistral_ai",
}
#: LiteLLM's names of providers, where OpenTelemetry has others.
_LITELLM: Final = {
    "azure": "azure.ai.openai",
    "azure_ai": "azure.ai.inference",
    "bedrock": "aws.bedrock",
    "bedrock_converse": "aws.bedrock",
    "gemini": "gcp.gemini",
    "mistral": "mistral_ai",
    "vertex_ai": "gcp.vertex_ai",
    "vertex_ai_beta": "gcp.vertex_ai",
    "xai": "x_ai",
}
#: What may stand in an answer that is an error and nothing else.
_OF_ERRORS: Final = frozenset({"error", "type", "object", "message", "code", "param", "request_id", "user_id"})


def understand(answer: object) -> Result | None:
    """Return what an answer says, given as the object that an SDK returned or as a dict; None for what is none. Never raises.

    docs/answers.md lists what is known.
    """
    if is_mock(answer):
        return None
    try:
        whole = fields(answer)
        read = next((read for fits, read in _ANSWERS if fits(whole)), None)
        if read is None:
            return _error(whole)
        return _from(read(whole), _sender(answer))
    except Exception:
        log.debug("an answer of %s was not understood", type(answer), exc_info=True)
        return None


def _error(whole: Fields) -> Result | None:
    """Return the error that providers answer with: `{"error": {"message": ...}}` or the text alone, and little beside it.

    OpenRouter's comes as an object of OpenAI's library, all of whose own fields are None; servers of vLLM have no `error` within.
    """
    error = whole if whole.get("object") == "error" else whole.get("error")
    message = told(error) or told(fields(error).get("message"))
    there = {name for name, value in whole.items() if value is not None}
    return Result(error=message) if message and there <= _OF_ERRORS else None


def _sender(answer: object) -> str | None:
    """Return the provider that the object itself tells, beside what is in the answer."""
    hidden = fields(getattr(answer, "_hidden_params", None))  # LiteLLM's
    name = told(hidden.get("custom_llm_provider"))
    if name:
        return _LITELLM.get(name, name)
    return _PACKAGES.get(answer.__class__.__module__.partition(".")[0])


def _from(result: Result, sender: str | None) -> Result:
    return replace(result, provider=sender) if sender and result.provider is None else result


class Pieces:
    """One answer that comes in pieces, as an SDK streams them. Never raises."""

    def __init__(self) -> None:
        self._gathering: Gathering | None = None
        self._sender: str | None = None
        self._text = Kept()

    def add(self, piece: object) -> bool:
        """Take a piece in; returns whether the model says something in it, so that the first such is the first token."""
        if isinstance(piece, str):
            return self._text.add("text", piece)
        if is_mock(piece):
            return False
        try:
            whole = fields(piece)
            if self._gathering is None:
                made: Any = next((made for fits, made in _STREAMS if fits(whole)), None)
                if made is None:
                    return True
                self._gathering = made()
                self._sender = _sender(piece)
            return self._gathering.add(whole) if self._gathering else True
        except Exception:
            log.debug("a piece of an answer was not understood: %s", type(piece), exc_info=True)
            return False

    def result(self) -> Result:
        """Return what came so far. Pieces that are text are a text; of others of no known kind nothing is known."""
        try:
            found = self._gathering.result() if self._gathering else Result(output=self._text.text("text") or None)
        except Exception:
            log.debug("an answer in pieces was not understood", exc_info=True)
            found = Result()
        return _from(found, self._sender)
