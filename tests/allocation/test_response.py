"""The response plan, and its tasks as they are given out: by level, once."""

from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import pytest
from chubei_allocation.response import opening, rules
from chubei_shared.contracts.response import Duty, Stage
from chubei_shared.errors import (
    Forbidden,
    Invalid,
    NotFound,
    PreconditionFailed,
    PreconditionRequired,
)
from chubei_shared.tokens import PEOPLE, Role
from hypothesis import given
from hypothesis import strategies as st
from response_command import INVENTED, PLAN, Command, a_duty, a_plan
from sqlalchemy import text


@pytest.fixture
def command(district) -> Command:
    return Command(district)


# The plan


def test_a_plan_is_a_document_by_version(command):
    assert command.admin.response_plan().version == 1
    assert command.admin.put_response_plan(PLAN).version == 1
    other = a_plan(a_duty("ALARM"))
    with pytest.raises(PreconditionRequired):
        command.admin.put_response_plan(other)
    etag = command.house.http(Role.AUDITOR).get("/v1/response-plan").headers["ETag"]
    changed = command.admin.put_response_plan(other, etag)
    assert (changed.version, changed.put_by, changed.plan) == (2, "admin", other)
    with pytest.raises(PreconditionFailed):
        command.admin.put_response_plan(PLAN, etag)
    assert command.admin.response_plan(1).plan == PLAN
    with pytest.raises(NotFound, match="no version 3"):
        command.admin.response_plan(3)


def test_a_plan_names_posts_that_are_there_and_each_duty_once(command):
    with pytest.raises(Invalid, match="there is no post NOBODY"):
        command.admin.put_response_plan(a_plan(a_duty("X", to_post="NOBODY")), "*")
    body = {"duties": [a_duty("X"), a_duty("X")], "provenance": INVENTED}
    answer = command.house.http(Role.ADMIN).put("/v1/response-plan", json=body, headers={"If-Match": "*"})
    assert (answer.status_code, "share the id X" in answer.text) == (422, True)


def test_there_is_no_plan_before_one_is_put(house):
    house.clear()
    with pytest.raises(NotFound, match="PUT /v1/response-plan first"):
        house.as_(Role.CLERK).response_plan()


@pytest.mark.parametrize("role", PEOPLE)
def test_everyone_reads_and_administrators_and_command_put_the_plan(command, role):
    incident_id = command.declared()
    person = command.person("someone", role)
    assert person.response_plan().plan == PLAN
    assert len(person.incident_tasks(incident_id).rows) == 3
    assert len(list(person.tasks())) == 3
    assert list(person.tasks(mine=True)) == []
    assert person.task(command.task(incident_id).id).duty_id == "ALARM"
    if role in (Role.ADMIN, Role.COMMANDER):
        assert person.put_response_plan(a_plan(a_duty("X")), "*").version == 2
    else:
        with pytest.raises(Forbidden):
            person.put_response_plan(a_plan(a_duty("X")), "*")


@given(st.lists(st.tuples(st.sampled_from(Stage), st.integers(1, 4)), max_size=20), st.integers(1, 4))
def test_a_graver_incident_calls_for_all_that_a_milder_one_does(drawn, level):
    duties = [
        Duty.model_validate(a_duty(str(number), stage, from_level))
        for number, (stage, from_level) in enumerate(drawn)
    ]
    found = rules.called_for(duties, level)
    assert {duty.id for duty in found} == {duty.id for duty in duties if duty.from_level >= level}
    assert all(rules.STAGES.index(a.stage) <= rules.STAGES.index(b.stage) for a, b in pairwise(found))
    if level > 1:
        assert {duty.id for duty in found} <= {duty.id for duty in rules.called_for(duties, level - 1)}


# Given out


def test_tasks_are_given_out_by_level_once_and_posts_are_told(command):
    incident_id = command.declared()
    command.sweep()
    found = command.admin.incident_tasks(incident_id)
    assert [(task.duty_id, task.to_post, task.state) for task in found.rows] == [
        ("ALARM", "DUTY", "open"),
        ("DECIDE", "HEAD", "open"),
        ("REPORT", "DUTY", "open"),
    ]
    assert found.stage is Stage.ALARM
    assert sorted(command.told()) == [
        ("DUTY", "【演练】做 ALARM"),
        ("DUTY", "【演练】做 REPORT"),
        ("HEAD", "【演练】做 DECIDE"),
    ]
    assert found.exercise
    assert all(task.exercise and task.minutes_left in (59, 2879) for task in found.rows)


def test_sweepers_at_once_give_out_one_set(command):
    incident_id = command.district.declare(hours_ago=1).id
    with ThreadPoolExecutor(4) as pool:
        made = list(pool.map(lambda _: command.tx(opening.open_for, incident_id), range(4)))
    assert sorted(made) == [0, 0, 0, 3]
    assert len(list(command.admin.notices())) == 3


def test_a_sweeper_that_dies_half_way_leaves_nothing_and_the_next_does_it(command):
    incident_id = command.district.declare(hours_ago=1).id

    def dies(session):
        opening.open_for(session, incident_id)
        raise RuntimeError("killed")

    with pytest.raises(RuntimeError):
        command.tx(dies)
    assert command.admin.incident_tasks(incident_id).rows == []
    assert list(command.admin.notices()) == []
    command.sweep()
    assert len(command.admin.incident_tasks(incident_id).rows) == 3


def test_a_graver_level_gives_out_the_rest_and_a_milder_one_takes_nothing(command):
    incident_id = command.declared()
    command.amend(incident_id, kind="level", level=1)
    command.sweep()
    assert [task.duty_id for task in command.admin.incident_tasks(incident_id).rows] == [
        "ALARM", "DECIDE", "CITY", "REPORT",
    ]  # fmt: skip
    command.amend(incident_id, kind="level", level=4)
    command.sweep()
    assert len(command.admin.incident_tasks(incident_id).rows) == 4
    assert command.task(incident_id, "CITY").tier == "district-government"


def test_an_ended_incident_asks_for_nothing_until_it_is_reopened(command):
    incident_id = command.district.declare(hours_ago=1).id
    command.amend(incident_id, kind="ended")
    command.sweep()
    assert command.admin.incident_tasks(incident_id).rows == []
    command.amend(incident_id, kind="reopened")
    command.sweep()
    assert len(command.admin.incident_tasks(incident_id).rows) == 3


def test_a_plan_that_comes_a_little_late_still_gives_out_tasks_and_one_much_later_does_not(command):
    command.tx(
        lambda s: s.execute(
            text("SET LOCAL session_replication_role = replica; TRUNCATE response_plan CASCADE")
        )
    )
    soon, long_ago = (command.district.declare(hours_ago=1).id for _ in range(2))
    command.sweep()
    assert command.admin.incident_tasks(soon).rows == []
    command.sql("UPDATE incident SET declared_at = now() - interval '2 days' WHERE id = :id", id=long_ago)
    command.admin.put_response_plan(PLAN)
    command.sweep()
    assert len(command.admin.incident_tasks(soon).rows) == 3
    assert command.admin.incident_tasks(long_ago).rows == []


def test_a_new_plan_leaves_the_tasks_of_running_incidents(command):
    incident_id = command.declared()
    command.admin.put_response_plan(a_plan(a_duty("OTHER")), "*")
    command.sweep()
    assert {task.plan_version for task in command.admin.incident_tasks(incident_id).rows} == {1}
    assert [task.duty_id for task in command.admin.incident_tasks(command.declared()).rows] == ["OTHER"]
