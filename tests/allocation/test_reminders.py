"""What is waited for in vain is told once to those whose task it is; what ended or was answered is not."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

from chubei_allocation import sweeping, tasks
from chubei_shared.china import CHINA, local
from chubei_shared.contracts.confirmations import AskConfirmations
from chubei_shared.contracts.plans import PlanRequest
from chubei_shared.tokens import Role
from response_command import Command, a_duty, a_plan
from sqlalchemy import text

from tests.effort import EFFORT


def test_what_is_late_is_told_once_to_the_posts_of_its_stage(stocked):
    command = Command(stocked)
    command.admin.put_response_plan(
        a_plan(a_duty("WATCH", "supervise"), a_duty("DECIDE", "order", to_post="HEAD")), "*"
    )
    incident = stocked.declare(hours_ago=3)
    stocked.commander.ask_confirmations(
        incident.id, AskConfirmations(id=uuid4(), place_ids=[stocked.supplier])
    )
    for _ in range(2):
        command.sweep()
        sweeping.remind(command.tx)
    said = command.told(incident_id=incident.id)
    assert [post for post, zh in said if "安置点未按时上报人数" in zh] == ["DUTY"]
    assert not any("未在时限内确认" in zh for _, zh in said)

    command.sql("UPDATE confirmation SET due_at = now() - interval '1 minute'")
    command.sweep()
    command.sql("UPDATE confirmation SET due_at = now() - interval '2 minutes'")
    command.sweep()
    said = command.told(incident_id=incident.id)
    assert [post for post, zh in said if "未在时限内确认" in zh] == ["HEAD"]
    hours = command.tx(
        lambda s: s.scalar(text("SELECT count(*) FROM notice WHERE dedup_key LIKE 'headcounts:%'"))
    )
    assert 1 <= hours <= 2, "once an hour"


def test_a_replan_of_the_system_is_told_once_to_those_who_decide(stocked):
    command = Command(stocked)
    incident = stocked.declare(hours_ago=1)
    command.sweep()
    system = command.house.as_(Role.COMMANDER, name="system")
    body = PlanRequest(id=uuid4(), incident_id=incident.id, now_min=0, **EFFORT)
    stocked.solve(system.request_plan(body).id)
    plan_id = command.admin.plan_request(body.id).plan_id
    assert plan_id
    for _ in range(2):
        sweeping.remind(command.tx)
    said = command.told(incident_id=incident.id)
    named = f"系统已算出新方案:{local(system.plan(plan_id).created_at)} 的方案"
    assert [post for post, zh in said if named in zh] == ["HEAD"]


def test_nobody_is_reminded_of_what_has_ended(stocked):
    command = Command(stocked)
    incident = stocked.declare(hours_ago=3)
    stocked.commander.ask_confirmations(
        incident.id, AskConfirmations(id=uuid4(), place_ids=[stocked.supplier])
    )
    command.sql("UPDATE confirmation SET due_at = now() - interval '1 minute'")
    command.amend(incident.id, kind="ended")
    command.sweep()
    sweeping.remind(command.tx)
    assert not any(
        "未按时上报" in zh or "未在时限内" in zh for _, zh in command.told(incident_id=incident.id)
    )


def test_reminders_have_a_beat_of_their_own_and_the_night_begins_by_the_clock_of_china(house_settings):
    celery = tasks.make_celery(house_settings)
    schedule = celery.conf.beat_schedule
    assert {entry["task"] for entry in schedule.values()} <= set(celery.tasks)
    assert schedule["remind"]["task"] == tasks.REMIND
    night = schedule["night"]["schedule"]
    night.app = celery
    at = datetime.now(UTC) + night.remaining_estimate(datetime.now(UTC))
    assert abs(at - (at.astimezone(CHINA).replace(hour=2, minute=0, second=0))) < timedelta(minutes=1)
