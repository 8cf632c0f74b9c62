"""`chubei validate DIR`: is a district folder sound, and what does it hold?"""

import math
from collections import Counter, defaultdict
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Annotated

import typer
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from chubei_cli.cells import PROVENANCES
from chubei_cli.district import District, check_district, group_members, load_district, people_of
from chubei_cli.district_rows import CatalogueItem, KitNeed, Shelter
from chubei_cli.errors import CommandError


def validate(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="区数据文件夹 / the folder of a district")],
) -> None:
    """检查区数据文件夹:列出全部错误,无误则给出概况。Check a district's folder; sum it up when it is sound."""
    if not folder.is_dir():
        raise CommandError(
            f"没有文件夹 {folder};请给出区数据文件夹。There is no folder {folder}: name a district's."
        )
    faults = check_district(folder)
    if faults:
        for fault in faults:
            typer.echo(str(fault))
        typer.echo(f"{len(faults)} 处需要改正。{len(faults)} to correct.", err=True)
        raise typer.Exit(2)
    _print_summary(load_district(folder))


@dataclass(frozen=True)
class Coverage:
    """How much of an item the duty needs, and what each kind of reserve can bring before the deadline.

    Units; `need` in whole packs per shelter, as they travel. `at_shelters` counts towards it already.
    """

    item: CatalogueItem
    tier: int
    need: int
    at_shelters: int
    by_mode: dict[str, int]

    @property
    def share(self) -> float:
        return min(1.0, (self.at_shelters + sum(self.by_mode.values())) / self.need)


def coverage_of(district: District) -> list[Coverage]:
    """The items of the kits, tier 1 first, with need and reserves when the duty falls due."""
    items = {item.code: item for item in district.catalogue}
    needed, tiers = _needed(district, items)
    at_shelters = Counter[str]()
    for stock in district.street_stock:
        at_shelters[stock.item] += stock.quantity
    reserves = _reserves(district)
    return [
        Coverage(items[code], tiers[code], needed[code], at_shelters[code], reserves[code])
        for code in sorted(needed, key=lambda code: (tiers[code], code))
        if needed[code]
    ]


def provenance_counts(district: District) -> Counter[str]:
    """How many figures are verified, estimated, invented: every provenance column of every row."""
    counts = Counter[str]()
    for table in fields(district):
        value = getattr(district, table.name)
        for row in value if isinstance(value, tuple) else (value,):
            for column in fields(row):
                word = getattr(row, column.name)
                if column.name.endswith("provenance") and word is not None:
                    counts[word] += 1
    return counts


def _needed(district: District, items: dict[str, CatalogueItem]) -> tuple[Counter[str], dict[str, int]]:
    """Units by item that the shelters need, and the lowest tier that asks for the item."""
    people = people_of(district)
    members = group_members(district, people)
    needed, tiers = Counter[str](), dict[str, int]()
    for shelter in district.shelters:
        for need in district.kit_needs:
            if need.kit == shelter.kit:
                count = members[need.group][shelter.id] if need.group else people[shelter.id]
                needed[need.item] += _whole_packs(need, count, items[need.item].pack)
                tiers[need.item] = min(need.tier, tiers.get(need.item, need.tier))
    return needed, tiers


def _whole_packs(need: KitNeed, count: int, pack: int) -> int:
    return math.ceil(math.ceil(need.per_person * count) / pack) * pack


def _reserves(district: District) -> defaultdict[str, dict[str, int]]:
    """Units by item and mode that can be loaded before the deadline."""
    deadline = district.about.deadline_min
    found: defaultdict[str, dict[str, int]] = defaultdict(
        lambda: {"physical": 0, "contract": 0, "fund": 0, "capacity": 0}
    )
    for lot in district.lots:
        found[lot.item]["physical"] += lot.quantity
    for agreement in district.agreements:
        if agreement.lead_min < deadline:
            found[agreement.item]["contract"] += agreement.quantity
    ready = {fund.id: fund.approval_min + fund.delivery_min for fund in district.funds}
    for purchase in district.fund_purchases:
        if ready[purchase.fund] < deadline:
            found[purchase.item]["fund"] += purchase.limit_units
    for line in district.commitments:
        made = max(0, line.rate_per_hour * (deadline - line.conversion_min) // 60)
        found[line.item]["capacity"] += min(made, line.limit_units)
    return found


def _print_summary(district: District) -> None:
    console = Console(highlight=False)
    about = district.about
    people = people_of(district)
    console.print(f"[bold]{escape(about.name_zh)}[/] {escape(about.name_en)}")
    console.print(f"常住人口 residents {about.residents:,}({about.residents_provenance})")
    console.print(
        f"{about.duty_share:%} → [bold]{sum(people.values()):,}[/] 人 people, "
        f"{about.deadline_min} 分钟内 min; {_places(district.shelters)}"
    )
    console.print(
        f"街道 sub-districts {len(district.subdistricts)} · 目录物资 items {len(district.catalogue)} · "
        f"储备库 stores {len(district.stores)} · 批次 lots {len(district.lots)} · "
        f"协议 agreements {len(district.agreements)} · 车辆 vehicles {sum(v.count for v in district.fleet)}"
    )
    console.print(_coverage_table(coverage_of(district)))
    counts = provenance_counts(district)
    words = zip(("已核实", "估计", "虚构"), PROVENANCES, strict=True)
    console.print("数据出处 provenance: " + " · ".join(f"{zh} {word} {counts[word]}" for zh, word in words))
    for line in (about.notice_zh, about.notice_en, about.attribution_zh, about.attribution_en):
        console.print(f"[dim]{escape(line)}[/]")


def _places(shelters: tuple[Shelter, ...]) -> str:
    registered = [shelter for shelter in shelters if shelter.status == "registered"]
    more = [shelter for shelter in shelters if shelter.status == "candidate"]
    return (
        f"安置点 shelters {len(registered)}, 位置 places {sum(s.capacity for s in registered):,}; "
        f"备选 candidates {len(more)}, 位置 places {sum(s.capacity for s in more):,}"
    )


def _coverage_table(rows: list[Coverage]) -> Table:
    table = Table(
        title="按时可得 what can be had in time", title_justify="left", box=SIMPLE_HEAD, padding=(0, 1, 0, 0)
    )
    table.add_column("层\ntier")
    table.add_column("物资\nitem", min_width=14)
    for heading in (
        "需求\nneed",
        "街道\nstreet",
        "实物\nphysical",
        "协议\ncontract",
        "资金\nfund",
        "产能\ncapacity",
    ):
        table.add_column(heading, justify="right")
    table.add_column("保障\n%", justify="right")
    for row in rows:
        units = (row.need, row.at_shelters, *row.by_mode.values())
        table.add_row(
            str(row.tier),
            f"{escape(row.item.name_zh)} {escape(row.item.name_en)}",
            *(f"{number:,}" if number else "-" for number in units),
            str(math.floor(row.share * 100)),
            style="red" if row.share < 1 else "",
        )
    return table
