"""Structures that were sent as one attribute per leaf: `0.role`, `0.content`, `1.tool_calls.0.name` ..."""

from __future__ import annotations

from typing import Any, Final

from genscope.conventions.decode import dumped
from genscope.model import Json, RawSpan

#: Slots that all arrays of one structure may have together, as in Langfuse (protocol notes, section 4.5).
SLOTS: Final = 10_001
#: Segments of a name; a deeper one could not be written as JSON by every reader.
_DEPTH: Final = 32
_FORBIDDEN: Final = frozenset({"__proto__", "constructor", "prototype"})


def rebuilt(group: dict[str, Any]) -> Json:
    """The structure whose leaves `group` holds, None if it has none.

    Numbers in a name are indices of arrays, everything else is a key of an object. A name that does not fit (an index
    beyond `SLOTS`, a forbidden key, an array where there is a text) stays in `group`; the others are removed from it.
    The time is linear in the length of the names plus `SLOTS`.
    """
    root: Any = None
    slots = SLOTS
    for name in list(group):
        path = name.split(".", _DEPTH)
        if len(path) > _DEPTH or not _FORBIDDEN.isdisjoint(path):
            continue
        fits, growth = _fits(root, path)
        if not fits or growth > slots:
            continue
        slots -= growth
        root = _placed(root, path, group.pop(name))
    return root  # type: ignore[no-any-return]


def flattened(group: dict[str, Any], _span: RawSpan) -> str | None:
    """A decoder: the JSON text of the structure whose leaves `group` holds."""
    value = rebuilt(group)
    return None if value is None else dumped(value)


def _index(segment: str) -> int | None:
    return int(segment) if segment.isascii() and segment.isdecimal() and len(segment) < 6 else None


def _fits(node: Any, path: list[str]) -> tuple[bool, int]:
    """Whether a leaf can be placed at `path`, and the array slots it would add."""
    growth = 0
    for segment in path:
        index = _index(segment)
        if node is None:
            growth += 0 if index is None else index + 1
        elif isinstance(node, list):
            if index is None:
                return False, 0
            growth += max(0, index + 1 - len(node))
            node = node[index] if index < len(node) else None
        elif isinstance(node, dict):
            node = node.get(segment)
        else:
            return False, 0
    return node is None, growth


def _placed(root: Any, path: list[str], leaf: Any) -> Any:
    root = _container(path[0]) if root is None else root
    node = root
    for segment, following in zip(path, [*path[1:], None], strict=True):
        key: Any = _index(segment) if isinstance(node, list) else segment
        if isinstance(node, list):
            node.extend([None] * (key + 1 - len(node)))
        if following is None:
            node[key] = leaf
        else:
            child = node[key] if isinstance(node, list) else node.get(key)
            if child is None:
                child = node[key] = _container(following)
            node = child
    return root


def _container(segment: str) -> Any:
    return {} if _index(segment) is None else []
