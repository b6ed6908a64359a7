"""What a model charges, from the price list of the `genai-prices` package.

The list carries the history of prices, tiers of context length and prices by kind of token, and needs no network.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache
from importlib.metadata import version
from typing import Any, Final

from genai_prices.data_snapshot import find_provider_by_id, get_snapshot
from genai_prices.types import ModelInfo, ModelPrice, Provider, StartDateConstraint, TieredPrices, TimeOfDateConstraint

from genscope.pricing.usage import ancestors

#: Kind of usage -> the price list's name for its price per million tokens.
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
}
#: Provider by OpenTelemetry's name -> by the price list's, where the list does not know the former itself.
_PROVIDERS: Final = {
    "azure.ai.inference": "azure",
    "azure.ai.openai": "azure",
    "fireworks_ai": "fireworks",
    "gcp.gen_ai": "google",
    "meta": "meta",
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
#: Makers as Bedrock's model ids begin with them, after an optional region.
_ON_BEDROCK: Final = ("ai21.", "amazon.", "anthropic.", "cohere.", "deepseek.", "meta.", "mistral.", "openai.", "qwen.")
#: What stands before a model's name without belonging to it.
_LEADS: Final = ("models/", "publishers/google/models/", "publishers/anthropic/models/")
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
#: What costs many times as much as text, so that without a price of its own its cost is not known.
_DEARER: Final = ("audio", "video")
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
    ("google", "gemini-3.8-flash"): ("audio", "video"),
}

#: Letters in a name; a Bedrock ARN has about 150.
_LONGEST: Final = 300

_MILLION: Final = Decimal(1_000_000)
_THOUSAND: Final = Decimal(1_000)


class Rates:
    """Dollars per token by kind, and per request, as one price of one model has them.

    `tiers`: kind -> rates by rising number of input tokens from which they hold, the first from 0. `rule` says whose
    price it is. `as_text` names the kinds of input, of those that usually are dearer, that cost what text does;
    `any_kind` that all kinds do. `flat`: the price per request is all there is, whatever the usage.
    """

    def __init__(
        self,
        tiers: Mapping[str, tuple[tuple[int, Decimal], ...]],
        rule: str,
        request: Decimal | None = None,
        *,
        as_text: tuple[str, ...] = (),
        any_kind: bool = False,
        flat: bool = False,
    ) -> None:
        self._tiers = tiers
        self._as_text = as_text
        self._dearer = () if any_kind else _DEARER
        self.request = request
        self.flat = flat
        #: Whether there is a price for input and none for output, as of a model that embeds.
        self.input_only = "input" in tiers and "output" not in tiers
        #: Whether a rate has more than the 12 digits that amounts are stored with, so that amounts need rounding.
        self.fine = any(_digits(rate) > 12 for rates in tiers.values() for _, rate in rates)
        starts = sorted({start for rates in tiers.values() for start, _ in rates[1:]})
        self._rules = ((0, rule), *((start, f"{rule} over {start} input tokens") for start in starts))

    def rule(self, input_tokens: int) -> str:
        """Which price a call of `input_tokens` is charged."""
        return next(rule for start, rule in reversed(self._rules) if input_tokens > start or not start)

    def rate(self, kind: str, input_tokens: int) -> Decimal | None:
        """Dollars per token of `kind` in a call of `input_tokens`; of what it is a part of, if it has no own rate.

        None if neither has one, and for audio and video without their own, unless these cost what text does.
        """
        tiers = self._tiers.get(kind)
        if tiers is None:
            side, _, modality = kind.rpartition("_")
            if modality in self._dearer and not (side.startswith("input") and modality in self._as_text):
                return None
            for whole in ancestors(kind):
                tiers = self._tiers.get(whole)
                if tiers is not None:
                    break
            else:
                return None
        rate = tiers[0][1]
        for start, dollars in tiers[1:]:
            if input_tokens > start:
                rate = dollars
        return rate


def _listed(price: ModelPrice, rule: str, as_text: tuple[str, ...]) -> Rates:
    told = vars(price)
    request = told.get("requests_kcount")
    return Rates(
        {kind: _tiers(told[name]) for kind, name in _PRICES.items() if told.get(name) is not None},
        rule,
        request / _THOUSAND if isinstance(request, Decimal) else None,
        as_text=as_text,
    )


def _digits(amount: Decimal) -> int:
    return -int(amount.normalize().as_tuple().exponent)


def _tiers(price: Any) -> tuple[tuple[int, Decimal], ...]:
    if isinstance(price, TieredPrices):
        return ((0, price.base / _MILLION), *((tier.start, tier.price / _MILLION) for tier in price.tiers))
    return ((0, price / _MILLION),)


@dataclass(slots=True, frozen=True)
class Model:
    """A model of the price list with all its prices; the last one whose condition holds is valid."""

    #: Whose prices these are, by OpenTelemetry's name.
    provider: str
    prices: tuple[tuple[StartDateConstraint | TimeOfDateConstraint | None, Rates], ...]

    def at(self, time: int) -> Rates:
        """The rates valid at `time` (nanoseconds since the epoch)."""
        if len(self.prices) > 1:
            moment = datetime.fromtimestamp(time // 1_000_000_000, UTC)
            for condition, rates in reversed(self.prices):
                if condition is None or condition.active(moment):
                    return rates
        return self.prices[0][1]


def find(provider: str | None, model: str) -> Model | None:
    """The model called `model` by `provider` (OpenTelemetry's name of it), None if the price list has none."""
    if len(model) > _LONGEST or (provider is not None and len(provider) > _LONGEST):
        return None
    return _find(provider, model)


@lru_cache(maxsize=4096)
def _find(provider: str | None, model: str) -> Model | None:
    found = _found(provider, model.strip().lower())
    if found is None:
        return None
    seller, info = found
    name = provider or _NAMES.get(seller.id, seller.id)
    as_text = _AS_TEXT.get((seller.id, info.id), ())
    rule = f"genai-prices {version('genai-prices')} {seller.id}/{info.id}"
    if isinstance(info.prices, ModelPrice):
        return Model(name, ((None, _listed(info.prices, rule, as_text)),))
    prices = tuple(
        (price.constraint, _listed(price.prices, rule + _since(price.constraint), as_text)) for price in info.prices
    )
    return Model(name, prices) if prices else None


def _since(constraint: StartDateConstraint | TimeOfDateConstraint | None) -> str:
    if isinstance(constraint, StartDateConstraint):
        return f" from {constraint.start_date}"
    return f" from {constraint.start_time:%H:%M} to {constraint.end_time:%H:%M} UTC" if constraint else ""


def _found(provider: str | None, model: str) -> tuple[Provider, ModelInfo] | None:
    if _self_hosted(provider or "") or ("/" in model and _self_hosted(model.partition("/")[0])):
        return None
    providers = get_snapshot().providers
    if provider is not None:
        known = find_provider_by_id(providers, _PROVIDERS.get(provider, provider))
        if known is not None:
            found = _of(known, model)
            if found is not None:
                return known, found
            if provider not in _ASSUMED:
                return None
    for name in _names(model):
        if name.startswith(_ON_BEDROCK) or name.partition(".")[2].startswith(_ON_BEDROCK):
            asked: Iterator[str] = iter(("aws",))
        else:
            asked = iter(_MAKERS)
        for maker in asked:
            known = find_provider_by_id(providers, maker)
            found = known.find_model(name) if known is not None else None
            if known is not None and found is not None:
                return known, found
    return None


def _self_hosted(provider: str) -> bool:
    """Whether `provider` is a server of one's own, however it is spelled: `llama.cpp`, `LM_Studio`, `ollama.chat`."""
    spelled = (provider, provider.partition(".")[0])
    return any("".join(filter(str.isalnum, name)).lower() in _SELF_HOSTED for name in spelled)


def _of(provider: Provider, model: str) -> ModelInfo | None:
    everyone = get_snapshot().providers
    return next((found for name in _names(model) if (found := provider.find_model(name, all_providers=everyone))), None)


def _names(model: str) -> Iterator[str]:
    """`model`, and what remains of it without what senders put before it."""
    yield model
    for lead in _LEADS:
        if model.startswith(lead):
            yield model.removeprefix(lead)
    if "/" in model:
        yield model.rpartition("/")[2]
