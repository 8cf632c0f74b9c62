"""A command post in the sample district: people with roles, posts that they hold, and small incidents to work on."""

import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import httpx
from chubei_cli.demo import SAMPLE
from chubei_cli.district import load_district
from chubei_cli.seed import seed_district
from chubei_shared.contracts.allocation_client import AllocationClient
from chubei_shared.contracts.call_out import CallRegister, Person
from chubei_shared.contracts.gateway_client import GatewayClient
from chubei_shared.contracts.identity import NewUser
from chubei_shared.contracts.incidents import IncidentDeclaration, IncidentKind, IncidentView
from chubei_shared.contracts.keeper_client import KeeperClient
from chubei_shared.contracts.plans import PlanRequest, PlanStatus, PlanView
from chubei_shared.contracts.shelters import AskForMore, HandOutLine
from chubei_shared.tokens import Role
from rich.console import Console

from tests.browser.store import INVENTED

PLACE = "110102001"
"""A sub-district of the sample, 西长安街街道, with two shelters."""
WATER = "1020101"
SOLVE_S = 3


@dataclass(frozen=True)
class Login:
    name: str
    password: str


class CommandPost:
    """The sample district is seeded when the first one is made. `leader` and `deputy` may approve anything."""

    def __init__(self, admin: GatewayClient, url: str) -> None:
        self._admin, self._url = admin, url
        self._allocation = AllocationClient(admin.http)
        if PLACE not in {row.id for row in self._allocation.network().subdistricts}:
            seed_district(admin.http, load_district(SAMPLE), Console(quiet=True))
        self.commander = self.person(Role.COMMANDER, display_name="刘指挥")
        self.leader = self.person(Role.APPROVER, display_name="周局长")
        self.deputy = self.person(Role.APPROVER, display_name="吴副局长")
        self.appoint("DISTRICT-LEADER", self.leader, self.deputy)
        self.appoint("DUTY", self.commander, None)
        self._register()

    def person(self, *roles: Role, display_name: str) -> Login:
        """Somebody new, who has changed the first password."""
        name, first = f"n-{secrets.token_hex(4)}", secrets.token_urlsafe(12)
        login = Login(name, secrets.token_urlsafe(12))
        self._admin.create_user(
            NewUser(username=name, display_name=display_name, roles=list(roles), password=first)
        )
        with httpx.Client(base_url=self._url, timeout=60, trust_env=False) as http:
            gateway = GatewayClient(http)
            gateway.sign_in(name, first)
            gateway.change_password(first, login.password)
        return login

    def appoint(self, post_id: str, holder: Login, deputy: Login | None) -> None:
        post = self._allocation.post(post_id).post
        change = {"holder": holder.name, "deputy": deputy.name if deputy else None}
        self._allocation.put_post(post.model_copy(update=change), "*")

    def two_approve(self) -> None:
        """From now on every plan takes two approvers, whatever it draws on."""
        told = self._allocation.authority().authority
        tiers = [tier.model_copy(update={"approvers": 2}) for tier in told.tiers]
        self._allocation.put_authority(told.model_copy(update={"tiers": tiers}), "*")

    @contextmanager
    def as_(self, login: Login) -> Iterator[AllocationClient]:
        with self._signed_in(login) as http:
            yield AllocationClient(http)

    @contextmanager
    def _signed_in(self, login: Login) -> Iterator[httpx.Client]:
        with httpx.Client(base_url=self._url, timeout=60, trust_env=False) as http:
            GatewayClient(http).sign_in(login.name, login.password)
            yield http

    def declare(self, name: str = "西城区地震", people: int = 120) -> IncidentView:
        """An exercise that began half an hour ago, in one sub-district."""
        with self.as_(self.commander) as commander:
            return commander.declare(
                IncidentDeclaration(
                    id=uuid4(),
                    kind=IncidentKind.EARTHQUAKE,
                    level=2,
                    name=name,
                    place="西长安街一带",
                    occurred_at=datetime.now(UTC) - timedelta(minutes=30),
                    exercise=True,
                    people_by_subdistrict={PLACE: people},
                )
            )

    def asks_for_more(self, incident_id: UUID) -> None:
        """A shelter wants 20 of an item more than comes."""
        with self._signed_in(self.commander) as http:
            keeper = KeeperClient(http)
            shelter = keeper.headcount_board(incident_id).rows[0].shelter_id
            lines = [HandOutLine(item_code=WATER, units=20)]
            asked = AskForMore(id=uuid4(), occurred_at=datetime.now(UTC), lines=lines, reason="又来了一车人")
            keeper.ask_for_more(incident_id, shelter, asked)

    def plan(self, incident: IncidentView) -> PlanView:
        """A plan of it, proposed."""
        with self.as_(self.commander) as commander:
            asked = commander.request_plan(
                PlanRequest(id=uuid4(), incident_id=incident.id, time_limit_s=SOLVE_S, now_min=30)
            )
            return commander.plan(_solved(commander, asked.id))

    def approve(self, plan: PlanView) -> None:
        """By as many as it takes."""
        for login in (self.leader, self.deputy):
            with self.as_(login) as approver:
                if (
                    approver.approve(plan.id, seen=approver.memo(plan.id).hash).status
                    is not PlanStatus.PROPOSED
                ):
                    return

    def _register(self) -> None:
        """A keeper and a loader at the north store, a driver of its vans."""
        rows = [
            ("K-N", "钱守库", "keeper", None),
            ("L-N", "孙装卸", "loader", None),
            ("D-N", "郑行车", "driver", "VAN-N"),
        ]
        people = [
            Person(
                id=id, name=name, duty=duty, place_id="STORE-N", vehicle_type_id=kind, phone="13800000001",
                arrive_min=25, provenance=INVENTED,
            )
            for id, name, duty, kind in rows
        ]  # fmt: skip
        self._allocation.put_people(CallRegister(people=people))


def _solved(commander: AllocationClient, request_id: UUID) -> UUID:
    while (asked := commander.plan_request(request_id)).status in ("queued", "running"):
        time.sleep(0.5)
    assert asked.plan_id, asked.error
    return asked.plan_id
