"""What a clerk takes along, to work without a network."""

from chubei_shared.access import Tx, allow
from chubei_shared.contracts.base import Id
from chubei_shared.contracts.offline import OfflineKit
from fastapi import APIRouter

from chubei_inventory.api_parameters import READERS, Cursor
from chubei_inventory.offline import kit

router = APIRouter(prefix="/v1", tags=["stock"])


@router.get(
    "/offline-kit",
    summary="离线包:物资、批次、货位、待拣;给 since 只取变更 / what a clerk takes along; since a cursor, the changes",
    **allow(*READERS),
)
def get_offline_kit(tx: Tx, place_id: Id, since: Cursor = None) -> OfflineKit:
    return tx(kit.take, place_id, since)
