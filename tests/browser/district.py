"""The sample district for pages that show it: seeded, checked, an incident with suppliers asked and shelters open."""

import json
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import cached_property
from uuid import UUID, uuid4

import httpx
from chubei_cli.demo import SAMPLE
from chubei_cli.district import load_district
from chubei_cli.seed import seed_district
from chubei_cli.seed_readiness import read_readiness
from chubei_shared.contracts.allocation_client import AllocationClient
from chubei_shared.contracts.confirmations import AskConfirmations, ConfirmationView
from chubei_shared.contracts.gateway_client import GatewayClient
from chubei_shared.contracts.identity import NewUser
from chubei_shared.contracts.incidents import IncidentDeclaration, IncidentKind, IncidentView
from chubei_shared.contracts.links import LinkMade, LinkPurpose, NewLink
from chubei_shared.contracts.orders import OrderView, Step, StepKind
from chubei_shared.contracts.plans import PlanRequest, PlanStatus, PlanView
from chubei_shared.contracts.readiness import Current, Readiness
from chubei_shared.contracts.readiness_settings import ReadinessSettings
from chubei_shared.tokens import Role
from rich.console import Console

OPEN_S = 600
"""What a busy machine may take for a check or a plan; it ends as soon as it is there."""


def seed(admin: GatewayClient) -> None:
    """Tell the house the sample district; again does no harm."""
    seed_district(admin.http, load_district(SAMPLE), Console(quiet=True))


def check(admin: GatewayClient) -> Readiness:
    """A real check that a test has time for: one standing scenario, few losses, two draws."""
    allocation = AllocationClient(admin.http)
    told = allocation.readiness_settings().settings.model_dump(mode="json") | read_readiness(SAMPLE)
    suppliers = {"id": "food", "name_zh": "两家食品供应商", "name_en": "both food wholesalers",
                 "places": ["SUP-FOOD-N", "SUP-FOOD-S"]}  # fmt: skip
    told |= {
        "standing": [row for row in told["standing"] if row["id"] == "night-winter"],
        "supplier_groups": [suppliers],
        "roads": [],
        "joint": [row for row in told["joint"] if not row["loss"].get("roads")],
        "effort": told["effort"] | {"base": 400, "loss": 40, "draw": 20, "draws": 2},
    }
    allocation.put_readiness_settings(ReadinessSettings.model_validate_json(json.dumps(told)), "*")
    admin.http.post("/v1/readiness:run", json={"id": str(uuid4())}).raise_for_status()
    until = time.monotonic() + OPEN_S
    while (now := _current(admin.http)).under_way is not None:
        assert time.monotonic() < until, now.under_way
        time.sleep(1)
    assert now.latest is not None, "the check did not come to its end"
    return now.latest


def _current(http: httpx.Client) -> Current:
    return Current.model_validate_json(http.get("/v1/readiness").raise_for_status().content, strict=False)


TENTS = {"1010101", "1010102"}
"""What people give back after use."""


class Night:
    """An exercise in the district, as command sees it: everybody asked, everything open."""

    def __init__(self, admin: GatewayClient, url: str) -> None:
        self._admin, self._url = admin, url
        with self.command() as (gateway, allocation):
            self.incident: IncidentView = allocation.declare(
                IncidentDeclaration(
                    id=uuid4(),
                    kind=IncidentKind.EARTHQUAKE,
                    level=2,
                    name="西城区地震(推演)",
                    occurred_at=datetime.now(UTC) - timedelta(minutes=20),
                    exercise=True,
                )
            )
            asked = allocation.ask_confirmations(self.incident.id, AskConfirmations(id=uuid4()))
            self.asked: ConfirmationView = min(
                (row for row in asked.rows if len(row.items) > 1), key=lambda row: len(row.items)
            )
            self.shelter_id: str = allocation.headcount_board(self.incident.id).rows[0].shelter_id
            self.supplier = _link(gateway, LinkPurpose.CONFIRMATION, [str(self.asked.id)], "供应商王经理")
            self.keeper = _link(
                gateway, LinkPurpose.HEADCOUNT, [str(self.incident.id), self.shelter_id], "安置点赵老师"
            )

    @contextmanager
    def command(
        self, role: Role = Role.COMMANDER, *places: str
    ) -> Iterator[tuple[GatewayClient, AllocationClient]]:
        """Someone of command staff, who approves, or a clerk of these places."""
        name, first, password = f"n-{secrets.token_hex(4)}", *(secrets.token_urlsafe(12) for _ in range(2))
        person = NewUser(
            username=name, display_name="李指挥", roles=[role], places=list(places), password=first
        )
        self._admin.create_user(person)
        with httpx.Client(base_url=self._url, timeout=60, trust_env=False) as http:
            gateway = GatewayClient(http)
            gateway.sign_in(name, first)
            gateway.change_password(first, password)
            yield gateway, AllocationClient(http)

    def planned(self) -> PlanView:
        """A plan of what can be had now."""
        with self.command() as (_, allocation):
            asked = PlanRequest(id=uuid4(), incident_id=self.incident.id, time_limit_s=2)
            return allocation.plan(_solved(allocation, allocation.request_plan(asked).id))

    @cached_property
    def order(self) -> tuple[OrderView, LinkMade, LinkMade]:
        return self._dispatched()

    def _approve(self, plan: PlanView) -> None:
        """By two who may decide everything, as other tests of this house may have filled posts."""
        with (
            self.command(Role.APPROVER) as (one, first),
            self.command(Role.APPROVER) as (other, second),
        ):
            allocation = AllocationClient(self._admin.http)
            before = allocation.post("DISTRICT-LEADER").post
            holding = {"holder": one.me().username, "deputy": other.me().username}
            allocation.put_post(before.model_copy(update=holding), "*")
            for approver in (first, second):
                seen = approver.memo(plan.id).hash
                if approver.approve(plan.id, seen=seen).status is not PlanStatus.PROPOSED:
                    break
            allocation.put_post(before, "*")

    def _dispatched(self) -> tuple[OrderView, LinkMade, LinkMade]:
        """An order of an approved plan, loaded at its store, with the links of its driver and of its first receiver."""
        plan = self.planned()
        self._approve(plan)
        with self.command() as (gateway, allocation):
            with_tents = [
                one
                for one in allocation.orders(self.incident.id)
                if one.stops[0].kind == "warehouse" and TENTS & one.stops[1].deliver.keys()
            ]
            # Some of each for who receives to lose, to hand out and to send back.
            order = max(with_tents, key=lambda one: min(one.stops[1].deliver.values()))
            driver = _link(gateway, LinkPurpose.ORDER, [str(order.id)], "司机王师傅")
            where = [str(self.incident.id), order.stops[1].place_id]
            keeper = _link(gateway, LinkPurpose.HEADCOUNT, where, "安置点孙老师")
        with self.command(Role.CLERK, order.stops[0].place_id) as (_, clerk):
            for kind in (StepKind.PICKED, StepKind.LOADED):
                step = Step(id=uuid4(), stop=0, step=kind, occurred_at=datetime.now(UTC))
                order = clerk.step(order.id, step)
        return order, driver, keeper


def _link(gateway: GatewayClient, purpose: LinkPurpose, subject: list[str], holder: str) -> LinkMade:
    expires_at = datetime.now(UTC) + timedelta(days=1)
    return gateway.make_link(
        NewLink(id=uuid4(), purpose=purpose, subject=subject, holder_name=holder, expires_at=expires_at)
    )


def _solved(allocation: AllocationClient, request_id: UUID) -> UUID:
    until = time.monotonic() + OPEN_S
    while (state := allocation.plan_request(request_id)).plan_id is None:
        assert state.status in ("queued", "running"), state.error
        assert time.monotonic() < until, state
        time.sleep(0.5)
    return state.plan_id
