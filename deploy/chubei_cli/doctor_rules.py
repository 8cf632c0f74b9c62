"""What the doctor compares between the parts of the house, and what each finding says. Pure."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal, NamedTuple
from uuid import UUID

from chubei_allocation.proof import Claims
from chubei_shared.contracts.proof import Difference
from chubei_shared.proof import Found, Words

CLOCK_S = 5
"""Clocks further apart put events in the wrong order."""
DISK_FREE = 0.05
"""Of a disk: below it PostgreSQL is soon unable to write."""
NIGHT_H = 30
"""Hours after which the nightly proof is missing."""

_COMPARE = (
    "核对该方案、调拨单与预留;不要直接改数据库",
    "compare the plan, its orders and the hold; do not write to the database by hand",
)
WORDS: Mapping[str, Words] = {
    "hold_missing": Words("方案的预留不在库存中", "inventory has no hold of an approved plan", *_COMPARE),
    "hold_over": Words("在途方案的预留已结束", "the hold of a plan that is under way is over", *_COMPARE),
    "hold_orphan": Words("预留没有生效的方案", "an open hold that no plan in force stands behind",
                         "核对后释放该预留", "see what it was for, and release it"),
    "movement_missing": Words("调拨步骤没有对应的库存流水", "a finished step has no movement in inventory", *_COMPARE),
    "order_missing": Words("库存流水的调拨单不存在", "a movement names an order that allocation has not", *_COMPARE),
    "clock": Words("数据库与本机时钟不一致", "the clocks of the database and of this machine differ",
                   "校准时钟(NTP)", "set the clocks (NTP)"),
    "disk": Words("磁盘空间不足", "the disk is nearly full", "清理磁盘或扩容", "make room on the disk"),
    "night": Words("夜间核对没有按时进行", "the nightly proof has not run",
                   "查看 inventory-worker 与 inventory-beat(chubei status)",
                   "see that inventory-worker and inventory-beat run (chubei status)"),
}  # fmt: skip


class HoldState(NamedTuple):
    id: UUID
    purpose: str
    status: str
    """As the clock says: one whose time is over is expired, whoever has noticed."""


def plans_against_holds(claims: Claims, holds: Collection[HoldState]) -> Iterator[Found]:
    """Approved plans under way have their hold. `claims` were read before `holds`."""
    by_id = {hold.id: hold for hold in holds}
    for plan_id, hold_id in sorted(claims.holds.items()):
        key = {"service": "allocation", "table": "plan", "id": str(plan_id), "hold_id": str(hold_id)}
        if hold_id not in by_id:
            yield Found("hold_missing", key, "a hold", "none")
        elif by_id[hold_id].status not in ("open", "issued"):
            yield Found("hold_over", key, "open or issued", by_id[hold_id].status)


def holds_against_plans(holds: Collection[HoldState], claims: Claims) -> Iterator[Found]:
    """Open holds for plans have a plan in force. `holds` were read before `claims`."""
    for hold in sorted(holds):
        if hold.status == "open" and hold.purpose.startswith("plan:") and hold.purpose not in claims.in_force:
            key = {"service": "inventory", "table": "hold", "id": str(hold.id), "purpose": hold.purpose}
            yield Found("hold_orphan", key, "a plan in force", "none")


def steps_against_movements(claims: Claims, movements: Collection[UUID]) -> Iterator[Found]:
    """`claims` were read before `movements`."""
    there = set(movements)
    for table, made in (("order_step", claims.movements), ("shelter_record", claims.of_shelters)):
        for row_id, movement_id in sorted(made.items()):
            if movement_id not in there:
                key = {"service": "allocation", "table": table, "id": str(row_id)}
                yield Found("movement_missing", key, f"movement {movement_id}", "none")


def movements_against_orders(orders: Collection[UUID], claims: Claims) -> Iterator[Found]:
    """`orders`: those that movements name, read before `claims`."""
    for order_id in sorted(set(orders) - claims.orders):
        key = {"service": "inventory", "table": "movement", "order_id": str(order_id)}
        yield Found("order_missing", key, "a dispatch order", "none")


@dataclass
class Part:
    """One part that was examined. `trouble`: why it could not be."""

    name: str
    title: str
    facts: list[str] = field(default_factory=list)
    differences: list[Difference] = field(default_factory=list)
    trouble: str | None = None

    @property
    def state(self) -> Literal["clean", "differences", "unknown"]:
        if self.trouble is not None:
            return "unknown"
        return "differences" if self.differences else "clean"


def exit_code(parts: Collection[Part]) -> int:
    """1 where anything differs, else 2 where something could not be examined, else 0."""
    states = {part.state for part in parts}
    return 1 if "differences" in states else 2 if "unknown" in states else 0
