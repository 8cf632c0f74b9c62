"""The route of the live view: what a map and a plot of the 12 hours draw."""

from typing import Annotated
from uuid import UUID

from chubei_shared.access import Tx, allow
from chubei_shared.contracts.progress import ProgressView
from fastapi import APIRouter, Query

from chubei_allocation.api_parameters import READERS
from chubei_allocation.progress import progress

router = APIRouter(tags=["orders"])


@router.get(
    "/v1/incidents/{id}/progress",
    summary="调拨实况:各车位置,已救助人数的计划/实际/预计曲线,预计结束 / the dispatch live",
    **allow(*READERS),
)
def read_progress(
    id: UUID,
    tx: Tx,
    every_min: Annotated[int, Query(ge=1, le=60, description="曲线步长(分钟)/ minutes between values")] = 5,
) -> ProgressView:
    """Minutes count from when it happened; an exercise is as far as the last report in it. Nothing is solved."""
    return tx(progress.show, id, every_min)
