"""Routes of the district."""

from typing import Any, TypeVar

from chubei_shared.access import Tx, allow
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
from chubei_shared.db import Transactions
from chubei_shared.errors import Invalid, NotFound
from chubei_shared.tokens import Role
from fastapi import APIRouter

from chubei_allocation.api_parameters import READERS
from chubei_allocation.network import network

D = TypeVar("D", bound=Dto)

router = APIRouter(tags=["network"])
WRITERS = (Role.ADMIN, Role.COMMANDER)


@router.put(
    "/v1/network", summary="录入整个区的路网与设施 / put the district, all at once", **allow(*WRITERS)
)
def put_network(body: Network, tx: Tx) -> NetworkChange:
    """What is named is created or replaced in one transaction; what is not named stays."""
    return tx(network.put_network, body)


@router.get(
    "/v1/network", summary="整个区,附数据来源 / all of the district, with provenance", **allow(*READERS)
)
def read_network(tx: Tx) -> Network:
    return tx(network.read_network)


@router.put("/v1/district", summary="区情 / the district's own facts", **allow(*WRITERS))
def put_district(body: District, tx: Tx) -> District:
    tx(network.put_network, Network(district=body))
    return body


@router.get("/v1/district", summary="区情 / the district's own facts", **allow(*READERS))
def read_district(tx: Tx) -> District:
    found = tx(network.district)
    if found is None:
        raise NotFound(
            "尚未录入区情,请先录入(chubei seed)",
            "The district is not known yet: put /v1/district first (chubei seed)",
        )
    return found


@router.put("/v1/subdistricts/{id}", summary="街道 / a sub-district", **allow(*WRITERS))
def put_subdistrict(id: str, body: SubDistrict, tx: Tx) -> SubDistrict:
    return _put(tx, id, body.id, body, subdistricts=[body])


@router.get("/v1/subdistricts", summary="街道 / the sub-districts", **allow(*READERS))
def read_subdistricts(tx: Tx) -> list[SubDistrict]:
    return tx(network.rows, SubDistrict)


@router.put("/v1/shelters/{id}", summary="集中安置点 / a shelter", **allow(*WRITERS))
def put_shelter(id: str, body: Shelter, tx: Tx) -> Shelter:
    return _put(tx, id, body.id, body, shelters=[body])


@router.get("/v1/shelters", summary="集中安置点 / the shelters", **allow(*READERS))
def read_shelters(tx: Tx) -> list[Shelter]:
    return tx(network.rows, Shelter)


@router.put(
    "/v1/loading-sites/{id}", summary="装车点的站台与装卸组 / docks and crews of a place", **allow(*WRITERS)
)
def put_loading_site(id: str, body: LoadingSite, tx: Tx) -> LoadingSite:
    return _put(tx, id, body.place_id, body, loading_sites=[body])


@router.get("/v1/loading-sites", summary="装车点 / the loading sites", **allow(*READERS))
def read_loading_sites(tx: Tx) -> list[LoadingSite]:
    return tx(network.rows, LoadingSite)


@router.put(
    "/v1/vehicle-types/{id}", summary="车型与数量 / a type of vehicle and how many", **allow(*WRITERS)
)
def put_vehicle_type(id: str, body: VehicleType, tx: Tx) -> VehicleType:
    return _put(tx, id, body.id, body, vehicle_types=[body])


@router.get("/v1/vehicle-types", summary="车队 / the fleet", **allow(*READERS))
def read_vehicle_types(tx: Tx) -> list[VehicleType]:
    return tx(network.rows, VehicleType)


def _put(tx: Transactions, path_id: str, body_id: str, body: D, **named: Any) -> D:
    if path_id != body_id:
        raise Invalid(
            f"路径中的编号 {path_id} 与内容中的 {body_id} 不一致,请改为一致",
            f"The id in the path, {path_id}, is not the body's, {body_id}: make them the same",
        )
    tx(network.put_network, Network(**named))
    return body
