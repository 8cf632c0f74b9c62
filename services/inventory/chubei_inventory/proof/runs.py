"""Verbs over proofs: ask for one, run those that are due, tell what is new, show them. They repair nothing."""

from collections.abc import Collection
from datetime import UTC, datetime
from typing import Final
from uuid import UUID, uuid4

from chubei_shared import proof
from chubei_shared.contracts.proof import Difference, ProofPage, ProofRun
from chubei_shared.contracts.stock import BooksReport
from chubei_shared.cursors import cursor_of, key_of
from chubei_shared.errors import NotFound
from chubei_shared.outbox import enqueue, wake
from chubei_shared.proof import Found
from chubei_shared.telemetry import log
from chubei_shared.tokens import Caller
from sqlalchemy import exists, func, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from chubei_inventory.proof import checks, tables
from chubei_inventory.proof.words import WORDS, night_of
from chubei_inventory.tables import Entry, Movement

PROVE: Final = "inventory.prove"
FAULT, PROVED = "books.fault", "books.proved"
"""An event for each difference that is new, and one for each proof."""
_TOLD = 100
_KEPT = 1000
_LOCK = 7_201_141  # advisory lock: one proof at a time
_ONE_MOMENT = text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
_READ_ONLY = text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")


def ask(session: Session, run_id: UUID, caller: Caller) -> ProofRun:
    """Have the books proved as soon as a worker is free; the same id again is the same proof."""
    row = {"id": run_id, "asked_by": caller.person}
    if session.scalar(
        insert(tables.ProofRun).values(row).on_conflict_do_nothing().returning(tables.ProofRun.id)
    ):
        wake(session, PROVE, queue="inventory")
    return show(session, run_id)


def ask_for_night(session: Session, now: datetime) -> None:
    """Ask for the proof of the last night, unless it was asked for: whoever wakes us, however often and late."""
    row = {"id": uuid4(), "night": night_of(now), "asked_by": "inventory"}
    session.execute(insert(tables.ProofRun).values(row).on_conflict_do_nothing(constraint="proof_run_night"))


def run_next(session: Session) -> UUID | None:
    """Run the proof that was asked for first and has not run, in one transaction that sees one moment.

    None: there is none, or another worker is at it.
    """
    session.execute(_ONE_MOMENT)
    if not session.scalar(select(func.pg_try_advisory_xact_lock(_LOCK))):
        return None
    waiting = select(tables.ProofRun).where(tables.ProofRun.finished_at.is_(None))
    due = session.scalar(
        waiting.order_by(tables.ProofRun.asked_at, tables.ProofRun.id).limit(1).with_for_update()
    )
    if due is None:
        return None
    found = dict(checks.differences(session))
    every = [one for of_check in found.values() for one in of_check]
    _tell(session, due.id, every)
    entries, finished_at = session.execute(
        select(select(func.count()).select_from(Entry).scalar_subquery(), func.clock_timestamp())
    ).one()
    due.entries, due.finished_at = entries, finished_at
    due.counts = {check: len(of_check) for check, of_check in found.items()}
    session.flush()
    kept = [
        {"run_id": due.id, "number": number, **one._asdict(), "fingerprint": proof.fingerprint(one)}
        for number, one in enumerate(every[:_KEPT], 1)
    ]
    if kept:
        session.execute(insert(tables.ProofFinding), kept)
    return due.id


def _tell(session: Session, run_id: UUID, found: Collection[Found]) -> None:
    """Raise the alarm for each difference that the proof before did not find."""
    fresh = proof.news(found, _fingerprints_of_last(session))
    if fresh:
        log.error("THE BOOKS DO NOT BALANCE", extra={"differences": [str(one) for one in fresh[:_TOLD]]})
    for one in fresh[:_TOLD]:
        enqueue(session, FAULT, {"run_id": str(run_id), **proof.told(one, WORDS).model_dump(mode="json")})
    enqueue(session, PROVED, {"run_id": str(run_id), "differences": len(found), "new": len(fresh)})


def _fingerprints_of_last(session: Session) -> set[bytes]:
    last = select(tables.ProofRun.id).where(tables.ProofRun.finished_at.is_not(None))
    last_id = session.scalar(last.order_by(tables.ProofRun.finished_at.desc(), tables.ProofRun.id).limit(1))
    of = select(tables.ProofFinding.fingerprint).where(tables.ProofFinding.run_id == last_id)
    return set(session.scalars(of))


def show(session: Session, run_id: UUID) -> ProofRun:
    """One proof with its differences. Raises NotFound."""
    row = session.get(tables.ProofRun, run_id)
    if row is None:
        raise NotFound(f"没有核对 {run_id}", f"There is no proof {run_id}")
    findings = select(tables.ProofFinding).where(tables.ProofFinding.run_id == run_id)
    rows = session.scalars(findings.order_by(tables.ProofFinding.number))
    return _view(row, [proof.told(Found(f.check, f.rows, f.expected, f.found), WORDS) for f in rows])


def last(session: Session) -> ProofRun:
    """The proof that ran last. Raises NotFound where none has."""
    finished = select(tables.ProofRun.id).where(tables.ProofRun.finished_at.is_not(None))
    order = (tables.ProofRun.finished_at.desc(), tables.ProofRun.id)
    run_id = session.scalar(finished.order_by(*order).limit(1))
    if run_id is None:
        raise NotFound(
            "账还没有核对过,可立即核对:POST /v1/proof-runs",
            "The books have not been proved yet: ask for it by POST /v1/proof-runs",
        )
    return show(session, run_id)


def page(session: Session, clean: bool | None, cursor: str | None, limit: int) -> ProofPage:
    """The newest first; with `clean` those that have run and found nothing, or something."""
    run = tables.ProofRun
    query = select(run).order_by(run.asked_at.desc(), run.id.desc()).limit(limit + 1)
    if clean is not None:
        dirty = exists().where(tables.ProofFinding.run_id == run.id)
        query = query.where(run.finished_at.is_not(None), ~dirty if clean else dirty)
    if key := key_of(cursor, datetime.fromisoformat, UUID):
        query = query.where(func.row(run.asked_at, run.id) < func.row(*key))
    found = session.scalars(query).all()
    end = found[limit - 1] if len(found) > limit else None
    return ProofPage(
        rows=[_view(row, []) for row in found[:limit]],
        next_cursor=end and cursor_of(end.asked_at.astimezone(UTC).isoformat(), end.id),
    )


def _view(row: tables.ProofRun, differences: list[Difference]) -> ProofRun:
    return ProofRun(
        id=row.id, night=row.night and row.night.isoformat(), asked_by=row.asked_by, asked_at=row.asked_at,
        finished_at=row.finished_at, entries=row.entries, counts=row.counts,
        clean=None if row.counts is None else not any(row.counts.values()), differences=differences,
    )  # fmt: skip


def books(session: Session) -> BooksReport:
    """Recompute every balance and counter now, and say each difference in a line; nothing is recorded."""
    session.execute(_READ_ONLY)
    ledger = [one for name in checks.CHECKS for one in checks.of(session, name)]
    told = [proof.told(one, WORDS) for one in ledger]
    return BooksReport(
        movements=session.scalar(select(func.count()).select_from(Movement)) or 0,
        entries=session.scalar(select(func.count()).select_from(Entry)) or 0,
        faults=[f"{d.problem} / {d.problem_en}: {d.rows}: {d.expected} ≠ {d.found}" for d in told],
    )
