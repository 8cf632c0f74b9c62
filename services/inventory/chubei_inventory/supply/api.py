"""What can be had, over all modes."""

from typing import Annotated
from uuid import UUID

from chubei_shared.access import Tx, allow
from chubei_shared.contracts.base import Id, ItemCode, Mode, Utc
from chubei_shared.contracts.reserves import AvailabilityRow, Snapshot, SupplyPage
from chubei_shared.errors import Invalid
from fastapi import APIRouter, Query

from chubei_inventory.api_parameters import READERS, Cursor, Limit
from chubei_inventory.supply import supply

router = APIRouter(prefix="/v1", tags=["supply"])

_FURTHEST_MIN = 60 * 24 * 366
_MOST_MINUTES = 200


@router.get(
    "/snapshot",
    summary="此刻四类储备的一致视图 / everything that can be had now, in one consistent view",
    **allow(*READERS),
)
def get_snapshot(
    tx: Tx,
    needed_by: Annotated[
        Utc | None, Query(description="此前到期的批次不计 / lots that expire before are left out")
    ] = None,
    release_hold: Annotated[
        list[UUID] | None, Query(max_length=50, description="视为已释放的预留 / holds to count as released")
    ] = None,
) -> Snapshot:
    return tx(supply.snapshot, needed_by, release_hold or [])


@router.get(
    "/supply",
    summary="何物、何地、几时可得、依据何在 / what can be had, where, by which minute, and from what it follows",
    **allow(*READERS),
)
def get_supply(
    tx: Tx,
    place_id: Id | None = None,
    item_code: ItemCode | None = None,
    mode: Mode | None = None,
    by_min: Annotated[
        int | None,
        Query(ge=0, le=_FURTHEST_MIN, description="只计下令后该分钟前可装车的 / only what is ready by then"),
    ] = None,
    cursor: Cursor = None,
    limit: Limit = 100,
) -> SupplyPage:
    """The rows that the planner's snapshot and the sums of /v1/availability are made of.

    `quantity` is firm: only that is planned with. Social and household declarations, and donations, are
    counted apart: GET /v1/supply-apart.
    """
    return tx(supply.page, place_id, item_code, mode, by_min, cursor, limit)


@router.get(
    "/availability",
    summary="下令后各分钟可装车的数量,分四类 / units that could be loaded by each minute after an order, by mode",
    **allow(*READERS),
)
def get_availability(
    tx: Tx,
    minutes: Annotated[
        str, Query(max_length=2000, description="如 0,60,720 / minutes after the order, with commas")
    ] = "0,60,120,180,240,300,360,420,480,540,600,660,720",
    item_code: ItemCode | None = None,
) -> list[AvailabilityRow]:
    return tx(supply.availability, _minutes(minutes), item_code)


def _minutes(text: str) -> list[int]:
    parts = [part.strip() for part in text.split(",")]
    if all(part.isascii() and part.isdecimal() and int(part) <= _FURTHEST_MIN for part in parts):
        found = sorted({int(part) for part in parts})
        if len(found) <= _MOST_MINUTES:
            return found
    raise Invalid(
        f"minutes 应为不超过 {_MOST_MINUTES} 个、以逗号分隔的整分钟(0 至 {_FURTHEST_MIN}),如 0,60,720",
        f"minutes: give at most {_MOST_MINUTES} whole minutes (0 to {_FURTHEST_MIN}) with commas: 0,60,720",
        errors=[{"field": "minutes", "problem": text[:100], "remedy": "0,60,720"}],
    )
