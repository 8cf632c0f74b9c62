"""Even a buggy caller can not break the books: raw SQL around the verbs, refused by PostgreSQL itself."""

from collections.abc import Iterator
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DBAPIError


@pytest.fixture
def sql(engine: Engine) -> Iterator[Connection]:
    """A transaction of a caller who knows the tables and nothing else."""
    with engine.connect() as connection:
        yield connection


def movement(sql: Connection, yard: Any, kind: str = "adjust", **columns: Any) -> int:
    values = {"id": uuid4(), "kind": kind, "place_id": yard.store} | columns
    names = ", ".join(values)
    return sql.execute(
        text(
            f"INSERT INTO movement ({names}, body_hash, occurred_at, recorded_by, voucher, reason) "  # noqa: S608
            f"VALUES ({', '.join(':' + name for name in values)}, '', now(), 'bug', '', '') RETURNING seq"
        ),
        values,
    ).scalar_one()


def entries(
    sql: Connection, yard: Any, seq: int, lot_id: UUID, *legs: tuple[str, int], first: int = 1
) -> None:
    rows = ", ".join(f"(:seq, {first + n}, :p{n}, :item, :lot, :q{n})" for n in range(len(legs)))
    values = {f"p{n}": place for n, (place, _) in enumerate(legs)}
    values |= {f"q{n}": quantity for n, (_, quantity) in enumerate(legs)}
    sql.execute(
        text(
            f"INSERT INTO entry (movement_seq, line_no, place_id, item_code, lot_id, quantity) VALUES {rows}"  # noqa: S608
        ),
        {"seq": seq, "item": yard.item, "lot": lot_id, **values},
    )


def refused(constraint: str) -> Any:
    """A refusal by this constraint or trigger."""
    return pytest.raises(DBAPIError, check=lambda e: e.orig.diag.constraint_name == constraint)


def test_an_honest_caller_with_raw_sql_is_let_through(sql, yard):
    lot_id = yard.receive(10)
    entries(sql, yard, movement(sql, yard), lot_id, (yard.store, -4), ("outside:adjusted", 4))
    sql.commit()
    assert yard.stock() == (6, 0, 6)
    assert yard.books_balance()


def test_a_negative_balance(sql, yard):
    lot_id = yard.receive(10)
    seq = movement(sql, yard)
    with refused("balance_not_negative"):
        entries(sql, yard, seq, lot_id, (yard.store, -11), ("outside:issued", 11))


def test_a_negative_balance_where_there_never_was_stock(sql, yard):
    lot_id, other = yard.receive(10), yard.place("store")
    seq = movement(sql, yard)
    with refused("balance_not_negative"):
        entries(sql, yard, seq, lot_id, (other, -1), ("outside:issued", 1))


def test_stock_taken_from_under_a_hold(sql, yard):
    lot_id = yard.receive(10)
    yard.hold(8)
    seq = movement(sql, yard)
    with refused("balance_not_overheld"):
        entries(sql, yard, seq, lot_id, (yard.store, -3), ("outside:issued", 3))


def test_one_leg(sql, yard):
    lot_id = yard.receive(10)
    seq = movement(sql, yard)
    with refused("entry_balanced"):
        entries(sql, yard, seq, lot_id, (yard.store, 5))


def test_legs_of_different_lots(sql, yard):
    one, other = yard.receive(10), yard.receive(10)
    seq = movement(sql, yard)
    with refused("entry_balanced"):
        sql.execute(
            text(
                "INSERT INTO entry (movement_seq, line_no, place_id, item_code, lot_id, quantity) "
                "VALUES (:seq, 1, :place, :item, :one, -5), (:seq, 2, 'outside:issued', :item, :other, 5)"
            ),
            {"seq": seq, "place": yard.store, "item": yard.item, "one": one, "other": other},
        )


def test_a_lot_of_another_item(sql, yard):
    lot_id = yard.receive(10)
    yard.item = yard.new_item()
    seq = movement(sql, yard)
    with pytest.raises(DBAPIError, check=lambda e: "lot" in e.orig.diag.constraint_name):
        entries(sql, yard, seq, lot_id, (yard.store, 5), ("outside:received", -5))


def test_a_double_post(sql, yard):
    lot_id = yard.receive(10)
    seq = movement(sql, yard)
    legs = ((yard.store, -1), ("outside:issued", 1))
    entries(sql, yard, seq, lot_id, *legs)
    with refused("entry_pkey"):
        entries(sql, yard, seq, lot_id, *legs)
    sql.rollback()
    known = yard.admin.movements(place_id=yard.store).rows[0]
    with refused("movement_id_once"):
        movement(sql, yard, id=known.id)


def test_entries_added_to_a_movement_of_yesterday(sql, yard):
    lot_id = yard.receive(10)
    seq = sql.scalar(text("SELECT max(movement_seq) FROM entry WHERE lot_id = :lot"), {"lot": lot_id})
    with refused("entry_of_open_movement"):
        entries(sql, yard, seq, lot_id, (yard.store, 1), ("outside:received", -1), first=10)


def test_a_movement_without_entries(sql, yard):
    movement(sql, yard)
    with refused("movement_has_entries"):
        sql.commit()


def test_a_second_reversal(sql, yard):
    yard.receive(10)
    issued = yard.admin.record(yard.issue(1))
    yard.admin.record(yard.reversal(issued.id))
    with refused("movement_reversed_once"):
        movement(sql, yard, kind="reverse", reverses_id=issued.id)


@pytest.mark.parametrize(
    ("statement", "constraint"),
    [
        ("UPDATE movement SET reason = 'x' WHERE place_id = :store", "movement_append_only"),
        ("DELETE FROM movement WHERE place_id = :store", "movement_append_only"),
        ("TRUNCATE movement CASCADE", "movement_append_only"),
        ("UPDATE entry SET quantity = quantity + 1 WHERE place_id = :store", "entry_append_only"),
        ("DELETE FROM entry WHERE place_id = :store", "entry_append_only"),
        ("TRUNCATE entry", "entry_append_only"),
        ("UPDATE balance SET on_hand = on_hand + 1 WHERE place_id = :store", "balance_posted_only"),
        ("UPDATE balance SET held = 0 WHERE place_id = :store", "balance_posted_only"),
        ("DELETE FROM balance WHERE place_id = :store", "balance_posted_only"),
        (
            "INSERT INTO balance SELECT 'outside:lost', item_code, lot_id, true, 5 FROM balance "
            "WHERE place_id = :store",
            "balance_opened_empty",
        ),
        ("DELETE FROM hold_line WHERE place_id = :store", "hold_line_kept"),
        ("UPDATE hold_line SET quantity = 1 WHERE place_id = :store", "hold_line_fixed"),
        ("UPDATE hold SET status = 'released' WHERE id = :hold", "hold_closed_empty"),
        ("DELETE FROM hold WHERE id = :hold", "hold_kept"),
        ("UPDATE place SET kind = 'outside' WHERE id = :store", "place_state_of_kind"),
        ("UPDATE place SET kind = 'outside', state = 'outside' WHERE id = :store", "balance_place"),
    ],
)
def test_what_is_written_stays(sql, yard, statement, constraint):
    yard.receive(10)
    hold_id = yard.hold(4)
    with refused(constraint):
        sql.execute(text(statement), {"store": yard.store, "hold": hold_id})


def held_line(sql: Connection, yard: Any, hold_id: UUID, lot_id: UUID, quantity: int) -> None:
    sql.execute(
        text(
            "INSERT INTO hold_line (hold_id, line_no, place_id, item_code, mode, lot_id, quantity, outstanding) "
            "VALUES (:hold, 99, :place, :item, 'physical', :lot, :quantity, :quantity)"
        ),
        {"hold": hold_id, "place": yard.store, "item": yard.item, "lot": lot_id, "quantity": quantity},
    )


def test_more_held_than_is_there(sql, yard):
    lot_id = yard.receive(10)
    hold_id = yard.hold(4)
    with refused("balance_not_overheld"):
        held_line(sql, yard, hold_id, lot_id, 7)


def test_held_by_a_hold_that_is_over(sql, yard):
    lot_id = yard.receive(10)
    hold_id = yard.hold(4)
    yard.service.release(hold_id)
    with refused("hold_line_of_open_hold"):
        held_line(sql, yard, hold_id, lot_id, 1)
    sql.rollback()
    with refused("hold_closed_empty"):
        sql.execute(text("UPDATE hold SET status = 'open' WHERE id = :id"), {"id": hold_id})


def test_more_issued_than_was_held(sql, yard):
    yard.receive(10)
    hold_id = yard.hold(4)
    with pytest.raises(DBAPIError, match="hold_line_check"):
        sql.execute(text("UPDATE hold_line SET issued = 5 WHERE hold_id = :id"), {"id": hold_id})


def test_an_honest_line_counts_on_the_balance_by_itself(sql, yard):
    lot_id = yard.receive(10)
    hold_id = yard.hold(4)
    held_line(sql, yard, hold_id, lot_id, 5)
    sql.commit()
    assert yard.stock() == (10, 9, 1)
    assert yard.books_balance()


def agreed(sql: Connection, yard: Any) -> str:
    reserve_id = f"agreement-{uuid4().hex[:8]}"
    sql.execute(
        text(
            "INSERT INTO reserve (id, place_id, mode, item_code, party, valid_from, valid_until, "
            "provenance, unit_price_fen, lead_min, floor_stock, quantity) "
            "VALUES (:id, :place, 'contract', :item, 'x', '2026-01-01', '2040-01-01', '{}', 1, 60, 0, 100)"
        ),
        {"id": reserve_id, "place": yard.store, "item": yard.item},
    )
    return reserve_id


@pytest.mark.parametrize("counter", ["held", "used"])
def test_the_counters_of_a_reserve(sql, yard, counter):
    reserve_id = agreed(sql, yard)
    with refused("reserve_counted_only"):
        sql.execute(text(f"UPDATE reserve SET {counter} = 1 WHERE id = :id"), {"id": reserve_id})  # noqa: S608


def test_a_reserve_overdrawn(sql, yard):
    yard.receive(1)
    hold_id, reserve_id = yard.hold(1), agreed(sql, yard)
    line = text(
        "INSERT INTO hold_line (hold_id, line_no, place_id, item_code, mode, reserve_id, quantity, outstanding) "
        "VALUES (:hold, 99, :place, :item, 'contract', :reserve, 101, 101)"
    )
    with refused("reserve_not_overdrawn"):
        sql.execute(line, {"hold": hold_id, "place": yard.store, "item": yard.item, "reserve": reserve_id})


def test_a_fund_of_other_units_than_its_budget_buys(sql, yard):
    reserve_id = agreed(sql, yard)
    with refused("reserve_of_its_mode"):
        sql.execute(
            text(
                "UPDATE reserve SET mode = 'fund', lead_min = NULL, budget_fen = 1000, unit_price_fen = 3, "
                "approval_min = 1, delivery_min = 1, quantity = 334 WHERE id = :id"
            ),
            {"id": reserve_id},
        )
