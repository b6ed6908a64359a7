"""What a total leaves out, `/api/v1/coverage`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from decimal import Decimal
from typing import Final

import msgspec
from fastapi import APIRouter, Request, Response

from genscope.api.native import FILTER_PARAMETERS, Authorised, Filtered
from genscope.api.openapi import documented
from genscope.api.shapes import iso, plain, respond
from genscope.services import services
from genscope.store.models import CallGroup

router = APIRouter(prefix="/api/v1", tags=["prices"])

#: Models that are named; the others are counted with all.
MOST_MODELS: Final = 1000


class UnpricedModel(msgspec.Struct):
    """A model of which calls have no cost, and when they were. `cost_missing` counts them by reason."""

    provider: str | None
    model: str | None
    calls: int
    tokens: int
    first_seen: str | None
    last_seen: str | None
    cost_missing: dict[str, int]


class Coverage(msgspec.Struct):
    """How much of the calls to a model (generations and embeddings) a total cost is about.

    `tokens` are those of input and output that are known, `priced_share` the part of them whose cost is known, null
    without any. The models without a cost come by their calls, at most 1000 of them.
    """

    calls: int
    by_type: dict[str, int]
    priced_calls: int
    unpriced_calls: int
    without_model: int
    without_usage: int
    cost_missing: dict[str, int]
    cost_source: dict[str, int]
    tokens: int
    priced_tokens: int
    priced_share: float | None
    total_cost: str | None
    unpriced_models: list[UnpricedModel]


@router.get("/coverage", responses=documented(Coverage), openapi_extra=FILTER_PARAMETERS)
def get_coverage(request: Request, project: Authorised, filter: Filtered) -> Response:
    """Say how many of the calls that meet the filter lack a model, usage or a price, and which models have no price."""
    return respond(coverage(services(request).reader.models.coverage(project.id, filter)))


def coverage(groups: list[CallGroup]) -> Coverage:
    """Return what is known of the cost of calls, in all."""
    tokens = sum(group.tokens for group in groups)
    priced_tokens = sum(group.tokens for group in groups if group.priced)
    costs = [group.cost for group in groups if group.cost is not None]
    return Coverage(
        calls=sum(group.calls for group in groups),
        by_type=_counted((group.type, group.calls) for group in groups),
        priced_calls=sum(group.calls for group in groups if group.priced),
        unpriced_calls=sum(group.calls for group in groups if not group.priced),
        without_model=sum(group.calls for group in groups if group.model is None),
        without_usage=sum(group.calls_without_usage for group in groups),
        cost_missing=_counted((group.missing, group.calls) for group in groups),
        cost_source=_counted((group.cost_source, group.calls) for group in groups if group.priced),
        tokens=tokens,
        priced_tokens=priced_tokens,
        priced_share=priced_tokens / tokens if tokens else None,
        total_cost=plain(sum(costs, Decimal(0))) if costs else None,
        unpriced_models=_unpriced_models(groups),
    )


def _counted(pairs: Iterable[tuple[str | None, int]]) -> dict[str, int]:
    counts: Counter[str] = Counter()
    for name, calls in pairs:
        if name is not None:
            counts[name] += calls
    return dict(sorted(counts.items()))


def _unpriced_models(groups: list[CallGroup]) -> list[UnpricedModel]:
    by_model: dict[tuple[str | None, str | None], list[CallGroup]] = {}
    for group in groups:
        if not group.priced:
            by_model.setdefault((group.provider, group.model), []).append(group)
    models = [
        UnpricedModel(
            provider,
            model,
            calls=sum(group.calls for group in same),
            tokens=sum(group.tokens for group in same),
            first_seen=iso(min(group.first_time for group in same)),
            last_seen=iso(max(group.last_time for group in same)),
            cost_missing=_counted((group.missing, group.calls) for group in same),
        )
        for (provider, model), same in by_model.items()
    ]
    models.sort(key=lambda one: (-one.calls, one.provider or "", one.model or ""))
    return models[:MOST_MODELS]
