"""What the gateway asks the services before it writes something that is theirs: with the caller's own token."""

from collections.abc import Iterable
from typing import Final

import httpx
from chubei_shared.client import send
from chubei_shared.contracts.catalogue import PlaceKind
from chubei_shared.contracts.inventory_client import InventoryClient
from chubei_shared.errors import Invalid, NotFound, Unavailable
from chubei_shared.settings import Service, Settings
from fastapi import Request

_TOLD: Final = 20


def check_places(request: Request, place_ids: Iterable[str]) -> None:
    """Raises Invalid, of `places`, where inventory has none of such an id; Unavailable while it can not be asked."""
    asked = sorted(set(place_ids))
    if not asked:
        return
    with _client(request, "inventory") as http:
        inventory = InventoryClient(http)
        try:
            unknown = [place_id for place_id in asked if not _is_known(inventory, place_id)]
            stores = inventory.places(kind=PlaceKind.STORE, limit=_TOLD).rows if unknown else []
        except Unavailable as error:
            raise Unavailable(
                "places:库存服务暂不可用,无法核对地点;请稍后重试,或先不填 places",
                "places: inventory is away, so places can not be checked: retry later, or give none yet",
                services=["inventory"],
            ) from error
    if unknown:
        _refuse(unknown, [store.id for store in stores])


def check_there_is(request: Request, service: Service, path: str) -> None:
    """Raises Invalid, of `subject`, where the service does not show it to the caller; Unavailable while it is away."""
    with _client(request, service) as http:
        try:
            send(http, "GET", path)
        except (NotFound, Invalid) as error:
            raise Invalid(
                f"subject:{error.detail},请核对编号",
                f"subject: {error.detail_en}: correct the id",
                errors=[
                    {"field": "subject", "problem": error.detail_en, "remedy": "核对编号 / correct the id"}
                ],
            ) from error
        except Unavailable as error:
            raise Unavailable(
                f"服务 {service} 暂不可用,无法核对 subject;请稍后用同一编号重试",
                f"The service {service} is away, so the subject can not be checked: retry with the same id",
                services=[service],
            ) from error


def _client(request: Request, service: Service) -> httpx.Client:
    settings: Settings = request.app.state.settings
    urls = {"inventory": settings.inventory_url, "allocation": settings.allocation_url}
    return httpx.Client(
        base_url=urls[service],
        headers={"Authorization": request.headers["authorization"]},
        timeout=httpx.Timeout(10, connect=2),
        trust_env=False,
    )


def _is_known(inventory: InventoryClient, place_id: str) -> bool:
    try:
        inventory.place(place_id)
    except NotFound:
        return False
    return True


def _refuse(unknown: list[str], stores: list[str]) -> None:
    names, known = ", ".join(unknown), ", ".join(stores) or "-"
    remedy = f"改用已登记的地点(库:{known}),或先登记 / use a registered place (stores: {known}), or register it first"
    raise Invalid(
        f"places:没有地点 {names};已登记的库:{known}",
        f"places: there is no place {names}; stores that are registered: {known}",
        errors=[{"field": "places", "problem": f"没有 {names} / there is no {names}", "remedy": remedy}],
    )
