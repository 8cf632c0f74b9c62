"""Oral orders: dispatch starts at once, the papers are counted down and raised, break-glass is loud."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from chubei_allocation import sweeping, tasks
from chubei_allocation.oral_orders import rules
from chubei_shared.china import local
from chubei_shared.contracts.allocation_client import AllocationClient
from chubei_shared.contracts.break_glass import TELL
from chubei_shared.contracts.oral_orders import Account, OralOrder, OralState, Papers
from chubei_shared.contracts.orders import Step
from chubei_shared.contracts.plans import PlanStatus
from chubei_shared.errors import Conflict, Forbidden, Invalid, NotFound, Shortage, Unavailable
from chubei_shared.tokens import Caller, Role, Signer
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

DOCUMENT = Papers(document_no="西应急〔2026〕17号")
FOUND = Account(finding="属实")


def topics(house) -> list[str]:
    return house.tx(lambda session: list(session.scalars(text("SELECT topic FROM outbox ORDER BY id"))))


def let_time_pass(house, hours: int) -> None:
    house.tx(
        lambda session: session.execute(
            text("UPDATE oral_order SET papers_due_at = papers_due_at - make_interval(hours => :hours)"),
            {"hours": hours},
        )
    )


def commander(bureau):
    return bureau.by("wang", Role.COMMANDER)


def test_a_named_persons_word_starts_dispatch_and_the_papers_follow(bureau):
    plan, body = bureau.proposed(), bureau.oral()
    order = commander(bureau).oral_order(plan.id, body)
    assert (order.plan_status, order.given_by, order.tier) == ("approved", "sun", "head")
    assert (order.state, order.overdue, order.recorded_by) == (OralState.OPEN, False, "wang")
    assert order.papers_due_at == order.given_at + timedelta(hours=48)
    assert 47 * 60 < order.minutes_left < 48 * 60
    assert commander(bureau).oral_order(plan.id, body) == order  # again is the same
    (one,) = bureau.world.commander.plan(plan.id).approvals
    assert (one.person, one.oral, one.entered_by) == ("sun", True, "wang")
    assert len(list(bureau.world.commander.orders(plan.incident_id))) == len(plan.plan["trips"])
    told = [n for n in bureau.by("sun").notices(mine=True) if "口头命令已登记" in n.subject]
    assert len(told) == 1
    assert [o.id for o in bureau.by("sun").oral_orders(open=True)] == [order.id]
    for name, refused in (("wang", "Who entered"), ("duty-only", "may not approve")):
        with pytest.raises(Forbidden, match=refused):
            bureau.by(name).file_papers(order.id, DOCUMENT)
    closed = bureau.by("qian").file_papers(order.id, DOCUMENT)  # of the tier
    assert (closed.state, closed.papers_by, closed.document_no) == (
        OralState.CLOSED,
        "qian",
        DOCUMENT.document_no,
    )
    assert (closed.minutes_left, closed.closed_at is not None) == (0, True)
    assert bureau.by("qian").file_papers(order.id, DOCUMENT) == closed
    with pytest.raises(Conflict, match="is closed"):
        bureau.by("sun").file_papers(order.id, Papers(document_no="another"))
    assert list(bureau.by("sun").oral_orders(open=True)) == []
    with pytest.raises(Conflict, match="no break-glass entry"):
        bureau.by("zhou").account(order.id, FOUND)


def test_whose_word_it_is_must_have_the_authority(bureau):
    plan = bureau.proposed()
    with pytest.raises(Forbidden, match="wang may not approve this plan"):
        bureau.by("sun", Role.COMMANDER).oral_order(plan.id, bureau.oral(given_by="wang"))
    with pytest.raises(Invalid, match="given_by: an oral order is somebody else's"):
        bureau.by("sun", Role.COMMANDER).oral_order(plan.id, bureau.oral(given_by="sun"))
    bureau.post("HEAD", "head", holder="the-commander")
    with pytest.raises(Forbidden, match="Who asked for a plan"):
        commander(bureau).oral_order(plan.id, bureau.oral(given_by="the-commander"))
    for moment, told in ((timedelta(hours=1), "future"), (timedelta(days=-2), "before the incident")):
        given_at = (datetime.now(UTC) + moment).isoformat()
        with pytest.raises(Invalid, match=told):
            commander(bureau).oral_order(plan.id, bureau.oral(given_by="zhou", given_at=given_at))
    with pytest.raises(NotFound):
        commander(bureau).oral_order(uuid4(), bureau.oral())
    assert bureau.world.commander.plan(plan.id).status is PlanStatus.PROPOSED
    assert list(commander(bureau).oral_orders()) == []


def test_one_word_of_the_highest_tier_is_enough_to_start(bureau):
    plan = bureau.district_plan()
    assert commander(bureau).oral_order(plan.id, bureau.oral(given_by="zhou")).plan_status == "approved"


def test_the_word_of_who_has_signed_already_is_on_record_too(bureau):
    plan = bureau.district_plan()
    assert bureau.by("zhou").approve(plan.id).status == "proposed"  # a second has to sign
    order = commander(bureau).oral_order(plan.id, bureau.oral("zhou"))
    assert order.plan_status == "approved"
    rows = [(a.person, a.oral, a.entered_by) for a in bureau.world.commander.plan(plan.id).approvals]
    assert rows == [("zhou", False, "zhou"), ("zhou", True, "wang")]
    assert [a.oral for a in bureau.by("zhou").memo(plan.id).memo.approvals] == [False, True]


def test_an_order_for_a_plan_that_is_decided_is_refused(bureau):
    plan, body = bureau.proposed(), bureau.oral()
    bureau.by("sun").approve(plan.id)
    with pytest.raises(Conflict, match="nothing left to order"):
        commander(bureau).oral_order(plan.id, body)
    other = bureau.world.proposed()  # of what is left
    commander(bureau).oral_order(other.id, body)
    with pytest.raises(Conflict, match="another oral order's"):
        commander(bureau).oral_order(other.id, body.model_copy(update={"witness": "他人"}))


def in_need(bureau, name, role):
    """Who came in without the second factor."""
    caller = Caller(name, frozenset({role}), break_glass=True)
    client = bureau.house.http(role, name=name)
    token = Signer(bureau.house.settings.keys_dir, "gateway").issue(caller)
    client.headers["Authorization"] = f"Bearer {token}"
    return AllocationClient(client)


def test_what_is_approved_in_a_break_glass_session_says_so_on_its_papers(bureau):
    read = bureau.house.http(Role.AUDITOR).get
    plan = bureau.proposed()
    (one,) = in_need(bureau, "sun", Role.APPROVER).approve(plan.id).approvals
    assert one.break_glass
    assert "应急登录 signed in by break-glass" in read(f"/v1/plans/{plan.id}/memo/paper").text
    for name in ("zhou", "wu", "sun"):  # the highest tier, and in whose name it was done
        (told,) = [n for n in bureau.by(name).notices(mine=True) if "应急登录下的批准" in n.subject]
        assert f"{local(plan.created_at)} 的方案" in told.zh
    order = next(bureau.world.commander.orders(plan.incident_id))
    assert "sun(应急登录 break-glass)" in read(f"/v1/orders/{order.id}/papers").text


def test_posts_of_the_highest_tier_are_told_once_of_a_sign_in_by_break_glass(bureau):
    celery = tasks.make_celery(bureau.house.settings)
    event = {"id": str(uuid4()), "username": "sun", "reason": "手机被压在楼里", "witness": "值班员孙某"}
    for _ in range(2):
        celery.tasks[TELL].run(event)
    for name in ("zhou", "wu"):
        (told,) = [n for n in bureau.by(name).notices(mine=True) if "A sign-in without" in n.subject]
        assert all(
            event[key] in text for key in ("username", "reason", "witness") for text in (told.zh, told.en)
        )
    assert not [n for n in bureau.by("sun").notices(mine=True) if "A sign-in without" in n.subject]


def test_an_oral_order_of_a_break_glass_session_is_a_break_glass_entry(bureau):
    plan = bureau.proposed()
    given = in_need(bureau, "wang", Role.COMMANDER).oral_order(plan.id, bureau.oral())
    assert (given.break_glass, given.accounts_needed) == (True, 2)
    filed = in_need(bureau, "sun", Role.APPROVER).file_papers(given.id, DOCUMENT)
    assert (filed.state, filed.papers_note) == (OralState.UNACCOUNTED, "应急登录 / signed in by break-glass")
    told = bureau.by("sun").aftermath(plan.incident_id).events
    assert "电话下达口头命令(应急登记)" in [event.zh for event in told]


def test_overdue_papers_are_raised_once(bureau):
    plan = bureau.proposed()
    order = commander(bureau).oral_order(plan.id, bureau.oral())
    sweeping.sweep(bureau.house.tx, bureau.house.gate)
    assert "oral_order.overdue" not in topics(bureau.house)
    let_time_pass(bureau.house, 49)
    for _ in range(2):
        sweeping.sweep(bureau.house.tx, bureau.house.gate)
    assert topics(bureau.house).count("oral_order.overdue") == 1
    (late,) = commander(bureau).oral_orders(overdue=True)
    assert (late.id, late.overdue, late.minutes_left) == (order.id, True, 0)
    for name in ("sun", "zhou", "wu"):
        told = [n for n in bureau.by(name).notices(mine=True) if "逾期" in n.subject]
        assert len(told) == 1, name
    assert not bureau.by("sun").file_papers(order.id, DOCUMENT).overdue
    assert list(commander(bureau).oral_orders(overdue=True)) == []


def test_an_order_stays_on_record_where_stock_is_short_or_inventory_away(bureau):
    plan, body = bureau.proposed(), bureau.oral()
    with bureau.inventory_away(), pytest.raises(Unavailable, match="goes on by itself"):
        commander(bureau).oral_order(plan.id, body)
    assert commander(bureau).read_oral_order(body.id).plan_status == "approving"
    assert commander(bureau).oral_order(plan.id, body).plan_status == "approved"
    short, other = bureau.proposed(), bureau.oral()
    bureau.world.take_away(bureau.world.north, "1040101", 90)
    with pytest.raises(Shortage):
        commander(bureau).oral_order(short.id, other)
    assert commander(bureau).read_oral_order(other.id).plan_status == "refused"


def test_break_glass_is_loud_and_accounted_for_by_two(bureau):
    plan = bureau.proposed()
    nobody = bureau.by("night-watch", Role.COMMANDER)
    with pytest.raises(Forbidden, match="break_glass"):
        nobody.oral_order(plan.id, bureau.oral())
    answer = bureau.house.http(Role.COMMANDER).post(
        f"/v1/plans/{plan.id}:oral-order",
        json=bureau.oral().model_dump(mode="json") | {"break_glass": True},
    )
    assert answer.status_code == 422
    assert "reason" in answer.text
    order = nobody.oral_order(plan.id, bureau.oral(break_glass=True, reason="二次认证失效"))
    assert (order.plan_status, order.break_glass, order.accounts_needed) == ("approved", True, 2)
    assert "oral_order.break_glass" in topics(bureau.house)
    for name in ("zhou", "wu", "sun"):
        (told,) = [n for n in bureau.by(name).notices(mine=True) if "应急登记" in n.subject]
        assert "二次认证失效" in told.zh
    with pytest.raises(Forbidden, match="Who entered"):
        bureau.by("night-watch", Role.AUDITOR).account(order.id, FOUND)
    assert bureau.by("zhou").account(order.id, FOUND).accounts_needed == 1
    assert bureau.by("zhou").account(order.id, FOUND).accounts_needed == 1  # still one person
    papered = bureau.by("sun").file_papers(order.id, DOCUMENT)
    assert (papered.state, papered.closed_at) == (OralState.UNACCOUNTED, None)
    assert [o.id for o in nobody.oral_orders(open=True)] == [order.id]
    closed = bureau.by("audit", Role.AUDITOR).account(order.id, FOUND)
    assert (closed.state, [a.person for a in closed.accounts]) == (OralState.CLOSED, ["zhou", "audit"])
    assert list(nobody.oral_orders(open=True)) == []
    with pytest.raises(Conflict, match="is closed"):
        bureau.by("wu").account(order.id, FOUND)


def test_who_entered_an_order_takes_nothing_out_of_a_store_on_it(bureau):
    plan = bureau.proposed()
    commander(bureau).oral_order(plan.id, bureau.oral())
    order = next(
        o
        for o in bureau.world.commander.orders(plan.incident_id)
        if o.stops[0].place_id == bureau.world.north
    )
    at = bureau.world.commander.incident(plan.incident_id).occurred_at + timedelta(minutes=60)
    step = Step(id=uuid4(), stop=0, step="picked", occurred_at=at)
    both = bureau.house.as_(Role.CLERK, Role.COMMANDER, name="wang", places=frozenset({bureau.world.north}))
    with pytest.raises(Forbidden, match="wang approved this plan"):
        both.step(order.id, step)


def test_without_tiers_the_word_of_any_other_person_counts(stocked):
    plan = stocked.proposed()
    body = OralOrder(
        id=uuid4(), given_by="the-head", how="in_person", given_at=datetime.now(UTC), witness="李四"
    )
    order = stocked.house.as_(Role.APPROVER, name="watch").oral_order(plan.id, body)
    assert (order.plan_status, order.post_id, order.tier) == ("approved", None, None)
    assert stocked.commander.plan(plan.id).approved_by == "the-head"
    assert stocked.approver.file_papers(order.id, DOCUMENT).state is OralState.CLOSED


@pytest.mark.parametrize("break_glass", [False, True])
@pytest.mark.parametrize("papers", [False, True])
@pytest.mark.parametrize("accounts", [0, 1, 2])
def test_every_state_says_what_may_be_done(break_glass, papers, accounts):
    if accounts and not break_glass:
        assert (OralState.UNACCOUNTED, False) not in rules.MOVES
        return
    state = rules.state(papers, break_glass, accounts)
    allowed = rules.MOVES[state, break_glass]
    assert (rules.Act.PAPERS in allowed) == (not papers)
    assert (rules.Act.ACCOUNT in allowed) == (break_glass and state is not OralState.CLOSED)
    assert (state is OralState.CLOSED) == (papers and (accounts == 2 or not break_glass))


@pytest.mark.parametrize(
    ("constraint", "change"),
    [
        ("heard", "recorded_by = given_by"),
        ("reason", "break_glass = true"),
        ("papers", "papers_by = 'x'"),
        ("four_eyes", "papers_by = recorded_by, papers_at = now(), document_no = 'x'"),
        ("closed", "closed_at = now()"),
    ],
)
def test_the_database_itself_keeps_oral_orders_honest(bureau, constraint, change):
    commander(bureau).oral_order(bureau.proposed().id, bureau.oral())
    with pytest.raises(IntegrityError, match=f"oral_order_{constraint}_check"):
        bureau.house.tx(
            lambda session: session.execute(text(f"UPDATE oral_order SET {change}"))  # noqa: S608 (this file's own text)
        )
