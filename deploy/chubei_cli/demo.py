"""`chubei demo`: the first night, played by real users over HTTP on a throw-away system, as an exercise.

The disaster is set some hours back and every act is recorded at the time of the night at which it happens
(exercises may), so that twelve hours pass in a minute or two and no clock has to be bent.
"""

import json
import secrets
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated
from uuid import uuid4

import httpx
import typer
from chubei_shared.contracts import stock
from chubei_shared.contracts.allocation_client import AllocationClient
from chubei_shared.contracts.catalogue import Lot, Season
from chubei_shared.contracts.gateway_client import GatewayClient
from chubei_shared.contracts.identity import NewUser
from chubei_shared.contracts.incidents import IncidentDeclaration, IncidentKind, IncidentView
from chubei_shared.contracts.inventory_client import InventoryClient
from chubei_shared.contracts.plans import PlanRequest, PlanStatus, PlanSummary, PlanView
from chubei_shared.errors import AppError
from chubei_shared.tokens import Role
from rich.console import Console

from . import demo_screen as screen
from .district import District, load_district
from .errors import CommandError
from .night import Night
from .seed import seed_district
from .state import StateFolder
from .up import running

SAMPLE = Path(__file__).parents[1] / "scenarios" / "xicheng"
QUILT = "1010301"
MORE_TIME = (3, 9)
"""Where a busy machine found no plan for everyone: so many times the first limit."""


@dataclass(frozen=True)
class Person:
    """Someone of the exercise, signed in over a connection of their own."""

    http: httpx.Client
    gateway: GatewayClient
    inventory: InventoryClient
    allocation: AllocationClient


def demo(
    out: Annotated[Path, typer.Option(help="结果文件夹 / where the results go")] = Path("demo-out"),
    time_limit: Annotated[int, typer.Option(min=5, max=600, help="求解秒数 / seconds for the solver")] = 20,
    seed: Annotated[int, typer.Option(min=0, help="随机种子 / random seed")] = 0,
) -> None:
    """第一夜:从空目录到群众领到物资(推演)/ the first night, from an empty folder to people served (an exercise)."""
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise CommandError(f"--out {out}: {error.strerror};请换一个文件夹 / choose another folder") from error
    with tempfile.TemporaryDirectory(prefix="chubei-demo-") as folder:
        try:
            everyone_served = _first_night(Path(folder), out, time_limit, seed, Console())
        except AppError as error:
            raise CommandError(str(error)) from error
    raise typer.Exit(0 if everyone_served else 1)


def _first_night(state: Path, out: Path, time_limit_s: int, seed: int, console: Console) -> bool:
    district = load_district(SAMPLE)
    screen.title(console, district.about)
    screen.step(console, "启动整套系统", "start the whole house")
    with running(state, environment={"CHUBEI_EXERCISE_BOOKS": "house"}) as house, ExitStack() as stack:
        url = house.urls["gateway"]
        first = StateFolder(state).first_password.read_text().strip()
        admin = stack.enter_context(_signed_in(url, "admin", first))

        screen.step(console, "录入示例区", "seed the sample district")
        lots = seed_district(admin.http, district, console)
        screen.say(console, f"{lots} 批次入账", f"{lots} lots are in the books")
        people = _people(district)
        crew = {name: stack.enter_context(_hired(admin, url, person)) for name, person in people.items()}
        _appoint(admin, "DISTRICT-LEADER", holder="approver", deputy="approver-2")

        screen.step(console, "保管员入库、盘点", "a clerk receives and counts")
        _receive_and_count(crew["clerk-1"], district.stores[0].id, console)

        screen.step(console, "指挥员宣布地震", "the commander declares an earthquake")
        incident = _declare(crew["commander"], district)
        screen.incident(console, incident)

        screen.step(console, "请求方案", "ask for a plan")
        plan = _ask_for_plan(crew["commander"], incident, time_limit_s, seed, console)
        _write(out / "scenario.json", plan.scenario)
        _write(out / "plan.json", plan.plan)
        screen.plan(console, plan)

        screen.step(
            console,
            "审批人批准:每一行锁定到真实批次",
            "the approver approves: every line is held on real lots",
        )
        approved = _approve([crew["approver"], crew["approver-2"]], plan, console)
        (out / "memo.html").write_text(
            crew["approver"].http.get(f"/v1/plans/{plan.id}/memo/paper").text, encoding="utf-8"
        )
        orders = list(crew["commander"].allocation.orders(incident.id))
        screen.say(
            console,
            f"{approved.approved_by} 批准;{len(orders)} 张调拨通知单",
            f"approved by {approved.approved_by}; {len(orders)} dispatch orders",
        )

        screen.step(console, "装车、出发、到达、签收(快钟)", "load, leave, arrive, receive (on a fast clock)")
        clerks = {store.id: crew[f"clerk-{n}"].allocation for n, store in enumerate(district.stores, start=1)}
        night = Night(incident, orders, crew["commander"].allocation, clerks)
        night.play(console)

        served = crew["commander"].allocation.served(incident.id)
        books = crew["auditor"].inventory.books()
        summary = screen.account(console, plan, served, books, _left(crew["auditor"], district), night)
        _write(out / "summary.json", summary)
        screen.say(
            console,
            f"结果在 {out}/:scenario.json、plan.json、memo.html、summary.json",
            f"results are in {out}/: scenario.json, plan.json, memo.html, summary.json",
        )
    return served.served == incident.people and not books.faults


def _people(district: District) -> dict[str, NewUser]:
    """Who takes part: a clerk for each store, and command staff. Passwords are made up for this night."""

    def user(name: str, display: str, role: Role, *places: str) -> NewUser:
        return NewUser(
            username=name,
            display_name=display,
            roles=[role],
            places=list(places),
            password=secrets.token_urlsafe(12),
        )

    clerks = {
        f"clerk-{n}": user(f"clerk-{n}", f"{store.name_zh}保管员", Role.CLERK, store.id)
        for n, store in enumerate(district.stores, start=1)
    }
    return clerks | {
        "commander": user("commander", "值班指挥", Role.COMMANDER),
        "approver": user("approver", "审批领导", Role.APPROVER),
        "approver-2": user("approver-2", "第二审批领导", Role.APPROVER),
        "auditor": user("auditor", "审计", Role.AUDITOR),
    }


@contextmanager
def _signed_in(url: str, username: str, password: str) -> Iterator[Person]:
    """A person who signed in and, as everyone must, changed the first password."""
    with httpx.Client(base_url=url, timeout=60, trust_env=False) as http:
        gateway = GatewayClient(http)
        gateway.sign_in(username, password)
        gateway.change_password(password, secrets.token_urlsafe(12))
        yield Person(http, gateway, InventoryClient(http), AllocationClient(http))


@contextmanager
def _hired(admin: Person, url: str, user: NewUser) -> Iterator[Person]:
    admin.gateway.create_user(user)
    with _signed_in(url, user.username, user.password) as person:
        yield person


def _appoint(admin: Person, post_id: str, holder: str, deputy: str) -> None:
    """Fill a post of the seeded district: from now on approvals go by tiers."""
    post = admin.allocation.post(post_id).post
    admin.allocation.put_post(post.model_copy(update={"holder": holder, "deputy": deputy}), "*")


def _approve(approvers: Sequence[Person], plan: PlanView, console: Console) -> PlanSummary:
    """As many as the plan's tier asks for, one after the other, each on the memo that is there then."""
    if plan.authority:
        screen.say(console, plan.authority.zh, plan.authority.en)
    for approver in approvers:
        memo = approver.allocation.memo(plan.id)
        approved = approver.allocation.approve(plan.id, seen=memo.hash)
        if approved.status is not PlanStatus.PROPOSED:
            break
    return approved


def _receive_and_count(clerk: Person, store: str, console: Console) -> None:
    """A delivery of quilts comes in; the count of it finds two fewer than the papers say."""
    papers, counted = 200, 198
    yesterday = datetime.now(UTC) - timedelta(hours=20)
    received = clerk.inventory.record(
        stock.Receive(
            kind="receive",
            id=uuid4(),
            occurred_at=yesterday,
            voucher="RK-0001",
            reason="新购入库 / new purchase",
            place_id=store,
            lines=[
                stock.ReceiveLine(
                    item_code=QUILT,
                    quantity=papers,
                    lot=Lot(
                        lot_no="DEMO-QUILT",
                        maker="示例被服厂",
                        expires_on=(yesterday + timedelta(days=2000)).date(),
                    ),
                )
            ],
        )
    )
    lot_id = received.entries[0].lot_id
    clerk.inventory.record(
        stock.Adjust(
            kind="adjust",
            id=uuid4(),
            occurred_at=yesterday + timedelta(hours=1),
            voucher="PD-0001",
            reason="盘点少 2 床 / counted two fewer",
            place_id=store,
            lines=[stock.AdjustLine(lot_id=lot_id, change=counted - papers)],
        )
    )
    row = clerk.inventory.stock(place_id=store, lot_id=lot_id).rows[0]
    screen.say(
        console,
        f"{store}:棉被凭单 {papers},盘点 {counted},账面现为 {row.on_hand}",
        f"{store}: quilts on paper {papers}, counted {counted}, the books now say {row.on_hand}",
    )


def _declare(commander: Person, district: District) -> IncidentView:
    hours = district.about.deadline_min / 60
    return commander.allocation.declare(
        IncidentDeclaration(
            id=uuid4(),
            kind=IncidentKind.EARTHQUAKE,
            level=2,
            name="推演:西城区地震 / exercise: earthquake in Xicheng",
            place=district.about.name_zh,
            occurred_at=(datetime.now(UTC) - timedelta(hours=hours + 1)).replace(second=0, microsecond=0),
            exercise=True,
            season=Season.ANY,  # the sample's stock is tuned to its kits for any season, whatever day it is played
        )
    )


def _ask_for_plan(
    commander: Person, incident: IncidentView, time_limit_s: int, seed: int, console: Console
) -> PlanView:
    """Ask, and follow the solve live; a plan that leaves someone out is asked for again with more time."""
    for limit_s in (time_limit_s, *(time_limit_s * more for more in MORE_TIME)):
        plan = _solve(commander, incident, limit_s, seed, console)
        if plan.supported == plan.people:
            break
        screen.say(
            console,
            f"方案只覆盖 {plan.supported:,} 人",
            f"the plan supports {plan.supported:,} people only",
        )
    return plan


def _solve(
    commander: Person, incident: IncidentView, time_limit_s: int, seed: int, console: Console
) -> PlanView:
    """One plan request, to its end. Raises CommandError when no plan comes of it."""
    request = PlanRequest(
        id=uuid4(), incident_id=incident.id, time_limit_s=time_limit_s, seed=seed, now_min=0
    )
    with screen.SolveBar(console, commander.gateway, request, incident.people) as bar:
        state = commander.allocation.request_plan(request)
        while state.status in ("queued", "running"):
            time.sleep(0.5)
            state = commander.allocation.plan_request(request.id)
        bar.done()
    if state.plan_id is None:
        raise CommandError(f"没有得到方案 / no plan: {state.status} {state.error or ''}")
    return commander.allocation.plan(state.plan_id)


def _left(auditor: Person, district: District) -> dict[str, dict[str, int]]:
    """Units on hand in each store after the night, by item."""
    left: dict[str, dict[str, int]] = {}
    for store in district.stores:
        cursor: str | None = None
        rows = left.setdefault(store.id, {})
        while True:
            page = auditor.inventory.stock(place_id=store.id, cursor=cursor)
            for row in page.rows:
                rows[row.item_code] = rows.get(row.item_code, 0) + row.on_hand
            if (cursor := page.next_cursor) is None:
                break
    return left


def _write(path: Path, content: object) -> None:
    path.write_text(json.dumps(content, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
