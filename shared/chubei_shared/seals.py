"""Seals a service's append-only tables after the commit, so that no writer waits for the chain (hash_chain.py)."""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any, NamedTuple

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Column,
    DateTime,
    LargeBinary,
    MetaData,
    Table,
    Text,
    func,
    select,
    text,
)
from sqlalchemy.orm import Session

from chubei_shared import outbox
from chubei_shared.hash_chain import (
    START,
    Anchor,
    Break,
    Cursor,
    Seal,
    anchor_breaks,
    link,
    row_breaks,
    seal_breaks,
)

TOPIC = "audit.sealed"
"""Tells number and hash of each seal: an anchor for whoever hears it."""
_LOCK = 7_201_140  # advisory lock: one sealer at a time
_TOLD = 100  # breaks of one verification: who has more has one cause


class Source(NamedTuple):
    """A table to seal. `rows` is a query for its records as (id, xact, at, told): `told` is all that counts of one, as
    text; xact is the transaction that wrote it, at when; (xact, id) are indexed."""

    name: str
    rows: str


def table(metadata: MetaData) -> Table:
    """Define the table of seals in a service's metadata."""
    return Table(
        "seal",
        metadata,
        Column("number", BigInteger, primary_key=True, autoincrement=False),
        Column("source", Text, nullable=False),
        Column("after_xact", BigInteger, nullable=False),
        Column("after_id", BigInteger, nullable=False),
        Column("upto_xact", BigInteger, nullable=False),
        Column("upto_id", BigInteger, nullable=False),
        Column("ids", ARRAY(BigInteger), nullable=False),
        Column("digests", ARRAY(LargeBinary), nullable=False),
        Column("sealed_at", DateTime(timezone=True), nullable=False),
        Column("previous", LargeBinary, nullable=False),
        Column("hash", LargeBinary, nullable=False),
    )


_seal = table(MetaData())


def seal(session: Session, sources: Iterable[Source], limit: int = 2000) -> int:
    """Seal what was committed since the last seals, at most `limit` records of each source; returns how many.

    Records of transactions that may still be under way wait for the next time: none slips in behind a seal.
    """
    if not session.scalar(select(func.pg_try_advisory_xact_lock(_LOCK))):
        return 0
    last, total = newest(session), 0
    number, previous = last or (0, START)
    for source in sources:
        after = _sealed_upto(session, source)
        rows = session.execute(_fresh(source), {**_range(after), "limit": limit}).all()
        if not rows:
            continue
        number += 1
        made = Seal(
            number=number, source=source.name, after=after, upto=Cursor(rows[-1].xact, rows[-1].id),
            ids=[row.id for row in rows], digests=[bytes(row.digest) for row in rows],
            sealed_at=session.scalars(select(func.clock_timestamp())).one(), previous=previous, hash=b"",
        )  # fmt: skip
        previous = link(made)
        session.execute(_seal.insert().values(_columns(made) | {"hash": previous}))
        outbox.enqueue(session, TOPIC, {"number": number, "hash": previous.hex(), "rows": len(rows)})
        total += len(rows)
    return total


def newest(session: Session) -> Anchor | None:
    """The last seal: whoever keeps its number and hash elsewhere can show later that nothing was cut off."""
    query = select(_seal.c.number, _seal.c.hash).order_by(_seal.c.number.desc()).limit(1)
    found = session.execute(query).one_or_none()
    return Anchor(found.number, bytes(found.hash)) if found else None


def sealed(session: Session) -> int:
    """How many records the seals cover."""
    return session.scalar(select(func.coalesce(func.sum(func.cardinality(_seal.c.ids)), 0))) or 0


def verify(session: Session, sources: Iterable[Source], anchors: Iterable[Anchor] = ()) -> list[Break]:
    """Recompute the whole chain, oldest first; the first 100 breaks. Reads at one moment if the caller sees to it."""
    by_name = {source.name: source for source in sources}
    return list(islice(_breaks(session, by_name, list(anchors)), _TOLD))


def waiting(session: Session, source: Source, older_than_s: int) -> list[int]:
    """Ids of records of `source` that no seal covers though they are older."""
    query = text(
        f"SELECT id FROM ({source.rows}) AS r WHERE xact >= :after_xact AND (xact, id) > (:after_xact, :after_id) "  # noqa: S608
        f"AND at < now() - make_interval(secs => :age_s) ORDER BY xact, id LIMIT {_TOLD}"
    )
    asked = {**_range(_sealed_upto(session, source)), "age_s": older_than_s}
    return list(session.scalars(query, asked))


def _breaks(session: Session, sources: dict[str, Source], anchors: list[Anchor]) -> Iterator[Break]:
    before, wanted = None, {anchor.number for anchor in anchors}
    hashes: dict[int, bytes] = {}
    for row in session.execute(select(_seal).order_by(_seal.c.number)).yield_per(20):
        now = _read(row)
        yield from seal_breaks(now, before)
        if now.source in sources:
            found = session.execute(_again(sources[now.source]), _range(now.after) | _until(now.upto))
            yield from row_breaks(now, {r.id: bytes(r.digest) for r in found})
        if now.number in wanted:
            hashes[now.number] = now.hash
        before = now
    yield from anchor_breaks(anchors, hashes)


def _fresh(source: Source) -> Any:
    return text(
        f"SELECT id, xact, sha256(convert_to(told, 'UTF8')) AS digest FROM ({source.rows}) AS r "  # noqa: S608
        "WHERE xact >= :after_xact AND (xact, id) > (:after_xact, :after_id) "
        "AND xact < pg_snapshot_xmin(pg_current_snapshot())::text::bigint ORDER BY xact, id LIMIT :limit"
    )


def _again(source: Source) -> Any:
    return text(
        f"SELECT id, sha256(convert_to(told, 'UTF8')) AS digest FROM ({source.rows}) AS r "  # noqa: S608
        "WHERE xact BETWEEN :after_xact AND :upto_xact "
        "AND (xact, id) > (:after_xact, :after_id) AND (xact, id) <= (:upto_xact, :upto_id)"
    )


def _sealed_upto(session: Session, source: Source) -> Cursor:
    of = select(_seal.c.upto_xact, _seal.c.upto_id).where(_seal.c.source == source.name)
    found = session.execute(of.order_by(_seal.c.number.desc()).limit(1)).one_or_none()
    return Cursor(*found) if found else Cursor(-1, -1)


def _range(after: Cursor) -> dict[str, int]:
    return {"after_xact": after.xact, "after_id": after.id}


def _until(upto: Cursor) -> dict[str, int]:
    return {"upto_xact": upto.xact, "upto_id": upto.id}


def _columns(made: Seal) -> dict[str, Any]:
    return {
        "number": made.number, "source": made.source, "ids": made.ids, "digests": made.digests,
        "sealed_at": made.sealed_at, "previous": made.previous, **_range(made.after), **_until(made.upto),
    }  # fmt: skip


def _read(row: Any) -> Seal:
    return Seal(
        row.number, row.source, Cursor(row.after_xact, row.after_id), Cursor(row.upto_xact, row.upto_id),
        list(row.ids), [bytes(d) for d in row.digests], row.sealed_at, bytes(row.previous), bytes(row.hash),
    )  # fmt: skip
