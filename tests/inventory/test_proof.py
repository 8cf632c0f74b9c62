"""A difference in the books is found, named by its rows, told once, and never repaired."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from chubei_inventory import tasks
from chubei_inventory.proof import checks, runs
from chubei_inventory.proof.words import WORDS, night_of
from chubei_inventory.stocktake import counts, sheets, steps, stocktakes
from chubei_shared import proof, seals
from chubei_shared.contracts.catalogue import PlaceKind
from chubei_shared.contracts.movements import Arrive, SendOff
from chubei_shared.contracts.stocktakes import Count, Stocktake, StocktakeStep
from chubei_shared.db import Transactions
from chubei_shared.proof import Found
from chubei_shared.tokens import Caller, Role
from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

Broken = Callable[..., AbstractContextManager[dict[str, list[Found]]]]
SealAll = Callable[[Transactions, Iterable[seals.Source]], None]


@pytest.fixture(autouse=True)
def relayed(engine: Engine) -> None:
    """No relay runs here: in a long run, what other tests have left in the outbox is late by now."""
    with engine.begin() as connection:
        connection.execute(text("DELETE FROM outbox"))


@pytest.fixture
def broken(engine: Engine, seal_all: SealAll) -> Broken:
    """`with broken(sql, **values) as found`: what the proof says after a superuser wrote around all triggers."""

    @contextmanager
    def after(*statements: str, **values: Any) -> Iterator[dict[str, list[Found]]]:
        seal_all(Transactions(engine), checks.SEALED)
        with Session(engine) as session:
            assert not any(dict(checks.differences(session)).values())
            session.execute(text("SET LOCAL session_replication_role = replica"))
            for statement in statements:
                assert session.execute(text(statement), values).rowcount  # type: ignore[attr-defined]
            session.execute(text("SET LOCAL session_replication_role = origin"))
            yield {name: found for name, found in checks.differences(session) if found}
            session.rollback()

    return after


def account(yard: Any, lot_id: UUID, table: str = "balance", **more: Any) -> dict[str, Any]:
    return {"table": table, "place_id": yard.store, "item_code": yard.item, "lot_id": str(lot_id)} | more


def test_a_balance(yard, broken):
    lot_id = yard.receive(10)
    change = "UPDATE balance SET on_hand = 9 WHERE lot_id = :lot AND NOT outside"
    with broken(change, lot=lot_id) as found:
        assert found == {"balance": [Found("balance", account(yard, lot_id), "10", "9")]}


def test_a_balance_that_is_gone(yard, broken):
    lot_id = yard.receive(10)
    with broken("DELETE FROM balance WHERE lot_id = :lot AND NOT outside", lot=lot_id) as found:
        assert found["balance"] == [Found("balance", account(yard, lot_id), "10", "0")]


def test_a_balance_below_zero(yard, broken):
    lot_id = yard.receive(10)
    allow = "ALTER TABLE balance DROP CONSTRAINT balance_not_negative"
    with broken(
        allow, "UPDATE balance SET on_hand = -3 WHERE lot_id = :lot AND NOT outside", lot=lot_id
    ) as found:
        assert found == {
            "balance": [Found("balance", account(yard, lot_id), "10", "-3")],
            "negative": [
                Found("negative", account(yard, lot_id), "0 <= held <= on hand", "on hand -3, held 0")
            ],
        }


def test_a_hold(yard, broken):
    lot_id = yard.receive(10)
    hold_id = yard.hold(4)
    with broken("UPDATE hold_line SET outstanding = 3 WHERE hold_id = :hold", hold=hold_id) as found:
        key = account(yard, lot_id, hold_lines=[f"{hold_id}#1"])
        assert found == {"held": [Found("held", key, "3", "4")]}


def test_a_hold_that_is_over_and_keeps_something(yard, broken):
    yard.receive(10)
    hold_id = yard.hold(4)
    with broken("UPDATE hold SET status = 'released' WHERE id = :hold", hold=hold_id) as found:
        assert set(found) == {"held", "hold_over"}
        key = {"table": "hold_line", "hold_id": str(hold_id), "line_no": 1}
        assert found["hold_over"] == [Found("hold_over", key, "0", "4")]


def test_what_a_hold_says_was_issued(yard, broken):
    lot_id = yard.receive(10)
    hold_id = yard.hold(4)
    yard.service.record(yard.issue(1, hold_id=hold_id))
    with broken("UPDATE hold_line SET issued = 0 WHERE hold_id = :hold", hold=hold_id) as found:
        key = {"table": "hold_line", "hold_id": str(hold_id), "place_id": yard.store, "lot_id": str(lot_id)}
        assert found == {"hold_issued": [Found("hold_issued", key, "1", "0")]}


def test_what_a_stocktake_found(yard, broken, engine):
    lot_id, tx = yard.receive(100), Transactions(engine)
    zhang, wang = (
        Caller(name, frozenset({Role.CLERK}), frozenset({yard.store})) for name in ("zhang", "wang")
    )
    chief = Caller("chief", frozenset({Role.APPROVER}))
    asked = Stocktake(id=uuid4(), place_id=yard.store, reason="盘点")
    tx(stocktakes.open_one, asked, zhang)
    for clerk in (zhang, wang):
        found_90 = Count(id=uuid4(), account=yard.store, lot_id=lot_id, units=90, counted_at=yard.now())
        tx(counts.record, asked.id, found_90, clerk)
    tx(steps.step, asked.id, StocktakeStep(id=uuid4(), state="review"), zhang, None)
    _, etag = tx(sheets.differences, asked.id, chief, None, 1)
    tx(steps.step, asked.id, StocktakeStep(id=uuid4(), state="posted"), chief, etag)
    change = "UPDATE stocktake_line SET difference = -9 WHERE stocktake_id = :id"
    with broken(change, id=asked.id) as found:
        key = {
            "table": "stocktake_line",
            "stocktake_id": str(asked.id),
            "account": yard.store,
            "lot_id": str(lot_id),
        }
        assert found == {"stocktake": [Found("stocktake", key, "-10", "-9")]}


def seq_of(engine: Engine, movement_id: UUID) -> int:
    with engine.connect() as sql:
        return sql.scalar(text("SELECT seq FROM movement WHERE id = :id"), {"id": movement_id})


def test_a_recalled_lot_that_is_silently_good_again(yard, broken, sign_in):
    lot_id, other = yard.receive(10), yard.receive(10)
    lots = {row.lot_id: row.lot_no for row in yard.admin.stock(place_id=yard.store).rows}
    body = {"id": str(uuid4()), "maker": "厂", "lot_no": lots[lot_id], "occurred_at": yard.now().isoformat()}
    assert sign_in(Role.ADMIN).post("/v1/recalls", json=body | {"reason": "抽检不合格"}).status_code == 201
    by_hand = (
        "UPDATE lot SET quality = CASE id WHEN :lot THEN 'ok' ELSE 'sealed' END WHERE id IN (:lot, :other)"
    )
    with broken(by_hand, lot=lot_id, other=other) as found:
        keys = {one.rows["id"]: (one.expected, one.found) for one in found.pop("quality")}
        assert (keys, found) == ({str(lot_id): ("recalled", "ok"), str(other): ("ok", "sealed")}, {})


def test_a_leg(yard, broken, engine):
    lot_id = yard.receive(10)
    issued = yard.admin.record(yard.issue(2))
    seq = seq_of(engine, issued.id)
    change = "UPDATE entry SET quantity = -1 WHERE movement_seq = :seq AND place_id = :store"
    with broken(change, seq=seq, store=yard.store) as found:
        assert found == {
            "balance": [Found("balance", account(yard, lot_id), "9", "8")],
            "movement": [
                Found(
                    "movement",
                    {
                        "table": "entry",
                        "movement_id": str(issued.id),
                        "movement_seq": seq,
                        "lot_id": str(lot_id),
                    },
                    "0",
                    "1",
                )
            ],
            "chain": [Found("chain", found["chain"][0].rows, "as it was sealed", "row altered")],
        }
        assert {k: found["chain"][0].rows[k] for k in ("table", "id")} == {"table": "movement", "id": seq}


def test_legs_and_balances_that_agree_with_each_other_and_not_with_what_was_sealed(yard, broken, engine):
    """The careful thief: sums and balances are right, and only the chain knows."""
    lot_id = yard.receive(10)
    issued = yard.admin.record(yard.issue(2))
    seq = seq_of(engine, issued.id)
    with broken(
        "UPDATE entry SET quantity = 2 * quantity WHERE movement_seq = :seq",
        "UPDATE balance SET on_hand = on_hand + CASE WHEN outside THEN 2 ELSE -2 END WHERE lot_id = :lot "
        "AND place_id IN (:store, 'outside:issued')",
        seq=seq, lot=lot_id, store=yard.store,
    ) as found:  # fmt: skip
        assert {name: [one.rows["id"] for one in rows] for name, rows in found.items()} == {"chain": [seq]}


def test_a_movement_without_entries(yard, broken, engine):
    lot_id = yard.receive(10)
    seq = seq_of(engine, yard.admin.record(yard.issue(2)).id)
    with broken("DELETE FROM entry WHERE movement_seq = :seq", seq=seq) as found:
        assert [one.rows["movement_seq"] for one in found["movement"]] == [seq]
        assert Found("balance", account(yard, lot_id), "10", "8") in found["balance"]


def sent(yard: Any, there: str, lot_id: UUID, units: int) -> SendOff:
    line = {"item_code": yard.item, "lot_id": lot_id, "quantity": units}
    body = {"kind": "send", "id": uuid4(), "occurred_at": yard.now(), "from_place_id": yard.store}
    return SendOff.model_validate(body | {"to_place_id": there, "lines": [line]})


def test_what_is_in_transit(yard, broken, engine):
    lot_id, there = yard.receive(10), yard.place(PlaceKind.STORE)
    first, second = (yard.admin.record(sent(yard, there, lot_id, units)) for units in (4, 3))
    line = {"item_code": yard.item, "lot_id": lot_id, "received": 2, "short": 1}
    body = {
        "kind": "arrive",
        "id": uuid4(),
        "occurred_at": yard.now(),
        "sent_id": first.id,
        "place_id": there,
    }
    arrived = yard.admin.record(Arrive.model_validate(body | {"lines": [line]}))
    wrong = f"transit:{second.id}"
    with broken(  # a receipt that was booked off the other load, all balances kept
        "UPDATE entry SET place_id = :wrong WHERE movement_seq = :seq AND quantity < 0",
        "UPDATE balance SET on_hand = 4 WHERE place_id = :right",
        "UPDATE balance SET on_hand = 0 WHERE place_id = :wrong",
        wrong=wrong, right=f"transit:{first.id}", seq=seq_of(engine, arrived.id),
    ) as found:  # fmt: skip
        assert {one.rows["place_id"]: (one.expected, one.found) for one in found["transit"]} == {
            f"transit:{first.id}": ("1", "4"),
            wrong: ("3", "0"),
        }
        assert set(found) == {"transit", "chain"}


def test_an_event_that_is_stuck(yard, broken):
    yard.receive(1)
    old = "UPDATE outbox SET at = now() - interval '1 hour' WHERE id = (SELECT max(id) FROM outbox)"
    with broken(old) as found:
        assert [one.rows["topic"] for one in found["outbox"]] == ["audit.sealed"]


def test_a_schema_that_is_not_the_newest(broken):
    with broken("UPDATE alembic_version SET version_num = '0001'") as found:
        assert [(one.expected, one.found) for one in found["migration"]] == [
            (proof.newest_migration("chubei_inventory"), "0001")
        ]


def test_every_check_has_words(engine):
    with Session(engine) as session:
        assert {name for name, _ in checks.differences(session)} == set(WORDS)


def run_all(engine: Engine) -> UUID | None:
    tx, last = Transactions(engine), None
    while run_id := tx(runs.run_next):
        last = run_id
    return last


def alarms(engine: Engine) -> list[dict[str, Any]]:
    with engine.connect() as sql:
        return list(sql.scalars(text("SELECT body FROM outbox WHERE topic = 'books.fault' ORDER BY id")))


def damage(engine: Engine, statement: str, **values: Any) -> None:
    with engine.begin() as sql:
        sql.execute(text("SET LOCAL session_replication_role = replica"))
        sql.execute(text(statement), values)


def test_a_difference_is_told_once_and_again_when_it_comes_back(yard, engine, sign_in):
    lot_id = yard.receive(10)
    auditor = sign_in(Role.AUDITOR)

    def prove() -> dict[str, Any]:
        asked = {"id": str(uuid4())}
        assert auditor.post("/v1/proof-runs", json=asked).status_code == 202
        assert auditor.post("/v1/proof-runs", json=asked).json()["clean"] is None
        run_all(engine)
        return auditor.get("/v1/proof").json()

    def set_to(units: int) -> None:
        damage(
            engine, "UPDATE balance SET on_hand = :n WHERE lot_id = :lot AND NOT outside", n=units, lot=lot_id
        )

    assert prove()["clean"] is True
    told = len(alarms(engine))
    try:
        set_to(9)
        first = prove()
        assert (first["clean"], first["counts"]["balance"]) == (False, 1)
        assert first["differences"][0]["rows"] == account(yard, lot_id)
        assert "盘点" in first["differences"][0]["remedy"]
        assert prove()["clean"] is False
        assert [alarm["rows"]["lot_id"] for alarm in alarms(engine)[told:]] == [str(lot_id)]
        set_to(8)  # another difference of the same row
        prove()
        assert len(alarms(engine)) == told + 2
    finally:
        set_to(10)
    assert prove()["clean"] is True
    set_to(9)
    try:
        prove()
        assert len(alarms(engine)) == told + 3
    finally:
        set_to(10)
    history = auditor.get("/v1/proof-runs", params={"limit": 3}).json()
    assert [row["clean"] for row in history["rows"]] == [False, True, False]
    dirty = auditor.get("/v1/proof-runs", params={"clean": False, "limit": 2}).json()["rows"]
    assert dirty[0]["id"] == history["rows"][0]["id"]
    assert not any(row["clean"] for row in dirty)
    older = auditor.get("/v1/proof-runs", params={"cursor": history["next_cursor"]}).json()["rows"]
    assert first["id"] in [row["id"] for row in older]
    assert auditor.get(f"/v1/proof-runs/{first['id']}").json() == first


def test_two_beats_make_one_proof_of_a_night_and_a_missed_one_is_caught_up(engine):
    tx = Transactions(engine)
    beats = [datetime(2031, 3, day, hour, 1, tzinfo=UTC) for day, hour in ((1, 18), (1, 19), (2, 17), (5, 3))]
    for beat in (
        beats
    ):  # 02:01 and 03:01 of the 2nd in China; 01:01 of the 3rd; then the house was down until the 5th
        tx(runs.ask_for_night, beat)
    run_all(engine)
    with engine.connect() as sql:
        nights = text(
            "SELECT night::text, finished_at IS NOT NULL FROM proof_run WHERE night >= '2031-03-01'"
        )
        assert sorted(map(tuple, sql.execute(nights))) == [("2031-03-02", True), ("2031-03-05", True)]


def test_the_night_begins_at_two_in_china():
    two = datetime(2026, 11, 21, 18, tzinfo=UTC)
    assert (night_of(two) - night_of(two - timedelta(seconds=1))).days == 1
    assert night_of(two).isoformat() == "2026-11-22"


def test_the_task_proves_the_night(settings, database, engine):
    celery = tasks.make_celery(settings)
    celery.tasks[tasks.PROVE].run()
    celery.tasks[tasks.PROVE].run()
    with engine.connect() as sql:
        of = text("SELECT finished_at FROM proof_run WHERE night = :night")
        (finished,) = sql.scalars(of, {"night": night_of(datetime.now(UTC))})
    assert finished is not None


@pytest.mark.parametrize("statement", ["UPDATE proof_finding SET found = ''", "DELETE FROM proof_run"])
def test_what_a_proof_found_stays(engine, statement):
    with engine.connect() as sql, pytest.raises(Exception, match="stays as it was"):
        sql.execute(text(statement))


def test_clerks_read_the_proof_and_do_not_ask_for_one(sign_in):
    clerk = sign_in(Role.CLERK)
    assert clerk.get("/v1/proof-runs").status_code == 200
    assert clerk.post("/v1/proof-runs", json={"id": str(uuid4())}).status_code == 403
    assert clerk.get(f"/v1/proof-runs/{uuid4()}").status_code == 404
