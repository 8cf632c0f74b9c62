"""Counts in a device's batch of movements: each is answered apart, and kept whatever hinders it."""

from datetime import datetime
from hashlib import sha256
from typing import Any

from chubei_shared.contracts.batches import BatchAnswer, BatchAnswers, MovementBatch, Outcome, ParkedReason
from chubei_shared.contracts.stocktakes import Count as CountBody
from chubei_shared.contracts.stocktakes import OfflineCount
from chubei_shared.errors import Invalid, NotFound
from chubei_shared.tokens import Caller
from pydantic import ValidationError
from sqlalchemy.orm import Session

from chubei_inventory.fingerprint import fingerprint, other_content
from chubei_inventory.ledger import laws
from chubei_inventory.movements.reports import Hindrance
from chubei_inventory.offline import batches, parking
from chubei_inventory.stocktake import counts, stocktakes
from chubei_inventory.stocktake.counts import Hindered
from chubei_inventory.stocktake.tables import Count


def record(
    session: Session, batch: MovementBatch, caller: Caller, oldest: datetime | None = None
) -> BatchAnswers:
    """Take the counts of a batch, and let `batches` book its movements. Answers are in the order of the batch.

    Counts come first: they lock stocktakes, which come before lots.
    """
    read = {number: one for number, body in enumerate(batch.movements) if (one := _read(body)) is not None}
    in_order = sorted(read.items(), key=lambda of: (of[1].stocktake_id, of[0]))
    answers = {
        number: _take(session, number, one, batch.movements[number], caller) for number, one in in_order
    }
    rest = [number for number in range(len(batch.movements)) if number not in answers]
    if rest:
        others = MovementBatch(movements=[batch.movements[number] for number in rest])
        booked = batches.record(session, others, caller, oldest).rows
        answers |= {rest[row.number]: row.model_copy(update={"number": rest[row.number]}) for row in booked}
    return BatchAnswers(rows=[answers[number] for number in sorted(answers)])


def _read(body: dict[str, Any]) -> OfflineCount | None:
    """A count that is well formed; what is not goes the way of all malformed reports."""
    if body.get("kind") != "count":
        return None
    try:
        return OfflineCount.model_validate(body, strict=False)
    except ValidationError:
        return None


def _take(
    session: Session, number: int, one: OfflineCount, raw: dict[str, Any], caller: Caller
) -> BatchAnswer:
    """The answer to a count. One that names what nobody knows is parked as it came."""
    body = CountBody(**one.model_dump(exclude={"kind", "stocktake_id"}))
    try:
        stocktake = stocktakes.find(session, one.stocktake_id, lock=False)
        item_code, lot_id = counts.lot_of(session, body)
    except (NotFound, Invalid) as unknown:
        return _park(session, number, one, raw, Hindered(ParkedReason.MALFORMED, unknown), caller)
    known = session.get(Count, body.id)
    if known is not None and (known.stocktake_id, known.body_hash) != (one.stocktake_id, fingerprint(body)):
        return _park(
            session, number, one, raw, Hindered(ParkedReason.ID_REUSED, other_content(body.id)), caller
        )
    if known is not None:
        zh, _, en = (known.hindrance or "").partition(" / ")
        return BatchAnswer(number=number, id=known.id, outcome=Outcome.KNOWN, detail=zh, detail_en=en)
    why = counts.hinders(session, stocktake, body, item_code, lot_id, caller)
    told = None if why is None else f"{why.error.detail} / {why.error.detail_en}"
    counts.keep(session, stocktake, body, item_code, lot_id, caller, told)
    return (
        BatchAnswer(number=number, id=body.id, outcome=Outcome.ACCEPTED)
        if why is None
        else _parked(number, body, why)
    )


def _parked(number: int, body: CountBody, why: Hindered) -> BatchAnswer:
    return BatchAnswer(
        number=number, id=body.id, outcome=Outcome.PARKED, reason=why.reason, detail=why.error.detail,
        detail_en=why.error.detail_en,
    )  # fmt: skip


def _park(
    session: Session, number: int, one: OfflineCount, raw: dict[str, Any], why: Hindered, caller: Caller
) -> BatchAnswer:
    as_text = parking.as_text(raw)
    body_hash = sha256(as_text.encode()).digest()
    if (known := parking.known(session, [one.id]).get((one.id, body_hash))) is not None:
        return batches.as_before(number, known)
    hindrance = Hindrance(why.reason, why.error.detail, why.error.detail_en)
    place_id = laws.parent(one.account) or one.account
    row = (one.id, body_hash, as_text, place_id, hindrance)
    parking.park(session, [row], caller)
    return _parked(number, one, why)
