"""Whether allocation's own records agree with each other, and what they say of inventory's. Nothing is repaired."""

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple
from uuid import UUID

from chubei_shared import audit, proof
from chubei_shared.hash_chain import Anchor
from chubei_shared.proof import COMMON, Found, Words
from sqlalchemy import text
from sqlalchemy.orm import Session

from chubei_allocation.dispatch import steps
from chubei_allocation.shelters import records

SEALED = (audit.SOURCE,)
"""What is sealed here: the decisions."""
_STUCK = "now() - interval '10 minutes'"
_WAIT = (
    "查看调配的后台任务与库存服务(chubei status);恢复后会自动继续",
    "see that allocation's workers and inventory run (chubei status): it goes on by itself when they do",
)
_LOOK = (
    "核对该方案及其调拨单;不要直接改数据库",
    "look at the plan and its orders; do not write to the database by hand",
)
WORDS: Mapping[str, Words] = {
    **COMMON,
    "plan_orders": Words("已批准的方案没有调拨单,或调拨单不属于它", "an approved plan without its orders", *_LOOK),
    "superseded": Words("被取代的方案仍有未结的调拨单,或没有取代它的方案",
                        "a superseded plan with open orders, or without the plan that superseded it", *_LOOK),
    "withdrawn": Words("已取消的调拨单已拣货,或其方案仍生效",
                       "a withdrawn order that was picked, or of a plan that goes on", *_LOOK),
    "order_hold": Words("调拨单的预留与方案的不同", "an order draws on another hold than its plan's", *_LOOK),
    "approval": Words("审批停在半途", "an approval is stuck half way", *_WAIT),
    "step": Words("调拨单步骤或安置点记录停在半途", "a step, or a shelter's record, is stuck half way", *_WAIT),
    "job": Words("方案计算无人在做", "a plan request that no worker has", *_WAIT),
    "notice": Words("通知或任务停在半途", "a notice or the asking for a task is stuck half way", *_WAIT),
    "order_done": Words("调拨单的状态与其步骤不符", "an order is done and its steps are not, or the reverse", *_LOOK),
}  # fmt: skip

_CHECKS = {
    "plan_orders": """
        SELECT 'plan' AS of, p.id, 'orders' AS expected, count(o.id)::text AS found
        FROM plan p LEFT JOIN dispatch_order o ON o.plan_id = p.id AND o.incident_id = p.incident_id
        GROUP BY p.id HAVING p.status <> 'superseded' AND (count(o.id) > 0) <> (p.status = 'approved')
        """,
    "superseded": """
        SELECT 'plan' AS of, p.id, 'one successor, and orders done or withdrawn' AS expected,
               count(DISTINCT s.id) || ', ' || count(DISTINCT o.id) AS found
        FROM plan p LEFT JOIN plan s ON s.replaces = p.id AND s.status IN ('approved', 'superseded')
            LEFT JOIN dispatch_order o ON o.plan_id = p.id AND o.status NOT IN ('done', 'withdrawn')
        WHERE p.status = 'superseded' GROUP BY p.id HAVING count(DISTINCT s.id) <> 1 OR count(DISTINCT o.id) > 0
        """,
    "withdrawn": """
        SELECT 'dispatch_order' AS of, o.id,
               'a superseded plan or an ended incident, and nothing picked' AS expected, p.status AS found
        FROM dispatch_order o JOIN plan p ON p.id = o.plan_id
        WHERE o.status = 'withdrawn' AND (p.status <> 'superseded' AND NOT EXISTS (
            SELECT FROM incident_amendment WHERE incident_id = o.incident_id AND kind = 'ended') OR EXISTS (
            SELECT FROM order_step WHERE order_id = o.id AND state <> 'refused' AND step <> 'arrived'))
        """,
    "order_hold": """
        SELECT 'dispatch_order' AS of, o.id, p.hold_id::text AS expected, o.hold_id::text AS found
        FROM dispatch_order o JOIN plan p ON p.id = o.plan_id WHERE o.hold_id IS DISTINCT FROM p.hold_id
        """,
    "approval": f"""
        SELECT 'plan' AS of, id, 'approved or refused' AS expected, status AS found
        FROM plan WHERE status = 'approving' AND decided_at < {_STUCK}
        """,  # noqa: S608 (this file's own text)
    "step": f"""
        SELECT 'order_step' AS of, id, 'done or refused' AS expected, state AS found
        FROM order_step WHERE state = 'pending' AND recorded_at < {_STUCK}
        UNION ALL
        SELECT 'shelter_record', id, 'done or refused', state
        FROM shelter_record WHERE state = 'pending' AND recorded_at < {_STUCK}
        """,  # noqa: S608 (this file's own text)
    "job": f"""
        SELECT 'plan_request' AS of, id, 'a worker with a lease' AS expected, status AS found FROM plan_request
        WHERE (status = 'queued' AND created_at < {_STUCK}) OR (status = 'running' AND lease_until < {_STUCK})
        """,  # noqa: S608 (this file's own text)
    "notice": f"""
        SELECT 'notice' AS of, id, 'sent on its way' AS expected, 'waiting' AS found
        FROM notice WHERE routed_at IS NULL AND told_at < {_STUCK}
        UNION ALL
        SELECT 'notice_delivery', id, 'tried', status FROM notice_delivery
        WHERE (status = 'queued' AND try_at < {_STUCK}) OR (status = 'running' AND lease_until < {_STUCK})
        UNION ALL
        SELECT 'response_task', id, 'asked above', state FROM response_task
        WHERE state = 'open' AND asked_at + make_interval(mins => ack_within_min) < {_STUCK}
        """,  # noqa: S608 (this file's own text)
    "order_done": """
        SELECT 'dispatch_order' AS of, o.id, CASE WHEN s.received THEN 'done' ELSE 'not done' END AS expected,
               o.status AS found
        FROM dispatch_order o CROSS JOIN LATERAL (
            SELECT EXISTS (SELECT FROM order_step WHERE order_id = o.id AND state = 'done' AND step = 'received'
                           AND stop = jsonb_array_length(o.stops) - 1) AS received) s
        WHERE s.received <> (o.status = 'done')
        """,
}


def differences(session: Session, anchors: Iterable[Anchor] = ()) -> Iterator[Found]:
    """All of them. They see one moment if the caller's transaction does."""
    for name, query in _CHECKS.items():
        for row in session.execute(text(query)):
            yield Found(name, {"table": row.of, "id": str(row.id)}, row.expected, row.found)
    yield from proof.outbox(session)
    yield from proof.migration(session, proof.newest_migration("chubei_allocation"))
    yield from proof.chain(session, SEALED, anchors)


_PLANS = text("""
    SELECT id, hold_id, status,
           EXISTS (SELECT FROM dispatch_order o WHERE o.plan_id = plan.id
                   AND o.status NOT IN ('done', 'withdrawn')) AS under_way,
           EXISTS (SELECT FROM plan r WHERE r.replaces = plan.id AND r.status = 'approving') AS being_replaced
    FROM plan WHERE status IN ('approving', 'approved')
      AND incident_id NOT IN (SELECT incident_id FROM exercise_book)
""")
_MOVED = text("""
    SELECT s.id FROM order_step s JOIN dispatch_order o ON o.id = s.order_id
    WHERE s.state = 'done' AND s.step IN ('loaded', 'received')
      AND o.incident_id NOT IN (SELECT incident_id FROM exercise_book)
""")
_GIVEN = text("""
    SELECT id FROM shelter_record WHERE state = 'done' AND movement IS NOT NULL
      AND incident_id NOT IN (SELECT incident_id FROM exercise_book)
""")
_ORDERS = text(
    "SELECT id FROM dispatch_order WHERE incident_id NOT IN (SELECT incident_id FROM exercise_book)"
)


class Claims(NamedTuple):
    """What allocation says that inventory has. Of exercises with books of their own it has nothing."""

    holds: dict[UUID, UUID]
    """Of approved plans whose orders are not all done: hold by plan. One that is being replaced may have lost it."""
    in_force: set[str]
    """Purposes of holds that a plan stands behind."""
    movements: dict[UUID, UUID]
    """The movement that each finished loading or receipt made: by step."""
    orders: set[UUID]
    of_shelters: dict[UUID, UUID]
    """The movement that each finished handing out or return made: by record."""


def claims(session: Session) -> Claims:
    plans = session.execute(_PLANS).all()
    return Claims(
        holds={
            p.id: p.hold_id for p in plans if p.status == "approved" and p.under_way and not p.being_replaced
        },
        in_force={f"plan:{p.id}" for p in plans},
        movements={step_id: steps.movement_id(step_id) for step_id in session.scalars(_MOVED)},
        orders=set(session.scalars(_ORDERS)),
        of_shelters={record_id: records.movement_id(record_id) for record_id in session.scalars(_GIVEN)},
    )
