"""The sample district's posts and response plan, as `chubei seed` puts them."""

from pathlib import Path

import pytest
from chubei_allocation import sweeping
from chubei_cli import seeding
from chubei_cli.district import load_district
from chubei_cli.seed import appoint, enlist
from chubei_shared.contracts.call_out import CallDuty, Person
from chubei_shared.contracts.response import Stage
from chubei_shared.tokens import Role

SAMPLE = Path(__file__).parents[2] / "deploy" / "scenarios" / "xicheng"


@pytest.fixture
def admin(district):
    admin = district.house.as_(Role.ADMIN)
    appoint(admin, load_district(SAMPLE))
    return admin


def test_seeding_again_leaves_whom_people_appointed(admin):
    post = admin.post("DUTY").post.model_copy(update={"holder": "wang"})
    admin.put_post(post, "*")
    appoint(admin, load_district(SAMPLE))
    assert admin.post("DUTY").post.holder == "wang"
    assert admin.response_plan().version == 1
    assert {view.post.provenance.certainty for view in admin.posts()} == {"invented"}


def test_people_to_call_are_seeded_once_and_shelters_have_keepers(house):
    house.clear()
    sample, admin = load_district(SAMPLE), house.as_(Role.ADMIN)
    admin.put_network(seeding.network_of(sample))
    enlist(admin, sample)
    first = next(admin.people(duty=CallDuty.SHELTER))
    assert {one.place_id for one in admin.people(duty=CallDuty.SHELTER)} == {
        row.id for row in sample.shelters
    }
    admin.put_person(Person.model_validate({**first.model_dump(), "phone": "13800000000"}))
    enlist(admin, sample)
    assert admin.person(first.id).phone == "13800000000"


def test_authority_is_seeded_and_in_force_once_somebody_holds_a_post(admin):
    view = admin.authority()
    assert [(tier.id, tier.max_people, tier.approvers) for tier in view.authority.tiers] == [
        ("bureau-duty", 500, 1),
        ("bureau-deputy", 2000, 1),
        ("bureau-head", None, 1),
        ("district-government", None, 2),
    ]
    assert (view.version, view.in_force, view.authority.provenance.certainty) == (1, False, "estimated")
    admin.put_post(admin.post("BUREAU-HEAD").post.model_copy(update={"holder": "sun"}), "*")
    appoint(admin, load_district(SAMPLE))
    after = admin.authority()
    assert (after.version, after.in_force) == (1, True)
    assert [(row.tier, row.person) for row in after.holders] == [("bureau-head", "sun")]


def test_an_incident_of_level_two_has_tasks_in_every_stage(district, admin):
    incident = district.declare()
    sweeping.sweep(district.house.tx, district.house.gate)
    found = admin.incident_tasks(incident.id)
    assert {task.stage for task in found.rows} == set(Stage)
    assert found.stage is Stage.ALARM
    assert {task.duty_id for task in found.rows} >= {"ORDER-CONTRACTS", "ALARM-PRESIDE"}
    assert "ORDER-CITY" not in {task.duty_id for task in found.rows}
    assert all(task.plan_version == 1 and task.minutes_left > 0 for task in found.rows)
