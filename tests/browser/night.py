"""A night in the sample district for command's pages: an approved plan, the first hours of it carried out."""

import secrets
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import groupby
from uuid import UUID, uuid4

import httpx
from chubei_cli.demo import SAMPLE
from chubei_cli.district import load_district
from chubei_cli.night import Act, acts
from chubei_cli.seed import seed_district
from chubei_shared.contracts.allocation_client import AllocationClient
from chubei_shared.contracts.catalogue import Season
from chubei_shared.contracts.deviations import DeviationReport, WayClosed
from chubei_shared.contracts.gateway_client import GatewayClient
from chubei_shared.contracts.identity import NewUser
from chubei_shared.contracts.incidents import IncidentDeclaration, IncidentKind, IncidentView
from chubei_shared.contracts.orders import OrderView, Step, StepKind
from chubei_shared.contracts.plans import PlanRequest, PlanStatus, PlanView
from chubei_shared.tokens import Role
from rich.console import Console

HOURS_AGO = 4
LEADER = "DISTRICT-LEADER"


@dataclass
class Night:
    """An exercise (or no exercise) that began HOURS_AGO, its plan approved, told up to a minute of it."""

    url: str
    admin: GatewayClient
    solve_s: int = 8
    people: dict[str, int] | None = None
    """By sub-district; none: the share of the whole district that its duty names."""
    exercise: bool = True
    password: str = field(default_factory=lambda: secrets.token_urlsafe(12))
    incident: IncidentView = field(init=False)
    plan: PlanView = field(init=False)
    orders: list[OrderView] = field(init=False)

    def __post_init__(self) -> None:
        if not AllocationClient(self.admin.http).network().subdistricts:
            seed_district(self.admin.http, load_district(SAMPLE), Console(quiet=True))
        with self.as_(Role.COMMANDER) as commander:
            self.incident = commander.declare(
                IncidentDeclaration(
                    id=uuid4(),
                    kind=IncidentKind.EARTHQUAKE,
                    level=2,
                    name="西城区地震(推演)",
                    occurred_at=datetime.now(UTC) - timedelta(hours=HOURS_AGO),
                    exercise=self.exercise,
                    people_by_subdistrict=self.people,
                    season=Season.ANY,
                )
            )
            asked = PlanRequest(
                id=uuid4(),
                incident_id=self.incident.id,
                time_limit_s=self.solve_s,
                now_min=0 if self.exercise else None,
            )
            commander.request_plan(asked)
            self.plan = commander.plan(_solved(commander, asked.id))
            self._approve()
            self.orders = list(commander.orders(self.incident.id))

    def _approve(self) -> None:
        """By those who may decide everything, for that long; whoever else holds the post has it again afterwards."""
        allocation = AllocationClient(self.admin.http)
        names = [self.someone(Role.APPROVER, display_name=name) for name in ("审批领导", "第二审批领导")]
        before = allocation.post(LEADER).post
        holding = {"holder": names[0], "deputy": names[1]}
        allocation.put_post(before.model_copy(update=holding), "*")
        for name in names:
            with self._signed_in(name) as approver:
                memo = approver.memo(self.plan.id)
                if approver.approve(self.plan.id, seen=memo.hash).status is not PlanStatus.PROPOSED:
                    break
        allocation.put_post(before, "*")

    def someone(self, *roles: Role, display_name: str = "值班指挥", places: Sequence[str] = ()) -> str:
        """A new person, whose password is `password`; the username."""
        name, first = f"n-{secrets.token_hex(4)}", secrets.token_urlsafe(12)
        self.admin.create_user(
            NewUser(
                username=name,
                display_name=display_name,
                roles=list(roles),
                places=list(places),
                password=first,
            )
        )
        with httpx.Client(base_url=self.url, timeout=60, trust_env=False) as http:
            gateway = GatewayClient(http)
            gateway.sign_in(name, first)
            gateway.change_password(first, self.password)
        return name

    @contextmanager
    def as_(self, role: Role, *places: str) -> Iterator[AllocationClient]:
        with self._signed_in(self.someone(role, places=places)) as client:
            yield client

    @contextmanager
    def _signed_in(self, name: str) -> Iterator[AllocationClient]:
        with httpx.Client(base_url=self.url, timeout=60, trust_env=False) as http:
            GatewayClient(http).sign_in(name, self.password)
            yield AllocationClient(http)

    def play(self, until_min: int, since_min: int = -1) -> None:
        """Report what the plan has after a minute and up to another."""
        due = [act for act in acts(self.orders) if since_min < act.minute <= until_min]
        by_order = [list(group) for _, group in groupby(due, key=lambda act: act.order)]
        stores = {act.stop.place_id for act in due if act.stop.kind == "warehouse"}
        with (
            self.as_(Role.COMMANDER) as commander,
            self.as_(Role.CLERK, *sorted(stores)) as clerk,
            ThreadPoolExecutor(4) as reporters,
        ):

            def report(turn: list[Act]) -> None:
                for act in turn:
                    by = clerk if act.stop.place_id in stores else commander
                    by.step(self.orders[act.order].id, self._step(act))

            list(reporters.map(report, by_order))

    def close_way(self, a: str, b: str) -> None:
        with self.as_(Role.COMMANDER) as commander:
            commander.report_deviation(
                self.incident.id,
                DeviationReport(
                    id=uuid4(),
                    what=WayClosed(kind="way_closed", from_id=a, to_id=b),
                    occurred_at=self.incident.occurred_at + timedelta(minutes=60),
                    note="路面塌陷",
                ),
            )

    def _step(self, act: Act) -> Step:
        return Step(
            id=uuid4(),
            stop=act.stop.stop,
            step=act.kind,
            occurred_at=self.incident.occurred_at + timedelta(minutes=act.minute),
            signed_by="王主任" if act.kind is StepKind.RECEIVED else "",
        )


def _solved(commander: AllocationClient, request_id: UUID) -> UUID:
    """The plan that a request came to."""
    while (asked := commander.plan_request(request_id)).status in ("queued", "running"):
        time.sleep(0.5)
    assert asked.plan_id, asked.error
    return asked.plan_id
