"""A district folder as what the services are told: pure, from rows to contracts.

Days in the tables count from an anchor day, the day of the first seeding. Opening stock stands in the books
from the start of the day before it.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from uuid import NAMESPACE_URL, UUID, uuid4, uuid5
from zoneinfo import ZoneInfo

from chubei_shared.contracts import catalogue, network, reserves, stock
from chubei_shared.contracts.base import Certainty, Mode, Provenance
from chubei_shared.contracts.catalogue import PlaceKind
from chubei_shared.contracts.catalogue_versions import Draft
from chubei_shared.contracts.declarations import Declaration, Sphere
from chubei_shared.contracts.funds import FundAccount

from . import district_rows as rows
from . import reserve_rows as reserved
from .district import District

_BOOKED_BEFORE = timedelta(days=1)


def anchor_of(booked_on: date) -> date:
    """The anchor day of a district whose opening stock was booked on that day."""
    return booked_on + _BOOKED_BEFORE


def _told(certainty: str, source: str) -> Provenance:
    return Provenance(certainty=Certainty(certainty), source=source)


def _provenance(
    row: rows.Site | reserved.Lot | rows.CatalogueItem | rows.Kit | rows.VehicleType,
) -> Provenance:
    return _told(row.provenance, row.source)


def catalogue_draft(district: District) -> Draft:
    """Items, kits and norms as a draft of the catalogue, a new one at each seeding."""
    about = district.about
    return Draft(
        id=uuid4(),
        name=f"{about.name_zh}目录 / {about.name_en}",
        note="chubei seed",
        items=items(district),
        kits=kits(district),
        norms=norms(district),
    )


def items(district: District) -> list[catalogue.Item]:
    return [
        catalogue.Item(
            code=row.code,
            name_zh=row.name_zh,
            name_en=row.name_en,
            family=catalogue.Family(row.family),
            unit_zh=row.unit_zh,
            pack=row.pack,
            weight_g=row.weight_g,
            volume_cm3=row.volume_cm3,
            shelf_life_months=row.shelf_life_months,
            reserve_modes=[Mode(mode) for mode in row.reserve_modes],
            managing_body=row.managing_body,
            dispatch_authority=row.dispatch_authority,
            ref_price_cny=row.ref_price_cny,
            returnable=row.returnable,
            provenance=_provenance(row),
        )
        for row in district.catalogue
    ]


def kits(district: District) -> list[catalogue.Kit]:
    return [
        catalogue.Kit(
            id=kit.code,
            name_zh=kit.name_zh,
            name_en=kit.name_en,
            setting=catalogue.Setting(kit.place),
            season=catalogue.Season(kit.season),
            needs=[
                catalogue.KitNeed(
                    item_code=need.item, per_person=need.per_person, tier=need.tier, group=need.group
                )
                for need in district.kit_needs
                if need.kit == kit.code
            ],
            provenance=_provenance(kit),
        )
        for kit in district.kits
    ]


def norms(district: District) -> list[catalogue.Norm]:
    return [
        catalogue.Norm(
            item_code=row.item,
            units_per_1000=row.units_per_1000,
            least_physical_pct=row.least_physical_pct,
            provenance=_told(row.provenance, row.source),
        )
        for row in district.norms
    ]


def declarations(district: District, anchor: date) -> list[Declaration]:
    """What others have, each by sphere, sub-district and item."""
    return [
        Declaration(
            id=f"{row.sphere}:{row.subdistrict}:{row.item}",
            sphere=Sphere(row.sphere),
            item_code=row.item,
            quantity=row.quantity,
            area=row.subdistrict,
            party=row.party,
            households=row.households,
            declared_on=anchor - timedelta(days=row.declared_days_ago),
            valid_until=anchor + timedelta(days=row.valid_for_days),
            provenance=_told(row.provenance, row.source),
        )
        for row in district.declarations
    ]


def places(district: District) -> list[catalogue.Place]:
    sites: list[tuple[PlaceKind, rows.Site | rows.Shelter]] = [
        *((PlaceKind.STORE, row) for row in district.stores),
        *((PlaceKind.SUPPLIER, row) for row in district.suppliers),
        *((PlaceKind.MAKER, row) for row in district.makers),
        *((PlaceKind.POINT, row) for row in district.shelters),
    ]
    return [
        catalogue.Place(
            id=row.id,
            kind=kind,
            name_zh=row.name_zh,
            name_en=row.name_en,
            lon=float(row.lon),
            lat=float(row.lat),
            provenance=_told(row.provenance, row.source),
        )
        for kind, row in sites
    ]


def funds(district: District) -> list[FundAccount]:
    """Each fund with its budget; what it may buy are reserve records."""
    return [
        FundAccount(
            id=row.id,
            name_zh=row.name_zh,
            name_en=row.name_en,
            budget_fen=100 * row.budget_cny,
            provenance=_told(row.provenance, row.source),
        )
        for row in district.funds
    ]


def reserve_records(district: District, anchor: date) -> Iterator[reserves.Reserve]:
    """Agreements, commitments, and each thing that a fund may buy as a reserve of its own."""
    names = {row.id: row.name_zh for row in (*district.suppliers, *district.makers)}
    for a in district.agreements:
        yield reserves.Agreement(
            mode=Mode.CONTRACT,
            id=f"{a.supplier}:{a.item}",
            place_id=a.supplier,
            party=names[a.supplier],
            item_code=a.item,
            quantity=a.quantity,
            lead_min=a.lead_min,
            floor_stock=a.floor_stock,
            unit_price_fen=100 * a.price_cny,
            **_validity(a, anchor),
        )
    for c in district.commitments:
        yield reserves.Commitment(
            mode=Mode.CAPACITY,
            id=f"{c.maker}:{c.item}",
            place_id=c.maker,
            party=names[c.maker],
            item_code=c.item,
            quantity=c.limit_units,
            conversion_min=c.conversion_min,
            rate_per_hour=c.rate_per_hour,
            unit_price_fen=100 * c.price_cny,
            **_validity(c, anchor),
        )
    by_id = {row.id: row for row in district.funds}
    for p in district.fund_purchases:
        fund = by_id[p.fund]
        yield reserves.Fund(
            mode=Mode.FUND,
            id=f"{p.fund}:{p.item}",
            place_id=p.delivered_to,
            party=fund.name_zh,
            item_code=p.item,
            account_id=p.fund,
            budget_fen=100 * p.limit_units * p.price_cny,
            unit_price_fen=100 * p.price_cny,
            approval_min=fund.approval_min,
            delivery_min=fund.delivery_min,
            **_validity(fund, anchor),
        )


def _validity(
    row: reserved.Agreement | reserved.Commitment | reserved.Fund, anchor: date
) -> dict[str, object]:
    begun = anchor - timedelta(days=row.valid_from_days_ago)
    return {
        "valid_from": begun,
        "valid_until": anchor + timedelta(days=row.valid_for_days),
        "last_verified_on": anchor - timedelta(days=row.last_verified_days_ago),
        "provenance": _told(row.provenance, row.source),
    }


def opening_stock(district: District, anchor: date) -> Iterator[stock.Receive]:
    """One receipt a lot, and one a street stock; its id is the same at every seeding."""
    midnight = datetime.combine(anchor - _BOOKED_BEFORE, time(), ZoneInfo(district.about.timezone))
    occurred_at = midnight.astimezone(UTC)
    for lot in district.lots:
        yield stock.Receive(
            kind="receive",
            id=_movement_id(district, lot.store, lot.item, lot.lot_no),
            occurred_at=occurred_at,
            voucher="opening",
            reason="期初库存 / opening stock",
            place_id=lot.store,
            lines=[
                stock.ReceiveLine(
                    item_code=lot.item,
                    quantity=lot.quantity,
                    lot=catalogue.Lot(
                        lot_no=lot.lot_no,
                        maker=lot.maker,
                        made_on=anchor - timedelta(days=lot.made_days_ago),
                        expires_on=anchor + timedelta(days=lot.expires_in_days),
                    ),
                )
            ],
        )
    for row in district.street_stock:
        yield stock.Receive(
            kind="receive",
            id=_movement_id(district, row.shelter, row.item, "street"),
            occurred_at=occurred_at,
            voucher="opening",
            reason="街道储备期初 / opening street stock",
            place_id=row.shelter,
            lines=[
                stock.ReceiveLine(
                    item_code=row.item,
                    quantity=row.quantity,
                    lot=catalogue.Lot(lot_no=f"street-{row.shelter}", maker="街道储备"),
                )
            ],
        )


def _movement_id(district: District, *key: str) -> UUID:
    return uuid5(NAMESPACE_URL, "/".join(("chubei", district.about.id, *key)))


def network_of(district: District) -> network.Network:
    about = district.about
    return network.Network(
        district=network.District(
            id=about.id,
            name_zh=about.name_zh,
            name_en=about.name_en,
            residents=about.residents,
            duty_share=float(about.duty_share),
            deadline_min=about.deadline_min,
            circuity=float(about.travel_circuity),
            speed_kmh=float(about.travel_speed_kmh),
            group_shares={group.code: float(group.share) for group in district.groups},
            attributions=[about.attribution_zh, about.attribution_en, about.notice_zh, about.notice_en],
            provenance=_told(about.residents_provenance, about.residents_source),
        ),
        subdistricts=[
            network.SubDistrict(
                id=row.code,
                name_zh=row.name_zh,
                name_en=row.name_en,
                zone=row.zone,
                residents=row.residents,
                lon=float(row.lon),
                lat=float(row.lat),
                provenance=_told(row.residents_provenance, row.residents_source),
            )
            for row in district.subdistricts
        ],
        loading_sites=[
            network.LoadingSite(
                place_id=row.id,
                docks=[network.CrewStep(from_min=minute, manned=manned) for minute, manned in row.docks],
                load_fixed_min=row.load_fixed_min,
                load_kg_per_min=row.load_kg_per_min,
                provenance=_provenance(row),
            )
            for row in (*district.stores, *district.suppliers, *district.makers)
        ],
        shelters=[_shelter(row) for row in district.shelters],
        vehicle_types=[_vehicle_type(row) for row in district.fleet],
    )


def _shelter(row: rows.Shelter) -> network.Shelter:
    return network.Shelter(
        id=row.id,
        subdistrict_id=row.subdistrict,
        name_zh=row.name_zh,
        name_en=row.name_en,
        lon=float(row.lon),
        lat=float(row.lat),
        status=network.ShelterStatus(row.status),
        indoor=row.indoor,
        capacity=row.capacity,
        kit_id=row.kit,
        bays=row.bays,
        unload_fixed_min=row.unload_fixed_min,
        unload_kg_per_min=row.unload_kg_per_min,
        opens_min=row.opens_min,
        hand_out_per_hour=row.hand_out_per_hour,
        max_size=row.max_size,
        weight=float(row.weight),
        provenance=_told(row.provenance, row.source),
    )


def _vehicle_type(row: rows.VehicleType) -> network.VehicleType:
    return network.VehicleType(
        id=row.type,
        name_zh=row.name_zh,
        name_en=row.name_en,
        count=row.count,
        start_place_id=row.start,
        available_min=row.available_min,
        payload_kg=row.payload_kg,
        volume_l=row.volume_litres,
        speed_factor=float(row.speed_factor),
        size=row.size,
        provenance=_provenance(row),
    )
