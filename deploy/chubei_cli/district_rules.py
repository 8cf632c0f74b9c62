"""The rules of a district that span rows and tables. Cells by themselves are checked in `cells.py`.

A rule over several tables is judged only when they have no fault of their own: one wrong cell should not
draw a second complaint about a sum.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator
from decimal import ROUND_CEILING
from itertools import pairwise
from pathlib import Path

from chubei_cli.cells import Optional, Reference, Text
from chubei_cli.district_rows import ABOUT_FILE, TABLES
from chubei_cli.row_fields import MODES
from chubei_cli.shares import share_out
from chubei_cli.sheets import Fault, Sheet, cells_of

Sheets = dict[str, Sheet]

SITE_FILES = ("stores.csv", "suppliers.csv", "makers.csv")
PLACE_FILES = (*SITE_FILES, "shelters.csv")
SUPPLY_FILES = {
    "lots.csv": ("store", "physical"),
    "agreements.csv": ("supplier", "contract"),
    "commitments.csv": ("maker", "capacity"),
    "fund_purchases.csv": ("delivered_to", "fund"),
}


def rule_faults(folder: Path, sheets: Sheets) -> list[Fault]:
    """Every fault between rows and tables of the district in `folder`, read as `sheets`."""
    found = [
        *_unknown_files(folder),
        *_empty(sheets),
        *_doubles(sheets),
        *_dangling(sheets),
        *_off_the_map(sheets),
    ]
    for rule, files in _RULES:
        if all(_has_rows(sheets, file) and not sheets[file].faults for file in files):
            found += rule(sheets)
    return found


def _unknown_files(folder: Path) -> Iterator[Fault]:
    known = sorted(TABLES)
    for path in sorted(folder.glob("*.csv")):
        if path.name not in TABLES:
            yield Fault(
                path.name,
                None,
                None,
                Text("不认识这个文件。", "This file is not part of a district."),
                Text(
                    f"改名或移走;可用:{', '.join(known)}。",
                    f"Rename it or move it away; known: {', '.join(known)}.",
                ),
            )


def _has_rows(sheets: Sheets, file: str) -> bool:
    """The file could be read, and has rows unless it may go without."""
    sheet = sheets[file]
    return sheet.readable and (bool(sheet.rows) or (file in TABLES and TABLES[file].may_be_empty))


def _empty(sheets: Sheets) -> Iterator[Fault]:
    for file in TABLES:
        if sheets[file].readable and not _has_rows(sheets, file):
            yield Fault(
                file,
                None,
                None,
                Text("只有表头。", "There is nothing below the header."),
                Text("至少写一行。", "Write at least one row."),
            )


def _doubles(sheets: Sheets) -> Iterator[Fault]:
    """Keys that stand twice in a table, and ids that two places share."""
    seen: dict[tuple[str, ...], str] = {}
    for file, table in TABLES.items():
        scope = "place" if file in PLACE_FILES else file
        for row in sheets[file].rows:
            key = tuple(row.cells.get(column, "") for column in table.key)
            if not all(key):
                continue
            place = f"{file}:{row.number}"
            first = seen.setdefault((scope, *key), place)
            if first != place:
                yield Fault(
                    file,
                    row.number,
                    "+".join(table.key),
                    Text(f"{' '.join(key)} 与 {first} 重复。", f"{' '.join(key)} stands already in {first}."),
                    Text("合并两行,或改编号。", "Merge the two rows, or give this one an id of its own."),
                )


def _dangling(sheets: Sheets) -> Iterator[Fault]:
    """References to rows that do not exist, each once. A table that could not be read is held against nobody."""
    for file, table in TABLES.items():
        for column, cell in cells_of(table.row_type).items():
            target = cell.cell if isinstance(cell, Optional) else cell
            if not isinstance(target, Reference) or not all(_has_rows(sheets, f) for f in target.files):
                continue
            known = {row.cells.get(TABLES[f].key[0]) for f in target.files for row in sheets[f].rows}
            found: defaultdict[str, list[int]] = defaultdict(list)
            for row in sheets[file].rows:
                if row.cells.get(column) and row.cells[column] not in known:
                    found[row.cells[column]].append(row.number)
            for written, numbers in found.items():
                yield _dangling_fault(file, numbers, column, written, " / ".join(target.files))


def _dangling_fault(file: str, rows: list[int], column: str, written: str, where: str) -> Fault:
    more = Text(f"(共 {len(rows)} 行)", f" ({len(rows)} rows)") if len(rows) > 1 else Text("", "")
    return Fault(
        file,
        rows[0],
        column,
        Text(f"{where} 中没有 {written!r}{more.zh}。", f"{written!r} does not stand in {where}{more.en}."),
        Text("改为已有的编号,或在那里补上。", "Correct it, or add it there."),
    )


def _off_the_map(sheets: Sheets) -> Iterator[Fault]:
    """Coordinates outside the box of district.yaml, most often longitude and latitude exchanged."""
    box = sheets[ABOUT_FILE].rows[0].values if sheets[ABOUT_FILE].rows else {}
    for column in ("lon", "lat"):
        low, high = box.get(f"box_{column}_min"), box.get(f"box_{column}_max")
        if low is None or high is None:
            continue
        for file in ("subdistricts.csv", *PLACE_FILES):
            for row in sheets[file].rows:
                degrees = row.values.get(column)
                if degrees is not None and not low <= degrees <= high:
                    yield Fault(
                        file,
                        row.number,
                        column,
                        Text(f"{degrees} 不在本区范围内。", f"{degrees} is off the map."),
                        Text(
                            f"须在 {low} 与 {high} 之间(WGS84;经纬度是否写反?)。",
                            f"Write {low} to {high} (WGS84; are longitude and latitude exchanged?).",
                        ),
                    )


def _residents_add_up(sheets: Sheets) -> Iterator[Fault]:
    about = sheets[ABOUT_FILE].rows[0].value
    total = sum(row.value.residents for row in sheets["subdistricts.csv"].rows)
    if total != about.residents:
        yield Fault(
            "subdistricts.csv",
            None,
            "residents",
            Text(
                f"各街道合计 {total},全区是 {about.residents}。",
                f"They sum to {total}, the district has {about.residents}.",
            ),
            Text(
                f"改正人口数,或改 {ABOUT_FILE} 的 residents。", f"Correct them, or residents in {ABOUT_FILE}."
            ),
        )


def _shelters_hold_everyone(sheets: Sheets) -> Iterator[Fault]:
    """In each sub-district registered shelters have places for its share of the duty."""
    about = sheets[ABOUT_FILE].rows[0].value
    subdistricts = sheets["subdistricts.csv"].rows
    duty = int((about.residents * about.duty_share).to_integral_value(ROUND_CEILING))
    shares = share_out(duty, [row.value.residents for row in subdistricts])
    places: defaultdict[str, int] = defaultdict(int)
    for row in sheets["shelters.csv"].rows:
        if row.value.status == "registered":
            places[row.value.subdistrict] += row.value.capacity
    for row, people in zip(subdistricts, shares, strict=True):
        if places[row.value.code] < people:
            yield Fault(
                "shelters.csv",
                None,
                "capacity",
                Text(
                    f"{row.value.name_zh}要安置 {people} 人,只有 {places[row.value.code]} 个位置。",
                    f"{row.value.name_en} has places for {places[row.value.code]} of {people} people.",
                ),
                Text("加安置点,或加大 capacity。", "Add a shelter there, or raise a capacity."),
            )


def _kits_give_relief(sheets: Sheets) -> Iterator[Fault]:
    needs = [row.value for row in sheets["kit_needs.csv"].rows]
    for row in sheets["kits.csv"].rows:
        if not any(n.kit == row.value.code and n.tier == 1 and n.group is None for n in needs):
            yield Fault(
                "kits.csv",
                row.number,
                "code",
                Text("没有人人都要的基本救助物资。", "It has no tier 1 need that is everybody's."),
                Text(
                    "在 kit_needs.csv 中补上 tier 1 的行。",
                    "Add tier 1 rows without a group to kit_needs.csv.",
                ),
            )


def _modes_agree(sheets: Sheets) -> Iterator[Fault]:
    """What is reserved in a mode is reserved so by the catalogue too."""
    modes = {row.value.code: row.value.reserve_modes for row in sheets["catalogue.csv"].rows}
    for file, (_, mode) in SUPPLY_FILES.items():
        for row in sheets[file].rows:
            if mode not in modes.get(row.value.item, (mode,)):
                yield Fault(
                    file,
                    row.number,
                    "item",
                    Text(
                        f"目录中 {row.value.item} 没有 {mode} 储备方式。",
                        f"The catalogue has {row.value.item} not as {mode}.",
                    ),
                    Text(
                        f"在 catalogue.csv 的 reserve_modes 加 {mode},或删去本行。",
                        f"Add {mode} to its reserve_modes, or delete this row.",
                    ),
                )


def _one_supply_at_a_place(sheets: Sheets) -> Iterator[Fault]:
    """An item comes in one mode at a place, else a plan line could not name where it takes from."""
    seen: dict[tuple[str, str], str] = {}
    for file, (column, _) in SUPPLY_FILES.items():
        for row in sheets[file].rows:
            place = getattr(row.value, column)
            first = seen.setdefault((place, row.value.item), file)
            if first != file:
                yield Fault(
                    file,
                    row.number,
                    column,
                    Text(
                        f"{place} 的 {row.value.item} 已在 {first} 中。",
                        f"{row.value.item} at {place} stands in {first} already.",
                    ),
                    Text("换一个地点。", "Give this one a place of its own."),
                )


def _funds_suffice(sheets: Sheets) -> Iterator[Fault]:
    spent: defaultdict[str, int] = defaultdict(int)
    for row in sheets["fund_purchases.csv"].rows:
        spent[row.value.fund] += row.value.limit_units * row.value.price_cny
    for row in sheets["funds.csv"].rows:
        if spent[row.value.id] > row.value.budget_cny:
            yield Fault(
                "funds.csv",
                row.number,
                "budget_cny",
                Text(
                    f"采购上限合计 {spent[row.value.id]} 元,超过预算 {row.value.budget_cny} 元。",
                    f"Its purchases may cost {spent[row.value.id]} CNY, its budget is {row.value.budget_cny}.",
                ),
                Text(
                    "减少 fund_purchases.csv 的 limit_units,或加预算。",
                    "Lower limit_units in fund_purchases.csv, or raise the budget.",
                ),
            )


def _homes_are_counted(sheets: Sheets) -> Iterator[Fault]:
    for row in sheets["declarations.csv"].rows:
        if (row.value.households is None) == (row.value.sphere == "household"):
            yield Fault(
                "declarations.csv",
                row.number,
                "households",
                Text(
                    "户数只用于家庭储备,且必填。",
                    "The number of homes belongs to household, and is needed there.",
                ),
                Text("household 填户数,social 留空。", "Give it for household, leave it empty for social."),
            )


def _posts_end_at_a_top(sheets: Sheets) -> Iterator[Fault]:
    """What is escalated must not come back to where it began."""
    above = {row.value.id: row.value.escalates_to for row in sheets["posts.csv"].rows}
    for row in sheets["posts.csv"].rows:
        passed, post = {row.value.id}, row.value.escalates_to
        while post is not None and post not in passed:
            passed.add(post)
            post = above.get(post)
        if post == row.value.id:
            yield Fault(
                "posts.csv",
                row.number,
                "escalates_to",
                Text(f"逐级上报会回到 {post}。", f"What is escalated comes back to {post}."),
                Text("改上级岗位;最上一级留空。", "Name another post above; leave the topmost one's empty."),
            )


def _people_work_where_they_may(sheets: Sheets) -> Iterator[Fault]:
    """Drivers, and nobody else, name what they drive; who keeps a shelter is at one, and the others are not."""
    shelters = {row.value.id for row in sheets["shelters.csv"].rows}
    for row in sheets["people.csv"].rows:
        if (row.value.duty == "driver") != (row.value.vehicle_type is not None):
            yield Fault(
                "people.csv",
                row.number,
                "vehicle_type",
                Text("司机才填车型,且必填。", "What is driven belongs to a driver, and is needed there."),
                Text("driver 填车型,其他人留空。", "Give it for driver, leave it empty for the others."),
            )
        if (row.value.duty == "shelter") != (row.value.place in shelters):
            yield Fault(
                "people.csv",
                row.number,
                "place",
                Text("职责与地点不符。", "The duty does not belong to this place."),
                Text(
                    "shelter 填安置点,其他人填库、供应商或企业。",
                    "A shelter for duty shelter, else a loading site.",
                ),
            )


def _authority_goes_upwards(sheets: Sheets) -> Iterator[Fault]:
    """Each tier may approve what the one below it may, and the highest anything: no plan is for nobody."""
    rows = sheets["authority.csv"].rows
    for below, above in pairwise(rows):
        less, more = below.value, above.value
        limited = more.max_people is not None and (
            less.max_people is None or more.max_people < less.max_people
        )
        if (
            limited
            or (less.cross_store and not more.cross_store)
            or (less.requisition and not more.requisition)
            or set(less.modes) - set(more.modes)
        ):
            yield Fault(
                "authority.csv",
                above.number,
                None,
                Text(f"不能批准 {less.id} 能批准的一切。", f"May not approve all that {less.id} may."),
                Text(
                    "由低到高排列,逐级不减。",
                    "Put the lowest first, and let each be allowed at least as much.",
                ),
            )
    if rows and (
        (top := rows[-1].value).max_people is not None
        or not (top.cross_store and top.requisition)
        or set(top.modes) != set(MODES)
    ):
        yield Fault(
            "authority.csv",
            rows[-1].number,
            None,
            Text(
                "最高一级有限额,有的方案将无人能批。",
                "The highest tier has limits: some plans could be approved by nobody.",
            ),
            Text("去掉限额,列全四种储备。", "Take the limits out, and name all four modes."),
        )


_RULES: tuple[tuple[Callable[[Sheets], Iterator[Fault]], tuple[str, ...]], ...] = (
    (_residents_add_up, (ABOUT_FILE, "subdistricts.csv")),
    (_shelters_hold_everyone, (ABOUT_FILE, "subdistricts.csv", "shelters.csv")),
    (_kits_give_relief, ("kits.csv", "kit_needs.csv")),
    (_modes_agree, ("catalogue.csv", *SUPPLY_FILES)),
    (_one_supply_at_a_place, tuple(SUPPLY_FILES)),
    (_funds_suffice, ("funds.csv", "fund_purchases.csv")),
    (_homes_are_counted, ("declarations.csv",)),
    (_posts_end_at_a_top, ("posts.csv",)),
    (_authority_goes_upwards, ("authority.csv",)),
    (_people_work_where_they_may, ("people.csv", "shelters.csv")),
)
