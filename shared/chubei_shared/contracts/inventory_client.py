"""The inventory service over HTTP: one method for each thing that can be asked of it."""

from collections.abc import Iterable
from datetime import date
from typing import Any
from uuid import UUID

import httpx
from pydantic import TypeAdapter

from chubei_shared.client import send
from chubei_shared.contracts.base import Dto, Mode, Utc
from chubei_shared.contracts.batches import BatchAnswers, MovementBatch
from chubei_shared.contracts.bins import BinPage
from chubei_shared.contracts.call_offs import CallOff, CallOffPage, CallOffState, CallOffStep, CallOffView
from chubei_shared.contracts.cards import LoanPage
from chubei_shared.contracts.care import CareKind, CarePage
from chubei_shared.contracts.catalogue import Item, ItemPage, Kit, KitPage, Place, PlaceKind, PlacePage
from chubei_shared.contracts.catalogue_versions import Changes, Draft, DraftView, NormPage, VersionPage
from chubei_shared.contracts.declarations import ApartRow, Declaration, DeclarationPage, Sphere
from chubei_shared.contracts.funds import FundAccount, FundAccountView
from chubei_shared.contracts.holds import HoldReplace, HoldRequest, HoldView
from chubei_shared.contracts.reserves import (
    AvailabilityRow,
    Reserve,
    ReservePage,
    ReserveView,
    Snapshot,
    SupplyPage,
    Verification,
    VerificationPage,
    VerificationView,
)
from chubei_shared.contracts.rest import segment
from chubei_shared.contracts.stock import BooksReport, Movement, MovementPage, MovementView, StockPage
from chubei_shared.contracts.stocktakes import AccuracyRow

_AVAILABILITY = TypeAdapter(list[AvailabilityRow])
_APART = TypeAdapter(list[ApartRow])
_ACCURACY = TypeAdapter(list[AccuracyRow])


class InventoryClient:
    """Every method raises the AppError that the service answered, or Unavailable where it did not answer.

    `http` carries the service's base URL and the caller's token (`auth` or an Authorization header). All
    writes may be repeated after Unavailable: the ids in them make a repeat the same request.
    """

    def __init__(self, http: httpx.Client) -> None:
        self._http = http

    # Master data: putting the same again changes nothing

    def put_item(self, item: Item, if_match: str | None = None) -> Item:
        """Raises as `put_reserve`."""
        return Item.model_validate_json(self._put(f"/v1/items/{item.code}", item, if_match))

    def put_kit(self, kit: Kit, if_match: str | None = None) -> Kit:
        """Raises as `put_reserve`."""
        return Kit.model_validate_json(self._put(f"/v1/kits/{segment(kit.id)}", kit, if_match))

    def put_draft(self, draft: Draft, if_match: str | None = None) -> DraftView:
        """Write a draft of the catalogue. Raises as `put_reserve`."""
        return DraftView.model_validate_json(self._put(f"/v1/catalogue/drafts/{draft.id}", draft, if_match))

    def draft(self, draft_id: UUID) -> DraftView:
        return DraftView.model_validate_json(self._get(f"/v1/catalogue/drafts/{draft_id}"))

    def publish_draft(self, draft_id: UUID, if_match: str) -> DraftView:
        """Bring a draft into force; `if_match` is the ETag of what was looked at. Raises Conflict, Invalid."""
        path = f"/v1/catalogue/drafts/{draft_id}:publish"
        return DraftView.model_validate_json(
            send(self._http, "POST", path, headers={"If-Match": if_match}).content
        )

    def catalogue_versions(self, cursor: str | None = None, limit: int = 100) -> VersionPage:
        """The latest first."""
        return VersionPage.model_validate_json(
            self._get("/v1/catalogue/versions", cursor=cursor, limit=limit)
        )

    def catalogue_changes(self, number: int, since: int | None = None) -> Changes:
        """What differs in a version from an earlier one (None: the one before)."""
        path = f"/v1/catalogue/versions/{number}/changes"
        return Changes.model_validate_json(self._get(path, since=since))

    def norms(self, cursor: str | None = None, limit: int = 100, version: int | None = None) -> NormPage:
        return NormPage.model_validate_json(
            self._get("/v1/norms", version=version, cursor=cursor, limit=limit)
        )

    def put_place(self, place: Place, if_match: str | None = None) -> Place:
        """Raises as `put_reserve`."""
        return Place.model_validate_json(self._put(f"/v1/places/{segment(place.id)}", place, if_match))

    def put_reserve(self, reserve: Reserve, if_match: str | None = None) -> ReserveView:
        """Raises PreconditionRequired where it changes what is there, and `if_match` does not say which edition."""
        path = f"/v1/reserves/{segment(reserve.id)}"
        return ReserveView.model_validate_json(self._put(path, reserve, if_match))

    def put_fund(self, fund: FundAccount, if_match: str | None = None) -> FundAccountView:
        """As `put_reserve`."""
        path = f"/v1/funds/{segment(fund.id)}"
        return FundAccountView.model_validate_json(self._put(path, fund, if_match))

    def items(self, cursor: str | None = None, limit: int = 100, version: int | None = None) -> ItemPage:
        """Of a version of the catalogue; without it, of the one in force."""
        return ItemPage.model_validate_json(
            self._get("/v1/items", version=version, cursor=cursor, limit=limit)
        )

    def kits(self, cursor: str | None = None, limit: int = 100, version: int | None = None) -> KitPage:
        return KitPage.model_validate_json(self._get("/v1/kits", version=version, cursor=cursor, limit=limit))

    def places(self, cursor: str | None = None, limit: int = 100, kind: PlaceKind | None = None) -> PlacePage:
        return PlacePage.model_validate_json(self._get("/v1/places", kind=kind, cursor=cursor, limit=limit))

    def place(self, place_id: str) -> Place:
        return Place.model_validate_json(self._get(f"/v1/places/{segment(place_id)}"))

    def reserves(self, cursor: str | None = None, limit: int = 100) -> ReservePage:
        return ReservePage.model_validate_json(self._get("/v1/reserves", cursor=cursor, limit=limit))

    def reserve(self, reserve_id: str) -> ReserveView:
        return ReserveView.model_validate_json(self._get(f"/v1/reserves/{segment(reserve_id)}"))

    # What becomes of reserves

    def verify(self, reserve_id: str, verification: Verification) -> VerificationView:
        path = f"/v1/reserves/{segment(reserve_id)}/verifications"
        return VerificationView.model_validate_json(self._post(path, verification))

    def verifications(self, reserve_id: str, cursor: str | None = None, limit: int = 100) -> VerificationPage:
        path = f"/v1/reserves/{segment(reserve_id)}/verifications"
        return VerificationPage.model_validate_json(self._get(path, cursor=cursor, limit=limit))

    def fund(self, fund_id: str) -> FundAccountView:
        return FundAccountView.model_validate_json(self._get(f"/v1/funds/{segment(fund_id)}"))

    def call_off(self, order: CallOff) -> CallOffView:
        """Order from a reserve. Raises Shortage, Conflict."""
        return CallOffView.model_validate_json(self._post("/v1/call-offs", order))

    def call_off_step(self, call_off_id: UUID, step: CallOffStep) -> CallOffView:
        """Say what happened next. Raises Conflict where that can not follow."""
        return CallOffView.model_validate_json(self._post(f"/v1/call-offs/{call_off_id}/steps", step))

    def get_call_off(self, call_off_id: UUID) -> CallOffView:
        return CallOffView.model_validate_json(self._get(f"/v1/call-offs/{call_off_id}"))

    def call_offs(
        self,
        reserve_id: str | None = None,
        hold_id: UUID | None = None,
        state: CallOffState | None = None,
        cursor: str | None = None,
        limit: int = 100,
    ) -> CallOffPage:
        """The latest first."""
        query = {"reserve_id": reserve_id, "hold_id": hold_id, "state": state}
        return CallOffPage.model_validate_json(
            self._get("/v1/call-offs", **query, cursor=cursor, limit=limit)
        )

    # Movements and stock

    def record(self, movement: Movement) -> MovementView:
        """Record a movement. Raises Shortage with every short line, Conflict, Invalid, Forbidden."""
        return MovementView.model_validate_json(self._post("/v1/movements", movement))

    def record_batch(self, batch: MovementBatch) -> BatchAnswers:
        """Report what was done offline; each movement is answered apart."""
        return BatchAnswers.model_validate_json(self._post("/v1/movements:batch", batch))

    def movement(self, movement_id: UUID) -> MovementView:
        return MovementView.model_validate_json(self._get(f"/v1/movements/{movement_id}"))

    def movements(
        self,
        place_id: str | None = None,
        item_code: str | None = None,
        order_id: UUID | None = None,
        cursor: str | None = None,
        limit: int = 100,
    ) -> MovementPage:
        """Movements in the order in which they were recorded (the bin card's)."""
        query = {"place_id": place_id, "item_code": item_code, "order_id": order_id}
        return MovementPage.model_validate_json(
            self._get("/v1/movements", **query, cursor=cursor, limit=limit)
        )

    def stock(
        self,
        place_id: str | None = None,
        item_code: str | None = None,
        lot_id: UUID | None = None,
        cursor: str | None = None,
        limit: int = 100,
        at_place_id: str | None = None,
    ) -> StockPage:
        """Of just one account (`place_id`), or of a place with all it keeps off its shelves (`at_place_id`)."""
        query = {"place_id": place_id, "at_place_id": at_place_id, "item_code": item_code, "lot_id": lot_id}
        return StockPage.model_validate_json(self._get("/v1/stock", **query, cursor=cursor, limit=limit))

    def lent(self, place_id: str, item_code: str) -> list[tuple[UUID, int]]:
        """Lots of an item that people at a place have to give back (待回收), and how many of each."""
        rows = self.stock(place_id=f"lent:{place_id}", item_code=item_code, limit=200).rows
        return [(row.lot_id, row.on_hand) for row in rows if row.on_hand > 0]

    def bins(self, place_id: str, cursor: str | None = None, limit: int = 100) -> BinPage:
        """The register of bins of a place, in walking order."""
        return BinPage.model_validate_json(
            self._get(f"/v1/places/{place_id}/bins", cursor=cursor, limit=limit)
        )

    def loans(self, cursor: str | None = None, limit: int = 100, place_id: str | None = None) -> LoanPage:
        """What was lent and is to come back, the oldest first."""
        return LoanPage.model_validate_json(
            self._get("/v1/loans", place_id=place_id, only_open=False, cursor=cursor, limit=limit)
        )

    def books(self) -> BooksReport:
        """Recompute every balance from the entries. Slow on large books."""
        return BooksReport.model_validate_json(self._get("/v1/books"))

    def care_due(
        self, kind: CareKind, due_by: date | None = None, cursor: str | None = None, limit: int = 500
    ) -> CarePage:
        """What is due of a kind by a day; by default as tasks are opened."""
        return CarePage.model_validate_json(
            self._get(f"/v1/care/due/{kind}", due_by=due_by, cursor=cursor, limit=limit)
        )

    def accuracy(self) -> list[AccuracyRow]:
        """How far books and shelves agreed in the stocktakes of the last year, by place."""
        return _ACCURACY.validate_json(self._get("/v1/stock-accuracy"))

    # Holds

    def hold(self, request: HoldRequest) -> HoldView:
        """Hold all lines or none. Raises Shortage with every short line (contracts.holds.Shortage)."""
        return HoldView.model_validate_json(self._post("/v1/holds", request))

    def hold_replace(self, request: HoldReplace) -> HoldView:
        """Release some holds and take another in one transaction. Raises Shortage, and then all stays."""
        return HoldView.model_validate_json(self._post("/v1/holds:replace", request))

    def release(self, hold_id: UUID) -> HoldView:
        """Give back what has not been issued. Releasing again changes nothing."""
        return HoldView.model_validate_json(send(self._http, "POST", f"/v1/holds/{hold_id}:release").content)

    def repick(self, hold_id: UUID) -> HoldView:
        """Other lots for those it keeps and can not have any more; `repicked` says what is short."""
        return HoldView.model_validate_json(send(self._http, "POST", f"/v1/holds/{hold_id}:repick").content)

    def get_hold(self, hold_id: UUID) -> HoldView:
        return HoldView.model_validate_json(self._get(f"/v1/holds/{hold_id}"))

    # What can be had

    def snapshot(self, needed_by: Utc | None = None, release_holds: Iterable[UUID] = ()) -> Snapshot:
        """Everything that can be had now, in one consistent view.

        Lots that expire before `needed_by` are left out. What `release_holds` keep counts as free: so a
        replan sees the stock of the plan that it is to replace.
        """
        query = {
            "needed_by": needed_by and needed_by.isoformat(),
            "release_hold": list(map(str, release_holds)),
        }
        return Snapshot.model_validate_json(self._get("/v1/snapshot", **query))

    def supply(
        self,
        place_id: str | None = None,
        item_code: str | None = None,
        mode: Mode | None = None,
        by_min: int | None = None,
        cursor: str | None = None,
        limit: int = 100,
    ) -> SupplyPage:
        """The rows behind snapshot and availability, with what they follow from."""
        query = {"place_id": place_id, "item_code": item_code, "mode": mode, "by_min": by_min}
        return SupplyPage.model_validate_json(self._get("/v1/supply", **query, cursor=cursor, limit=limit))

    def put_declaration(self, declaration: Declaration, if_match: str | None = None) -> Declaration:
        """As `put_reserve`."""
        path = f"/v1/declarations/{segment(declaration.id)}"
        return Declaration.model_validate_json(self._put(path, declaration, if_match))

    def declarations(
        self,
        sphere: Sphere | None = None,
        item_code: str | None = None,
        area: str | None = None,
        cursor: str | None = None,
        limit: int = 100,
    ) -> DeclarationPage:
        query = {"sphere": sphere, "item_code": item_code, "area": area}
        return DeclarationPage.model_validate_json(
            self._get("/v1/declarations", **query, cursor=cursor, limit=limit)
        )

    def supply_apart(self, item_code: str | None = None) -> list[ApartRow]:
        """What others have; nothing of it is in `supply`."""
        return _APART.validate_json(self._get("/v1/supply-apart", item_code=item_code))

    def availability(self, minutes: Iterable[int], item_code: str | None = None) -> list[AvailabilityRow]:
        """Units that could be loaded by each of `minutes` after an order given now, by mode."""
        query = {"minutes": ",".join(map(str, minutes)), "item_code": item_code}
        return _AVAILABILITY.validate_json(self._get("/v1/availability", **query))

    def _get(self, path: str, **query: Any) -> bytes:
        params = {key: value for key, value in query.items() if value is not None}
        return send(self._http, "GET", path, params=params).content

    def _post(self, path: str, body: Dto) -> bytes:
        return send(self._http, "POST", path, json=body.model_dump(mode="json")).content

    def _put(self, path: str, body: Dto, if_match: str | None = None) -> bytes:
        headers = {"If-Match": if_match} if if_match else {}
        return send(self._http, "PUT", path, json=body.model_dump(mode="json"), headers=headers).content
