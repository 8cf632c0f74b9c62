"""Days 2 to 7: exact by hand, never more than what has come, nothing of a line before it runs."""

from decimal import Decimal

from chubei_allocation.readiness.days import balance, supported, units_by
from chubei_shared.contracts.base import Provenance
from chubei_shared.contracts.readiness_settings import Consumption
from chubei_shared.contracts.reserves import PointStock, SupplyRow
from hypothesis import given
from hypothesis import strategies as st

WATER = "1020101"
PROVENANCE = Provenance(certainty="estimated")


def row(mode: str, quantity: int, ready_min: int, rate: int | None = None) -> SupplyRow:
    return SupplyRow(
        place_id="S", item_code=WATER, mode=mode, quantity=quantity, ready_min=ready_min, rate_per_hour=rate,
        from_ids=[],
    )  # fmt: skip


def eats(per_day: str, group: str | None = None) -> Consumption:
    return Consumption(item_code=WATER, per_person_day=Decimal(per_day), group=group, provenance=PROVENANCE)


def days_of(consumption, rows, people=100, at_points=()):
    (item,) = balance([consumption], rows, at_points, people, {"infant": 10})
    return item["days"]


def test_it_is_the_balance_that_one_makes_by_hand():
    """250 on the shelf, 100 by contract after a day and a half, a line of 2 an hour from hour 36 on."""
    rows = [row("physical", 250, 0), row("contract", 100, 2160), row("capacity", 1000, 2160, 2)]
    found = days_of(eats("1"), rows)
    # day 2: 250 - 100; day 3: 150 - 100 + 100 + 24; day 4: 174 - 100 + 48; then 22 + 48 and 48 a day are eaten at once
    assert [(d["day"], d["had"], d["users"]) for d in found] == [
        (2, 150, 100),
        (3, 174, 100),
        (4, 122, 100),
        (5, 70, 70),
        (6, 48, 48),
        (7, 48, 48),
    ]
    assert found[0]["came"] == {"physical": 250, "contract": 0, "capacity": 0, "fund": 0}


def test_what_a_group_lacks_leaves_the_others_supported():
    found = days_of(eats("1", "infant"), [row("physical", 15, 0)])
    assert [(d["users"], d["people"]) for d in found[:2]] == [(5, 95), (0, 90)]


def test_thirds_are_thirds():
    found = days_of(eats("0.333333"), [row("physical", 100, 0)], people=100)
    assert [d["users"] for d in found[:2]] == [100, 100]


def test_what_stands_at_the_points_is_eaten_too():
    there = [PointStock(place_id="P", item_code=WATER, quantity=100)]
    assert [d["users"] for d in days_of(eats("1"), [row("physical", 50, 0)], at_points=there)][:1] == [50]


@given(
    st.lists(
        st.builds(
            row,
            st.sampled_from(["physical", "contract", "capacity", "fund"]),
            st.integers(0, 2000),
            st.integers(0, 9000),
            st.none() | st.integers(1, 50),
        ),
        max_size=5,
    ),
    st.integers(0, 300),
)
def test_nobody_eats_what_has_not_come(rows, people):
    eaten = 0
    for day in days_of(eats("1"), rows, people=people):
        begin = (day["day"] - 1) * 1440
        came = sum(units_by(r, begin) for r in rows)
        eaten += day["users"]
        assert eaten <= came
        assert 0 <= day["users"] <= people


def test_the_least_item_counts():
    items = [
        {"item_code": code, "days": [{"day": d, "people": people} for d in range(2, 8)]}
        for code, people in (("a", 9), ("b", 7))
    ]
    assert [(d["day"], d["people"], d["item_code"]) for d in supported(items)] == [
        (d, 7, "b") for d in range(2, 8)
    ]
    assert supported([]) == []
