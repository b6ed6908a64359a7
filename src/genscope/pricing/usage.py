"""Token counts in one meaning, whatever the sender meant by them.

Inside Genscope `input` and `output` are totals and every other kind is a part of the one its name begins with. Senders
differ in the names, which `_ALIASES` translates, and in whether a total includes its parts, which depends on the shape
of what they sent (`_INCLUSIVE`) and, where that is not certain, on the numbers themselves.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from itertools import islice
from typing import Final

from genscope.model import Attributes, Json, Usage

#: The largest count. No call has a trillion tokens, and the sum of ten million such still fits the column.
_LARGEST: Final = 10**12
#: Kinds in one usage and letters in a kind's name; what goes beyond is no usage.
MOST_KINDS: Final = 64
LONGEST_KIND: Final = 64
#: Kinds that count calls beside the tokens, and are in no total of these.
FEES: Final = frozenset({"web_search", "file_search", "search"})
#: Names looked at in one usage; real ones have a few dozen.
_MOST_NAMES: Final = 1000

#: Kind -> names in use, in snake case and without `_tokens`; if a sender uses several, the first counts.
_ALIASES: Final[dict[str, tuple[str, ...]]] = {
    # Cohere tells what it bills beside what it counted
    "input": ("prompt", "billed_units_input", "input", "tokens_input"),
    "output": ("completion", "billed_units_output", "output", "candidates", "tokens_output"),
    "total": ("total",),
    "input_cache_read": (
        "cache_read_input",
        "cache_read",
        "input_cache_read",
        "input_cached",
        "cached_input",
        "cached",
        "cached_content",
        "cached_prompt",
        "prompt_cached",
        "prompt_cache_hit",
        # LangChain, of a call that OpenAI served in another tier
        "flex_cache_read",
        "priority_cache_read",
    ),
    "input_cache_write": (
        "cache_creation_input",
        "cache_creation",
        "cache_write_input",
        "cache_write",
        "input_cache_write",
        "input_cache_creation",
        "prompt_cache_write",
    ),
    "input_cache_write_5m": ("cache_creation_ephemeral_5m_input", "ephemeral_5m_input", "input_cache_creation_5m"),
    "input_cache_write_1h": ("cache_creation_ephemeral_1h_input", "ephemeral_1h_input", "input_cache_creation_1h"),
    "input_cache_read_audio": (
        "cache_audio_read",
        "input_cache_audio_read",
        "cached_tokens_details_audio",
        "cache_tokens_details_audio",
        "audio_cache_read_input",
    ),
    "input_cache_read_image": (
        "cache_image_read",
        "cached_tokens_details_image",
        "cache_tokens_details_image",
        "image_cache_read_input",
    ),
    "input_cache_read_text": (
        "cache_text_read",
        "cached_tokens_details_text",
        "cache_tokens_details_text",
        "text_cache_read_input",
    ),
    "output_citation": ("citation", "output_citation"),
    "output_reasoning": (
        "reasoning_output",
        "reasoning",
        "output_reasoning",
        "thoughts",
        "thinking",
        "flex_reasoning",
        "priority_reasoning",
    ),
    "output_audio": ("audio_output", "output_audio"),
    "output_accepted_prediction": ("accepted_prediction",),
    "output_rejected_prediction": ("rejected_prediction",),
    "input_audio": ("audio_input", "input_audio", "input_modality_audio"),
    "input_image": ("image_input", "input_image", "input_modality_image"),
    "input_video": ("video_input", "input_video", "input_modality_video"),
    "input_tool_use": ("tool_use_prompt", "tool_use_input", "input_tool_use"),
    "web_search": (
        "server_tool_use_web_search_requests",
        "web_search_requests",
        "web_search",
        "web_searches",
        "web_search_calls",
        "server_side_tool_usage_details_web_search_calls",
        "num_search_queries",
    ),
    "file_search": ("file_search", "file_searches", "file_search_calls"),
    "search": ("search_units", "billed_units_search_units"),
}
_KINDS: Final = {name: (rank, kind) for kind, names in _ALIASES.items() for rank, name in enumerate(names)}
#: The rank from which on a name is no known one, but tells at least which total it is a part of.
_GUESSED: Final = 97
_WORD_BORDER: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_UNIT: Final = re.compile(r"(_tokens?)?(_count)?$")
#: Counts of something else than tokens, which some senders put among them.
_NO_TOKENS: Final = re.compile(r"(characters|seconds|images|videos|files|requests|queries|pages)$")
#: Words in the names of what is no count: money, limits, speed.
_NO_COUNT: Final = re.compile(r"(^|_)(costs?|prices?|usd|per|max|min|limit|remaining|time|duration|latency)(_|$)")
_PART: Final = re.compile(r"(?:prompt|(input)|(output)|completion|candidates)(?:_tokens?)?(?:_details?)?_(.+)")

#: Names that only senders use whose totals include their parts: OpenAI (chat, responses), LangChain, AI SDK, Gemini.
#: Everything else counts parts beside the total: Anthropic, Bedrock, and the buckets of Langfuse's own `usage_details`.
_INCLUSIVE: Final = frozenset(
    {
        "prompt_tokens",
        "promptTokens",
        "prompt_tokens_details",
        "completion_tokens_details",
        "input_tokens_details",
        "output_tokens_details",
        "input_token_details",
        "output_token_details",
        "inputTokenDetails",
        "outputTokenDetails",
        "cachedInputTokens",
        "reasoningTokens",
        "promptTokenCount",
        "prompt_token_count",
    }
)
#: Names of Anthropic's for what was cached, counted beside `input_tokens`; its `output_tokens_details` are within the output.
_ANTHROPIC: Final = frozenset({"cache_read_input_tokens", "cache_creation_input_tokens"})
#: A name that Gemini or Perplexity uses -> the part that its totals leave out, though `prompt` includes what was cached.
_BESIDE: Final = {
    "citation_tokens": "output_citation",
    "num_search_queries": "output_reasoning",
    "candidatesTokenCount": "output_reasoning",
    "candidates_token_count": "output_reasoning",
    "toolUsePromptTokenCount": "input_tool_use",
    "tool_use_prompt_token_count": "input_tool_use",
}


def from_details(details: Attributes) -> Usage | None:
    """Usage from a provider's usage object or from Langfuse's `usage_details`; None if it holds no count.

    Objects within it (`prompt_tokens_details`) are read two levels deep, counts may be numeric strings.
    """
    counts = _counts(_leaves(details))
    inclusive = _INCLUSIVE.intersection(details)
    if inclusive == {"output_tokens_details"} and not _ANTHROPIC.isdisjoint(details):
        return _usage(counts, ("input",))
    if inclusive:
        return _usage(counts, tuple(part for name, part in _BESIDE.items() if name in details) or _beside(counts))
    return _usage(counts, ("input", "output"))


def from_attributes(attributes: Attributes, beside: tuple[str, ...] = (), rest: str | None = None) -> Usage | None:
    """Usage from one attribute per kind, `gen_ai.usage.*` (names without that prefix); None if there is none.

    The convention's totals include their parts. A sender whose numbers cannot be meant so (parts larger than their
    total, or a `total` that is the sum of everything) counts its parts beside it, as Anthropic's own API does; of which
    sides (`input`, `output`) that is known anyway, `beside` tells. `rest` is the kind of what a `total` has beyond input
    and output: Gemini's thoughts, which many senders leave out of both.
    """
    counts = _counts(attributes)
    if rest is not None and rest not in counts and counts.keys() >= {"total", "input", "output"}:
        left = counts["total"] - counts["input"] - counts["output"]
        if left > 0:
            counts[rest] = left
    return _usage(counts, (*beside, *_beside(counts)))


def parts(details: Attributes) -> Usage:
    """The counts of well-known parts in a provider's own object, for totals that were told elsewhere."""
    return _counts({name: value for name, value in _leaves(details).items() if _is_part(name)})


def _is_part(name: str) -> bool:
    known = kind_of(name) if len(name) <= LONGEST_KIND else None
    return known is not None and known[0] < _GUESSED and known[1] not in ("input", "output", "total")


@lru_cache(maxsize=4096)
def ancestors(kind: str) -> tuple[str, ...]:
    """The kinds that `kind` may be a part of, nearest first: `input_cache_write_5m` is within `input_cache_write`."""
    words = kind.split("_")
    return tuple("_".join(words[:length]) for length in range(len(words) - 1, 0, -1))


@lru_cache(maxsize=4096)
def kind_of(name: str) -> tuple[int, str] | None:
    """The kind that a sender's `name` means, led by its rank among the names of that kind; None if it is no kind."""
    name = _WORD_BORDER.sub("_", name).lower().replace(".", "_").removeprefix("details_")
    name = _UNIT.sub("", name)
    known = _KINDS.get(name)
    if known:
        return known
    if _NO_TOKENS.search(name) or _NO_COUNT.search(name):
        return None
    part = _PART.fullmatch(name)
    if part is None:
        side = "input" if "input" in name else "output" if "output" in name else None
        return (_GUESSED + 1, f"{side}_{name.replace(side, '').strip('_')}".replace("__", "_")) if side else None
    side = "input" if part[1] or name.startswith("prompt") else "output"
    nested = _KINDS.get(f"{side}_{part[3]}") or _KINDS.get(part[3])
    if nested and nested[1].startswith(side):
        return 50 + nested[0], nested[1]
    return _GUESSED, f"{side}_{part[3]}"


def _leaves(details: Attributes) -> Attributes:
    """The counts of an object and of those within it, named after both."""
    return dict(islice(_leaf(details, "", 2), _MOST_NAMES))


def _leaf(details: Attributes, prefix: str, deep: int) -> Iterator[tuple[str, Json]]:
    for name, value in details.items():
        within = value if isinstance(value, dict) else _by_modality(value) if isinstance(value, list) else None
        if within is None:
            yield prefix + name, value
        elif deep:
            yield from _leaf(within, f"{prefix}{name}_", deep - 1)


def _by_modality(counts: list[Json]) -> Attributes:
    """Gemini's details: `[{"modality": "AUDIO", "tokenCount": 9}]`."""
    found: Attributes = {}
    for count in counts[:MOST_KINDS]:
        modality = count.get("modality") if isinstance(count, dict) else None
        if isinstance(count, dict) and isinstance(modality, str):
            found[modality] = count.get("tokenCount", count.get("token_count"))
    return found


def _counts(named: Attributes) -> dict[str, int]:
    """Kind -> count, by the best name of each kind, in the order in which the sender named them."""
    best: dict[str, tuple[int, int]] = {}
    for name, value in islice(named.items(), _MOST_NAMES):
        known = kind_of(name) if len(name) <= LONGEST_KIND and len(best) < MOST_KINDS else None
        if known is None:
            continue
        rank, kind = known
        number = _count(value)
        if number is not None and (kind not in best or rank < best[kind][0]):
            best[kind] = (rank, number)
    return {kind: number for kind, (_, number) in best.items()}


def _count(value: Json) -> int | None:
    if type(value) is int:
        return value if 0 <= value <= _LARGEST else None
    if isinstance(value, str):
        value = int(value) if len(value) < 20 and value.isascii() and value.isdecimal() else None
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        return None
    return value if 0 <= value <= _LARGEST else None


@lru_cache(maxsize=1024)
def _parts(kinds: tuple[str, ...], side: str) -> tuple[str, ...]:
    """The kinds that are parts of `side`, but not parts of another of its parts."""
    return tuple(
        kind
        for kind in kinds
        if kind.startswith(f"{side}_") and not any(whole in kinds and whole != side for whole in ancestors(kind))
    )


def _beside(counts: dict[str, int]) -> tuple[str, ...]:
    """The sides whose total, by the numbers themselves, cannot include its parts."""
    beside = []
    sums = []
    for side in ("input", "output"):
        parts = _parts(tuple(counts), side)
        sums.append(sum([counts[kind] for kind in parts]))
        if parts and side in counts and sums[-1] > counts[side]:
            cached = sum([counts[kind] for kind in parts if kind.startswith("input_cache")])
            if max(cached, *[counts[kind] for kind in parts]) > counts[side]:
                beside.append(side)
    if not beside and "total" in counts and "input" in counts and "output" in counts:
        inputs, outputs = sums
        excess = counts["total"] - counts["input"] - counts["output"]
        if excess > 0:
            for sides, amount in ((["input"], inputs), (["output"], outputs), (["input", "output"], inputs + outputs)):
                if excess == amount:
                    return tuple(sides)
    return tuple(beside)


def _usage(counts: dict[str, int], beside: tuple[str, ...]) -> Usage | None:
    """`counts` with inclusive totals. `beside` names the sides, or the parts, that a total does not include yet."""
    if not counts:
        return None
    usage: Usage = {}
    for side in ("input", "output"):
        total = counts.get(side)
        parts = [counts[kind] for kind in _parts(tuple(counts), side) if side in beside or kind in beside]
        if parts:
            total = (total or 0) + sum(parts)
        if total is not None:
            usage[side] = min(total, _LARGEST)
    told = counts.get("total")
    if "input" in usage and "output" in usage:
        usage["total"] = min(usage["input"] + usage["output"], _LARGEST)
    elif told is not None:
        usage["total"] = told
    usage.update({kind: count for kind, count in counts.items() if kind not in ("input", "output", "total")})
    return usage
