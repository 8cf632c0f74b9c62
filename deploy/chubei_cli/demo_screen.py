"""What the demo shows: Chinese first, English beside it."""

import threading
import time
from types import TracebackType
from typing import Any, Self

from chubei_shared.contracts.gateway_client import GatewayClient
from chubei_shared.contracts.incidents import IncidentView
from chubei_shared.contracts.orders import ServedView
from chubei_shared.contracts.plans import PlanRequest, PlanView
from chubei_shared.contracts.stock import BooksReport
from chubei_shared.errors import AppError
from rich.console import Console
from rich.panel import Panel
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from .bars import PHASES, hour_bars
from .district_rows import About
from .night import Night

MODES = {
    "physical": "实物 physical",
    "contract": "协议 contract",
    "capacity": "产能 capacity",
    "fund": "资金 fund",
}


def title(console: Console, about: About) -> None:
    console.print(
        Panel(
            f"[bold]推演 EXERCISE[/bold] · {about.name_zh} / {about.name_en}\n"
            f"{about.residents:,} 常住人口 residents ({about.residents_provenance}); "
            f"1 % / {about.deadline_min // 60} h\n{about.notice_zh}\n{about.notice_en}\n"
            f"[dim]{about.attribution_zh}\n{about.attribution_en}[/dim]",
            title="储备 Chubei · 第一夜 the first night",
        )
    )


def step(console: Console, zh: str, en: str) -> None:
    console.print(Text(f"\n■ {zh} / {en}", "bold"))


def say(console: Console, zh: str, en: str) -> None:
    console.print(Text(f"  {zh} / {en}"), soft_wrap=True)


def incident(console: Console, seen: IncidentView) -> None:
    say(
        console,
        f"发生 {seen.occurred_at:%m-%d %H:%M}Z,需救助 {seen.people:,} 人,{len(seen.points)} 个安置点",
        f"happened {seen.occurred_at:%m-%d %H:%M}Z, {seen.people:,} people at {len(seen.points)} shelters",
    )


class SolveBar:
    """A live bar of the solve, fed by the gateway's event stream."""

    def __init__(self, console: Console, gateway: GatewayClient, request: PlanRequest, people: int) -> None:
        self._gateway, self._request, self._people = gateway, request, people
        self._bar = Progress(
            TextColumn("  {task.fields[phase]}"),
            BarColumn(),
            TextColumn("{task.fields[told]}"),
            TimeElapsedColumn(),
            console=console,
        )
        self._task = self._bar.add_task("", total=request.time_limit_s, phase="排队 / queued", told="")
        self._open, self._over = threading.Event(), threading.Event()

    def __enter__(self) -> Self:
        self._bar.start()
        threading.Thread(target=self._follow, daemon=True).start()
        self._open.wait(5)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._bar.stop()

    def done(self) -> None:
        self._bar.update(self._task, completed=self._request.time_limit_s, phase=PHASES["done"])

    def _follow(self) -> None:
        try:
            for event in self._gateway.events(topics=["plan.progress"], on_open=self._open.set):
                if self._over.is_set():
                    return
                if event.body.get("request_id") == str(self._request.id):
                    self._show(event.body)
        except AppError:
            return  # the bar stands still; the plan is asked for by its id all the same

    def _show(self, progress: dict[str, Any]) -> None:
        told = [
            f"{progress['supported']:,}/{self._people:,} 人 people"
            if progress.get("supported") is not None
            else "",
            f"效用 utility {progress['utility']:.4f}" if progress.get("utility") is not None else "",
            f"≤ {progress['bound']:.4f}" if progress.get("bound") is not None else "",
        ]
        self._bar.update(
            self._task,
            completed=min(progress.get("elapsed_s", 0.0), self._request.time_limit_s or 0),
            phase=PHASES.get(str(progress.get("phase")), ""),
            told="  ".join(filter(None, told)),
        )


def plan(console: Console, found: PlanView) -> None:
    """A plan as people would want to see it."""
    console.print(
        f"  基本救助 basic relief [bold]{found.supported:,} / {found.people:,}[/bold] · "
        f"安置 settled {found.settled:,} · 平均等待 mean wait {found.mean_wait_min:.0f} min"
    )
    console.print(
        f"  [dim]效用 utility {found.objective:.4f}, 已证上界 proven bound {found.bound:.4f}, "
        f"{found.solver_status}; 情景 scenario sha256 {found.snapshot_hash[:12]}…[/dim]"
    )
    by_hour(
        console,
        "计划:每小时末得到救助的人数 / planned: people served by the end of hour",
        found.people,
        found.served_by_hour,
    )
    _trips(console, found)
    tight = Table(
        "资源 resource", "占用 used", title="最紧的资源 / the tightest resources", title_justify="left"
    )
    for kind in ("docks", "vehicles", "items"):
        for row in [row for row in found.tightest if row.kind == kind][:4]:
            tight.add_row(f"{row.name_zh} / {row.name_en}", f"{row.used_share:.0%}")
    console.print(tight)


def by_hour(console: Console, heading: str, people: int, served: list[int]) -> None:
    console.print(Text(f"\n  {heading}", "bold"))
    for line in hour_bars(people, enumerate(served)):
        console.print(Text(line), soft_wrap=True)


def _trips(console: Console, found: PlanView) -> None:
    """Trips by the place they load at, and the weight that comes from each reserve."""
    weight = {item["id"]: item["weight_kg"] for item in found.scenario["items"]}
    mode = {(row["source"], row["item"]): row["mode"] for row in found.scenario["supply"]}
    name = {
        s["id"]: f"{s.get('name_zh', s['id'])} / {s.get('name_en', '')}" for s in found.scenario["sources"]
    }
    trips: dict[str, int] = {}
    tonnes: dict[str, float] = {}
    for trip in found.plan["trips"]:
        for visit in trip["visits"]:
            for item, units in visit.get("load", {}).items():
                kind = mode[visit["node"], item]
                tonnes[kind] = tonnes.get(kind, 0.0) + weight[item] * units / 1000
            if visit.get("load"):
                trips[visit["node"]] = trips.get(visit["node"], 0) + 1
    table = Table("装货点 loaded at", "车次 loads", title="各点车次 / loads by place", title_justify="left")
    for node, count in sorted(trips.items(), key=lambda row: -row[1]):
        table.add_row(name[node], str(count))
    console.print(table)
    total = sum(tonnes.values()) or 1.0
    console.print(
        "  来源 from which reserve: "
        + " · ".join(f"{MODES[kind]} {t:.0f} t ({t / total:.0%})" for kind, t in sorted(tonnes.items()))
    )


def account(
    console: Console,
    found: PlanView,
    served: ServedView,
    books: BooksReport,
    left: dict[str, dict[str, int]],
    night: Night,
) -> dict[str, Any]:
    """The end of the night on the screen; returns it as the summary that is written."""
    step(console, "结果", "the account")
    by_hour(
        console,
        "实际:每小时末得到救助的人数 / received: people served by the end of hour",
        served.people,
        served.served_by_hour,
    )
    names = {item["id"]: f"{item['name_zh']} / {item['name_en']}" for item in found.scenario["items"]}
    table = Table("库中余量 left in the stores", *left, title_justify="left")
    for item in sorted(names):
        units = [rows.get(item, 0) for rows in left.values()]
        if any(units):
            table.add_row(names[item], *(f"{n:,}" for n in units))
    console.print(table)
    everyone = served.served == served.people
    colour = "green" if everyone else "red"
    console.print(
        f"  [{colour}]{served.people:,} 人中 {served.served:,} 人在时限内得到基本救助 / "
        f"{served.served:,} of {served.people:,} people had basic relief in time[/{colour}]"
    )
    say(console, f"签收时损坏 {night.damaged} 件", f"{night.damaged} units were damaged on the way")
    if books.faults:
        console.print(
            Text("  账不平 / the books do not balance:\n  " + "\n  ".join(books.faults), "bold red")
        )
    else:
        say(
            console,
            f"账平:{books.movements:,} 笔流水,{books.entries:,} 条分录",
            f"the books balance: {books.movements:,} movements, {books.entries:,} entries",
        )
    return {
        "exercise": True,
        "people": served.people,
        "served": served.served,
        "served_by_hour": served.served_by_hour,
        "planned_by_hour": served.planned_by_hour,
        "utility": found.objective,
        "utility_bound": found.bound,
        "mean_wait_min": found.mean_wait_min,
        "settled_planned": found.settled,
        "snapshot_hash": found.snapshot_hash,
        "trips": len(found.plan["trips"]),
        "steps": night.steps,
        "damaged": night.damaged,
        "left_in_stores": left,
        "books": books.model_dump(mode="json"),
        "finished_at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
    }
