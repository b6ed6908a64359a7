"""The filter language: from text to conditions and back, and what may come next while one types.

The grammar is `filter.lark`, the fields are `query/fields.py`, the user's guide is docs/filters.md.
"""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from functools import cache
from importlib import resources
from typing import Any, Final, NamedTuple

from lark import Lark, Token, Transformer, UnexpectedInput, UnexpectedToken, v_args

from genscope.query.conditions import AllOf, AnyOf, Condition, FilterError, Node, Not, Operator
from genscope.query.fields import BY_NAME, NUMBERS, TABLE, Field, Kind
from genscope.query.times import parse_time

#: Bounds of one text: its characters, how deep parentheses nest, and its conditions.
MAX_LENGTH: Final = 4000
MAX_DEPTH: Final = 20
MAX_CONDITIONS: Final = 100

#: What the name of a column ends with that holds as a number what the one without it holds as text.
AS_NUMBER: Final = "_number"
#: What a unit makes of a number, by kind.
UNITS: Final[Mapping[str, Mapping[str, Decimal]]] = {
    "seconds": {"": Decimal(1), "s": Decimal(1), "ms": Decimal("0.001"), "m": Decimal(60), "h": Decimal(3600)},
    "count": {"": Decimal(1), "k": Decimal(1000), "M": Decimal(1_000_000)},
    "money": {"": Decimal(1)},
    "number": {"": Decimal(1)},
}
#: How an example of a kind is written.
EXAMPLES: Final = {
    "seconds": "a time such as 2s or 500ms",
    "count": "a count such as 1000, 10k or 2M",
    "money": "US dollars such as 0.01",
    "number": "a number such as 0.5",
    "time": "a time such as 2026-01-01 or 2026-01-01T12:30, or an age such as 24h",
}
_NUMBER: Final = re.compile(
    r"(?P<dollar>\$?)(?P<number>[+-]?(\d+(\.\d*)?|\.\d+)(e[+-]?\d{1,2})?)(?P<unit>[a-zA-Z]*)", re.ASCII
)
_PLAIN_VALUE: Final = re.compile(r'[^\s"()*]+')
_PLAIN_KEY: Final = re.compile(r'[^\s"():<>=!]+')
_PLAIN_WORD: Final = re.compile(r'(?!(OR|AND|NOT)$)(?!-)([^\s"():<>=!]|!(?!=))+')
_ALTERNATIVE: Final = re.compile(r"\bOR\b")
_STRING: Final = re.compile(r'"(\\.|[^"\\])*"', re.DOTALL)
_GROUP: Final = re.compile(r"\([^()]*\)")
_LETTER: Final = re.compile(r"[^\W_]")
_COMPARED: Final[Mapping[str, Operator]] = {">": ">", ">=": ">=", "<": "<", "<=": "<="}
#: What the parser may wait for, in words.
_EXPECTED: Final = (
    ("VALUE", "a value"),
    ("WORD", 'a word, a "phrase", a condition such as model:gpt-4o, or ('),
    ("_RIGHT", "a closing )"),
)


class _Value(NamedTuple):
    """A value as it was written, and what may stand before and after it."""

    text: str
    column: int
    before: bool = False
    after: bool = False


def parse(text: str) -> tuple[Node, ...]:
    """Return the conditions that a text of the filter language asks for, all of which hold.

    Raises:
        FilterError: it is none; the error says where, and what was expected there.
    """
    if len(text) > MAX_LENGTH:
        raise FilterError(
            f"a filter may have {MAX_LENGTH:,} characters, this one has {len(text):,}", text, MAX_LENGTH + 1
        )
    try:
        parsed: Any = _parser().parse(text)
    except UnexpectedInput as error:
        raise _explained(text, error) from None
    except _Problem as problem:
        raise FilterError(f"column {problem.column}: {problem}", text, problem.column) from None
    if parsed is None:
        return ()
    if _count(parsed) > MAX_CONDITIONS:
        raise FilterError(f"a filter may have {MAX_CONDITIONS} conditions, this one has {_count(parsed)}", text, 1)
    return parsed.parts if isinstance(parsed, AllOf) else (parsed,)


def write(conditions: Iterable[Node]) -> str:
    """Return conditions as text, in the shortest form; the inverse of `parse`."""
    return _written(all_of(conditions)) if (conditions := tuple(conditions)) else ""


def term(field: str, value: str | int | float, operator: str = ":") -> str:
    """Return one condition as text, quoted as needed: `term("user_id", "alice smith")` is `user:"alice smith"`.

    `field` may be any name of the field, with its key after a dot (`metadata.plan`); the value is taken literally.
    """
    name, dot, key = field.partition(".")
    known = BY_NAME.get(name)
    return f"{name_of(known.name if known else name, key if dot else '')}{operator}{quoted(str(value))}"


def joined(*texts: str) -> str:
    """Return the filter that asks for all that these ask for; what they say is not looked at."""
    several = [text for text in texts if text.strip()]
    return " ".join(f"({text})" if len(several) > 1 and _alternates(text) else text for text in several)


def _alternates(text: str) -> bool:
    """Return whether OR stands in a text outside of quotes and parentheses."""
    rest, found = _STRING.sub("", text), 1
    while found:
        rest, found = _GROUP.subn("", rest)
    return bool(_ALTERNATIVE.search(rest))


def with_term(text: str, field: str, value: str) -> str:
    """Return a filter that lets `value` of `field` through as well, if it names values of that field already, and else no other.

    Raises:
        FilterError: the text is no filter, or the value none of the field's.
    """
    (new,) = parse(term(field, value))
    conditions = list(parse(text))
    if isinstance(new, Condition):
        for index, old in enumerate(conditions):
            if isinstance(old, Condition) and _same_field(old, new) and old.operator == new.operator == "any of":
                values = tuple(dict.fromkeys((*old.values, *new.values)))
                conditions[index] = Condition(old.field, values, key=old.key)
                return write(conditions)
    return write([*conditions, new])


def without(text: str, field: str, value: str | None = None) -> str:
    """Return a filter that does not ask for `value` of `field` any more; without a value, for nothing of the field.

    Conditions in parentheses stay.

    Raises:
        FilterError: the text is no filter.
    """
    name, _, key = field.partition(".")
    known = BY_NAME.get(name)
    kept: list[Node] = []
    for part in parse(text):
        asked = part.part if isinstance(part, Not) else part
        if not isinstance(asked, Condition) or _field_of(asked) is not known or asked.key != key:
            kept.append(part)
        elif value is not None:
            values = tuple(one for one in asked.values if one != value)
            if asked is not part or asked.operator != "any of" or values == asked.values:
                kept.append(part)
            elif values:
                kept.append(Condition(asked.field, values, key=asked.key))
    return write(kept)


def has_term(text: str, field: str, value: str) -> bool:
    """Return whether a filter names this value of this field as one that it lets through.

    Raises:
        FilterError: the text is no filter.
    """
    name, _, key = field.partition(".")
    return any(
        isinstance(part, Condition)
        and _field_of(part) is BY_NAME.get(name)
        and part.key == key
        and part.operator == "any of"
        and value in part.values
        for part in parse(text)
    )


def quoted(value: str) -> str:
    """Return a value as it is written after an operator, in quotes where it needs them."""
    return value if _PLAIN_VALUE.fullmatch(value) else _quotes(value)


def all_of(parts: Iterable[Node]) -> Node:
    """Return what holds where every part does, without conjunctions within conjunctions."""
    flat = tuple(one for part in parts for one in (part.parts if isinstance(part, AllOf) else (part,)))
    return flat[0] if len(flat) == 1 else AllOf(flat)


def any_of(parts: Iterable[Node]) -> Node:
    """Return what holds where one of the parts does, without alternatives within alternatives."""
    flat = tuple(one for part in parts for one in (part.parts if isinstance(part, AnyOf) else (part,)))
    return flat[0] if len(flat) == 1 else AnyOf(flat)


# From text to conditions.


class _Problem(Exception):
    def __init__(self, message: str, column: int) -> None:
        super().__init__(message)
        self.column = column


@v_args(inline=True)
class _Builder(Transformer[Token, Node]):
    """Makes conditions of what the parser recognises, while it does so."""

    def any_of(self, *parts: Node) -> Node:
        return any_of(parts)

    def all_of(self, *parts: Node) -> Node:
        return all_of(parts)

    def negated(self, part: Node) -> Node:
        return part.part if isinstance(part, Not) else Not(part)

    def group(self, left: Token, inner: Node) -> Node:
        if _depth(inner) >= MAX_DEPTH:
            raise _Problem(f"parentheses may nest {MAX_DEPTH} deep", _column(left))
        return inner

    def word(self, token: Token) -> Node:
        if token in ("OR", "AND"):
            raise _Problem(f"expected a condition before {token}; put it in quotes to search for it", _column(token))
        return _words("text", _Value(str(token), _column(token)))

    def phrase(self, token: Token) -> Node:
        return _words("text", _Value(_unquoted(str(token)), _column(token)))

    def bare(self, token: Token) -> _Value:
        text = str(token)
        if not text.strip("*"):
            return _Value("", _column(token), before=True, after=True)
        value = _Value(text.strip("*"), _column(token), text.startswith("*"), text.endswith("*"))
        if "*" in value.text:
            at = _column(token) + text.index("*", len(text) - len(text.lstrip("*")))
            raise _Problem(
                "a * stands at the beginning or the end of a value; put the value in quotes to mean the character", at
            )
        return value

    def quoted(self, token: Token) -> _Value:
        text = str(token)
        return _Value(_unquoted(text.strip("*")), _column(token), text.startswith("*"), text.endswith("*"))

    def equality(self, name: Token, value: _Value) -> Node:
        return _equal(*_named(name), [value])

    def one_of(self, name: Token, _left: Token, *values: _Value) -> Node:
        return _equal(*_named(name), values)

    def comparison(self, name: Token, operator: Token, value: _Value) -> Node:
        field, key = _named(name)
        sign = operator.strip()
        if sign in ("=", "!="):
            equal = _equal(field, key, [value])
            return equal if sign == "=" else self.negated(equal)
        kind, asked = field.kind, field.asked
        if kind == "score" or (field.keyed and kind == "text"):
            kind, asked = "number", f"{field.asked}{AS_NUMBER}"
        if kind not in NUMBERS and kind != "time":
            raise _Problem(
                f"{field.name} has no order: expected : and a value, as in {field.name}:x", _column(operator)
            )
        if value.before or value.after:
            raise _Problem(f"expected {EXAMPLES[kind]}", value.column)
        return Condition(asked, (_measured(field, kind, value),), _COMPARED[sign], key)


def _named(token: Token) -> tuple[Field, str]:
    name, dot, key = str(token).partition(".")
    field = BY_NAME.get(name)
    if field is None:
        near = _nearest(name)
        hint = f"did you mean {near}? " if near else ""
        raise _Problem(f"there is no field {name!r}: {hint}put it in quotes to search for it", _column(token))
    if field.keyed and not dot:
        raise _Problem(f"expected a key after {name}, as in {name}.plan", _column(token) + len(name))
    if dot and not field.keyed:
        raise _Problem(f"{name} has no keys: expected an operator, as in {name}:x", _column(token) + len(name))
    return field, _unquoted(key) if key.startswith('"') else key


def _equal(field: Field, key: str, values: Sequence[_Value]) -> Node:
    if field.kind == "time":
        raise _Problem(f"{field.name} is a moment: expected > or <, as in {field.name}>24h", values[0].column - 1)
    if all(not (value.before or value.after) for value in values) and field.kind != "words":
        return Condition(
            field.asked, tuple(dict.fromkeys(_measured(field, field.kind, value) for value in values)), key=key
        )
    return any_of(_one(field, key, value) for value in values)


def _one(field: Field, key: str, value: _Value) -> Node:
    if value.before and value.after and not value.text:
        return Condition(field.asked, (), "is not null", key)
    if field.kind == "words":
        return _words(field.asked, value)
    if not (value.before or value.after):
        return Condition(field.asked, (_measured(field, field.kind, value),), key=key)
    if field.kind in NUMBERS:
        raise _Problem(f"expected {EXAMPLES[field.kind]}", value.column)
    operator: Operator = "contains" if value.before and value.after else "ends with" if value.before else "starts with"
    return Condition(field.asked, (value.text,), operator, key)


def _words(asked: str, value: _Value) -> Node:
    if value.before or value.after:
        raise _Problem("words are found whole: expected one without *", value.column)
    if not _LETTER.search(value.text):
        raise _Problem("expected a word with a letter or digit to search for", value.column)
    return Condition(asked, (value.text,), "contains")


def _measured(field: Field, kind: Kind, value: _Value) -> str:
    """Return a value as a `Condition` has it: numbers without their unit, one of the legal values as it is spelled."""
    if kind == "time":
        try:
            parse_time(value.text, field.name)
        except FilterError:
            raise _Problem(f"expected {EXAMPLES['time']}", value.column) from None
        return value.text
    if kind in NUMBERS:
        return _number(kind, value)
    if field.values:
        for legal in field.values:
            if legal.casefold() == value.text.casefold():
                return legal
        raise _Problem(
            f"{field.name} has no value {value.text!r}: expected one of {', '.join(field.values)}", value.column
        )
    return value.text


def _number(kind: str, value: _Value) -> str:
    found = _NUMBER.fullmatch(value.text)
    factor = UNITS[kind].get(found["unit"]) if found else None
    if not found or factor is None or (found["dollar"] and kind != "money"):
        raise _Problem(f"expected {EXAMPLES[kind]}", value.column)
    amount = Decimal(found["number"]) * factor
    if not math.isfinite(float(amount)):
        raise _Problem("expected a smaller number", value.column)
    return plain(amount)


def plain(amount: Decimal) -> str:
    """Return a number without an exponent and without superfluous zeros."""
    text = f"{amount:f}"
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if text in ("-0", "") else text


def _nearest(name: str) -> str:
    return ", ".join(difflib.get_close_matches(name, BY_NAME, 1))


def _column(token: Token) -> int:
    return (token.start_pos or 0) + 1


def _unquoted(text: str) -> str:
    return re.sub(r'\\(["\\])', r"\1", text[1:-1])


def _depth(node: Node) -> int:
    """Return how deep conditions nest; bounded, because every group was looked at when it was made."""
    match node:
        case AllOf(parts) | AnyOf(parts):
            return 1 + max(_depth(part) for part in parts)
        case Not(part):
            return _depth(part)
        case Condition():
            return 0


def _count(node: Node) -> int:
    match node:
        case AllOf(parts) | AnyOf(parts):
            return sum(_count(part) for part in parts)
        case Not(part):
            return _count(part)
        case Condition(values=values):
            return max(1, len(values))


def _explained(text: str, error: UnexpectedInput) -> FilterError:
    position = error.pos_in_stream
    at_end = isinstance(error, UnexpectedToken) and error.token.type == "$END"
    index = len(text) if at_end or position is None else position
    waited = error.accepts if isinstance(error, UnexpectedToken) else getattr(error, "allowed", None)
    expected = next((words for name, words in _EXPECTED if name in (waited or ())), "another condition")
    if not at_end and _opens_quote(text, index):
        message = "this quote is not closed"
    elif at_end:
        message = f"the filter ends here: expected {expected}"
    elif text[index] == ":" and expected == "another condition":
        message = "expected a value right behind the colon"
    elif text[index] in ":<>=!":
        message = f"{text[index]!r} follows no field: put a word that holds it in quotes"
    else:
        message = f"expected {expected}"
    return FilterError(f"column {index + 1}: {message}", text, index + 1)


def _opens_quote(text: str, index: int) -> bool:
    return text[index : index + 1] == '"' or (text[index : index + 2] == '*"')


@cache
def _parser() -> Lark:
    grammar = resources.files("genscope.query").joinpath("filter.lark").read_text()
    return Lark(grammar, parser="lalr", lexer="contextual", transformer=_Builder())


# From conditions to text.

_FIELDS: Final[Mapping[str, Field]] = {
    f"{field.asked}{AS_NUMBER}": field for field in TABLE if field.kind == "score" or field.keyed
} | {field.asked: field for field in TABLE}
_SHORT: Final[Mapping[str, str]] = {"seconds": "s"}


def _field_of(condition: Condition) -> Field | None:
    return _FIELDS.get(condition.field)


def _same_field(one: Condition, other: Condition) -> bool:
    return one.field == other.field and one.key == other.key


def name_of(name: str, key: str) -> str:
    """Return the name of a field with its key, which is quoted where it has to be."""
    if not key:
        return name
    return f"{name}.{key if _PLAIN_KEY.fullmatch(key) else _quotes(key)}"


def _quotes(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _written(node: Node, within: type[Node] | None = None) -> str:
    match node:
        case AllOf(parts):
            text = " ".join(_written(part, AllOf) for part in parts)
            return f"({text})" if within is Not else text
        case AnyOf(parts):
            text = " OR ".join(_written(part, AnyOf) for part in parts)
            return f"({text})" if within in (AllOf, Not) else text
        case Not(part):
            return f"-{_written(part, Not)}"
        case Condition():
            return _written_condition(node)


def _written_condition(condition: Condition) -> str:
    field, values = _FIELDS.get(condition.field), condition.values
    if field is None:
        raise FilterError(f"a condition on {condition.field!r} cannot be written in the filter language")
    name = name_of(field.name, condition.key)
    unit = _SHORT.get(field.kind, "")
    match condition.operator:
        case "is not null":
            return f"{name}:*"
        case "is null":
            return f"-{name}:*"
        case "contains" if field.name == "text":
            return values[0] if _PLAIN_WORD.fullmatch(values[0]) else _quotes(values[0])
        case "contains" if field.kind == "words":
            return f"{name}:{quoted(values[0])}"
        case "contains":
            return f"{name}:*{quoted(values[0])}*"
        case "does not contain":
            return f"-{name}:*{quoted(values[0])}*"
        case "starts with":
            return f"{name}:{quoted(values[0])}*"
        case "ends with":
            return f"{name}:*{quoted(values[0])}"
        case "any of" | "none of":
            sign = "-" if condition.operator == "none of" else ""
            written = [quoted(value) + unit for value in values]
            joined = " OR ".join(written)
            return f"{sign}{name}:{joined if len(written) == 1 else f'({joined})'}"
        case "all of":
            return " ".join(f"{name}:{quoted(value)}" for value in values)
        case _:
            return f"{name}{condition.operator}{quoted(values[0])}{unit}"
