"""Reports that are not booked: kept for good, tried again when what they wait for is there, settled by a person."""

import json
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from chubei_shared.contracts.batches import (
    Accept,
    ParkedPage,
    ParkedReason,
    ParkedStatus,
    ParkedView,
    Reject,
)
from chubei_shared.contracts.movements import MOVEMENT, Movement
from chubei_shared.cursors import cursor_of, key_of, serial
from chubei_shared.editions import etag_of, refuse_other_edition
from chubei_shared.errors import Conflict, Forbidden, Invalid, NotFound
from chubei_shared.outbox import enqueue
from chubei_shared.state_words import zh
from chubei_shared.tokens import Caller, Role
from sqlalchemy import ARRAY, Text, any_, cast, select, text
from sqlalchemy.dialects.postgresql import UUID as PG_UUID
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from chubei_inventory import tables
from chubei_inventory.fingerprint import fingerprint
from chubei_inventory.movements import reports
from chubei_inventory.movements.reports import Hindrance, Report
from chubei_inventory.offline.tables import Parked, ParkedEffect

_SYSTEM = Caller("chubei", frozenset({Role.SERVICE}))
_AT_ONCE = 500
_READY = text(
    """
    SELECT id, body_hash FROM parked
    WHERE status = 'open' AND waits_for <> '{}' AND NOT EXISTS (
        SELECT FROM unnest(waits_for) AS w, LATERAL (SELECT split_part(w, ':', 1), substr(w, strpos(w, ':') + 1))
            AS n (kind, name)
        WHERE NOT CASE n.kind
            WHEN 'item' THEN EXISTS (SELECT FROM item WHERE code = n.name)
            WHEN 'place' THEN EXISTS (SELECT FROM place WHERE id = n.name)
            WHEN 'lot' THEN EXISTS (SELECT FROM lot WHERE id = CAST(n.name AS uuid) AND reserve_id IS NULL)
            ELSE EXISTS (SELECT FROM movement m WHERE m.id = CAST(n.name AS uuid)) END)
    ORDER BY id, body_hash LIMIT :limit FOR UPDATE SKIP LOCKED
    """
)


def park(
    session: Session, unbooked: Sequence[tuple[UUID, bytes, str, str, Hindrance]], caller: Caller
) -> None:
    """Keep reports as they came: id, hash, JSON text, place, what hinders each."""
    if not unbooked:
        return
    everywhere = bool(caller.roles & {Role.SERVICE, Role.ADMIN})
    rows = [
        {
            "id": one, "body_hash": body_hash, "body": body, "place_id": place_id, "reason": why.reason,
            "detail": why.detail, "detail_en": why.detail_en, "waits_for": list(why.waits_for),
            "sent_by": caller.person, "sent_places": None if everywhere else sorted(caller.places),
        }
        for one, body_hash, body, place_id, why in sorted(unbooked, key=lambda row: row[:2])
    ]  # fmt: skip
    session.execute(insert(Parked).on_conflict_do_nothing(), rows)  # the same batch may come twice at once
    if effects := [row for one in unbooked for row in _effects(*one[:3])]:
        session.execute(insert(ParkedEffect).on_conflict_do_nothing(), effects)
    reasons = sorted({why.reason.value for *_, why in unbooked})
    enqueue(session, "stock.parked", {"count": len(unbooked), "reasons": reasons})


def _effects(report_id: UUID, body_hash: bytes, body: str) -> list[dict[str, Any]]:
    try:
        movement = MOVEMENT.validate_json(body)
    except ValueError:
        return []
    return [
        {
            "parked_id": report_id, "body_hash": body_hash, "line_no": number, "place_id": place_id,
            "item_code": goods.item_code, "lot_id": goods.lot_id, "change": change,
        }
        for number, (place_id, goods, change) in enumerate(reports.effects(movement), 1)
    ]  # fmt: skip


def retry(session: Session) -> int:
    """Book what waited for things that are there now; returns how many were tried. One may free another."""
    keys = session.execute(_READY, {"limit": _AT_ONCE}).all()
    if not keys:
        return 0
    rows = [session.get_one(Parked, (key.id, key.body_hash)) for key in keys]
    tried = {row.id: row for row in rows}
    waiting = [Report(_movement(row), row.sent_by, sent_places=_places(row)) for row in tried.values()]
    for one, why in reports.book(session, waiting, _SYSTEM).items():
        row = tried[one]
        if why is None or why.booked:
            _settle(row, ParkedStatus.BOOKED, "chubei", "所等已到 / what it waited for has come", row.id)
        else:
            row.reason, row.detail, row.detail_en = why.reason, why.detail, why.detail_en
            row.waits_for = list(why.waits_for)
    session.flush()
    return len(tried)


def retry_all(session: Session) -> None:
    """Retry until nothing waits for what is there."""
    while retry(session):
        pass


def accept(
    session: Session, key: str, body: Accept, caller: Caller, if_match: str | None = None
) -> ParkedView:
    """Book what was parked, as it is or as corrected. Raises NotFound, Forbidden, Conflict, Invalid."""
    row = _find(session, key, lock=True)
    if row.status == ParkedStatus.ACCEPTED and row.settled_by == caller.person and _same(session, row, body):
        return _view(row)
    _refuse_settled(row)
    _refuse_self(row, caller)
    if if_match is not None:
        refuse_other_edition(if_match, etag_of(_view(row)))
    movement = body.movement or _readable(row)
    if row.reason != ParkedReason.ID_REUSED and movement.id != row.id:
        raise Invalid(
            "更正后的流水须沿用原编号", "The corrected movement keeps its id",
            errors=[{"field": "movement.id", "problem": str(movement.id), "remedy": str(row.id)}],
        )  # fmt: skip
    why = reports.refusal(movement)
    if why is None or why.reason is ParkedReason.NEEDS_APPROVAL:
        stands = Report(movement, row.sent_by, approved_by=caller.person)
        why = reports.book(session, [stands], caller)[movement.id]
    if why is not None and not why.booked:
        raise Conflict(
            f"仍不能入账:{why.detail};请在 movement 中更正",
            f"It still can not be booked: {why.detail_en}. Correct it in movement",
            reason=why.reason.value,
        )
    _settle(row, ParkedStatus.ACCEPTED, caller.person, body.reason, movement.id)
    session.flush()
    return _view(row)


def _same(session: Session, row: Parked, body: Accept) -> bool:
    """Whether what was accepted is asked for again: what was booked then is what is given now."""
    if body.movement is None:
        return True
    booked = select(tables.Movement.body_hash).where(tables.Movement.id == row.settled_as)
    return session.scalar(booked) == fingerprint(body.movement)


def reject(
    session: Session, key: str, body: Reject, caller: Caller, if_match: str | None = None
) -> ParkedView:
    """Do not book it, and say why; what waited for it is not booked either. It is kept all the same."""
    row = _find(session, key, lock=True)
    if row.status == ParkedStatus.REJECTED and row.settled_by == caller.person:
        return _view(row)
    _refuse_settled(row)
    _refuse_self(row, caller)
    if if_match is not None:
        refuse_other_edition(if_match, etag_of(_view(row)))
    _settle(row, ParkedStatus.REJECTED, caller.person, body.reason, None)
    session.flush()
    named = cast([f"movement:{row.id}"], ARRAY(Text))
    waits = select(Parked).where(Parked.status == "open", Parked.waits_for.bool_op("@>")(named))
    for other in session.scalars(waits.order_by(Parked.id, Parked.body_hash).with_for_update()):
        _settle(other, ParkedStatus.REJECTED, caller.person, body.reason, None)
    session.flush()
    return _view(row)


def get(session: Session, key: str) -> ParkedView:
    """Raises NotFound."""
    return _view(_find(session, key))


def page(
    session: Session, status: ParkedStatus | None, place_id: str | None, cursor: str | None, limit: int
) -> ParkedPage:
    """What was parked, in the order in which it came."""
    wanted = select(Parked).order_by(Parked.seq).limit(limit + 1)
    if status is not None:
        wanted = wanted.where(Parked.status == status)
    if place_id is not None:
        wanted = wanted.where(Parked.place_id == place_id)
    if after := key_of(cursor, serial):
        wanted = wanted.where(Parked.seq > after[0])
    found = list(session.scalars(wanted))
    return ParkedPage(
        rows=[_view(row) for row in found[:limit]],
        next_cursor=cursor_of(found[limit - 1].seq) if len(found) > limit else None,
    )


def known(session: Session, ids: Iterable[UUID]) -> dict[tuple[UUID, bytes], Parked]:
    """What came in before under these ids and was parked."""
    wanted = Parked.id == any_(cast(list(ids), ARRAY(PG_UUID)))
    found = session.scalars(select(Parked).where(wanted))
    return {(row.id, row.body_hash): row for row in found}


def _places(row: Parked) -> frozenset[str] | None:
    return None if row.sent_places is None else frozenset(row.sent_places)


def _movement(row: Parked) -> Movement:
    return MOVEMENT.validate_json(row.body)


def _readable(row: Parked) -> Movement:
    try:
        return _movement(row)
    except ValueError as error:
        raise Invalid(
            "原报告无法读取,请在 movement 中填写更正后的流水",
            "The report can not be read: give the corrected movement",
            errors=[{"field": "movement", "problem": "missing", "remedy": "movement"}],
        ) from error


def _find(session: Session, key: str, lock: bool = False) -> Parked:
    try:
        one, _, body_hash = key.partition(".")
        wanted = (UUID(one), bytes.fromhex(body_hash))
    except ValueError:
        wanted = None
    row = wanted and session.get(Parked, wanted, with_for_update=lock or None)
    if not row:
        raise NotFound(
            f"没有待核流水 {key}", f"There is no parked movement {key}: see GET /v1/parked-movements"
        )
    return row


def _refuse_settled(row: Parked) -> None:
    if row.status != ParkedStatus.OPEN:
        raise Conflict(
            f"已由 {row.settled_by} 处理({zh(ParkedStatus, row.status)})",
            f"It has been settled already by {row.settled_by} ({row.status})",
            status_now=row.status,
        )


def _refuse_self(row: Parked, caller: Caller) -> None:
    if row.sent_by == caller.person:
        raise Forbidden(
            "申报人不能自己批准,请由他人处理", "Who reported it does not settle it: ask another person"
        )


def _settle(row: Parked, status: ParkedStatus, by: str, reason: str, booked_as: UUID | None) -> None:
    row.status, row.settled_by, row.settled_reason, row.settled_as = status, by, reason, booked_as
    row.settled_at = datetime.now(UTC)


def _view(row: Parked) -> ParkedView:
    names = ParkedView.model_fields.keys() - {"key"}
    return ParkedView(key=f"{row.id}.{row.body_hash.hex()}", **{name: getattr(row, name) for name in names})


def as_text(body: dict[str, Any]) -> str:
    """A report as JSON text that PostgreSQL can keep, whatever is in it."""
    return json.dumps(body, sort_keys=True, separators=(",", ":"))
