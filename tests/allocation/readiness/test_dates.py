"""What ends when, what is left then, the first day on which the duty breaks, and the cheapest mend."""

from datetime import date, timedelta
from typing import Any

from chubei_allocation.readiness.dates import change_days, needed, on_day, options
from chubei_allocation.readiness.first_dates import first_date
from chubei_shared.contracts.base import Mode
from chubei_shared.contracts.catalogue import Item
from chubei_shared.contracts.readiness import Ending
from hypothesis import given
from hypothesis import strategies as st
from pieces import ESTIMATED, scenario

TODAY = date(2026, 11, 22)


def item(code: str, price: int | None, pack: int = 1) -> Item:
    return Item(
        code=code, name_zh=code, name_en=code, family="relief", unit_zh="件", pack=pack, weight_g=1, volume_cm3=1,
        reserve_modes=["physical"], managing_body="区", dispatch_authority="区", ref_price_cny=price,
        provenance=ESTIMATED,
    )  # fmt: skip


ITEMS = {"water": item("1020101", 30), "milk": item("1030103", None), "bed": item("1010201", 190)}


def ends(in_days: int, place: str, of: str, units: int, why: str = "expiry", code: str = "water") -> Ending:
    return Ending.model_construct(
        on=TODAY + timedelta(days=in_days), why=why, place_id=place, item_code=code,
        mode=Mode.CONTRACT if place == "SUP" else Mode.PHYSICAL, units=units, of=of, name=of, price_fen=2500,
    )  # fmt: skip


def quantity(of: dict[str, Any], source: str, code: str) -> int:
    return sum(row["quantity"] for row in of["supply"] if (row["source"], row["item"]) == (source, code))


def enough(of: dict[str, Any]) -> dict[str, Any]:
    """A planner that looks at sums alone."""
    there = min(300, sum(row["quantity"] for row in of["supply"] if row["item"] == "water"))
    return {"people": 300, "supported": there, "impossible": there < 300}


def test_a_day_has_what_has_not_ended_and_a_lot_ends_once():
    told = [ends(10, "N", "lot-1", 40), ends(12, "N", "lot-1", 40, "test"), ends(20, "N", "lot-2", 500)]
    assert quantity(on_day(scenario(), told, TODAY + timedelta(days=9)), "N", "water") == 150
    assert quantity(on_day(scenario(), told, TODAY + timedelta(days=12)), "N", "water") == 110
    assert (
        quantity(on_day(scenario(), told, TODAY + timedelta(days=20)), "N", "water") == 0
    )  # never below nothing
    kept = on_day(scenario(), told, TODAY + timedelta(days=20), frozenset({"lot-2"}))
    assert quantity(kept, "N", "water") == 110


def test_days_are_those_of_changes_what_is_overdue_has_ended_today():
    told = [ends(-5, "N", "a", 1, "test"), ends(3, "N", "b", 1), ends(3, "S", "c", 1), ends(400, "S", "d", 1)]
    assert change_days(told, TODAY) == [TODAY, TODAY + timedelta(days=3)]


def test_the_first_day_is_found_with_what_ends_on_it_and_the_cheapest_mend():
    # 350 cases for 300 people: lots go one after the other
    told = [
        ends(5, "N", "lot-a", 40),
        ends(30, "S", "lot-b", 30),
        ends(90, "SUP", "AGR", 150, "contract_end"),
    ]
    base = enough(scenario())
    found = first_date("day", scenario(), base, told, TODAY, 300, ITEMS, enough)
    assert (found.on, found.proven) == (TODAY + timedelta(days=30), True)
    assert [row.of for row in found.because] == ["lot-b"]
    assert found.mend is not None
    # 20 are short: to buy those is cheaper (600 yuan) than to replace the lot of 30 (750)
    assert (found.mend.units, found.mend.cost_fen) == (20, 60_000)
    assert "buy 20" in found.mend.en


def test_to_verify_again_costs_nothing():
    told = [ends(200, "SUP", "AGR", 150, "verification")]
    found = first_date("day", scenario(), enough(scenario()), told, TODAY, 300, ITEMS, enough)
    assert found.mend is not None
    assert (found.mend.cost_fen, found.mend.en) == (0, "verify again AGR (150 × 1020101)")


def test_a_duty_that_is_kept_all_year_has_no_date():
    found = first_date(
        "day", scenario(), enough(scenario()), [ends(5, "N", "a", 50)], TODAY, 300, ITEMS, enough
    )
    assert (found.on, found.mend) == (None, None)


def test_a_duty_that_is_broken_is_broken_today():
    poor = on_day(scenario(), [ends(0, "SUP", "AGR", 150)], TODAY)
    found = first_date("day", poor, enough(poor), [], TODAY, 300, ITEMS, enough)
    assert (found.on, found.days_checked) == (TODAY, 0)
    assert found.mend is not None
    assert (found.mend.units, found.mend.cost_fen) == (100, 300_000)


@given(st.lists(st.tuples(st.integers(-3, 300), st.integers(1, 80)), max_size=12))
def test_halving_finds_the_same_day_as_asking_every_day(changes):
    told = [ends(day, ("N", "S", "SUP")[n % 3], f"lot-{n}", units) for n, (day, units) in enumerate(changes)]
    base = enough(scenario())
    found = first_date("day", scenario(), base, told, TODAY, 300, ITEMS, enough)
    broken = [
        day for day in change_days(told, TODAY) if enough(on_day(scenario(), told, day))["supported"] < 300
    ]
    assert found.on == (broken[0] if broken else None)


def test_packs_are_whole_and_what_has_no_price_says_so():
    items = ITEMS | {"milk": item("1030103", None, pack=6)}
    left = {**scenario(), "supply": [row for row in scenario()["supply"] if row["item"] != "milk"]}
    assert needed(left)["milk"] == 12
    ((mend, mended),) = options(left, [], TODAY, TODAY, items)
    assert (mend.units, mend.cost_fen) == (12, None)
    assert quantity(mended, "N", "milk") == 12
