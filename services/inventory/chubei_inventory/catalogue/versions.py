"""Drafts of the catalogue, what they and the versions change, and publishing."""

from datetime import datetime
from typing import Any
from uuid import UUID

from chubei_shared.contracts.catalogue_versions import (
    Change,
    Changes,
    Draft,
    DraftPage,
    DraftView,
    EntryKind,
    Version,
    VersionPage,
)
from chubei_shared.cursors import cursor_of, key_of, serial
from chubei_shared.editions import etag_of, refuse_other_edition
from chubei_shared.errors import Conflict, NotFound
from chubei_shared.tokens import Caller
from sqlalchemy import or_, select, tuple_
from sqlalchemy.orm import Session

from chubei_inventory.catalogue import catalogue
from chubei_inventory.catalogue import tables as rows
from chubei_inventory.catalogue.catalogue import Changing, in_version

Bodies = dict[tuple[str, str], dict[str, Any]]


def versions(session: Session, cursor: str | None, limit: int) -> VersionPage:
    """The latest first."""
    wanted = select(rows.Version).order_by(rows.Version.number.desc()).limit(limit + 1)
    if after := key_of(cursor, serial):
        wanted = wanted.where(rows.Version.number < after[0])
    found = list(session.scalars(wanted))
    return VersionPage(
        rows=[Version.model_validate(row, from_attributes=True) for row in found[:limit]],
        next_cursor=cursor_of(found[limit - 1].number) if len(found) > limit else None,
    )


def version(session: Session, number: int) -> Version:
    """Raises NotFound."""
    found = session.get(rows.Version, number)
    if found is None:
        raise NotFound(f"没有目录版本 {number}", f"There is no version {number} of the catalogue")
    return Version.model_validate(found, from_attributes=True)


def changes(session: Session, number: int, since: int | None) -> Changes:
    """What differs in version `number` from `since` (None: from the one before). Raises NotFound."""
    version(session, number)
    earlier = number - 1 if since is None else since
    if earlier:
        version(session, earlier)
    before, after = (_bodies(session, n, (number, earlier)) for n in (earlier, number))
    return Changes(since=earlier, until=number, changes=_differences(before, after))


def _bodies(session: Session, number: int, between: tuple[int, int]) -> Bodies:
    """The entries in force in a version, but for those that are in both of two versions."""
    low, high = sorted(between)
    touched = or_(rows.Entry.since > low, rows.Entry.until <= high)
    found = session.scalars(select(rows.Entry).where(in_version(number), touched))
    return {(entry.kind, entry.key): entry.body for entry in found}


def _differences(before: Bodies, after: Bodies) -> list[Change]:
    """By kind and key; what is the same in both is no change."""
    found = []
    for kind, key in sorted(before.keys() | after.keys()):
        old, new = before.get((kind, key)), after.get((kind, key))
        if old == new:
            continue
        how = "added" if old is None else "withdrawn" if new is None else "changed"
        fields = sorted(f for f in old.keys() | new.keys() if old.get(f) != new.get(f)) if old and new else []
        found.append(Change(kind=EntryKind(kind), key=key, change=how, fields=fields, before=old, after=new))
    return found


def put_draft(session: Session, draft: Draft, caller: Caller, if_match: str | None) -> DraftView:
    """Write a draft, or write it anew upon what is in force now; the same again changes nothing.

    Raises Conflict for one that is over; PreconditionRequired or PreconditionFailed as for any edit.
    """
    row = session.get(rows.Draft, draft.id, with_for_update=True)
    base = catalogue.newest_version(session)
    if row is None:
        refuse_other_edition(if_match, None)
        row = rows.Draft(id=draft.id, body=draft.model_dump(mode="json"), base=base, changed_by=caller.person)
        session.add(row)
        session.flush()
        return _view(session, row)
    known = Draft.model_validate(row.body)
    if known == draft and (if_match is None or row.status != "open"):
        return _view(session, row)
    _refuse_over(row)
    refuse_other_edition(if_match, etag_of(known))
    row.body, row.base, row.changed_by = draft.model_dump(mode="json"), base, caller.person
    session.flush()
    return _view(session, row)


def _refuse_over(row: rows.Draft) -> None:
    if row.status != "open":
        zh = f"已发布为版本 {row.published_as}" if row.published_as else "已作废"
        en = f"has been published as version {row.published_as}" if row.published_as else "has been discarded"
        raise Conflict(f"草案 {row.id} {zh},请另建草案", f"The draft {row.id} {en}: begin another")


def publish(session: Session, draft_id: UUID, caller: Caller, if_match: str | None) -> DraftView:
    """Bring a draft into force; once published, the answer is the same again.

    Raises Conflict where what it changes was changed by others since it was written, Invalid where it does not
    hold together; PreconditionRequired, PreconditionFailed, NotFound.
    """
    row = _locked(session, draft_id)
    if row.status == "published":
        return _view(session, row)
    _refuse_over(row)
    draft = Draft.model_validate(row.body)
    refuse_other_edition(if_match, etag_of(draft))
    catalogue.lock(session)
    changing = _changing(draft)
    _refuse_changed_since(session, changing, row.base)
    row.published_as = catalogue.publish(session, changing, draft.name, draft.note, caller)
    row.status = "published"
    session.flush()
    return _view(session, row)


def _refuse_changed_since(session: Session, changing: Changing, base: int) -> None:
    later = or_(rows.Entry.since > base, rows.Entry.until > base)
    touched = select(rows.Entry.kind, rows.Entry.key).where(later).distinct()
    others = sorted({(kind, key) for kind, key in session.execute(touched)} & changing.keys())
    if others:
        names = ", ".join(f"{kind} {key}" for kind, key in others[:20])
        raise Conflict(
            f"草案写成后,{names} 已被他人更改;请查看草案的 changes,确认后重新 PUT 草案再发布",
            f"Since the draft was written others have changed {names}: look at its changes, PUT it again, then publish",
            changed=[f"{kind} {key}" for kind, key in others],
        )


def discard(session: Session, draft_id: UUID) -> DraftView:
    """Give a draft up. Raises Conflict for one that is published, NotFound."""
    row = _locked(session, draft_id)
    if row.status != "discarded":
        _refuse_over(row)
        row.status = "discarded"
        session.flush()
    return _view(session, row)


def draft(session: Session, draft_id: UUID) -> DraftView:
    """Raises NotFound."""
    return _view(session, _found(session.get(rows.Draft, draft_id), draft_id))


def drafts(session: Session, cursor: str | None, limit: int) -> DraftPage:
    """The latest first."""
    d = rows.Draft
    wanted = select(d).order_by(d.created_at.desc(), d.id.desc()).limit(limit + 1)
    if after := key_of(cursor, datetime.fromisoformat, UUID):
        wanted = wanted.where(tuple_(d.created_at, d.id) < tuple_(*after))
    found = list(session.scalars(wanted))
    last = found[limit - 1] if len(found) > limit else None
    return DraftPage(
        rows=[_view(session, row) for row in found[:limit]],
        next_cursor=last and cursor_of(last.created_at.isoformat(), last.id),
    )


def _locked(session: Session, draft_id: UUID) -> rows.Draft:
    return _found(session.get(rows.Draft, draft_id, with_for_update=True), draft_id)


def _found(row: rows.Draft | None, draft_id: UUID) -> rows.Draft:
    if row is None:
        raise NotFound(f"没有草案 {draft_id}", f"There is no draft {draft_id}")
    return row


def _changing(draft: Draft) -> Changing:
    kinds = EntryKind
    return {
        **{(kinds.ITEM, item.code): item for item in draft.items},
        **{(kinds.KIT, kit.id): kit for kit in draft.kits},
        **{(kinds.NORM, norm.item_code): norm for norm in draft.norms},
        **{(kinds.ITEM, code): None for code in draft.withdraw_items},
        **{(kinds.KIT, kit_id): None for kit_id in draft.withdraw_kits},
        **{(kinds.NORM, code): None for code in draft.withdraw_norms},
    }


def _view(session: Session, row: rows.Draft) -> DraftView:
    draft = Draft.model_validate(row.body)
    return DraftView(
        draft=draft,
        status=row.status,
        base=row.base,
        changed_by=row.changed_by,
        published_as=row.published_as,
        changes=_against_now(session, _changing(draft)) if row.status == "open" else [],
    )


def _against_now(session: Session, changing: Changing) -> list[Change]:
    now = catalogue.in_force(session, changing)
    differing = [key for key, content in changing.items() if now.get(key) != content]
    return _differences(
        {
            (kind, key): now[kind, key].model_dump(mode="json")
            for kind, key in differing
            if (kind, key) in now
        },
        {
            (kind, key): content.model_dump(mode="json")
            for kind, key in differing
            if (content := changing[kind, key]) is not None
        },
    )
