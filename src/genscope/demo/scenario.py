"""What happens in the demo: customers write, and an agent searches, calls tools and models, and answers.

Everything here follows from one `random.Random`; nothing knows about OpenTelemetry or a clock. Seconds are counted from
the start of a turn.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from random import Random
from typing import Any, Final, TypeVar

from genscope.demo import texts

Choice = TypeVar("Choice")


@dataclass(frozen=True, slots=True)
class Model:
    """A language model as its users meet it: how soon it starts to answer (seconds), and how fast it goes on."""

    name: str
    provider: str
    first_token: float
    tokens_per_second: float
    reasons: bool = False


GPT_4O: Final = Model("gpt-4o", "openai", 0.45, 85)
GPT_4O_MINI: Final = Model("gpt-4o-mini", "openai", 0.35, 110)
O4_MINI: Final = Model("o4-mini", "openai", 2.8, 130, reasons=True)
CLAUDE_SONNET: Final = Model("claude-sonnet-4-5-20250929", "anthropic", 0.9, 65)
GEMINI_FLASH: Final = Model("gemini-2.5-flash", "gcp.gemini", 0.4, 190)
#: Runs on the shop's own machine, so no price list knows it.
OWN_REVIEWER: Final = Model("larkspur-reviewer-8b", "vllm", 0.08, 140)
EMBEDDER: Final = Model("text-embedding-3-small", "openai", 0.06, 1e6)

#: Which model answers, and how often.
ANSWERERS: Final = {GPT_4O: 36, CLAUDE_SONNET: 26, GEMINI_FLASH: 18, O4_MINI: 11, GPT_4O_MINI: 9}
#: How often its answers are good.
QUALITY: Final = {GPT_4O: 0.84, CLAUDE_SONNET: 0.9, GEMINI_FLASH: 0.77, O4_MINI: 0.88, GPT_4O_MINI: 0.66}
#: What goes wrong in a turn, and how often in a thousand.
MISHAPS: Final = {"none": 918, "rate_limit": 32, "timeout": 14, "tool": 36}
#: How busy the shop is in each hour of a day (UTC), and on each day of a week from Monday on.
HOURS: Final = (2, 1, 1, 1, 1, 3, 8, 16, 26, 32, 34, 32, 27, 28, 31, 32, 30, 28, 30, 34, 33, 24, 13, 6)
WEEKDAYS: Final = (34, 30, 28, 27, 29, 16, 14)

#: What the definitions of the agent's tools add to every prompt, and the shortest prompt that providers cache.
TOOL_TOKENS: Final = 1150
CACHEABLE_TOKENS: Final = 1024


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A model's wish to have a tool called."""

    id: str
    name: str
    arguments: dict[str, str]


@dataclass(frozen=True, slots=True)
class Message:
    """One message of a chat. A `tool` message answers the call it carries; an `assistant` message may ask for one."""

    role: str
    text: str
    tool_call: ToolCall | None = None


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens of one call. `cached` is a part of `input`, `reasoning` a part of `output`."""

    input: int
    output: int
    cached: int = 0
    reasoning: int = 0


@dataclass(frozen=True, slots=True)
class Failure:
    """An exception: its type and message."""

    type: str
    message: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is said of a turn afterwards: a yes or no of the customer, a number of an evaluator, a word of a colleague."""

    name: str
    value: bool | float | str
    comment: str = ""


@dataclass(slots=True)
class Step:
    """One timed operation of the agent. `type` is one of `genscope.model.SPAN_TYPES`; times are seconds."""

    type: str
    name: str
    start: float
    duration: float
    input: Any
    output: Any = None
    model: Model | None = None
    parameters: dict[str, Any] = field(default_factory=dict)
    usage: Usage | None = None
    #: Seconds from `start` to the first token, for an answer that was streamed.
    first_token: float | None = None
    failure: Failure | None = None
    tool_call: ToolCall | None = None
    #: Whether the model was offered the agent's tools.
    with_tools: bool = False
    metadata: dict[str, str] = field(default_factory=dict)
    children: list[Step] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Conversation:
    """A customer's case: what stays the same over all its turns."""

    session_id: str
    user_id: str
    topic: texts.Topic
    words: dict[str, str]
    model: Model
    convention: str
    environment: str
    channel: str
    turns: int

    @property
    def tags(self) -> list[str]:
        """Return the labels that the agent puts on its traces."""
        return [self.topic.name, self.channel]


@dataclass(frozen=True, slots=True)
class Turn:
    """One question and its answer: a trace. `offset` is in seconds since the conversation began."""

    conversation: Conversation
    offset: float
    root: Step
    verdicts: tuple[Verdict, ...] = ()


def start_conversation(random: Random, conventions: tuple[str, ...]) -> Conversation:
    """Return a customer's new case, to be recorded by one of the `conventions`."""
    words = {
        "order": f"LO-{random.randint(204_000, 239_999)}",
        "code": f"{random.randint(10_000, 99_999)}",
        "amount": f"{random.choice((29, 49, 64, 89, 119, 149, 179, 229))}.{random.choice(('00', '50', '90', '95'))}",
        "product": random.choice(texts.PRODUCTS),
        "city": random.choice(texts.CITIES),
        "carrier": random.choice(texts.CARRIERS),
        "weekday": random.choice(texts.WEEKDAYS),
        "size": random.choice(texts.SIZES),
    }
    return Conversation(
        session_id=f"case-{random.getrandbits(40):010x}",
        user_id=random.choice(texts.CUSTOMERS),
        topic=random.choice(texts.TOPICS),
        words=words,
        model=_weighted(random, ANSWERERS),
        convention=random.choice(conventions),
        environment="production" if random.random() < 0.86 else "staging",
        channel=random.choice(("chat", "chat", "mail", "app")),
        turns=random.choice((2, 2, 3, 3, 4, 5)),
    )


def turns(random: Random, conversation: Conversation) -> Iterator[Turn]:
    """Yield the turns of a conversation, each knowing what was said before."""
    topic, fill = conversation.topic, conversation.words
    case = random.randrange(len(topic.results))
    answer = topic.answers[min(case, len(topic.answers) - 1)]
    pairs = [texts.FollowUp(random.choice(topic.openings), answer), *topic.follow_ups]
    pairs += random.sample(texts.GENERAL_FOLLOW_UPS, 3)
    history: list[Message] = []
    offset = 0.0
    for number, pair in enumerate(pairs[: conversation.turns]):
        question, reply = pair.question.format_map(fill), pair.answer.format_map(fill)
        result = {key: value.format_map(fill) for key, value in topic.results[case].items()}
        root = _Agent(random, conversation, history, number).answer(question, reply, result)
        yield Turn(conversation, offset, root, tuple(_verdicts(random, conversation, root)))
        history += [Message("user", question), Message("assistant", root.output or "")]
        offset += root.duration + random.uniform(25, 260)


def moment(random: Random, now: float, days: int) -> float:
    """Return a time (seconds since the epoch) of the `days` before `now`, more likely when the shop is busy."""
    busiest = max(HOURS) * max(WEEKDAYS)
    while True:
        candidate = now - random.random() * days * 86_400
        when = datetime.fromtimestamp(candidate, UTC)
        if random.random() * busiest < HOURS[when.hour] * WEEKDAYS[when.weekday()]:
            return candidate


def _verdicts(random: Random, conversation: Conversation, root: Step) -> Iterator[Verdict]:
    """Yield what is said of a turn: few customers press a thumb, an evaluator reads a third of the answers."""
    good = 0.2 if root.failure else QUALITY[conversation.model]
    if random.random() < 0.22:
        pleased = random.random() < good
        remarks = texts.PRAISE if pleased else texts.COMPLAINTS
        yield Verdict("helpful", pleased, random.choice(remarks) if random.random() < 0.4 else "")
    if root.output is not None and random.random() < 0.34:
        yield Verdict("faithfulness", round(min(1.0, random.betavariate(14 * good, 14 * (1 - good)) + 0.05), 2))
    if random.random() < 0.08:
        yield Verdict("tone", _weighted(random, {"warm": 6, "neutral": 3, "curt": 1}))


class _Agent:
    """Answers one question, and keeps the time while it does."""

    def __init__(self, random: Random, conversation: Conversation, history: list[Message], number: int) -> None:
        self.random = random
        self.conversation = conversation
        self.history = history
        self.number = number
        self.now = random.uniform(0.002, 0.01)

    def answer(self, question: str, reply: str, result: dict[str, str]) -> Step:
        """Return the whole work on a question: classify, search, look up, draft, review."""
        mishap = _weighted(self.random, MISHAPS)
        steps = [self._classify(question)]
        search, handbook = self._search(question)
        steps.append(search)
        prompt = [Message("system", f"{texts.SYSTEM_PROMPT}\n\n{handbook}"), *self.history, Message("user", question)]
        if self.number == 0 or self.random.random() < 0.3:
            call, tool = self._call_tool(prompt, result, fails=mishap == "tool")
            steps += [call, tool]
            found = json.dumps(tool.output) if tool.failure is None else f"Error: {tool.failure.message}"
            prompt += [Message("assistant", "", call.tool_call), Message("tool", found, call.tool_call)]
            if tool.failure is not None:
                reply = (
                    "I am sorry, our order system does not answer right now. I keep your case open and write to you as "
                    "soon as I can see your order again."
                )
        drafts, reply_sent = self._draft(prompt, reply, mishap)
        steps += drafts
        if reply_sent is not None and self.random.random() < 0.35:
            steps.append(self._review(reply_sent))
        return Step(
            type="agent",
            name="answer-customer",
            start=0.0,
            duration=self.now + 0.004,
            input=question,
            output=reply_sent,
            failure=drafts[-1].failure,
            metadata={"channel": self.conversation.channel, "order": self.conversation.words["order"]},
            children=steps,
        )

    def _classify(self, question: str) -> Step:
        intents = ", ".join(topic.name for topic in texts.TOPICS)
        urgency = "high" if any(word in question for word in ("today", "now", "leave", "twice")) else "normal"
        prompt = [Message("system", texts.CLASSIFIER_PROMPT.format(intents=intents)), Message("user", question)]
        verdict = json.dumps({"intent": self.conversation.topic.name, "urgency": urgency})
        return self._generate(GPT_4O_MINI, "classify-message", prompt, Message("assistant", verdict), temperature=0.0)

    def _search(self, question: str) -> tuple[Step, str]:
        """Return the search of the handbook, and the pages it found as one text."""
        start = self.now
        embedding = Step(
            type="embedding",
            name="embed-question",
            start=self._pass(0.002),
            duration=self.random.uniform(0.05, 0.16),
            input=question,
            model=EMBEDDER,
            usage=Usage(_tokens(question), 0),
        )
        self._pass(embedding.duration + self.random.uniform(0.008, 0.04))
        pages = [
            {"title": title, "text": text, "score": round(self.random.uniform(0.62, 0.93), 3)}
            for title, text in self.conversation.topic.documents
        ]
        step = Step(
            type="retriever",
            name="search-handbook",
            start=start,
            duration=self.now - start,
            input=question,
            output=pages,
            metadata={"index": "handbook-2026-11", "top_k": "4"},
            children=[embedding],
        )
        return step, "\n\n".join(f"## {title}\n{text}" for title, text in self.conversation.topic.documents)

    def _call_tool(self, prompt: list[Message], result: dict[str, str], *, fails: bool) -> tuple[Step, Step]:
        """Return the generation that asks for a tool, and the call itself."""
        topic = self.conversation.topic
        arguments = {key: value.format_map(self.conversation.words) for key, value in topic.arguments.items()}
        call = ToolCall(f"call_{self.random.getrandbits(48):012x}", topic.tool, arguments)
        asking = self._generate(
            self.conversation.model, "decide", prompt, Message("assistant", "", call), temperature=0.2
        )
        duration = self.random.lognormvariate(-1.6, 0.6)
        tool = Step(
            type="tool",
            name=topic.tool,
            start=self._pass(0.003),
            duration=duration,
            input=arguments,
            output=None if fails else result,
            failure=Failure("ConnectionError", "order system: connection reset by peer") if fails else None,
            tool_call=call,
        )
        self._pass(duration + 0.002)
        return asking, tool

    def _draft(self, prompt: list[Message], reply: str, mishap: str) -> tuple[list[Step], str | None]:
        """Return the attempts at an answer, and the answer unless all failed."""
        model = self.conversation.model
        if mishap == "timeout":
            failure = Failure("TimeoutError", f"{model.name} did not answer within 30 s")
            return [self._fail(model, prompt, failure, duration=30.0)], None
        attempts = []
        if mishap == "rate_limit":
            failure = Failure(
                "RateLimitError", f"Error code: 429 - rate limit reached for {model.name}, try again in 2 s"
            )
            attempts.append(self._fail(model, prompt, failure, duration=self.random.uniform(0.1, 0.3)))
            self._pass(0.25)
            model = GPT_4O_MINI  # what the agent falls back on
        answer = Message("assistant", reply)
        stream = self.conversation.channel != "mail"
        attempts.append(self._generate(model, "draft-reply", prompt, answer, temperature=0.4, stream=stream))
        return attempts, reply

    def _review(self, reply: str) -> Step:
        prompt = [Message("system", texts.REVIEW_PROMPT), Message("user", reply)]
        inner = self._generate(OWN_REVIEWER, "review-model", prompt, Message("assistant", "PASS"), temperature=0.0)
        return Step("guardrail", "review-reply", inner.start, inner.duration + 0.001, reply, "PASS", children=[inner])

    def _generate(
        self,
        model: Model,
        name: str,
        prompt: list[Message],
        answer: Message,
        *,
        temperature: float,
        stream: bool = False,
    ) -> Step:
        """Return one call of a model, with tokens and times that fit its texts."""
        with_tools = name in ("decide", "draft-reply")
        prefix = _tokens(prompt[0].text) + TOOL_TOKENS * with_tools
        prompt_tokens = prefix + sum(_tokens(_wire(message)) + 4 for message in prompt[1:])
        warm = (
            prefix >= CACHEABLE_TOKENS
            and model is not OWN_REVIEWER
            and (self.number > 0 or self.random.random() < 0.45)
        )
        reasoning = 64 * self.random.randint(2, 14) if model.reasons else 0
        usage = Usage(
            input=prompt_tokens,
            output=_tokens(_wire(answer)) + reasoning,
            cached=prefix // 128 * 128 if warm else 0,
            reasoning=reasoning,
        )
        first = model.first_token * self.random.lognormvariate(0.0, 0.28) + prompt_tokens * 2e-5
        duration = first + usage.output / (model.tokens_per_second * self.random.uniform(0.75, 1.2))
        parameters = (
            {"max_completion_tokens": 2000} if model.reasons else {"temperature": temperature, "max_tokens": 600}
        )
        step = Step(
            type="generation",
            name=name,
            start=self._pass(self.random.uniform(0.001, 0.004)),
            duration=duration,
            input=list(prompt),
            output=answer,
            model=model,
            parameters=parameters,
            usage=usage,
            first_token=first if stream else None,
            tool_call=answer.tool_call,
            with_tools=with_tools,
        )
        self._pass(duration)
        return step

    def _fail(self, model: Model, prompt: list[Message], failure: Failure, *, duration: float) -> Step:
        """Return a call of a model that gave no answer."""
        step = Step(
            "generation", "draft-reply", self._pass(0.002), duration, list(prompt), model=model, failure=failure,
            parameters={"max_tokens": 600},
        )  # fmt: skip
        self._pass(duration)
        return step

    def _pass(self, seconds: float) -> float:
        """Let time pass and return what the clock shows."""
        self.now += seconds
        return self.now


def _weighted(random: Random, weights: dict[Choice, int]) -> Choice:
    return random.choices(list(weights), list(weights.values()))[0]


def _tokens(text: str) -> int:
    return len(text) // 4 + 3


def _wire(message: Message) -> str:
    return message.text or json.dumps(message.tool_call and message.tool_call.arguments)
