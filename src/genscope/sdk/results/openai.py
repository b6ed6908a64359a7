"""OpenAI's answers: Chat Completions, Completions, Responses and embeddings; also those of everybody else who speaks its format.

Sources: https://platform.openai.com/docs/api-reference; for what others add the references of Azure, DeepSeek, Groq, LiteLLM,
Moonshot, OpenRouter, Perplexity and xAI.
"""

from __future__ import annotations

from typing import Any, Final

from genscope.sdk.results.counts import Counts
from genscope.sdk.results.fields import Fields, fields, items, plain, told
from genscope.sdk.results.pieces import MOST_THINGS, Kept, place
from genscope.sdk.results.result import Result

_CHAT: Final = Counts(
    {
        "prompt_tokens": "input",
        "completion_tokens": "output",
        "total_tokens": "total",
        "cache_read_input_tokens": "input_cache_read",  # LiteLLM, of Anthropic; it has added them to the prompt
        "cached_tokens": "input_cache_read",  # Moonshot
        "prompt_cache_hit_tokens": "input_cache_read",  # DeepSeek
        "prompt_tokens_details.cached_tokens": "input_cache_read",
        "prompt_cache_miss_tokens": "input_cache_miss",
        "cache_creation_input_tokens": "input_cache_write",
        "prompt_tokens_details.cache_write_tokens": "input_cache_write",
        "prompt_tokens_details.audio_tokens": "input_audio",
        "prompt_tokens_details.image_tokens": "input_image",
        "prompt_tokens_details.text_tokens": "input_text",
        "reasoning_tokens": "output_reasoning",  # Perplexity
        "completion_tokens_details.reasoning_tokens": "output_reasoning",
        "completion_tokens_details.audio_tokens": "output_audio",
        "completion_tokens_details.image_tokens": "output_image",
        "completion_tokens_details.text_tokens": "output_text",
        "completion_tokens_details.accepted_prediction_tokens": "output_accepted_prediction",
        "completion_tokens_details.rejected_prediction_tokens": "output_rejected_prediction",
        "citation_tokens": "output_citation",
        "server_tool_use.web_search_requests": "web_search",
        "server_side_tool_usage_details.web_search_calls": "web_search",
        "num_search_queries": "web_search",
    },
    beside_if={"citation_tokens": "output_citation", "num_search_queries": "output_reasoning"},  # Perplexity
    denied=True,
)
_RESPONSES: Final = Counts(
    {
        "input_tokens": "input",
        "output_tokens": "output",
        "total_tokens": "total",
        "input_tokens_details.cached_tokens": "input_cache_read",
        "input_tokens_details.cache_write_tokens": "input_cache_write",
        "input_tokens_details.audio_tokens": "input_audio",
        "input_tokens_details.image_tokens": "input_image",
        "input_tokens_details.text_tokens": "input_text",
        "output_tokens_details.reasoning_tokens": "output_reasoning",
        "output_tokens_details.audio_tokens": "output_audio",
        "output_tokens_details.image_tokens": "output_image",
        "output_tokens_details.text_tokens": "output_text",
        "server_side_tool_usage_details.web_search_calls": "web_search",
    },
    denied=True,
)
#: A field that one seller alone adds -> the seller.
_SELLERS: Final = {
    "prompt_filter_results": "azure.ai.openai",
    "content_filters": "azure.ai.openai",
    "x_groq": "groq",
}


# --- Chat Completions, and Completions before them ----------------------------------------------------------------------


def _is_chat(answer: Fields) -> bool:
    return any(_is_choice(fields(choice)) for choice in items(answer.get("choices")))


def _is_choice(choice: Fields) -> bool:
    ended, message = "finish_reason" in choice or "stop_reason" in choice, fields(choice.get("message"))
    # Some servers leave out the role.
    return "role" in message or (ended and ("content" in message or isinstance(choice.get("text"), str)))


def _chat(answer: Fields) -> Result:
    choices = [fields(choice) for choice in answer["choices"]]
    said = [message for choice in choices if (message := _message(choice))]
    return Result(
        model=told(answer.get("model")),
        output=said[0] if len(said) == 1 else said or None,
        usage=_CHAT.read(answer.get("usage") or fields(answer.get("x_groq")).get("usage")),
        provider=_seller(answer),
        service_tier=told(answer.get("service_tier")),
        finish_reason=next((reason for choice in choices if (reason := _reason(choice))), None),
        id=told(answer.get("id")),
        error=next((error for one in (answer, *choices) if (error := _error(one))), None),
    )


def _error(answer: Fields) -> str | None:
    error = answer.get("error")
    return told(error) or told(fields(error).get("message"))


def _reason(choice: Fields) -> str | None:
    return told(choice.get("finish_reason")) or told(choice.get("stop_reason"))  # the latter: models at Bedrock


def _message(choice: Fields) -> Any:
    """Return what one choice says; what it said aloud stands in `content`, so that whoever reads that finds it."""
    if choice.get("message") is None:
        text = told(choice.get("text"))
        return {"role": "assistant", "content": text} if text else None
    made = plain(choice["message"])
    if not isinstance(made, dict):
        return None
    made.pop("parsed", None)  # the same as the content, as an object of the program's
    for call in items(made.get("tool_calls")):
        if isinstance(call, dict) and isinstance(call.get("function"), dict):
            call["function"].pop("parsed_arguments", None)
    aloud = made.pop("audio", None)
    if isinstance(aloud, dict) and not made.get("content"):
        said = [{"type": "text", "text": aloud["transcript"]}] if aloud.get("transcript") else []
        made["content"] = [*said, {"type": "audio", "audio": aloud}]
    return {"role": "assistant", **made}


def _seller(answer: Fields) -> str | None:
    if told(answer.get("provider")) and (told(answer.get("id")) or "").startswith("gen-"):
        return "openrouter"
    return next((seller for name, seller in _SELLERS.items() if answer.get(name) is not None), None)


class _Chat:
    """Chunks of Chat Completions, and of Completions."""

    _TEXTS: Final = ("content", "refusal", "reasoning_content", "reasoning")
    _HEAD: Final = ("id", "model", "service_tier", "usage", "error", "provider", *_SELLERS)

    def __init__(self) -> None:
        self._head: dict[str, Any] = {}
        self._kept = Kept()
        self._reasons: dict[int, Any] = {}
        #: By choice and place: the identity of a call, which its first piece alone tells.
        self._calls: dict[tuple[int, int], dict[str, Any]] = {}

    def add(self, piece: Fields) -> bool:
        piece = _chunk(piece)
        for name in self._HEAD:
            value = piece.get(name)
            if value:
                self._head[name] = value
        said = False
        for item in items(piece.get("choices")):
            choice = fields(item)
            index = place(choice.get("index"))
            if reason := choice.get("finish_reason"):
                self._reasons.setdefault(index, reason)
            said = self._kept.add((index, "text"), choice.get("text")) or said
            if (delta := choice.get("delta")) is not None:
                said = self._add(index, fields(delta)) or said
        return said

    def _add(self, index: int, delta: Fields) -> bool:
        said = False
        for name in self._TEXTS:
            piece = delta.get(name)
            if piece:
                said = self._kept.add((index, name), piece) or said
        if calls := delta.get("tool_calls"):
            for call in items(calls):
                said = True
                self._call(index, fields(call))
        if call := delta.get("function_call"):
            said = True
            self._call(index, {"function": call})
        if aloud := fields(delta.get("audio")):
            self._kept.add((index, "data"), aloud.get("data"))
            said = self._kept.add((index, "transcript"), aloud.get("transcript")) or said
        return said

    def _call(self, index: int, piece: Fields) -> None:
        identity = told(piece.get("id"))
        slot = self._slot(index, piece.get("index"), identity)
        known = self._calls.get((index, slot))
        if known is None:
            if len(self._calls) >= MOST_THINGS:
                return
            known = self._calls[index, slot] = {}
        kind = "custom" if piece.get("custom") is not None else known.get("kind", "function")
        function = fields(piece.get(kind))
        known["kind"] = kind
        if identity:
            known["id"] = identity
        if name := told(function.get("name")):
            known["name"] = name
        self._kept.add((index, "call", slot), function.get("arguments" if kind == "function" else "input"))

    def _slot(self, index: int, told_index: object, identity: str | None) -> int:
        """Return where a piece of a call belongs; some servers give whole calls the same index, or none."""
        slot = place(told_index)
        known = self._calls.get((index, slot), {}).get("id")
        if identity and known and identity != known:
            mine = [slot for choice, slot in self._calls if choice == index]
            again = next((one for one in mine if self._calls[index, one].get("id") == identity), None)
            return max(mine) + 1 if again is None else again
        return slot

    def result(self) -> Result:
        indices = {key[0] for key in self._kept} | {key[0] for key in self._calls} | self._reasons.keys()
        return _chat({**self._head, "choices": [self._choice(index) for index in sorted(indices)]})

    def _choice(self, index: int) -> dict[str, Any]:
        reason = {"index": index, "finish_reason": self._reasons.get(index)}
        if text := self._kept.text((index, "text")):
            return reason | {"text": text}
        texts = {name: text for name in self._TEXTS if (text := self._kept.text((index, name)))}
        message: dict[str, Any] = {"role": "assistant"} | texts
        if calls := [self._told_call(index, slot) for choice, slot in sorted(self._calls) if choice == index]:
            message["tool_calls"] = calls
        aloud = {name: text for name in ("transcript", "data") if (text := self._kept.text((index, name)))}
        message |= {"audio": aloud} if aloud else {}
        return reason | {"message": message if len(message) > 1 else None}

    def _told_call(self, index: int, slot: int) -> dict[str, Any]:
        known = self._calls[index, slot]
        kind, text = known["kind"], self._kept.text((index, "call", slot))
        inner = {"name": known.get("name", ""), ("arguments" if kind == "function" else "input"): text}
        return {"id": known.get("id"), "type": kind, kind: inner}


def _chunk(piece: Fields) -> Fields:
    """Return a chunk that stands in an event: of OpenAI's `chat.completions.stream`, of Mistral's SDK."""
    if "choices" in piece:
        return piece
    return next((within for name in ("chunk", "data") if "choices" in (within := fields(piece.get(name)))), piece)


def _is_chunk(piece: Fields) -> bool:
    piece = _chunk(piece)
    return isinstance(piece.get("choices"), list) and (
        piece.get("object") in ("chat.completion.chunk", "text_completion")
        or any("delta" in fields(choice) for choice in piece["choices"])
        or _seller(piece) is not None  # Azure's first one tells nothing else
    )


# --- Responses --------------------------------------------------------------------------------------------------------


def _is_response(answer: Fields) -> bool:
    return answer.get("object") == "response" and isinstance(answer.get("output"), list)


def _response(answer: Fields) -> Result:
    cut = fields(answer.get("incomplete_details"))
    return Result(
        model=told(answer.get("model")),
        output=[item for item in map(_item, answer["output"]) if item] or None,
        usage=_RESPONSES.read(answer.get("usage")),
        provider=_seller(answer),
        service_tier=told(answer.get("service_tier")),
        finish_reason=told(cut.get("reason")) or told(answer.get("status")),
        id=told(answer.get("id")),
        error=_error(answer) or told(fields(answer.get("error")).get("code")),
    )


def _item(item: object) -> Any:
    """Return one item of the output, without what the SDK made of it for the program."""
    made = plain(item)
    if isinstance(made, dict):
        made.pop("parsed_arguments", None)
        for part in items(made.get("content")):
            if isinstance(part, dict):
                part.pop("parsed", None)
    return made


class _Response:
    """Events of a streamed response. The last one has it whole; until then it is put together."""

    #: The end of an event's name -> where in an item the text belongs.
    _DELTAS: Final = {
        "response.output_text.delta": "output_text",
        "response.refusal.delta": "refusal",
        "response.reasoning_summary_text.delta": "summary",
        "response.reasoning_text.delta": "reasoning_text",
        "response.function_call_arguments.delta": "arguments",
        "response.mcp_call_arguments.delta": "arguments",
        "response.custom_tool_call_input.delta": "input",
        "response.code_interpreter_call_code.delta": "code",
    }
    _ENDS: Final = ("response.completed", "response.incomplete", "response.failed")

    def __init__(self) -> None:
        self._response: Fields = {}
        self._done = False
        self._items: dict[int, Any] = {}
        self._kept = Kept()
        self._error: Any = None

    def add(self, piece: Fields) -> bool:
        kind = piece.get("type")
        if where := self._DELTAS.get(kind) if isinstance(kind, str) else None:
            part = piece.get("content_index", piece.get("summary_index"))
            return self._kept.add((place(piece.get("output_index")), where, place(part)), piece.get("delta"))
        if piece.get("response") is not None:
            self._response = fields(piece["response"])
            self._done = kind in self._ENDS
        elif kind in ("response.output_item.added", "response.output_item.done"):
            if item := self._kept.thing(piece.get("item")):
                self._items[place(piece.get("output_index"))] = item | {"done": kind.endswith("done")}
        elif kind == "error":
            self._error = {"message": piece.get("message"), "code": piece.get("code")}
        return False

    def result(self) -> Result:
        head = dict(self._response)
        if self._error:
            head["error"] = self._error
        if not (self._done and head.get("output")):
            texts: dict[int, list[Any]] = {index: [] for index in self._items}
            for key in self._kept:
                texts.setdefault(key[0], []).append(key)
            head["output"] = [self._item(index, keys) for index, keys in sorted(texts.items())]
        return _response(head)

    def _item(self, index: int, keys: list[Any]) -> dict[str, Any]:
        item = {name: value for name, value in self._items.get(index, {}).items() if name != "done"}
        if self._items.get(index, {}).get("done"):
            return item
        for key in keys:
            where, text = key[1], self._kept.text(key)
            if where in ("output_text", "refusal"):
                name = "text" if where == "output_text" else where
                item.setdefault("type", "message")
                item.setdefault("role", "assistant")
                item["content"] = [*(item.get("content") or []), {"type": where, name: text}]
            elif where == "summary":
                item["summary"] = [*(item.get("summary") or []), {"type": "summary_text", "text": text}]
            elif where == "reasoning_text":
                item["content"] = [*(item.get("content") or []), {"type": "reasoning_text", "text": text}]
            else:
                item[where] = text
        return item


def _is_event(piece: Fields) -> bool:
    kind = piece.get("type")
    return isinstance(kind, str) and kind.startswith("response.")


# --- embeddings -------------------------------------------------------------------------------------------------------


#: What stands beside vectors.
_TOLD: Final = frozenset({"model", "usage"})


def _is_embeddings(answer: Fields) -> bool:
    data = answer.get("data")
    # Some servers count nothing. Their vectors are not to be told, either.
    return isinstance(data, list) and bool(data) and "embedding" in fields(data[0]) and bool(_TOLD & answer.keys())


def _embeddings(answer: Fields) -> Result:
    return Result(
        model=told(answer.get("model")),
        usage=_CHAT.read(answer.get("usage")),
        provider=_seller(answer),
        id=told(answer.get("id")),
    )


ANSWERS: Final = ((_is_chat, _chat), (_is_response, _response), (_is_embeddings, _embeddings))
STREAMS: Final = ((_is_chunk, _Chat), (_is_event, _Response))
