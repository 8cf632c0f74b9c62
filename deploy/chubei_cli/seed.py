"""`chubei seed`: tell the running services a district, through their own APIs. Twice is the same as once."""

from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path
from typing import Annotated, TypeVar
from zoneinfo import ZoneInfo

import httpx
import typer
from chubei_shared.contracts.allocation_client import AllocationClient
from chubei_shared.contracts.catalogue_versions import Draft
from chubei_shared.contracts.inventory_client import InventoryClient
from chubei_shared.contracts.stock import Receive
from chubei_shared.errors import NotFound, PreconditionRequired
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from . import seeding, seeding_response
from .account import PasswordOption, UrlOption, UserOption, signed_in
from .district import District, DistrictFaulty, load_district
from .errors import CommandError
from .seed_readiness import read_readiness, seed_readiness

Record = TypeVar("Record")


def seed(
    folder: Annotated[Path, typer.Argument(help="区的表格文件夹 / the district's folder of tables")],
    url: UrlOption = None,
    username: UserOption = "admin",
    password: PasswordOption = None,
) -> None:
    """录入一个区,重复执行结果不变 / load a district into the running system; twice is the same as once."""
    try:
        district = load_district(folder)
    except DistrictFaulty as faulty:
        raise CommandError(
            f"{faulty.faults[0]} (共 {len(faulty.faults)} 处 / {len(faulty.faults)} faults: chubei validate {folder})"
        ) from faulty
    readiness = read_readiness(folder)
    with signed_in(url, username, password) as http:
        new = seed_district(http, district, Console())
        seed_readiness(AllocationClient(http), readiness, folder)
    typer.echo(
        f"{district.about.name_zh} / {district.about.name_en}: 新入账批次 {new} / lots newly booked: {new}"
    )
    typer.echo(f"{district.about.attribution_zh}\n{district.about.attribution_en}")


def seed_district(http: httpx.Client, district: District, console: Console) -> int:
    """Seed over `http`, signed in as an administrator; returns how many lots were not in the books before."""
    inventory, allocation = InventoryClient(http), AllocationClient(http)
    anchor = _anchor(inventory, district)
    steps: list[Callable[[], object]] = [
        lambda: _publish(inventory, seeding.catalogue_draft(district)),
        *(lambda place=place: _put(inventory.put_place, place) for place in seeding.places(district)),
        *(lambda fund=fund: _put(inventory.put_fund, fund) for fund in seeding.funds(district)),
        *(
            lambda record=record: _put(inventory.put_reserve, record)
            for record in seeding.reserve_records(district, anchor)
        ),
        *(
            lambda row=row: _put(inventory.put_declaration, row)
            for row in seeding.declarations(district, anchor)
        ),
        lambda: allocation.put_network(seeding.network_of(district)),
        lambda: appoint(allocation, district),
        lambda: enlist(allocation, district),
    ]
    opening = list(seeding.opening_stock(district, anchor))
    bar = Progress(
        TextColumn("录入 / seeding"),
        BarColumn(),
        MofNCompleteColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    )
    new = 0
    with bar:
        task = bar.add_task("", total=len(steps) + len(opening))
        for step in steps:
            step()
            bar.advance(task)
        for receipt in opening:
            if not _known(inventory, receipt):
                inventory.record(receipt)
                new += 1
            bar.advance(task)
    return new


def _publish(inventory: InventoryClient, draft: Draft) -> None:
    """Bring the district's catalogue into force as one version; where nothing changes there is none."""
    inventory.put_draft(draft)
    inventory.publish_draft(draft.id, "*")


def _put(put: Callable[[Record, str | None], object], record: Record) -> None:
    """Register a record, or let the table's words replace what is there: whoever seeds means the table."""
    try:
        put(record, None)
    except PreconditionRequired:
        put(record, "*")


def appoint(allocation: AllocationClient, district: District) -> None:
    """Put the posts, the authority and the response plan where there are none.

    Whom people appointed since, and what they changed, stays.
    """
    known = {view.post.id for view in allocation.posts()}
    for post in seeding_response.posts(district):
        if post.id not in known:
            allocation.put_post(post)
    if authority := seeding_response.authority(district):
        try:
            allocation.authority()
        except NotFound:
            allocation.put_authority(authority)
    if plan := seeding_response.response_plan(district):
        try:
            allocation.response_plan()
        except NotFound:
            allocation.put_response_plan(plan)


def enlist(allocation: AllocationClient, district: District) -> None:
    """Put the people to call where the register has nobody: what people changed since stays."""
    if (register := seeding_response.people(district)) and not any(allocation.people()):
        allocation.put_people(register)


def _anchor(inventory: InventoryClient, district: District) -> date:
    """The day that the tables' days count from: that of the first seeding, so that a later one changes nothing."""
    today = datetime.now(ZoneInfo(district.about.timezone)).date()
    first = next(seeding.opening_stock(district, today), None)
    if first is None:
        return today
    try:
        booked = inventory.movement(first.id)
    except NotFound:
        return today
    local = booked.occurred_at.astimezone(ZoneInfo(district.about.timezone))
    return seeding.anchor_of(local.date())


def _known(inventory: InventoryClient, receipt: Receive) -> bool:
    """Whether the lot is in the books. Raises CommandError where the table has another quantity since."""
    try:
        booked = inventory.movement(receipt.id)
    except NotFound:
        return False
    line = receipt.lines[0]
    quantity = sum(e.quantity for e in booked.entries if e.place_id == receipt.place_id)
    if quantity != line.quantity:
        raise CommandError(
            f"{receipt.place_id} {line.item_code} {line.lot.lot_no}: 账上期初 {quantity},表中 {line.quantity};"
            f"已入账的不改,请用盘点调整 / booked as {quantity}, the table says {line.quantity}: "
            "what is booked stays, record an adjustment instead"
        )
    return True
