"""The account of an incident, put together from what is on record. It may be asked at any time; nothing is stored."""

from datetime import UTC, datetime
from uuid import UUID

from chubei_shared.contracts.aftermath import Aftermath, Compensation
from chubei_shared.contracts.amendments import IncidentStatus
from chubei_shared.db import Transactions
from chubei_shared.tokens import Caller
from sqlalchemy.orm import Session

from chubei_allocation import tables
from chubei_allocation.aftermath import account, dues, timeline
from chubei_allocation.aftermath.dues import Books
from chubei_allocation.dispatch import served
from chubei_allocation.incidents import incidents
from chubei_allocation.inventory_gate import InventoryGate

_AWAY = "库存服务不可用,归还和补偿未知 / inventory was away: returns and compensation are not known"
_OWN_CLOCK = (
    "演练有自己的时钟:车次按所报时间,指挥各环节按登记时间;归还和补偿不实际发生 / an exercise has a clock of its own: "
    "trips by the times told, the command by when it was recorded; nothing is really owed"
)


def show(tx: Transactions, inventory: InventoryGate, incident_id: UUID, caller: Caller) -> Aftermath:
    """Raises NotFound."""
    holds = tx(dues.holds_of, incident_id)
    return tx(_made, incident_id, dues.read(tx, inventory, incident_id, caller.person, holds))


def _made(session: Session, incident_id: UUID, books: Books | None) -> Aftermath:
    row = incidents.get(session, incident_id)
    incident = incidents.view(session, row)
    found, named = account.trips(session, row), account.names(session, row)
    gone = served.show(session, incident_id)
    lent = dues.loans(books, found, row.occurred_at) if books else None
    owed = dues.compensation(books, named) if books else None
    return Aftermath(
        incident_id=incident_id,
        name=incident.name,
        exercise=incident.exercise,
        ended=incident.status is IncidentStatus.ENDED,
        occurred_at=incident.occurred_at,
        declared_at=incident.declared_at,
        deadline_min=row.deadline_min,
        made_at=datetime.now(UTC),
        people=incident.people,
        planned=gone.planned,
        served=gone.served,
        planned_by_hour=gone.planned_by_hour,
        served_by_hour=gone.served_by_hour,
        events=timeline.events(session, row, named),
        items=account.items(found, named),
        stores=account.stores(found),
        trips=account.trip_accounts(found),
        phases=account.phases(session, row, found),
        replenish=account.replenish(found, named),
        returns=dues.returns(books, lent, found) if books and lent is not None else None,
        loans=lent,
        compensation=owed,
        compensation_fen=sum(one.amount_fen or 0 for one in owed) if owed is not None else None,
        notes=_notes(row, incident.status, account.unfinished(found), books, owed),
    )


def _notes(
    row: tables.Incident,
    status: IncidentStatus,
    unfinished: int,
    books: Books | None,
    owed: list[Compensation] | None,
) -> list[str]:
    told = []
    if status is not IncidentStatus.ENDED:
        told.append("事件尚未结束,数字还会变 / the incident has not ended: the figures may still change")
    if unfinished:
        told.append(f"{unfinished} 单尚未报完 / {unfinished} orders are not reported to their end")
    if row.exercise:
        told.append(_OWN_CLOCK)
    if books is None:
        told.append(_AWAY)
    if unpriced := sum(one.amount_fen is None for one in owed or []):
        told.append(
            f"{unpriced} 项补偿无价,未计入合计 / {unpriced} rows have no price and are not in the sum"
        )
    return told
