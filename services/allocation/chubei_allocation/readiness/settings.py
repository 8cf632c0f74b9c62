"""Verbs on what readiness is judged by. The product brings settings along; each change is a new edition."""

from datetime import UTC, datetime
from functools import cache
from importlib.resources import files
from uuid import UUID

from chubei_shared.contracts.readiness_settings import ReadinessSettings, SettingsView
from chubei_shared.editions import etag_of, refuse_other_edition
from chubei_shared.tokens import Caller
from sqlalchemy import select
from sqlalchemy.orm import Session

from chubei_allocation import locks
from chubei_allocation.readiness import tables

_LOCK = UUID("0d5f2f7e-54a4-4f35-8e4e-6a6c1f2a9b10")


@cache
def defaults() -> ReadinessSettings:
    text = files("chubei_allocation.readiness").joinpath("defaults.json").read_text("utf-8")
    return ReadinessSettings.model_validate_json(text)


def show(session: Session) -> SettingsView:
    newest = session.scalar(select(tables.Settings).order_by(tables.Settings.edition.desc()).limit(1))
    if newest is None:
        return SettingsView(edition=0, changed_at=None, changed_by=None, settings=defaults())
    return SettingsView(
        edition=newest.edition,
        changed_at=newest.changed_at,
        changed_by=newest.changed_by,
        settings=ReadinessSettings.model_validate(newest.body),
    )


def put(session: Session, body: ReadinessSettings, if_match: str | None, caller: Caller) -> SettingsView:
    """Replace all of it; the next check is judged by it. Raises PreconditionRequired, PreconditionFailed."""
    locks.one_at_a_time(session, _LOCK)
    before = show(session)
    if body == before.settings and if_match is None:
        return before
    refuse_other_edition(if_match, etag_of(before.settings))
    if body != before.settings:
        session.add(
            tables.Settings(
                changed_at=datetime.now(UTC), changed_by=caller.person, body=body.model_dump(mode="json")
            )
        )
        session.flush()
    return show(session)
