"""Afterwards: one time line, planned against actual, where the minutes went, and what is owed to whom."""

import csv
import io
from datetime import datetime, timedelta
from types import SimpleNamespace
from uuid import uuid4

import pytest
from chubei_allocation.aftermath import aftermath, export, printing, rules, timeline
from chubei_allocation.aftermath.rules import Told
from chubei_allocation.dispatch import moves
from chubei_shared.contracts.aftermath import EventKind, Phase
from chubei_shared.contracts.amendments import Amendment
from chubei_shared.contracts.deviations import DeviationReport
from chubei_shared.contracts.holds import HeldLine
from chubei_shared.contracts.orders import StepKind, Stop
from chubei_shared.contracts.stock import DeliverLine
from chubei_shared.tokens import Caller, Role
from nights import Night
from openpyxl import load_workbook

WATER, BED = "1020101", "1010201"
READ = (Role.CLERK, Role.COMMANDER, Role.APPROVER, Role.AUDITOR, Role.ADMIN)


def test_every_pair_of_reports_has_its_phase():
    pairs = {(None, step) for step in moves.AT_LOAD[None]} - {(None, StepKind.RECEIVED)}
    for table in (moves.AT_LOAD, moves.AT_DELIVERY):
        pairs |= {(before, step) for before, to in table.items() if before for step in to}
        pairs |= {(StepKind.DEPARTED, step) for step in table[None]}
    assert set(rules.PHASE_OF) == pairs
    assert set(timeline._STEPS) == set(StepKind)
    assert set(printing._KINDS) == set(EventKind)


def test_a_trips_minutes_are_those_between_its_reports():
    stops = [_stop(0, 10, 30, load={WATER: 5}), _stop(1, 50, 60, deliver={WATER: 5})]
    told = [
        Told(0, StepKind.PICKED, 15), Told(0, StepKind.LOADED, 40), Told(0, StepKind.DEPARTED, 45),
        Told(1, StepKind.ARRIVED, 75), Told(1, StepKind.RECEIVED, 100),
    ]  # fmt: skip
    found = {row.phase: (row.minutes, row.planned) for row in rules.phases(rules.stretches(stops, told, 5))}
    assert found[Phase.PICKING] == (10, None)
    assert found[Phase.LOADING] == (25, 20)
    assert found[Phase.DRIVING] == (30, 20)
    assert found[Phase.UNLOADING] == (10, 10)  # as long as planned: the rest was waiting for a bay
    assert found[Phase.WAITING] == (5 + 15, None)
    assert sum(minutes for minutes, _ in found.values()) == 100 - 5


def test_what_is_owed_follows_the_agreement_or_is_to_be_agreed():
    def line(mode, issued, reserve_id=None, consent=""):
        return HeldLine(
            place_id="S", item_code=WATER, mode=mode, lot_id=None, reserve_id=reserve_id, quantity=9, issued=issued,
            consent=consent,
        )  # fmt: skip

    agreed = SimpleNamespace(
        id="A",
        place_id="S",
        item_code=WATER,
        mode="contract",
        price_rule="capped",
        unit_price_fen=150,
        party="甲公司",
    )
    held = [
        line("contract", 4, "A"), line("contract", 3, "A"), line("contract", 0, "A"),  # called off, and not taken
        line("physical", 5), line("physical", 2, consent="征用令 7 号"),
    ]  # fmt: skip
    found = rules.owed(held, [SimpleNamespace(reserve=agreed)], {})
    assert [(row.source, row.party, row.units, row.amount_fen) for row in found] == [
        ("contract", "甲公司", 7, 1050),
        (None, "征用令 7 号", 2, None),
    ]
    assert ["at most" in found[0].en, "to be agreed" in found[1].en] == [True, True]


def _stop(number, start, end, load=None, deliver=None) -> Stop:
    return Stop(
        stop=number, place_id=f"S{number}", kind="warehouse" if load else "point", name_zh="", name_en="",
        arrive_min=start, start_min=start, end_min=end, load=load or {}, modes={}, deliver=deliver or {},
    )  # fmt: skip


@pytest.fixture
def over(stocked):
    """An incident that was carried out: one truck late, some beds broken, and ended."""
    night = Night(stocked)
    world, incident = night.world, night.incident
    victim = next(
        order for order in night.orders if any(stop.deliver.get(BED, 0) >= 5 for stop in order.stops)
    )
    stop = next(stop for stop in victim.stops if stop.deliver.get(BED, 0) >= 5)
    lines = [
        DeliverLine(item_code=item, received=units) for item, units in stop.deliver.items() if item != BED
    ]
    lines.append(DeliverLine(item_code=BED, received=stop.deliver[BED] - 5, damaged=2, short=3))
    world.commander.report_deviation(
        incident.id,
        DeviationReport(
            id=uuid4(),
            occurred_at=incident.occurred_at + timedelta(minutes=5),
            what={"kind": "way_closed", "from_id": world.north, "to_id": world.shelters[0]},
        ),
    )
    for order in night.orders:
        night.run(order, {stop.stop: lines} if order.id == victim.id else None)
    world.commander.amend(
        incident.id, Amendment.model_validate({"id": uuid4(), "why": "已安置", "change": {"kind": "ended"}})
    )
    return night


def test_the_account_of_an_incident(over):
    world, incident = over.world, over.incident
    found = world.commander.aftermath(incident.id)
    assert (found.ended, found.exercise, found.people, found.served) == (True, True, 300, found.planned)
    assert found.served_by_hour == found.planned_by_hour
    assert found.served_by_hour[-1] == found.served

    when = [event.at for event in found.events]
    assert when == sorted(when)
    kinds = {event.kind for event in found.events}
    assert kinds >= {
        EventKind.INCIDENT, EventKind.AMENDMENT, EventKind.PLAN, EventKind.DECISION, EventKind.ORDER,
        EventKind.RECEIPT, EventKind.DEVIATION,
    }  # fmt: skip
    assert any(event.zh.startswith("变更(结束事件)") for event in found.events)
    steps = sum(len(world.commander.order(order.id).steps) for order in over.orders)
    assert sum(event.kind in (EventKind.ORDER, EventKind.RECEIPT) for event in found.events) == steps

    beds = next(row for row in found.items if row.item_code == BED)
    sent = sum(stop.deliver.get(BED, 0) for order in over.orders for stop in order.stops)
    assert sent >= 300
    assert (beds.planned, beds.loaded, beds.received, beds.damaged, beds.short) == (
        sent,
        sent,
        sent - 5,
        2,
        3,
    )
    assert {row.place_id for row in found.stores} == {order.stops[0].place_id for order in over.orders}
    assert all(row.late_min == 0 for row in (*found.stores, *found.trips))  # carried out as planned
    spent = {row.phase: row for row in found.phases}
    assert list(spent) == list(Phase)
    assert spent[Phase.DRIVING].minutes == spent[Phase.DRIVING].planned > 0
    assert spent[Phase.DECIDING].minutes >= 13 * 60  # by the wall's clock: it was declared so late

    bought = sum(
        units for o in over.orders for s in o.stops for i, units in s.load.items() if s.modes[i] == "contract"
    )
    assert bought > 0
    assert [(row.item_code, row.units, row.amount_fen) for row in found.compensation] == [
        (WATER, bought, bought * 2000)
    ]
    assert (found.compensation_fen, found.compensation[0].party) == (bought * 2000, "示例供水")
    left = sum(row.units for row in found.replenish if row.item_code == WATER)
    drunk = sum(stop.deliver.get(WATER, 0) for order in over.orders for stop in order.stops)
    assert drunk >= 300
    assert left == drunk - bought
    assert sum(row.units for row in found.replenish if row.item_code == BED) == sent


def test_it_goes_out_as_a_page_and_as_files_and_without_inventory(over):
    world, incident = over.world, over.incident
    url = f"/v1/incidents/{incident.id}/aftermath"
    for role in READ:
        assert (
            world.house.http(role)
            .get(url + "/tables", params={"format": "csv", "table": "trips"})
            .status_code
            == 200
        )
    http = world.house.http(Role.AUDITOR)
    page = http.get(url + "/paper").text
    assert page.count("<svg") == 3
    assert "演练 EXERCISE" in page
    assert "<script" not in page
    book = load_workbook(io.BytesIO(http.get(url + "/tables").content))
    assert tuple(book.sheetnames) == export.TABLES
    rows = list(
        csv.reader(io.StringIO(http.get(url + "/tables?format=csv&table=trips").content.decode("utf-8-sig")))
    )
    assert len(rows) == 1 + len(over.orders) == book["trips"].max_row
    assert rows[1][0] == "演练 EXERCISE"
    assert {row[rows[0].index("number")] for row in rows[1:]} == {order.number for order in over.orders}
    driven = sum(int(row[rows[0].index("driving_min")]) for row in rows[1:])
    phases = csv.reader(
        io.StringIO(http.get(url + "/tables?format=csv&table=phases").content.decode("utf-8-sig"))
    )
    assert [row[4] for row in phases if row[1] == "driving"] == [str(driven)]
    wrong = http.get(url + "/tables?format=csv")
    assert (wrong.status_code, "table:" in wrong.json()["detail_en"]) == (422, True)

    alone = aftermath.show(world.house.tx, world.house.lost_gate, incident.id, Caller("a", frozenset()))
    assert (alone.compensation, alone.returns, alone.compensation_fen) == (None, None, None)
    assert any("inventory was away" in note for note in alone.notes)
    assert isinstance(alone.made_at, datetime)


def test_an_incident_of_which_nothing_came_has_an_account_too(district):
    incident = district.declare()
    found = district.commander.aftermath(incident.id)
    assert (found.served, found.trips, found.items, found.compensation) == (0, [], [], [])
    assert "<svg" in district.house.http(Role.CLERK).get(f"/v1/incidents/{incident.id}/aftermath/paper").text
