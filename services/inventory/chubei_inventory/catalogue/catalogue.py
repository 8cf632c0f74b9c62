"""Items, kits and norms, in versions; and places. Putting the same again changes nothing.

Whatever comes into force makes a version, be it one item or a whole draft: so each state that a plan was ever
made under can be read again, and nothing that was published is written to any more.
"""

from collections.abc import Collection, Mapping
from typing import Any, TypeVar

from chubei_shared.contracts.base import Dto
from chubei_shared.contracts.catalogue import Item, ItemPage, Kit, KitPage, Norm, Place, PlaceKind, PlacePage
from chubei_shared.contracts.catalogue_versions import EntryKind, NormPage
from chubei_shared.cursors import cursor_of, key_of, name
from chubei_shared.editions import etag_of, refuse_other_edition
from chubei_shared.errors import Invalid, NotFound
from chubei_shared.outbox import enqueue
from chubei_shared.tokens import Caller
from sqlalchemy import ColumnElement, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from chubei_inventory import tables
from chubei_inventory.catalogue.tables import Entry, Version
from chubei_inventory.ledger.laws import OWN_PREFIXES

Content = Item | Kit | Norm
Changing = Mapping[tuple[EntryKind, str], Content | None]
"""What comes into force by kind and key; None: it is withdrawn."""
C = TypeVar("C", bound=Dto)

_OWN_KINDS = (PlaceKind.TRANSIT, PlaceKind.OUTSIDE, PlaceKind.STATE)
_PUBLISH_LOCK = 7_201_121  # advisory lock: versions are published one after the other
_OF: dict[EntryKind, type[Content]] = {EntryKind.ITEM: Item, EntryKind.KIT: Kit, EntryKind.NORM: Norm}


def put_item(session: Session, item: Item, caller: Caller, if_match: str | None = None) -> Item:
    """Put an item in force by itself.

    Raises PreconditionRequired or PreconditionFailed where `if_match` does not name the edition that it changes.
    """
    return _put(session, EntryKind.ITEM, item.code, item, caller, if_match)


def put_kit(session: Session, kit: Kit, caller: Caller, if_match: str | None = None) -> Kit:
    """Put a kit in force by itself. Raises as `put_item`, and Invalid for an item that the catalogue does not have."""
    return _put(session, EntryKind.KIT, kit.id, kit, caller, if_match)


def _put(session: Session, kind: EntryKind, key: str, content: C, caller: Caller, if_match: str | None) -> C:
    assert isinstance(content, Item | Kit)  # noqa: S101 (for the type checker)
    lock(session)
    now = in_force(session, [(kind, key)]).get((kind, key))
    if now == content:
        return content
    refuse_other_edition(if_match, None if now is None else etag_of(now))
    publish(session, {(kind, key): content}, f"{kind} {key}", "", caller)
    return content


def lock(session: Session) -> None:
    """Nobody else publishes until this transaction ends."""
    session.execute(select(func.pg_advisory_xact_lock(_PUBLISH_LOCK)))


def publish(session: Session, changing: Changing, called: str, note: str, caller: Caller) -> int:
    """Bring changes into force as a version; returns its number, or the present one where nothing changes.

    Raises Invalid where a kit or norm would name an item that is not in the catalogue.
    """
    lock(session)
    before = in_force(session, changing)
    fresh = {key: content for key, content in changing.items() if before.get(key) != content}
    newest = newest_version(session)
    if not fresh:
        return newest
    number = newest + 1
    session.add(Version(number=number, name=called[:200], note=note, published_by=caller.person))
    session.flush()
    for kind, key in sorted(before.keys() & fresh.keys()):
        session.execute(
            update(Entry)
            .where(Entry.kind == kind, Entry.key == key, Entry.until.is_(None))
            .values(until=number)
        )
    added = [
        {"kind": kind, "key": key, "since": number, "body": content.model_dump(mode="json")}
        for (kind, key), content in sorted(fresh.items())
        if content is not None
    ]
    if added:
        session.execute(insert(Entry), added)
    _register(session, [content for content in fresh.values() if isinstance(content, Item)])
    if not all(isinstance(content, Item) for content in fresh.values()):
        _refuse_unknown_items(session)
    enqueue(session, "catalogue.published", {"version": number, "name": called, "changes": len(fresh)})
    return number


def _register(session: Session, items: list[Item]) -> None:
    """Write items to the register that the books refer to."""
    if not items:
        return
    put = insert(tables.Item)
    rows = [item.model_dump() | {"provenance": item.provenance.model_dump(mode="json")} for item in items]
    put = put.on_conflict_do_update(
        index_elements=["code"], set_={name: put.excluded[name] for name in rows[0]}
    )
    session.execute(put, rows)


def _refuse_unknown_items(session: Session) -> None:
    """Raises Invalid where what is in force names an item that is not."""
    item = select(Entry.key).where(Entry.kind == EntryKind.ITEM, Entry.until.is_(None))
    known = set(session.scalars(item))
    wanted: dict[str, str] = {}
    for found in session.scalars(select(Entry).where(Entry.kind != EntryKind.ITEM, Entry.until.is_(None))):
        codes = [found.key] if found.kind == EntryKind.NORM else [n["item_code"] for n in found.body["needs"]]
        wanted |= dict.fromkeys(codes, f"{found.kind} {found.key}")
    if missing := sorted(set(wanted) - known):
        code = missing[0]
        raise Invalid(
            f"目录中没有物资 {', '.join(missing)},而 {wanted[code]} 需要它;请先登记或一并撤下",
            f"The catalogue has no item {', '.join(missing)}, which {wanted[code]} names: "
            "register it first, or withdraw both",
            errors=[{"field": "item_code", "problem": ", ".join(missing), "remedy": "PUT /v1/items/{code}"}],
        )


def newest_version(session: Session) -> int:
    """The version in force; 0 before the first."""
    return session.scalar(select(func.max(Version.number))) or 0


def in_force(
    session: Session, keys: Collection[tuple[EntryKind, str]]
) -> dict[tuple[EntryKind, str], Content]:
    """What is in force of some kinds and keys."""
    wanted = select(Entry).where(Entry.until.is_(None), Entry.key.in_({key for _, key in keys}))
    found = {(EntryKind(e.kind), e.key): e for e in session.scalars(wanted)}
    return {key: _OF[key[0]].model_validate(found[key].body) for key in keys if key in found}


def in_version(version: int | None) -> ColumnElement[bool]:
    """The condition that an entry was in force in a version (None: is now)."""
    if version is None:
        return Entry.until.is_(None)
    return (Entry.since <= version) & or_(Entry.until.is_(None), Entry.until > version)


def _must_exist(session: Session, version: int | None) -> None:
    if version is not None and session.get(Version, version) is None:
        raise NotFound(
            f"没有目录版本 {version},见 GET /v1/catalogue/versions",
            f"There is no version {version} of the catalogue: see GET /v1/catalogue/versions",
        )


def item(session: Session, code: str, version: int | None = None) -> Item:
    """Raises NotFound."""
    return _one(session, Item, EntryKind.ITEM, code, version)


def kit(session: Session, kit_id: str, version: int | None = None) -> Kit:
    """Raises NotFound."""
    return _one(session, Kit, EntryKind.KIT, kit_id, version)


def norm(session: Session, code: str, version: int | None = None) -> Norm:
    """Raises NotFound."""
    return _one(session, Norm, EntryKind.NORM, code, version)


def _one(session: Session, of: type[C], kind: EntryKind, key: str, version: int | None) -> C:
    _must_exist(session, version)
    body = session.scalar(select(Entry.body).where(Entry.kind == kind, Entry.key == key, in_version(version)))
    if body is None:
        raise NotFound(f"目录中没有 {key}", f"There is no {kind} {key} in the catalogue")
    return of.model_validate(body)


def items(session: Session, cursor: str | None, limit: int, version: int | None = None) -> ItemPage:
    rows, following = _page(session, Item, EntryKind.ITEM, cursor, limit, version)
    return ItemPage(rows=rows, next_cursor=following)


def kits(session: Session, cursor: str | None, limit: int, version: int | None = None) -> KitPage:
    rows, following = _page(session, Kit, EntryKind.KIT, cursor, limit, version)
    return KitPage(rows=rows, next_cursor=following)


def norms(session: Session, cursor: str | None, limit: int, version: int | None = None) -> NormPage:
    rows, following = _page(session, Norm, EntryKind.NORM, cursor, limit, version)
    return NormPage(rows=rows, next_cursor=following)


def _page(
    session: Session, of: type[C], kind: EntryKind, cursor: str | None, limit: int, version: int | None
) -> tuple[list[C], str | None]:
    _must_exist(session, version)
    wanted = select(Entry.key, Entry.body).where(Entry.kind == kind, in_version(version))
    if after := key_of(cursor, name):
        wanted = wanted.where(Entry.key > after[0])
    found = session.execute(wanted.order_by(Entry.key).limit(limit + 1)).all()
    rows = [of.model_validate(row.body) for row in found[:limit]]
    return rows, cursor_of(found[limit - 1].key) if len(found) > limit else None


def put_place(session: Session, place: Place, if_match: str | None = None) -> Place:
    """Register a place, or change it; the same again changes nothing.

    Raises Invalid for the books' own accounts, which open by themselves; PreconditionRequired or PreconditionFailed
    where `if_match` does not name the edition that it changes.
    """
    if place.kind in _OWN_KINDS or place.id.startswith(OWN_PREFIXES):
        raise Invalid(
            "在途与外部账户由系统自建,请用其他编号和类别",
            "Transit and outside accounts open by themselves: use another id and kind",
            errors=[{"field": "id", "problem": "the books' own", "remedy": "another id and kind"}],
        )
    values = place.model_dump(mode="json")
    added = insert(tables.Place).values(values).on_conflict_do_nothing().returning(tables.Place.id)
    if session.scalar(added) is not None:
        refuse_other_edition(if_match, None)
        return place
    old = session.get_one(tables.Place, place.id, with_for_update={"key_share": True}, populate_existing=True)
    edition = etag_of(Place.model_validate(old, from_attributes=True))
    if edition != etag_of(place):
        refuse_other_edition(if_match, edition)
        session.execute(update(tables.Place).where(tables.Place.id == place.id).values(values))
    return place


def place(session: Session, place_id: str) -> Place:
    """Raises NotFound."""
    found = session.get(tables.Place, place_id)
    if found is None:
        raise NotFound(f"没有 {place_id}", f"There is no place {place_id}")
    return Place.model_validate(found, from_attributes=True)


def places(session: Session, kind: PlaceKind | None, cursor: str | None, limit: int) -> PlacePage:
    """Registered places; the books' own accounts only when their kind is asked for."""
    of = tables.Place
    wanted = select(of).where(of.kind.not_in(_OWN_KINDS) if kind is None else of.kind == kind)
    if after := key_of(cursor, name):
        wanted = wanted.where(of.id > after[0])
    found = list(session.scalars(wanted.order_by(of.id).limit(limit + 1)))
    rows = [Place.model_validate(row, from_attributes=True) for row in found[:limit]]
    return PlacePage(rows=rows, next_cursor=cursor_of(rows[-1].id) if len(found) > limit else None)


def everything(session: Session) -> tuple[int, list[Item], list[Kit], list[Place]]:
    """The catalogue in force, with its version, and all registered places: for a snapshot."""
    entries = session.scalars(select(Entry).where(Entry.until.is_(None)).order_by(Entry.kind, Entry.key))
    by_kind: dict[str, list[dict[str, Any]]] = {kind: [] for kind in EntryKind}
    for entry in entries:
        by_kind[entry.kind].append(entry.body)
    found_places = session.scalars(
        select(tables.Place).where(tables.Place.kind.not_in(_OWN_KINDS)).order_by(tables.Place.id)
    )
    return (
        newest_version(session),
        [Item.model_validate(body) for body in by_kind[EntryKind.ITEM]],
        [Kit.model_validate(body) for body in by_kind[EntryKind.KIT]],
        [Place.model_validate(row, from_attributes=True) for row in found_places],
    )
