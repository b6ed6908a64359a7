"""OpenTelemetry's general attributes, and what a span says without any attribute.

Source: OpenTelemetry semantic conventions (`service.*`, `server.*`, `deployment.*`, `user.*`, `session.*`), OTLP.
"""

from __future__ import annotations

from genscope.conventions.decode import text
from genscope.conventions.table import Table
from genscope.model import RawSpan


def _failed(_value: None, span: RawSpan) -> str | None:
    return "ERROR" if span.status_code == 2 else None


def _default_level(_value: None, _span: RawSpan) -> str:
    return "DEFAULT"


def _status_message(_value: None, span: RawSpan) -> str | None:
    return span.status_message or None


def _name(_value: None, span: RawSpan) -> str:
    return span.name


TABLE: Table = {
    "name": {"@name": _name},
    "level": {"@status": _failed, "@default": _default_level},
    "status_message": {"@status": _status_message},
    "user_id": {"user.id": text},
    "session_id": {"session.id": text},
    "environment": {
        "deployment.environment.name": text,
        "@resource.deployment.environment.name": text,
        "deployment.environment": text,
        "@resource.deployment.environment": text,
    },
    "server_address": {"server.address": text},
    "version": {"@resource.service.version": text},
}
