"""The call-out over HTTP: register and sheet, each state by each role, callers at once, what plans make of it."""

from concurrent.futures import ThreadPoolExecutor
from uuid import UUID, uuid4

import pytest
from chubei_allocation import tasks
from chubei_allocation.call_out import rules
from chubei_shared.contracts.call_out import (
    CallDuty,
    CallRegister,
    CallState,
    CallStep,
    OpenCallOut,
    Person,
)
from chubei_shared.errors import Conflict, Forbidden, Invalid, NotFound
from chubei_shared.tokens import PEOPLE, Role
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

KEEPER, LOADER, DRIVER, SHELTER = CallDuty
S = CallState
INVENTED = {"certainty": "invented", "source": "test"}
PHONE, MASKED = "13812345678", "138****5678"
CALLERS = (Role.CLERK, Role.COMMANDER)


class Night:
    """A keeper, four loaders and two drivers in the north; a keeper in the south. Nobody at the supplier's."""

    def __init__(self, world) -> None:
        self.world, self.house, self.commander = world, world.house, world.commander
        self.truck = f"TRUCK-{world.north}"
        self.admin = self.house.as_(Role.ADMIN, name="admin")
        self.caller = self.house.as_(Role.CLERK, name="caller")
        self.register = CallRegister(
            people=[
                self.person("K-N", KEEPER),
                *(self.person(f"L-N{n}", LOADER) for n in range(4)),
                *(self.person(f"D-N{n}", DRIVER) for n in range(2)),
                self.person("K-S", KEEPER, place_id=world.south),
                self.person("S-1", SHELTER, place_id=world.shelters[0]),
            ]
        )
        self.admin.put_people(self.register)
        self.incident = world.declare()

    def person(self, id: str, duty: CallDuty, **more) -> Person:
        told = {
            "id": id, "name": f"人员{id}", "duty": duty, "place_id": self.world.north, "phone": PHONE, "arrive_min": 25,
            "provenance": INVENTED, "vehicle_type_id": self.truck if duty is DRIVER else None,
        }  # fmt: skip
        return Person.model_validate(told | more)

    def open(self, **more):
        return self.commander.call_people_out(self.incident.id, OpenCallOut(id=uuid4(), **more))

    def call_id(self, person_id: str) -> UUID:
        rows = self.commander.call_out(self.incident.id).rows
        return next(row.id for row in rows if row.person_id == person_id)

    def step(self, person_id: str, *moves: str, who=None, **more):
        """Moves one after the other; what stands with the last is `more`."""
        call_id = self.call_id(person_id)
        for move in moves[:-1]:
            (who or self.caller).step_call(call_id, CallStep(id=uuid4(), move=move))
        return (who or self.caller).step_call(call_id, CallStep(id=uuid4(), move=moves[-1], **more))

    def sql(self, statement: str, **values):
        return self.house.tx(lambda session: session.execute(text(statement), values))

    def scenario(self) -> dict:
        return self.world.proposed(self.incident).scenario


@pytest.fixture
def night(district) -> Night:
    return Night(district)


@pytest.fixture
def busy(stocked) -> Night:
    return Night(stocked)


# The register


def test_the_register_is_put_at_once_or_one_by_one_and_the_same_changes_nothing(night):
    assert night.admin.put_people(night.register) == 0
    changed = night.person("K-N", KEEPER, arrive_min=40)
    assert night.admin.put_person(changed) == changed
    assert night.admin.person("K-N").arrive_min == 40
    assert night.admin.put_people(night.register) == 1
    assert [p.id for p in night.admin.people()] == sorted(p.id for p in night.register.people)
    assert [p.id for p in night.admin.people(duty=KEEPER, place_id=night.world.south)] == ["K-S"]
    night.admin.put_person(night.person("K-N", KEEPER, active=False))
    assert [p.id for p in night.admin.people(active=False)] == ["K-N"]


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"place_id": "NOWHERE"}, "place_id"),
        ({"duty": "driver", "vehicle_type_id": "NONE"}, "vehicle_type_id"),
    ],
)
def test_all_or_nobody_comes_in(night, wrong, field):
    people = [night.person("NEW", LOADER), night.person("BAD", **{"duty": LOADER} | wrong)]
    with pytest.raises(Invalid) as refused:
        night.admin.put_people(CallRegister(people=people))
    assert refused.value.more["errors"][0]["field"] == field
    with pytest.raises(NotFound):
        night.admin.person("NEW")


@pytest.mark.parametrize(
    "body",
    [
        {"people": []},
        {"people": [{"duty": "driver"}]},
        {"people": [{"duty": "keeper", "vehicle_type_id": "T"}]},
        {"people": [{}, {}]},
        {"people": [{"phone": MASKED}]},
    ],
)
def test_what_contradicts_itself_is_refused(night, body):
    whole = night.person("X", LOADER).model_dump(mode="json")
    told = {"people": [whole | one for one in body["people"]]}
    answer = night.house.http(Role.ADMIN).put("/v1/call-register", json=told)
    assert answer.status_code == 422
    assert (
        night.house.http(Role.ADMIN).put("/v1/call-register/Y", json=whole).json()["errors"][0]["field"]
        == "id"
    )


def test_the_phone_of_who_left_is_forgotten_in_time(night):
    days = night.house.settings.personal_data_days
    put = night.house.as_(Role.COMMANDER).put_person
    for id in ("L-OLD", "L-NEW"):
        person = night.person(id, LOADER)
        put(person)
        put(person.model_copy(update={"active": False}))
    aged = "UPDATE call_person SET left_at = now() - make_interval(days => :age) WHERE id = :id"
    night.sql(aged, id="L-OLD", age=days)
    night.sql(aged, id="L-NEW", age=days - 1)
    forget = tasks.make_celery(night.house.settings).tasks[tasks.FORGET].run
    forget()
    caller, auditor = night.house.as_(Role.COMMANDER), night.house.as_(Role.AUDITOR)
    phones = [reader.person(id).phone for reader in (caller, auditor) for id in ("L-OLD", "L-NEW")]
    assert phones == ["", PHONE, "", MASKED]
    back = night.person("L-OLD", LOADER)
    put(back)
    forget()
    assert caller.person("L-OLD").phone == PHONE


@pytest.mark.parametrize("role", PEOPLE)
def test_phones_are_for_those_who_call(night, role):
    night.open()
    reader = night.house.as_(role)
    wanted = PHONE if role in (Role.ADMIN, *CALLERS) else MASKED
    assert {p.phone for p in reader.people()} == {reader.person("K-N").phone} == {wanted}
    assert {row.phone for row in reader.call_out(night.incident.id).rows} == {wanted}
    assert reader.call(night.call_id("K-N")).phone == wanted
    if role in (Role.ADMIN, Role.COMMANDER):
        reader.put_people(night.register)
        reader.put_person(night.register.people[0])
    else:
        for write in (
            lambda: reader.put_people(night.register),
            lambda: reader.put_person(night.register.people[0]),
        ):
            with pytest.raises(Forbidden):
                write()


# The sheet


def test_a_sheet_is_opened_once_and_added_to(night):
    empty = night.commander.call_out(night.incident.id)
    assert (empty.openings, empty.rows) == ([], [])
    body = OpenCallOut(id=uuid4(), places=[night.world.south], vehicle_types=[])
    first = night.commander.call_people_out(night.incident.id, body)
    assert [row.person_id for row in first.rows] == ["K-S"]
    assert night.commander.call_people_out(night.incident.id, body) == first
    with pytest.raises(Conflict, match="another call-out"):
        night.commander.call_people_out(night.incident.id, body.model_copy(update={"places": None}))
    night.step("K-S", "call")
    whole = night.open()
    assert [row.person_id for row in whole.rows if row.state is S.CALLED] == ["K-S"]
    assert len(whole.rows) == 8
    assert len(whole.openings) == 2
    assert whole.exercise
    assert whole.counts[S.TO_CALL] == 7


@pytest.mark.parametrize("named", [{"places": ["NOWHERE"]}, {"vehicle_types": ["NONE"]}])
def test_a_sheet_names_only_who_can_be_called(night, named):
    with pytest.raises(Invalid, match="nobody active"):
        night.open(**named)
    with pytest.raises(Invalid, match="Nobody on the register"):
        night.open(places=[], vehicle_types=[])
    with pytest.raises(NotFound):
        night.commander.call_people_out(uuid4(), OpenCallOut(id=uuid4()))
    with pytest.raises(NotFound):
        night.commander.step_call(uuid4(), CallStep(id=uuid4(), move="call"))


@pytest.mark.parametrize("role", PEOPLE)
def test_command_opens_and_clerks_call(night, role):
    night.open()
    person = night.house.as_(role)
    assert person.call_out(night.incident.id).rows
    body, step = OpenCallOut(id=uuid4()), CallStep(id=uuid4(), move="call")
    for act, allowed in (
        (lambda: person.call_people_out(night.incident.id, body), role is Role.COMMANDER),
        (lambda: person.step_call(night.call_id("K-N"), step), role in CALLERS),
    ):
        if allowed:
            act()
        else:
            with pytest.raises(Forbidden):
                act()


WAY = {
    S.TO_CALL: (), S.CALLED: ("call",), S.ANSWERED: ("call", "answer"), S.UNREACHABLE: ("call", "unreachable"),
    S.DECLINED: ("call", "decline"), S.PRESENT: ("call", "answer", "present"),
    S.RELEASED: ("call", "answer", "present", "release"),
}  # fmt: skip


@pytest.mark.parametrize("role", CALLERS)
@pytest.mark.parametrize("state", list(CallState))
def test_every_move_in_every_state(night, state, role):
    """As the table says, and as somebody counts in a plan."""
    who = night.house.as_(role)
    night.open()
    loaders = [f"L-N{n}" for n in range(4)] + ["K-N", "K-S"]
    assert set(rules.MOVES) == {"call", "answer", "unreachable", "decline", "present", "release"}
    for person_id, move in zip(loaders, rules.MOVES, strict=True):
        if WAY[state]:
            assert night.step(person_id, *WAY[state], who=who).state is state
        wanted = rules.MOVES[move].get(state)
        if wanted is None:
            with pytest.raises(Conflict) as refused:
                night.step(person_id, move, who=who)
            assert refused.value.more["state"] == state
        else:
            assert night.step(person_id, move, who=who).state is wanted


def test_what_was_heard_is_kept_with_who_and_when(night):
    night.open()
    night.step("L-N0", "call", "unreachable", "call", note="第二次")
    done = night.step("L-N0", "answer", expected_min=95)
    assert [(c.move, c.state, c.by, c.expected_min) for c in done.history] == [
        ("call", S.CALLED, "caller", None),
        ("unreachable", S.UNREACHABLE, "caller", None),
        ("call", S.CALLED, "caller", None),
        ("answer", S.ANSWERED, "caller", 95),
    ]
    assert done.history[2].note == "第二次"
    assert night.step("L-N0", "answer", expected_min=120).expected_min == 120
    assert night.step("L-N1", "call", "answer").expected_min == 13 * 60 + 25  # now, and the usual time
    for statement in ("UPDATE call_change SET by = 'x'", "DELETE FROM call_change"):
        with pytest.raises(IntegrityError, match="append-only"):
            night.sql(statement)
    with pytest.raises(IntegrityError, match="call_expected_check"):
        night.sql("UPDATE call SET state = 'answered', expected_min = NULL")


def test_the_same_step_again_is_one_and_another_of_its_id_is_refused(night):
    night.open()
    call_id, body = night.call_id("K-N"), CallStep(id=uuid4(), move="call")
    first = night.caller.step_call(call_id, body)
    assert night.caller.step_call(call_id, body) == first
    with pytest.raises(Conflict, match="another step"):
        night.caller.step_call(call_id, body.model_copy(update={"note": "x"}))
    with pytest.raises(Conflict, match="another step"):
        night.caller.step_call(night.call_id("K-S"), body)
    answer = night.house.http(Role.CLERK).post(
        f"/v1/calls/{call_id}/steps", json={"id": str(uuid4()), "move": "call", "expected_min": 5}
    )
    assert answer.status_code == 422


def test_of_several_callers_at_once_one_calls_and_the_others_learn_who(night):
    night.open()
    call_id = night.call_id("K-N")
    callers = [night.house.as_(Role.CLERK, name=f"caller-{n}") for n in range(4)]

    def call(who):
        try:
            return who.step_call(call_id, CallStep(id=uuid4(), move="call")).state_by
        except Conflict as error:
            return error.more["state_by"]

    with ThreadPoolExecutor(4) as pool:
        told = list(pool.map(call, callers))
    assert len(set(told)) == 1
    assert len(night.caller.call(call_id).history) == 1


def test_of_several_call_outs_at_once_everybody_is_on_the_sheet_once(night):
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: night.open(), range(4)))
    sheet = night.commander.call_out(night.incident.id)
    assert sorted(row.person_id for row in sheet.rows) == sorted(
        p.id for p in night.register.people if p.duty is not SHELTER
    )
    assert len(sheet.openings) == 4


def test_overdue_is_judged_as_one_looks(night):
    night.open(answer_within_min=10)
    night.step("K-N", "call")
    night.step("L-N0", "call")
    night.sql("UPDATE call SET state_at = now() - interval '10 minutes' WHERE person_id IN ('K-N', 'K-S')")
    sheet = night.commander.call_out(night.incident.id)
    assert [row.person_id for row in sheet.rows if row.overdue] == ["K-N"]
    assert sheet.overdue == 1
    assert not night.step("K-N", "answer", expected_min=60).overdue


def test_what_each_place_has_of_whom_it_needs(night):
    night.open()
    night.step("K-N", "present")
    night.step("L-N0", "present")
    night.step("L-N1", "call", "answer", expected_min=60)
    night.step("L-N2", "call", "answer", expected_min=30)
    night.step("L-N3", "call", "decline")
    night.step("D-N0", "call", "answer", expected_min=45)
    teams = {(t.place_id, t.duty): t for t in night.commander.call_out(night.incident.id).teams}
    north, south = night.world.north, night.world.south
    assert set(teams) == {(north, KEEPER), (north, LOADER), (north, DRIVER), (south, KEEPER)}
    loaders, drivers = teams[north, LOADER], teams[north, DRIVER]
    assert (loaders.needed, loaders.on_sheet, loaders.present) == (4, 4, 1)
    assert [(a.from_min, a.people) for a in loaders.expected] == [(0, 1), (30, 2), (60, 3)]
    assert (drivers.vehicle_type_id, drivers.needed, drivers.on_sheet, drivers.present) == (
        night.truck,
        3,
        2,
        0,
    )
    assert (teams[south, KEEPER].needed, teams[south, KEEPER].expected) == (1, [])


def test_changes_are_told_with_their_incident(night):
    night.open()
    night.step("K-N", "call")
    told = night.sql("SELECT body FROM outbox WHERE topic = 'call_out.changed' ORDER BY id").scalars().all()
    assert [(row["incident_id"], row.get("state"), row["exercise"]) for row in told] == [
        (str(night.incident.id), None, True),
        (str(night.incident.id), "called", True),
    ]
    noted = night.sql("SELECT subject, act FROM audit ORDER BY id DESC LIMIT 2").all()
    assert [tuple(row) for row in noted] == [
        ("caller", "POST /v1/calls/{id}/steps"),
        ("the-commander", "POST /v1/incidents/{id}/call-out"),
    ]


# What a plan makes of it


def test_a_plan_counts_standing_crews_until_there_is_a_sheet_and_then_who_is_there(busy):
    north, supplier = busy.world.north, busy.world.supplier
    before = busy.scenario()
    assert before["based_on"]["crews"] == "standing"
    assert before["based_on"]["call_out"] is None
    docks = {row["id"]: row["docks"] for row in before["sources"]}
    assert docks[north] == docks[supplier] == [[0, 1], [60, 2]]

    busy.open()
    busy.step("K-N", "present")
    busy.step("L-N0", "present")
    busy.step("L-N1", "call", "answer", expected_min=40)
    busy.step("L-N2", "call", "unreachable")
    busy.step("D-N0", "call", "answer", expected_min=90)
    busy.step("D-N1", "present")
    made = busy.scenario()
    assert made["based_on"]["crews"] == "call_out"
    assert made["based_on"]["call_out"] == {
        "places": sorted([north, busy.world.south]), "vehicle_types": [busy.truck], "present": 3, "expected": 2,
    }  # fmt: skip
    docks = {row["id"]: row["docks"] for row in made["sources"]}
    assert docks[north] == [[0, 0], [40, 1]]
    assert docks[busy.world.south] == [[0, 0]]
    assert docks[supplier] == [[0, 1], [60, 2]]
    truck, other = made["vehicles"]
    assert (truck["available_min"], truck["later"], truck["lost"]) == (20, [[2, 90]], [3])
    assert (other["count"], other.get("lost", [])) == (2, [])
    gaps = {row.get("vehicle") or row["place"]: row for row in made["left_out"] if "why" in row}
    assert (gaps[north]["docks"], gaps[busy.truck]["count"]) == (1, 1)
    assert "no keeper" in gaps[busy.world.south]["why"]
    plan = busy.commander.plan(next(iter(busy.commander.plans(busy.incident.id))).id).plan
    began = {
        trip["vehicle"]: min(visit["start"] for visit in trip["visits"]) for trip in reversed(plan["trips"])
    }
    assert f"{busy.truck}#3" not in began
    assert began.get(f"{busy.truck}#2", 90) >= 90
