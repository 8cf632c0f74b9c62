"""Asking suppliers and makers what they confirm: one row a place, of what inventory says is agreed with it."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid5

from chubei_shared import outbox
from chubei_shared.contracts.catalogue import Place, PlaceKind
from chubei_shared.contracts.confirmations import (
    AskConfirmations,
    AskedItem,
    ConfirmationList,
    ConfirmationState,
)
from chubei_shared.contracts.reserves import Snapshot
from chubei_shared.db import Transactions
from chubei_shared.errors import Conflict, Invalid
from chubei_shared.tokens import Caller
from sqlalchemy import select
from sqlalchemy.orm import Session

from chubei_allocation import locks
from chubei_allocation.confirmations import confirmations, rules, tables
from chubei_allocation.exercise_books import books
from chubei_allocation.incidents import incidents
from chubei_allocation.inventory_gate import InventoryGate

_ASKED_OF = (PlaceKind.SUPPLIER, PlaceKind.MAKER)


def ask(
    tx: Transactions, inventory: InventoryGate, incident_id: UUID, body: AskConfirmations, caller: Caller
) -> ConfirmationList:
    """Ask, unless this very request was made before. Raises NotFound, Invalid, Conflict, Unavailable."""
    if tx(_known, incident_id, body):
        return tx(confirmations.listed, incident_id)
    deadline_at = tx(lambda session: incidents.deadline(incidents.get(session, incident_id)))
    with books.of(tx, inventory, incident_id, caller.person) as client:
        snapshot = client.snapshot(needed_by=deadline_at)
    return tx(_ask, incident_id, body, snapshot, caller)


def _known(session: Session, incident_id: UUID, body: AskConfirmations) -> bool:
    """Whether this request was made before. Raises NotFound, Conflict."""
    incidents.get(session, incident_id)
    known = session.get(tables.Request, body.id)
    if known and (known.incident_id, known.body) != (incident_id, body.model_dump(mode="json")):
        raise Conflict(
            f"编号 {body.id} 已用于另一次询问,请换新编号",
            f"Id {body.id} is another request's: mint a new one",
        )
    return known is not None


def _ask(
    session: Session, incident_id: UUID, body: AskConfirmations, snapshot: Snapshot, caller: Caller
) -> ConfirmationList:
    locks.one_at_a_time(session, body.id)
    locks.one_at_a_time(session, incident_id)  # two that ask the same place see each other
    if _known(session, incident_id, body):
        return confirmations.listed(session, incident_id)
    incidents.check_not_ended(session, incidents.get(session, incident_id))
    at = rules.asked_items(snapshot.supply, snapshot.items)
    suppliers = {place.id: place for place in snapshot.places if place.kind in _ASKED_OF and place.id in at}
    now = datetime.now(UTC)
    chosen = _chosen(session, incident_id, body, suppliers, at)
    session.add(
        tables.Request(
            id=body.id,
            incident_id=incident_id,
            body=body.model_dump(mode="json"),
            asked_at=now,
            asked_by=caller.person,
        )
    )
    session.flush()
    common = {
        "request_id": body.id,
        "incident_id": incident_id,
        "asked_at": now,
        "asked_by": caller.person,
        "due_at": now + timedelta(minutes=body.due_within_min),
    }
    session.add_all(_row(suppliers[place_id], at[place_id], common) for place_id in chosen)
    session.flush()
    outbox.enqueue(session, "confirmation.asked", {"incident_id": str(incident_id), "places": chosen})
    return confirmations.listed(session, incident_id)


def _chosen(
    session: Session,
    incident_id: UUID,
    body: AskConfirmations,
    suppliers: dict[str, Place],
    at: dict[str, list[AskedItem]],
) -> list[str]:
    """The places to ask. Raises Invalid and Conflict, naming those that can not be."""
    row = tables.Confirmation
    open_ones = select(row.place_id).where(
        row.incident_id == incident_id, row.state != ConfirmationState.RELEASED
    )
    asked = set(session.scalars(open_ones))
    if body.place_ids is None:
        firm = {place_id for place_id in suppliers if any(item.firm for item in at[place_id])}
        if not firm:
            raise Invalid(
                "没有供应商或企业有可靠的储备可问,请指定 place_ids",
                "No supplier or maker has a firm reserve to ask about: name place_ids",
                errors=[{"field": "place_ids", "problem": "nobody", "remedy": "GET /v1/supply"}],
            )
        return sorted(firm - asked)
    if unknown := sorted(set(body.place_ids) - suppliers.keys()):
        names = ", ".join(unknown)
        raise Invalid(
            f"place_ids:{names} 不是有剩余储备的供应商或企业,请核对编号",
            f"place_ids: {names}: no supplier or maker with reserves left: correct the id",
            errors=[{"field": "place_ids", "problem": f"unknown: {names}", "remedy": "GET /v1/reserves"}],
        )
    if again := sorted(set(body.place_ids) & asked):
        names = ", ".join(again)
        raise Conflict(
            f"已问过 {names},请先释放原询问(:release)", f"{names} was asked already: release that first"
        )
    return sorted(set(body.place_ids))


def _row(place: Place, items: list[AskedItem], common: dict[str, Any]) -> tables.Confirmation:
    return tables.Confirmation(
        **common,
        id=uuid5(common["request_id"], place.id),
        place_id=place.id,
        name_zh=place.name_zh,
        name_en=place.name_en,
        items=[item.model_dump(mode="json") for item in items],
        state=ConfirmationState.ASKED,
        lines=[],
    )
