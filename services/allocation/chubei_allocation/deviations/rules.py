"""PURE: what the deviations that stand do to the district together, and how each is told."""

from collections import defaultdict
from collections.abc import Iterable, Mapping

from chubei_shared.contracts.deviations import (
    OrderDelayed,
    PlaceLost,
    SupplyLate,
    SupplyWithdrawn,
    VehicleBroken,
    WayClosed,
    What,
)

from chubei_allocation.given import Conditions


def fold(whats: Iterable[What], closures: Iterable[tuple[str, str]] = ()) -> Conditions:
    """All of them at once, with the ways that are closed anyway. Of two delays of one thing the longer holds."""
    lost_places: set[str] = set()
    broken: dict[str, bool] = {}
    withdrawn: set[tuple[str, str]] = set()
    closed = list(closures)
    late: dict[tuple[str, str], int] = defaultdict(int)
    delays: dict[str, int] = defaultdict(int)
    for what in whats:
        match what:
            case OrderDelayed():
                delays[str(what.order_id)] = max(delays[str(what.order_id)], what.minutes)
            case VehicleBroken():
                broken[what.vehicle] = what.goods_aboard or broken.get(what.vehicle, False)
            case PlaceLost():
                lost_places.add(what.place_id)
            case WayClosed():
                closed.append((what.from_id, what.to_id))
                if not what.one_way:
                    closed.append((what.to_id, what.from_id))
            case SupplyLate():
                key = (what.place_id, what.item_code)
                late[key] = max(late[key], what.minutes)
            case SupplyWithdrawn():
                withdrawn.add((what.place_id, what.item_code))
    return Conditions(
        lost_places=frozenset(lost_places),
        lost_vehicles=frozenset(broken),
        stranded=frozenset(vehicle for vehicle, aboard in broken.items() if aboard),
        closures=tuple(dict.fromkeys(closed)),
        late_min=dict(late),
        withdrawn=frozenset(withdrawn),
        delays_min=dict(delays),
    )


def words(what: What, names: Mapping[str, tuple[str, str]]) -> tuple[str, str]:
    """In Chinese and in English; `names` has both for ids of places, shelters, items and orders."""

    def zh(key: object) -> str:
        return names.get(str(key), (str(key), ""))[0]

    def en(key: object) -> str:
        return names.get(str(key), ("", str(key)))[1]

    match what:
        case OrderDelayed():
            n = what.minutes
            return f"{zh(what.order_id)} 晚 {n} 分钟", f"{en(what.order_id)} is {n} minutes late"
        case VehicleBroken():
            aboard = (",货留在车上", ", with its goods aboard") if what.goods_aboard else ("", "")
            return f"{what.vehicle} 故障{aboard[0]}", f"{what.vehicle} broke down{aboard[1]}"
        case PlaceLost():
            return f"{zh(what.place_id)}失去", f"{en(what.place_id)} is lost"
        case WayClosed():
            arrow = "→" if what.one_way else "⇄"
            return (
                f"{zh(what.from_id)}{arrow}{zh(what.to_id)} 中断",
                f"the way {en(what.from_id)} {arrow} {en(what.to_id)} is closed",
            )
        case SupplyLate():
            return (
                f"{zh(what.place_id)}的{zh(what.item_code)}晚到 {what.minutes} 分钟",
                f"{en(what.item_code)} at {en(what.place_id)} comes {what.minutes} minutes later",
            )
        case SupplyWithdrawn():
            return (
                f"{zh(what.place_id)}的{zh(what.item_code)}不再供应",
                f"{en(what.item_code)} at {en(what.place_id)} is withdrawn",
            )
