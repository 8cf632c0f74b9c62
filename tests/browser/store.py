"""A store as tests and pictures need it: items, lots, bins, and people who work there."""

import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
from chubei_shared.contracts.base import Certainty, Mode, Provenance
from chubei_shared.contracts.bins import Bin
from chubei_shared.contracts.catalogue import Family, Item, Place, PlaceKind
from chubei_shared.contracts.gateway_client import GatewayClient
from chubei_shared.contracts.holds import HoldLine, HoldRequest
from chubei_shared.contracts.identity import NewUser
from chubei_shared.contracts.inventory_client import InventoryClient
from chubei_shared.contracts.movements import Receive
from chubei_shared.tokens import Caller, Role, Signer

INVENTED = Provenance(certainty=Certainty.INVENTED, source="test")
GOODS = {
    "1029901": ("饮用水", "Drinking water", "瓶", 24),
    "1029905": ("方便食品", "Instant meal", "份", 12),
    "1019903": ("棉被", "Quilt", "床", 5),
    "1019901": ("单帐篷", "Tent", "顶", 1),
}
"""Code: names, unit, units in a pack. No code of the sample district, which other tests tell the same house."""
_numbers = count(1)


@dataclass(frozen=True)
class House:
    """A `chubei up` that runs."""

    urls: dict[str, str]
    keys: Path


class Store:
    """A store with one lot of each of GOODS, 480 units each, in a bin of its own; and another store beside it."""

    def __init__(self, admin: GatewayClient, house: House) -> None:
        self.admin, self.house = admin, house
        self.inventory = InventoryClient(admin.http)
        number = secrets.token_hex(2).upper()
        self.id = self._place(f"STORE-{number}N", "北库", "North store")
        self.other = self._place(f"STORE-{number}S", "南库", "South store")
        self.lots = {code: self.receive(code, 480) for code in GOODS if self._item(code)}
        for order, code in enumerate(
            reversed(GOODS), 1
        ):  # the way through the store is not the catalogue's order
            where = f"A-{order:02}-1"
            self._put(
                f"/v1/places/{self.id}/bins/{where}",
                Bin(place_id=self.id, code=where, aisle="A", walk_order=order * 10, item_code=code),
            )

    def _put(self, path: str, body: Any) -> None:
        self.admin.http.put(path, json=body.model_dump(mode="json")).raise_for_status()

    def _place(self, place_id: str, zh: str, en: str) -> str:
        kind = PlaceKind.STORE
        self.inventory.put_place(Place(id=place_id, kind=kind, name_zh=zh, name_en=en, provenance=INVENTED))
        return place_id

    def _item(self, code: str) -> Item:
        zh, en, unit, pack = GOODS[code]
        return self.inventory.put_item(
            Item(
                code=code, name_zh=zh, name_en=en, family=Family.RELIEF, unit_zh=unit, pack=pack, weight_g=550,
                volume_cm3=700, reserve_modes=[Mode.PHYSICAL], managing_body="应急局", dispatch_authority="应急局",
                provenance=INVENTED,
            )
        )  # fmt: skip

    def receive(self, code: str, quantity: int, lot_no: str = "", expires_on: str = "2031-06-01") -> UUID:
        """Receive a lot; returns its id."""
        lot = {
            "lot_no": lot_no or f"{self.id[6:10]}-{next(_numbers)}",
            "maker": "示例厂",
            "expires_on": expires_on,
        }
        body = {"kind": "receive", "id": uuid4(), "occurred_at": datetime.now(UTC), "place_id": self.id,
                "lines": [{"item_code": code, "quantity": quantity, "lot": lot}]}  # fmt: skip
        return self.inventory.record(Receive.model_validate(body)).entries[0].lot_id

    def hold(self, units: dict[str, int]) -> UUID:
        """Promise so many units of items to a plan, as allocation does."""
        soon = datetime.now(UTC) + timedelta(hours=6)
        caller = Caller("allocation", frozenset({Role.SERVICE}), acting_for="commander")
        token = Signer(self.house.keys, "allocation").issue(caller, timedelta(hours=1))
        lines = [
            HoldLine(place_id=self.id, item_code=code, mode=Mode.PHYSICAL, quantity=quantity, needed_at=soon)
            for code, quantity in units.items()
        ]
        with httpx.Client(
            base_url=self.house.urls["inventory"],
            headers={"Authorization": f"Bearer {token}"},
            trust_env=False,
        ) as http:
            request = HoldRequest(id=uuid4(), purpose="plan:demo", expires_at=soon, lines=lines)
            return InventoryClient(http).hold(request).id

    def clerk(self, display_name: str = "王保管", places: list[str] | None = None) -> tuple[str, str]:
        """A clerk of this store who has changed the first password: name and password."""
        name, first, password = (
            f"c-{secrets.token_hex(4)}",
            secrets.token_urlsafe(12),
            secrets.token_urlsafe(12),
        )
        self.admin.create_user(
            NewUser(
                username=name,
                display_name=display_name,
                roles=[Role.CLERK],
                places=places or [self.id],
                password=first,
            )
        )
        with httpx.Client(base_url=self.house.urls["gateway"], timeout=30, trust_env=False) as http:
            person = GatewayClient(http)
            person.sign_in(name, first)
            person.change_password(first, password)
            person.sign_out()
        return name, password

    def counted(self, stocktake_id: str, units: dict[str, int], begin: bool = False) -> None:
        """A clerk counts so many of each item's lot and hands in; `begin`: opens the stocktake of these first."""
        name, password = self.clerk()
        at = f"/v1/stocktakes/{stocktake_id}"
        with httpx.Client(base_url=self.house.urls["gateway"], timeout=30, trust_env=False) as http:
            GatewayClient(http).sign_in(name, password)
            if begin:
                told = {"id": stocktake_id, "place_id": self.id, "reason": "抽查", "items": list(units)}
                http.post("/v1/stocktakes", json=told).raise_for_status()
            for code, found in units.items():
                body = {"id": str(uuid4()), "account": self.id, "lot_id": str(self.lots[code]), "units": found,
                        "counted_at": datetime.now(UTC).isoformat()}  # fmt: skip
                http.post(f"{at}/counts", json=body).raise_for_status()
            step = {"id": str(uuid4()), "state": "review"}
            http.post(f"{at}/steps", json=step).raise_for_status()

    def shelf(self) -> dict[str, int]:
        """Units on the shelf by item, by the books."""
        on_hand = dict.fromkeys(GOODS, 0)
        for row in self.inventory.stock(place_id=self.id, limit=500).rows:
            on_hand[row.item_code] += row.on_hand - row.disputed
        return on_hand
