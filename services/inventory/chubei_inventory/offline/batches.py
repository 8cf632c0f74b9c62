"""A batch of reports from a device: each is answered apart, and none is refused into nothing."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any
from uuid import UUID, uuid5

from chubei_shared.contracts.batches import (
    BatchAnswer,
    BatchAnswers,
    MovementBatch,
    Outcome,
    ParkedReason,
    ParkedStatus,
)
from chubei_shared.contracts.movements import MOVEMENT, Movement, Reverse
from chubei_shared.contracts.stocktakes import OfflineCount
from chubei_shared.outbox import enqueue
from chubei_shared.problems import validation_problem
from chubei_shared.tokens import Caller, Role
from pydantic import ValidationError
from sqlalchemy.orm import Session

from chubei_inventory.fingerprint import fingerprint
from chubei_inventory.ledger import facts
from chubei_inventory.movements import reports
from chubei_inventory.movements.reports import Hindrance, Report
from chubei_inventory.offline import parking
from chubei_inventory.offline.tables import Parked
from chubei_inventory.stock.pool import sql

_UNNAMED = UUID("0f6a2f0e-7d0c-5a3b-9a1f-5d5b7a1c9e10")
_NOWHERE = "-"
_HASHES = sql("SELECT id, body_hash FROM movement WHERE id = ANY(:ids)", ids="uuid")


@dataclass(frozen=True, slots=True)
class _Sent:
    """One movement of a batch, as far as it can be read."""

    number: int
    id: UUID
    body: str
    body_hash: bytes
    place_id: str
    movement: Movement | None
    why: Hindrance | None
    """What keeps it from being booked, whatever the books hold."""


def record(
    session: Session, batch: MovementBatch, caller: Caller, oldest: datetime | None = None
) -> BatchAnswers:
    """Book what can be booked, park the rest, and answer each; what came in before changes nothing.

    What happened before `oldest` is parked: its date is wrong, or a person stands for it.
    """
    sent = [_read(number, body, caller, oldest) for number, body in enumerate(batch.movements)]
    answers, fresh, reused = _sorted(session, sent)
    results = _book(session, fresh, caller)
    unbooked = [(one, why) for one in fresh if (why := results[one.id]) and not why.booked]
    unbooked += [(one, reports.reused(one.id)) for one in reused]
    parking.park(
        session, [(one.id, one.body_hash, one.body, one.place_id, why) for one, why in unbooked], caller
    )
    parking.retry_all(session)
    answers |= {one.number: _answer(one, results[one.id]) for one in fresh}
    answers |= {one.number: _answer(one, reports.reused(one.id)) for one in reused}
    return BatchAnswers(rows=[answers[number] for number in sorted(answers)])


def _sorted(
    session: Session, sent: Sequence[_Sent]
) -> tuple[dict[int, BatchAnswer], list[_Sent], list[_Sent]]:
    """The answers to what is known, what is new, and what comes under an id that other content has."""
    ids = {one.id for one in sent}
    booked = {row.id: row.body_hash for row in session.execute(_HASHES, {"ids": list(ids)})}
    parked = parking.known(session, ids)
    taken, seen = {*booked, *(one for one, _ in parked)}, set()
    answers, fresh, reused = {}, [], []
    for one in sent:
        key = (one.id, one.body_hash)
        if row := parked.get(key):
            answers[one.number] = as_before(one.number, row)
        elif key in seen or booked.get(one.id) == one.body_hash:
            answers[one.number] = BatchAnswer(number=one.number, id=one.id, outcome=Outcome.KNOWN)
        elif one.id in taken:
            reused.append(one)
        else:
            fresh.append(one)
        seen.add(key)
        taken.add(one.id)
    return answers, fresh, reused


def _read(number: int, body: dict[str, Any], caller: Caller, oldest: datetime | None) -> _Sent:
    as_text = parking.as_text(body)
    try:
        movement = _movement(body)
    except ValidationError as error:
        told = validation_problem([{**e, "loc": ("body", *e["loc"])} for e in error.errors()], body)
        unread = Hindrance(ParkedReason.MALFORMED, told.detail, told.detail_en)
        plain = sha256(as_text.encode()).digest()
        return _Sent(number, _id_of(body, as_text), as_text, plain, _place_of(body), None, unread)
    place_id = _NOWHERE if isinstance(movement, Reverse) else facts.place_of(movement)
    why = reports.refusal(movement, oldest)
    if why is None and place_id != _NOWHERE and not caller.works_at(place_id):
        why = reports.not_yours(place_id)
    return _Sent(number, movement.id, as_text, fingerprint(movement), place_id, movement, why)


def _movement(body: dict[str, Any]) -> Movement:
    """Raises ValidationError; of a count (those that are well formed are taken elsewhere), what is wrong with it."""
    if body.get("kind") == "count":
        OfflineCount.model_validate(body, strict=False)
    return MOVEMENT.validate_python(body, strict=False)


def _id_of(body: dict[str, Any], as_text: str) -> UUID:
    """The id that a report gives, or one that its content determines."""
    try:
        return UUID(str(body.get("id")))
    except ValueError:
        return uuid5(_UNNAMED, as_text)


def _place_of(body: dict[str, Any]) -> str:
    told = body.get("place_id") or body.get("from_place_id")
    return told if isinstance(told, str) and told.isprintable() and len(told) < 200 else _NOWHERE


def as_before(number: int, row: Parked) -> BatchAnswer:
    """The answer to what was parked before: why it still waits, or what became of it."""
    is_open = row.status == ParkedStatus.OPEN
    return BatchAnswer(
        number=number, id=row.id, outcome=Outcome.KNOWN,
        reason=ParkedReason(row.reason) if is_open else None,
        detail=row.detail if is_open else row.settled_reason or "",
        detail_en=row.detail_en if is_open else row.settled_reason or "",
    )  # fmt: skip


def _book(session: Session, fresh: Sequence[_Sent], caller: Caller) -> reports.Booked:
    everywhere = bool(caller.roles & {Role.SERVICE, Role.ADMIN})
    ready = [
        Report(one.movement, caller.person, sent_places=None if everywhere else caller.places)
        for one in fresh
        if one.movement is not None and one.why is None
    ]
    results = reports.book(session, ready, caller)
    done = {one for one, why in results.items() if why is None or why.booked}
    if done:
        touched = [r.movement for r in ready if r.movement.id in done]
        places = sorted({place for m in touched for place in facts.parties(m).values()})
        enqueue(session, "stock.moved", {"kind": "batch", "movements": len(done), "places": places})
    return results | {one.id: one.why for one in fresh if one.why is not None}


def _answer(one: _Sent, why: Hindrance | None) -> BatchAnswer:
    if why is None:
        return BatchAnswer(number=one.number, id=one.id, outcome=Outcome.ACCEPTED)
    return BatchAnswer(
        number=one.number, id=one.id, outcome=Outcome.PARKED, reason=why.reason, detail=why.detail,
        detail_en=why.detail_en,
    )  # fmt: skip
