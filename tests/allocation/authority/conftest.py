"""A bureau with tiers: who holds which, and how plans need them."""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from chubei_allocation import scenarios
from chubei_shared.contracts.authority import Authority
from chubei_shared.contracts.oral_orders import OralOrder
from chubei_shared.contracts.posts import Post
from chubei_shared.errors import NotFound
from chubei_shared.tokens import Role
from sqlalchemy import text

INVENTED = {"certainty": "invented", "source": "test"}
ALL = ["physical", "contract", "capacity", "fund"]


def tier(id_: str, **more) -> dict:
    return {"id": id_, "name_zh": f"{id_}级", "name_en": f"the {id_}", "modes": ["physical"]} | more


_kept: list[tuple[str, str, str]] = []
"""The world's number, the request and the plan, as JSON: a plan of the real planner, put again in later worlds."""


class Bureau:
    """duty (wang) ≤ 100 people; head (sun, deputy qian) any stock and contracts; district (zhou, wu): two approve."""

    def __init__(self, world) -> None:
        self.world, self.house = world, world.house
        self.admin = self.house.as_(Role.ADMIN)

    def furnish(self) -> None:
        self.post("DUTY", "duty", holder="wang")
        self.post("HEAD", "head", holder="sun", deputy="qian")
        self.post("MAYOR", "district", holder="zhou")
        self.post("VICE", "district", holder="wu")

    def post(self, id_: str, tier_: str | None, **more) -> None:
        body = {
            "id": id_,
            "name_zh": f"岗位{id_}",
            "name_en": f"post {id_}",
            "tier": tier_,
            "provenance": INVENTED,
        }
        known = any(view.post.id == id_ for view in self.admin.posts())
        self.admin.put_post(Post.model_validate(body | more), "*" if known else None)

    def document(self, head_modes: list[str] | None = None, max_people: int = 100) -> Authority:
        tiers = [
            tier("duty", max_people=max_people),
            tier("head", cross_store=True, modes=head_modes or ["physical", "contract"]),
            tier("district", cross_store=True, modes=ALL, requisition=True, approvers=2),
        ]
        return Authority.model_validate({"tiers": tiers, "provenance": INVENTED})

    def put(self, **more) -> None:
        known = any(True for _ in self._versions())
        self.admin.put_authority(self.document(**more), "*" if known else None)

    def _versions(self) -> Iterator[int]:
        try:
            yield self.admin.authority().version
        except NotFound:
            return

    def by(self, name: str, *roles: Role):
        return self.house.as_(*(roles or (Role.APPROVER,)), name=name)

    def proposed(self, incident=None):
        """A plan for a stock as it is at first: solved once, then put again, for solving takes its time."""
        incident = incident or self.world.declare()
        number = self.world.north.partition("-")[2]
        if not _kept:
            plan = self.world.proposed(incident)
            _kept.append((number, *self.house.tx(self._rows, plan)))
            return plan
        old, request, plan = _kept[0]
        names = re.compile(rf"(NORTH|SOUTH|SUP|P[123])-{old}(?!\d)")
        rows = [json.loads(names.sub(rf"\g<1>-{number}", row)) for row in (request, plan)]
        return self.world.commander.plan(self.house.tx(self._put_again, incident, *rows))

    def _rows(self, session, plan) -> tuple[str, str]:
        ask = "SELECT to_jsonb(r)::text FROM plan_request r WHERE id = :id"
        tell = "SELECT to_jsonb(p)::text FROM plan p WHERE id = :id"
        return (
            session.scalar(text(ask), {"id": plan.request_id}),
            session.scalar(text(tell), {"id": plan.id}),
        )

    def _put_again(self, session, incident, request, plan):
        request["scenario"] |= {"incident": str(incident.id), "occurred_at": incident.occurred_at.isoformat()}
        for row in (request, plan):
            now = {
                "created_at": datetime.now(UTC).isoformat(),
                "incident_id": str(incident.id),
                "id": str(uuid4()),
            }
            row.update(now)
        request["body"] |= {"id": request["id"], "incident_id": str(incident.id)}
        plan |= {"request_id": request["id"], "snapshot_hash": scenarios.digest(request["scenario"])}
        for table, row in (("plan_request", request), ("plan", plan)):
            put = (
                f"INSERT INTO {table} SELECT * FROM jsonb_populate_record(NULL::{table}, CAST(:row AS jsonb))"  # noqa: S608
            )
            session.execute(text(put), {"row": json.dumps(row)})
        return plan["id"]

    def district_plan(self):
        """One that draws on a contract that the head may not: two of the district have to approve."""
        self.put(head_modes=["physical"])
        return self.proposed()

    def oral(self, given_by: str = "sun", **more) -> OralOrder:
        body = {
            "id": str(uuid4()),
            "given_by": given_by,
            "how": "phone",
            "given_at": (datetime.now(UTC) - timedelta(minutes=3)).isoformat(),
            "witness": "值班员李四",
        }
        return OralOrder.model_validate(body | more)

    @contextmanager
    def inventory_away(self):
        self.house.app.state.inventory = self.house.lost_gate
        try:
            yield
        finally:
            self.house.app.state.inventory = self.house.gate


@pytest.fixture
def bureau(stocked) -> Bureau:
    made = Bureau(stocked)
    made.furnish()
    made.put()
    return made


@pytest.fixture
def empty_bureau(stocked) -> Bureau:
    """Without posts or a document."""
    return Bureau(stocked)
