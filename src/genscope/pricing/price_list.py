"""Who sells a model and at which prices: the price list of the `genai-prices` package, and what `published` adds to it.

The list carries the history of prices, tiers of context length and of service, and prices by kind, and needs no network.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, time
from decimal import Decimal
from functools import cache, lru_cache
from importlib.metadata import version
from typing import Any, Final

from genai_prices.data_snapshot import find_provider_by_id, get_snapshot
from genai_prices.types import (
    ConditionalPrice,
    ModelInfo,
    ModelPrice,
    Provider,
    StartDateConstraint,
    TieredPrices,
    TimeOfDateConstraint,
)

from genscope.pricing import names, published
from genscope.pricing.published import Published
from genscope.pricing.rates import Model, Rates, Tiers, Valid, Variant
from genscope.pricing.usage import FEES

#: Kind of usage -> the price list's name for its price per million tokens or thousand calls.
_PRICES: Final = {
    "input": "input_mtok",
    "input_audio": "input_audio_mtok",
    "input_cache_read": "cache_read_mtok",
    "input_cache_read_audio": "cache_audio_read_mtok",
    "input_cache_read_image": "cache_image_read_mtok",
    "input_cache_write": "cache_write_mtok",
    "input_cache_write_5m": "cache_write_5m_mtok",
    "input_cache_write_1h": "cache_write_1h_mtok",
    "input_image": "input_image_mtok",
    "input_text": "input_text_mtok",
    "input_video": "input_video_mtok",
    "output": "output_mtok",
    "output_audio": "output_audio_mtok",
    "output_citation": "output_citation_mtok",
    "output_image": "output_image_mtok",
    "output_reasoning": "output_reasoning_mtok",
    "output_text": "output_text_mtok",
    "output_video": "output_video_mtok",
    "web_search": "web_searches_kcount",
    "file_search": "storage_searches_kcount",
}
#: Provider by OpenTelemetry's name -> by the price list's, where the list does not know the former itself.
_PROVIDERS: Final = {
    "azure.ai.inference": "azure",
    "azure.ai.openai": "azure",
    "fireworks_ai": "fireworks",
    "gcp.gen_ai": "google",
    "meta": "meta",
    "moonshot_ai": "moonshotai",
    "x_ai": "x-ai",
}
#: The price list's name of a provider -> OpenTelemetry's, where they differ.
_NAMES: Final = {
    "aws": "aws.bedrock",
    "azure": "azure.ai.openai",
    "fireworks": "fireworks_ai",
    "google": "gcp.gemini",
    "mistral": "mistral_ai",
    "x-ai": "x_ai",
}
#: Makers of models, asked in this order for a model whose provider is not told.
_MAKERS: Final = ("openai", "anthropic", "google", "mistral", "cohere", "x-ai", "deepseek", "voyageai", "perplexity")
#: Providers that instrumentations name for any server that speaks their protocol, so that the model decides.
_ASSUMED: Final = frozenset({"openai"})

#: Servers that run models on the user's own machines, which nobody bills by the token; letters and digits only.
_SELF_HOSTED: Final = frozenset(
    {
        "gpt4all",
        "hostedvllm",
        "huggingfacetgi",
        "koboldcpp",
        "llamacpp",
        "llamafile",
        "lmdeploy",
        "lmstudio",
        "localai",
        "mlx",
        "mlxlm",
        "ollama",
        "ollamachat",
        "openllm",
        "ramalama",
        "sglang",
        "tensorrtllm",
        "textgenerationinference",
        "tgi",
        "triton",
        "tritoninferenceserver",
        "vllm",
        "xinference",
    }
)
#: Seller and model in the price list -> of the dearer kinds of input, those for which its page names the price of text.
_AS_TEXT: Final = {
    ("google", "gemini-2.0-flash"): ("video",),
    ("google", "gemini-2.5-flash"): ("video",),
    ("google", "gemini-2.5-flash-lite"): ("video",),
    ("google", "gemini-2.5-pro"): ("audio", "video"),
    ("google", "gemini-3-flash-preview"): ("video",),
    ("google", "gemini-3-pro-preview"): ("audio", "video"),
    ("google", "gemini-3.1-flash-lite"): ("video",),
    ("google", "gemini-3.1-pro-preview"): ("audio", "video"),
    ("google", "gemini-3.5-flash-lite"): ("audio", "video"),
    ("google", "gemini-3.6-flash"): ("audio", "video"),
    ("google", "gemini-3.8-flash"): ("audio", "video"),
    ("google", "gemini-4-argon"): ("audio", "video"),
}
#: Seller and model in the price list -> names that the list takes for the model, though it costs something else.
_MISTAKEN: Final = {
    # a fine-tuned model is not the model
    ("openai", "gpt-4"): re.compile("ft:.*"),
    # Azure's fine-tuned models, which it bills by the hour as well
    ("openai", "gpt-4o-mini-2024-07-18.ft-"): re.compile(".*"),
    ("azure", "o4-mini"): re.compile(".*deep-research.*"),
    # open weights that OpenAI does not sell; the list has the price of the cheapest who does
    ("openai", "gpt-oss-20b"): re.compile(".*"),
    ("openai", "gpt-oss-120b"): re.compile(".*"),
    ("openai", "gpt-oss-safeguard-20b"): re.compile(".*"),
}
#: Seller and models whose dearer hours are those of working days.
_WEEKDAYS: Final = {
    ("deepseek", "deepseek-flash"),
    ("deepseek", "deepseek-v4-flash"),
    ("deepseek", "deepseek-v4-pro"),
}
#: Context of a price in the list that is a tier of service by another name.
_TIERS: Final = frozenset({"processing", "service_tier", "speed"})

#: Hosts that are one's own: this machine, a private network, a container or service beside this one.
_OWN_HOST: Final = re.compile(
    r"[^.:]*|.*\.(?:internal|lan|local|localhost)|\[?::1\]?|0\.0\.0\.0"
    r"|(?:127|10)(?:\.\d+){3}|192\.168(?:\.\d+){2}|172\.(?:1[6-9]|2\d|3[01])(?:\.\d+){2}"
)
#: Beginnings of the names of models that nobody can run on a machine of their own: behind such a host is a gateway.
_ONLY_SOLD: Final = (
    "chatgpt-",
    "claude-",
    "gemini-",
    "gpt-3.5",
    "gpt-4",
    "gpt-5",
    "gpt-6",
    "grok-",
    "o1",
    "o3",
    "o4",
    "sonar",
    "text-embedding-",
    "voyage-",
)
_FREE: Final = ":free"

#: Letters in a name; a Bedrock ARN has about 150.
_LONGEST: Final = 300

_MILLION: Final = Decimal(1_000_000)
_THOUSAND: Final = Decimal(1_000)


def find(provider: str | None, model: str, host: str | None = None) -> Model | None:
    """The model called `model` by `provider` (OpenTelemetry's name of it), None if no price of it is known.

    `host`, the server that was asked, tells the seller where `provider` is no more than the protocol.
    """
    if len(model) > _LONGEST or (provider is not None and len(provider) > _LONGEST):
        return None
    if provider is not None and provider not in _ASSUMED:
        host = None
    return _find(provider, model, host if host is not None and len(host) <= _LONGEST else None)


@lru_cache(maxsize=4096)
def _find(provider: str | None, model: str, host: str | None) -> Model | None:
    if _self_hosted(provider or "") or ("/" in model and _self_hosted(model.partition("/")[0])):
        return None
    name = names.read(model)
    told = _seller(provider, host)
    if told is not None:
        found = _of(told, name.models, provider)
        if found is not None or provider not in _ASSUMED or host is not None:
            return found
    if name.seller is not None and name.seller not in _ASSUMED:
        return _of(name.seller, name.models, provider)
    if not name.plain:
        return None
    own = host is not None and _OWN_HOST.fullmatch(host.lower()) is not None
    if own and not name.models[-1].startswith(_ONLY_SOLD):
        return None
    for maker in _MAKERS:
        found = _of(maker, name.models[-1:], provider)
        if found is not None:
            return found
    return None


def _seller(provider: str | None, host: str | None) -> str | None:
    """The list's name of who was asked, None if that is not known: a gateway, a server of one's own."""
    if host is not None:
        url = f"https://{host.lower()}/"
        known = next((known for known in get_snapshot().providers if re.match(known.api_pattern, url)), None)
        if known is not None:
            return known.id
        if provider is None or _OWN_HOST.fullmatch(host.lower()):
            return None
    if provider is None:
        return None
    known = find_provider_by_id(get_snapshot().providers, _PROVIDERS.get(provider, provider))
    return known.id if known else None


def _self_hosted(provider: str) -> bool:
    """Whether `provider` is a server of one's own, however it is spelled: `llama.cpp`, `LM_Studio`, `ollama.chat`."""
    spelled = (provider, provider.partition(".")[0])
    return any("".join(filter(str.isalnum, name)).lower() in _SELF_HOSTED for name in spelled)


def _of(seller: str, models: tuple[str, ...], provider: str | None) -> Model | None:
    """The first of `models` that `seller` has, as sold by `provider`."""
    name = provider or _NAMES.get(seller, seller)
    for model in models:
        if (seller, model) in published.ADDED:
            return Model(name, _published(seller, model, published.ADDED[seller, model]))
    if seller == "openrouter" and any(model.endswith(_FREE) for model in models):
        return Model(name, ((Valid(), Rates({}, f"{seller} {_FREE}", flat=True)),))
    everyone = get_snapshot().providers
    known = find_provider_by_id(everyone, seller)
    for model in models if known is not None else ():
        info = known.find_model(model, all_providers=everyone) if known else None
        if known and info and not _mistaken(known, info, model):
            prices = _prices(known, info)
            return Model(name, prices, _variants(known, info), _discounts(seller, info.id, model)) if prices else None
    return None


def _mistaken(seller: Provider, info: ModelInfo, model: str) -> bool:
    owner = seller.id if info in seller.models else "openai"
    wrong = _MISTAKEN.get((owner, info.id))
    return wrong is not None and wrong.fullmatch(model) is not None


def _prices(seller: Provider, info: ModelInfo) -> tuple[tuple[Valid, Rates], ...]:
    corrected = published.CORRECTED.get((seller.id, info.id))
    if corrected is not None:
        return _published(seller.id, info.id, corrected)
    return _listed_prices(seller, info)


def _listed_prices(seller: Provider, info: ModelInfo) -> tuple[tuple[Valid, Rates], ...]:
    rule = f"genai-prices {list_version()} {seller.id}/{info.id}"
    as_text = _AS_TEXT.get((seller.id, info.id), ())
    listed = [ConditionalPrice(prices=info.prices)] if isinstance(info.prices, ModelPrice) else info.prices
    since: datetime | None = None
    prices = []
    for price in listed:
        valid = _valid(price.constraint, since, weekdays=(seller.id, info.id) in _WEEKDAYS)
        since = valid.start
        tiers = _listed(price.prices)
        request = vars(price.prices).get("requests_kcount")
        prices.append(
            (
                valid,
                Rates(tiers, f"{rule}{valid}", None if request is None else request / _THOUSAND, as_text=as_text),
            )
        )
    return tuple(prices)


def _valid(
    constraint: StartDateConstraint | TimeOfDateConstraint | None, since: datetime | None, *, weekdays: bool
) -> Valid:
    """Hours of a day hold since the day of the price before them: the list cannot say both."""
    if isinstance(constraint, StartDateConstraint):
        return Valid(datetime.combine(constraint.start_date, time(), UTC))
    if constraint is None:
        return Valid()
    hours = (constraint.start_time.replace(tzinfo=None), constraint.end_time.replace(tzinfo=None))
    return Valid(since, hours=hours, weekdays=weekdays)


def _variants(seller: Provider, info: ModelInfo) -> Mapping[str, tuple[Variant, ...]]:
    """What the seller itself lists; another's model costs what the other says in the standard tier alone."""
    found: dict[str, list[Variant]] = {}
    for variant in info.price_variants or () if info in seller.models else ():
        [*context] = variant.when.items()
        day = variant.constraint
        if len(context) == 1 and context[0][0] in _TIERS and not isinstance(day, TimeOfDateConstraint):
            start = datetime.combine(day.start_date, time(), UTC) if day else None
            found.setdefault(context[0][1], []).append(Variant(_listed(variant.prices), start))
    return {tier: tuple(variants) for tier, variants in found.items()}


def _discounts(seller: str, info: str, model: str) -> Mapping[str, tuple[Decimal, tuple[str, ...]]]:
    """Not of fine-tuned models, of which no seller says so."""
    return {
        tier: (Decimal(discount.factor), (*discount.but, *FEES))
        for (sold, tier), discount in published.DISCOUNTS.items()
        if sold == seller and not model.startswith("ft:") and info in (discount.models or (info,))
    }


def _listed(price: ModelPrice) -> dict[str, Tiers]:
    told = vars(price)
    return {kind: _tiers(kind, told[name]) for kind, name in _PRICES.items() if told.get(name) is not None}


def _tiers(kind: str, price: Any) -> Tiers:
    per = _per(kind)
    if isinstance(price, TieredPrices):
        return ((0, price.base / per), *((tier.start, tier.price / per) for tier in price.tiers))
    return ((0, price / per),)


def _per(kind: str) -> Decimal:
    return _THOUSAND if kind in FEES or kind == "request" else _MILLION


def _published(seller: str, model: str, prices: tuple[Published, ...]) -> tuple[tuple[Valid, Rates], ...]:
    return tuple(_one_published(f"published {seller}/{model}", price) for price in prices)


def _one_published(rule: str, price: Published) -> tuple[Valid, Rates]:
    begin, _, end = price.hours.partition("-")
    valid = Valid(
        datetime.fromisoformat(price.start) if price.start else None,
        datetime.fromisoformat(price.end) if price.end else None,
        (time.fromisoformat(begin), time.fromisoformat(end)) if price.hours else None,
    )
    start, long = price.long
    rates = {kind: Decimal(dollars) / _per(kind) for kind, dollars in price.prices.items()}
    request = rates.pop("request", None)
    tiers: dict[str, Tiers] = {
        kind: ((0, rate), (start, Decimal(long[kind]) / _per(kind))) if kind in long else ((0, rate),)
        for kind, rate in rates.items()
    }
    return valid, Rates(tiers, f"{rule}{valid}", request, flat=all(kind in FEES for kind in rates))


def provider_of(seller: str) -> str:
    """Return OpenTelemetry's name of a seller of the list."""
    return _NAMES.get(seller, seller)


@cache
def list_version() -> str:
    """The version of the price list, which is that of the `genai-prices` package."""
    return version("genai-prices")
