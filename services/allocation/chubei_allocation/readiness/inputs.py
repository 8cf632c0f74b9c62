"""What a check is made from, read once and kept with it: the district, and what inventory has and knows."""

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

from chubei_shared.china import day
from chubei_shared.contracts.base import Dto, Utc
from chubei_shared.contracts.care import CareKind, CareRow
from chubei_shared.contracts.declarations import ApartRow
from chubei_shared.contracts.inventory_client import InventoryClient
from chubei_shared.contracts.network import Network
from chubei_shared.contracts.readiness import Ending, Ratio
from chubei_shared.contracts.reserves import ReserveView, Snapshot
from chubei_shared.contracts.stocktakes import AccuracyRow

from chubei_allocation.readiness import dates, standing


class Inputs(Dto):
    """All that a check is reckoned from, beside its settings."""

    on: date
    """The day in China."""
    taken_at: Utc
    network: Network
    snapshot: Snapshot
    endings: list[Ending]
    reserves: list[ReserveView]
    apart: list[ApartRow]
    accuracy: list[AccuracyRow]
    drills: int
    exercises: int


def read(client: InventoryClient, network: Network, exercises: int, now: datetime) -> Inputs:
    """Ask inventory for everything. Not inside a transaction. Raises AppError as the client does."""
    today = day(now)
    year = today + dates.HORIZON
    snapshot = client.snapshot(needed_by=standing.deadline(network, now))
    reserves = list(_pages(client.reserves))
    due = {kind: _due(client, kind, year) for kind in (CareKind.EXPIRY, CareKind.TEST)}
    return Inputs(
        on=today,
        taken_at=snapshot.taken_at,
        network=network,
        snapshot=snapshot,
        endings=dates.endings(snapshot, due[CareKind.EXPIRY], due[CareKind.TEST], reserves),
        reserves=reserves,
        apart=client.supply_apart(),
        accuracy=client.accuracy(),
        drills=sum(_drills(client, row.reserve.id, now) for row in reserves),
        exercises=exercises,
    )


def _due(client: InventoryClient, kind: CareKind, by: date) -> list[CareRow]:
    return list(_pages(lambda cursor, limit: client.care_due(kind, by, cursor, limit)))


def _drills(client: InventoryClient, reserve_id: str, now: datetime) -> int:
    """Timed call-offs within a year."""
    since = now - timedelta(days=365)
    checks = _pages(lambda cursor, limit: client.verifications(reserve_id, cursor, limit))
    return sum(check.kind == "drill" and check.happened_at >= since for check in checks)


def _pages(read_page: Callable[[str | None, int], Any]) -> Iterator[Any]:
    cursor: str | None = None
    while True:
        page = read_page(cursor, 500)
        yield from page.rows
        if (cursor := page.next_cursor) is None:
            return


def stocktake_lines(inputs: Inputs) -> Ratio:
    return Ratio(
        part=sum(row.lines_right for row in inputs.accuracy),
        of=sum(row.lines_counted for row in inputs.accuracy),
    )


def age_of_stocktakes(inputs: Inputs) -> date | None:
    """The oldest of the places' last stocktakes."""
    closed = [row.last_closed_at.astimezone(UTC).date() for row in inputs.accuracy]
    return min(closed, default=None)
