"""One function a measure; each returns rows for the page."""

from __future__ import annotations

import os
import pickle
import statistics
import subprocess
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

from chubei_cli.postgres import PostgresServer
from chubei_inventory.holds import holds
from chubei_inventory.supply import supply
from chubei_shared.contracts.base import Mode
from chubei_shared.contracts.holds import HoldLine, HoldRequest
from chubei_shared.contracts.movements import Issue
from chubei_shared.db import Transactions
from sqlalchemy import Engine, text

from .bare import recorded
from .client import Body, Sender, Versus, side_by_side
from .house import BOSS, BOX, ITEMS, STORES, House

BATCH = 500
_APP = "chubei_inventory.app:create_app"


def issue_body(**line: Any) -> Body:
    wanted = {"item_code": ITEMS[0], "quantity": 1} | line
    return {
        "kind": "issue", "id": str(uuid4()), "occurred_at": datetime.now(UTC).isoformat(), "place_id": STORES[0],
        "lines": [wanted],
    }  # fmt: skip


def singles(house: House, engine: Engine, turns: int) -> dict[str, Versus]:
    """Issues over HTTP, one clerk and four, beside the bare endpoint."""
    statements = recorded(engine, Issue.model_validate(issue_body()))
    file = house.folder / "statements"
    file.write_bytes(pickle.dumps(statements))
    found, size = {}, 24
    with (
        house.serving(_APP, "bench") as port,
        house.serving("tests.bench.ledger.bare:create_app", "bench", BENCH_STATEMENTS=str(file)) as bare_port,
    ):
        for clerks in (1, 4):
            sides = [Sender(p, house.token(), clerks) for p in (port, bare_port)]

            def turn(side: Sender) -> float:
                return side.send("/v1/movements", [issue_body() for _ in range(size)])

            for side in sides:
                turn(side)  # plans are made, connections opened
            ours, other = sides
            found[f"{clerks}"] = side_by_side(lambda: turn(ours), lambda: turn(other), turns, size)  # noqa: B023
    return found


_ONE_BY_ONE = """
INSERT INTO movement (id, kind, place_id, body_hash, occurred_at, recorded_by, voucher, reason, details)
VALUES (gen_random_uuid(), 'issue', '{store}', sha256('x'), now(), 'bench', '', '', '{{}}');
INSERT INTO entry (movement_seq, line_no, place_id, item_code, lot_id, quantity) VALUES
(currval(pg_get_serial_sequence('movement', 'seq')), 1, '{store}', '{item}', '{lot}', -1),
(currval(pg_get_serial_sequence('movement', 'seq')), 2, 'outside:issued', '{item}', '{lot}', 1);
"""
_AS_SETS = """
WITH m AS (
    INSERT INTO movement (id, kind, place_id, body_hash, occurred_at, recorded_by, voucher, reason, details)
    SELECT gen_random_uuid(), 'issue', '{store}', sha256('x'), now(), 'bench', '', '', '{{}}'
    FROM generate_series(1, {batch}) RETURNING seq)
INSERT INTO entry (movement_seq, line_no, place_id, item_code, lot_id, quantity)
SELECT seq, leg.line_no, leg.place_id, '{item}', '{lot}', leg.quantity
FROM m, (VALUES (1, '{store}', -1), (2, 'outside:issued', 1)) AS leg (line_no, place_id, quantity);
"""
_AROUND = (
    "BEGIN;\nSELECT id FROM lot WHERE id = '{lot}' FOR NO KEY UPDATE;\n",
    "INSERT INTO outbox (topic, body) VALUES ('stock.moved', '{{}}');\nSELECT pg_notify('outbox', '');\n"
    "INSERT INTO audit (subject, act, target, outcome, request_id) VALUES ('bench', 'x', 'x', 200, '-');\nCOMMIT;\n",
)


def batches(house: House, engine: Engine, turns: int) -> dict[str, Versus]:
    """Batches of 500 over HTTP beside pgbench with the same inserts: one by one as a script does, and as sets."""
    with engine.connect() as sql:
        lot = sql.scalar(text("SELECT id FROM lot WHERE item_code = :code"), {"code": ITEMS[0]})
    names = {"store": STORES[0], "item": ITEMS[0], "lot": lot, "batch": BATCH}
    scripts = {}
    for name, inserts in (("one by one", _ONE_BY_ONE * BATCH), ("sets", _AS_SETS)):
        scripts[name] = house.folder / f"{name.replace(' ', '-')}.sql"
        scripts[name].write_text((_AROUND[0] + inserts + _AROUND[1]).format(**names))
    found = {}
    with house.serving(_APP, "bench") as port:
        sender = Sender(port, house.token(), 1)

        def ours() -> float:
            reports = [issue_body(lot=BOX) for _ in range(BATCH)]
            return sender.send("/v1/movements:batch", [{"movements": reports}], due=200)

        ours()
        for name, script in scripts.items():
            found[name] = side_by_side(ours, lambda: _pgbench(house, script), turns, BATCH)  # noqa: B023
    return found


def _pgbench(house: House, script: Path) -> float:
    """Seconds of one run of a script's transaction, connecting left out."""
    url = house.settings("bench").database("inventory")
    binary = PostgresServer(house.folder / "unused", port=1)._bin / "pgbench"
    done = subprocess.run(
        [str(binary), "-n", "-t", "1", "-f", str(script), "-h", str(url.host), "-p", str(url.port),
         "-U", str(url.username), str(url.database)],
        env=os.environ | {"PGPASSWORD": str(url.password)}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        raise RuntimeError(done.stderr[-500:])
    (line,) = (row for row in done.stdout.splitlines() if row.startswith("latency average"))
    return float(line.split("=")[1].split()[0]) / 1000


def large_holds(engine: Engine, times: int) -> list[float]:
    """Seconds of holds with 200 lines over 3 warehouses, each released afterwards."""
    tx, took = Transactions(engine), []
    now = datetime.now(UTC)
    rows = [(store, code) for store in STORES for code in ITEMS][:200]
    for _ in range(times):
        lines = [
            HoldLine(place_id=store, item_code=code, mode=Mode.PHYSICAL, quantity=5, needed_at=now)
            for store, code in rows
        ]
        request = HoldRequest(id=uuid4(), purpose="bench", expires_at=now + timedelta(hours=1), lines=lines)
        begun = time.perf_counter()
        tx(holds.hold, request, BOSS)
        took.append(time.perf_counter() - begun)
        tx(holds.release, request.id)
    return took


_LOTS = """
INSERT INTO lot (id, item_code, maker, lot_no, expires_on)
SELECT gen_random_uuid(), (CAST(:codes AS text[]))[1 + n % cardinality(CAST(:codes AS text[]))], '厂', 'S' || n,
       DATE '2030-01-01' + n % 2000
FROM generate_series(1, :lots) AS n
"""
_STOCKED = """
WITH one AS (
    INSERT INTO movement (id, kind, place_id, body_hash, occurred_at, recorded_by, voucher, reason)
    VALUES (gen_random_uuid(), 'receive', :store, '', now(), 'bench', '', '') RETURNING seq),
fresh AS (SELECT id, item_code, row_number() OVER (ORDER BY id) AS n FROM lot WHERE lot_no LIKE 'S%'
          AND abs(hashtext(id::text)) % 3 = :part)
INSERT INTO entry (movement_seq, line_no, place_id, item_code, lot_id, quantity)
SELECT one.seq, 2 * n - leg.no, leg.place_id, item_code, id, leg.units
FROM one, fresh, (VALUES (0, 'outside:received', -100), (1, :store, 100)) AS leg (no, place_id, units)
"""


def snapshot(engine: Engine, lots: int, times: int) -> tuple[int, list[float], int]:
    """Supply rows, seconds and bytes of the planner's snapshot with `lots` lots."""
    with engine.begin() as sql:
        sql.execute(text(_LOTS), {"codes": list(ITEMS), "lots": lots})
        for part, store in enumerate(STORES):
            sql.execute(text(_STOCKED), {"store": store, "part": part})
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as sql:
        sql.execute(text("VACUUM ANALYZE"))
    tx, took, size, rows = Transactions(engine), [], 0, 0
    for _ in range(times):
        begun = time.perf_counter()
        told = tx(supply.snapshot, None, [])
        size = len(told.model_dump_json())
        took.append(time.perf_counter() - begun)
        rows = len(told.supply)
    return rows, took, size


def median_ms(seconds: list[float]) -> float:
    return 1000 * statistics.median(seconds)
