"""Verbs on the district: what is put again unchanged changes nothing."""

from collections.abc import Sequence
from typing import Any, TypeVar
from uuid import UUID

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

from chubei_allocation import locks, tables

D = TypeVar("D", bound=Dto)
_DISTRICT = UUID("7f1d0a52-3c0e-4a8e-8c55-5f0c2f6d8e31")

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
    locks.one_at_a_time(session, _DISTRICT)  # two that bring the same new row see each other
    changed = _store(session, [network.district] if network.district else [])
    # In this order, because shelters lie in sub-districts, and vehicles start at loading sites.
    changed += _store(session, network.subdistricts) + _store(session, network.loading_sites)
    _check_known(session, network.shelters, "subdistrict_id", tables.SubDistrict.id)
    _check_known(session, network.vehicle_types, "start_place_id", tables.LoadingSite.place_id)
    changed += _store(session, network.shelters) + _store(session, network.vehicle_types)
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


def _store(session: Session, dtos: Sequence[Dto]) -> int:
    """Create or replace rows of one kind; how many are now other than before."""
    if not dtos:
        return 0
    table, key = _TABLES[type(dtos[0])]
    known = {getattr(row, key): row for row in session.scalars(select(table))}
    changed = 0
    for dto in dtos:
        values = dto.model_dump(mode="json")
        name = values.get(key, True)
        if name not in known:
            known[name] = table()
            session.add(known[name])
        row = known[name]
        if all(getattr(row, column) == value for column, value in values.items()):
            continue
        for column, value in values.items():
            setattr(row, column, value)
        changed += 1
    session.flush()
    return changed


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
