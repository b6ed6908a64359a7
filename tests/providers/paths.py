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


LATEST = {
    "OTEL_SEMCONV_STABILITY_OPT_IN": "gen_ai_latest_experimental",
    "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT": "span_only",
}

PATHS = [
    Path("`langfuse.openai` 5.0, chat", "openai", "instrumented", "openai_chat.py", ("langfuse",)),
    Path("`langfuse.openai` 5.0, responses", "openai", "instrumented", "openai_responses.py", ("langfuse",)),
    Path("`langfuse.openai` 3.15, chat", "openai", "langfuse-3.15.0", "openai_chat.py", ("langfuse",)),
    Path("`langfuse.openai` 3.15, responses", "openai", "langfuse-3.15.0", "openai_responses.py", ("langfuse",)),
    Path("OpenInference OpenAI, chat", "openai", "instrumented", "openai_chat.py", ("openinference",)),
    Path("OpenInference OpenAI, responses", "openai", "instrumented", "openai_responses.py", ("openinference",)),
    Path("OpenInference OpenAI Agents", "openai", "instrumented", "openai_agents.py"),
    Path("OpenLLMetry OpenAI, chat", "openai", "instrumented", "openai_chat.py", ("openllmetry",)),
    Path("OpenLLMetry OpenAI, responses", "openai", "instrumented", "openai_responses.py", ("openllmetry",)),
    Path("`openai-v2`, latest", "openai", "instrumented", "openai_chat.py", ("opentelemetry",), LATEST),
    Path("`openai-v2`, as it comes", "openai", "instrumented", "openai_chat.py", ("opentelemetry",)),
    Path("OpenInference Anthropic", "anthropic", "instrumented", "anthropic_messages.py", ("openinference",)),
    Path("OpenLLMetry Anthropic", "anthropic", "instrumented", "anthropic_messages.py", ("openllmetry",)),
    *(
        Path(f"{teller}, {what}, {api}", api.partition("-")[0], "instrumented", "langchain_models.py", (api, form, teller))
        for teller in ("openinference", "langfuse")
        for form, what in (("model", "LangChain"), ("graph", "LangGraph"))
        for api in ("openai", "openai-responses", "anthropic")
    ),
]
