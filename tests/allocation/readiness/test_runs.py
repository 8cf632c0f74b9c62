"""A whole check on a small district: asked for, answered part by part, summed up, shown, printed, measured."""

from datetime import UTC, datetime, timedelta
from io import StringIO
from uuid import uuid4

import pytest
from checks import finish, light
from chubei_allocation.readiness import alarms, runs, watch, work
from chubei_cli.readiness_screen import show_readiness
from chubei_shared.china import CHINA
from chubei_shared.contracts.readiness import Readiness, RunRequest
from chubei_shared.errors import Conflict
from chubei_shared.tokens import Role
from rich.console import Console
from sqlalchemy import text

_TOMORROW = datetime.now(CHINA).date() + timedelta(days=1)
CHINA_02 = datetime(_TOMORROW.year, _TOMORROW.month, _TOMORROW.day, 2, tzinfo=CHINA).astimezone(UTC)
"""The coming night's check is to begin."""


@pytest.fixture
def checked(stocked) -> Readiness:
    light(stocked)
    commander = stocked.house.http(Role.COMMANDER)
    run_id = uuid4()
    answer = commander.post("/v1/readiness:run", json={"id": str(run_id)})
    assert answer.status_code == 202, answer.text
    finish(stocked.house, run_id)
    return Readiness.model_validate_json(
        commander.get(f"/v1/readiness/{answer.json()['night']}").content, strict=False
    )


def test_a_check_says_whether_the_duty_is_kept_and_what_it_hangs_on(stocked, checked):
    assert checked.run.status == "done", checked.run.error
    page = checked.page
    assert (page.people, page.residents, page.verdict) == (300, 30_000, "unable")
    assert (
        "places to settle 280 only" in page.why_en
    )  # all are served in time, but there is no room for twenty
    assert [row.id for row in checked.standing] == ["day-winter", "night-winter"]
    for row in checked.standing:
        assert (row.people, row.supported, row.settled) == (300, 300, 300)
        assert row.by_hour == sorted(row.by_hour)
        assert len(row.by_hour) == 12
        assert all(item.by_hour[-1] == item.users == 300 for item in row.items)
        assert [item.tier for item in row.items] == [1, 1, 2]  # beds by the plan for the whole kit
        assert row.settled_by_hour is not None
        assert row.settled_by_hour[-1] == 300
    by_id = {row.id: row for row in checked.losses}
    assert set(by_id) == {
        f"store:{stocked.north}",
        f"store:{stocked.south}",
        "suppliers:1020101",
        "fleet",
        "crews",
        "storm",
    }
    # all quilts are in the north; 200 of 400 cases of water come by agreement
    assert (by_id[f"store:{stocked.north}"].supported, by_id[f"store:{stocked.north}"].impossible) == (
        0,
        True,
    )
    assert (by_id["suppliers:1020101"].supported, by_id["suppliers:1020101"].impossible) == (200, True)
    water = by_id["suppliers:1020101"].short[0]
    assert (water.item_code, water.by_hour[-1], water.users) == ("1020101", 200, 300)
    assert by_id["suppliers:1020101"].by_hour[-1] == 200
    assert by_id["suppliers:1020101"].binds
    assert by_id[f"store:{stocked.south}"].lost_people == 0  # beds are not basic relief
    assert by_id[f"store:{stocked.south}"].short == []
    assert page.worst_single == by_id[f"store:{stocked.north}"]
    assert page.worst_joint == by_id["storm"]
    assert checked.chance is not None
    assert checked.chance.draws == 4
    assert checked.chance.low <= checked.chance.share <= checked.chance.high <= 1
    assert checked.chance.share <= checked.chance.upper_limit
    (water, *_) = [row for row in page.items if row.item_code == "1020101"]
    # the page counts all that the books have, what other tests have left there too
    held = [row for row in stocked.books.snapshot().supply if row.item_code == "1020101"]
    physical, contract = (
        sum(row.quantity for row in held if row.mode == mode) for mode in ("physical", "contract")
    )
    assert physical >= 200
    assert (water.need, water.physical, water.contract_verified) == (300, physical, contract)
    assert water.in_time == physical + contract
    # the agreement ends in 300 days, and then a hundred go without water: renewing is dearer than buying a hundred
    for row in checked.first_dates:
        assert row.on == checked.run.night + timedelta(days=301)
        assert row.proven
        assert [end.why for end in row.because] == ["contract_end"]
        assert row.mend is not None
        assert (row.mend.units, row.mend.cost_fen) == (100, 200_000)
    assert checked.days[0].day == 2


def test_it_is_shown_printed_and_measured(stocked, checked):
    reader = stocked.house.http(Role.AUDITOR)
    night = checked.run.night
    current = reader.get("/v1/readiness").json()
    assert (current["latest"]["run"]["id"], current["under_way"]) == (str(checked.run.id), None)
    assert [row["id"] for row in reader.get("/v1/readiness/history").json()["rows"]] == [str(checked.run.id)]
    for path in (f"/v1/readiness/{night}/page", f"/v1/readiness/months/{night}/page"):
        page = reader.get(path)
        assert page.status_code == 200
        assert "不能保障" in page.text
        assert "<script" not in page.text
        assert "各类储备" in page.text
        assert page.headers["Content-Security-Policy"].startswith("default-src 'none'")
    bare = reader.get("/v1/readiness/months/2001-02-03/page")  # what another month found is not told in it
    assert (bare.status_code, "本月没有完成的检查" in bare.text) == (200, True)
    assert "各类储备" not in bare.text
    screen = Console(width=200, record=True, file=StringIO())
    show_readiness(screen, checked)
    said = screen.export_text()
    for words in ("不能保障", "最缺 scarcest", "200/300", "lines counted right", "室内 indoors"):
        assert words in said
    measured = reader.get("/metrics").text
    assert "chubei_readiness_verdict 0.0" in measured
    assert 'chubei_readiness_served_people{standing="day-winter"} 300.0' in measured
    assert 'chubei_readiness_item_units{item="1020101",of="need"} 300.0' in measured
    assert 'chubei_readiness_loss_people{loss="suppliers:1020101"} 100.0' in measured
    assert 'chubei_readiness_later_day_people{day="2"}' in measured
    assert reader.get("/v1/readiness/2001-01-01").status_code == 404


def test_a_check_that_can_not_be_made_says_why(stocked):
    """No shelter has room: the next one who looks is told so, and nothing waits for ever."""
    house, run_id = stocked.house, uuid4()
    house.tx(lambda session: session.execute(text("UPDATE shelter SET capacity = 0")))
    house.http(Role.COMMANDER).post("/v1/readiness:run", json={"id": str(run_id)})
    assert work.go_on(house.tx, house.gate, run_id) == 0
    current = house.http(Role.AUDITOR).get("/v1/readiness").json()
    assert (current["latest"], current["under_way"]) == (None, None)
    assert current["failed"]["id"] == str(run_id)
    assert "has no shelter with capacity" in current["failed"]["error"]


def test_the_same_request_is_the_same_check(stocked):
    commander, run_id = stocked.house.http(Role.COMMANDER), str(uuid4())
    first = commander.post("/v1/readiness:run", json={"id": run_id, "draws": 3})
    assert commander.post("/v1/readiness:run", json={"id": run_id, "draws": 3}).json() == first.json()
    assert commander.post("/v1/readiness:run", json={"id": run_id, "draws": 4}).status_code == 409


def test_two_beats_make_one_check_and_none_is_made_too_early(stocked):
    tx = stocked.house.tx
    assert tx(runs.ask_for_night, CHINA_02 - timedelta(minutes=1)) is None
    first = tx(runs.ask_for_night, CHINA_02)
    assert first is not None
    assert tx(runs.ask_for_night, CHINA_02 + timedelta(hours=3)) is None
    rows = tx(lambda session: session.execute(text("SELECT night, reason FROM readiness_run")).all())
    assert [(str(row.night), row.reason) for row in rows] == [(str(_TOMORROW), "nightly")]


def test_a_house_that_learnt_of_its_district_by_day_missed_nothing(stocked):
    """Nor is it told at noon that the check of last night is not there."""
    now = (
        (datetime.now(CHINA) - timedelta(days=1)).replace(hour=23).astimezone(UTC)
    )  # 02:00 was before, whatever it is
    assert stocked.house.tx(runs.ask_for_night, now) is None
    assert not stocked.house.tx(alarms.raise_if_missing, now)


def test_a_night_without_a_result_is_told_once(stocked):
    house, six = stocked.house, CHINA_02 + timedelta(hours=4)
    assert not house.tx(alarms.raise_if_missing, six - timedelta(minutes=1))
    for late in (0, 5, 600):
        watch.look(house.tx, six + timedelta(minutes=late))
    told = house.http(Role.APPROVER).get("/v1/readiness/alarms").json()["rows"]
    assert [(row["kind"], row["night"]) for row in told] == [("no_result", str(_TOMORROW))]
    topics = [row["topic"] for row in _outbox(house)]
    assert topics.count("readiness.alarm") == 1
    # the same look has asked for the check: a missed slot is caught up
    assert [row.night for row in house.tx(runs.listed, None, 9).rows] == [_TOMORROW]


def _outbox(house) -> list[dict]:
    return [
        dict(row._mapping)
        for row in house.tx(lambda session: session.execute(text("SELECT topic, body FROM outbox")).all())
    ]


def test_nothing_is_checked_where_no_district_is_known(house):
    house.clear()
    assert house.tx(runs.ask_for_night, CHINA_02) is None
    with pytest.raises(Conflict, match="district"):
        house.tx(runs.ask, RunRequest(id=uuid4()), _caller())


def _caller():
    from chubei_shared.tokens import Caller

    return Caller("someone", frozenset({Role.COMMANDER}))


def test_while_inventory_is_away_the_check_waits(stocked):
    house, run_id = stocked.house, uuid4()
    house.http(Role.COMMANDER).post("/v1/readiness:run", json={"id": str(run_id)})
    assert work.go_on(house.tx, house.lost_gate, run_id) == 0
    waiting = house.tx(runs.show, run_id)
    assert waiting.status == "running"
    assert "inventory is away" in (waiting.error or "")
    assert (
        work.go_on(house.tx, house.gate, run_id) == 0
    )  # somebody may still be at it: its lease has not run out
    house.tx(lambda session: session.execute(text("UPDATE readiness_run SET lease_until = now()")))
    assert work.go_on(house.tx, house.gate, run_id) == 1
