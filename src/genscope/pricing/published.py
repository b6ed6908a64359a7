"""Published prices that `genai-prices` 0.2.3 lacks or has differently, each with the page that says so.

docs/pricing.md lists them for the reader. Dollars per million tokens; of calls (`FEES`, `request`) per thousand.
"""

from __future__ import annotations

from typing import Final, NamedTuple


class Published(NamedTuple):
    """One price of a model."""

    prices: dict[str, str]
    #: ISO time from which it holds; empty: since ever.
    start: str = ""
    #: ISO time up to which it holds; empty: until the next one.
    end: str = ""
    #: Hours (UTC, `16:30-00:30`) of each day in which it holds; empty: all.
    hours: str = ""
    #: Prices of calls with more than so many input tokens.
    long: tuple[int, dict[str, str]] = (0, {})


def _deepseek(standard: dict[str, str], off_peak: dict[str, str], first: dict[str, str]) -> tuple[Published, ...]:
    # api-docs.deepseek.com, "Models & Pricing" and its change log, read 2025-02 to 2026-05
    return (
        Published(first),
        Published(standard, "2025-02-08T16:00Z"),
        Published(off_peak, "2025-02-26T16:30Z", "2025-09-05T16:00Z", "16:30-00:30"),
        # V3.1, one price for both names and no off-peak discount
        Published({"input": "0.56", "input_cache_read": "0.07", "output": "1.68"}, "2025-09-05T16:00Z"),
        # V3.2-Exp
        Published({"input": "0.28", "input_cache_read": "0.028", "output": "0.42"}, "2025-09-29T00:00Z"),
        # both names became names of V4 Flash
        Published({"input": "0.14", "input_cache_read": "0.0028", "output": "0.28"}, "2026-04-24T00:00Z"),
    )


_CHAT: Final = {"input": "0.27", "input_cache_read": "0.07", "output": "1.10"}
_REASONER: Final = {"input": "0.55", "input_cache_read": "0.14", "output": "2.19"}
_OFF_PEAK: Final = {"input": "0.135", "input_cache_read": "0.035", "output": "0.55"}
_O3: Final = {"web_search": "10", "file_search": "2.5"}

_SONNET: Final = {
    "input": "3",
    "input_cache_read": "0.3",
    "input_cache_write": "3.75",
    "input_cache_write_1h": "6",
    "output": "15",
    "web_search": "10",
}
_SONNET_LONG: Final = {
    "input": "6",
    "input_cache_read": "0.6",
    "input_cache_write": "7.5",
    "input_cache_write_1h": "12",
    "output": "22.5",
}

# Bedrock: no fee of searches, and regions are dearer by a tenth
_BEDROCK: Final = {kind: price for kind, price in _SONNET.items() if kind != "web_search"}
_BEDROCK_REGION: Final = {
    "input": "3.3",
    "input_cache_read": "0.33",
    "input_cache_write": "4.125",
    "input_cache_write_1h": "6.6",
    "output": "16.5",
}
_BEDROCK_REGION_LONG: Final = {
    "input": "6.6",
    "input_cache_read": "0.66",
    "input_cache_write": "8.25",
    "input_cache_write_1h": "13.2",
    "output": "24.75",
}
_BEDROCK_SONNET: Final = (Published(_BEDROCK, long=(200_000, _SONNET_LONG)),)

#: Seller and the list's name of the model -> its prices instead of the list's; the last one that holds counts.
CORRECTED: Final = {
    # The list has the cached price of June for the time before as well. OpenAI, "Pricing", 2025-04: 10, cached 2.50, 40
    ("openai", "o3"): (
        Published({"input": "10", "input_cache_read": "2.5", "output": "40", **_O3}),
        Published({"input": "2", "input_cache_read": "0.5", "output": "8", **_O3}, "2025-06-10T00:00Z"),
    ),
    # The list has no long context, which cost double from its first day. Anthropic, "Pricing", 2025-08
    ("anthropic", "claude-sonnet-4-0"): (Published(_SONNET, long=(200_000, _SONNET_LONG)),),
    # The same at Bedrock. AWS, "Amazon Bedrock Pricing", "Long Context", 2025-10
    ("aws", "global.anthropic.claude-sonnet-4-20250514-v1:0"): _BEDROCK_SONNET,
    ("aws", "regional.anthropic.claude-sonnet-4-20250514-v1:0"): _BEDROCK_SONNET,
    ("aws", "global.anthropic.claude-sonnet-4-5-20250929-v1:0"): _BEDROCK_SONNET,
    ("aws", "regional.anthropic.claude-sonnet-4-5-20250929-v1:0"): (
        Published(_BEDROCK_REGION, long=(200_000, _BEDROCK_REGION_LONG)),
    ),
    # The list has the prices of February 2025 for all times
    ("deepseek", "deepseek-chat"): _deepseek(
        _CHAT, _OFF_PEAK, {"input": "0.14", "input_cache_read": "0.014", "output": "0.28"}
    ),
    ("deepseek", "deepseek-reasoner"): _deepseek(_REASONER, _OFF_PEAK, _REASONER),
    # The list has the fee of the largest search context; the default is the smallest. Perplexity, "Pricing", 2025
    ("perplexity", "sonar"): (Published({"input": "1", "output": "1", "request": "5"}),),
    ("perplexity", "sonar-pro"): (Published({"input": "3", "output": "15", "request": "6"}),),
    ("perplexity", "sonar-reasoning"): (Published({"input": "1", "output": "5", "request": "5"}),),
    ("perplexity", "sonar-reasoning-pro"): (Published({"input": "2", "output": "8", "request": "6"}),),
}

_COHERE_RERANK: Final = (Published({"search": "2"}),)
_COHERE_EMBED: Final = (Published({"input": "0.1"}),)
_VOYAGE_RERANK: Final = (Published({"input": "0.05"}),)
_VOYAGE_RERANK_LITE: Final = (Published({"input": "0.02"}),)

#: Seller and name of a model that the list lacks -> its prices.
ADDED: Final = {
    # Cohere, "Pricing", 2025-06: $2 per thousand searches, which it counts as `search_units`
    ("cohere", "rerank-v3.5"): _COHERE_RERANK,
    ("cohere", "rerank-english-v3.0"): _COHERE_RERANK,
    ("cohere", "rerank-multilingual-v3.0"): _COHERE_RERANK,
    # Cohere, "Pricing", 2024-04
    ("cohere", "embed-english-v3.0"): _COHERE_EMBED,
    ("cohere", "embed-english-light-v3.0"): _COHERE_EMBED,
    ("cohere", "embed-multilingual-v3.0"): _COHERE_EMBED,
    ("cohere", "embed-multilingual-light-v3.0"): _COHERE_EMBED,
    # Voyage AI, "Pricing", 2025-09
    ("voyageai", "rerank-2.5"): _VOYAGE_RERANK,
    ("voyageai", "rerank-2.5-lite"): _VOYAGE_RERANK_LITE,
    ("voyageai", "rerank-2"): _VOYAGE_RERANK,
    ("voyageai", "rerank-2-lite"): _VOYAGE_RERANK_LITE,
    ("voyageai", "rerank-1"): _VOYAGE_RERANK,
    ("voyageai", "rerank-lite-1"): _VOYAGE_RERANK_LITE,
}


class Discount(NamedTuple):
    """What a tier of service costs of the standard price."""

    factor: str
    #: Beginnings of the kinds that keep the standard price.
    but: tuple[str, ...] = ()
    #: The list's names of the models; empty: all of the seller's.
    models: tuple[str, ...] = ()


#: Google, "Gemini API pricing", 2026-10: batch and flex half, priority 1.8 times
_GEMINI: Final = ("gemini-3.7-flash", "gemini-3.8-flash", "gemini-4-argon")
_GEMINI_HALF: Final = Discount("0.5", (), ("gemini-3.5-flash-lite", "gemini-3.6-flash", *_GEMINI))

#: Seller and tier -> its discount, for models and times of which the list has no price in that tier.
DISCOUNTS: Final = {
    # Anthropic, "Batch processing": 50 % off, which stacks with prompt caching
    ("anthropic", "batch"): Discount("0.5"),
    # OpenAI, "Batch API": 50 % off input and output; no price of cached input is published, so that it stays
    ("openai", "batch"): Discount("0.5", ("input_cache_read",)),
    # Mistral, "Batch": 50 % off every model
    ("mistral", "batch"): Discount("0.5"),
    # Voyage AI, "Batch": 33 % off
    ("voyageai", "batch"): Discount("0.67"),
    # Groq, "Flex processing": more requests, same price
    ("groq", "flex"): Discount("1"),
    ("google", "batch"): _GEMINI_HALF,
    ("google", "flex"): _GEMINI_HALF,
    ("google", "priority"): Discount("1.8", (), _GEMINI),
}
