"""Names of models as they reach Genscope, and whose price they get: one row per name, with the reason."""

from __future__ import annotations

import pytest

from genscope.model import Span
from genscope.pricing import price, price_list

TIME = 1_780_000_000_000_000_000


def applied(provider: str | None, model: str, host: str | None = None) -> str | None:
    """The rule of the price without its source and date: `openai/gpt-4o`."""
    span = Span("t", "s", TIME, type="generation", model=model, provider=provider, server_address=host)
    span.usage = {"input": 10, "output": 10} if "embed" not in model else {"input": 10}
    price(span)
    rule = span.cost_rule
    price(span)
    assert span.cost_rule == rule, "priced again with the provider that was found, it costs the same"
    if rule is None:
        assert span.cost_missing == "unknown_model"
        return None
    return rule.removeprefix(f"genai-prices {price_list.list_version()} ").removeprefix("published ")


@pytest.mark.parametrize(
    ("provider", "model", "expected", "why"),
    [
        ("openai", "gpt-4o-2024-08-06", "openai/gpt-4o", "a dated name at the price of its date"),
        ("openai", "gpt-4o-2024-05-13", "openai/gpt-4o-2024-05-13", "which was another one"),
        ("openai", "GPT-4o-Mini", "openai/gpt-4o-mini", "case tells nothing"),
        # fine-tuned
        ("openai", "ft:gpt-4o-mini-2024-07-18:org::id", "openai/ft:gpt-4o-mini", "at the prices of fine-tuned models"),
        ("openai", "ft:gpt-4.1-2025-04-14:org::id", None, "of which the list has none for this one"),
        ("openai", "ft:gpt-4-0613:org::id", None, "the list's own price is that of the model without tuning"),
        ("azure.ai.openai", "gpt-4o-mini-2024-07-18.ft-abc", None, "Azure bills these by the hour as well"),
        ("mistral_ai", "ft:open-mistral-7b:abc:20240101:xyz", None, "no price of tuned models"),
        ("gcp.gemini", "tunedModels/gemini-2.5-pro-x", None, "not the model it was tuned from"),
        # Azure
        ("azure.ai.openai", "gpt-4o-2024-08-06", "azure/gpt-4o", "a deployment named after its model"),
        ("azure.ai.openai", "gpt-35-turbo", "azure/gpt-3.5-turbo", "Azure's spelling"),
        ("azure.ai.openai", "our-chat", None, "a deployment may be anything"),
        ("azure.ai.openai", "o4-mini-deep-research", None, "not an o4-mini, which costs half"),
        # Bedrock
        (
            "aws.bedrock",
            "anthropic.claude-3-5-sonnet-20241022-v2:0",
            "aws/regional.anthropic.claude-3-5-sonnet-20241022-v2:0",
            "a model id",
        ),
        (
            "aws.bedrock",
            "apac.anthropic.claude-sonnet-4-20250514-v1:0",
            "aws/regional.anthropic.claude-sonnet-4-20250514-v1:0",
            "a profile of regions",
        ),
        (
            "aws.bedrock",
            "global.anthropic.claude-sonnet-4-5-20250929-v1:0",
            "aws/global.anthropic.claude-sonnet-4-5-20250929-v1:0",
            "global costs less than regional",
        ),
        (
            None,
            "eu.anthropic.claude-sonnet-4-5-20250929-v1:0",
            "aws/regional.anthropic.claude-sonnet-4-5-20250929-v1:0",
            "only Bedrock has such names",
        ),
        (
            "aws.bedrock",
            "us-gov.anthropic.claude-3-5-sonnet-20240620-v1:0",
            None,
            "the government's regions cost more, the list does not say how much",
        ),
        (
            "aws.bedrock",
            "arn:aws:bedrock:us-east-1::foundation-model/amazon.nova-pro-v1:0",
            "aws/amazon.nova-pro-v1:0",
            "an ARN that names the model",
        ),
        (
            "aws.bedrock",
            "arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.amazon.nova-pro-v1:0",
            "aws/amazon.nova-pro-v1:0",
            "an ARN that names the profile of one",
        ),
        (
            "aws.bedrock",
            "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/abcdef123",
            None,
            "one's own profile may be for anything",
        ),
        (
            "aws.bedrock",
            "arn:aws:bedrock:us-east-1:123456789012:custom-model/amazon.nova-pro-v1:0:300k/abc",
            None,
            "a tuned model runs on capacity by the hour",
        ),
        (
            "aws.bedrock",
            "arn:aws-us-gov:bedrock:us-gov-west-1::foundation-model/amazon.nova-pro-v1:0",
            None,
            "the government's regions again",
        ),
        # Vertex
        ("gcp.vertex_ai", "claude-sonnet-4-5@20250929", "google/claude-sonnet-4-5", "Vertex's version"),
        ("gcp.vertex_ai", "claude-opus-4-5@default", "google/claude-opus-4-5", "or the newest one"),
        ("gcp.vertex_ai", "publishers/google/models/gemini-2.5-pro", "google/gemini-2.5-pro", "a publisher's path"),
        (
            "gcp.vertex_ai",
            "projects/p/locations/us-central1/publishers/anthropic/models/claude-sonnet-4-5@20250929",
            "google/claude-sonnet-4-5",
            "a whole path",
        ),
        ("gcp.vertex_ai", "projects/p/locations/us-central1/endpoints/123", None, "an endpoint of one's own"),
        ("gcp.gemini", "models/gemini-2.5-flash", "google/gemini-2.5-flash", "the Gemini API's path"),
        # OpenRouter
        ("openrouter", "openai/gpt-4o", "openrouter/openai/gpt-4o", "maker and model"),
        (None, "openrouter/anthropic/claude-sonnet-4.5", "openrouter/anthropic/claude-sonnet-4.5", "LiteLLM's prefix"),
        ("openrouter", "deepseek/deepseek-r1:free", "openrouter :free", "costs nothing, whatever the model"),
        (None, "deepseek/deepseek-r1:free", "openrouter :free", "only OpenRouter has such names"),
        (
            "openrouter",
            "anthropic/claude-sonnet-4.5:thinking",
            "openrouter/anthropic/claude-sonnet-4.5",
            "the model's own price",
        ),
        ("openrouter", "openai/gpt-4o:online", None, "a fee for the search, of which nothing is told"),
        ("openrouter", "openai/gpt-4o:nitro", None, "the fastest seller, at that one's price"),
        ("openrouter", "meta-llama/llama-3.3-70b-instruct:floor", None, "the cheapest of the moment"),
        # LiteLLM and other gateways
        (
            "litellm",
            "bedrock/converse/us.anthropic.claude-sonnet-4-5-20250929-v1:0",
            "aws/regional.anthropic.claude-sonnet-4-5-20250929-v1:0",
            "route and API before the id",
        ),
        ("litellm", "bedrock/us-west-2/amazon.nova-pro-v1:0", "aws/amazon.nova-pro-v1:0", "or the region"),
        ("litellm", "azure/gpt-4o", "azure/gpt-4o", "the prefix is the seller"),
        ("litellm", "azure/our-chat", None, "a deployment behind a gateway"),
        ("litellm", "vertex_ai/gemini-2.5-pro", "google/gemini-2.5-pro", "the prefix is the seller"),
        ("litellm", "groq/llama-3.3-70b-versatile", "groq/llama-3.3-70b-versatile", "the prefix is the seller"),
        ("litellm", "groq/openai/gpt-oss-120b", "groq/openai/gpt-oss-120b", "the maker's prefix is Groq's name"),
        ("litellm", "voyage/voyage-3.5-embed", None, "no such model"),
        ("litellm", "anthropic/claude-sonnet-4-5", "anthropic/claude-sonnet-4-5", "Anthropic itself, not Vertex"),
        ("vercel", "google/gemini-2.5-pro", "google/gemini-2.5-pro", "gateways pass on what the maker charges"),
        ("litellm", "gpt-4o", "openai/gpt-4o", "as they do without a prefix"),
        # paths of those who run open models
        (
            None,
            "accounts/fireworks/models/gpt-oss-120b",
            "fireworks/gpt-oss-120b",
            "a path of Fireworks' own models",
        ),
        ("fireworks_ai", "accounts/acme/models/gpt-oss-120b", None, "a deployment of one's own"),
        (
            "litellm",
            "together_ai/meta-llama/Llama-3.3-70B-Instruct-Turbo",
            "together/meta-llama/Llama-3.3-70B-Instruct-Turbo",
            "Together's names have a slash",
        ),
        (None, "meta-llama/Llama-3.3-70B-Instruct", None, "a name of Hugging Face's, which anybody may serve"),
        (None, "deepseek-ai/DeepSeek-R1-Distill-Qwen-7B", None, "likewise, whatever it begins with"),
        # open weights, whose seller nobody told
        ("openai", "gpt-oss-120b", None, "OpenAI does not sell them"),
        (None, "openai/gpt-oss-120b", None, "likewise"),
        ("openai", "deepseek-r1:8b", None, "a tag of Ollama's"),
        ("openai", "deepseek-chat", "deepseek/deepseek-chat from 2026-04-24", "DeepSeek by OpenAI's SDK"),
        ("anthropic", "claude-sonnet-4-5[1m]", "anthropic/claude-sonnet-4-5", "Claude Code's long context"),
        ("anthropic", "gpt-4o", None, "Anthropic has none"),
    ],
)
def test_whose_price(provider: str | None, model: str, expected: str | None, why: str) -> None:
    assert applied(provider, model) == expected, why


@pytest.mark.parametrize(
    ("provider", "model", "host", "expected", "why"),
    [
        ("openai", "gpt-4o", "api.openai.com", "openai/gpt-4o", "OpenAI itself"),
        ("openai", "my-own", "api.openai.com", None, "which has no such model"),
        ("openai", "llama-3.3-70b-versatile", "api.groq.com", "groq/llama-3.3-70b-versatile", "the host is the seller"),
        ("openai", "openai/gpt-oss-120b", "api.groq.com", "groq/openai/gpt-oss-120b", "the host is the seller"),
        ("openai", "gpt-4o", "acme.openai.azure.com", "azure/gpt-4o", "the host is the seller"),
        (
            None,
            "claude-sonnet-4-5@20250929",
            "us-east5-aiplatform.googleapis.com",
            "google/claude-sonnet-4-5",
            "Vertex",
        ),
        ("openai", "openai/gpt-4o", "openrouter.ai", "openrouter/openai/gpt-4o", "the host is the seller"),
        # one's own machine
        ("openai", "mistral-nemo", "localhost", None, "an open model on a server of one's own"),
        ("openai", "deepseek-r1", "127.0.0.1", None, "likewise"),
        ("openai", "codestral-latest", "10.0.0.7", None, "a name that anybody can give"),
        ("openai", "command-r", "ollama", None, "a container beside this one"),
        ("openai", "gpt-oss-20b", "gpu.internal", None, "a private network"),
        ("openai", "gpt-4o", "localhost", "openai/gpt-4o", "nobody can run this: there is a gateway"),
        ("openai", "anthropic/claude-sonnet-4-5", "localhost", "anthropic/claude-sonnet-4-5", "likewise"),
        ("openai", "gpt-4o", "llm.acme.example", "openai/gpt-4o", "a gateway somewhere"),
        ("anthropic", "claude-sonnet-4-5", "localhost", "anthropic/claude-sonnet-4-5", "the provider was told"),
    ],
)
def test_the_server_tells_the_seller(
    provider: str | None, model: str, host: str, expected: str | None, why: str
) -> None:
    assert applied(provider, model, host) == expected, why


@pytest.mark.parametrize(
    "host",
    [None, "", "x" * 10_000, "[::1]", "\x00", "http://api.openai.com/v1"],
    ids=lambda host: str(host)[:9],
)
def test_any_host_will_do(host: str | None) -> None:
    span = Span("t", "s", TIME, type="generation", model="gpt-4o", usage={"input": 1})
    span.server_address = host
    price(span)
    assert span.cost is not None
