"""What must not be stored is masked at the door: by what it looks like, and by the field that it stands in.

A project has one `Policy`. Every text that a sender tells passes through it before it becomes a row: prompts, completions, names,
tags, metadata, attributes, events, scores, sessions, and what was rejected. Ids of traces and spans do not.

Patterns are run by RE2, whose time is linear in the text whatever the pattern: nobody can write one that stops the server.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, Final, Literal, TypeAlias

import msgspec
import re2

from genscope import conventions
from genscope.model import Attributes, Event, Json, Link, Patch, Pieces, Rejected, Resource, Score, Session, Span
from genscope.store.catalog import Catalog

#: What stands where something was masked by the field that it stood in.
MASK: Final = "[redacted]"
#: The name of the setting of a project.
SETTING: Final = "redaction"
#: Patterns and fields of a policy, and characters of one.
MOST, LONGEST = 50, 500
#: Names of entries that are remembered with what becomes of them.
REMEMBERED: Final = 4096
#: How deep a value is looked into; what lies deeper is masked whole.
DEEPEST: Final = 64
NAME: Final = re.compile(r"[a-z0-9][a-z0-9_-]{0,29}")

Detector = Literal["email", "credit_card", "phone", "iban", "api_key"]
Action = Literal["mask", "hash"]


class Pattern(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """A regular expression in RE2's syntax; what it finds becomes `[redacted:name]`."""

    name: str
    pattern: str


class Field(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """A field whose values are masked, or replaced by a hash so that equal ones stay equal.

    `input`, `output`, `user_id`, `metadata.KEY` or `attributes.KEY`; a KEY may end with `*`.
    """

    field: str
    action: Action = "mask"


class Policy(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """What a project masks: what looks like this, what these patterns find, and what stands in these fields."""

    detect: list[Detector] = []
    patterns: list[Pattern] = []
    fields: list[Field] = []

    def __bool__(self) -> bool:
        """Whether it masks anything."""
        return bool(self.detect or self.patterns or self.fields)


# What things look like: a pattern that finds candidates, and what tells which part of one is one.

#: A candidate -> begin and end of what is masked in it.
Check: TypeAlias = "Callable[[bytes], Iterator[tuple[int, int]]]"


def _whole(found: bytes) -> Iterator[tuple[int, int]]:
    yield 0, len(found)


#: Numbers that the card networks give out (ISO/IEC 7812): length by first digits.
_CARD: Final = re.compile(r"4\d{12}(\d{3}){0,2}|(5[1-5]|2[2-7])\d{14}|3[47]\d{13}|3(0|6|8|9)\d{12}|35\d{14}|6\d{15,18}")
#: Characters of an IBAN by country (ISO 13616).
_IBAN: Final = {
    country: int(length)
    for length, countries in (
        ("15", "NO"), ("16", "BE"), ("18", "DK FI FO GL NL SD"), ("19", "MK SI"), ("20", "AT BA EE KZ LT LU XK"),
        ("21", "CH HR LI LV"), ("22", "BG BH CR DE GB GE IE ME RS VA"), ("23", "AE GI IL IQ TL"),
        ("24", "AD CZ ES MD PK RO SA SE SK TN VG"), ("25", "LY PT ST"), ("26", "IS TR"), ("27", "FR GR IT MC MR SM"),
        ("28", "AL AZ BY CY DO GT HU LB PL SV"), ("29", "BR EG PS QA UA"), ("30", "JO KW MU"), ("31", "MT SC"), ("32", "LC"),
    )
    for country in countries.split()
}  # fmt: skip


def _luhn(digits: str) -> bool:
    doubled = (int(digit) * 2 for digit in digits[-2::-2])
    return (sum(map(int, digits[-1::-2])) + sum(two - 9 if two > 9 else two for two in doubled)) % 10 == 0


def _cards(found: bytes) -> Iterator[tuple[int, int]]:
    """Find card numbers among digits that spaces and hyphens part; one begins and ends where a group does."""
    text = found.decode("ascii")
    places = [place for place, character in enumerate(text) if character not in " -"]
    digits = "".join(text[place] for place in places)
    begins = [index for index, place in enumerate(places) if not index or place - places[index - 1] > 1]
    ends = {*begins[1:], len(places)}
    done = 0
    for begin in begins:
        for length in range(19, 12, -1):
            end = begin + length
            if begin >= done and end in ends and _CARD.fullmatch(digits, begin, end) and _luhn(digits[begin:end]):
                yield places[begin], places[end - 1] + 1
                done = end
                break


def _ibans(found: bytes) -> Iterator[tuple[int, int]]:
    text = found.decode("ascii")
    places = [place for place, character in enumerate(text) if character != " "]
    letters = "".join(text[place] for place in places).upper()
    length = _IBAN.get(letters[:2])
    if length is not None and len(letters) >= length:
        number = "".join(str(int(letter, 36)) for letter in letters[4:length] + letters[:4])
        if int(number) % 97 == 1:
            yield 0, places[length - 1] + 1


def _phones(found: bytes) -> Iterator[tuple[int, int]]:
    text = found.decode("ascii")
    if 7 <= sum(character.isdigit() for character in text) <= 15:
        yield 0, len(text)


DETECTORS: Final[dict[Detector, tuple[str, Check]]] = {
    "email": (r"[\pL\pN._%+'\-]+(?:@|%40)(?:[\pL\pN\-]+\.)+\pL{2,}", _whole),
    "credit_card": (r"\b\d(?:[ \-]?\d){12,}\b", _cards),
    "iban": (r"(?i)\b[a-z]{2}[0-9]{2}(?: ?[a-z0-9]){11,30}\b", _ibans),
    "phone": (
        r"\+\d{1,3}[ .\-/]?(?:\(\d{1,5}\)|\d{1,5})(?:[ .\-/]?\d{2,5}){1,5}\b|\(\d{2,5}\)[ .\-/]?\d{3,4}[ .\-]?\d{3,5}\b"
        r"|\b\d{3}[ .\-]\d{3}[ .\-]\d{4}\b|\b0\d{1,4}[ /\-]\d{3,}(?:[ \-]\d{2,})*\b",
        _phones,
    ),
    "api_key": (
        r"\b(?:sk|pk|rk)[-_][A-Za-z0-9_\-]{16,}|\b(?:AKIA|ASIA)[0-9A-Z]{16}\b|\bgh[pousr]_[A-Za-z0-9]{30,}"
        r"|\bgithub_pat_\w{22,}|\bglpat-[\w\-]{20,}|\bxox[abeprs]-[A-Za-z0-9\-]{10,}|\bAIza[\w\-]{35}|\bhf_[A-Za-z0-9]{30,}"
        r"|\beyJ[\w\-]{8,}\.eyJ[\w\-]{8,}\.[\w\-]{8,}|(?i:\bbearer )[\w.~+/\-]{20,}=*"
        r"|-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?-----END [A-Z ]*PRIVATE KEY-----",
        _whole,
    ),
}


def _options() -> re2.Options:
    options = re2.Options()
    options.log_errors = False
    return options


def checked(policy: Policy) -> Policy:
    """Return a policy that can be applied.

    Raises:
        ValueError: it cannot; the message says why.
    """
    if len(policy.patterns) > MOST or len(policy.fields) > MOST:
        raise ValueError(f"at most {MOST} patterns and {MOST} fields can be masked")
    for one in policy.patterns:
        if not NAME.fullmatch(one.name):
            raise ValueError(f"{one.name[:60]!r} is no name of a pattern: use lower-case letters, digits, - and _")
        if len(one.pattern) > LONGEST:
            raise ValueError(f"pattern {one.name!r} has more than {LONGEST} characters")
        try:
            compiled = re2.compile(one.pattern, _options())
        except re2.error as error:
            told = error.args[0].decode(errors="replace") if isinstance(error.args[0], bytes) else error
            raise ValueError(f"pattern {one.name!r} is no regular expression of RE2: {told}") from None
        if compiled.search("") is not None:
            raise ValueError(f"pattern {one.name!r} finds the empty text, which is everywhere")
    for field in policy.fields:
        place, dot, key = field.field.partition(".")
        if (place, bool(dot)) not in _PLACES or len(field.field) > LONGEST or (dot and not key):
            raise ValueError(
                f"{field.field[:80]!r} is no field: choose input, output, user_id, metadata.KEY or attributes.KEY"
            )
    return policy


#: What a field may begin with, and whether a key follows.
_PLACES: Final = {
    ("input", False),
    ("output", False),
    ("user_id", False),
    ("metadata", True),
    ("attributes", True),
}
#: Fields of a span whose attributes tell what a field says, by that field.
_FED: Final = {
    "input": frozenset({"input", "trace_input"}),
    "output": frozenset({"output", "trace_output"}),
    "metadata": frozenset({"metadata", "trace_metadata"}),
}


@lru_cache(maxsize=4096)
def _feeds(name: str) -> frozenset[str]:
    """Return the fields of a span that an attribute of this name may tell."""
    exact, prefixed = conventions.RULES[name]
    return frozenset(rule.field for rule in (*exact, *prefixed))


class Redactor:
    """A policy, ready to be applied; changes what it is given."""

    def __init__(self, policy: Policy, secret: str) -> None:
        """Compile a policy; `secret` keys the hashes."""
        found: list[tuple[str, str, Check]] = [(name, *DETECTORS[name]) for name in DETECTORS if name in policy.detect]
        found += [(one.name, one.pattern, _whole) for one in policy.patterns]
        options = _options()
        self._patterns = [(f"[redacted:{name}]", re2.compile(text, options), check) for name, text, check in found]
        try:
            # Most texts hold nothing of the kind: one look tells.
            self._any = re2.compile("|".join(f"(?:{text})" for _, text, _ in found), options) if found else None
        except re2.error:
            # Two patterns may name one group.
            self._any = None
        self._names: dict[str, str] = {}
        self._secret = secret.encode()
        fields = {field.field: field.action for field in policy.fields}
        self._fields = {name: fields[name] for name in ("input", "output", "user_id") if name in fields}
        self._metadata = _Keys(fields, "metadata.")
        self._attributes = _Keys(fields, "attributes.")
        #: Attributes that tell what is masked, by the fields that they feed.
        self._told = {fed: action for name, action in self._fields.items() for fed in _FED.get(name, ())}
        self._masks_fields = bool(fields)

    # Texts and values

    def text(self, text: str) -> str:
        """Return a text with everything masked that looks like what must not be stored."""
        if not self._patterns or not text:
            return text
        encoded = text.encode("utf-8", "surrogatepass")
        if self._any is not None and self._any.search(encoded) is None:
            return text
        for mask, pattern, check in self._patterns:
            parts, done = [], 0
            for match in pattern.finditer(encoded):
                begin, end = match.span()
                for first, last in check(encoded[begin:end]) if end > begin else ():
                    parts += [encoded[done : begin + first], mask.encode()]
                    done = begin + last
            if parts:
                encoded = b"".join([*parts, encoded[done:]])
        return encoded.decode("utf-8", "surrogatepass")

    def hashed(self, text: str) -> str:
        """Return what stands for a value so that equal ones stay equal, and nobody can tell from it what it was."""
        return f"redacted-{hmac.digest(self._secret, text.encode('utf-8', 'surrogatepass'), hashlib.sha256).hex()[:16]}"

    def identifier(self, text: str) -> str:
        """Return an id of a user or session; one that must not be stored becomes its hash, so that they stay apart."""
        return text if self.text(text) == text else self.hashed(text)

    def document(self, text: str, depth: int = 0) -> str:
        """Return a text that may be JSON, in which escapes could hide things, masked; a JSON text stays one."""
        if text[:1] in ("{", "[", '"') and self._patterns:
            try:
                value = msgspec.json.decode(text)
            except (msgspec.DecodeError, RecursionError, UnicodeError):
                return self.text(text)
            masked = self.value(value, depth + 1)
            return text if masked == value else msgspec.json.encode(masked).decode()
        return self.text(text)

    def value(self, value: Json, depth: int = 0) -> Json:
        """Return a JSON value with every text in it masked, names of members and JSON within texts too."""
        if depth > DEEPEST:
            return MASK
        if isinstance(value, str):
            return self.document(value, depth)
        if isinstance(value, list):
            return [self.value(one, depth + 1) for one in value]
        if isinstance(value, dict):
            return self.map(value, depth)
        if isinstance(value, int) and not isinstance(value, bool) and abs(value) > 10**11:
            # A card's number may be told as one.
            return value if (masked := self.text(str(value))) == str(value) else masked
        return value

    def _name(self, name: str) -> str:
        """Return a name of an entry masked. A program has a few hundred, which come again with every span."""
        known = self._names.get(name)
        if known is None:
            known = self.text(name)
            if len(self._names) < REMEMBERED and len(name) <= LONGEST:
                self._names[name] = known
        return known

    def map(self, entries: Attributes, depth: int = 0) -> Attributes:
        """Return a map masked."""
        if not self._patterns:
            return entries
        masked: Attributes = {}
        for name, value in entries.items():
            told = key = self._name(name)
            number = 2
            while key in masked:
                key, number = f"{told} {number}", number + 1
            masked[key] = self.value(value, depth + 1)
        return masked

    def _replaced(self, value: Json, action: Action) -> str:
        if action == "mask":
            return MASK
        return self.hashed(value if isinstance(value, str) else msgspec.json.encode(value).decode())

    # What is stored

    def spans(self, spans: Iterable[Span]) -> None:
        """Mask spans, or pieces of some."""
        shared: dict[int, tuple[Any, Any]] = {}
        for span in spans:
            if self._masks_fields:
                self._mask_fields(span)
            span.resource = self._once(shared, span.resource, lambda one: Resource(self._attribute_map(one.attributes)))
            span.scope = self._once(
                shared, span.scope, lambda one: replace(one, attributes=self._attribute_map(one.attributes))
            )
            if not self._patterns:
                continue
            for name in _DOCUMENTS:
                if (text := getattr(span, name)) is not None:
                    setattr(span, name, self.document(text))
            for name in _IDS:
                if (text := getattr(span, name)) is not None:
                    setattr(span, name, self.identifier(text))
            for name in _MAPS:
                if entries := getattr(span, name):
                    setattr(span, name, self.map(entries))
            span.tags = [self.text(tag) for tag in span.tags]
            span.events = [Event(self.text(one.name), one.time, self.map(one.attributes)) for one in span.events]
            span.links = [Link(one.trace_id, one.span_id, self.map(one.attributes)) for one in span.links]

    def _once(self, shared: dict[int, tuple[Any, Any]], value: Any, mask: Callable[[Any], Any]) -> Any:
        """Return what many spans share masked, and shared again."""
        if not value.attributes:
            return value
        # The value is kept beside what became of it, so that its id stays its own.
        known = shared.get(id(value))
        if known is None:
            known = shared[id(value)] = (value, mask(value))
        return known[1]

    def _attribute_map(self, entries: Attributes) -> Attributes:
        return self.map(self._attributes.replaced(entries, self._replaced))

    def _mask_fields(self, span: Span) -> None:
        for name, action in self._fields.items():
            for field in _FED.get(name, frozenset({name})):
                if (value := getattr(span, field)) is not None:
                    setattr(span, field, self._replaced(value, action))
                    if name == "user_id":
                        self._replace_everywhere(span, value, self._replaced(value, action))
        span.metadata = self._metadata.replaced(span.metadata, self._replaced)
        span.trace_metadata = self._metadata.replaced(span.trace_metadata, self._replaced)
        span.tags = [self._tag(tag) for tag in span.tags]
        span.attributes = {name: self._attribute(name, value) for name, value in span.attributes.items()}
        span.attributes = self._attributes.replaced(span.attributes, self._replaced)
        events = []
        for event in span.events:
            attributes = self._attributes.replaced(event.attributes, self._replaced)
            if self._told and event.name.startswith("gen_ai."):
                # Prompts and completions of older conventions.
                attributes = dict.fromkeys(attributes, MASK)
            events.append(Event(event.name, event.time, attributes))
        span.events = events
        span.links = [
            Link(one.trace_id, one.span_id, self._attributes.replaced(one.attributes, self._replaced))
            for one in span.links
        ]

    def _attribute(self, name: str, value: Json) -> Json:
        """Return an attribute of which a field that is masked may have been made."""
        feeds = _feeds(name)
        for field in feeds:
            if field in self._told:
                return self._replaced(value, self._told[field])
        if self._metadata and not feeds.isdisjoint(_FED["metadata"]):
            action = next((self._metadata.action(key) for key in _tails(name) if self._metadata.action(key)), None)
            return self._metadata.within(value, self._replaced) if action is None else self._replaced(value, action)
        return value

    def _tag(self, tag: str) -> str:
        """Return a tag; one that has a name and a value, as Maxim's have, is metadata."""
        name, colon, value = tag.partition(":")
        action = self._metadata.action(name) if colon else None
        return tag if action is None else f"{name}:{self._replaced(value, action)}"

    def _replace_everywhere(self, span: Span, value: str, by: str) -> None:
        """Put something else in the place of each text that is this value."""

        def walk(one: Json, depth: int = 0) -> Json:
            if one == value:
                return by
            if isinstance(one, list) and depth < DEEPEST:
                return [walk(item, depth + 1) for item in one]
            if isinstance(one, dict) and depth < DEEPEST:
                return {name: walk(item, depth + 1) for name, item in one.items()}
            if isinstance(one, str) and value in one and one[:1] in ("{", "[") and depth < DEEPEST:
                try:
                    return msgspec.json.encode(walk(msgspec.json.decode(one), depth + 1)).decode()
                except (msgspec.DecodeError, RecursionError, UnicodeError):
                    return one
            return one

        for name in _MAPS:
            if entries := getattr(span, name):
                setattr(span, name, {key: walk(item) for key, item in entries.items()})
        span.tags = [by if tag == value else tag for tag in span.tags]
        span.events = [
            Event(one.name, one.time, {key: walk(item) for key, item in one.attributes.items()}) for one in span.events
        ]
        if value in span.resource.attributes.values():
            span.resource = Resource({key: walk(item) for key, item in span.resource.attributes.items()})

    def pieces(self, told: Pieces) -> None:
        """Mask what a request told in pieces."""
        for patch in told.patches:
            self._patch(patch)
        self.scores([*told.scores, *(score for patch in told.patches for score in patch.scores)])
        for session in told.sessions:
            self._session(session)
        for attachment in told.attachments:
            attachment.name = None if attachment.name is None else self.text(attachment.name)
            attachment.metadata = self.map(attachment.metadata)
        told.rejected = self.rejected(told.rejected)

    def _patch(self, patch: Patch) -> None:
        patch.messages = [
            self.value(_with_content(one, MASK) if "input" in self._fields else one) for one in patch.messages
        ]
        self.spans([patch.span])
        # An entry's order stays with the entry, under the name that it has now.
        if orders := patch.span.orders:
            patch.span.orders = {
                f"{name}.{self.text(key)}": order
                for (name, _, key), order in ((key.partition("."), order) for key, order in orders.items())
            }

    def scores(self, scores: Iterable[Score]) -> None:
        """Mask what was said about spans."""
        for score in scores:
            if score.string_value is not None:
                corrected = score.data_type == "CORRECTION" and "output" in self._fields
                score.string_value = MASK if corrected else self.document(score.string_value)
            if score.comment is not None:
                score.comment = self.text(score.comment)
            if score.session_id is not None:
                score.session_id = self.identifier(score.session_id)
            score.metadata = self.map(self._metadata.replaced(score.metadata, self._replaced))

    def _session(self, session: Session) -> None:
        session.id = self.identifier(session.id)
        session.name = None if session.name is None else self.text(session.name)
        session.tags = [self.text(tag) for tag in session.tags]
        session.metadata = self.map(self._metadata.replaced(session.metadata, self._replaced))

    def rejected(self, rejected: Sequence[Rejected]) -> list[Rejected]:
        """Return what could not be taken, masked. Which fields it has nobody knows: where some are masked, none of it is kept."""
        return [
            replace(
                one,
                name=self.text(one.name),
                reason=self.text(one.reason),
                payload=MASK if one.payload and self._masks_fields else self.document(one.payload),
            )
            for one in rejected
        ]


#: Texts of a span that may be JSON, ids, and maps of it.
_DOCUMENTS: Final = ("input", "output", "trace_input", "trace_output", "status_message", "name", "trace_name")
_IDS: Final = ("user_id", "session_id")
_MAPS: Final = ("metadata", "trace_metadata", "attributes", "model_parameters")


def _tails(name: str) -> Iterator[str]:
    """Yield what follows each dot of a name, the longest first."""
    while "." in name:
        name = name.partition(".")[2]
        yield name


def _with_content(message: Json, content: str) -> Json:
    return message | {"content": content} if isinstance(message, dict) else content


@dataclass(frozen=True, slots=True, init=False)
class _Keys:
    """Keys of a map that are masked: exact ones, and beginnings."""

    exact: dict[str, Action]
    beginnings: tuple[tuple[str, Action], ...]

    def __init__(self, fields: dict[str, Action], place: str) -> None:
        keys = {name.removeprefix(place): action for name, action in fields.items() if name.startswith(place)}
        object.__setattr__(self, "exact", {key: action for key, action in keys.items() if not key.endswith("*")})
        beginnings = tuple((key[:-1], action) for key, action in keys.items() if key.endswith("*"))
        object.__setattr__(self, "beginnings", beginnings)

    def __bool__(self) -> bool:
        return bool(self.exact or self.beginnings)

    def action(self, key: str) -> Action | None:
        """Return what is done with the value of a key, None if it stays."""
        return self.exact.get(key) or next((action for begin, action in self.beginnings if key.startswith(begin)), None)

    def replaced(self, entries: Attributes, replace: Callable[[Json, Action], str]) -> Attributes:
        """Return a map with the values of these keys replaced."""
        if not self or not entries:
            return entries
        return {
            key: value if (action := self.action(key)) is None else replace(value, action)
            for key, value in entries.items()
        }

    def within(self, value: Json, replace: Callable[[Json, Action], str]) -> Json:
        """Return a map, or the JSON text of one, with the values of these keys replaced."""
        if isinstance(value, dict):
            return self.replaced(value, replace)
        if isinstance(value, str) and value.startswith("{"):
            try:
                entries = msgspec.json.decode(value, type=dict[str, Any])
            except (msgspec.DecodeError, RecursionError, UnicodeError):
                return value
            return msgspec.json.encode(self.replaced(entries, replace)).decode()
        return value


class Redactions:
    """The policies of all projects, read once and kept. Reading never waits for the store."""

    def __init__(self, catalog: Catalog, secret: str) -> None:
        """Read the policies; `secret` keys the hashes."""
        self._catalog = catalog
        self._secret = secret
        self._lock = threading.Lock()
        self._policies: dict[str, Policy] = {}
        self._redactors: dict[str, Redactor] = {}
        for project_id, text in catalog.project_settings(SETTING).items():
            self._keep(project_id, msgspec.json.decode(text, type=Policy))

    def _keep(self, project_id: str, policy: Policy) -> None:
        self._policies = self._policies | {project_id: policy}
        kept = {id_: redactor for id_, redactor in self._redactors.items() if id_ != project_id}
        self._redactors = kept | {project_id: Redactor(policy, self._key(project_id))} if policy else kept

    def _key(self, project_id: str) -> str:
        # Hashes of one project tell nothing of another.
        return f"{self._secret} {project_id}"

    def of(self, project_id: str) -> Redactor | None:
        """Return what masks what comes into a project; None if nothing is masked there."""
        return self._redactors.get(project_id)

    def policy(self, project_id: str) -> Policy:
        """Return the policy of a project."""
        return self._policies.get(project_id, Policy())

    def preview(self, project_id: str, policy: Policy, sample: str) -> str:
        """Return a text as a policy would have it stored.

        Raises:
            ValueError: the policy cannot be applied.
        """
        return Redactor(checked(policy), self._key(project_id)).document(sample)

    def set(self, project_id: str, policy: Policy) -> None:
        """Set the policy of a project; it holds for what comes from now on. Blocks.

        Raises:
            ValueError: it cannot be applied.
        """
        checked(policy)
        with self._lock:
            self._catalog.set_project_setting(project_id, SETTING, msgspec.json.encode(policy).decode())
            self._keep(project_id, policy)
