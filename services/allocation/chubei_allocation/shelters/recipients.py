"""The rows of lists of handing out: kept masked, known again by a keyed hash, forgotten in time."""

import hmac
from collections import Counter, defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

from chubei_shared.contracts.shelters import HandOutLine, RecipientView, RecordKind, RecordState
from chubei_shared.contracts.shelters import Recipient as Row
from chubei_shared.settings import Settings
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from chubei_allocation.shelters import rules
from chubei_allocation.shelters.tables import Recipient, ShelterRecord


class Privacy:
    """The key of the hashes, which follows from the service's own, and how long personal data are kept."""

    def __init__(self, settings: Settings) -> None:
        own = Path(settings.keys_dir / "allocation.key").read_bytes()
        self.key = hmac.digest(own, b"chubei recipients", "sha256")
        self.keep = timedelta(days=settings.personal_data_days)


def keep(session: Session, record: ShelterRecord, rows: Sequence[Row], privacy: Privacy) -> None:
    """Write the rows of a list down, masked."""
    told = [rules.who(privacy.key, row) for row in rows]
    before = _known(session, record.incident_id, [who for who in told if who])
    for number, (row, who) in enumerate(zip(rows, told, strict=True)):
        personal = bool(who or row.name.strip() or row.id_no or row.phone or row.household.strip())
        session.add(
            Recipient(
                record_id=record.id,
                number=number,
                name=rules.name(row.name),
                id_no=rules.number(row.id_no),
                phone=rules.number(row.phone),
                household=row.household,
                who=who,
                people=row.people,
                lines=[line.model_dump(mode="json") for line in row.lines],
                signed=row.signed,
                before=before[who] if who else 0,
                kept_until=record.recorded_at + privacy.keep if personal else None,
            )
        )
        if who:
            before[who] += 1


def _known(session: Session, incident_id: UUID, who: Sequence[bytes]) -> Counter[bytes]:
    """How often these are on lists of the incident that stand."""
    found = session.execute(
        select(Recipient.who, func.count())
        .join(ShelterRecord, ShelterRecord.id == Recipient.record_id)
        .where(
            ShelterRecord.incident_id == incident_id,
            ShelterRecord.state != RecordState.REFUSED,
            Recipient.who.in_(who),
        )
        .group_by(Recipient.who)
    )
    return Counter({one: times for one, times in found if one is not None})


def of(session: Session, record_ids: Sequence[UUID]) -> dict[UUID, list[RecipientView]]:
    found = session.scalars(
        select(Recipient)
        .where(Recipient.record_id.in_(record_ids))
        .order_by(Recipient.record_id, Recipient.number)
    )
    shown: dict[UUID, list[RecipientView]] = defaultdict(list)
    for row in found:
        shown[row.record_id].append(
            RecipientView.model_validate({name: getattr(row, name) for name in RecipientView.model_fields})
        )
    return shown


def forget(session: Session) -> int:
    """Forget who it was, where the time is over; how many rows. Goods and numbers of people stay."""
    gone = (
        update(Recipient)
        .where(Recipient.kept_until <= datetime.now(UTC))
        .values(name="", id_no="", phone="", household="", who=None, kept_until=None)
        .returning(Recipient.record_id)
    )
    return len(session.scalars(gone).all())


def reached(session: Session, incident_id: UUID) -> dict[str, Counter[str]]:
    """By shelter and item, people who stand on lists as having got it."""
    found = session.execute(
        select(ShelterRecord.shelter_id, Recipient.people, Recipient.lines)
        .join(ShelterRecord, ShelterRecord.id == Recipient.record_id)
        .where(
            ShelterRecord.incident_id == incident_id,
            ShelterRecord.kind == RecordKind.HAND_OUT,
            ShelterRecord.state == RecordState.DONE,
        )
    )
    people: dict[str, Counter[str]] = defaultdict(Counter)
    for shelter_id, number, lines in found:
        for item in {HandOutLine.model_validate(line).item_code for line in lines}:
            people[shelter_id][item] += number
    return people
