"""What an answer of a model says, whoever gave it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Result:
    """An answer in Genscope's vocabulary. None means that the answer does not tell."""

    #: The model, as the answer names it.
    model: str | None = None
    #: The message, or a list of them where there are several, as JSON in the provider's own shape.
    output: object | None = None
    #: Tokens by kind: `input` and `output` are totals, other kinds are parts of the one they are named after; `total` is told
    #: where one of the two is not known.
    usage: dict[str, int] | None = None
    #: Who answered, by OpenTelemetry's name, where the answer or the SDK that it came from tells; OpenAI's format tells nobody.
    provider: str | None = None
    #: The tier of service that was given, in the provider's words.
    service_tier: str | None = None
    #: Why the model stopped, in the provider's words.
    finish_reason: str | None = None
    #: The provider's id of the answer.
    id: str | None = None
    #: What went wrong, where the answer is the message of an error.
    error: str | None = None
