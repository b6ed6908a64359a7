"""Settings: what is masked before it is stored."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Annotated, Any, Final

import msgspec
from fastapi import Form
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from genscope.api.policies import LONGEST_SAMPLE
from genscope.redaction import DETECTORS, Policy
from genscope.services import services
from genscope.web.frame import Editor, Viewer, Visiting, frame, page, page_router, render

router = page_router()

#: What the detectors find, as the page says it.
FINDS: Final = {
    "email": ("E-mail addresses", "ada@example.com"),
    "credit_card": ("Card numbers", "of the right length and check digit, such as 4111 1111 1111 1111"),
    "phone": ("Telephone numbers", "+49 30 1234567, (030) 1234567, 555-123-4567"),
    "iban": ("Bank accounts", "IBANs with the right check digits"),
    "api_key": ("Secrets", "API keys of known forms, bearer tokens, JWTs, private keys"),
}
SAMPLE: Final = "Ada (ada@example.com, +49 30 1234567) paid with 4111 1111 1111 1111."
_MASKED: Final = re.compile(r"(\[redacted[^\[\]]{0,60}\]|redacted-[0-9a-f]{16})")


@dataclass(frozen=True, slots=True)
class Redaction:
    """What is masked, as it is written on the page, and a sample as it would be stored."""

    policy: Policy
    patterns: str
    fields: str
    sample: str
    may_edit: bool
    #: Parts of the sample as it would be stored, each with whether it is a mask.
    stored: tuple[tuple[str, bool], ...] = ()
    saved: bool = False
    error: str = ""
    finds: tuple[tuple[str, tuple[str, str]], ...] = tuple((name, FINDS[name]) for name in DETECTORS)

    def json(self) -> dict[str, Any]:
        """Return what the page says as JSON."""
        return {"policy": msgspec.to_builtins(self.policy)}


@page(router, "/settings/redaction", "settings_redaction.html", name="settings")
def redaction(request: Request, project: Viewer, visitor: Visiting, saved: str = "") -> Redaction:
    """Tell what is masked."""
    policy = services(request).redactions.policy(project.id)
    patterns, fields = _written(policy)
    return Redaction(policy, patterns, fields, SAMPLE, visitor.may("member"), saved=bool(saved))


@router.post("/settings/redaction")
def set_redaction(
    request: Request,
    project: Editor,
    visitor: Visiting,
    detect: Annotated[list[str] | None, Form()] = None,
    patterns: Annotated[str, Form()] = "",
    fields: Annotated[str, Form()] = "",
    sample: Annotated[str, Form()] = "",
    do: Annotated[str, Form()] = "",
) -> Response:
    """Try a policy on a sample (`do` is `try`), or set it."""
    redactions = services(request).redactions
    policy, error, stored = Policy(), "", ""
    try:
        policy = _read(detect or [], patterns, fields)
        stored = redactions.preview(project.id, policy, sample[:LONGEST_SAMPLE])
        if do == "save":
            redactions.set(project.id, policy)
            visitor.audit("set redaction to %s", msgspec.json.encode(policy).decode())
            return RedirectResponse("/settings/redaction?saved=1", 303)
    except ValueError as problem:
        error = str(problem)
        policy = Policy(detect=[name for name in DETECTORS if name in (detect or [])])
    parts = tuple((part, index % 2 == 1) for index, part in enumerate(_MASKED.split(stored)) if part)
    view = Redaction(policy, patterns, fields, sample, True, parts, error=error)
    return render("settings_redaction.html", 400 if error else 200, **frame(request, project, "settings"), view=view)


def _written(policy: Policy) -> tuple[str, str]:
    """Return patterns and fields as text, one a line."""
    patterns = "\n".join(f"{one.name} {one.pattern}" for one in policy.patterns)
    return patterns, "\n".join(f"{one.field} {one.action}" for one in policy.fields)


def _read(detect: list[str], patterns: str, fields: str) -> Policy:
    """Return the policy that a form describes; ValueError says what is wrong with it."""
    found = []
    for line in filter(None, map(str.strip, patterns.splitlines())):
        name, _, pattern = line.partition(" ")
        if not pattern.strip():
            raise ValueError(f"pattern {line[:60]!r}: write a name, a space, and the regular expression")
        found.append({"name": name, "pattern": pattern.strip()})
    masked = []
    for line in filter(None, map(str.strip, fields.splitlines())):
        field, _, action = line.rpartition(" ") if line.endswith((" mask", " hash")) else (line, "", "mask")
        masked.append({"field": field.strip(), "action": action})
    try:
        return msgspec.convert({"detect": detect, "patterns": found, "fields": masked}, Policy)
    except msgspec.ValidationError as error:
        raise ValueError(f"this is no redaction: {error}") from None
