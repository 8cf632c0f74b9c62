"""Databases with ever more entries, and what stock queries cost on each: time, statements, and how they are found."""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from chubei_inventory.stock import history, queries
from chubei_shared.db import Transactions
from sqlalchemy import Engine, event, text
from sqlalchemy.orm import Session

from .house import ITEMS, STORES

LOTS_EACH = 20  # lots of an item at a store

# Receipts of a hundred lines, one by one in time, through every trigger and constraint: two legs a line.
_LOTS = """
INSERT INTO lot (id, item_code, maker, lot_no, expires_on)
SELECT gen_random_uuid(), code, '厂', 'G' || n, DATE '2030-01-01' + n
FROM unnest(CAST(:codes AS text[])) AS code, generate_series(1, :each) AS n
"""
_MOVEMENTS = """
WITH fresh AS (
    INSERT INTO movement (id, kind, place_id, body_hash, occurred_at, recorded_by, voucher, reason)
    SELECT gen_random_uuid(), 'receive', (CAST(:stores AS text[]))[1 + n % 3], '', now() - make_interval(mins => n),
           'bench', 'V' || n, '' FROM generate_series(1, :movements) AS n
    RETURNING seq, place_id)
INSERT INTO entry (movement_seq, line_no, place_id, item_code, lot_id, quantity)
SELECT f.seq, 2 * l.n - leg.no, CASE leg.no WHEN 1 THEN f.place_id ELSE 'outside:received' END, l.item_code, l.id,
       leg.sign * (1 + l.n % 7)
FROM fresh f
    JOIN bench_lot l ON l.slice = f.seq % (SELECT 1 + max(slice) FROM bench_lot)
    CROSS JOIN (VALUES (0, -1), (1, 1)) AS leg (no, sign)
"""
_AT_ONCE = 1000  # movements in a statement: what is new is kept in memory


def fill(engine: Engine, entries: int) -> int:
    """Add movements of a hundred lines until there are so many entries; returns how many there are."""
    with engine.begin() as sql:
        sql.execute(text(_LOTS), {"codes": list(ITEMS), "each": LOTS_EACH})
        sql.execute(
            text(
                "CREATE TABLE bench_lot AS SELECT id, item_code, (at - 1) / 100 AS slice, 1 + (at - 1) % 100 AS n FROM "
                "(SELECT id, item_code, row_number() OVER (ORDER BY lot_no, item_code) AS at FROM lot "
                "WHERE lot_no LIKE 'G%') AS l"
            )
        )
        sql.execute(text("CREATE INDEX ON bench_lot (slice)"))
    count = text("SELECT count(*) FROM entry")
    with engine.connect() as sql:
        there = sql.scalar(count) or 0
    while there < entries:
        missing = -(-(entries - there) // 200)
        with engine.begin() as sql:
            sql.execute(text(_MOVEMENTS), {"stores": list(STORES), "movements": min(_AT_ONCE, missing)})
            there = sql.scalar(count) or 0
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as sql:
        sql.execute(text("VACUUM ANALYZE"))
    return there


@dataclass
class Cost:
    """What one query costs on one database."""

    statements: int = 0
    seconds: list[float] = field(default_factory=list)
    scans: set[str] = field(default_factory=set)
    """The ways in which tables are read."""

    def median_ms(self) -> float:
        return 1000 * statistics.median(self.seconds)


Query = Callable[[Session], Any]
QUERIES: dict[str, Query] = {
    "一处的库存 stock of a place": lambda s: queries.stock(s, {"place_id": STORES[0]}, None, 100),
    "一物的库存 stock of an item": lambda s: queries.stock(s, {"item_code": ITEMS[1]}, None, 100),
    "一处一物 of an item at a place": lambda s: queries.stock(
        s, {"place_id": STORES[1], "item_code": ITEMS[2]}, None, 100
    ),
    "流水 movements of an item at a place": lambda s: queries.movements(
        s, STORES[0], ITEMS[0], None, None, 20
    ),
    "卡片 bin card": lambda s: history.card(s, STORES[0], ITEMS[0], None, None, 100),
}


def measure(engines: dict[int, Engine], rounds: int) -> dict[str, dict[int, Cost]]:
    """By query and entries. In each round every query is asked of every database once."""
    found = {name: {size: Cost() for size in engines} for name in QUERIES}
    for name, query in QUERIES.items():
        for size, engine in engines.items():
            found[name][size].statements, found[name][size].scans = _looked_at(engine, query)
    for _ in range(rounds):
        for name, query in QUERIES.items():
            for size, engine in engines.items():
                begun = time.perf_counter()
                Transactions(engine)(query)
                found[name][size].seconds.append(time.perf_counter() - begun)
    return found


def _looked_at(engine: Engine, query: Query) -> tuple[int, set[str]]:
    """The statements of a query, and how they read tables."""
    sent: list[tuple[str, Any]] = []

    def watch(connection: Any, cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        sent.append((statement, parameters))

    event.listen(engine, "before_cursor_execute", watch)
    Transactions(engine)(query)
    event.remove(engine, "before_cursor_execute", watch)
    scans: set[str] = set()
    with engine.connect() as sql:
        for statement, parameters in sent:
            (told,) = sql.exec_driver_sql(f"EXPLAIN (FORMAT JSON) {statement}", parameters).one()
            plan = told if isinstance(told, list) else json.loads(told)
            scans |= set(_scans(plan[0]["Plan"]))
    return len(sent), scans


def _scans(node: dict[str, Any]) -> list[str]:
    own = (
        [f"{node['Node Type']} {node.get('Relation Name', '')}".strip()]
        if "Scan" in node["Node Type"]
        else []
    )
    return own + [scan for child in node.get("Plans", []) for scan in _scans(child)]


def whole_tables(scans: set[str]) -> list[str]:
    """Tables that grow with the work and are read from end to end."""
    return sorted(
        s
        for s in scans
        if s.startswith("Seq Scan") and s.split()[-1] in ("entry", "movement", "balance", "lot")
    )
