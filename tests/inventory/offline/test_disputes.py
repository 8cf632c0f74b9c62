"""What is in dispute, and how a supervisor settles it."""

from uuid import UUID, uuid4

from chubei_inventory.proof import checks
from chubei_shared.contracts.catalogue import PlaceKind
from chubei_shared.tokens import Role
from offline_cases import Phone, box
from sqlalchemy import Engine
from sqlalchemy.orm import Session


def test_a_dispute_is_settled_by_finding_or_by_undoing(phone, boss):
    issue = phone.issue(6)
    phone.send(phone.receive(2), issue)
    dispute = phone.disputes()[0]
    when = phone.yard.now().isoformat()
    found = {
        "how": "found", "id": str(uuid4()), "occurred_at": when, "place_id": phone.yard.store,
        "lot_id": dispute["lot_id"], "units": 3, "reason": "现场清点",
    }  # fmt: skip
    later = boss.post("/v1/disputes:settle", json=found | {"occurred_at": "2199-01-01T00:00:00Z"})
    assert (later.status_code, later.json()["errors"][0]["field"]) == (422, "occurred_at")
    assert [boss.post("/v1/disputes:settle", json=found).status_code for _ in range(2)] == [201, 200]
    assert phone.row() == (0, 0, 1)
    too_many = boss.post("/v1/disputes:settle", json=found | {"id": str(uuid4()), "units": 2})
    assert too_many.json()["units"] == 1
    undone = {
        "how": "undone",
        "id": str(uuid4()),
        "occurred_at": when,
        "movement_id": issue["id"],
        "reason": "误报",
    }
    assert [boss.post("/v1/disputes:settle", json=undone).status_code for _ in range(2)] == [201, 200]
    assert phone.row() == (5, 5, 0)
    assert boss.post("/v1/disputes:settle", json=undone | {"movement_id": str(uuid4())}).status_code == 409
    assert phone.yard.books_balance()


def test_nothing_is_in_dispute_beyond_the_books(phone, boss):
    phone.send(phone.receive(2), phone.issue(6))
    body = {
        "how": "found", "id": str(uuid4()), "occurred_at": phone.yard.now().isoformat(), "units": 1, "reason": "清点",
        "place_id": "outside:issued", "lot_id": phone.disputes()[0]["lot_id"],
    }  # fmt: skip
    answer = boss.post("/v1/disputes:settle", json=body)
    assert (answer.status_code, answer.json()["units"]) == (409, 0)


def test_undoing_what_nobody_reported_names_the_field_and_the_remedy(phone, boss):
    when, unknown = phone.yard.now().isoformat(), str(uuid4())
    body = {
        "how": "undone",
        "id": str(uuid4()),
        "occurred_at": when,
        "movement_id": unknown,
        "reason": "误报",
    }
    answer = boss.post("/v1/disputes:settle", json=body)
    assert answer.status_code == 404
    (error,) = answer.json()["errors"]
    assert error["field"] == "movement_id"
    assert "GET /v1/disputes" in error["remedy"]
    assert answer.json()["detail"].startswith("movement_id")


def test_a_short_pick_of_what_is_held_says_which_plan_must_get_other_lots(phone, sign_in):
    phone.send(phone.receive(10), phone.receive(10, "B2"))
    hold_id = str(phone.yard.hold(10))
    held = next(line.lot_id for line in phone.yard.service.get_hold(UUID(hold_id)).lines)
    (answer,) = phone.send(phone.report("short_pick", {"quantity": 4, "lot_id": str(held)}))
    assert answer["reason"] == "short"
    remedy = f"POST /v1/holds/{hold_id}:repick"
    assert remedy in answer["detail"]
    assert remedy in answer["detail_en"]
    (dispute,) = phone.disputes()
    assert (dispute["units"], dispute["holds"]) == (4, [hold_id])
    assert sign_in(Role.COMMANDER).post(f"/v1/holds/{hold_id}:repick").status_code == 200
    assert phone.disputes() == []
    assert phone.row() == (16, 6, 0)


def test_what_is_short_and_held_by_nobody_names_no_plan(phone):
    (answer,) = phone.send(phone.issue(3))
    assert answer["reason"] == "short"
    assert "repick" not in answer["detail_en"]
    assert phone.disputes()[0]["holds"] == []


def test_what_arrives_elsewhere_offline_is_booked_and_told(phone, sign_in, engine):
    other, sent_to = phone.yard.place(PlaceKind.STORE), phone.yard.place(PlaceKind.STORE)
    ends = {"place_id": None, "from_place_id": phone.yard.store, "to_place_id": sent_to}
    sent = phone.report("send", {"quantity": 10, "lot": box("A1")}, **ends)
    phone.send(phone.receive(10), sent)
    there = Phone(phone.yard, sign_in(Role.CLERK, other))
    line, of = {"lot": box("A1"), "received": 4}, {"place_id": other, "sent_id": sent["id"]}
    wrong, diverted = (
        there.report("arrive", line, **of),
        there.report("arrive", line, **of, reason="道路中断,改送"),
    )
    (answer,) = there.send(wrong)
    assert (answer["outcome"], answer["reason"]) == ("parked", "elsewhere")
    assert sent_to in answer["detail_en"]
    assert there.row(other) == (4, 4, 0), "the goods are there"
    assert diversions(engine, other) == [(wrong["id"], sent_to, other)]
    assert there.outcomes(there.reverse(wrong), diverted) == [("accepted", None)] * 2
    assert diversions(engine, other) == []
    assert phone.yard.books_balance()


def test_what_arrives_elsewhere_before_it_was_sent_is_found_by_the_proof(phone, sign_in, engine):
    other, sent_to = phone.yard.place(PlaceKind.STORE), phone.yard.place(PlaceKind.STORE)
    ends = {"place_id": None, "from_place_id": phone.yard.store, "to_place_id": sent_to}
    sent = phone.report("send", {"quantity": 10, "lot": box("A1")}, **ends)
    there = Phone(phone.yard, sign_in(Role.CLERK, other))
    came = there.report("arrive", {"lot": box("A1"), "received": 10}, place_id=other, sent_id=sent["id"])
    assert there.outcomes(came) == [("parked", "short")]
    phone.send(sent, phone.receive(10))
    assert (there.row(other), phone.disputes()) == ((10, 10, 0), [])
    assert diversions(engine, other) == [(came["id"], sent_to, other)]
    there.send(there.reverse(came))
    assert diversions(engine, other) == []


def diversions(engine: Engine, place: str) -> list[tuple[str, str, str]]:
    """What the proof finds to have come in at a place that it was not sent to: the arrival, where to, where."""
    with Session(engine) as session:
        found = checks.of(session, "diverted")
    return [(one.rows["movement_id"], one.expected, one.found) for one in found if one.found == place]
