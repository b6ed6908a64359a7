"""Every path from a provider's answer to a span that is tried: an SDK, an instrumentation, a framework."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Path:
    """A program under `tests/clients/instrumented`, run in an environment of `tests/clients`.

    `provider` is a key of `conversation.PROVIDERS`, `variables` are environment variables of its own.
    """

    name: str
    provider: str
    environment: str
    program: str
    arguments: tuple[str, ...] = ()
    variables: dict[str, str] = field(default_factory=dict)


PATHS = [
    Path("`langfuse.openai` 5.0", "openai", "instrumented", "openai_chat.py", ("langfuse",)),
    Path("`langfuse.openai` 3.15", "openai", "langfuse-3.15.0", "openai_chat.py", ("langfuse",)),
    Path("OpenInference OpenAI", "openai", "instrumented", "openai_chat.py", ("openinference",)),
    Path("OpenLLMetry OpenAI", "openai", "instrumented", "openai_chat.py", ("openllmetry",)),
    Path("`opentelemetry-instrumentation-openai-v2`", "openai", "instrumented", "openai_chat.py", ("opentelemetry",)),
]
