"""The plan, the packs of all trucks, pick lists, contacts and codes as files, so that work goes on without servers.

A snapshot is a folder of pages that a browser opens from the disk, written under another name and then renamed, so
that it is there whole or not at all; `latest` is a link to the newest, put in its place in one step.
"""

import json
import re
import shutil
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import UUID

from chubei_shared.china import local
from chubei_shared.contracts.amendments import IncidentStatus
from chubei_shared.contracts.plans import PlanStatus
from chubei_shared.db import Transactions
from chubei_shared.tokens import Caller, Role
from sqlalchemy import func, select
from sqlalchemy.orm import Session
from starlette.responses import HTMLResponse

from chubei_allocation import tables
from chubei_allocation.dispatch import proofs
from chubei_allocation.incidents import incidents
from chubei_allocation.inventory_gate import InventoryGate
from chubei_allocation.papers import packs
from chubei_allocation.papers.pages import page
from chubei_allocation.posts.tables import Post
from chubei_allocation.progress import progress

EVERY = timedelta(hours=1)
LATEST = "latest"
_ABOUT = "about.json"
_DRAFT = ".writing-"
_NAME = "%Y%m%dT%H%M%SZ"
_IS_ONE = re.compile(r"^\d{8}T\d{6}Z$")
_COMMAND = Caller("allocation", frozenset({Role.COMMANDER}))
"""The folder is the command's: its pages say what command may see."""


@dataclass(frozen=True)
class Keeping:
    """Where snapshots go, and how many are kept."""

    folder: Path
    kept: int


def keep(tx: Transactions, inventory: InventoryGate, keeping: Keeping, now: datetime) -> Path | None:
    """Write one when the newest is an hour old, or the plans in force or their orders are others since; which."""
    keeping.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    stands = tx(_stands)
    last = _newest(keeping.folder)
    if last and _about(last).get("stands") == stands and now - EVERY < _written(last) <= now:
        return None
    return write(tx, inventory, keeping, now, stands)


def write(
    tx: Transactions, inventory: InventoryGate, keeping: Keeping, now: datetime, stands: str = ""
) -> Path | None:
    """A snapshot of this moment; None where another worker has written it."""
    draft = Path(tempfile.mkdtemp(prefix=_DRAFT, dir=keeping.folder))  # for us alone: 0700
    try:
        rows = [_of_incident(tx, inventory, draft, one) for one in tx(_going_on)]
        _put(draft, "index.html", page("index.html", "form.css", rows=rows, printed=local(now)))
        (draft / _ABOUT).write_text(json.dumps({"at": now.isoformat(), "stands": stands}))
        final = keeping.folder / now.astimezone(UTC).strftime(_NAME)
        try:
            draft.rename(final)
        except OSError:
            if final.is_dir():
                return None
            raise
        _point(keeping.folder, final)
        _forget(keeping)
        return final
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def _of_incident(
    tx: Transactions, inventory: InventoryGate, draft: Path, incident_id: UUID
) -> dict[str, Any]:
    told = tx(packs.gather, incident_id, _COMMAND)
    shelves = packs.shelves_of(tx, inventory, told)
    trucks, whole = packs.trucks_of(told, shelves), shelves is not None
    seen = tx(progress.show, incident_id, 60)
    folder = draft / str(incident_id)
    folder.mkdir()
    heading = packs.heading(told)
    pages: list[tuple[str, str]] = []

    def put(name: str, what: str, made: HTMLResponse) -> None:
        _put(folder, name, made)
        pages.append((f"{incident_id}/{name}", what))

    put(
        "plan.html", "方案与车次 the plan",
        page("plan.html", "form.css", trucks=trucks, plan_id=str(seen.plan_id), points=seen.points,
             zh=seen.zh, en=seen.en, **heading),
    )  # fmt: skip
    codes = tx(_codes, incident_id)
    people = [*tx(_posts), *told.contacts]
    put("contacts.html", "联系人与码 contacts and codes",
        page("contacts.html", "form.css", people=people, codes=codes, **heading))  # fmt: skip
    places = {
        stop.place_id
        for truck in trucks
        for one in truck.trips
        for stop in one.picks.stops
        if not stop.loaded
    }
    for place in sorted(places):
        put(f"picks-{place}.html", f"拣货单 pick lists {place}", packs.picks_at(told, trucks, place, whole))
    for truck in trucks:
        name = f"pack-{truck.vehicle.replace('#', '-')}.html"
        put(name, f"随车文件 {truck.vehicle}", packs.pack(told, [truck], whole))
    return {
        "name": told.incident.name, "exercise": told.incident.exercise, "deadline": heading["deadline"],
        "whole": whole, "pages": pages,
    }  # fmt: skip


def _put(folder: Path, name: str, made: HTMLResponse) -> None:
    (folder / name).write_bytes(bytes(made.body))


def _going_on(session: Session) -> list[UUID]:
    """Incidents with a plan in force that are not ended."""
    found = session.scalars(
        select(tables.Incident)
        .join(tables.Plan, tables.Plan.incident_id == tables.Incident.id)
        .where(tables.Plan.status == PlanStatus.APPROVED)
        .order_by(tables.Incident.declared_at.desc(), tables.Incident.id)
    ).unique()
    return [
        one.id for one in found if incidents.standing_now(session, one).status is not IncidentStatus.ENDED
    ]


def _stands(session: Session) -> str:
    """What changes when the papers have to: plans in force, their orders and revisions."""
    plan, order = tables.Plan, tables.DispatchOrder
    ids = session.scalars(select(plan.id).where(plan.status == PlanStatus.APPROVED).order_by(plan.id)).all()
    count = session.execute(select(func.count(), func.coalesce(func.sum(order.revision), 0))).one()
    return sha256(f"{ids}{tuple(count)}".encode()).hexdigest()


def _codes(session: Session, incident_id: UUID) -> list[dict[str, Any]]:
    found = session.scalars(
        select(tables.DispatchOrder)
        .where(
            tables.DispatchOrder.incident_id == incident_id,
            tables.DispatchOrder.status.in_(["planned", "under_way"]),
        )
        .order_by(tables.DispatchOrder.number)
    )
    rows = []
    for order in found:
        told = proofs.codes(session, order.id, _COMMAND)
        for what, codes in (("司机交接 take-over", told.take_over), ("接收 receipt", told.receive)):
            rows += [
                {"number": order.number, "vehicle": order.vehicle, "stop": one.stop + 1,
                 "place": one.place_id, "what": what, "code": one.code}
                for one in codes
            ]  # fmt: skip
    return rows


def _posts(session: Session) -> list[packs.Contact]:
    return [
        packs.Contact(
            f"{one.name_zh} {one.name_en}", one.holder or "—", "", f"副 deputy {one.deputy or '—'}", None
        )
        for one in session.scalars(select(Post).order_by(Post.id))
    ]


def _point(folder: Path, final: Path) -> None:
    """Let `latest` be this one, in one step."""
    link = folder / f".{LATEST}-{final.name}"
    with suppress(FileNotFoundError):
        link.unlink()
    link.symlink_to(final.name)
    link.replace(folder / LATEST)


def _all(folder: Path) -> list[Path]:
    return sorted(one for one in folder.iterdir() if _IS_ONE.match(one.name) and one.is_dir())


def _newest(folder: Path) -> Path | None:
    return max(_all(folder), default=None)


def _written(snapshot: Path) -> datetime:
    return datetime.strptime(snapshot.name, _NAME).replace(tzinfo=UTC)


def _about(snapshot: Path) -> dict[str, Any]:
    try:
        found: dict[str, Any] = json.loads((snapshot / _ABOUT).read_text())
    except (OSError, ValueError):
        return {}
    return found


def _forget(keeping: Keeping) -> None:
    """The oldest ones; and what a worker that died had begun to write."""
    for draft in keeping.folder.glob(f"{_DRAFT}*"):
        if draft.stat().st_mtime < time.time() - EVERY.total_seconds():
            shutil.rmtree(draft, ignore_errors=True)
    for old in _all(keeping.folder)[: -keeping.kept]:
        shutil.rmtree(old, ignore_errors=True)
