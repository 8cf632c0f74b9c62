"""Tasks of a response: moved as the table allows, upwards if nobody answers."""

from concurrent.futures import ThreadPoolExecutor
from uuid import UUID, uuid4

import pytest
from chubei_allocation.notices import routing
from chubei_allocation.response import rules, steps
from chubei_shared.contracts.response import Stage, TaskState, TaskStep
from chubei_shared.errors import (
    Conflict,
    Forbidden,
    Invalid,
    NotFound,
)
from chubei_shared.tokens import PEOPLE, Role
from response_command import Command, a_duty, a_plan
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError


@pytest.fixture
def command(district) -> Command:
    return Command(district)


# Moved


def test_from_alarm_to_report(command):
    incident_id = command.declared()
    wang, sun = command.person("wang"), command.person("sun")
    stages = []
    for who, duty in ((wang, "ALARM"), (sun, "DECIDE"), (wang, "REPORT")):
        command.move(who, command.task(incident_id, duty), "acknowledge")
        assert command.move(who, command.task(incident_id, duty), "complete").state is TaskState.DONE
        stages.append(command.admin.incident_tasks(incident_id).stage)
    assert stages == [Stage.ORDER, Stage.REPORT, None]
    assert list(command.admin.tasks(open=True)) == []
    done = command.task(incident_id)
    assert [(step.move, step.state, step.by) for step in done.history] == [
        ("acknowledge", "acknowledged", "wang"),
        ("complete", "done", "wang"),
    ]


def in_state(command, incident_id: UUID, state: TaskState):
    task = command.task(incident_id)
    for move in {
        TaskState.OPEN: [],
        TaskState.ACKNOWLEDGED: ["acknowledge"],
        TaskState.DONE: ["acknowledge", "complete"],
        TaskState.DROPPED: ["drop"],
    }[state]:
        command.move(command.person("wang"), task, move, reason="如此")
    return command.task(incident_id)


PERSONS = [("wang", Role.CLERK), ("li", Role.AUDITOR), *(("someone", role) for role in PEOPLE)]
ASKED = {
    "acknowledge": {},
    "complete": {},
    "drop": {"reason": "无需"},
    "reassign": {"reason": "换人", "to_post": "HEAD"},
}


@pytest.mark.parametrize("state", list(TaskState))
@pytest.mark.parametrize("move", list(ASKED))
def test_every_move_in_every_state_by_everyone(command, move, state):
    """The table of moves decides, and whether somebody holds the post or commands."""
    led_to = rules.after(state, move)
    for name, role in PERSONS:
        incident_id = command.declared()
        task = in_state(command, incident_id, state)
        person = command.person(name, role)
        holds = name in ("wang", "li")
        may = holds or (move in ("drop", "reassign") and role in (Role.COMMANDER, Role.ADMIN))
        if may and led_to:
            assert command.move(person, task, move, **ASKED[move]).state is led_to
            continue
        with pytest.raises(Conflict if may else Forbidden):
            command.move(person, task, move, **ASKED[move])
        assert command.task(incident_id) == task


def test_the_table_of_moves_is_the_one_that_people_were_told():
    open_, acknowledged, done, dropped = TaskState
    allowed = {
        (state, move): led_to
        for move in rules.MOVES
        for state in TaskState
        if (led_to := rules.after(state, move))
    }
    assert allowed == {
        (open_, "acknowledge"): acknowledged,
        (acknowledged, "complete"): done,
        (open_, "drop"): dropped,
        (acknowledged, "drop"): dropped,
        (open_, "reassign"): open_,
        (acknowledged, "reassign"): open_,
        (open_, "escalate"): open_,
    }


def test_the_same_step_again_is_one_and_another_of_its_id_is_refused(command):
    first, second = command.task(command.declared()), command.task(command.declared())
    body = TaskStep(id=uuid4(), move="acknowledge")
    wang = command.person("wang")
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: wang.step_task(first.id, body), range(4)))
    assert [len(answer.history) for answer in answers] == [1] * 4
    for task, other in ((second, body), (first, body.model_copy(update={"reason": "另"}))):
        with pytest.raises(Conflict, match="another step's"):
            wang.step_task(task.id, other)


@pytest.mark.parametrize(
    "body",
    [
        {"move": "drop"},
        {"move": "drop", "reason": " "},
        {"move": "reassign", "reason": "x"},
        {"move": "reassign", "to_post": "HEAD"},
        {"move": "acknowledge", "to_post": "HEAD"},
        {"move": "escalate"},
    ],
)
def test_a_step_that_is_not_whole_is_refused(command, body):
    task = command.task(command.declared())
    answer = command.house.http(Role.CLERK, name="wang").post(
        f"/v1/tasks/{task.id}/steps", json={"id": str(uuid4()), **body}
    )
    assert answer.status_code == 422, answer.text
    assert command.task(task.incident_id).history == []


def test_a_task_goes_to_another_post_and_begins_anew_there(command):
    task = command.task(command.declared())
    command.move(command.person("wang"), task, "acknowledge")
    with pytest.raises(Invalid, match="no post NOBODY"):
        command.move(command.district.commander, task, "reassign", reason="在现场", to_post="NOBODY")
    moved = command.move(command.district.commander, task, "reassign", reason="在现场", to_post="MAYOR")
    assert (moved.to_post, moved.state, moved.asked) == ("MAYOR", "open", ["MAYOR"])
    assert moved.history[-1].reason == "在现场"
    assert command.told(to_post="MAYOR") == [("MAYOR", "【演练】做 ALARM")]
    with pytest.raises(Forbidden):
        command.move(command.person("wang"), task, "acknowledge")
    assert command.move(command.person("zhou"), task, "acknowledge").state is TaskState.ACKNOWLEDGED


def test_tasks_follow_the_post_when_a_person_changes_post(command):
    task = command.task(command.declared())

    def mine(name):
        return sorted(row.duty_id for row in command.person(name).tasks(mine=True, open=True))

    assert (mine("wang"), mine("li"), mine("qian")) == (["ALARM", "REPORT"], ["ALARM", "REPORT"], [])
    command.put_post("DUTY", holder="qian", escalates_to="HEAD")
    assert (mine("wang"), mine("li"), mine("qian")) == ([], [], ["ALARM", "REPORT"])
    with pytest.raises(Forbidden):
        command.move(command.person("wang"), task, "acknowledge")
    command.move(command.person("qian"), task, "acknowledge")


def test_what_is_taken_up_is_no_unread_notice_any_more(command):
    task = command.task(command.declared())
    wang = command.person("wang")
    assert wang.notice_count().unread == 2
    command.move(wang, task, "acknowledge")
    assert wang.notice_count().unread == 1


def test_history_can_not_be_rewritten(command):
    command.move(command.person("wang"), command.task(command.declared()), "acknowledge")
    for change in ("DELETE FROM response_step", "UPDATE response_plan SET put_by = 'x'"):
        with pytest.raises(IntegrityError, match="append-only"):
            command.sql(change)


def test_a_task_that_is_not_there(command):
    for ask in (
        lambda: command.admin.task(uuid4()),
        lambda: command.admin.incident_tasks(uuid4()),
        lambda: command.admin.step_task(uuid4(), TaskStep(id=uuid4(), move="acknowledge")),
    ):
        with pytest.raises(NotFound):
            ask()


# Late


def pass_by(command, minutes: int) -> None:
    command.sql(
        "UPDATE response_task SET opened_at = opened_at - make_interval(mins => :n),"
        " due_at = due_at - make_interval(mins => :n), asked_at = asked_at - make_interval(mins => :n)",
        n=minutes,
    )


def test_overdue_is_judged_as_one_looks(command):
    incident_id = command.declared()
    pass_by(command, 61)
    task = command.task(incident_id)
    assert (task.overdue, task.minutes_left) == (True, 0)
    assert not command.task(incident_id, "REPORT").overdue
    command.move(command.person("wang"), task, "acknowledge")
    assert command.move(command.person("wang"), task, "complete").overdue is False


def test_what_nobody_acknowledges_goes_up_once_for_each_post_and_no_further(command):
    incident_id = command.declared()
    asked = []
    for _ in range(4):
        pass_by(command, 11)
        command.sweep()
        command.sweep()
        asked.append(command.task(incident_id).asked)
    top = ["DUTY", "HEAD", "MAYOR"]
    assert asked == [["DUTY", "HEAD"], top, top, top]
    task = command.task(incident_id)
    assert (task.escalated, task.state, task.to_post) == (True, "open", "DUTY")
    assert [(step.move, step.to_post, step.by) for step in task.history] == [
        ("escalate", "HEAD", "allocation"),
        ("escalate", "MAYOR", "allocation"),
    ]
    told = [zh for post, zh in command.told(to_post="MAYOR") if "ALARM" in zh]
    assert told == ["【演练】岗位HEAD未在 10 分钟内确认:做 ALARM"]
    topics = [event["topic"] for event in command.house.http(Role.ADMIN).get("/v1/allocation/events").json()]
    assert "task.unanswered" not in topics  # not numbered yet: no relay runs here
    assert (
        command.tx(lambda s: s.scalar(text("SELECT count(*) FROM outbox WHERE topic = 'task.unanswered'")))
        == 3
    )


@pytest.mark.parametrize("who", ["wang", "sun"])
def test_below_and_above_may_both_take_up_what_went_up(command, who):
    incident_id = command.declared()
    pass_by(command, 11)
    command.sweep()
    assert "ALARM" in [task.duty_id for task in command.person("sun").tasks(mine=True)]
    taken = command.move(command.person(who), command.task(incident_id), "acknowledge")
    assert taken.escalated
    pass_by(command, 11)
    command.sweep()
    assert command.task(incident_id).asked == ["DUTY", "HEAD"]


def test_what_is_acknowledged_or_closed_goes_nowhere(command):
    incident_id = command.declared()
    for duty in ("ALARM", "REPORT"):
        command.move(command.person("li"), command.task(incident_id, duty), "acknowledge")
    command.move(command.admin, command.task(incident_id, "DECIDE"), "drop", reason="无需")
    pass_by(command, 600)
    assert command.tx(steps.escalate) == 0


def test_a_clock_that_was_set_back_silences_nobody(command):
    """Given out by tomorrow's clock."""
    incident_id = command.declared()
    pass_by(command, -24 * 60)
    command.sweep()
    task = command.task(incident_id)
    assert task.asked == ["DUTY", "HEAD"]
    assert task.minutes_left == 60  # never more than there were


def test_a_hundred_tasks_for_one_post_are_no_storm(command):
    """Twenty go out one by one; what the channels carry is the notices' business."""
    command.put_post(
        "DUTY",
        holder="wang",
        escalates_to="HEAD",
        channels=[{"kind": "webhook", "url": "http://127.0.0.1:9/"}],
    )
    command.admin.put_response_plan(a_plan(*(a_duty(f"D{number}") for number in range(100))), "*")
    command.declared()
    command.tx(routing.route)
    sent = "SELECT count(*) FROM notice_delivery WHERE kind = 'webhook'"
    assert command.tx(lambda s: s.scalar(text(sent))) == 20


def test_what_is_done_with_tasks_is_in_the_audit(command):
    task = command.task(command.declared())
    command.move(command.person("wang"), task, "acknowledge")
    with pytest.raises(Forbidden):
        command.move(command.person("nosy"), task, "complete")
    noted = command.tx(
        lambda s: s.execute(
            text("SELECT subject, act, outcome FROM audit WHERE target = :target ORDER BY id"),
            {"target": f"/v1/tasks/{task.id}/steps"},
        ).all()
    )
    act = "POST /v1/tasks/{id}/steps"
    assert [tuple(row) for row in noted] == [("wang", act, 200), ("nosy", act, 403)]
