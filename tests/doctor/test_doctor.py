# ruff: noqa: S608 (statements of this file)
"""`chubei doctor` on the databases of a whole house: it names the rows that were damaged, and changes nothing."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from chubei_allocation.proof import Claims
from chubei_cli import doctor, doctor_rules
from chubei_cli.addresses import server_url
from chubei_cli.doctor_rules import HoldState, Part
from chubei_cli.migrate import migrate
from chubei_gateway import audit as gateway_audit
from chubei_inventory.catalogue import catalogue
from chubei_inventory.holds import holds
from chubei_inventory.movements import movements
from chubei_inventory.proof import checks
from chubei_shared import seals
from chubei_shared.contracts.base import Certainty, Mode, Provenance
from chubei_shared.contracts.catalogue import Family, Item, Place, PlaceKind
from chubei_shared.contracts.holds import HoldLine, HoldRequest
from chubei_shared.contracts.stock import Receive
from chubei_shared.db import Transactions, make_engine
from chubei_shared.hash_chain import Anchor
from chubei_shared.settings import SERVICES, Settings
from chubei_shared.tokens import Caller, Role

INVENTED = Provenance(certainty=Certainty.INVENTED, source="test")
BOSS = Caller("chief", frozenset({Role.ADMIN}))


@pytest.fixture(scope="module")
def house(settings: Settings, seal_all: Callable[[Transactions, Iterable[seals.Source]], None]) -> Settings:
    """Three migrated databases, a lot of which something is held, and sealed acts in the gateway."""
    ours = Settings.model_validate(settings.model_dump() | {"database_prefix": "doc"})
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("CHUBEI_DATABASE_URL", ours.database_url)
        environment.setenv("CHUBEI_DATABASE_PREFIX", ours.database_prefix)
        migrate()
    inventory, gateway = (make_engine(ours.database(name), pool_size=1) for name in ("inventory", "gateway"))
    tx = Transactions(inventory)
    store = Place(id="STORE", kind=PlaceKind.STORE, name_zh="库", name_en="store", provenance=INVENTED)
    water = Item(
        code="1020101", name_zh="水", name_en="Water", family=Family.RELIEF, unit_zh="瓶", pack=24, weight_g=550,
        volume_cm3=700, reserve_modes=[Mode.PHYSICAL], managing_body="局", dispatch_authority="局",
        provenance=INVENTED,
    )  # fmt: skip
    tx(catalogue.put_place, store)
    tx(catalogue.put_item, water, BOSS)
    now = datetime.now(UTC)
    line = {"item_code": "1020101", "quantity": 10, "lot": {"lot_no": "L", "maker": "厂"}}
    tx(movements.record, Receive.model_validate(
        {"kind": "receive", "id": uuid4(), "occurred_at": now, "place_id": "STORE", "lines": [line]}), BOSS
    )  # fmt: skip
    held = HoldLine(place_id="STORE", item_code="1020101", mode=Mode.PHYSICAL, quantity=4, needed_at=now)
    tx(
        holds.hold,
        HoldRequest(id=uuid4(), purpose="drill", expires_at=now + timedelta(days=1), lines=[held]),
        BOSS,
    )
    seal_all(tx, checks.SEALED)
    of_gateway = Transactions(gateway)
    for number in range(3):
        of_gateway(gateway_audit.record, "admin", "user.create", f"clerk-{number}", 201)
        seal_all(of_gateway, gateway_audit.SOURCES)
    inventory.dispose()
    gateway.dispose()
    return ours


def visit(house: Settings, folder: Path, *words: str) -> tuple[int, Any]:
    """The command's exit code and answer."""
    environment = os.environ | {
        "CHUBEI_DATABASE_URL": house.database_url, "CHUBEI_REDIS_URL": house.redis_url,
        "CHUBEI_DATABASE_PREFIX": house.database_prefix,
    }  # fmt: skip
    command = [sys.executable, "-m", "chubei_cli.main", "doctor", "--state", str(folder), *words]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    return done.returncode, json.loads(done.stdout) if "--json" in words else done.stdout + done.stderr


@contextmanager
def damaged(house: Settings, service: Any, *statements: str) -> Iterator[None]:
    """A database as a superuser left it who wrote around all triggers; as it was, afterwards."""
    url = house.database(service)
    copy = f"{url.database}_whole"
    with psycopg.connect(house.database_url + "/postgres", autocommit=True) as server:
        server.execute(f'CREATE DATABASE "{copy}" TEMPLATE "{url.database}"')  # type: ignore[call-overload]
        with psycopg.connect(house.database_url + "/" + str(url.database)) as sql:
            sql.execute("SET session_replication_role = replica")
            for statement in statements:
                assert sql.execute(statement).rowcount  # type: ignore[call-overload]
        try:
            yield
        finally:
            server.execute(f'DROP DATABASE "{url.database}" WITH (FORCE)')  # type: ignore[call-overload]
            server.execute(f'ALTER DATABASE "{copy}" RENAME TO "{url.database}"')  # type: ignore[call-overload]


def examined(
    house: Settings,
    folder: Path,
    anchors: dict[Any, list[Anchor]] | None = None,
    looking_at: Callable[[str], None] = lambda _: None,
) -> list[Part]:
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("CHUBEI_DATABASE_PREFIX", house.database_prefix)
        known = {service: [] for service in SERVICES} | (anchors or {})
        server = server_url(house.database_url)
        return doctor.examine(server, house.redis_url, folder, known, looking_at)[0]


def differences(parts: list[Part]) -> dict[str, list[dict[str, Any]]]:
    return {p.name: [{"check": d.check, **d.rows} for d in p.differences] for p in parts if p.differences}


def test_a_whole_house(house, tmp_path):
    code, answer = visit(house, tmp_path, "--json")
    assert (code, answer["state"]) == (0, "clean")
    assert {part["name"] for part in answer["parts"]} == {"database", "broker", "disk", *SERVICES, "orders"}
    assert json.loads((tmp_path / "seals.json").read_text()) == answer["seals"]
    code, page = visit(house, tmp_path)
    assert code == 0
    assert "一致 agrees" in page
    assert answer["seals"][0] in page


def test_it_tells_what_it_looks_at_before_it_does(house, tmp_path):
    told: list[str] = []
    parts = examined(house, tmp_path, looking_at=told.append)
    assert told == [part.title for part in parts if part.name in (*SERVICES, "orders")]


def test_it_names_the_damaged_rows_and_repairs_nothing(house, tmp_path):
    with damaged(house, "inventory", "UPDATE balance SET on_hand = 7 WHERE place_id = 'STORE'"):
        for _ in range(2):
            found = differences(examined(house, tmp_path))
            assert [row["check"] for row in found["inventory"]] == ["balance"]
            assert found["inventory"][0]["place_id"] == "STORE"
        code, page = visit(house, tmp_path)
        assert code == 1
        assert "应为 expected 10; 实为 found 7" in page
        assert "盘点" in page


def test_a_tail_that_was_cut_off_shows_at_the_next_visit(house, tmp_path):
    assert visit(house, tmp_path, "--json")[0] == 0
    cut = ("DELETE FROM audit WHERE id = (SELECT max(id) FROM audit)", "DELETE FROM seal WHERE number = 3")
    with damaged(house, "gateway", *cut):
        code, answer = visit(house, tmp_path, "--json")
        assert code == 1
        (gateway,) = (part for part in answer["parts"] if part["name"] == "gateway")
        assert [(d["found"], d["rows"]["seal"]) for d in gateway["differences"]] == [("cut off", 3)]
        assert visit(house, tmp_path, "--json")[0] == 1  # it is not forgotten
        elsewhere = tmp_path / "elsewhere"
        elsewhere.mkdir()
        assert visit(house, elsewhere, "--json")[0] == 0  # without an anchor the chain looks whole
        told = next(seal for seal in json.loads((tmp_path / "seals.json").read_text()) if "gateway" in seal)
        assert visit(house, elsewhere, "--json", "--anchor", told)[0] == 1


def test_what_allocation_says_of_itself(house, tmp_path):
    incident, request, plan = uuid4(), uuid4(), uuid4()
    with damaged(
        house,
        "allocation",
        "INSERT INTO incident (id, kind, level, name, place, occurred_at, declared_at, declared_by, deadline_min, "
        "exercise, closures, declaration, setting, season, opened, demands) "
        f"VALUES ('{incident}', 'earthquake', 2, 'x', 'x', now(), now(), 'c', 720, "
        "true, '[]', '{}', 'indoor', 'winter', '[]', '[]')",
        "INSERT INTO plan_request (id, incident_id, requested_by, body, policy, time_limit_s, seed, status, fence, "
        f"attempts, created_at) VALUES ('{request}', '{incident}', 'c', '{{}}', 'p', 10, 0, 'queued', 0, 0, "
        "now() - interval '1 hour')",
        "INSERT INTO plan (id, request_id, incident_id, status, requested_by, created_at, snapshot_hash, seed, "
        "solver_status, objective, bound, people, supported, settled, mean_wait_min, served_by_hour, tightest, plan, "
        "decided_by, decided_at, hold_id, shortages, what_if) "
        f"VALUES ('{plan}', '{request}', '{incident}', 'approved', 'c', now(), '', "
        f"0, '', 0, 0, 0, 0, 0, 0, '[]', '[]', '{{}}', 'a', now(), '{uuid4()}', '[]', false)",
    ):
        found = differences(examined(house, tmp_path))
        assert found == {
            "allocation": [
                {"check": "plan_orders", "table": "plan", "id": str(plan)},
                {"check": "job", "table": "plan_request", "id": str(request)},
            ]
        }


def test_what_can_not_be_examined(house, tmp_path):
    nowhere = house.model_copy(update={"database_url": "postgresql://x:x@127.0.0.1:1"})
    code, answer = visit(nowhere, tmp_path, "--json")
    assert (code, answer["state"]) == (2, "unknown")
    code, said = visit(house, tmp_path, "--anchor", "gateway:1")
    assert code == 2
    assert said.startswith("chubei: --anchor")


def test_without_a_house_it_says_so(tmp_path):
    environment = {k: v for k, v in os.environ.items() if not k.startswith("CHUBEI_")}
    command = [sys.executable, "-m", "chubei_cli.main", "doctor", "--state", str(tmp_path / "none")]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "chubei up" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


A, B, C = (UUID(int=n) for n in (1, 2, 3))


def claims(**changed: Any) -> Claims:
    return Claims(holds={}, in_force=set(), movements={}, orders=set(), of_shelters={})._replace(**changed)


@pytest.mark.parametrize(
    ("found", "check"),
    [
        (doctor_rules.plans_against_holds(claims(holds={A: B}), []), "hold_missing"),
        (
            doctor_rules.plans_against_holds(claims(holds={A: B}), [HoldState(B, "plan:1", "expired")]),
            "hold_over",
        ),
        (doctor_rules.plans_against_holds(claims(holds={A: B}), [HoldState(B, "plan:1", "open")]), None),
        (doctor_rules.holds_against_plans([HoldState(B, "plan:1", "open")], claims()), "hold_orphan"),
        (
            doctor_rules.holds_against_plans([HoldState(B, "plan:1", "open")], claims(in_force={"plan:1"})),
            None,
        ),
        (doctor_rules.holds_against_plans([HoldState(B, "plan:1", "released")], claims()), None),
        (doctor_rules.steps_against_movements(claims(movements={A: B}), [C]), "movement_missing"),
        (doctor_rules.steps_against_movements(claims(movements={A: B}), [B]), None),
        (doctor_rules.steps_against_movements(claims(of_shelters={A: B}), [C]), "movement_missing"),
        (doctor_rules.movements_against_orders([A], claims()), "order_missing"),
        (doctor_rules.movements_against_orders([A], claims(orders={A})), None),
    ],
)
def test_orders_against_holds(found, check):
    names = [one.check for one in found]
    assert names == ([check] if check else [])
    assert check is None or check in doctor_rules.WORDS


@pytest.mark.parametrize(
    ("states", "code"), [(("clean",), 0), (("clean", "unknown"), 2), (("unknown", "differences"), 1)]
)
def test_exit_codes(states, code):
    part = {
        "clean": Part("a", "a"), "unknown": Part("b", "b", trouble="away"),
        "differences": Part("c", "c", differences=[object()]),  # type: ignore[list-item]
    }  # fmt: skip
    assert doctor_rules.exit_code([part[state] for state in states]) == code
