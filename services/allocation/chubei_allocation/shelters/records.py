"""Verbs on what keepers record. Handing out and giving back are sagas, as an order's steps are."""

from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar
from uuid import UUID, uuid5

from chubei_shared import jobs, outbox
from chubei_shared.contracts.amendments import Amendment, MoreGranted
from chubei_shared.contracts.movements import GiveBack, Issue, ReturnLine, SendOff
from chubei_shared.contracts.shelters import (
    Answer,
    AskForMore,
    Decision,
    GivenBack,
    HandOut,
    RecordKind,
    RecordPage,
    RecordState,
    RecordView,
)
from chubei_shared.db import Transactions
from chubei_shared.errors import AppError, Conflict, Invalid, NotFound, Unavailable
from chubei_shared.problems import validation_problem
from chubei_shared.state_words import zh
from chubei_shared.tokens import Caller
from pydantic import TypeAdapter, ValidationError
from sqlalchemy import select
from sqlalchemy.orm import Session

from chubei_allocation import locks, pages, tables
from chubei_allocation.exercise_books import books
from chubei_allocation.incidents import amendments, headcounts, incidents
from chubei_allocation.inventory_gate import FINAL, InventoryGate
from chubei_allocation.shelters import lent, recipients, rules, telling
from chubei_allocation.shelters.recipients import Privacy
from chubei_allocation.shelters.tables import ShelterRecord

Moved = Issue | GiveBack | SendOff
_MOVED: TypeAdapter[Moved] = TypeAdapter(Moved)
M = TypeVar("M", Issue, GiveBack, SendOff)
_MOVEMENT = UUID("3b7c1f0e-52d4-4d8e-9a0b-6a1d2c7e9f20")
_AMENDMENT = UUID("6c0a5a51-31f5-4a0e-9d53-0d1b1d1c9a77")
_STALE = timedelta(seconds=5)
_AT_ONCE = 20


class Keeper:
    """Who records at which shelter of which incident, and what it takes."""

    def __init__(
        self,
        tx: Transactions,
        inventory: InventoryGate,
        privacy: Privacy,
        caller: Caller,
        at: tuple[UUID, str],
    ) -> None:
        self.tx, self.inventory, self.privacy = tx, inventory, privacy
        self.caller, (self.incident_id, self.shelter_id) = caller, at

    def hand_out(self, body: HandOut) -> RecordView:
        """Goods leave the shelter's stock for people's hands. Raises as `give_back`."""
        units = rules.total(row.lines for row in body.rows)
        movement = _made(
            Issue,
            kind="issue",
            id=movement_id(body.id),
            occurred_at=body.occurred_at,
            reason="发放登记 / handed out",
            place_id=self.shelter_id,
            lines=[{"item_code": item, "quantity": number} for item, number in units.items()],
        )
        self.tx(self._record, RecordKind.HAND_OUT, body, units, movement)
        return advance(self.tx, self.inventory, body.id)

    def give_back(self, body: GivenBack) -> RecordView:
        """Raises Invalid, NotFound, Conflict (inventory refused the movement: `problem`), and Unavailable while
        inventory is away: once recorded, it goes on by itself.
        """
        units: dict[str, int] = {}
        for line in body.lines:
            units[line.item_code] = units.get(line.item_code, 0) + line.good + line.repair + line.lost
        known = self.tx(lambda session: session.get(ShelterRecord, body.id) is not None)
        movement = None if known else self._back(body)
        self.tx(self._record, RecordKind.RETURN, body, units, movement)
        return advance(self.tx, self.inventory, body.id)

    def _back(self, body: GivenBack) -> Moved:
        told = {
            "id": movement_id(body.id),
            "occurred_at": body.occurred_at,
            "reason": body.note or "安置点退回 / from a shelter",
        }
        if body.to_place_id is not None:
            return _made(
                SendOff,
                kind="send",
                **told,
                from_place_id=self.shelter_id,
                to_place_id=body.to_place_id,
                lines=[{"item_code": line.item_code, "quantity": line.good} for line in body.lines],
            )
        with books.of(self.tx, self.inventory, self.incident_id, self.caller.person) as client:
            rows: list[ReturnLine] = lent.lots(client, self.shelter_id, body.lines)
        return _made(
            GiveBack, kind="return", **told, place_id=self.shelter_id, issued_from=self.shelter_id, lines=rows
        )

    def ask(self, body: AskForMore) -> RecordView:
        """Ask for more: the command is told. Raises Invalid, NotFound, Conflict."""
        self.tx(self._record, RecordKind.REQUEST, body, rules.total([body.lines]), None)
        return self.tx(show, body.id)

    def _record(
        self,
        session: Session,
        kind: RecordKind,
        body: HandOut | GivenBack | AskForMore,
        units: dict[str, int],
        movement: Moved | None,
    ) -> None:
        """Write it down, once."""
        locks.one_at_a_time(session, body.id)
        said = rules.fingerprint(self.privacy.key, [kind.value, body.model_dump(mode="json")])
        if known := session.get(ShelterRecord, body.id):
            if (known.incident_id, known.shelter_id, known.said) != (self.incident_id, self.shelter_id, said):
                raise Conflict(
                    f"编号 {body.id} 已用于另一记录,请换新编号",
                    f"Id {body.id} is another record's: mint a new one",
                )
            return
        incident = incidents.get(session, self.incident_id)
        headcounts.of_shelter(session, self.incident_id, self.shelter_id)
        if kind is RecordKind.REQUEST:
            incidents.check_not_ended(session, incident)
        incidents.check_time(incident, body.occurred_at)
        row = ShelterRecord(
            id=body.id,
            incident_id=self.incident_id,
            shelter_id=self.shelter_id,
            kind=kind.value,
            state=rules.BEGINS[kind].value,
            occurred_at=body.occurred_at,
            recorded_at=datetime.now(UTC),
            recorded_by=self.caller.person,
            said=said,
            people=sum(one.people for one in body.rows) if isinstance(body, HandOut) else 0,
            units=units,
            text=body.reason if isinstance(body, AskForMore) else body.note,
            movement=movement.model_dump(mode="json") if movement else None,
            reply="",
            granted={},
        )
        session.add(row)
        session.flush()
        if isinstance(body, HandOut):
            recipients.keep(session, row, body.rows, self.privacy)
        if isinstance(body, AskForMore):
            telling.asked(session, row, incident)


def _made(movement: type[M], /, **told: Any) -> M:
    """A movement of what was reported. Raises Invalid for what no movement can be: too many units, to where it is."""
    try:
        return movement.model_validate(told)
    except ValidationError as error:
        raise _wrong(error) from None


def _wrong(error: ValidationError) -> Invalid:
    rows: list[dict[str, Any]] = [{**one, "loc": ("body", *one["loc"])} for one in error.errors()]
    return validation_problem(rows)


def movement_id(record_id: UUID) -> UUID:
    return uuid5(_MOVEMENT, str(record_id))


def advance(tx: Transactions, inventory: InventoryGate, record_id: UUID) -> RecordView:
    """Bring a record to its outcome. Raises as `Keeper.give_back`."""
    asked = tx(_to_move, record_id)
    if asked is not None:
        person, movement = asked
        try:
            with books.of(tx, inventory, tx(get, record_id).incident_id, person) as client:
                client.record(movement)
        except FINAL as error:
            tx(_conclude, record_id, error)
        except AppError as error:
            raise Unavailable(
                f"库存服务暂不可用,已记下,恢复后自动完成:{error.detail}",
                f"Inventory is away: it is recorded and is finished by itself: {error.detail_en}",
            ) from error
        else:
            tx(_conclude, record_id, None)
    return tx(_outcome, record_id)


def _to_move(session: Session, record_id: UUID) -> tuple[str, Moved] | None:
    row = session.get_one(ShelterRecord, record_id)
    if row.state != RecordState.PENDING or row.movement is None:
        return None
    return row.recorded_by, _MOVED.validate_python(row.movement)


def _conclude(session: Session, record_id: UUID, refused: AppError | None) -> None:
    """pending → done or refused; whoever comes second does nothing."""
    row = _locked(session, record_id)
    if row.state != RecordState.PENDING:
        return
    if refused is not None:
        become(row, RecordState.REFUSED)
        row.problem = refused.problem()
        return
    become(row, RecordState.DONE)
    outbox.enqueue(session, f"shelter.{row.kind}", telling.body(row, incidents.get(session, row.incident_id)))


def _outcome(session: Session, record_id: UUID) -> RecordView:
    row = get(session, record_id)
    if row.state == RecordState.REFUSED and row.problem:
        raise Conflict(
            f"库存未接受:{row.problem['detail']};请核对后以新编号再报",
            f"Inventory refused this: {row.problem['detail_en']}. Correct it and report it under a new id",
            problem=row.problem,
        )
    return show(session, record_id)


def answer(session: Session, record_id: UUID, body: Answer, caller: Caller) -> RecordView:
    """Answer a request; what is accepted amends the incident. The same again changes nothing.

    Raises NotFound, Conflict; Invalid as amendments.amend.
    """
    row = _locked(session, record_id)
    told = body.model_dump(mode="json")
    if (row.answer, row.replied_by) != (told, caller.person):
        become(row, rules.DECIDED[body.decision])
        row.reply, row.replied_by, row.answer = body.reply, caller.person, told
        if body.decision is Decision.ACCEPT:
            row.granted = rules.total([body.lines]) if body.lines else row.units
            _grant(session, row, body, caller)
        telling.answered(session, row, incidents.get(session, row.incident_id))
    return show(session, record_id)


def _grant(session: Session, row: ShelterRecord, body: Answer, caller: Caller) -> None:
    change = MoreGranted(
        kind="more_granted", shelter_id=row.shelter_id, units=row.granted, worth=body.worth, request_id=row.id
    )
    amendment = Amendment(id=uuid5(_AMENDMENT, str(row.id)), why=body.reply, change=change)
    amendments.amend(session, row.incident_id, amendment, caller)


def become(row: ShelterRecord, to: RecordState) -> None:
    """Bring a locked record on. Raises Conflict where rules.MOVES does not allow it."""
    if to not in rules.MOVES[RecordState(row.state)]:
        raise Conflict(
            f"记录{zh(RecordState, row.state)},不能变为{zh(RecordState, to)}",
            f"The record is {row.state} and can not become {to}",
        )
    row.state = to.value


def _locked(session: Session, record_id: UUID) -> ShelterRecord:
    row = get(session, record_id)
    session.refresh(row, with_for_update=True)
    return row


def get(session: Session, record_id: UUID) -> ShelterRecord:
    """Raises NotFound."""
    row = session.get(ShelterRecord, record_id)
    if row is None:
        raise NotFound(f"没有记录 {record_id}", f"There is no record {record_id}")
    return row


def at(session: Session, incident_id: UUID, shelter_id: str, record_id: UUID) -> ShelterRecord:
    """A record of this shelter. Raises NotFound."""
    row = get(session, record_id)
    if (row.incident_id, row.shelter_id) != (incident_id, shelter_id):
        raise NotFound(f"{shelter_id} 没有记录 {record_id}", f"{shelter_id} has no record {record_id}")
    return row


def show(session: Session, record_id: UUID) -> RecordView:
    return _views(session, [get(session, record_id)])[0]


def listed(
    session: Session,
    incident_id: UUID,
    shelter_id: str | None,
    kind: RecordKind | None,
    cursor: str | None,
    limit: int,
) -> RecordPage:
    """Records, the latest first. Raises NotFound."""
    incident = incidents.get(session, incident_id)
    query = select(ShelterRecord).where(ShelterRecord.incident_id == incident_id)
    if shelter_id is not None:
        query = query.where(ShelterRecord.shelter_id == shelter_id)
    if kind is not None:
        query = query.where(ShelterRecord.kind == kind)
    found, following = pages.latest(
        session, query, ShelterRecord.recorded_at, ShelterRecord.id, cursor, limit
    )
    return RecordPage(
        minutes_left=incidents.minutes_left(incident), rows=_views(session, found), next_cursor=following
    )


def _views(session: Session, rows: list[ShelterRecord]) -> list[RecordView]:
    people = recipients.of(session, [row.id for row in rows])
    exercise: dict[UUID, tables.Incident] = {
        row.incident_id: incidents.get(session, row.incident_id) for row in rows
    }
    return [
        RecordView(
            **_told(row),
            exercise=exercise[row.incident_id].exercise,
            recipients=people.get(row.id, []),
            movement_id=movement_id(row.id) if row.movement else None,
        )
        for row in rows
    ]


_OWN = RecordView.model_fields.keys() - {"exercise", "recipients", "movement_id"}


def _told(row: ShelterRecord) -> dict[str, Any]:
    return {name: getattr(row, name) for name in _OWN}


def stuck(session: Session) -> list[UUID]:
    """Records whose movement has been under way for too long."""
    found = (
        select(ShelterRecord.id)
        .where(
            ShelterRecord.state == RecordState.PENDING,
            jobs.long_ago(ShelterRecord.recorded_at, _STALE, datetime.now(UTC)),
        )
        .order_by(ShelterRecord.recorded_at)
        .limit(_AT_ONCE)
    )
    return list(session.scalars(found))
