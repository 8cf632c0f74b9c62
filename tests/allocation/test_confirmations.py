"""What suppliers confirm before a plan: asked, answered by each role in each state, overdue, and what plans count."""

from concurrent.futures import ThreadPoolExecutor
from uuid import UUID, uuid4

import pytest
from chubei_allocation import sweeping
from chubei_allocation.confirmations import asking, rules
from chubei_shared.contracts.confirmations import AskConfirmations, ConfirmationAnswer, ConfirmationState
from chubei_shared.errors import Conflict, Forbidden, Invalid, NotFound, Unavailable
from chubei_shared.tokens import PEOPLE, Caller, Role
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

WATER = "1020101"
S = ConfirmationState


class Asked:
    """The one supplier's 200 cases of water, ready 30 minutes after the call, in an incident."""

    def __init__(self, world) -> None:
        self.world, self.house, self.commander = world, world.house, world.commander
        self.incident = world.declare()

    def ask(self, **more):
        return self.commander.ask_confirmations(self.incident.id, AskConfirmations(id=uuid4(), **more))

    def one(self) -> UUID:
        return self.ask(place_ids=[self.world.supplier]).rows[-1].id

    def confirmed(self, units: int = 150, code: str = WATER, **more) -> ConfirmationAnswer:
        lines = [{"item_code": code, "mode": "contract", "quantity": units}]
        return ConfirmationAnswer.model_validate(
            {"id": uuid4(), "answer": "confirmed", "lines": lines} | more
        )

    def declined(self) -> ConfirmationAnswer:
        return ConfirmationAnswer(id=uuid4(), answer="declined")

    def sql(self, statement: str, **values):
        return self.house.tx(lambda session: session.execute(text(statement), values))

    def be_late(self) -> None:
        self.sql("UPDATE confirmation SET due_at = now() - interval '1 second'")

    def topics(self) -> list[str]:
        return list(
            self.sql("SELECT topic FROM outbox WHERE topic LIKE 'confirmation.%' ORDER BY id").scalars()
        )

    def water(self) -> tuple[list, list]:
        """What a plan counts of the supplier's water, and what it leaves out there."""
        scenario = self.world.proposed(self.incident).scenario
        self.based_on = scenario["based_on"]["confirmations"]
        rows = [r for r in scenario["supply"] if r["source"] == self.world.supplier]
        gaps = [gap for gap in scenario["left_out"] if gap.get("place") == self.world.supplier]
        return [(r["quantity"], r["available_min"]) for r in rows], [(g["quantity"], g["why"]) for g in gaps]


@pytest.fixture
def asked(stocked) -> Asked:
    return Asked(stocked)


def test_suppliers_with_firm_reserves_are_asked_once(asked):
    supplier = asked.world.supplier
    body = AskConfirmations(id=uuid4())
    first = asked.commander.ask_confirmations(asked.incident.id, body)
    row = next(row for row in first.rows if row.place_id == supplier)
    (item,) = row.items
    assert (item.item_code, item.mode, item.quantity, item.firm, item.lead_min) == (
        WATER,
        "contract",
        200,
        200,
        30,
    )
    assert (row.due_at - row.asked_at).total_seconds() == 30 * 60
    assert row.exercise
    assert not row.overdue
    assert all(place.place_id != asked.world.north for place in first.rows)
    assert asked.commander.ask_confirmations(asked.incident.id, body).rows == first.rows
    with pytest.raises(Conflict, match="another request"):
        asked.commander.ask_confirmations(asked.incident.id, body.model_copy(update={"due_within_min": 5}))
    assert asked.ask().rows == first.rows  # all were asked
    with pytest.raises(Conflict, match="asked already"):
        asked.ask(place_ids=[supplier])
    for unknown in ("NOBODY", asked.world.north):
        with pytest.raises(Invalid, match="no supplier"):
            asked.ask(place_ids=[unknown])
    with pytest.raises(NotFound):
        asked.commander.ask_confirmations(uuid4(), AskConfirmations(id=uuid4()))


def test_nobody_is_asked_while_inventory_is_away_and_a_retry_does_not_need_it(asked):
    body = AskConfirmations(id=uuid4(), place_ids=[asked.world.supplier])
    caller = Caller("the-commander", frozenset({Role.COMMANDER}))
    with pytest.raises(Unavailable):
        asking.ask(asked.house.tx, asked.house.lost_gate, asked.incident.id, body, caller)
    assert asked.commander.confirmations(asked.incident.id).rows == []
    made = asked.commander.ask_confirmations(asked.incident.id, body)
    assert (
        asking.ask(asked.house.tx, asked.house.lost_gate, asked.incident.id, body, caller).rows == made.rows
    )


def test_two_commanders_who_ask_at_once_ask_once(asked):
    with ThreadPoolExecutor(3) as pool:
        list(pool.map(lambda _: asked.ask(), range(3)))
    places = [row.place_id for row in asked.commander.confirmations(asked.incident.id).rows]
    assert len(places) == len(set(places))
    assert asked.world.supplier in places


@pytest.mark.parametrize("role", PEOPLE)
def test_command_asks_and_releases_and_clerks_write_answers_down(asked, role):
    id, person = asked.one(), asked.house.as_(role)
    assert person.confirmation(id).state is S.ASKED
    assert person.confirmations(asked.incident.id).counts.asked == 1
    for act, allowed in (
        (lambda: person.answer_confirmation(id, asked.confirmed()), role in (Role.CLERK, Role.COMMANDER)),
        (
            lambda: person.ask_confirmations(asked.incident.id, AskConfirmations(id=uuid4())),
            role is Role.COMMANDER,
        ),
        (lambda: person.release_confirmation(id), role is Role.COMMANDER),
    ):
        if allowed:
            act()
        else:
            with pytest.raises(Forbidden):
                act()


def test_the_table_of_moves():
    answered = {S.ASKED, S.CONFIRMED, S.DECLINED}
    assert {move: set(table) for move, table in rules.MOVES.items()} == dict.fromkeys(
        ("confirmed", "declined", "release"), answered
    )
    assert all(
        set(table.values()) == {S(move + "d" * (move == "release"))} for move, table in rules.MOVES.items()
    )


@pytest.mark.parametrize("state", list(ConfirmationState))
def test_every_answer_in_every_state(asked, state):
    id = asked.one()
    if state in (S.CONFIRMED, S.DECLINED):
        asked.commander.answer_confirmation(
            id, asked.confirmed() if state is S.CONFIRMED else asked.declined()
        )
    elif state is S.RELEASED:
        asked.commander.release_confirmation(id)
    for answer, wanted in ((asked.confirmed(), S.CONFIRMED), (asked.declined(), S.DECLINED)):
        if state is S.RELEASED:
            with pytest.raises(Conflict) as refused:
                asked.commander.answer_confirmation(id, answer)
            assert refused.value.more["state"] == "released"
        else:
            assert asked.commander.answer_confirmation(id, answer).state is wanted
    assert asked.commander.release_confirmation(id).state is S.RELEASED
    assert asked.commander.release_confirmation(id).state is S.RELEASED
    asked.ask(place_ids=[asked.world.supplier])  # and can be asked anew


def test_an_answer_is_changed_and_all_are_kept(asked):
    id, first = asked.one(), asked.confirmed(said_by="赵经理", ready_min=90)
    once = asked.commander.answer_confirmation(id, first)
    assert asked.commander.answer_confirmation(id, first) == once
    with pytest.raises(Conflict, match="another answer"):
        asked.commander.answer_confirmation(id, first.model_copy(update={"note": "x"}))
    clerk = asked.house.as_(Role.CLERK, name="clerk")
    last = clerk.answer_confirmation(id, asked.declined())
    assert [(one.answer, one.by, one.said_by) for one in last.history] == [
        ("confirmed", "the-commander", "赵经理"),
        ("declined", "clerk", ""),
    ]
    for statement in ("UPDATE confirmation_answer SET by = 'x'", "DELETE FROM confirmation_answer"):
        with pytest.raises(IntegrityError, match="append-only"):
            asked.sql(statement)
    with pytest.raises(IntegrityError, match="confirmation_state_check"):
        asked.sql("UPDATE confirmation SET state = 'gone'")


def test_each_item_that_was_asked_is_answered_and_no_other(asked):
    id = asked.one()
    with pytest.raises(Invalid, match="1040101/contract") as refused:
        asked.commander.answer_confirmation(id, asked.confirmed(code="1040101"))
    assert refused.value.more["errors"][0]["field"] == "lines"
    path = f"/v1/confirmations/{id}:answer"
    line = {"item_code": WATER, "mode": "contract", "quantity": 1}
    for body in (
        {"answer": "confirmed"},
        {"answer": "confirmed", "lines": [line, line]},
        {"answer": "declined", "lines": [line]},
        {"answer": "declined", "ready_min": 5},
        {"answer": "confirmed", "lines": [line | {"mode": "physical"}]},
    ):
        answer = asked.house.http(Role.COMMANDER).post(path, json={"id": str(uuid4()), **body})
        assert answer.status_code == 422, body
    with pytest.raises(NotFound):
        asked.commander.answer_confirmation(uuid4(), asked.confirmed())
    assert asked.commander.confirmation(id).history == []


def test_no_more_than_was_asked_can_be_confirmed(asked):
    id = asked.one()
    with pytest.raises(Invalid, match=r"约定的是 200.*but 200 are agreed") as refused:
        asked.commander.answer_confirmation(id, asked.confirmed(201))
    (error,) = refused.value.more["errors"]
    assert (error["field"], error["remedy"]) == ("lines", "最多 / at most 200")
    assert asked.commander.confirmation(id).state is S.ASKED
    assert asked.commander.answer_confirmation(id, asked.confirmed(200)).state is S.CONFIRMED


def test_overdue_is_told_once_by_the_sweeper_and_seen_by_all_who_look(asked):
    id = asked.one()
    sweeping.sweep(asked.house.tx, asked.house.gate)
    assert asked.topics() == ["confirmation.asked"]
    asked.be_late()
    row = asked.commander.confirmation(id)
    assert (row.overdue, row.minutes_left) == (True, 0)
    counts = asked.commander.confirmations(asked.incident.id).counts
    assert (counts.asked, counts.overdue) == (0, 1)
    for _ in range(2):
        sweeping.sweep(asked.house.tx, asked.house.gate)
    assert asked.topics() == ["confirmation.asked", "confirmation.overdue"]
    assert not asked.commander.answer_confirmation(id, asked.confirmed()).overdue
    assert asked.topics()[-1] == "confirmation.answered"
    told = asked.sql("SELECT body FROM outbox WHERE topic = 'confirmation.overdue'").scalars().one()
    assert (told["incident_id"], told["place_id"]) == (str(asked.incident.id), asked.world.supplier)


def test_a_plan_counts_what_was_confirmed_and_leaves_out_the_rest(asked):
    assert asked.water() == ([(200, 30)], [])
    assert asked.based_on == {"waiting": 0, "confirmed": 0, "declined": 0, "overdue": 0}
    id = asked.one()
    assert asked.water()[0] == [(200, 30)]  # not due yet: as inventory says
    asked.be_late()
    rows, gaps = asked.water()
    assert rows == []
    assert [units for units, _ in gaps] == [200]
    assert "not confirm in time" in gaps[0][1]
    asked.commander.answer_confirmation(id, asked.confirmed(150, ready_min=75))
    rows, gaps = asked.water()
    assert (rows, [units for units, _ in gaps]) == ([(150, 75)], [50])
    assert asked.based_on["confirmed"] == 1
    asked.commander.answer_confirmation(id, asked.confirmed(200))
    assert asked.water()[0] == [(200, 30)]
    asked.commander.answer_confirmation(id, asked.declined())
    rows, gaps = asked.water()
    assert rows == []
    assert "declined" in gaps[0][1]
    asked.commander.release_confirmation(id)
    assert asked.water()[0] == [(200, 30)]
