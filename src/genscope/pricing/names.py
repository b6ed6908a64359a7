"""What a model's name says: who sells the model, and what that seller's price list may call it.

Names reach Genscope with what gateways, clouds and paths put around them: `bedrock/us.anthropic.claude-...`,
`publishers/google/models/gemini-2.5-pro`, `openrouter/openai/gpt-4o`. Sources: the providers' documentation of model ids,
LiteLLM's list of provider prefixes, OpenRouter's of model variants.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

#: What stands before a `/` -> the seller, by the price list's name: gateways' prefixes, and makers who sell themselves.
_SELLERS: Final = {
    **{
        name: name
        for name in (
            "anthropic",
            "azure",
            "cerebras",
            "cohere",
            "databricks",
            "deepseek",
            "fireworks",
            "google",
            "groq",
            "minimax",
            "mistral",
            "moonshotai",
            "novita",
            "openai",
            "openrouter",
            "perplexity",
            "together",
            "voyageai",
            "x-ai",
            "zai",
        )
    },
    **dict.fromkeys(("amazon-bedrock", "aws", "aws_bedrock", "bedrock", "bedrock_converse"), "aws"),
    **dict.fromkeys(("azure_ai", "azure_text"), "azure"),
    **dict.fromkeys(("gemini", "google-ai-studio", "google-vertex", "google_genai"), "google"),
    **dict.fromkeys(("vertex", "vertex_ai", "vertex_ai_beta"), "google"),
    "cohere_chat": "cohere",
    "fireworks_ai": "fireworks",
    "mistralai": "mistral",
    "moonshot": "moonshotai",
    "together_ai": "together",
    "voyage": "voyageai",
    "xai": "x-ai",
    "z-ai": "zai",
}
#: Shapes of a whole name -> the seller that the shape tells, if it does. The group is what remains to be read; what has
#: none is nothing that a list prices: one's own deployments, tunings and profiles, and the government's regions, whose
#: prices differ.
_SHAPES: Final = (
    (re.compile(r"arn:aws:bedrock:(?!us-gov)[^/]*:(?:foundation-model|inference-profile)/(.+)"), "aws"),
    (re.compile(r"arn:.*|us-gov[.-].*"), None),
    (re.compile(r"(?:converse|converse_like|invoke)/(.+)"), "aws"),
    (re.compile(r"(?!us-gov)[a-z]{2}-[a-z]+-\d/(.+)"), "aws"),
    (re.compile(r"projects/[^/]+/locations/[^/]+/(publishers/.+)"), "google"),
    (re.compile(r"publishers/[^/]+/models/(.+)"), "google"),
    (re.compile(r"projects/.*|endpoints/.*|tunedmodels/.*"), None),
    (re.compile(r"models/(.+)"), None),
    (re.compile(r"accounts/(?!fireworks/).*"), None),
)
_FIREWORKS: Final = "accounts/fireworks/"
#: Makers as Bedrock's model ids begin with them, after an optional region (`us.`, `eu.`, `apac.`, `global.`).
_BEDROCK: Final = re.compile(
    r"(?:[a-z]{2,6}\.)?(?:ai21|amazon|anthropic|cohere|deepseek|meta|mistral|moonshotai|nvidia|openai|qwen|writer|zai)\..+"
)
#: OpenRouter's variants. Of the models that a list does not have itself, those that cost what the model does.
_VARIANT: Final = re.compile(r"(.+):(?:free|floor|nitro|online|exacto|extended|thinking|beta)")
_SAME_PRICE: Final = re.compile(r"(.+):(?:thinking|beta)")
#: What Vertex (`@20250929`, `@default`) and Claude Code (`[1m]`) put behind a name.
_TAIL: Final = re.compile(r"(.+?)(?:@(?:\d{8}|default|latest|\d{3})|\[1m\])")

#: Prefixes that are looked behind; a gateway's model of another gateway has three.
_MOST_PREFIXES: Final = 5


class Name(NamedTuple):
    """What a name says."""

    #: By the price list's name of it; None if the name does not tell.
    seller: str | None
    #: What the seller may call the model, best first; empty for what no list prices.
    models: tuple[str, ...]
    #: Whether everything around the model's own name was understood, so that others than the seller may be asked.
    plain: bool


def read(model: str) -> Name:
    """What `model`, in any case, says."""
    rest = model.strip().lower()
    seller: str | None = None
    models = [rest]
    while len(models) <= _MOST_PREFIXES:
        sold, within = _step(rest)
        if within is None:
            return Name(None, (), plain=False)
        seller = seller or sold
        if within == rest:
            break
        rest = within
        models.append(rest)
    if _VARIANT.fullmatch(rest):
        seller = "openrouter"
    models += [
        shape[1] for name in tuple(models) for shape in (_TAIL.fullmatch(name), _SAME_PRICE.fullmatch(name)) if shape
    ]
    plain = "/" not in rest and (":" not in rest or rest.startswith("ft:"))
    return Name(seller, tuple(dict.fromkeys(models)), plain)


def _step(name: str) -> tuple[str | None, str | None]:
    """Who sells `name`, and what remains of it without its first prefix; None for what no list prices."""
    for shape, seller in _SHAPES:
        found = shape.fullmatch(name)
        if found:
            return seller, found[1] if shape.groups else None
    if name.startswith(_FIREWORKS):
        return "fireworks", name
    if _BEDROCK.fullmatch(name):
        return "aws", name
    prefix, _, rest = name.partition("/")
    return (_SELLERS[prefix], rest) if rest and prefix in _SELLERS else (None, name)
