"""The values that a field has, and the keys of a field that has some: for completion and choice, from the latest spans."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from genscope.query.fields import Field
from genscope.query.filter import Filter
from genscope.store.engine import Engine, Parameter
from genscope.store.merged import merged
from genscope.store.sql import sql
from genscope.store.where import COLUMNS, Column, where

#: Rows that are looked at, the latest of those asked about.
LOOKED_AT: Final = 200_000
#: Where the keys of a field stand.
_KEYS: Final[Mapping[str, str]] = {
    "any_metadata": "arrayConcat(mapKeys(metadata), mapKeys(trace_metadata))",
    "attributes": "mapKeys(attributes)",
    "model_parameters": "JSONExtractKeys(ifNull(model_parameters, ''))",
    "usage": "mapKeys(usage)",
}


class FieldValues:
    """Answers what values fields of one project's spans have. Every call blocks."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def most_frequent(
        self, project_id: str, filter: Filter, field: Field, key: str = "", *, prefix: str = "", limit: int = 20
    ) -> list[tuple[str, int]]:
        """Return values that begin with a prefix, whatever its case, and how many of the latest spans have them.

        Of a keyed field the values of one entry, or without a key its keys. The most frequent come first; those of scores are
        counted by scores.
        """
        parameters: dict[str, Parameter] = {"prefix": prefix, "limit": limit}
        if field.kind == "score":
            parameters |= {"project_id": project_id, "key": key}
            value = "if(value IS NULL, string_value, toString(value))" if key else "name"
            text = sql("values_of_scores").substitute(value=value)
            return _counted(self._engine, text, parameters)
        begin = self._begin(project_id, filter)
        condition = where(project_id, filter if begin is None else replace(filter, start=begin))
        if field.keyed and not key:
            value = f"arrayJoin({_KEYS[field.asked]})"
        else:
            asked = "metadata" if field.asked == "any_metadata" else field.asked
            column = COLUMNS.get(asked, Column(asked))
            value = column.sql.replace("$key", condition.bind(key)) if key else column.sql
            value = f"arrayJoin({value})" if column.kind == "list" else value
        spans = merged(self._engine, condition)
        text = sql("values_of_spans").substitute(value=value, spans=spans, where=str(condition))
        return _counted(self._engine, text, condition.parameters | parameters)

    def _begin(self, project_id: str, filter: Filter) -> int | None:
        """Return the time of the earliest row that is to be looked at, None for all there are."""
        everything = where(project_id, replace(filter, conditions=()))
        text = sql("spans_boundary").substitute(where=str(everything), direction="DESC")
        found = self._engine.query(text, everything.parameters | {"offset": LOOKED_AT})["boundary"].to_pylist()
        return found[0] if found else None


def _counted(engine: Engine, text: str, parameters: dict[str, Parameter]) -> list[tuple[str, int]]:
    return [(row["said"], row["times"]) for row in engine.query(text, parameters).to_pylist()]
