"""Holds: stock promised to a plan, all lines or none; issued, released, or expired by themselves."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from dataclasses import replace as replaced
from datetime import UTC, date, datetime
from typing import NamedTuple
from uuid import UUID

from chubei_shared.china import day
from chubei_shared.contracts.base import Mode
from chubei_shared.contracts.holds import (
    HoldLine,
    HoldReplace,
    HoldRequest,
    HoldStatus,
    HoldView,
    PassedOver,
    short_in_words,
)
from chubei_shared.contracts.holds import Shortage as ShortLine
from chubei_shared.contracts.stock import Issue
from chubei_shared.errors import Conflict, Invalid, NotFound, Shortage
from chubei_shared.outbox import enqueue
from chubei_shared.tokens import Caller
from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from chubei_inventory.fingerprint import fingerprint, other_content
from chubei_inventory.firmness import evidence
from chubei_inventory.ledger import facts
from chubei_inventory.ledger.fefo import Pick, Shelf, Want, pick
from chubei_inventory.ledger.laws import Goods
from chubei_inventory.reserves import reserves
from chubei_inventory.stock import queries
from chubei_inventory.stock.pool import Row, lock, shelves, sql, withheld
from chubei_inventory.tables import Hold, Lot, Reserve
from chubei_inventory.tables import HoldLine as Line

_ADD_LINES = sql(
    """
    INSERT INTO hold_line (hold_id, line_no, place_id, item_code, mode, lot_id, reserve_id, quantity, outstanding,
                           needed_on, firm, consent)
    SELECT :hold_id, line_no + (SELECT count(*) FROM hold_line WHERE hold_id = :hold_id),
           place_id, item_code, mode, lot_id, reserve_id, quantity, quantity, needed_on, firm, consent
    FROM unnest(:places, :items, :modes, :lots, :reserves, :quantities, :days, :firm, :consents) WITH ORDINALITY
        AS line (place_id, item_code, mode, lot_id, reserve_id, quantity, needed_on, firm, consent, line_no)
    """,
    places="text", items="text", modes="text", lots="uuid", reserves="text", quantities="int",
    days="date", firm="int", consents="text",
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
    must_exist(session, [hold_id])
    lock(session, releasing=[hold_id])
    return queries.hold(session, hold_id)


def expire_due(session: Session, limit: int = 100) -> int:
    """Close holds whose time is over; returns how many. What they keep has not counted since then anyway."""
    due = select(Hold.id).where(Hold.status == HoldStatus.OPEN, Hold.expires_at <= func.now())
    ids = list(session.scalars(due.order_by(Hold.expires_at).limit(limit)))
    lock(session, releasing=ids)
    return len(ids)


@dataclass(frozen=True, slots=True)
class Picked:
    """What was found for a row, on what lots (or reserve), for what wants."""

    found: Pick
    known: dict[UUID, Shelf]
    wants: Sequence[Want]

    def consent(self, lot_id: UUID) -> str:
        """What was said for taking a given lot; nothing is needed for the state's own."""
        said = {w.consent for w in self.wants if w.consent and w.lot_id == lot_id}
        return "; ".join(sorted(said)) if self.known[lot_id].given else ""


class NewLine(NamedTuple):
    """A line that a hold is to keep: of a lot on a shelf, or of a reserve."""

    row: Row
    lot_id: UUID | None
    reserve_id: str | None
    units: int
    needed_on: date | None
    firm: int
    consent: str = ""


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
    must_exist(session, releasing)
    picks = _pick(session, request.lines, releasing)
    add_lines(session, request.id, _lines_of(session, picks))
    _tell_passed(session, request.id, picks)
    enqueue(session, "hold.opened", {"hold_id": str(request.id), "purpose": request.purpose})
    return queries.hold(session, request.id), True


def _pick(session: Session, lines: Sequence[HoldLine], releasing: Iterable[UUID]) -> dict[Row, "Picked"]:
    """What is held of each row, its lots locked. Raises Shortage that names all that is short, Invalid."""
    _refuse_unknown_lots(session, lines)
    wants: dict[Row, list[Want]] = defaultdict(list)
    for line in lines:
        row = Row(line.place_id, line.item_code, line.mode)
        wants[row].append(Want(line.quantity, day(line.needed_at), line.lot_id, consent=line.consent))
    free, barred = shelves(session, wants, releasing), withheld(session, wants)
    picks = {
        row: Picked(pick([*free[row], *barred[row]], wanted), {s.lot_id: s for s in free[row]}, wanted)
        for row, wanted in wants.items()
    }
    refuse_short({row: picked.found for row, picked in picks.items()})
    return picks


def _refuse_unknown_lots(session: Session, lines: Sequence[HoldLine]) -> None:
    named = {line.lot_id for line in lines if line.lot_id}
    found = select(Lot.id, Lot.item_code).where(Lot.id.in_(named), Lot.reserve_id.is_(None))
    codes = {row.id: row.item_code for row in session.execute(found)} if named else {}
    for number, line in enumerate(lines):
        if line.lot_id and codes.get(line.lot_id) != line.item_code:
            raise Invalid(
                f"lines.{number}.lot_id:{line.item_code} 没有批次 {line.lot_id},请核对(GET /v1/stock)",
                f"lines.{number}.lot_id: {line.item_code} has no lot {line.lot_id}: see GET /v1/stock",
                errors=[
                    {"field": f"lines.{number}.lot_id", "problem": "not known", "remedy": "GET /v1/stock"}
                ],
            )


def refuse_short(picks: Mapping[Row, Pick]) -> None:
    """Raises Shortage that names every row (or named lot) that was not found in full, and what was passed over."""
    short = [
        ShortLine(
            place_id=row.place_id, item_code=row.item_code, mode=row.mode, lot_id=lot_id,
            asked=asked, available=found.got[lot_id], passed_over=_passed(row, found, lot_id),
        )
        for row, found in sorted(picks.items())
        for lot_id, asked in found.asked.items()
        if asked > found.got[lot_id]
    ]  # fmt: skip
    if short:
        raise Shortage(
            *short_in_words(short),
            shortages=[line.model_dump(mode="json") for line in short],
        )


def _passed(row: Row, found: Pick, lot_id: UUID | None = None) -> list[PassedOver]:
    """What was passed over, the lots that expire first first; of one lot where it is named."""
    return [
        PassedOver(
            place_id=row.place_id, lot_id=shelf.lot_id, lot_no=shelf.lot_no, units=shelf.available,
            reason=reason.why, why=reason.zh, why_en=reason.en,
        )
        for shelf, reason in found.passed.values()
        if lot_id in (None, shelf.lot_id)
    ]  # fmt: skip


def _lines_of(session: Session, picks: Mapping[Row, Picked]) -> list[NewLine]:
    parts = [
        (row, picked, picked.known[lot_id], units)
        for row, picked in picks.items()
        for lot_id, units in picked.found.parts.items()
    ]
    firm = _firm(session, {shelf.reserve_id for _, _, shelf, _ in parts if shelf.reserve_id})
    return [
        NewLine(
            row, None if shelf.reserve_id else shelf.lot_id, shelf.reserve_id, units,
            picked.found.last_on.get(shelf.lot_id),
            min(units, firm[shelf.reserve_id]) if shelf.reserve_id else units, picked.consent(shelf.lot_id),
        )
        for row, picked, shelf, units in parts
    ]  # fmt: skip


def add_lines(session: Session, hold_id: UUID, lines: Sequence[NewLine]) -> None:
    """Let a hold keep more lines, after those it has. What they take is locked, and free."""
    if not lines:
        return
    rows, lots, reserve_ids, quantities, days, firm, consents = map(list, zip(*lines, strict=True))
    places, items, modes = map(list, zip(*rows, strict=True))
    session.execute(
        _ADD_LINES,
        {
            "hold_id": hold_id, "places": places, "items": items, "modes": modes, "lots": lots,
            "reserves": reserve_ids, "quantities": quantities, "days": days, "firm": firm, "consents": consents,
        },
    )  # fmt: skip


def _tell_passed(session: Session, hold_id: UUID, picks: Mapping[Row, Picked]) -> None:
    passed = [one for row, picked in picks.items() for one in _passed(row, picked.found)]
    if passed:
        rows = [p.model_dump(mode="json") for p in passed]
        session.execute(update(Hold).where(Hold.id == hold_id).values(passed_over=rows))


def _firm(session: Session, reserve_ids: AbstractSet[str]) -> dict[str, int]:
    """Units of locked reserves that can be counted on and nobody has: a hold may go beyond them, and says so."""
    if not reserve_ids:
        return {}
    known, today = evidence.read(session, reserve_ids), day(datetime.now(UTC))
    rows = session.scalars(select(Reserve).where(Reserve.id.in_(reserve_ids)))
    return {r.id: reserves.standing_of(r, r.held, known[r.id], today).firm for r in rows}


def draw(session: Session, issue: Issue, hold_id: UUID) -> dict[Mode, Counter[Goods]]:
    """Take the lines of `issue` from its hold; returns lots by mode. Raises Conflict, Shortage, NotFound.

    Where no lot is named, the lots that expire first go first. What was sealed off since it was held stays, and
    what expires before it arrives; an expired lot goes by name and with a reason.
    """
    purpose = _lock_open(session, hold_id)
    kept = _kept(session, hold_id, issue.place_id)
    wants: dict[Row, list[Want]] = defaultdict(list)
    for line in issue.lines:
        on = None if line.lot_id and issue.reason else facts.used_on(issue)
        wants[Row(issue.place_id, line.item_code, line.mode)].append(Want(line.units, on, line.lot_id))
    picks = {row: pick(_shelves_of(kept[row]), wanted) for row, wanted in wants.items()}
    refuse_short(picks)
    drawn: dict[int, int] = {}
    parts: dict[Mode, Counter[Goods]] = defaultdict(Counter)
    for row, found in picks.items():
        for lot_id, units in found.parts.items():
            parts[row.mode][Goods(row.item_code, lot_id)] = units
            for line_no, shelf in kept[row]:
                if shelf.lot_id == lot_id and units:
                    drawn[line_no] = min(units, shelf.available)
                    units -= drawn[line_no]
    session.execute(_DRAW, {"hold_id": hold_id, "lines": list(drawn), "quantities": list(drawn.values())})
    _close_if_issued(session, hold_id, purpose)
    return parts


def _shelves_of(kept: Iterable[tuple[int, Shelf]]) -> list[Shelf]:
    """One shelf for each lot that a hold keeps, whatever the number of its lines."""
    by_lot: dict[UUID, Shelf] = {}
    for _, shelf in kept:
        before = by_lot.get(shelf.lot_id)
        units = shelf.available + (before.available if before else 0)
        by_lot[shelf.lot_id] = replaced(shelf, available=units)
    return list(by_lot.values())


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


def _kept(session: Session, hold_id: UUID, place_id: str) -> dict[Row, list[tuple[int, Shelf]]]:
    """What a hold still keeps at a place, its lots locked: by row, the lines' numbers and what each keeps."""
    kept: dict[Row, list[tuple[int, Shelf]]] = defaultdict(list)
    lines = (
        select(Line.line_no, Line.item_code, Line.mode, Line.outstanding, Line.reserve_id, Lot)
        .join(Lot, (Lot.id == Line.lot_id) | (Lot.reserve_id == Line.reserve_id))
        .where(Line.hold_id == hold_id, Line.place_id == place_id, Line.outstanding > 0)
        .order_by(Lot.id, Line.line_no)
        .with_for_update(of=Lot, key_share=True)
        .execution_options(populate_existing=True)
    )
    for number, item_code, mode, units, reserve_id, lot in session.execute(lines):
        shelf = Shelf(lot.id, lot.lot_no, lot.made_on, lot.expires_on, lot.quality, units, reserve_id)
        kept[Row(place_id, item_code, Mode(mode))].append((number, shelf))
    return kept


def _close_if_issued(session: Session, hold_id: UUID, purpose: str) -> None:
    rest = select(Line.hold_id).where(Line.hold_id == hold_id, Line.outstanding > 0).exists()
    done = update(Hold).where(Hold.id == hold_id, ~rest).values(status=HoldStatus.ISSUED)
    if session.scalar(done.returning(Hold.id)):
        enqueue(session, "hold.issued", {"hold_id": str(hold_id), "purpose": purpose})


def must_exist(session: Session, hold_ids: Iterable[UUID]) -> None:
    """Raises NotFound that names the holds there are not."""
    wanted = set(hold_ids)
    if wanted and (missing := wanted - set(session.scalars(select(Hold.id).where(Hold.id.in_(wanted))))):
        text = ", ".join(map(str, sorted(missing)))
        raise NotFound(f"没有预留 {text}", f"There is no hold {text}")
