"""What calls would have cost on other models, `/api/v1/models/what-if`."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Annotated, Final

import msgspec
from fastapi import APIRouter, Query, Request, Response

from genscope.api.native import FILTER_PARAMETERS, Authorised, Filtered
from genscope.api.openapi import documented
from genscope.api.shapes import plain, respond
from genscope.query.filter import Filter, FilterError
from genscope.services import Services, services
from genscope.whatif import MOST_TARGETS, Outcome, Row, Target, WhatIf, what_if

router = APIRouter(prefix="/api/v1/models", tags=["prices"])

#: Letters in a target; a Bedrock ARN has about 150.
_LONGEST: Final = 300


class TargetShape(msgspec.Struct):
    """A model that calls are priced on. `unknown` says why it has no price now, null if it has one."""

    provider: str | None
    model: str
    unknown: str | None


class OutcomeShape(msgspec.Struct):
    """What calls would have cost on one target, in US dollars; null where no call has a price there.

    `compared_calls` are those of which both costs are known: `difference` and `percent` are of these. `missing` counts the calls
    that are in none of it: `no_usage`, `unknown_model` or `unknown_price` of the target, or `other_type` (embeddings on a model
    that generates, and the other way round).
    """

    calls: int
    cost: str | None
    compared_calls: int
    compared_cost: str | None
    actual_cost: str | None
    difference: str | None
    percent: float | None
    missing: dict[str, int]


class WhatIfRow(msgspec.Struct):
    """Calls of one name to one model: how many, what they did cost as far as that is known, and would have on each target."""

    name: str | None
    provider: str | None
    model: str | None
    calls: int
    priced_calls: int
    cost: str | None
    calls_without_usage: int
    targets: list[OutcomeShape]


class WhatIfShape(msgspec.Struct):
    """What calls would have cost on other models: in all, and by name and model, the highest cost first."""

    targets: list[TargetShape]
    total: WhatIfRow
    rows: list[WhatIfRow]


Targets = Annotated[
    list[str],
    Query(
        alias="target",
        description=f"A model, as provider/model or its name alone; up to {MOST_TARGETS}, repeated or parted by commas.",
    ),
]
Provider = Annotated[str, Query(description="The provider of the targets, whose names are then whole models' names.")]


@router.get("/what-if", responses=documented(WhatIfShape), openapi_extra=FILTER_PARAMETERS)
def get_what_if(
    request: Request,
    project: Authorised,
    filter: Filtered,
    target: Targets,
    target_provider: Provider = "",
) -> Response:
    """Say what the calls that meet the filter would have cost on other models: what they used, at the prices that held then.

    Calls whose usage is not known are left out and counted. Tokens are taken as they were counted, though other makers would
    count the same text differently, by a tenth or more. Prices are those that everybody gets, in the standard tier of service.
    """
    return respond(shape(asked(services(request), project.id, filter, targets(target, target_provider))))


def targets(texts: Sequence[str], provider: str = "") -> list[Target]:
    """Return the models that texts name: `openai/gpt-4o`, `gpt-4o`, or with a provider whole names; without doubles.

    Raises:
        FilterError: there is none, or there are too many.
    """
    names = [name.strip() for text in texts for name in ([text] if provider else text.split(","))]
    found = list(dict.fromkeys(_target(name[:_LONGEST], provider) for name in names if name))
    if not found:
        raise FilterError("target: name a model, such as target=openai/gpt-4o-mini")
    if len(found) > MOST_TARGETS:
        raise FilterError(f"target: {len(found)} models are too many at once; expected at most {MOST_TARGETS}")
    return found


def _target(name: str, provider: str) -> Target:
    if provider:
        return Target(provider.strip().lower(), name)
    seller, slash, model = name.partition("/")
    return Target(seller or None, model) if slash and model else Target(None, name)


def asked(served: Services, project_id: str, filter: Filter, wanted: Sequence[Target]) -> WhatIf:
    """Return what the calls of a project that meet a filter would have cost."""
    return what_if(served.reader.usages, served.prices.overrides(project_id), project_id, filter, wanted)


def shape(found: WhatIf) -> WhatIfShape:
    """Return the answer as the API shows it."""
    wanted = [
        TargetShape(target.provider, target.model, unknown)
        for target, unknown in zip(found.targets, found.unknown, strict=True)
    ]
    return WhatIfShape(wanted, _row(found.total), [_row(row) for row in found.rows])


def _row(row: Row) -> WhatIfRow:
    return WhatIfRow(
        name=row.name,
        provider=row.provider,
        model=row.model,
        calls=row.calls,
        priced_calls=row.priced,
        cost=_money(row.cost, row.priced),
        calls_without_usage=row.without_usage,
        targets=[_outcome(outcome) for outcome in row.outcomes],
    )


def _outcome(outcome: Outcome) -> OutcomeShape:
    difference = outcome.difference
    percent = None if difference is None or not outcome.actual_cost else float(difference / outcome.actual_cost * 100)
    return OutcomeShape(
        calls=outcome.calls,
        cost=_money(outcome.cost, outcome.calls),
        compared_calls=outcome.compared,
        compared_cost=_money(outcome.compared_cost, outcome.compared),
        actual_cost=_money(outcome.actual_cost, outcome.compared),
        difference=None if difference is None else plain(difference),
        percent=percent,
        missing=dict(sorted(outcome.missing.items())),
    )


def _money(amount: Decimal, calls: int) -> str | None:
    return plain(amount) if calls else None
