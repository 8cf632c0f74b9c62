"""Approvals go by tiers: who may, two at the highest, rights that end in between, nobody doing both."""

import threading
from datetime import timedelta
from uuid import uuid4

import pytest
from chubei_allocation import sweeping
from chubei_shared.china import local
from chubei_shared.contracts.orders import Step
from chubei_shared.contracts.plans import PlanStatus
from chubei_shared.errors import (
    AppError,
    Conflict,
    Forbidden,
    NotFound,
    PreconditionFailed,
    PreconditionRequired,
    Unavailable,
)
from chubei_shared.tokens import Role
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError


def test_without_a_document_or_posts_any_approver_but_who_asked(stocked):
    plan = stocked.proposed()
    assert not plan.authority.by_tier
    assert plan.authority.en == "there is no authority document: any approver but who asked may approve"
    approved = stocked.approver.approve(plan.id)
    (one,) = approved.approvals
    assert (one.person, one.tier, one.post_id, one.oral, one.stands) == (
        "the-approver",
        None,
        None,
        False,
        True,
    )


def test_posts_that_nobody_ever_held_change_nothing_but_there_is_no_way_back(empty_bureau):
    bureau, admin, stocked = empty_bureau, empty_bureau.admin, empty_bureau.world
    bureau.post("HEAD", "head")
    bureau.put()
    plan = bureau.proposed()
    assert not admin.authority().in_force
    assert plan.authority.en.startswith("nobody has held a post yet: any approver")
    bureau.post("HEAD", "head", holder="sun")
    bureau.post("HEAD", "head")
    assert admin.authority().in_force
    with pytest.raises(Forbidden, match="set the tier of a post"):
        stocked.approver.approve(plan.id)


def test_the_document_is_versioned_and_edited_by_edition(bureau):
    admin = bureau.admin
    first = admin.authority()
    assert (first.version, first.in_force, first.put_by) == (1, True, "the-admin")
    assert [(h.tier, h.person, h.deputy) for h in first.holders] == [
        ("duty", "wang", False),
        ("head", "sun", False),
        ("head", "qian", True),
        ("district", "zhou", False),
        ("district", "wu", False),
    ]
    assert admin.put_authority(bureau.document()).version == 1  # the same again changes nothing
    with pytest.raises(PreconditionRequired):
        admin.put_authority(bureau.document(max_people=5))
    etag = bureau.house.http(Role.ADMIN).get("/v1/authority").headers["ETag"]
    assert admin.put_authority(bureau.document(max_people=5), etag).version == 2
    with pytest.raises(PreconditionFailed):
        admin.put_authority(bureau.document(max_people=6), etag)
    assert admin.authority(version=1).authority == bureau.document()
    with pytest.raises(NotFound):
        admin.authority(version=3)
    for role in (Role.CLERK, Role.COMMANDER, Role.APPROVER, Role.AUDITOR):
        with pytest.raises(Forbidden):
            bureau.house.as_(role).put_authority(bureau.document(max_people=7), "*")
    with pytest.raises(DBAPIError, match="append"):
        bureau.house.tx(lambda session: session.execute(text("UPDATE authority_version SET put_by = 'x'")))


def test_who_lacks_the_tier_is_told_why_and_who_has_it(bureau):
    plan = bureau.proposed()
    need = plan.authority
    assert (need.by_tier, need.tier, need.approvers) == (True, "head", 1)
    assert [row.zh for row in need.reasons] == [
        "救助 300 人,超过duty级的上限 100 人,需head级",
        "从 2 个库调出,需head级",
        "动用协议储备,需head级",
    ]
    assert [h.person for h in need.who] == ["sun", "qian", "zhou", "wu"]
    for name in ("wang", "nobody"):
        with pytest.raises(Forbidden) as refused:
            bureau.by(name).approve(plan.id)
        assert "sun(岗位HEAD)" in refused.value.detail
        assert "动用协议储备,需head级" in refused.value.detail
        assert [row["person"] for row in refused.value.more["who"]] == ["sun", "qian", "zhou", "wu"]
    assert bureau.world.commander.plan(plan.id).approvals == []
    approved = bureau.by("qian").approve(plan.id)  # the deputy
    assert (approved.status, approved.approved_by) == (PlanStatus.APPROVED, "qian")
    (one,) = approved.approvals
    assert (one.tier, one.post_id, one.authority_version) == ("head", "HEAD", 1)


def test_above_the_tier_one_is_enough(bureau):
    plan = bureau.proposed()
    assert bureau.by("zhou").approve(plan.id).status is PlanStatus.APPROVED


def test_nobody_of_the_tier_says_what_to_do(bureau):
    plan = bureau.proposed()
    for post in ("HEAD", "MAYOR", "VICE"):
        bureau.post(post, None)
    with pytest.raises(Forbidden, match="set the tier of a post"):
        bureau.by("sun").approve(plan.id)


def test_who_asked_does_not_approve_whatever_the_post(bureau):
    bureau.post("HEAD", "head", holder="the-commander")
    plan = bureau.proposed()
    with pytest.raises(Forbidden, match="may not approve it"):
        bureau.by("the-commander", Role.APPROVER, Role.COMMANDER).approve(plan.id)


def test_two_persons_at_the_highest_tier(bureau):
    plan = bureau.district_plan()
    assert (plan.authority.tier, plan.authority.approvers) == ("district", 2)
    first = bureau.by("zhou").approve(plan.id)
    assert (first.status, [a.person for a in first.approvals]) == (PlanStatus.PROPOSED, ["zhou"])
    assert bureau.by("zhou").approve(plan.id) == first  # again: still one person
    assert list(bureau.world.commander.orders(plan.incident_id)) == []
    told = list(bureau.by("wu").notices(mine=True))
    assert [n.subject for n in told] == ["【演练 EXERCISE】待第二人审批 / A second approval is wanted"]
    assert f"{local(plan.created_at)} 的方案已由 zhou 批准" in told[0].zh
    assert f"zhou approved the plan of {local(plan.created_at)}" in told[0].en
    second = bureau.by("wu").approve(plan.id)
    assert (second.status, second.approved_by) == (PlanStatus.APPROVED, "wu")
    assert [(a.person, a.stands) for a in second.approvals] == [("zhou", True), ("wu", True)]
    assert bureau.by("zhou").approve(plan.id) == second  # the first one's approval is part of it
    with pytest.raises(Conflict, match="has decided"):
        bureau.by("sun").approve(plan.id)


def test_an_approval_by_somebody_who_lost_the_post_since_does_not_count(bureau):
    plan = bureau.district_plan()
    bureau.by("zhou").approve(plan.id)
    bureau.post("MAYOR", "district", holder="zheng")
    (one,) = bureau.world.commander.plan(plan.id).approvals
    assert (one.person, one.stands) == ("zhou", False)
    assert bureau.by("wu").approve(plan.id).status is PlanStatus.PROPOSED
    with pytest.raises(Forbidden):
        bureau.by("zhou").approve(plan.id)
    assert bureau.by("zheng").approve(plan.id).status is PlanStatus.APPROVED


def test_a_post_that_changes_while_an_approval_begins_waits_for_it(bureau):
    """The check is made under a lock on the posts: there is no moment between it and the decision."""
    plan = bureau.proposed()
    house, changed = bureau.house, threading.Event()
    from chubei_allocation.approval import approval
    from chubei_shared.tokens import Caller

    def change() -> None:
        bureau.post("HEAD", "head", holder="zheng")
        changed.set()

    def begin(session) -> None:
        approval.begin(session, plan.id, Caller("sun", frozenset({Role.APPROVER})))
        other.start()
        assert not changed.wait(1.0)

    other = threading.Thread(target=change)
    house.tx(begin)
    other.join()
    assert changed.is_set()
    assert approval.advance(house.tx, house.gate, plan.id).approved_by == "sun"


def test_two_commanders_and_two_approvers_at_once_make_one_outcome(bureau):
    incident = bureau.world.declare()
    plans = [bureau.proposed(incident) for _ in range(2)]
    outcomes, together = [], threading.Barrier(4)

    def approve(plan, name) -> None:
        together.wait()
        try:
            outcomes.append(bureau.by(name).approve(plan.id).status)
        except AppError as error:
            outcomes.append(type(error))

    threads = [threading.Thread(target=approve, args=(p, name)) for p in plans for name in ("sun", "zhou")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(map(str, outcomes)) == sorted(map(str, [PlanStatus.APPROVED, Conflict, Conflict, Conflict]))


def test_two_of_the_highest_at_once_are_two_approvals_and_one_outcome(bureau):
    plan = bureau.district_plan()
    outcomes, together = [], threading.Barrier(2)

    def approve(name) -> None:
        together.wait()
        outcomes.append(bureau.by(name).approve(plan.id).status)

    threads = [threading.Thread(target=approve, args=(name,)) for name in ("zhou", "wu")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert PlanStatus.APPROVED in outcomes
    found = bureau.world.commander.plan(plan.id)
    assert (found.status, len(found.approvals)) == (PlanStatus.APPROVED, 2)
    assert len(list(bureau.world.commander.orders(plan.incident_id))) == len(plan.plan["trips"])


def test_inventory_away_at_the_second_approval_holds_nothing_without_an_owner(bureau):
    plan = bureau.district_plan()
    bureau.by("zhou").approve(plan.id)
    with bureau.inventory_away(), pytest.raises(Unavailable, match="goes on by itself"):
        bureau.by("wu").approve(plan.id)
    assert bureau.world.commander.plan(plan.id).status is PlanStatus.APPROVING
    bureau.post("VICE", "district", holder="zheng")  # after the decision: it stands
    bureau.house.tx(
        lambda session: session.execute(text("UPDATE plan SET decided_at = now() - interval '1 minute'"))
    )
    sweeping.sweep(bureau.house.tx, bureau.house.gate)
    found = bureau.by("wu").approve(plan.id)
    assert (found.status, [a.stands for a in found.approvals]) == (PlanStatus.APPROVED, [True, True])


def test_who_approved_does_not_carry_it_out(bureau):
    plan = bureau.proposed()
    bureau.by("sun").approve(plan.id)
    order = next(
        o
        for o in bureau.world.commander.orders(plan.incident_id)
        if o.stops[0].place_id == bureau.world.north
    )
    step = Step(
        id=uuid4(),
        stop=0,
        step="picked",
        occurred_at=bureau.world.commander.incident(plan.incident_id).occurred_at + timedelta(minutes=60),
    )
    places = frozenset({bureau.world.north})
    with pytest.raises(Forbidden, match="sun approved this plan"):
        bureau.house.as_(Role.CLERK, Role.APPROVER, name="sun", places=places).step(order.id, step)
    assert bureau.world.clerks[bureau.world.north].step(order.id, step).status == "under_way"
