"""After a large change of what can be had, a check between the nights: once it has come to rest.

Looked at every ten minutes. A change is large when the firm units of an item that some kit needs differ from the last
check's by more than the set share; it has come to rest when two looks in a row find the same.
"""

from collections import defaultdict
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from chubei_shared.contracts.base import Mode
from chubei_shared.contracts.reserves import Snapshot
from chubei_shared.db import Transactions
from sqlalchemy import select
from sqlalchemy.orm import Session, undefer

from chubei_allocation.inventory_gate import InventoryGate
from chubei_allocation.network import network
from chubei_allocation.readiness import runs, settings, standing
from chubei_allocation.readiness.tables import Run

Sums = dict[str, int]
"""Firm units by item and mode, `code/mode`."""


def look(tx: Transactions, gate: InventoryGate, before: Sums | None) -> Sums | None:
    """What there is now (None: there was no check yet to compare with). `before` is what the last look found.

    Raises AppError while inventory is away.
    """
    found = tx(_last)
    if found is None:
        return None
    checked, share, deadline = found
    with gate.client("readiness") as client:
        now = sums(
            client.snapshot(needed_by=deadline)
        )  # as a check asks, or what expires today would always differ
    if now == before and is_large(checked, now, share):
        tx(runs.ask_after_change, datetime.now(UTC))
    return now


def sums(snapshot: Snapshot) -> Sums:
    needed = {need.item_code for kit in snapshot.kits for need in kit.needs}
    units: dict[str, int] = defaultdict(int)
    for row in (row for row in snapshot.supply if row.item_code in needed):
        units[f"{row.item_code}/{Mode(row.mode).value}"] += row.quantity
    return dict(units)


def is_large(checked: Mapping[str, int], now: Mapping[str, int], share: float) -> bool:
    """Whether any item of any mode differs by more than a share of what it was."""
    return any(
        abs(now.get(key, 0) - checked.get(key, 0)) > share * checked.get(key, 0) for key in {*checked, *now}
    )


def _last(session: Session) -> tuple[Sums, float, datetime] | None:
    """What the last check found, the set share, and until when goods have to last."""
    run = session.scalar(
        select(Run)
        .where(Run.inputs.is_not(None), Run.created_at > datetime.now(UTC) - timedelta(days=7))
        .order_by(Run.created_at.desc())
        .limit(1)
        .options(undefer(Run.inputs))
    )
    if run is None or run.inputs is None:
        return None
    share = settings.show(session).settings.targets.changed_share
    deadline = standing.deadline(network.read_network(session), datetime.now(UTC))
    return sums(Snapshot.model_validate(run.inputs["snapshot"])), share, deadline
