"""Reports booked as they come: what was seen to happen is never refused for what the books hold (facts.py).

`book` takes well-formed reports, all at once: its number of statements does not grow with them. What can not be
booked comes back with what hinders it.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from chubei_shared.contracts.batches import ParkedReason
from chubei_shared.contracts.catalogue import Lot, lot_id
from chubei_shared.contracts.movements import Arrive, Movement, OfLot, ReceiveLine, Reverse
from chubei_shared.errors import Conflict
from chubei_shared.tokens import Caller
from sqlalchemy import select
from sqlalchemy.orm import Session

from chubei_inventory import tables
from chubei_inventory.fingerprint import fingerprint
from chubei_inventory.ledger import facts, laws
from chubei_inventory.ledger.laws import Goods, Leg
from chubei_inventory.movements import kinds, movements
from chubei_inventory.stock import accounts, lots, posting
from chubei_inventory.stock.pool import Row, lock


@dataclass(frozen=True, slots=True)
class Hindrance:
    """Why a report is not booked, or not in full. `waits_for`: what would change that, such as item:1020101."""

    reason: ParkedReason
    detail: str
    detail_en: str
    waits_for: tuple[str, ...] = ()

    @property
    def booked(self) -> bool:
        """Whether it is booked all the same, and a person has to look at it."""
        return self.reason in (ParkedReason.SHORT, ParkedReason.ELSEWHERE)


@dataclass(frozen=True, slots=True)
class Report:
    """A well-formed movement, and who reported it; with `approved_by`, somebody else stands for it too."""

    movement: Movement
    sent_by: str
    approved_by: str | None = None
    sent_places: frozenset[str] | None = None
    """Where its sender works, and may reverse; None: everywhere."""


Booked = dict[UUID, Hindrance | None]
"""By id: None where nothing hinders it, else what does; whether it is booked all the same, that says."""


def book(session: Session, reports: Sequence[Report], caller: Caller) -> Booked:
    """Book reports that are new, each id once. What one of them makes known, others of them may name."""
    plain = [r for r in reports if not isinstance(r.movement, Reverse)]
    undoing = [r for r in reports if isinstance(r.movement, Reverse)]
    return _book_plain(session, plain, caller) | _book_reversals(session, undoing, caller)


def by_sense(reports: Iterable[Report]) -> list[Report]:
    """In the order in which things happened, so that of several it is the later ones that come short."""
    return sorted(reports, key=lambda r: (r.movement.occurred_at, r.movement.id))


# What says by itself what moved


def _book_plain(session: Session, reports: Sequence[Report], caller: Caller) -> Booked:
    known = _Known(session, [r.movement for r in reports])
    results: Booked = {r.movement.id: known.hinders(r.movement) for r in reports}
    ready = [r for r in by_sense(reports) if results[r.movement.id] is None]
    made = known.lots_of([r.movement for r in ready])
    returns = kinds.returned(
        session, {str(line.item_code) for r in ready for line in facts.lines_of(r.movement)}
    )
    legs: dict[UUID, list[Leg]] = {}
    for report in ready:
        movement = report.movement
        assert not isinstance(movement, Reverse)  # noqa: S101
        legs[movement.id] = facts.legs(movement, made, returns.__contains__)
        if not laws.changes(legs[movement.id]):
            results[movement.id] = Hindrance(
                ParkedReason.MOVES_NOTHING,
                "没有移动任何物资,请核对数量",
                "It moves nothing: check the quantities",
            )
    ready = [r for r in ready if results[r.movement.id] is None]
    places = {r.movement.id: facts.place_of(r.movement) for r in ready if not isinstance(r.movement, Reverse)}
    return results | _write(session, ready, places, legs, caller)


class _Known:
    """What the books know of what some movements name, read in a few statements for all of them."""

    def __init__(self, session: Session, named: Sequence[Movement]) -> None:
        self._session = session
        lines = [line for m in named for line in facts.lines_of(m)]
        by_id = {line.lot_id for line in lines if isinstance(line, OfLot) and line.lot_id}
        of = select(tables.Lot.id, tables.Lot.item_code).where(tables.Lot.id.in_(by_id))
        rows = session.execute(of.where(tables.Lot.reserve_id.is_(None))).all() if by_id else []
        self._codes: dict[UUID, str] = {row.id: row.item_code for row in rows}
        codes = {str(line.item_code) for line in lines if line.item_code}
        self._items = set(session.scalars(select(tables.Item.code).where(tables.Item.code.in_(codes))))
        places = {place for m in named for place in facts.parties(m).values()}
        self._places = set(session.scalars(select(tables.Place.id).where(tables.Place.id.in_(places))))
        self._boxes: dict[lots.Identity, UUID] = {}

    def hinders(self, movement: Movement) -> Hindrance | None:
        """What of a movement is not known yet, or does not belong together."""
        waits = [f"place:{p}" for p in facts.parties(movement).values() if p not in self._places]
        for line in facts.lines_of(movement):
            if line.item_code and line.item_code not in self._items:
                waits.append(f"item:{line.item_code}")
            if not isinstance(line, ReceiveLine) and line.lot_id:
                code = self._codes.get(line.lot_id)
                if code is None:
                    waits.append(f"lot:{line.lot_id}")
                elif line.item_code not in (None, code):
                    return Hindrance(
                        ParkedReason.OTHER_ITEM,
                        f"批次 {line.lot_id} 属于 {code},不是 {line.item_code}",
                        f"Lot {line.lot_id} is of item {code}, not {line.item_code}",
                    )
        return waiting(waits) if waits else None

    def lots_of(self, ready: Sequence[Movement]) -> "_Known":
        """Make known the lots that `ready` name by what stands on their boxes."""
        boxes = [(str(line.item_code), line.lot) for m in ready for line in facts.lines_of(m) if line.lot]
        self._boxes = lots.ids(self._session, boxes, make=True)
        return self

    def __call__(self, line: facts.Line) -> Goods:
        if line.lot:
            return Goods(str(line.item_code), self._boxes[lots.identity(str(line.item_code), line.lot)])
        assert isinstance(line, OfLot) and line.lot_id  # noqa: S101, PT018 (hinders has seen to it)
        return Goods(self._codes[line.lot_id], line.lot_id)


def waiting(names: Iterable[str]) -> Hindrance:
    waits = tuple(sorted(set(names)))
    return Hindrance(
        ParkedReason.WAITS,
        f"尚未登记:{', '.join(waits)};登记后自动入账",
        f"Not registered yet: {', '.join(waits)}; it is booked by itself when they are",
        waits,
    )


# Reversals


def _book_reversals(session: Session, reports: Sequence[Report], caller: Caller) -> Booked:
    wanted = {r.movement.reverses_id for r in reports if isinstance(r.movement, Reverse)}
    if not wanted:
        return {}
    found = select(tables.Movement).where(tables.Movement.id.in_(wanted))
    originals = {m.id: m for m in session.scalars(found)}
    undone = select(tables.Movement.reverses_id).where(tables.Movement.reverses_id.in_(wanted))
    taken = set(session.scalars(undone))
    results: Booked = {}
    ready, legs, places = [], {}, {}
    booked = kinds.booked(session, [m.seq for m in originals.values()])
    for report in by_sense(reports):
        movement = report.movement
        assert isinstance(movement, Reverse)  # noqa: S101
        original = originals.get(movement.reverses_id)
        results[movement.id] = _hinders_reversal(report, original, movement.reverses_id in taken)
        if original is not None and results[movement.id] is None:
            taken.add(movement.reverses_id)
            ready.append(report)
            places[movement.id] = original.place_id
            legs[movement.id] = laws.mirror(laws.fold(booked[original.seq]))
    return results | _write(session, ready, places, legs, caller)


def _hinders_reversal(report: Report, original: tables.Movement | None, taken: bool) -> Hindrance | None:
    movement = report.movement
    assert isinstance(movement, Reverse)  # noqa: S101
    if original is None:
        return waiting([f"movement:{movement.reverses_id}"])
    if report.sent_places is not None and original.place_id not in report.sent_places:
        return not_yours(original.place_id)
    try:
        kinds.refuse_reversal(original)
    except Conflict as refused:
        return Hindrance(ParkedReason.NOT_REVERSIBLE, refused.detail, refused.detail_en)
    if taken:
        return _reversed_already(movement)
    if original.kind == "scrap" and report.approved_by is None:
        return Hindrance(ParkedReason.NEEDS_APPROVAL, *kinds.ONLY_BY_TWO)
    return None


def _reversed_already(movement: Reverse) -> Hindrance:
    return Hindrance(
        ParkedReason.REVERSED_ALREADY,
        f"流水 {movement.reverses_id} 已冲正,此条不再重复冲正",
        f"The movement {movement.reverses_id} has been reversed already: it is not reversed twice",
    )


def not_yours(place_id: str) -> Hindrance:
    return Hindrance(
        ParkedReason.NOT_YOURS,
        f"您不在 {place_id} 任职,由主管核对后入账",
        f"You do not work at {place_id}: a supervisor looks at it",
    )


# Writing


def _write(
    session: Session,
    ready: Sequence[Report],
    places: dict[UUID, str],
    legs: dict[UUID, list[Leg]],
    caller: Caller,
) -> Booked:
    """Write movements and their entries: each account keeps what it can, the rest is in dispute."""
    if not ready:
        return {}
    rows = [movements.row_of(r.movement, places[r.movement.id], r.sent_by, r.approved_by) for r in ready]
    seqs = posting.begin(session, rows)
    results: Booked = {
        r.movement.id: _lost_race(session, r.movement) for r in ready if r.movement.id not in seqs
    }
    won = [r.movement for r in ready if r.movement.id in seqs]
    now = accounts.standings(session, _locked(session, [leg for m in won for leg in legs[m.id]]))
    entries: dict[UUID, list[Leg]] = {}
    for movement in won:
        entries[movement.id], short = accounts.settled(legs[movement.id], now)
        results[movement.id] = _SHORT if short else None
    if entries:
        posting.post(session, [(seqs[one].seq, booked) for one, booked in entries.items()])
        movements.seal_failed(session, won, caller)
    _tell_of_holds(session, results, entries, now)
    _tell_of_diverted(session, results, won)
    return results


def _tell_of_diverted(session: Session, results: Booked, won: Sequence[Movement]) -> None:
    """Where goods came in elsewhere than they were sent to. They are there, so it is booked (facts.py).

    Who sent them may report later than who received them; the nightly proof finds what is not told here.
    """
    arrived = [m for m in won if isinstance(m, Arrive) and results[m.id] is None]
    for one, place_id in (kinds.sent_to(session, arrived) if arrived else {}).items():
        results[one] = Hindrance(
            ParkedReason.ELSEWHERE,
            f"已入账;但该批物资发往 {place_id}:请核对,误记的冲正后重报,确已改送的冲正后重报并在 reason 中写明原因",
            f"Booked, but the goods were sent to {place_id}: check it, reverse it, and report it anew: at the right "
            "place, or with a reason why they were diverted",
        )


def _tell_of_holds(
    session: Session,
    results: Booked,
    entries: Mapping[UUID, Sequence[Leg]],
    now: Mapping[laws.Account, laws.Standing],
) -> None:
    """Where what is in dispute had been held: for whom, and what gives them other lots.

    They are not given others here: which are free depends on what came in before, and the books must not (facts.py).
    """
    taken: dict[UUID, set[laws.Account]] = {}
    for one, booked in entries.items():
        less = {
            laws.undisputed(leg.account)
            for leg in booked
            if leg.quantity < 0 and laws.in_dispute(leg.account)
        }
        if held := {account for account in less if now[account].held}:
            taken[one] = held
    if not taken:
        return
    holds = accounts.held_by(session, set().union(*taken.values()))
    for one, held in taken.items():
        if named := sorted({hold_id for account in held for hold_id in holds.get(account, ())}):
            results[one] = _short_of_held(named)


def _locked(session: Session, legs: Sequence[Leg]) -> list[laws.Account]:
    """Lock what legs touch; holds on it that are over give back what they keep."""
    touched = {leg.account for leg in legs}
    less = {Row(leg.account.place_id, leg.account.goods.item_code) for leg in legs if leg.quantity < 0}
    inside = {row for row in less if not row.place_id.startswith("outside:")}
    lock(session, inside, lots=[account.goods.lot_id for account in touched])
    return list(touched)


def _lost_race(session: Session, movement: Movement) -> Hindrance | None:
    """Another transaction has booked this id meanwhile, or has reversed the same movement."""
    first = session.scalar(select(tables.Movement.body_hash).where(tables.Movement.id == movement.id))
    if first == fingerprint(movement):
        return None
    if isinstance(movement, Reverse) and first is None:
        return _reversed_already(movement)
    return reused(movement.id)


def reused(movement_id: UUID) -> Hindrance:
    return Hindrance(
        ParkedReason.ID_REUSED,
        f"编号 {movement_id} 已用于另一内容,由主管核对",
        f"The id {movement_id} has been used for other content: a supervisor looks at it",
    )


_SHORT = Hindrance(
    ParkedReason.SHORT,
    "已入账;账面不足的部分列入待核,待对应的入库到达或主管核对",
    "Booked; what the books did not have is in dispute until its receipt comes in or a supervisor settles it",
)


def _short_of_held(holds: Sequence[UUID]) -> Hindrance:
    first, more = holds[0], len(holds) - 1
    return Hindrance(
        ParkedReason.SHORT,
        f"{_SHORT.detail};其中有为计划预留的:请指挥员用 POST /v1/holds/{first}:repick 换其他批次"
        + (f"(另有 {more} 个预留,见 GET /v1/disputes 的 holds)" if more else ""),
        f"{_SHORT.detail_en}. Some of it is held for a plan: a commander gives it other lots by "
        f"POST /v1/holds/{first}:repick"
        + (f" ({more} more: see `holds` of GET /v1/disputes)" if more else ""),
    )


# What hinders a report whatever the books know


def refusal(movement: Movement, oldest: datetime | None = None) -> Hindrance | None:
    """What keeps a movement from being booked by a device's word alone."""
    own = [p for p in facts.parties(movement).values() if p.startswith(laws.OWN_PREFIXES)]
    if own:
        return Hindrance(
            ParkedReason.MALFORMED,
            f"{own[0]} 是系统内部账户,请填库或点的编号",
            f"{own[0]} is an account of the books' own: give a store or point",
        )
    if field := facts.by_an_order(movement):
        return Hindrance(
            ParkedReason.BY_AN_ORDER,
            f"{field}:预留与调拨单的物资由调拨单的步骤出库、接收",
            f"{field}: what is held or on an order moves by the order's steps",
        )
    if movement.occurred_at > datetime.now(UTC) + movements.CLOCK_TOLERANCE:
        return Hindrance(
            ParkedReason.IN_FUTURE,
            f"发生时间 {movement.occurred_at:%Y-%m-%d %H:%M} UTC 晚于现在 24 小时以上,请校准设备时钟",
            f"It happened {movement.occurred_at:%Y-%m-%d %H:%M} UTC, more than 24 hours ahead: set the device's clock",
        )
    if oldest is not None and movement.occurred_at < oldest:
        return Hindrance(
            ParkedReason.TOO_OLD,
            f"发生时间 {movement.occurred_at:%Y-%m-%d} 早于 {oldest:%Y-%m-%d},由主管核对日期后入账;请校准设备时钟",
            f"It happened {movement.occurred_at:%Y-%m-%d}, before {oldest:%Y-%m-%d}: a supervisor looks at the date; "
            "set the device's clock",
        )
    if movement.kind == "scrap":
        return Hindrance(
            ParkedReason.NEEDS_APPROVAL, "报废须经他人批准", "Scrapping needs another person's approval"
        )
    if not facts.names_its_lots(movement) or facts.off_the_shelf(movement):
        return Hindrance(
            ParkedReason.NO_LOT,
            "未写明批次,由主管补齐",
            "It does not name its lots: a supervisor completes it",
        )
    return None


def effects(movement: Movement) -> Iterator[tuple[str, Goods, int]]:
    """What a report that is not booked would change of each account, as far as it says by itself."""
    if isinstance(movement, Reverse) or not facts.names_its_lots(movement):
        return
    lines = facts.lines_of(movement)
    if all(line.item_code for line in lines):
        for account, change in laws.changes(facts.legs(movement, _as_named, lambda _: False)).items():
            if not account.place_id.startswith("outside:"):
                yield account.place_id, account.goods, change


def _as_named(line: facts.Line) -> Goods:
    box: Lot | None = line.lot
    code = str(line.item_code)
    return Goods(code, lot_id(code, box) if box else line.lot_id)  # type: ignore[union-attr, arg-type]
