"""What was sealed can not be changed, taken out, put in, put elsewhere or cut off without being named."""

import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from datetime import UTC, datetime

import psycopg
import pytest
from chubei_shared import audit, outbox, proof, seals
from chubei_shared.audit_ddl import AUDIT_1, SEAL_1
from chubei_shared.db import Transactions, make_engine
from chubei_shared.hash_chain import START, Anchor, Break, Cursor, Fault, Seal, link, row_breaks, seal_breaks
from chubei_shared.settings import Settings
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine, MetaData, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

SOURCES = (audit.SOURCE,)
Tampered = Callable[..., AbstractContextManager[list[Break]]]


@pytest.fixture(scope="module")
def sealed_engine(settings: Settings) -> Iterator[Engine]:
    """A database with an audit of nine acts, sealed three by three."""
    url = settings.database("inventory").set(database="seals")
    with psycopg.connect(settings.database_url + "/postgres", autocommit=True) as connection:
        connection.execute("CREATE DATABASE seals")
    made = make_engine(url, pool_size=4)
    metadata = MetaData()
    outbox.table(metadata)
    metadata.create_all(made)
    with made.begin() as connection:
        connection.execute(text(AUDIT_1 + SEAL_1))
    tx = Transactions(made)
    for number in range(9):
        tx(audit.record, audit.Act(f"clerk-{number}", "POST /v1/movements", "/v1/movements"), 201)
        if number % 3 == 2:
            assert tx(seals.seal, SOURCES) == 3
    yield made
    made.dispose()


@pytest.fixture
def tampered(sealed_engine: Engine) -> Tampered:
    """`with tampered(sql, …) as breaks`: the verification after a superuser wrote around the triggers."""

    @contextmanager
    def after(*statements: str, anchors: tuple[Anchor, ...] = ()) -> Iterator[list[Break]]:
        with Session(sealed_engine) as session:
            assert seals.verify(session, SOURCES, anchors) == []
            session.execute(text("SET LOCAL session_replication_role = replica"))
            for statement in statements:
                session.execute(text(statement))
            yield seals.verify(session, SOURCES, anchors)
            session.rollback()

    return after


def test_a_row_that_was_altered(tampered):
    with tampered("UPDATE audit SET outcome = 403 WHERE id = 5") as breaks:
        assert breaks == [Break(Fault.ROW_ALTERED, 2, "audit", 5)]


def test_a_row_that_was_taken_out(tampered):
    with tampered("DELETE FROM audit WHERE id = 4") as breaks:
        assert breaks == [Break(Fault.ROW_MISSING, 2, "audit", 4)]


def test_a_row_that_was_put_in(tampered):
    with tampered(
        "INSERT INTO audit (id, subject, act, target, outcome, request_id, xact) "
        "SELECT 77, subject, act, target, outcome, request_id, xact FROM audit WHERE id = 2"
    ) as breaks:
        assert breaks == [Break(Fault.ROW_ADDED, 1, "audit", 77)]


def test_two_rows_that_changed_places(tampered):
    with tampered(
        "UPDATE audit SET id = -2 WHERE id = 2",
        "UPDATE audit SET id = 2 WHERE id = 3",
        "UPDATE audit SET id = 3 WHERE id = -2",
    ) as breaks:
        assert [b for b in breaks if b.fault is Fault.ROW_ALTERED] == [
            Break(Fault.ROW_ALTERED, 1, "audit", 2),
            Break(Fault.ROW_ALTERED, 1, "audit", 3),
        ]


def test_a_row_that_was_moved_to_another_batch(tampered):
    with tampered("UPDATE audit SET xact = (SELECT xact FROM audit WHERE id = 9) WHERE id = 2") as breaks:
        assert breaks == [Break(Fault.ROW_MISSING, 1, "audit", 2), Break(Fault.ROW_ADDED, 3, "audit", 2)]


def test_a_row_and_its_seal_that_were_altered_together(tampered):
    """Whoever makes the seal anew breaks the one after it."""
    with tampered(
        "UPDATE audit SET outcome = 403 WHERE id = 1",
        "UPDATE seal SET digests[1] = (SELECT sha256(convert_to(json_build_array(id, at, subject, act, target, "
        "outcome, request_id, reason)::text, 'UTF8')) FROM audit WHERE id = 1) WHERE number = 1",
    ) as breaks:
        assert breaks == [Break(Fault.SEAL_ALTERED, 1, "seal")]


def test_a_seal_that_was_taken_out(tampered):
    with tampered("DELETE FROM seal WHERE number = 2") as breaks:
        assert breaks == [Break(Fault.SEAL_MISSING, 2, "seal")]


def test_seals_that_changed_places(tampered):
    with tampered(
        "UPDATE seal SET number = 99 WHERE number = 1",
        "UPDATE seal SET number = 1 WHERE number = 2",
        "UPDATE seal SET number = 2 WHERE number = 99",
    ) as breaks:
        assert {(b.fault, b.number) for b in breaks} >= {(Fault.SEAL_ALTERED, 1), (Fault.SEAL_ALTERED, 2)}


def test_an_end_that_was_cut_off_shows_by_what_was_told_before(tampered, sealed_engine):
    with Session(sealed_engine) as session:
        anchor = seals.newest(session)
        told = session.scalars(text("SELECT body FROM outbox WHERE topic = 'audit.sealed' ORDER BY id")).all()
    assert anchor is not None
    assert told[-1] == {"number": 3, "hash": anchor.hash.hex(), "rows": 3}
    cut = ("DELETE FROM audit WHERE id > 6", "DELETE FROM seal WHERE number > 2")
    with tampered(*cut) as breaks:
        assert breaks == []  # the chain by itself is whole
    with tampered(*cut, anchors=(anchor,)) as breaks:
        assert breaks == [Break(Fault.CUT_OFF, 3, "seal")]
    again = "INSERT INTO seal SELECT 3, source, after_xact, after_id, upto_xact, upto_id, ids, digests, sealed_at, "
    with tampered(
        *cut, again + "previous, sha256('other') FROM seal WHERE number = 2", anchors=(anchor,)
    ) as breaks:
        assert Break(Fault.SEAL_ALTERED, 3, "seal") in breaks


@pytest.mark.parametrize(
    "change",
    [
        f"{how} {table}{what}"
        for table in ("audit", "seal")
        for how, what in (("DELETE FROM", ""), ("TRUNCATE", ""), ("DELETE FROM", " WHERE false"))
    ]
    + ["UPDATE audit SET outcome = 200", "UPDATE seal SET hash = previous"],
)
def test_nothing_is_changed_without_a_superuser(sealed_engine, change):
    with sealed_engine.connect() as sql, pytest.raises(DBAPIError, match="append-only"):
        sql.execute(text(change))


def test_what_commits_late_is_sealed_later_and_not_lost(sealed_engine):
    """A row with a low number whose transaction is still under way does not slip in behind the seal."""
    tx = Transactions(sealed_engine)
    act = audit.Act("slow", "POST /x", "/x")
    with Session(sealed_engine) as slow:
        audit.record(slow, act)
        tx(audit.record, act._replace(subject="quick"))
        assert tx(seals.seal, SOURCES) == 0  # the slow one may still come before it
        slow.commit()
    assert tx(seals.seal, SOURCES) == 2
    assert tx(seals.verify, SOURCES) == []


def test_two_sealers_make_one_chain(sealed_engine):
    tx = Transactions(sealed_engine)
    for _ in range(40):
        tx(audit.record, audit.Act("x", "POST /x", "/x"))
    sealed: list[int] = []

    def work() -> None:
        for _ in range(30):
            sealed.append(tx(seals.seal, SOURCES, 2))

    workers = [threading.Thread(target=work) for _ in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    while rest := tx(seals.seal, SOURCES):
        sealed.append(rest)
    assert sum(sealed) == 40
    assert tx(seals.verify, SOURCES) == []


def test_a_row_that_nobody_seals_is_told(sealed_engine):
    with Session(sealed_engine) as session:
        session.execute(text("INSERT INTO audit (at, subject, act, target, outcome, request_id) "
                             "VALUES (now() - interval '1 hour', 's', 'a', 't', 200, '-')"))  # fmt: skip
        (found,) = proof.chain(session, SOURCES)
        assert (found.check, found.rows["table"]) == ("unsealed", "audit")
        session.rollback()


def chained(ids: list[list[int]]) -> list[Seal]:
    made, previous, after = [], START, Cursor(-1, -1)
    for number, batch in enumerate(ids, 1):
        digests = [bytes([n % 256]) * 32 for n in batch]
        upto = Cursor(number, max(batch))
        plain = Seal(
            number, "s", after, upto, batch, digests, datetime(2026, 1, 1, tzinfo=UTC), previous, b""
        )
        made.append(replace(plain, hash=link(plain)))
        previous, after = made[-1].hash, upto
    return made


BATCHES = st.lists(
    st.lists(st.integers(1, 10**6), min_size=1, max_size=6, unique=True), min_size=2, max_size=5
)


@given(BATCHES, st.data())
def test_any_change_of_a_seal_breaks_the_chain(batches, data):
    chain = chained(batches)
    whole = [
        b for before, seal in zip([None, *chain], chain, strict=False) for b in seal_breaks(seal, before)
    ]
    assert whole == []
    at = data.draw(st.integers(0, len(chain) - 1))
    change = data.draw(
        st.sampled_from(
            [{"ids": [*chain[at].ids[:-1], -7]}, {"digests": [*chain[at].digests[:-1], bytes(32)]},
             {"upto": Cursor(99, 99)}, {"after": Cursor(-2, 0)}, {"source": "t"}, {"previous": b"x" * 32},
             {"hash": b"y" * 32}, {"sealed_at": datetime(2027, 1, 1, tzinfo=UTC)}]
        )
    )  # fmt: skip
    chain[at] = replace(chain[at], **change)
    breaks = [
        b for before, seal in zip([None, *chain], chain, strict=False) for b in seal_breaks(seal, before)
    ]
    assert breaks[0].number == at + 1


@given(BATCHES)
def test_rows_are_compared_one_by_one(batches):
    (seal, *_) = chained(batches)
    there = dict(zip(seal.ids, seal.digests, strict=True))
    assert list(row_breaks(seal, there)) == []
    gone = min(there)
    assert list(row_breaks(seal, {k: v for k, v in there.items() if k != gone})) == [
        Break(Fault.ROW_MISSING, 1, "s", gone)
    ]
    assert list(row_breaks(seal, there | {10**7: b""})) == [Break(Fault.ROW_ADDED, 1, "s", 10**7)]
    assert list(row_breaks(seal, there | {gone: b""})) == [Break(Fault.ROW_ALTERED, 1, "s", gone)]
