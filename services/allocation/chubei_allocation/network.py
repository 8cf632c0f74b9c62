"""Verbs on the district: what is put again unchanged changes nothing."""

from collections.abc import Sequence
from typing import Any, TypeVar

from chubei_shared import outbox
from chubei_shared.contracts.base import Dto
from chubei_shared.contracts.network import (
    District,
    LoadingSite,
    Network,
    NetworkChange,
    Shelter,
    SubDistrict,
    VehicleType,
)
from chubei_shared.errors import Invalid
from sqlalchemy import select
from sqlalchemy.orm import Session

from chubei_allocation import tables

D = TypeVar("D", bound=Dto)

_TABLES: dict[type[Dto], tuple[type[tables.Base], str]] = {
    District: (tables.District, "single"),
    SubDistrict: (tables.SubDistrict, "id"),
    LoadingSite: (tables.LoadingSite, "place_id"),
    Shelter: (tables.Shelter, "id"),
    VehicleType: (tables.VehicleType, "id"),
}
"""Each kind's table and its key."""


def put_network(session: Session, network: Network) -> NetworkChange:
    """Create or replace all rows that `network` names. Raises Invalid on an unknown sub-district or site."""
    changed = 0
    if network.district:
        changed += _store(session, network.district)
    # In this order, because shelters lie in sub-districts, and vehicles start at loading sites.
    for row in (*network.subdistricts, *network.loading_sites):
        changed += _store(session, row)
    session.flush()
    _check_known(session, network.shelters, "subdistrict_id", tables.SubDistrict.id)
    _check_known(session, network.vehicle_types, "start_place_id", tables.LoadingSite.place_id)
    for row in (*network.shelters, *network.vehicle_types):
        changed += _store(session, row)
    if changed:
        outbox.enqueue(session, "network.changed", {"rows": changed})
    return NetworkChange(changed=changed)


def read_network(session: Session) -> Network:
    return Network(
        district=district(session),
        subdistricts=rows(session, SubDistrict),
        loading_sites=rows(session, LoadingSite),
        shelters=rows(session, Shelter),
        vehicle_types=rows(session, VehicleType),
    )


def district(session: Session) -> District | None:
    found = session.get(tables.District, True)
    return _dto(District, found) if found else None


def rows(session: Session, kind: type[D]) -> list[D]:
    """All rows of a kind, by key."""
    table, key = _TABLES[kind]
    return [_dto(kind, row) for row in session.scalars(select(table).order_by(getattr(table, key)))]


def _dto(kind: type[D], row: tables.Base) -> D:
    return kind.model_validate(row, from_attributes=True)


def _store(session: Session, dto: Dto) -> int:
    """Create or replace one row; 1 if it is now other than before, else 0."""
    table, key = _TABLES[type(dto)]
    values = dto.model_dump(mode="json")
    row = session.get(table, values.get(key, True), with_for_update=True)
    if row is None:
        session.add(table(**values))
        return 1
    if all(getattr(row, column) == value for column, value in values.items()):
        return 0
    for column, value in values.items():
        setattr(row, column, value)
    return 1


def _check_known(session: Session, named: Sequence[Dto], field: str, key: Any) -> None:
    wanted = {getattr(dto, field) for dto in named}
    unknown = sorted(wanted - set(session.scalars(select(key).where(key.in_(wanted)))))
    if unknown:
        names = ", ".join(unknown)
        raise Invalid(
            f"{field}:没有 {names},请先录入",
            f"{field}: there is no {names}; put it first, or in the same request",
            errors=[{"field": field, "problem": f"unknown: {names}", "remedy": "先录入 / put it first"}],
        )
