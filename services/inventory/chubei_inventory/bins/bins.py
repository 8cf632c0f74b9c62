"""The register of bins: kept as other lists are; a place that has none names its bins as it likes."""

from chubei_shared.contracts.bins import Bin, BinPage
from chubei_shared.cursors import cursor_of, key_of, name, serial
from chubei_shared.editions import etag_of, refuse_other_edition
from chubei_shared.errors import Invalid, NotFound
from sqlalchemy import select, tuple_
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from chubei_inventory import tables
from chubei_inventory.bins import tables as rows
from chubei_inventory.ledger.laws import OWN_PREFIXES


def put(session: Session, body: Bin, if_match: str | None = None) -> Bin:
    """Register a bin, or change it; the same again changes nothing.

    Raises Invalid for a place or item that is not registered; PreconditionRequired, PreconditionFailed.
    """
    place = select(tables.Place.id).where(tables.Place.id == body.place_id).with_for_update(key_share=True)
    if body.place_id.startswith(OWN_PREFIXES) or session.scalar(place) is None:
        raise _unknown("place_id", body.place_id, "GET /v1/places")
    if body.item_code is not None and session.get(tables.Item, body.item_code) is None:
        raise _unknown("item_code", body.item_code, "GET /v1/items")
    old = session.get(rows.Bin, (body.place_id, body.code), populate_existing=True)
    before = None if old is None else Bin.model_validate(old, from_attributes=True)
    if before != body:
        refuse_other_edition(if_match, None if before is None else etag_of(before))
        values = body.model_dump()
        added = insert(rows.Bin).values(values)
        session.execute(added.on_conflict_do_update(index_elements=["place_id", "code"], set_=values))
    return body


def _unknown(field: str, value: str, remedy: str) -> Invalid:
    return Invalid(
        f"{field}:{value} 未登记,请核对({remedy})",
        f"{field}: {value} is not registered: see {remedy}",
        errors=[{"field": field, "problem": f"{value} 未登记 / is not registered", "remedy": remedy}],
    )


def get(session: Session, place_id: str, code: str) -> Bin:
    """Raises NotFound."""
    found = session.get(rows.Bin, (place_id, code))
    if found is None:
        raise NotFound(
            f"{place_id} 没有货位 {code},请核对或先登记",
            f"{place_id} has no bin {code}: check it, or register it",
        )
    return Bin.model_validate(found, from_attributes=True)


def page(session: Session, place_id: str, cursor: str | None, limit: int) -> BinPage:
    """The bins of a place, as a picker passes them."""
    b = rows.Bin
    wanted = select(b).where(b.place_id == place_id).order_by(b.walk_order, b.code).limit(limit + 1)
    if after := key_of(cursor, serial, name):
        wanted = wanted.where(tuple_(b.walk_order, b.code) > tuple_(*after))
    found = list(session.scalars(wanted))
    last = found[limit - 1] if len(found) > limit else None
    return BinPage(
        rows=[Bin.model_validate(row, from_attributes=True) for row in found[:limit]],
        next_cursor=last and cursor_of(last.walk_order, last.code),
    )


def label(session: Session, place_id: str, item_code: str, code: str, field: str) -> str:
    """What a label says of the bin: as named, or else the item's own, the first that a picker passes.

    Raises Invalid where the place has a register, and it has no such bin in use.
    """
    b = rows.Bin
    in_use = select(b.code).where(b.place_id == place_id, b.closed.is_(False))
    if not code:
        own = in_use.where(b.item_code == item_code).order_by(b.walk_order, b.code).limit(1)
        return session.scalar(own) or ""
    if session.scalar(in_use.where(b.code == code)) is None and session.scalar(
        select(b.code).where(b.place_id == place_id).limit(1)
    ):
        remedy = f"GET /v1/places/{place_id}/bins"
        raise Invalid(
            f"{field}:{place_id} 的货位表没有在用的 {code},请核对({remedy})或先登记",
            f"{field}: the register of {place_id} has no bin {code} in use: see {remedy}, or register it",
            errors=[{"field": field, "problem": f"{code} 未登记 / is not registered", "remedy": remedy}],
        )
    return code
