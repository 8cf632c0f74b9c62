"""Agreements, makers' commitments and funds: registered, held, called off."""

from datetime import date, timedelta
from typing import Any
from uuid import uuid4

import pytest
from chubei_inventory import tasks
from chubei_shared.contracts.catalogue import PlaceKind
from chubei_shared.contracts.inventory_client import InventoryClient
from chubei_shared.contracts.reserves import Agreement, Commitment, Fund
from chubei_shared.errors import Conflict, Invalid, NotFound, Shortage
from chubei_shared.tokens import PEOPLE, Role


@pytest.fixture
def supplier(yard: Any) -> str:
    return yard.place(PlaceKind.SUPPLIER)


def common(yard: Any, place_id: str, **changes: Any) -> dict[str, Any]:
    today = yard.today()
    return {
        "id": f"reserve-{uuid4().hex[:8]}", "place_id": place_id, "party": "甲公司", "item_code": yard.item,
        "valid_from": today - timedelta(days=30), "valid_until": today + timedelta(days=300),
        "unit_price_fen": 3, "last_verified_on": today - timedelta(days=3), "provenance": yard.invented,
    } | changes  # fmt: skip


def agreement(yard: Any, place_id: str, quantity: int = 100, **changes: Any) -> Agreement:
    return Agreement(mode="contract", quantity=quantity, lead_min=120, **common(yard, place_id, **changes))


def fund(yard: Any, place_id: str, budget_fen: int, **changes: Any) -> Fund:
    minutes = {"approval_min": 60, "delivery_min": 240}
    return Fund(mode="fund", budget_fen=budget_fen, **minutes, **common(yard, place_id, **changes))


def test_a_reserve_put_again_is_the_same(yard, supplier):
    record = agreement(yard, supplier)
    view = yard.admin.put_reserve(record)
    assert yard.admin.put_reserve(record) == view
    assert (view.reserve, view.quantity, view.available, view.usable) == (record, 100, 100, True)


def test_a_fund_is_counted_in_whole_units(yard, supplier):
    assert yard.admin.put_reserve(fund(yard, supplier, 1000)).quantity == 333
    with pytest.raises(ValueError, match="buys nothing"):
        fund(yard, supplier, 2)


def test_what_a_reserve_is_for_stays(yard, supplier):
    record = agreement(yard, supplier)
    yard.admin.put_reserve(record)
    changed = record.model_copy(update={"item_code": yard.new_item()})
    with pytest.raises(Conflict, match="item_code"):
        yard.admin.put_reserve(changed, "*")


@pytest.mark.parametrize("days", [2, 400, 2_000_000])
def test_nothing_was_verified_on_a_day_to_come(yard, supplier, days):
    today = yard.today()
    record = agreement(yard, supplier, last_verified_on=today + timedelta(days=days))
    with pytest.raises(Invalid, match=r"last_verified_on: .* is to come"):
        yard.admin.put_reserve(record)
    kept = record.model_copy(update={"last_verified_on": today, "valid_until": date.max})
    assert yard.admin.put_reserve(kept).firm == 100


def test_an_unknown_place_or_item_is_named(yard, supplier):
    with pytest.raises(Invalid, match="place_id: nowhere"):
        yard.admin.put_reserve(agreement(yard, "nowhere"))
    with pytest.raises(Invalid, match="item_code: 9999998"):
        yard.admin.put_reserve(agreement(yard, supplier, item_code="9999998"))


def test_one_reserve_stands_behind_a_supply_row_at_a_time(yard, supplier):
    first = agreement(yard, supplier)
    yard.admin.put_reserve(first)
    with pytest.raises(Conflict, match=first.id):
        yard.admin.put_reserve(agreement(yard, supplier))
    renewal = {"valid_from": first.valid_until + timedelta(days=1), "valid_until": date(2040, 1, 1)}
    assert not yard.admin.put_reserve(agreement(yard, supplier, **renewal)).usable


def test_reserves_are_held_and_called_off(yard, supplier):
    record = agreement(yard, supplier)
    yard.admin.put_reserve(record)
    request = yard.request(yard.line(60, place_id=supplier, mode="contract"))
    view = yard.service.hold(request)
    assert [(line.reserve_id, line.lot_id, line.quantity) for line in view.lines] == [(record.id, None, 60)]
    order_id = uuid4()
    issue = yard.issue(45, place_id=supplier, hold_id=view.id, order_id=order_id, line={"mode": "contract"})
    called = yard.service.record(issue)
    assert [(e.place_id, e.quantity) for e in called.entries] == [
        ("outside:contract", -45), (f"transit:{order_id}", 45)
    ]  # fmt: skip
    left = yard.admin.reserve(record.id)
    assert (left.held, left.used, left.available) == (15, 45, 40)
    aboard = yard.admin.stock(place_id=f"transit:{order_id}").rows[0]
    assert (aboard.maker, aboard.lot_no) == ("甲公司", record.id)
    yard.service.release(view.id)
    assert yard.admin.reserve(record.id).available == 55
    assert yard.books_balance()


def test_a_call_off_undone_is_free_again(yard, supplier):
    record = agreement(yard, supplier)
    yard.admin.put_reserve(record)
    hold = yard.service.hold(yard.request(yard.line(60, place_id=supplier, mode="contract")))
    issue = yard.issue(60, place_id=supplier, hold_id=hold.id, line={"mode": "contract"})
    called = yard.service.record(issue)
    assert yard.admin.reserve(record.id).available == 40
    yard.admin.record(yard.reversal(called.id))
    assert yard.admin.reserve(record.id).available == 100
    assert yard.books_balance()


def test_more_than_agreed_is_not_held(yard, supplier):
    yard.admin.put_reserve(agreement(yard, supplier))
    line = yard.line(60, place_id=supplier, mode="contract")
    yard.service.hold(yard.request(line))
    with pytest.raises(Shortage) as refused:
        yard.service.hold(yard.request(line))
    assert refused.value.more["shortages"][0]["available"] == 40


def test_an_agreement_out_of_its_time_is_not_held(yard, supplier):
    today = yard.today()
    dates = {"valid_from": today - timedelta(days=90), "valid_until": today - timedelta(days=3)}
    assert not yard.admin.put_reserve(agreement(yard, supplier, **dates)).usable
    with pytest.raises(Shortage):
        yard.service.hold(yard.request(yard.line(1, place_id=supplier, mode="contract")))


def test_less_than_is_held_and_used_is_refused(yard, supplier):
    record = agreement(yard, supplier)
    yard.admin.put_reserve(record)
    view = yard.service.hold(yard.request(yard.line(60, place_id=supplier, mode="contract")))
    with pytest.raises(Conflict) as refused:
        yard.admin.put_reserve(record.model_copy(update={"quantity": 59}), "*")
    assert refused.value.more["held"] == 60
    yard.admin.put_reserve(record.model_copy(update={"quantity": 60}), "*")
    yard.service.release(view.id)
    assert yard.admin.put_reserve(record.model_copy(update={"quantity": 59}), "*").available == 59


def test_an_expired_hold_on_a_reserve_counts_no_more(yard, supplier, expire):
    record = agreement(yard, supplier)
    yard.admin.put_reserve(record)
    view = yard.service.hold(yard.request(yard.line(60, place_id=supplier, mode="contract")))
    expire(view.id)
    assert yard.admin.reserve(record.id).available == 100
    assert next(r for r in yard.pages(yard.admin.reserves) if r.reserve.id == record.id).held == 0
    yard.service.hold(yard.request(yard.line(100, place_id=supplier, mode="contract")))
    assert yard.books_balance()


def test_all_modes_in_one_hold_and_one_issue(yard, supplier):
    yard.receive(10, place=supplier)
    yard.admin.put_reserve(agreement(yard, supplier))
    yard.admin.put_reserve(fund(yard, supplier, 300))
    rate = {"conversion_min": 360, "rate_per_hour": 50}
    yard.admin.put_reserve(Commitment(mode="capacity", quantity=500, **rate, **common(yard, supplier)))
    modes = {"physical": 10, "contract": 20, "capacity": 30, "fund": 40}
    lines = [yard.line(units, place_id=supplier, mode=mode) for mode, units in modes.items()]
    hold_id, order_id = yard.service.hold(yard.request(*lines)).id, uuid4()
    issue_lines = [{"item_code": yard.item, "quantity": units, "mode": mode} for mode, units in modes.items()]
    yard.service.record(
        yard.issue(1, place_id=supplier, hold_id=hold_id, order_id=order_id, lines=issue_lines)
    )
    assert yard.stock(f"transit:{order_id}")[0] == 100
    assert yard.service.get_hold(hold_id).status == "issued"


def test_all_places_and_modes_or_nothing_and_every_shortage_at_once(yard, supplier):
    """Two stores, an agreement, a maker and a fund in one request: short of two of them, it holds none."""
    other = yard.place(PlaceKind.STORE)
    yard.receive(10)
    yard.receive(10, place=other)
    yard.admin.put_reserve(agreement(yard, supplier))
    yard.admin.put_reserve(fund(yard, supplier, 300))
    rate = {"conversion_min": 360, "rate_per_hour": 50}
    yard.admin.put_reserve(Commitment(mode="capacity", quantity=500, **rate, **common(yard, supplier)))

    def request(at_other: int, from_fund: int) -> Any:
        modes = {"contract": 20, "capacity": 30, "fund": from_fund}
        return yard.request(
            yard.line(10), yard.line(at_other, place_id=other),
            *(yard.line(units, place_id=supplier, mode=mode) for mode, units in modes.items()),
        )  # fmt: skip

    with pytest.raises(Shortage) as refused:
        yard.service.hold(request(11, 101))
    short = refused.value.more["shortages"]
    assert {(s["place_id"], s["mode"], s["asked"], s["available"]) for s in short} == {
        (other, "physical", 11, 10), (supplier, "fund", 101, 100),
    }  # fmt: skip
    assert (yard.stock(), yard.stock(other)) == ((10, 0, 10), (10, 0, 10))
    mine = [view for view in yard.pages(yard.admin.reserves) if view.reserve.place_id == supplier]
    assert [view.held for view in mine] == [0, 0, 0]
    assert {line.place_id for line in yard.service.hold(request(10, 100)).lines} == {
        yard.store, other, supplier,
    }  # fmt: skip


def test_a_hold_says_what_of_a_reserve_is_firm_and_who_has_the_rest(yard, supplier):
    """A commander may hold what nobody has verified; the hold says that none of it can be counted on."""
    record = agreement(yard, supplier, last_verified_on=None)
    yard.admin.put_reserve(record)
    line = yard.line(60, place_id=supplier, mode="contract")
    assert [held.firm for held in yard.service.hold(yard.request(line)).lines] == [0]
    yard.admin.put_reserve(record.model_copy(update={"last_verified_on": yard.today()}), "*")
    rest = yard.line(30, place_id=supplier, mode="contract")
    assert [held.firm for held in yard.service.hold(yard.request(rest)).lines] == [30]
    with pytest.raises(Shortage) as refused:
        yard.service.hold(yard.request(rest))
    (short,) = refused.value.more["shortages"]
    passed = [(p["reason"], p["units"], p["why_en"]) for p in short["passed_over"]]
    assert (short["available"], passed) == (10, [("held", 90, "held for plan:test")])


def test_a_reserve_out_of_its_time_is_named_as_such(yard, supplier):
    past = {"valid_from": date(2020, 1, 1), "valid_until": date(2021, 1, 1)}
    yard.admin.put_reserve(agreement(yard, supplier, **past))
    with pytest.raises(Shortage) as refused:
        yard.service.hold(yard.request(yard.line(1, place_id=supplier, mode="contract")))
    (short,) = refused.value.more["shortages"]
    assert [(p["reason"], p["units"]) for p in short["passed_over"]] == [("not_valid", 100)]


def test_an_unknown_reserve_is_named(yard):
    with pytest.raises(NotFound, match="no-such"):
        yard.admin.reserve("no-such")


def test_telephones_are_for_those_who_call(yard, supplier, sign_in):
    people = [{"name": "值班室", "phone": "010-00000000", "post": "夜班"}]
    record = agreement(yard, supplier, contacts=people)
    yard.admin.put_reserve(record)
    for role in (*PEOPLE, Role.SERVICE):
        wanted = "010-00000000" if role in (Role.ADMIN, Role.COMMANDER, Role.CLERK) else None
        http = sign_in(role)
        shown = InventoryClient(http).reserve(record.id).reserve.contacts
        assert [(one.name, one.phone, one.post) for one in shown] == [("值班室", wanted, "夜班")], role
        listed = http.get("/v1/reserves", params={"place_id": supplier}).json()["rows"]
        assert [row["reserve"]["contacts"][0]["phone"] for row in listed] == [wanted], role
        exported = http.get("/v1/lists/agreements/export", params={"format": "csv"}).text
        (line,) = [line for line in exported.splitlines() if record.id in line]
        assert ("010-00000000" in line, "值班室" in line) == (wanted is not None, True), role


def test_contacts_are_forgotten_some_time_after_the_end(yard, settings):
    days = settings.personal_data_days
    people = [{"name": "值班室", "phone": "010-00000000", "post": "夜班"}]
    records = {}
    for ago in (days + 2, days - 2, -300):
        end = yard.today() - timedelta(days=ago)
        record = agreement(
            yard, yard.place(PlaceKind.SUPPLIER), contacts=people, valid_until=end, valid_from=end
        )
        records[ago] = yard.admin.put_reserve(record).reserve
    tasks.make_celery(settings).tasks[tasks.FORGET].run()
    left = {ago: len(yard.admin.reserve(record.id).reserve.contacts) for ago, record in records.items()}
    assert left == {days + 2: 0, days - 2: 1, -300: 1}
