"""The places that a movement is between: whether they can be used so, and whether enough is there."""

from collections.abc import Mapping
from typing import Any

from chubei_shared.contracts.base import Certainty
from chubei_shared.contracts.catalogue import PlaceKind
from chubei_shared.contracts.stock import Deliver, Issue, Movement, Reverse, Transfer
from chubei_shared.errors import Conflict, Invalid, NotFound
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from chubei_inventory import ledger
from chubei_inventory.ledger import Account
from chubei_inventory.pool import sql
from chubei_inventory.tables import Hold, Place

OUTSIDE = {
    ledger.RECEIVED, ledger.ISSUED, ledger.ADJUSTED, ledger.DAMAGED, ledger.LOST,
    "outside:contract", "outside:capacity", "outside:fund",
}  # fmt: skip

_BELOW = sql(
    """
    SELECT c.place_id, c.item_code, c.lot_id, l.lot_no, -c.change AS asked,
           coalesce(b.on_hand, 0) AS on_hand, coalesce(b.held, 0) AS held,
           array(SELECT h.hold_id FROM hold_line h
                 WHERE h.place_id = c.place_id AND h.item_code = c.item_code AND h.lot_id = c.lot_id
                   AND h.outstanding > 0 ORDER BY h.hold_id) AS holds
    FROM unnest(:places, :items, :lots, :changes) AS c (place_id, item_code, lot_id, change)
        JOIN place p ON p.id = c.place_id AND NOT p.outside
        JOIN lot l ON l.id = c.lot_id
        LEFT JOIN balance b ON b.place_id = c.place_id AND b.item_code = c.item_code AND b.lot_id = c.lot_id
    WHERE c.change < 0 AND coalesce(b.on_hand - b.held, 0) + c.change < 0
    ORDER BY c.place_id, c.item_code, l.lot_no
    """,
    places="text", items="text", lots="uuid", changes="int",
)  # fmt: skip


def prepare(session: Session, movement: Movement) -> None:
    """See that the places of a movement are there; its order's transit and a new point are opened.

    Raises Invalid that names the field, NotFound for an unknown hold.
    """
    match movement:
        case Reverse():
            return
        case Transfer():
            fields = {"from_place_id": movement.from_place_id, "to_place_id": movement.to_place_id}
        case _:
            fields = {"place_id": movement.place_id}
    for field, place_id in fields.items():
        if place_id.startswith(ledger.OWN_PREFIXES):
            raise _invalid(
                field,
                place_id,
                ("是系统内部账户", "请填库或点的编号"),
                ("is an account of the books' own", "give a store or point"),
            )
    if isinstance(movement, Deliver):
        _open(session, movement.place_id, PlaceKind.POINT, movement.place_id, movement.place_id)
    elif isinstance(movement, Issue):
        _prepare_issue(session, movement)
    known = set(session.scalars(select(Place.id).where(Place.id.in_(fields.values()))))
    for field, place_id in fields.items():
        if place_id not in known:
            raise _invalid(
                field,
                place_id,
                ("未登记", "请核对编号(GET /v1/places),新地点先登记(PUT)"),
                ("is not registered", "see GET /v1/places, and PUT a new one first"),
            )


def _prepare_issue(session: Session, movement: Issue) -> None:
    if movement.order_id is not None:
        place_id = ledger.transit(movement.order_id)
        _open(
            session, place_id, PlaceKind.TRANSIT, f"在途:{movement.order_id}", f"Aboard: {movement.order_id}"
        )
    if movement.hold_id is not None and session.get(Hold, movement.hold_id) is None:
        raise NotFound(f"没有预留 {movement.hold_id}", f"There is no hold {movement.hold_id}")


def _open(session: Session, place_id: str, kind: PlaceKind, name_zh: str, name_en: str) -> None:
    told = {"certainty": Certainty.VERIFIED, "source": "opened by a movement"}
    session.execute(
        insert(Place)
        .values(
            id=place_id,
            kind=kind,
            name_zh=name_zh,
            name_en=name_en,
            zone="",
            provenance=told,
            state="transit" if kind is PlaceKind.TRANSIT else "shelf",
        )
        .on_conflict_do_nothing()
    )


def _invalid(field: str, place_id: str, zh: tuple[str, str], en: tuple[str, str]) -> Invalid:
    """`zh` and `en` are each the fault and its remedy."""
    faults = {"problem": f"{place_id} {zh[0]} / {place_id} {en[0]}", "remedy": f"{zh[1]} / {en[1]}"}
    return Invalid(
        f"{field}:{place_id} {zh[0]},{zh[1]}",
        f"{field}: {place_id} {en[0]}: {en[1]}",
        errors=[{"field": field, **faults}],
    )


def refuse_below(session: Session, changes: Mapping[Account, int]) -> None:
    """Raises Conflict that names each lot and place that has less free than would be taken, and who holds it.

    The lots are locked, and expired holds have given back what they kept.
    """
    rows = session.execute(
        _BELOW,
        {
            "places": [account.place_id for account in changes],
            "items": [account.goods.item_code for account in changes],
            "lots": [account.goods.lot_id for account in changes],
            "changes": list(changes.values()),
        },
    ).all()
    if not rows:
        return
    first, shortfalls = rows[0], [_shortfall(row) for row in rows]
    short = shortfalls[0]["short"]
    held = f",其中 {first.held} 已被预留" if first.held else ""
    held_en = f", {first.held} of them held by {', '.join(map(str, first.holds))}" if first.held else ""
    raise Conflict(
        f"{first.place_id} 的批次 {first.lot_no} 现有 {first.on_hand}{held},还差 {short}",
        f"Lot {first.lot_no} at {first.place_id} has {first.on_hand} on hand{held_en}: {short} too few",
        shortfalls=shortfalls,
    )


def _shortfall(row: Any) -> dict[str, Any]:
    return {
        "place_id": row.place_id,
        "item_code": row.item_code,
        "lot_id": str(row.lot_id),
        "lot_no": row.lot_no,
        "asked": row.asked,
        "short": row.asked - (row.on_hand - row.held),
        "held_by": [str(hold_id) for hold_id in row.holds],
    }
