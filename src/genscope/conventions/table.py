"""How a dialect is declared, and how all dialects together become one look-up per attribute.

A dialect module holds a `Table`: for each field of the span, the sources that feed it, best first, each with the
decoder that understands it. A source is one of

- `gen_ai.request.model`: the span attribute of that name;
- `gen_ai.usage.*`: all span attributes with that prefix, gathered into one group keyed by the rest of the name;
- `@resource.service.version`: the resource attribute of that name;
- `@events` or any other `@name`: nothing but the span itself; the decoder gets None as its value.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple, TypeAlias

from genscope.model import Attributes, RawSpan

#: (value, span) -> what the field becomes, or None if the value says nothing, so that the next source is asked.
#: It must not raise. A decoder of a group removes from the group what it used, if the field is one of `MOVED`.
Decoder: TypeAlias = Callable[[Any, RawSpan], Any]
#: field -> source -> decoder, best source first.
Table: TypeAlias = Mapping[str, Mapping[str, Decoder]]

#: Fields that take their attributes with them: what they were made of is not kept a second time in `Span.attributes`.
MOVED: Final = frozenset({"input", "output", "trace_input", "trace_output", "metadata", "trace_metadata"})
#: Fields made of all their sources together; the best source wins where two name one key.
MERGED: Final = frozenset({"metadata", "trace_metadata"})

#: How many names are remembered with their rules, and how long ones. Real programs use a few hundred short ones.
_REMEMBERED: Final = 8192
_LONGEST: Final = 256


class Part:
    """A decoder that may take only a part of its value, so that the attribute is kept beside the field."""

    __slots__ = ("decode",)

    def __init__(self, decode: Decoder) -> None:
        self.decode = decode

    def __call__(self, value: Any, span: RawSpan) -> Any:
        """What the decoder makes of `value`."""
        return self.decode(value, span)


class Rule(NamedTuple):
    """One source of one field. The lower the rank, the better the source."""

    #: Where the best value is kept while reading: the field, or the source itself for a field made of all of them.
    slot: str
    rank: int
    source: str
    decode: Decoder
    field: str
    #: What `Span.type_rule` and its like say: the dialect and the source, with a space between them.
    text: str


#: A rule that told something, what it told, and the attributes that this was made of.
Found: TypeAlias = tuple[Rule, Any, tuple[str, ...]]


class Reading(NamedTuple):
    """What a span says: each field's value, the source that gave it, and for a field of `MERGED` all that did."""

    values: dict[str, Any]
    found: dict[str, Found]
    merged: dict[str, list[Found]]

    def rule(self, field: str) -> str | None:
        """Which rule gave a field its value; None if none did."""
        found = self.found.get(field)
        return None if found is None else found[0].text

    def moved(self, attributes: Attributes, fields: Iterable[str] = MOVED) -> set[str]:
        """Those of `attributes` that became one of `fields` as they are, and need not be kept beside it."""
        moved: set[str] = set()
        for field in fields:
            if field in self.found:
                told = [self.found[field]]
            elif field in self.merged:
                parts = self.merged[field]
                told = [part for part in parts if len(parts) == 1 or _within(part[1], self.values[field])]
            else:
                continue
            for rule, value, names in told:
                if isinstance(rule.decode, Part):
                    moved.update(name for name in names if attributes[name] == value)
                else:
                    moved.update(names)
        return moved


def _within(part: Attributes, whole: Attributes) -> bool:
    """Whether no better source had another value for an entry."""
    return all(whole[name] == value for name, value in part.items())


class Rules(dict[str, tuple[tuple[Rule, ...], tuple[Rule, ...]]]):
    """Attribute name -> (rules of that name, rules of its prefixes), worked out once per name and then remembered.

    `tables` are the dialects by their names, the first of which wins where two know a field's source. `precedence` names, per
    field, the sources in the order that differs from the order of the tables; `only` names, for fields that have no others,
    all sources in their order. Raises ValueError if one of them has no table, or if two fields want the group of one prefix,
    from which only one of them can take.
    """

    def __init__(
        self,
        tables: Mapping[str, Table],
        precedence: Mapping[str, Sequence[str]],
        only: Mapping[str, Sequence[str]] | None = None,
    ) -> None:
        super().__init__()
        self.exact: dict[str, list[Rule]] = {}
        self.prefixes: dict[str, Rule] = {}
        self.resource: list[tuple[str, Rule]] = []
        self.events: list[Rule] = []
        self.span: list[Rule] = []
        #: Slots of the fields that are made of all their sources, the best first.
        self.merged: dict[str, list[str]] = {field: [] for field in MERGED}
        for rule in _ranked(tables, precedence, only or {}):
            source = rule.source
            if source.startswith("@resource."):
                self.resource.append((source.removeprefix("@resource."), rule))
            elif source.startswith("@event"):
                self.events.append(rule)
            elif source.startswith("@"):
                self.span.append(rule)
            elif source.endswith(".*"):
                if source[:-1] in self.prefixes:
                    raise ValueError(f"two fields want the group {source}: {rule.field} and another")
                self.prefixes[source[:-1]] = rule
            else:
                self.exact.setdefault(source, []).append(rule)
            if rule.field in MERGED:
                self.merged[rule.field].append(rule.slot)

    def __missing__(self, name: str) -> tuple[tuple[Rule, ...], tuple[Rule, ...]]:
        rules = (
            tuple(self.exact.get(name, ())),
            tuple(rule for prefix, rule in self.prefixes.items() if name.startswith(prefix)),
        )
        if len(self) < _REMEMBERED and len(name) <= _LONGEST:
            self[name] = rules
        return rules

    def read(self, raw: RawSpan) -> Reading:
        """Ask every source of `raw` and keep the best per field. Takes one pass over the span's attributes."""
        best: dict[str, Found] = {}
        groups: dict[str, tuple[Rule, dict[str, Any]]] = {}

        def ask(rule: Rule, told: Any) -> None:
            slot, rank, _, decode, _, _ = rule
            if slot not in best or rank < best[slot][0][1]:
                value = decode(told, raw)
                if value is not None:
                    best[slot] = (rule, value, ())

        for name, told in raw.attributes.items():
            exact, prefixed = self[name]
            for rule in exact:  # `ask`, without the price of a call
                slot, rank, _, decode, _, _ = rule
                if slot not in best or rank < best[slot][0][1]:
                    value = decode(told, raw)
                    if value is not None:
                        best[slot] = (rule, value, (name,))
            for rule in prefixed:
                source = rule[2]
                if source not in groups:
                    groups[source] = (rule, {})
                groups[source][1][name[len(source) - 1 :]] = told

        for rule, group in groups.values():
            sent = tuple(group)
            ask(rule, group)
            if rule.field in MOVED and rule.slot in best and best[rule.slot][0] is rule:
                used = tuple(rule.source[:-1] + rest for rest in sent if rest not in group)
                best[rule.slot] = (rule, best[rule.slot][1], used)
        resource = raw.resource.attributes
        for name, rule in self.resource:
            if name in resource:
                ask(rule, resource[name])
        for rule in self.events if raw.events else ():
            ask(rule, None)
        for rule in self.span:
            ask(rule, None)

        values = {slot: told[1] for slot, told in best.items()}
        merged: dict[str, list[Found]] = {}
        for field, slots in self.merged.items():
            if not best.keys().isdisjoint(slots):
                parts = merged[field] = [best[slot] for slot in slots if slot in best]
                values[field] = {key: value for part in reversed(parts) for key, value in part[1].items()}
        return Reading(values, best, merged)


def _ranked(
    tables: Mapping[str, Table], precedence: Mapping[str, Sequence[str]], only: Mapping[str, Sequence[str]]
) -> Iterable[Rule]:
    by_field: dict[str, dict[str, tuple[str, Decoder]]] = {}
    for dialect, table in tables.items():
        for field, decoders in table.items():
            for source, decode in decoders.items():
                by_field.setdefault(field, {}).setdefault(source, (dialect, decode))
    for field, sources in by_field.items():
        first = only.get(field) or precedence.get(field, ())
        unknown = [source for source in first if source not in sources]
        if unknown:
            raise ValueError(f"the precedence of {field} names sources that no table has: {unknown}")
        order = first if field in only else [*first, *(source for source in sources if source not in first)]
        for rank, source in enumerate(order):
            dialect, decode = sources[source]
            yield Rule(source if field in MERGED else field, rank, source, decode, field, f"{dialect} {source}")
