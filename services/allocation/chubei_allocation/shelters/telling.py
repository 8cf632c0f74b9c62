"""Who hears that a shelter asks for more: the posts that have the dispatch in hand, or else the highest ones."""

from uuid import UUID

from chubei_shared import outbox
from chubei_shared.contracts.network import Shelter
from chubei_shared.contracts.response import Stage, TaskState
from sqlalchemy import select
from sqlalchemy.orm import Session

from chubei_allocation import tables
from chubei_allocation.authority import authority
from chubei_allocation.network import network
from chubei_allocation.notices import notices
from chubei_allocation.response import tables as response
from chubei_allocation.shelters.tables import ShelterRecord

_ACK_WITHIN_MIN = 15


def asked(session: Session, row: ShelterRecord, incident: tables.Incident) -> None:
    outbox.enqueue(session, "shelter.request", body(row, incident))
    place = next(one for one in network.rows(session, Shelter) if one.id == row.shelter_id)
    wanted = ", ".join(f"{item} × {units:,}" for item, units in row.units.items())
    for post_id in _posts(session, incident.id):
        notices.tell(
            session,
            post_id,
            f"{place.name_zh}要求增补 / {place.name_en} asks for more",
            f"{place.name_zh}要求增补 {wanted}。原因:{row.text}",
            f"{place.name_en} asks for {wanted}. Why: {row.text}",
            dedup_key=f"{_key(row)}{post_id}",
            incident_id=incident.id,
            ack_within_min=_ACK_WITHIN_MIN,
        )


def answered(session: Session, row: ShelterRecord, incident: tables.Incident) -> None:
    notices.settle(session, _key(row), row.replied_by or "")
    outbox.enqueue(session, "shelter.answered", body(row, incident))


def body(row: ShelterRecord, incident: tables.Incident) -> dict[str, object]:
    """An event's: nothing that tells who got what."""
    return {
        "incident_id": str(row.incident_id),
        "shelter_id": row.shelter_id,
        "record_id": str(row.id),
        "state": row.state,
        "people": row.people,
        "units": row.units,
        "granted": row.granted,
        "exercise": incident.exercise,
    }


def _key(row: ShelterRecord) -> str:
    return f"shelter-request:{row.id}:"


def _posts(session: Session, incident_id: UUID) -> list[str]:
    found = session.scalars(
        select(response.Task.to_post).where(
            response.Task.incident_id == incident_id,
            response.Task.stage.in_([Stage.DISPATCH, Stage.SUPERVISE]),
            response.Task.state.in_([TaskState.OPEN, TaskState.ACKNOWLEDGED]),
        )
    )
    return list(dict.fromkeys(found)) or [post for post in authority.top(session) if post]
