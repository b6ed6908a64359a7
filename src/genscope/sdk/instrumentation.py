"""Instrumentations of other libraries: found by their entry points and turned on, one for each. See docs/instrumentation.md."""

from __future__ import annotations

import logging
import os
import re
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from importlib.metadata import EntryPoint, PackageNotFoundError, distribution, entry_points
from typing import Any, Final

from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider

from genscope.sdk import notices
from genscope.sdk.settings import Settings

#: Where instrumentations register: OpenTelemetry's and OpenLLMetry's in the first, OpenInference's in both or in the second alone.
GROUPS: Final = ("opentelemetry_instrumentor", "openinference_instrumentor")
#: Variables by which instrumentations tell inputs and outputs, if they do not anyway; what is set already stays.
TELL: Final = {
    "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT": "span_only",
    "ANTHROPIC_OPEN_TELEMETRY_TRACES_CONTENT_MODE": "content",
}
#: Variables by which they do not. Some know but one switch for both.
HIDE_BOTH: Final = {
    "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT": "no_content",
    "ANTHROPIC_OPEN_TELEMETRY_TRACES_CONTENT_MODE": "no_content",
    "TRACELOOP_TRACE_CONTENT": "false",
}
HIDE_INPUT: Final = {**HIDE_BOTH, "OPENINFERENCE_HIDE_INPUTS": "true"}
HIDE_OUTPUT: Final = {**HIDE_BOTH, "OPENINFERENCE_HIDE_OUTPUTS": "true"}
#: By which OpenTelemetry's instrumentations know that the newest conventions are wanted, beside whatever else is.
OPT_IN: Final = "OTEL_SEMCONV_STABILITY_OPT_IN"
#: A standard variable: names, with commas between them, of what is not turned on unless it is asked for by name.
DISABLED: Final = "OTEL_PYTHON_DISABLED_INSTRUMENTATIONS"


def _anthropic(provider: TracerProvider, _settings: Settings) -> bool:
    """Newer versions trace themselves wherever a global tracer provider is; what they tell is a matter of variables."""
    traces_itself = os.path.exists(str(distribution("anthropic").locate_file("anthropic/_tracing.py")))
    return traces_itself and trace.get_tracer_provider() is provider


def _pydantic_ai(provider: TracerProvider, settings: Settings) -> bool:
    agents, instrumented = import_module("pydantic_ai"), import_module("pydantic_ai.models.instrumented")
    content = settings.capture_input and settings.capture_output
    agents.Agent.instrument_all(instrumented.InstrumentationSettings(tracer_provider=provider, include_content=content))
    return True


@dataclass(frozen=True, slots=True)
class Library:
    """A library for language models.

    Attributes:
        package: its package.
        instrumentations: the packages that instrument it, the best first.
        itself: has it trace itself, and returns whether it does.
        quiet: the variable that keeps it from that if it is `false`.
        tells: whose calls its instrumentation tells in traces that theirs know nothing of, by the packages that make them.
    """

    package: str
    instrumentations: tuple[str, ...] = ()
    itself: Callable[[TracerProvider, Settings], bool] | None = None
    quiet: str = ""
    tells: Mapping[str, str] = field(default_factory=dict)


def _known(package: str, openinference: str = "", genai: str = "", others: Sequence[str] = (), **more: Any) -> Library:
    """Return a library and its instrumentations: OpenInference's, OpenTelemetry's for GenAI, then OpenLLMetry's and the rest."""
    named = (
        (f"openinference-instrumentation-{openinference}", openinference),
        (f"opentelemetry-instrumentation-genai-{genai}", genai),
        *((f"opentelemetry-instrumentation-{name}", name) for name in others),
    )
    return Library(package, tuple(distribution for distribution, name in named if name), **more)


#: What calls what from within LangChain.
LANGCHAIN: Final = {
    "langchain-anthropic": "anthropic",
    "langchain-aws": "bedrock",
    "langchain-cohere": "cohere",
    "langchain-google-genai": "google-genai",
    "langchain-google-vertexai": "vertexai",
    "langchain-groq": "groq",
    "langchain-mistralai": "mistralai",
    "langchain-ollama": "ollama",
    "langchain-openai": "openai",
}
#: What `instrument=True` looks for, by the names that `instrument=[...]` takes.
LIBRARIES: Final[dict[str, Library]] = {
    # Before those that it tells of.
    "langchain": _known("langchain-core", "langchain", "langchain", ["langchain"], tells=LANGCHAIN),
    "ag2": _known("ag2", "ag2"),
    "agno": _known("agno", "agno", "agno", ["agno"]),
    "alephalpha": _known("aleph-alpha-client", others=["alephalpha"]),
    "anthropic": _known(
        "anthropic", "anthropic", "anthropic", ["anthropic"], itself=_anthropic, quiet="ANTHROPIC_OPEN_TELEMETRY"
    ),
    "autogen-agentchat": _known("autogen-agentchat", "autogen-agentchat"),
    "bedrock": _known("boto3", "bedrock", "bedrock", ["bedrock", "botocore"]),
    "beeai": _known("beeai-framework", "beeai"),
    "claude-agent-sdk": _known("claude-agent-sdk", "claude-agent-sdk"),
    "cohere": _known("cohere", "cohere", others=["cohere"]),
    "crewai": _known("crewai", "crewai", others=["crewai"]),
    "dspy": _known("dspy", "dspy", "dspy"),
    "google-adk": _known("google-adk", "google-adk"),
    "google-genai": _known("google-genai", "google-genai", others=["google-genai", "google-generativeai"]),
    "groq": _known("groq", "groq", others=["groq"]),
    "guardrails": _known("guardrails-ai", "guardrails"),
    "haystack": _known("haystack-ai", "haystack", others=["haystack"]),
    "instructor": _known("instructor", "instructor"),
    "litellm": _known("litellm", "litellm", others=["litellm"]),
    "llama-index": _known("llama-index-core", "llama-index", "llama-index", ["llamaindex"]),
    "mcp": _known("mcp", "mcp", others=["mcp"]),
    "mistralai": _known("mistralai", "mistralai", others=["mistralai"]),
    "ollama": _known("ollama", "ollama", others=["ollama"]),
    "openai": _known("openai", "openai", "openai", ["openai", "openai-v2"]),
    "openai-agents": _known("openai-agents", "openai-agents", "openai-agents", ["openai-agents"]),
    "portkey": _known("portkey-ai", "portkey", "portkey"),
    "pydantic-ai": _known("pydantic-ai-slim", itself=_pydantic_ai),
    "replicate": _known("replicate", others=["replicate"]),
    "smolagents": _known("smolagents", "smolagents", "smolagents"),
    "together": _known("together", "together", others=["together"]),
    "transformers": _known("transformers", others=["transformers"]),
    "vertexai": _known("google-cloud-aiplatform", "vertexai", others=["vertexai"]),
    "voyageai": _known("voyageai", others=["voyageai"]),
    "watsonx": _known("ibm-watsonx-ai", others=["watsonx"]),
    "writer": _known("writer-sdk", others=["writer"]),
}


def instrument(which: bool | Sequence[str], provider: TracerProvider, settings: Settings) -> list[str]:
    """Turn instrumentations on, and return of which libraries. Never raises: what does not work is logged.

    Args:
        which: True: of every library in `LIBRARIES` that is installed. Else names of these, or of any entry point.
        provider: where their spans go.
        settings: whether inputs and outputs are told.
    """
    try:
        return _instrument(which, provider, settings)
    except Exception:  # such as broken metadata of some package
        notices.log.warning("instrumentations could not be looked for", exc_info=True)
        return []


def _instrument(which: bool | Sequence[str], provider: TracerProvider, settings: Settings) -> list[str]:
    _set_variables(settings)
    found = [one for group in GROUPS for one in entry_points(group=group)]
    if which is True:
        disabled = {_plain(name) for name in os.environ.get(DISABLED, "").split(",")}
        wanted = [
            name for name, library in LIBRARIES.items() if _is_installed(library.package) and name not in disabled
        ]
    else:
        wanted = [_plain(name) for name in ([which] if isinstance(which, str) else which or ())]
    done: list[str] = []
    told: dict[str, str] = {}
    for name in wanted:
        if name in told:
            _keep_quiet(name, told[name])
        elif _turn_on(name, found, provider, settings):
            done.append(name)
            told |= dict.fromkeys(_told_by(name) if which is True else (), name)
    missing = [name for name in wanted if name not in done and name not in told]
    if which is True:
        _tell_what_else(done, missing)
    else:
        for name in missing:
            notices.log.warning(*_advice(name, found))
    notices.log.debug("instrumented: %s", ", ".join(done) or "nothing")
    return done


def _turn_on(name: str, found: Sequence[EntryPoint], provider: TracerProvider, settings: Settings) -> bool:
    """Have a library traced by the first of what can that works; return whether it is."""
    library = LIBRARIES.get(name)
    candidates = list(_candidates(name, found))
    if any(_is_on(one) for one in candidates):
        return True  # the application has seen to it
    if library and library.itself and _is_installed(library.package):
        try:
            if library.itself(provider, settings):
                return True
        except Exception:
            notices.log.warning("%s could not be told to trace itself", name, exc_info=True)
    return any(_works(one, provider) for one in candidates)


def _told_by(name: str) -> set[str]:
    """Return the libraries whose calls the instrumentation of another one tells of."""
    tells = LIBRARIES[name].tells if name in LIBRARIES else {}
    return {library for package, library in tells.items() if _is_installed(package)}


def _keep_quiet(name: str, teller: str) -> None:
    notices.log.info("%s is left to %s, which tells of it; to have what else calls it, name both", name, teller)
    if LIBRARIES[name].quiet:
        os.environ.setdefault(LIBRARIES[name].quiet, "false")


def _candidates(name: str, found: Sequence[EntryPoint]) -> Iterator[EntryPoint]:
    """Yield what instruments a library, the best first: of the packages that are known, then whatever goes by its name."""
    packages = LIBRARIES[name].instrumentations if name in LIBRARIES else ()
    of_packages = [one for package in packages for one in found if _package(one) == package]
    of_name = [one for one in found if _plain(one.name) == name]
    # OpenInference registers the same class in both groups.
    yield from {one.value: one for one in (*of_packages, *of_name)}.values()


def _package(one: EntryPoint) -> str:
    """Return the package of an entry point; empty where its metadata is gone, as what is left of a removed package."""
    try:
        return _plain(one.dist.name) if one.dist else ""
    except Exception:
        return ""


def _works(one: EntryPoint, provider: TracerProvider) -> bool:
    """Turn an instrumentation on; false if it cannot be, as where it wants another version of its library."""
    try:
        instrumentor: Any = one.load()()
        instrumentor.instrument(tracer_provider=provider, raise_exception_on_conflict=True)
        return bool(instrumentor.is_instrumented_by_opentelemetry)
    except Exception as error:
        notices.log.warning("the instrumentation %s does not work here: %s: %s", one.value, type(error).__name__, error)
        notices.log.debug("how it failed", exc_info=True)
        return False


def _is_on(one: EntryPoint) -> bool:
    """Whether the application has turned an instrumentation on itself. Nothing is imported or made to find out."""
    kind = getattr(sys.modules.get(one.module), one.attr, None)
    return getattr(getattr(kind, "_instance", None), "is_instrumented_by_opentelemetry", False) is True


def _set_variables(settings: Settings) -> None:
    """Have instrumentations tell inputs and outputs, each in its own way; or not, where the settings say so."""
    for name, value in TELL.items() if settings.capture_input and settings.capture_output else ():
        os.environ.setdefault(name, value)
    for name, value in HIDE_INPUT.items() if not settings.capture_input else ():
        os.environ[name] = value
    for name, value in HIDE_OUTPUT.items() if not settings.capture_output else ():
        os.environ[name] = value
    opted = [one for one in os.environ.get(OPT_IN, "").split(",") if one]
    os.environ[OPT_IN] = ",".join(dict.fromkeys([*opted, "gen_ai_latest_experimental"]))


def _tell_what_else(done: Sequence[str], missing: Sequence[str]) -> None:
    """Log what could be instrumented besides: aloud if nothing is, since a framework that is may well tell of the others."""
    packages = " ".join(LIBRARIES[name].instrumentations[0] for name in missing if LIBRARIES[name].instrumentations)
    if packages:
        level = logging.INFO if done else logging.WARNING
        notices.log.log(level, "%s not instrumented: pip install %s", ", ".join(missing), packages)
    elif not done:
        notices.log.warning("no library is installed that could be instrumented; known are %s", ", ".join(LIBRARIES))


def _advice(name: str, found: Sequence[EntryPoint]) -> tuple[str, *tuple[object, ...]]:
    """Return what to log of a library that nothing instruments: the message and its arguments."""
    library = LIBRARIES.get(name)
    if library is None:
        known = ", ".join(sorted({*LIBRARIES, *(_plain(one.name) for one in found)}))
        return "there is no instrumentation named %r; known are %s", name, known
    if not _is_installed(library.package):
        return "%s is not instrumented: %s is not installed", name, library.package
    if list(_candidates(name, found)) or not library.instrumentations:
        return "%s is not instrumented, since nothing that could works here", name
    return "%s is not instrumented: pip install %s", name, library.instrumentations[0]


def _is_installed(package: str) -> bool:
    try:
        return bool(distribution(package))
    except PackageNotFoundError:
        return False


def _plain(name: str) -> str:
    """Return a name as packages are compared: `google_genai` is `google-genai`."""
    return re.sub(r"[-_.\s]+", "-", name.strip()).lower()
