"""A district as a folder of spreadsheets: read it, check it, and know who is where.

`load_district(folder)` gives a `District` of frozen rows (`district_rows.py`); `check_district(folder)` gives
every `Fault`, those of single cells (`sheets.py`) and those between rows and tables (`district_rules.py`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any

from chubei_cli.district_rows import (
    ABOUT_FILE,
    TABLES,
    About,
    CatalogueItem,
    Group,
    Kit,
    KitNeed,
    Shelter,
    Site,
    SubDistrict,
    VehicleType,
)
from chubei_cli.district_rules import rule_faults
from chubei_cli.reserve_rows import (
    Agreement,
    Commitment,
    Declaration,
    Fund,
    FundPurchase,
    Lot,
    Norm,
    StreetStock,
)
from chubei_cli.response_rows import Authority, Duty, Person, Post
from chubei_cli.shares import share_out
from chubei_cli.sheets import Fault, Sheet, read_settings, read_sheet

__all__ = [
    "District",
    "DistrictFaulty",
    "Fault",
    "check_district",
    "group_members",
    "load_district",
    "people_of",
    "share_out",
]


@dataclass(frozen=True)
class District:
    """A whole district; each tuple holds the rows of the file of the same name, in file order."""

    about: About
    subdistricts: tuple[SubDistrict, ...]
    groups: tuple[Group, ...]
    catalogue: tuple[CatalogueItem, ...]
    kits: tuple[Kit, ...]
    kit_needs: tuple[KitNeed, ...]
    norms: tuple[Norm, ...]
    shelters: tuple[Shelter, ...]
    street_stock: tuple[StreetStock, ...]
    stores: tuple[Site, ...]
    suppliers: tuple[Site, ...]
    makers: tuple[Site, ...]
    lots: tuple[Lot, ...]
    agreements: tuple[Agreement, ...]
    commitments: tuple[Commitment, ...]
    funds: tuple[Fund, ...]
    fund_purchases: tuple[FundPurchase, ...]
    declarations: tuple[Declaration, ...]
    fleet: tuple[VehicleType, ...]
    posts: tuple[Post, ...]
    authority: tuple[Authority, ...]
    duties: tuple[Duty, ...]
    people: tuple[Person, ...]


class DistrictFaulty(ValueError):
    """The folder has faults; `.faults` lists them all."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        super().__init__("\n".join(map(str, faults)))
        self.faults = tuple(faults)


def check_district(folder: Path) -> list[Fault]:
    """Every fault of the district in `folder`, in the order of the files and rows; none: it can be loaded."""
    return _faults(folder, _read(folder))


def load_district(folder: Path) -> District:
    """The district in `folder`. Raises `DistrictFaulty` with all its faults."""
    sheets = _read(folder)
    faults = _faults(folder, sheets)
    if faults:
        raise DistrictFaulty(faults)
    about: About = sheets[ABOUT_FILE].rows[0].value
    tables: dict[str, Any] = {Path(file).stem: tuple(r.value for r in sheets[file].rows) for file in TABLES}
    return District(about=about, **tables)


def people_of(district: District, share: Decimal | None = None) -> dict[str, int]:
    """People by shelter id when `share` of the residents (by default the duty's) needs relief, rounded up:
    shared out over the sub-districts by residents, then over each one's registered shelters by capacity."""
    fraction = district.about.duty_share if share is None else share
    total = int((district.about.residents * fraction).to_integral_value(ROUND_CEILING))
    by_subdistrict = share_out(total, [s.residents for s in district.subdistricts])
    people = {shelter.id: 0 for shelter in district.shelters}
    for subdistrict, number in zip(district.subdistricts, by_subdistrict, strict=True):
        shelters = [
            s for s in district.shelters if s.subdistrict == subdistrict.code and s.status == "registered"
        ]
        places = share_out(number, [s.capacity for s in shelters]) if number else [0] * len(shelters)
        people |= {s.id: n for s, n in zip(shelters, places, strict=True)}
    return people


def group_members(district: District, people: dict[str, int]) -> dict[str, dict[str, int]]:
    """Members by group code, then shelter id: the group's share of all people (half up), over `people`."""
    total = sum(people.values())
    members = {}
    for group in district.groups:
        number = int((total * group.share).to_integral_value(ROUND_HALF_UP))
        shares = share_out(number, list(people.values())) if number else [0] * len(people)
        members[group.code] = dict(zip(people, shares, strict=True))
    return members


def _read(folder: Path) -> dict[str, Sheet]:
    about = {ABOUT_FILE: read_settings(folder, ABOUT_FILE, About)}
    return about | {file: read_sheet(folder, file, table.row_type) for file, table in TABLES.items()}


def _faults(folder: Path, sheets: dict[str, Sheet]) -> list[Fault]:
    """The faults of reading, and of the rules over what could be read."""
    found = [fault for sheet in sheets.values() for fault in sheet.faults]
    found += rule_faults(folder, sheets)
    order = {file: i for i, file in enumerate(sheets)}
    return sorted(found, key=lambda fault: (order.get(fault.file, len(order)), fault.row or 0))
