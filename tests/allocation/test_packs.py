"""On paper: one pack per truck, and snapshots on the disk that a browser opens while no server runs."""

import html
import os
import re
from datetime import UTC, datetime, timedelta

import pytest
from chubei_allocation.papers import snapshots
from chubei_allocation.papers.snapshots import Keeping
from chubei_shared.contracts.call_out import CallRegister, Person
from chubei_shared.tokens import Role
from goods import INVENTED
from nights import LOADED, PICKED, Night


def pack(house, incident_id, role=Role.COMMANDER, **query):
    return house.http(role, name="printer").get(f"/v1/incidents/{incident_id}/packs", params=query)


def links(index: str) -> list[str]:
    return re.findall(r'href="([^"]+)"', index)


@pytest.fixture
def night(stocked):
    driver = Person(
        id="D-1", name="王师傅", duty="driver", place_id=stocked.north, vehicle_type_id=f"TRUCK-{stocked.north}",
        phone="13812345678", arrive_min=30, provenance=INVENTED,
    )  # fmt: skip
    keepers = [
        Person(
            id=f"S-{shelter}", name="李园长", duty="shelter", place_id=shelter, phone="13900000001", arrive_min=20,
            provenance=INVENTED,
        )
        for shelter in stocked.shelters
    ]  # fmt: skip
    stocked.house.as_(Role.ADMIN).put_people(CallRegister(people=[driver, *keepers]))
    return Night(stocked)


def test_one_pack_has_all_papers_of_a_trucks_trips(night):
    world, house = night.world, night.world.house
    vehicle = next(order.vehicle for order in night.orders if world.north in order.vehicle)
    mine = [order for order in night.orders if order.vehicle == vehicle]
    answer = pack(house, night.incident.id, vehicle=vehicle)
    assert answer.status_code == 200, answer.text
    told = html.unescape(answer.text)
    loads = sum(bool(stop.load) for order in mine for stop in order.stops)
    drops = sum(bool(stop.deliver) for order in mine for stop in order.stops)
    sheets = {
        "随车文件": 1,
        "调拨通知单": len(mine),
        "随车清单": len(mine),
        "拣货单": loads,
        "接收单": drops,
        "发放登记表": drops,
    }
    assert {zh: told.count(f"<h1>{zh}</h1>") for zh in sheets} == sheets
    assert "演练 EXERCISE" in told
    assert "13812345678" in told
    reached = {stop.place_id for order in mine for stop in order.stops if stop.deliver}
    assert told.count("安置点负责人 shelter keeper</td><td>李园长</td><td>13900000001") == len(reached)
    assert "修订 Revision 0" in told
    for order in mine:
        codes = world.commander.order_codes(order.id)
        assert all(row.code in told for row in codes.take_over)
        assert order.number in told
        for stop in world.commander.pick_list(order.id).stops:
            assert all(line.lot_no in told for line in stop.lines)
        # who takes over has to tell the clerk, and who receives the driver: neither is on the other's paper
        clerks = html.unescape(pack(house, night.incident.id, Role.CLERK, vehicle=vehicle).text)
        assert not any(f'<td class="n">{row.code}</td>' in clerks for row in codes.take_over)
        assert not any(f"{row.code}</td>" in told for row in codes.receive)
    others = {order.number for order in night.orders} - {order.number for order in mine}
    assert not any(number in told for number in others)
    assert "<script" not in told
    assert pack(house, night.incident.id).text.count("<h1>随车文件</h1>") == len(
        {o.vehicle for o in night.orders}
    )
    assert pack(house, night.incident.id, vehicle="NONE#1").status_code == 404
    for role in (Role.APPROVER, Role.AUDITOR, Role.ADMIN):
        assert pack(house, night.incident.id, role).status_code == 403


def test_a_snapshot_is_written_by_the_hour_and_when_plans_change_and_old_ones_go(night, tmp_path):
    world, house = night.world, night.world.house
    keeping = Keeping(tmp_path / "papers", kept=2)
    at = datetime(2026, 11, 22, 3, 0, tzinfo=UTC)

    def keep(minutes: int, gate=house.gate):
        return snapshots.keep(house.tx, gate, keeping, at + timedelta(minutes=minutes))

    first = keep(0)
    assert first.name == "20261122T030000Z"
    assert (keeping.folder / "latest").resolve() == first.resolve()
    assert first.stat().st_mode & 0o077 == 0
    pages = links((first / "index.html").read_text())
    assert all((first / path).is_file() for path in pages)
    names = {path.split("/")[1] for path in pages}
    assert {"plan.html", "contacts.html", f"picks-{world.north}.html"} <= names
    assert {f"pack-{order.vehicle.replace('#', '-')}.html" for order in night.orders} <= names
    here = first / str(night.incident.id)
    plan = (here / "plan.html").read_text()
    assert all(order.number in plan for order in night.orders)
    contacts = (here / "contacts.html").read_text()
    assert "13812345678" in contacts
    for order in night.orders:
        codes = world.commander.order_codes(order.id)
        assert all(row.code in contacts for row in (*codes.take_over, *codes.receive))
    assert keep(30) is None  # nothing has changed
    order = night.order(at=world.north)
    for kind in (PICKED, LOADED):
        night.by(order.stops[0]).step(order.id, night.body(0, kind))
    assert snapshots.write(house.tx, house.gate, keeping, at) is None  # another worker has written it
    second = keep(60, house.lost_gate)  # inventory is away: by item, without lots
    assert "库存服务不可用" in (second / "index.html").read_text()
    assert "Inventory is away" in (second / str(night.incident.id) / f"picks-{world.south}.html").read_text()
    left_over = keeping.folder / ".writing-by-a-worker-that-died"
    left_over.mkdir()
    os.utime(left_over, (0, 0))
    Night(world)  # another plan in force
    third = keep(61)
    assert third is not None
    left = sorted(path.name for path in keeping.folder.iterdir())
    assert left == [second.name, third.name, "latest"]
    assert (keeping.folder / "latest").resolve() == third.resolve()
