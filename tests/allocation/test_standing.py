"""The fold: an incident as it stands, whatever came in when. By itself, without a service."""

from datetime import UTC, datetime, timedelta

import pytest
from chubei_allocation.incidents.checks import candidates, crowding
from chubei_allocation.incidents.declaring import season_of
from chubei_allocation.incidents.standing import MOVES, Amended, Counted, Ground, Known, Standing, fold
from chubei_shared.contracts.amendments import Amendment, IncidentStatus
from hypothesis import given
from hypothesis import strategies as st

BEGAN = datetime(2026, 11, 21, 3, 20, tzinfo=UTC)
KNOWN = Known(
    {
        "P1": Ground("A", 150),
        "P2": Ground("A", 50),
        "P3": Ground("B", 80),
        "HALL": Ground("A", 200, candidate=True),
        "GYM": Ground("B", 60, candidate=True),
    },
    {"infant": 0.02, "frail": 0.03},
)
START = Standing(
    level=2,
    setting="any",
    season="any",
    opened=frozenset({"P1", "P2", "P3"}),
    people={"P1": 150, "P2": 50, "P3": 80},
    groups={"P1": {"infant": 3}, "P2": {"infant": 1}, "P3": {}},
)
SHELTERS = st.sampled_from(list(KNOWN.shelters))


def at(minute):
    return BEGAN + timedelta(minutes=minute)


def amended(minute, order=1, **change):
    told = {"id": "3f2c7f0e-6a55-4b7e-9c39-2f1a7c1f0a11", "why": "test", "change": change}
    return Amended(at(minute), order, Amendment.model_validate(told).change)


def counted(minute, shelter, people, groups=None, order=1):
    return Counted(at(minute), order, shelter, people, groups)


def people_after(*events):
    return {one: n for one, n in fold(START, events, KNOWN).people.items() if n}


COUNTS = st.builds(
    lambda minute, shelter, people, infants: (minute, shelter, people, min(infants, people)),
    st.integers(0, 700),
    SHELTERS,
    st.integers(0, 500),
    st.one_of(st.integers(0, 20)),
)
CHANGES = st.one_of(
    st.builds(lambda n: {"kind": "level", "level": n}, st.integers(1, 4)),
    st.builds(
        lambda a, b: {"kind": "people", "by_subdistrict": {"A": a, "B": b}},
        st.integers(0, 900),
        st.integers(0, 900),
    ),
    st.builds(lambda s, n: {"kind": "people", "by_shelter": {s: n}}, SHELTERS, st.integers(0, 900)),
    st.builds(
        lambda n: {"kind": "groups", "by_subdistrict": {"A": {"infant": n, "frail": n}}}, st.integers(0, 90)
    ),
    st.builds(lambda s: {"kind": "shelters_opened", "shelter_ids": [s]}, SHELTERS),
    st.builds(lambda s: {"kind": "shelters_closed", "shelter_ids": [s]}, SHELTERS),
    st.builds(lambda s: {"kind": "shelter_delayed", "shelter_id": s, "opens_min": 90}, SHELTERS),
    st.sampled_from([{"kind": "ended"}, {"kind": "reopened"}]),
)


@given(
    counts=st.lists(COUNTS, max_size=12, unique_by=lambda row: row[0]),
    changes=st.lists(st.tuples(st.integers(0, 700), CHANGES), max_size=8, unique_by=lambda row: row[0]),
    data=st.data(),
)
def test_whatever_order_it_comes_in_the_incident_ends_the_same(counts, changes, data):
    """`order` is where each stands among the recorded: it changes with the arrival, the outcome does not."""

    def arrived(counts, changes):
        return [
            *(counted(m, s, n, {"infant": i}, order) for order, (m, s, n, i) in enumerate(counts)),
            *(amended(m, order, **change) for order, (m, change) in enumerate(changes)),
        ]

    one = fold(START, arrived(counts, changes), KNOWN)
    other = fold(
        START, arrived(data.draw(st.permutations(counts)), data.draw(st.permutations(changes))), KNOWN
    )
    assert one == other


@given(
    counts=st.lists(COUNTS, max_size=8),
    changes=st.lists(st.tuples(st.integers(0, 700), CHANGES), max_size=12),
)
def test_no_group_has_more_members_than_there_are_people_and_nobody_is_negative(counts, changes):
    events = [
        *(counted(m, s, n, {"infant": i}, order) for order, (m, s, n, i) in enumerate(counts)),
        *(amended(m, order, **change) for order, (m, change) in enumerate(changes)),
    ]
    found = fold(START, events, KNOWN)
    for shelter, number in found.people.items():
        assert number >= 0
        assert sum(found.groups.get(shelter, {}).values()) <= number


@given(st.lists(st.tuples(st.sampled_from(["open", "close"]), SHELTERS), max_size=10))
def test_opening_and_closing_shelters_loses_nobody(acts):
    events = [
        amended(n, n, kind="shelters_opened" if act == "open" else "shelters_closed", shelter_ids=[shelter])
        for n, (act, shelter) in enumerate(acts)
    ]
    found = fold(START, events, KNOWN)
    for subdistrict, number in (("A", 200), ("B", 80)):
        assert sum(found.people.get(one, 0) for one in KNOWN.of(subdistrict)) == number


@given(st.permutations([(60, "P1", 100), (120, "P1", 130), (120, "P2", 9), (30, "P1", 1)]))
def test_the_latest_count_stands(reports):
    assert people_after(*(counted(*report) for report in reports)) == {"P1": 130, "P2": 9, "P3": 80}


def test_of_two_counts_of_one_moment_the_one_recorded_later_stands():
    first, second = counted(60, "P1", 100, order=1), counted(60, "P1", 120, order=2)
    assert people_after(first, second)["P1"] == people_after(second, first)["P1"] == 120


def test_a_count_without_groups_goes_by_the_districts_shares():
    found = fold(START, [counted(60, "P1", 200)], KNOWN)
    assert found.groups["P1"] == {"infant": 4, "frail": 6}
    told = fold(START, [counted(60, "P1", 200, {"infant": 9})], KNOWN)
    assert told.groups["P1"] == {"infant": 9}


def test_a_closed_shelters_people_go_to_the_others_and_counts_after_it_stand():
    closed = amended(60, kind="shelters_closed", shelter_ids=["P1"])
    assert people_after(counted(30, "P1", 170), closed) == {"P2": 220, "P3": 80}
    assert people_after(closed, counted(90, "P1", 12)) == {"P1": 12, "P2": 200, "P3": 80}


def test_a_candidate_takes_its_share_by_capacity():
    opened = amended(60, kind="shelters_opened", shelter_ids=["HALL"])
    assert people_after(opened) == {"P1": 75, "P2": 25, "HALL": 100, "P3": 80}


def test_new_people_keep_their_groups_in_proportion():
    found = fold(START, [amended(5, kind="people", by_subdistrict={"A": 400})], KNOWN)
    assert (found.people["P1"], found.people["P2"]) == (300, 100)
    assert sum(groups.get("infant", 0) for groups in found.groups.values()) == 8


def test_a_closure_is_taken_back_and_a_demand_removed():
    pump = {"id": "D1", "shelter_id": "P1", "item_code": "3010201", "units": 4, "by_min": 60, "worth": 9.0}
    events = [
        amended(1, kind="closures", closed=[("N", "P1"), ("N", "P2")]),
        amended(2, kind="closures", passable=[("N", "P1")]),
        amended(3, kind="demand_added", demand=pump),
        amended(4, kind="shelter_delayed", shelter_id="P1", opens_min=240),
    ]
    found = fold(START, events, KNOWN)
    assert found.closures == (("N", "P2"),)
    assert [demand.id for demand in found.demands] == ["D1"]
    assert found.opens_min == {"P1": 240}
    assert not fold(START, [*events, amended(5, kind="demand_removed", demand_id="D1")], KNOWN).demands


@pytest.mark.parametrize("status", list(IncidentStatus))
@pytest.mark.parametrize("kind", ["ended", "reopened"])
def test_the_status_moves_by_its_table(status, kind):
    begun = fold(
        START,
        [
            amended(n, kind=step)
            for n, step in enumerate(
                {"declared": [], "ended": ["ended"], "reopened": ["ended", "reopened"]}[status]
            )
        ],
        KNOWN,
    )
    assert begun.status is status
    assert fold(begun, [amended(9, kind=kind)], KNOWN).status is MOVES[status].get(kind, status)


def test_more_people_than_places_are_told_with_what_could_be_opened():
    found = fold(START, [counted(60, "P3", 95)], KNOWN)
    (row,) = crowding(found, KNOWN)
    assert (row.subdistrict_id, row.people, row.capacity, row.candidates) == ("B", 95, 80, ["GYM"])
    assert candidates(found, "A", KNOWN) == ["HALL"]


@pytest.mark.parametrize(
    ("moment", "season"),
    [
        ("2026-10-31T15:59:00+00:00", "any"),
        ("2026-10-31T16:00:00+00:00", "winter"),
        ("2027-03-31T15:59:00+00:00", "winter"),
        ("2027-03-31T16:00:00+00:00", "any"),
        ("2027-05-31T16:00:00+00:00", "summer"),
        ("2027-08-31T16:00:00+00:00", "any"),
    ],
)
def test_the_season_is_by_the_date_in_china(moment, season):
    assert season_of(datetime.fromisoformat(moment)) == season
