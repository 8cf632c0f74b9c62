"""Holds: stock promised to a plan, all lines or none; issued, released, or expired by themselves."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from datetime import UTC, datetime
from uuid import UUID

from chubei_shared.contracts.base import Mode
from chubei_shared.contracts.holds import HoldLine, HoldReplace, HoldRequest, HoldStatus, HoldView, PassedOver
from chubei_shared.contracts.holds import Shortage as ShortLine
from chubei_shared.contracts.stock import Issue
from chubei_shared.errors import Conflict, Invalid, NotFound, Shortage
from chubei_shared.outbox import enqueue
from chubei_shared.tokens import Caller
from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from chubei_inventory import queries
from chubei_inventory.fefo import Pick, Shelf, Want, day, pick
from chubei_inventory.fingerprint import fingerprint, other_content
from chubei_inventory.ledger import Goods
from chubei_inventory.pool import Row, lock, shelves, sql
from chubei_inventory.tables import Hold, Lot
from chubei_inventory.tables import HoldLine as Line

_ADD_LINES = sql(
    """
    INSERT INTO hold_line (hold_id, line_no, place_id, item_code, mode, lot_id, reserve_id, quantity, outstanding)
    SELECT :hold_id, line_no, place_id, item_code, mode, lot_id, reserve_id, quantity, quantity
    FROM unnest(:places, :items, :modes, :lots, :reserves, :quantities) WITH ORDINALITY
        AS line (place_id, item_code, mode, lot_id, reserve_id, quantity, line_no)
    """,
    places="text", items="text", modes="text", lots="uuid", reserves="text", quantities="int",
)  # fmt: skip
_DRAW = sql(
    """
    UPDATE hold_line SET issued = issued + drawn.quantity, outstanding = outstanding - drawn.quantity
    FROM unnest(:lines, :quantities) AS drawn (line_no, quantity)
    WHERE hold_id = :hold_id AND hold_line.line_no = drawn.line_no
    """,
    lines="int", quantities="int",
)  # fmt: skip

_OVER = {
    HoldStatus.EXPIRED: ("已到期", "has expired"),
    HoldStatus.RELEASED: ("已释放", "has been released"),
    HoldStatus.ISSUED: ("已全部出库", "has been issued in full"),
}


def hold(session: Session, request: HoldRequest, caller: Caller) -> tuple[HoldView, bool]:
    """Hold all lines of `request`; the flag says whether it is new. Raises Shortage with every short line."""
    return _hold(session, request, fingerprint(request), (), caller)


def replace(session: Session, request: HoldReplace, caller: Caller) -> tuple[HoldView, bool]:
    """Release holds and take another. Raises Shortage or NotFound, and then everything stays as it was."""
    return _hold(session, request.hold, fingerprint(request), request.release, caller)


def release(session: Session, hold_id: UUID) -> HoldView:
    """Give back what a hold still keeps. One that is over already stays as it is. Raises NotFound."""
    _must_exist(session, [hold_id])
    lock(session, releasing=[hold_id])
    return queries.hold(session, hold_id)


def expire_due(session: Session, limit: int = 100) -> int:
    """Close holds whose time is over; returns how many. What they keep has not counted since then anyway."""
    due = select(Hold.id).where(Hold.status == HoldStatus.OPEN, Hold.expires_at <= func.now())
    ids = list(session.scalars(due.order_by(Hold.expires_at).limit(limit)))
    lock(session, releasing=ids)
    return len(ids)


def _hold(
    session: Session, request: HoldRequest, body_hash: bytes, releasing: Iterable[UUID], caller: Caller
) -> tuple[HoldView, bool]:
    made = session.scalar(
        insert(Hold)
        .values(
            id=request.id, body_hash=body_hash, purpose=request.purpose,
            expires_at=request.expires_at, created_by=caller.person,
        )
        .on_conflict_do_nothing()
        .returning(Hold.id)
    )  # fmt: skip
    if made is None:
        if session.scalars(select(Hold.body_hash).where(Hold.id == request.id)).one() != body_hash:
            raise other_content(request.id)
        return queries.hold(session, request.id), False
    if request.expires_at <= datetime.now(UTC):
        raise Invalid(
            "expires_at 已过,请给将来的时间", "expires_at has passed: give a time to come",
            errors=[{"field": "expires_at", "problem": "passed", "remedy": "a time to come"}],
        )  # fmt: skip
    _must_exist(session, releasing)
    picks = _pick(session, request.lines, releasing)
    _add_lines(session, request.id, picks)
    enqueue(session, "hold.opened", {"hold_id": str(request.id), "purpose": request.purpose})
    return queries.hold(session, request.id), True


def _pick(
    session: Session, lines: Iterable[HoldLine], releasing: Iterable[UUID]
) -> dict[Row, tuple[Pick, dict[UUID, Shelf]]]:
    wants: dict[Row, list[Want]] = defaultdict(list)
    for line in lines:
        row = Row(line.place_id, line.item_code, line.mode)
        wants[row].append(Want(line.quantity, day(line.needed_at)))
    free = shelves(session, wants, releasing)
    picks = {
        row: (pick(free[row], wanted), {s.lot_id: s for s in free[row]}) for row, wanted in wants.items()
    }
    refuse_short({row: found for row, (found, _) in picks.items()})
    return picks


def refuse_short(picks: dict[Row, Pick]) -> None:
    """Raises Shortage that names every row that was not found in full."""
    short = [
        ShortLine(
            place_id=row.place_id, item_code=row.item_code, mode=row.mode,
            asked=found.found + found.short, available=found.found,
        )
        for row, found in sorted(picks.items())
        if found.short
    ]  # fmt: skip
    if short:
        first = short[0]
        raise Shortage(
            f"{len(short)} 行不足,如 {first.place_id} 的 {first.item_code}:需 {first.asked},"
            f"可用 {first.available}",
            f"{len(short)} short, such as {first.item_code} at {first.place_id}: "
            f"asked {first.asked}, available {first.available}",
            shortages=[line.model_dump(mode="json") for line in short],
        )


def _add_lines(session: Session, hold_id: UUID, picks: dict[Row, tuple[Pick, dict[UUID, Shelf]]]) -> None:
    lines = [
        (row, known[lot_id], units)
        for row, (found, known) in picks.items()
        for lot_id, units in found.parts.items()
    ]
    session.execute(
        _ADD_LINES,
        {
            "hold_id": hold_id,
            "places": [row.place_id for row, _, _ in lines],
            "items": [row.item_code for row, _, _ in lines],
            "modes": [row.mode for row, _, _ in lines],
            "lots": [None if shelf.reserve_id else shelf.lot_id for _, shelf, _ in lines],
            "reserves": [shelf.reserve_id for _, shelf, _ in lines],
            "quantities": [units for _, _, units in lines],
        },
    )
    passed = [
        PassedOver(place_id=row.place_id, lot_id=shelf.lot_id, lot_no=shelf.lot_no, why=why[0], why_en=why[1])
        for row, (found, _) in picks.items()
        for shelf, why in found.passed.values()
    ]
    if passed:
        rows = [p.model_dump(mode="json") for p in passed]
        session.execute(update(Hold).where(Hold.id == hold_id).values(passed_over=rows))


def draw(session: Session, issue: Issue, hold_id: UUID) -> dict[Mode, Counter[Goods]]:
    """Take the lines of `issue` from its hold; returns lots by mode. Raises Conflict, Shortage, NotFound.

    Where no lot is named, the lots that expire first go first. A lot sealed off since it was held stays.
    """
    purpose = _lock_open(session, hold_id)
    line_no, free = _kept(session, hold_id, issue.place_id)
    wants: dict[Row, list[Want]] = defaultdict(list)
    for line in issue.lines:
        wants[Row(issue.place_id, line.item_code, line.mode)].append(Want(line.units, None, line.lot_id))
    picks = {row: pick(free[row], wanted) for row, wanted in wants.items()}
    refuse_short(picks)
    drawn: dict[int, int] = {}
    parts: dict[Mode, Counter[Goods]] = defaultdict(Counter)
    for row, found in picks.items():
        for lot_id, units in found.parts.items():
            drawn[line_no[row, lot_id]] = units
            parts[row.mode][Goods(row.item_code, lot_id)] = units
    session.execute(_DRAW, {"hold_id": hold_id, "lines": list(drawn), "quantities": list(drawn.values())})
    _close_if_issued(session, hold_id, purpose)
    return parts


def _lock_open(session: Session, hold_id: UUID) -> str:
    """Lock a hold that is open; returns its purpose. Raises Conflict that says why it is not."""
    found = session.execute(
        select(Hold.status, Hold.purpose, (Hold.expires_at <= func.now()).label("past"))
        .where(Hold.id == hold_id)
        .with_for_update(key_share=True)
    ).one()
    status = (
        HoldStatus.EXPIRED if found.status == HoldStatus.OPEN and found.past else HoldStatus(found.status)
    )
    if status is HoldStatus.OPEN:
        return str(found.purpose)
    zh, en = _OVER[status]
    raise Conflict(
        f"预留 {hold_id} {zh},请重新预留后出库",
        f"The hold {hold_id} {en}: take a new hold, then issue",
        hold_status=status.value,
    )


def _kept(
    session: Session, hold_id: UUID, place_id: str
) -> tuple[dict[tuple[Row, UUID], int], dict[Row, list[Shelf]]]:
    """What a hold still keeps at a place, its lots locked: line numbers by row and lot, and shelves by row."""
    line_no: dict[tuple[Row, UUID], int] = {}
    free: dict[Row, list[Shelf]] = defaultdict(list)
    kept = (
        select(Line.line_no, Line.item_code, Line.mode, Line.outstanding, Line.reserve_id, Lot)
        .join(Lot, (Lot.id == Line.lot_id) | (Lot.reserve_id == Line.reserve_id))
        .where(Line.hold_id == hold_id, Line.place_id == place_id, Line.outstanding > 0)
        .order_by(Lot.id)
        .with_for_update(of=Lot, key_share=True)
        .execution_options(populate_existing=True)
    )
    for number, item_code, mode, outstanding, reserve_id, lot in session.execute(kept):
        row = Row(place_id, item_code, Mode(mode))
        line_no[row, lot.id] = number
        free[row].append(
            Shelf(lot.id, lot.lot_no, lot.made_on, lot.expires_on, lot.quality, outstanding, reserve_id)
        )
    return line_no, free


def _close_if_issued(session: Session, hold_id: UUID, purpose: str) -> None:
    rest = select(Line.hold_id).where(Line.hold_id == hold_id, Line.outstanding > 0).exists()
    done = update(Hold).where(Hold.id == hold_id, ~rest).values(status=HoldStatus.ISSUED)
    if session.scalar(done.returning(Hold.id)):
        enqueue(session, "hold.issued", {"hold_id": str(hold_id), "purpose": purpose})


def _must_exist(session: Session, hold_ids: Iterable[UUID]) -> None:
    wanted = set(hold_ids)
    if wanted and (missing := wanted - set(session.scalars(select(Hold.id).where(Hold.id.in_(wanted))))):
        text = ", ".join(map(str, sorted(missing)))
        raise NotFound(f"没有预留 {text}", f"There is no hold {text}")
