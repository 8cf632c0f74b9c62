"""What `chubei readiness` shows: the verdict and why, people by hour, losses, chance, what ends."""

from collections.abc import Iterator

from chubei_shared.contracts.readiness import FirstDate, LossView, Page, Readiness, Verdict
from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table

from .bars import hour_bars

_SHOWN_HOURS = (2, 4, 6, 10, 12)
_MOST_LOSSES = 8
_STYLES = {Verdict.ABLE: "bold green", Verdict.NEARLY: "bold yellow", Verdict.UNABLE: "bold red"}


def show_readiness(console: Console, found: Readiness) -> None:
    """All on one screen or two; the page to print has more."""
    page = found.page
    console.print(page.why_zh, style=_STYLES[page.verdict], highlight=False)
    console.print(page.why_en, highlight=False)
    console.print(f"数据 / data: {page.data_at:%Y-%m-%d %H:%M} UTC · {found.run.night} · {found.run.reason}")
    _standing(console, found)
    for line in hour_bars(page.people, list(enumerate(page.by_hour, start=1))):
        console.print(line, highlight=False, markup=False)
    _items(console, found)
    _losses(console, found)
    _chance(console, found)
    _days(console, found)
    names = {row.id: row.name_zh for row in found.standing}
    for row in found.first_dates:
        console.print(
            _first_date(names.get(row.standing_id, row.standing_id), row), highlight=False, markup=False
        )
    for line in _behind(page):
        console.print(line, highlight=False, markup=False)


def _standing(console: Console, found: Readiness) -> None:
    table = Table(box=SIMPLE, padding=(0, 1, 0, 0))
    table.add_column("情形 / standing scenario", no_wrap=True)
    for hour in _SHOWN_HOURS:
        table.add_column(f"{hour} h", justify="right")
    for title in ("应保障\npeople", "安置到位\nsettled"):
        table.add_column(title, justify="right")
    for row in found.standing:
        hours = [str(row.by_hour[hour - 1]) if hour <= len(row.by_hour) else "" for hour in _SHOWN_HOURS]
        settled = "" if row.settled is None else str(row.settled)
        table.add_row(f"{row.name_zh} {row.name_en}", *hours, str(row.people), settled)
    console.print(table)
    for row in found.standing:
        told = f"{row.binds[0].zh} / {row.binds[0].en}" if row.binds else f"{row.binds_zh} / {row.binds_en}"
        console.print(f"  {row.name_zh}:{told}", highlight=False, markup=False)


def _items(console: Console, found: Readiness) -> None:
    """What there is of each item, the scarcest first."""
    table = Table(box=SIMPLE, padding=(0, 1, 0, 0))
    table.add_column("物资 / item")
    for title in (
        "需要\nneed",
        "按时可得\nin time",
        "实物\nphysical",
        "协议已核实\nverified",
        "未核实\nnot verified",
        "产能\ncapacity",
        "资金\nfund",
        "社会\nsocial",
    ):
        table.add_column(title, justify="right")
    scarcest = found.page.scarcest
    for row in sorted(found.page.items, key=lambda row: (row.item_code not in scarcest, row.item_code)):
        figures = (
            row.need, row.in_time, row.physical, row.contract_verified, row.contract_unverified, row.capacity,
            row.fund, row.social,
        )  # fmt: skip
        scarce = "〔最缺 scarcest〕" if row.item_code in scarcest else ""
        table.add_row(f"{scarce}{row.name_zh} / {row.name_en}", *map(str, figures))
    console.print(table)


def _losses(console: Console, found: Readiness) -> None:
    table = Table(box=SIMPLE, padding=(0, 1, 0, 0))
    for title in ("失效 / lost", "最不利情形 / where it costs most"):
        table.add_column(title)
    table.add_column("少救助\nfewer served", justify="right")
    table.add_column("余\nleft", justify="right")
    table.add_column("最缺 / shortest")
    table.add_column("")
    names = {row.id: row.name_zh for row in found.standing}
    for row in found.losses[:_MOST_LOSSES]:
        table.add_row(*_loss(row, names.get(row.standing_id, row.standing_id)))
    console.print(table)


def _loss(row: LossView, standing: str) -> tuple[str, ...]:
    told = "已证明救不全 / proven" if row.impossible else ""
    joint = "〔并发 joint〕" if row.joint else ""
    name = f"{joint}{row.name_zh} / {row.name_en}"
    least = min(row.short, key=lambda one: one.by_hour[-1] / one.users, default=None)
    short = f"{least.name_zh} {least.by_hour[-1]}/{least.users}" if least and row.lost_people else ""
    return name, standing, str(row.lost_people), f"{row.supported}/{row.people}", short, told


def _chance(console: Console, found: Readiness) -> None:
    if (chance := found.chance) is None:
        return
    console.print(
        f"全员按时救助的把握 / chance that all are served in time: {chance.share:.1%} "
        f"({chance.low:.1%}–{chance.high:.1%}; {chance.interval}; {chance.succeeded}/{chance.draws}) · "
        f"上限 / upper limit {chance.upper_limit:.1%} · 平均至少 / mean at least {chance.mean_served_share:.1%}",
        highlight=False,
    )


def _days(console: Console, found: Readiness) -> None:
    if found.days:
        told = "  ".join(f"{row.day}: {row.people}" for row in found.days)
        console.print(f"第 2–7 天有日耗物资的人数 / people supplied on days 2 to 7:  {told}", highlight=False)


def _first_date(standing: str, row: FirstDate) -> str:
    if row.on is None:
        return f"{standing}:一年内已知的变化都不影响 / kept through all known changes of the year"
    proven = "已证明 / proven" if row.proven else "未找到方案 / no plan found"
    if row.mend is None:
        mend = "无单项补救 / no single mend"
    else:
        cost = "无价 / no price" if row.mend.cost_fen is None else f"{row.mend.cost_fen / 100:,.0f} 元 CNY"
        mend = f"{row.mend.zh} / {row.mend.en}: {cost}"
    return f"{standing}:{row.on} 起不能完成 / not kept from then on ({proven});补救 / mend: {mend}"


def _behind(page: Page) -> Iterator[str]:
    """Places, what ends, and how far the data can be trusted."""
    yield (
        f"安置容量 / places: 室内 indoors {page.places_indoor},室外 outdoors {page.places_outdoor}"
        f"(备选 candidates {page.places_candidate})"
    )
    for soon in page.money:
        yield (
            f"{soon.within_days} 天内 / within {soon.within_days} days: 到期批次 lots {soon.lots} "
            f"({soon.lots_fen / 100:,.0f} 元 CNY),到期协议 agreements {soon.contracts} "
            f"({soon.contracts_fen / 100:,.0f} 元 CNY),待检 tests {soon.tests},"
            f"待核实 verifications {soon.verifications}"
        )
    lines, agreed = page.stocktake_lines, page.agreements_verified
    figures = ",".join(f"{kind} {count}" for kind, count in sorted(page.figures.items()))
    yield (
        f"账实相符 / lines counted right: {lines.part}/{lines.of} · 协议已核实 / agreements verified: "
        f"{agreed.part}/{agreed.of} · 演练 / drills: {page.drills} · "
        f"推演 / exercises: {page.exercises}/{page.exercises_due}"
    )
    yield f"所依据的记录 / records behind it: {figures}"
