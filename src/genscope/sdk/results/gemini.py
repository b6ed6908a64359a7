"""Gemini's answers: generateContent, as Google's SDKs have it (snake case) and as it is on the wire (camel case).

Thoughts stand beside the candidates' tokens, what tools were given beside the prompt's; what was cached is within the prompt.
Source: https://ai.google.dev/api/generate-content.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final

from genscope.sdk.results.counts import Counts
from genscope.sdk.results.fields import Fields, fields, items, plain, told
from genscope.sdk.results.pieces import MOST_THINGS, Kept, place
from genscope.sdk.results.result import Result


@lru_cache(maxsize=256)
def _camel(name: str) -> str:
    return re.sub("_([a-z])", lambda found: found[1].upper(), name)


def _both(names: Mapping[str, str]) -> dict[str, str]:
    """Return a table of names with each in both cases."""
    return {**names, **{_camel(name): kind for name, kind in names.items()}}


_COUNTS: Final = Counts(
    _both(
        {
            "prompt_token_count": "input",
            "candidates_token_count": "output",
            "response_token_count": "output",  # the Live API
            "total_token_count": "total",
            "cached_content_token_count": "input_cache_read",
            "thoughts_token_count": "output_reasoning",
            "tool_use_prompt_token_count": "input_tool_use",
        }
    ),
    lists=_both(
        {
            "prompt_tokens_details": "input_",
            "cache_tokens_details": "input_cache_read_",
            "candidates_tokens_details": "output_",
        }
    ),
    beside=("output_reasoning", "input_tool_use"),
)


def _get(answer: Fields, name: str) -> Any:
    value = answer.get(name)
    return answer.get(_camel(name)) if value is None else value


def _is_answer(answer: Fields) -> bool:
    candidates = [fields(candidate) for candidate in items(answer.get("candidates"))]
    if any("parts" in fields(one.get("content")) or _get(one, "finish_reason") is not None for one in candidates):
        return True
    known = told(_get(answer, "model_version")) or fields(_get(answer, "prompt_feedback"))
    return bool(known) and bool(fields(_get(answer, "usage_metadata")))


def _answer(answer: Fields) -> Result:
    candidates = [fields(candidate) for candidate in items(answer.get("candidates"))]
    said = [content for candidate in candidates if (content := _content(candidate.get("content")))]
    usage = _get(answer, "usage_metadata")
    traffic = told(_get(fields(usage), "traffic_type"))
    reasons = [_get(candidate, "finish_reason") for candidate in candidates]
    reasons.append(_get(fields(_get(answer, "prompt_feedback")), "block_reason"))
    return Result(
        model=told(_get(answer, "model_version")),
        output=said[0] if len(said) == 1 else said or None,
        usage=_COUNTS.read(usage),
        provider="gcp.vertex_ai" if traffic else "gcp.gen_ai",  # Vertex alone tells of traffic
        service_tier=traffic,
        finish_reason=next((reason for one in reasons if (reason := told(one))), None),
        id=told(_get(answer, "response_id")),
    )


def _content(content: object) -> Any:
    made = plain(content)
    return {**made, "role": made.get("role") or "model"} if isinstance(made, dict) and made.get("parts") else None


class _Answers:
    """Answers that each hold the next parts; texts in a row become one. The counts of the last hold."""

    _HEAD: Final = ("model_version", "response_id", "usage_metadata", "prompt_feedback")

    def __init__(self) -> None:
        self._head: dict[str, Any] = {}
        self._reasons: dict[int, Any] = {}
        #: By candidate: parts, and whether a text is a thought where it is one that grows.
        self._parts: dict[int, list[Any]] = {}
        self._kept = Kept()

    def add(self, piece: Fields) -> bool:
        for name in self._HEAD:
            value = _get(piece, name)
            if value is not None:
                self._head[name] = value
        said = False
        for item in items(piece.get("candidates")):
            candidate = fields(item)
            index = place(candidate.get("index"))
            if (reason := _get(candidate, "finish_reason")) is not None:
                self._reasons[index] = reason
            for part in items(fields(candidate.get("content")).get("parts")):
                said = self._add(index, part) or said
        return said

    def _add(self, index: int, part: object) -> bool:
        one = fields(part)
        parts = self._parts.setdefault(index, [])
        text = one.get("text")
        if isinstance(text, str):
            thought = one.get("thought") is True
            if text and not (parts and parts[-1] is thought) and len(parts) < MOST_THINGS:
                parts.append(thought)
            return self._kept.add((index, len(parts) - 1), text)
        thing = self._kept.thing(part)
        if thing and len(parts) < MOST_THINGS:
            parts.append(thing)
        return bool(thing)

    def result(self) -> Result:
        indices = sorted(self._parts.keys() | self._reasons.keys())
        return _answer({**self._head, "candidates": [self._candidate(index) for index in indices]})

    def _candidate(self, index: int) -> dict[str, Any]:
        parts = [self._part(index, number, part) for number, part in enumerate(self._parts.get(index, []))]
        return {"index": index, "content": {"role": "model", "parts": parts}, "finish_reason": self._reasons.get(index)}

    def _part(self, index: int, number: int, part: Any) -> Any:
        if not isinstance(part, bool):
            return part
        return {"text": self._kept.text((index, number))} | ({"thought": True} if part else {})


def _is_piece(piece: Fields) -> bool:
    return _is_answer(piece) or bool(fields(_get(piece, "usage_metadata")))


ANSWERS: Final = ((_is_answer, _answer),)
STREAMS: Final = ((_is_piece, _Answers),)
