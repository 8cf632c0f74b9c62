"""The decision memo: made of what is on record, hashed, kept as the approver saw it, and printed."""

import json
from hashlib import sha256
from uuid import uuid4

import pytest
from chubei_shared.contracts.amendments import Amendment
from chubei_shared.contracts.plans import PlanStatus
from chubei_shared.errors import Conflict, NotFound, Shortage
from chubei_shared.tokens import Role
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

WATER = "1020101"


def test_the_memo_says_what_was_asked_found_and_needed(bureau):
    incident = bureau.world.declare()
    other = bureau.proposed(incident)
    plan = bureau.proposed(incident)
    memo = bureau.by("sun").memo(plan.id)
    body = memo.memo
    text_ = json.dumps(
        body.model_dump(mode="json"), sort_keys=True, ensure_ascii=False, separators=(",", ":")
    )
    assert memo.hash == sha256(text_.encode()).hexdigest()
    assert bureau.by("sun").memo(plan.id) == memo  # the same records, the same memo
    assert (body.inputs.snapshot_hash, body.inputs.requested_by) == (plan.snapshot_hash, "the-commander")
    assert body.inputs.asked["policy"] == "fair"
    assert (body.incident.id, body.incident.exercise) == (incident.id, True)
    assert [row.plan_id for row in body.alternatives] == [other.id]
    assert (body.result.supported, body.result.bound) == (plan.supported, plan.bound)
    assert body.result.gap == pytest.approx((plan.bound - plan.objective) / plan.bound)
    assert body.result.stores == sorted([bureau.world.north, bureau.world.south, bureau.world.supplier])
    assert (body.authority.tier, body.authority.version) == ("head", 1)
    assert "动用协议储备,需head级" in body.authority.zh
    assert (body.approvals, body.status) == ([], PlanStatus.PROPOSED)
    with pytest.raises(NotFound):
        bureau.by("sun").memo(uuid4())


def test_the_approval_names_the_memo_that_was_seen(bureau):
    plan = bureau.proposed()
    shown = bureau.by("sun").memo(plan.id)
    bureau.proposed(bureau.world.commander.incident(plan.incident_id))  # one more alternative
    with pytest.raises(Conflict, match="changed since you read it") as refused:
        bureau.by("sun").approve(plan.id, seen=shown.hash)
    again = bureau.by("sun").memo(plan.id)
    assert refused.value.more["hash"] == again.hash != shown.hash
    (one,) = bureau.by("sun").approve(plan.id, seen=again.hash).approvals
    assert (one.memo_hash, one.seen) == (again.hash, again.hash)
    decided = bureau.by("sun").memo(plan.id)
    assert (decided.memo.status, decided.memo.decided_by) == (PlanStatus.APPROVED, "sun")
    assert [row.memo_hash for row in decided.memo.approvals] == [again.hash]
    assert bureau.by("sun").memo(plan.id, seen=again.hash) == again  # as it was seen
    with pytest.raises(NotFound, match="those that were approved on are kept"):
        bureau.by("sun").memo(plan.id, seen=shown.hash)
    bureau.proposed(bureau.world.commander.incident(plan.incident_id))
    assert bureau.by("sun").memo(plan.id).hash == decided.hash  # what comes after the decision is not in it
    with pytest.raises(DBAPIError, match="append"):
        bureau.house.tx(lambda session: session.execute(text("UPDATE plan_approval SET memo_hash = 'x'")))


def test_the_memo_tells_the_level_that_the_incident_has_by_then(bureau):
    plan, sun = bureau.proposed(), bureau.by("sun")
    read = sun.memo(plan.id)

    def graver(level: int) -> None:
        body = {"id": uuid4(), "why": "升级", "change": {"kind": "level", "level": level}}
        bureau.world.commander.amend(plan.incident_id, Amendment.model_validate(body))

    graver(1)
    assert (read.memo.incident.level, sun.memo(plan.id).memo.incident.level) == (2, 1)
    with pytest.raises(Conflict, match="changed since you read it"):
        sun.approve(plan.id, seen=read.hash)
    sun.approve(plan.id)
    graver(3)
    assert sun.memo(plan.id).memo.incident.level == 1  # what comes after the decision is not in it


def test_who_signs_beside_another_has_read_enough(bureau):
    plan = bureau.district_plan()
    read = bureau.by("wu").memo(plan.id)
    bureau.by("zhou").approve(plan.id, seen=read.hash)  # while wu reads it too
    second = bureau.by("wu").approve(plan.id, seen=read.hash)
    assert (second.status, second.approved_by) == (PlanStatus.APPROVED, "wu")
    assert second.approvals[1].seen == read.hash != second.approvals[1].memo_hash
    other = bureau.district_plan()
    read = bureau.by("wu").memo(other.id)
    bureau.by("zhou").approve(other.id, seen=read.hash)
    bureau.proposed(bureau.world.commander.incident(other.incident_id))  # what both did not read
    with pytest.raises(Conflict, match="changed since you read it"):
        bureau.by("wu").approve(other.id, seen=read.hash)


def test_an_approval_without_a_hash_keeps_what_was_there(bureau):
    plan = bureau.proposed()
    shown = bureau.by("sun").memo(plan.id)
    (one,) = bureau.by("sun").approve(plan.id).approvals
    assert (one.memo_hash, one.seen) == (shown.hash, None)


def test_a_refused_plan_tells_its_shortages(bureau):
    plan = bureau.proposed()
    bureau.world.take_away(bureau.world.north, WATER, 180)
    with pytest.raises(Shortage):
        bureau.by("sun").approve(plan.id)
    body = bureau.by("sun").memo(plan.id).memo
    assert (body.status, [row.item_code for row in body.shortages]) == (PlanStatus.REFUSED, [WATER])
    assert [row.person for row in body.approvals] == ["sun"]


def test_the_memo_is_printed_without_scripts(bureau):
    plan = bureau.proposed()
    bureau.by("sun").approve(plan.id)
    memo = bureau.by("sun").memo(plan.id)
    answer = bureau.house.http(Role.AUDITOR).get(f"/v1/plans/{plan.id}/memo/paper")
    assert answer.status_code == 200
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    for told in (
        "应急项目决策备忘录",
        memo.hash,
        plan.snapshot_hash,
        "sun",
        "演练 EXERCISE",
        "动用协议储备",
    ):
        assert told in answer.text, told
    assert "<script" not in answer.text
    seen = memo.memo.approvals[0].memo_hash
    before = bureau.house.http(Role.AUDITOR).get(f"/v1/plans/{plan.id}/memo/paper", params={"hash": seen})
    assert seen in before.text
    assert "尚未批准" in before.text
