"""Bedrock's answers: Converse, and InvokeModel with the bodies of models whose makers have no API that speaks them.

Bodies of Claude are `anthropic`'s, those of models that speak OpenAI's format are `openai`'s. No answer of Converse
names the model. What was read from and written to the cache stands beside the input.

Sources: https://docs.aws.amazon.com/bedrock/latest/APIReference/, https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters.html.
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any, Final

from genscope.sdk.results import anthropic, cohere, openai
from genscope.sdk.results.counts import Counts
from genscope.sdk.results.fields import Fields, fields, items, plain, told
from genscope.sdk.results.pieces import Gathering, Kept, parsed, place
from genscope.sdk.results.result import Result

PROVIDER: Final = "aws.bedrock"
#: Where the last piece of a stream tells what Bedrock counted.
_INVOCATION: Final = "amazon-bedrock-invocationMetrics"
_COUNTS: Final = Counts(
    {
        "inputTokens": "input",
        "outputTokens": "output",
        "totalTokens": "total",
        "cacheReadInputTokens": "input_cache_read",
        "cacheReadInputTokenCount": "input_cache_read",  # Nova's own body
        "cacheWriteInputTokens": "input_cache_write",
        "cacheWriteInputTokenCount": "input_cache_write",
        "cacheWrite5m": "input_cache_write_5m",
        "cacheWrite1h": "input_cache_write_1h",
    },
    beside=("input_cache_read", "input_cache_write"),
)
#: What Bedrock counts itself, whatever the model: in the headers of an answer and at the end of a stream.
_METRICS: Final = Counts(
    {
        "inputTokenCount": "input",
        "outputTokenCount": "output",
        "cacheReadInputTokenCount": "input_cache_read",
        "cacheWriteInputTokenCount": "input_cache_write",
        "x-amzn-bedrock-input-token-count": "input",
        "x-amzn-bedrock-output-token-count": "output",
        "x-amzn-bedrock-cache-read-input-token-count": "input_cache_read",
        "x-amzn-bedrock-cache-write-input-token-count": "input_cache_write",
    },
    beside=("input_cache_read", "input_cache_write"),
)


# --- Converse, and Nova's own body --------------------------------------------------------------------------------------


def _is_converse(answer: Fields) -> bool:
    return "stopReason" in answer and "content" in fields(fields(answer.get("output")).get("message"))


def _converse(answer: Fields) -> Result:
    routed = fields(fields(answer.get("trace")).get("promptRouter")).get("invokedModelId")
    return Result(
        model=told(routed),
        output=plain(answer["output"]["message"]),
        usage=_COUNTS.read(_with_lifetimes(fields(answer.get("usage")))),
        provider=PROVIDER,
        service_tier=told(fields(answer.get("serviceTier")).get("type")),
        finish_reason=told(answer.get("stopReason")),
        id=told(fields(answer.get("ResponseMetadata")).get("RequestId")),
    )


def _with_lifetimes(usage: Fields) -> Fields:
    """Return a usage with what was cached for how long: `cacheDetails` is a list of `{"ttl": "5m", "inputTokens": 90}`."""
    details = map(fields, items(usage.get("cacheDetails")))
    return {**usage, **{f"cacheWrite{detail.get('ttl')}": detail.get("inputTokens") for detail in details}}


class _Converse:
    """Events of ConverseStream."""

    def __init__(self) -> None:
        self._role: Any = "assistant"
        self._end: dict[str, Any] = {}
        self._blocks: dict[int, Any] = {}
        self._kept = Kept()

    def add(self, piece: Fields) -> bool:
        if delta := piece.get("contentBlockDelta"):
            return self._delta(place(fields(delta).get("contentBlockIndex")), fields(fields(delta).get("delta")))
        if start := piece.get("contentBlockStart"):
            block = self._kept.thing(fields(start).get("start"))
            if block:
                self._blocks[place(fields(start).get("contentBlockIndex"))] = block
            return bool(block)
        if start := piece.get("messageStart"):
            self._role = fields(start).get("role")
        for name in ("messageStop", "metadata"):
            self._end |= fields(piece.get(name))
        return False

    def _delta(self, index: int, delta: Fields) -> bool:
        said = self._kept.add((index, "text"), delta.get("text"))
        said = self._kept.add((index, "toolUse"), fields(delta.get("toolUse")).get("input")) or said
        reasoning = fields(delta.get("reasoningContent"))
        self._kept.add((index, "signature"), reasoning.get("signature"))
        if citation := self._kept.thing(delta.get("citation")):
            self._kept_of(index, "citations").append(citation)
        if redacted := self._kept.thing(reasoning.get("redactedContent")):
            self._kept_of(index, "redacted").append(redacted)
        return self._kept.add((index, "reasoning"), reasoning.get("text")) or said

    def _kept_of(self, index: int, name: str) -> list[Any]:
        found: list[Any] = self._blocks.setdefault(index, {}).setdefault(name, [])
        return found

    def result(self) -> Result:
        indices = sorted(self._blocks.keys() | {key[0] for key in self._kept})
        message = {"role": self._role, "content": [self._block(index) for index in indices]}
        return _converse({**self._end, "output": {"message": message if indices else None}})

    def _block(self, index: int) -> dict[str, Any]:
        block = dict(self._blocks.get(index, {}))
        citations, redacted = block.pop("citations", None), block.pop("redacted", None)
        text, reasoning = self._kept.text((index, "text")), self._kept.text((index, "reasoning"))
        if isinstance(block.get("toolUse"), dict):
            return {**block, "toolUse": block["toolUse"] | {"input": parsed(self._kept.text((index, "toolUse")))}}
        if redacted:
            return {"reasoningContent": {"redactedContent": "".join(redacted)}}
        if reasoning:
            signature = self._kept.text((index, "signature"))
            within = {"text": reasoning} | ({"signature": signature} if signature else {})
            return {"reasoningContent": {"reasoningText": within}}
        if citations:
            return {"citationsContent": {"content": [{"text": text}], "citations": citations}}
        return {**block, "text": text} if text else block


_EVENTS: Final = (
    "messageStart",
    "contentBlockStart",
    "contentBlockDelta",
    "contentBlockStop",
    "messageStop",
    "metadata",
)


def _is_event(piece: Fields) -> bool:
    return len(piece) == 1 and bool(fields(piece.get(next(iter(piece)), None))) and next(iter(piece)) in _EVENTS


# --- InvokeModel --------------------------------------------------------------------------------------------------------


def _is_titan(answer: Fields) -> bool:
    return "inputTextTokenCount" in answer and ("results" in answer or "embedding" in answer)


def _titan(answer: Fields) -> Result:
    results = [fields(result) for result in items(answer.get("results"))]
    texts = [text for result in results if (text := told(result.get("outputText")))]
    counts = [result.get("tokenCount") for result in results]
    spent = sum(number for number in counts if isinstance(number, int)) if counts else None
    return Result(
        output=_said(texts),
        usage=_METRICS.read({"inputTokenCount": answer.get("inputTextTokenCount"), "outputTokenCount": spent}),
        provider=PROVIDER,
        finish_reason=next((told(result.get("completionReason")) for result in results), None),
    )


def _is_llama(answer: Fields) -> bool:
    return isinstance(answer.get("generation"), str) and "prompt_token_count" in answer


def _llama(answer: Fields) -> Result:
    counts = {
        "inputTokenCount": answer.get("prompt_token_count"),
        "outputTokenCount": answer.get("generation_token_count"),
    }
    return Result(
        output=_said([answer["generation"]]),
        usage=_METRICS.read(counts),
        provider=PROVIDER,
        finish_reason=told(answer.get("stop_reason")),
    )


def _said(texts: list[str]) -> Any:
    messages = [{"role": "assistant", "content": text} for text in texts]
    return messages[0] if len(messages) == 1 else messages or None


def _is_call(answer: Fields) -> bool:
    return "body" in answer and bool(_headers(answer))


def _headers(answer: Fields) -> Fields:
    """Return the headers with Bedrock's counts. The body is the program's to read: once, and so it is left alone."""
    headers = fields(fields(answer.get("ResponseMetadata")).get("HTTPHeaders"))
    return headers if any(name.startswith("x-amzn-bedrock-") for name in headers) else {}


def _call(answer: Fields) -> Result:
    return Result(
        usage=_METRICS.read(_headers(answer)),
        provider=PROVIDER,
        service_tier=told(answer.get("serviceTier")),
        id=told(fields(answer.get("ResponseMetadata")).get("RequestId")),
    )


class _Text:
    """Pieces of models that answer with a text and nothing else: Titan's and Llama's."""

    def __init__(self) -> None:
        self._kept = Kept()
        self._last: dict[str, Any] = {}

    def add(self, piece: Fields) -> bool:
        self._last |= {name: value for name, value in piece.items() if value is not None}
        return self._kept.add("text", piece.get("outputText")) or self._kept.add("text", piece.get("generation"))

    def result(self) -> Result:
        last, text = self._last, self._kept.text("text")
        if "generation" in last:
            return _llama({**last, "generation": text})
        one = {"outputText": text, "tokenCount": last.get("totalOutputTextTokenCount")}
        return _titan({**last, "results": [one | {"completionReason": last.get("completionReason")}]})


def _is_text(piece: Fields) -> bool:
    return "outputText" in piece or (isinstance(piece.get("generation"), str) and "stop_reason" in piece)


#: What may stand in a piece of InvokeModelWithResponseStream.
_BODIES: Final = (*anthropic.STREAMS, *openai.STREAMS, *cohere.STREAMS, (_is_event, _Converse), (_is_text, _Text))


class _Invoked:
    """Pieces of InvokeModelWithResponseStream, each a JSON text in the model's own format."""

    def __init__(self) -> None:
        self._within: Gathering | None = None
        self._metrics: Any = None

    def add(self, piece: Fields) -> bool:
        try:
            body = json.loads(fields(piece.get("chunk")).get("bytes") or b"{}")
        except ValueError:
            return False
        self._metrics = fields(body).get(_INVOCATION) or self._metrics
        if self._within is None:
            made = next((made for fits, made in _BODIES if fits(fields(body))), None)
            self._within = made() if made else None
        return self._within.add(fields(body)) if self._within else False

    def result(self) -> Result:
        result = self._within.result() if self._within else Result()
        return replace(result, provider=PROVIDER, usage=result.usage or _METRICS.read(self._metrics))


def _is_piece(piece: Fields) -> bool:
    return "bytes" in fields(piece.get("chunk"))


ANSWERS: Final = ((_is_converse, _converse), (_is_titan, _titan), (_is_llama, _llama), (_is_call, _call))
STREAMS: Final = ((_is_event, _Converse), (_is_piece, _Invoked))
