"""Which tier may approve a plan: pure, from the document and the plan's trips."""

import pytest
from chubei_allocation.authority import rules
from chubei_shared.contracts.authority import Authority, Tier
from chubei_shared.contracts.base import Mode
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

WATER, BED = "1020101", "1010201"
ALL = list(Mode)


def tier(id_: str, **more) -> dict:
    return {"id": id_, "name_zh": f"{id_}级", "name_en": f"the {id_}", "modes": ["physical"]} | more


DEMO = [
    tier("duty", max_people=500),
    tier("deputy", max_people=2000, cross_store=True),
    tier("head", cross_store=True, modes=["physical", "contract"]),
    tier("district", cross_store=True, modes=ALL, requisition=True, approvers=2),
]


def document(*tiers: dict) -> dict:
    return {"tiers": list(tiers), "provenance": {"certainty": "estimated", "source": "test"}}


TIERS = Authority.model_validate(document(*DEMO)).tiers


def uses(**more) -> rules.Uses:
    usual = {
        "people": 100, "units": {}, "stores": {"N"}, "modes": {Mode.PHYSICAL}, "requisition": False, "item_names": {},
    }  # fmt: skip
    return rules.Uses(**(usual | more))


@pytest.mark.parametrize(
    ("used", "expected", "reasons"),
    [
        (uses(), "duty", []),
        (uses(people=500), "duty", []),
        (uses(people=501), "deputy", ["救助 501 人,超过duty级的上限 500 人,需deputy级"]),
        (uses(stores={"N", "S"}), "deputy", ["从 2 个库调出,需deputy级"]),
        (uses(people=2001), "head", ["救助 2,001 人,超过deputy级的上限 2,000 人,需head级"]),
        (uses(modes={Mode.CONTRACT}), "head", ["动用协议储备,需head级"]),
        (
            uses(people=501, modes={Mode.PHYSICAL, Mode.CAPACITY, Mode.CONTRACT}),
            "district",
            [
                "救助 501 人,超过duty级的上限 500 人,需deputy级",
                "动用协议储备,需head级",
                "动用产能储备,需district级",
            ],
        ),
        (uses(requisition=True), "district", ["动用征用的车辆或物资,需district级"]),
    ],
)
def test_the_least_tier_whose_limits_are_kept(used, expected, reasons):
    ruling = rules.least(TIERS, used)
    assert (TIERS[ruling.level].id, [row.zh for row in ruling.reasons]) == (expected, reasons)


def test_an_item_may_have_its_own_limit():
    tiers = [tier("duty", max_units={WATER: 50}), tier("top", cross_store=True, modes=ALL, requisition=True)]
    read = [Tier.model_validate(row) for row in tiers]
    names = {WATER: ("饮用水", "water")}
    assert rules.least(read, uses(units={WATER: 50, BED: 10**6}, item_names=names)).level == 0
    ruling = rules.least(read, uses(units={WATER: 51}, item_names=names))
    assert ruling.level == 1
    assert ruling.reasons[0].en == "takes 51 of water, more than the 50 of the duty: the top has to approve"


@given(st.integers(0, 10_000), st.sets(st.sampled_from("NSX")), st.sets(st.sampled_from(ALL)), st.booleans())
def test_all_tiers_above_the_least_may_too_and_none_below(people, stores, modes, requisition):
    level = rules.least(TIERS, uses(people=people, stores=stores, modes=modes, requisition=requisition)).level
    for number, one in enumerate(TIERS):
        may = (
            (one.max_people is None or people <= one.max_people)
            and (one.cross_store or len(stores) < 2)
            and modes <= set(one.modes)
            and (one.requisition or not requisition)
        )
        assert may == (number >= level)


def test_what_a_plan_uses_is_read_off_its_trips():
    scenario = {
        "sources": [
            {"id": "N", "kind": "warehouse"},
            {"id": "N~contract", "kind": "warehouse"},
            {"id": "SUP", "kind": "supplier"},
        ],
        "supply": [
            {"source": "N", "item": WATER, "mode": "physical"},
            {"source": "N~contract", "item": WATER, "mode": "contract"},
            {"source": "SUP", "item": BED, "mode": "fund"},
        ],
        "vehicles": [{"type": "T"}, {"type": "R", "requisitioned": True}],
        "items": [{"id": WATER, "name_zh": "水", "name_en": "water"}],
    }
    trip = {
        "vehicle": "T#1",
        "visits": [{"node": "N", "load": {WATER: 3}}, {"node": "P", "deliver": {WATER: 3}}],
    }
    found = rules.uses(scenario, [trip, trip], people=9)
    assert (found.people, found.units, found.stores) == (9, {WATER: 6}, {"N"})
    assert (found.modes, found.requisition) == ({Mode.PHYSICAL}, False)
    other = {
        "vehicle": "R#2",
        "visits": [{"node": "N~contract", "load": {WATER: 1}}, {"node": "SUP", "load": {BED: 2}}],
    }
    more = rules.uses(scenario, [trip, other], people=9)
    assert (more.modes, more.stores) == (set(ALL) - {Mode.CAPACITY}, {"N"})
    assert more.requisition


@pytest.mark.parametrize(
    ("tiers", "told"),
    [
        ([], "at least 1"),
        ([DEMO[3], DEMO[3]], "one id twice"),
        ([DEMO[1], DEMO[0], DEMO[3]], "duty must be allowed all that deputy is"),
        ([DEMO[0], DEMO[1]], "the highest tier, deputy, must have no limits"),
        ([tier("x", max_people=0), DEMO[3]], "greater than or equal to 1"),
        ([tier("a", max_units={WATER: 5}), tier("b", max_units={WATER: 4}), DEMO[3]], "must be allowed all"),
    ],
)
def test_a_document_that_makes_no_sense_is_refused(tiers, told):
    with pytest.raises(ValidationError, match=told):
        Authority.model_validate(document(*tiers))
