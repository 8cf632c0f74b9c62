"""A district as small as can be: two sub-districts, three shelters, three loading sites, five trucks."""

from chubei_shared.contracts import network
from goods import INVENTED


def network_of(north: str, south: str, supplier: str, shelters: list[str]) -> network.Network:
    """20,000 and 10,000 residents; these stores and this supplier; these shelters."""
    names = {"name_zh": "示例", "name_en": "example", "provenance": INVENTED}
    sites = [
        network.LoadingSite(
            place_id=place,
            docks=[{"from_min": 0, "manned": 1}, {"from_min": 60, "manned": 2}],
            load_fixed_min=10,
            load_kg_per_min=100,
            provenance=INVENTED,
        )
        for place in (north, south, supplier)
    ]
    points = [
        network.Shelter(
            id=shelter,
            subdistrict_id=subdistrict,
            lon=116.35 + 0.01 * n,
            lat=39.92,
            capacity=capacity,
            kit_id="indoor-test",
            bays=1,
            unload_fixed_min=5,
            unload_kg_per_min=80,
            opens_min=30,
            hand_out_per_hour=120,
            max_size=1,
            **names,
        )
        for n, (shelter, subdistrict, capacity) in enumerate(
            zip(shelters, ("A", "A", "B"), (150, 50, 80), strict=True)
        )
    ]
    fleet = [
        network.VehicleType(
            id=f"TRUCK-{place}",
            count=count,
            start_place_id=place,
            available_min=20,
            payload_kg=1500,
            volume_l=15_000,
            size=1,
            **names,
        )
        for place, count in ((north, 3), (south, 2))
    ]
    return network.Network(
        district=network.District(
            id="sample",
            residents=30_000,
            duty_share=0.01,
            deadline_min=720,
            circuity=1.4,
            speed_kmh=12,
            group_shares={"infant": 0.02, "frail": 0.03},
            attributions=["© OpenStreetMap contributors"],
            **names,
        ),
        subdistricts=[
            network.SubDistrict(id=code, residents=residents, lon=116.35, lat=39.92, **names)
            for code, residents in (("A", 20_000), ("B", 10_000))
        ],
        loading_sites=sites,
        shelters=points,
        vehicle_types=fleet,
    )
