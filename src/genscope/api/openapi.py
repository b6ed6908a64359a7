"""The OpenAPI document: what FastAPI cannot see in the signatures of the routes."""

from __future__ import annotations

from typing import Any, Final

import msgspec

REFERENCE: Final = "#/components/schemas/{name}"

#: Every way to give a key; one of them is enough.
SECURITY: Final[dict[str, dict[str, str]]] = {
    "basic": {"type": "http", "scheme": "basic", "description": "Public key and secret key."},
    "bearer": {"type": "http", "scheme": "bearer", "description": "The secret key."},
    "x-api-key": {"type": "apiKey", "in": "header", "name": "x-api-key", "description": "The secret key."},
    "x-maxim-api-key": {"type": "apiKey", "in": "header", "name": "x-maxim-api-key", "description": "The secret key."},
}
#: For routes that ask for no key.
PUBLIC: Final[dict[str, Any]] = {"security": []}

#: Schemas that documented routes refer to, collected for the document.
DEFINITIONS: Final[dict[str, Any]] = {}


class Problem(msgspec.Struct):
    """Why a request was refused: the HTTP status in words, and what to do about it."""

    error: str
    message: str


def documented(type_: Any) -> dict[int | str, dict[str, Any]]:
    """Return what the document says of a route that answers with JSON of this type, or with a `Problem`."""
    return {
        200: {"description": "OK", "content": {"application/json": {"schema": _schema(type_)}}},
        "4XX": {"description": "Refused", "content": {"application/json": {"schema": _schema(Problem)}}},
    }


def accepted(type_: Any) -> dict[str, Any]:
    """Return what the document says of a route that takes JSON of this type."""
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": _schema(type_)}}}}


def _schema(type_: Any) -> dict[str, Any]:
    (schema,), components = msgspec.json.schema_components([type_], ref_template=REFERENCE)
    for name, definition in components.items():
        if DEFINITIONS.setdefault(name, definition) != definition:
            raise TypeError(f"two types of the API are called {name}: the document can hold one of them")
    return schema


def complete(document: dict[str, Any], paths: dict[str, Any]) -> dict[str, Any]:
    """Add to FastAPI's document the schemas, the keys, and the paths of routes that are not FastAPI's."""
    components = document.setdefault("components", {})
    components.setdefault("schemas", {}).update(DEFINITIONS)
    components["securitySchemes"] = SECURITY
    document["security"] = [{name: []} for name in SECURITY]
    document["paths"].update(paths)
    return document
