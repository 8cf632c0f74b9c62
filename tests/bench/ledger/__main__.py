"""`make bench`, the ledger's part: how fast are movements, batches, holds and stock queries, beside plain SQL?"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

from chubei_cli.embedded import embedded_postgres
from rich.console import Console
from sqlalchemy import Engine

from tests.bench.machine import machine

from . import growth, measures
from .client import Versus
from .house import House

SIZES, LONG = (10_000, 100_000, 1_000_000), 10_000_000
SINGLE_GOAL, BATCH_GOAL, FLAT_GOAL = 0.5, 0.7, 2.0


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.ledger", description=__doc__)
    parser.add_argument("--long", action="store_true", help="ten million entries as well")
    parser.add_argument("--sizes", type=int, nargs="+", metavar="ENTRIES", help="default: 10⁴ 10⁵ 10⁶")
    parser.add_argument("--turns", type=int, default=16, help="turns of each comparison")
    parser.add_argument("--lots", type=int, default=100_000, help="lots of the snapshot")
    parser.add_argument("--out", type=Path, default=Path("bench-out"), metavar="FOLDER")
    given = parser.parse_args()
    described, told = machine(), Console(stderr=True)
    given.out.mkdir(parents=True, exist_ok=True)
    page = [
        "# 台账基准 Ledger bench",
        "",
        f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
        "",
        "| | |",
        "| --- | --- |",
    ]
    page += [f"| {name} | {value} |" for name, value in described]
    page += [
        "| 数据库 database | PostgreSQL 18, fsync on, synchronous_commit on, one uvicorn process a side |",
        "",
    ]
    begun = time.monotonic()
    with (
        tempfile.TemporaryDirectory(prefix="chubei-bench-") as folder,
        embedded_postgres(Path(folder)) as url,
    ):
        house = House(url, Path(folder))
        engine = house.database("bench")
        for title, rows in (
            ("单笔流水 Single movements over HTTP", lambda: _singles(house, engine, given.turns)),
            ("批量 Batches of 500 over HTTP", lambda: _batches(house, engine, given.turns)),
            ("预留 Holds", lambda: _holds(engine)),
            (
                "库存查询 Stock queries",
                lambda: _growth(house, [*(given.sizes or SIZES), *([LONG] * given.long)]),
            ),
            ("快照 The planner's snapshot", lambda: _snapshot(engine, given.lots)),
        ):
            told.print(f"{title} …", highlight=False)
            page += [f"## {title}", "", *rows(), ""]
            (given.out / "ledger.md").write_text("\n".join(page), "utf-8")
    page += [f"历时 took {time.monotonic() - begun:.0f} s", ""]
    text = "\n".join(page)
    (given.out / "ledger.md").write_text(text, "utf-8")
    print(text)
    return 0


def _versus(rows: dict[str, Versus], goal: dict[str, float]) -> list[str]:
    table = [
        "| | 我方 ours /s | 对照 other /s | 比 ratio (中位 median) | 四分位 quartiles | 目标 goal |",
        "| --- | ---: | ---: | ---: | ---: | ---: |",
    ]
    for name, v in rows.items():
        wanted = goal.get(name)
        verdict = "达到 met" if v.ratio >= (wanted or 0) else "未达到 NOT met"
        met = "—" if wanted is None else f"≥ {wanted}: {verdict}"
        cells = (f"{v.ours_per_s:.0f}", f"{v.other_per_s:.0f}", f"{v.ratio:.2f}", f"{v.low:.2f}–{v.high:.2f}")
        table.append(f"| {name} | {' | '.join(cells)} | {met} |")
    return table


def _singles(house: House, engine: Engine, turns: int) -> list[str]:
    found = measures.singles(house, engine, turns)
    named = {f"{clerks} 人 clerks": row for clerks, row in found.items()}
    return [
        *_versus(named, dict.fromkeys(named, SINGLE_GOAL)), "",
        "对照:裸 FastAPI 端点,手工发送同样的 SQL / other: a bare FastAPI endpoint that sends the same SQL by hand, "
        "with no contract, token or rule.",
    ]  # fmt: skip


def _batches(house: House, engine: Engine, turns: int) -> list[str]:
    found = measures.batches(house, engine, turns)
    return [
        *_versus({f"pgbench {k}": v for k, v in found.items()}, {"pgbench one by one": BATCH_GOAL}), "",
        "movements per second. one by one: a pgbench script with an INSERT for each movement and its two legs, all "
        "500 in one transaction, with the lock, the event and the audit row; sets: the same rows by INSERT … SELECT "
        "that PostgreSQL makes up by itself: no data is sent, so no client can reach it. The triggers are the same "
        "in all three. 逐条:同样的插入逐条执行;成组:数据由数据库自造,只作上限.",
    ]  # fmt: skip


def _holds(engine: Engine) -> list[str]:
    took = measures.large_holds(engine, 12)
    median, longest = measures.median_ms(took), 1000 * max(took)
    return [
        f"200 行、3 个库 200 lines over 3 warehouses: 中位 median {median:.0f} ms, 最长 longest {longest:.0f} ms"
    ]


def _growth(house: House, sizes: list[int]) -> list[str]:
    engines = {}
    for n, size in enumerate(sizes):
        engine = house.database(f"grow{n}")
        engines[growth.fill(engine, size)] = engine
    found = growth.measure(engines, 40)
    head = (
        "| | "
        + " | ".join(f"{size:,} 分录 entries" for size in engines)
        + " | 最大/最小 largest/smallest | 语句 statements |"
    )
    lines = [head, "| --- |" + " ---: |" * (len(engines) + 2)]
    whole = set()
    for name, costs in found.items():
        (small, large) = (list(costs.values())[at].median_ms() for at in (0, -1))
        flat = f"{large / small:.2f} {'平 flat' if large / small <= FLAT_GOAL else '不平 NOT flat'}"
        statements = sorted({cost.statements for cost in costs.values()})
        cells = " | ".join(f"{cost.median_ms():.1f} ms" for cost in costs.values())
        lines.append(f"| {name} | {cells} | {flat} | {', '.join(map(str, statements))} |")
        whole |= {f"{name}: {scan}" for scan in growth.whole_tables(costs[max(costs)].scans)}
    read = "无 none" if not whole else "; ".join(sorted(whole))
    return [*lines, "", f"最大库上整表扫描 whole tables read on the largest: {read}"]


def _snapshot(engine: Engine, lots: int) -> list[str]:
    rows, took, size = measures.snapshot(engine, lots, 5)
    return [
        f"{lots:,} 批次 lots → {rows:,} 行 supply rows, {size / 2**20:.1f} MiB: 中位 median "
        f"{measures.median_ms(took):.0f} ms, 含 JSON with its JSON"
    ]


if __name__ == "__main__":
    sys.exit(main())
