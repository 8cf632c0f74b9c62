"""PURE: what stops counting when, what is left on a day, and what would mend a day on which the duty breaks."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from itertools import groupby
from math import ceil

from chubei_shared.contracts.base import Mode
from chubei_shared.contracts.care import CareRow
from chubei_shared.contracts.catalogue import Item
from chubei_shared.contracts.readiness import Ending, Mend
from chubei_shared.contracts.reserves import ReserveView, Snapshot, SupplyRow

from chubei_allocation.scenarios import Json, place_of

HORIZON = timedelta(days=365)
VERIFIED_FOR = timedelta(days=365)
"""Inventory's rule (firmness/rules.py): what nobody has verified for longer does not count."""
_MOST_OPTIONS = 6


def endings(
    snapshot: Snapshot, expiring: Iterable[CareRow], tests: Iterable[CareRow], reserves: Iterable[ReserveView]
) -> list[Ending]:
    """All that stops counting, by day. A lot counts on the day it expires, a test is late the day after it is due."""
    prices = prices_of(snapshot.items, reserves := list(reserves))
    shelved = {
        (row.place_id, lot): row
        for row in snapshot.supply
        if row.mode is Mode.PHYSICAL
        for lot in row.from_ids
    }
    found = [
        *(_of_lot("expiry", row, shelved, prices) for row in expiring),
        *(_of_lot("test", row, shelved, prices) for row in tests),
    ]
    by_id = {row.reserve.id: row for row in reserves}
    for row in snapshot.supply:
        for name in row.from_ids:
            if row.mode is not Mode.PHYSICAL and name in by_id:
                found += _of_reserve(row, by_id[name])
    told = [ending for ending in found if ending is not None and ending.units]
    return sorted(
        told, key=lambda ending: (ending.on, ending.place_id, ending.item_code, ending.of, ending.why)
    )


def _of_lot(
    why: str, row: CareRow, shelved: Mapping[tuple[str, str], SupplyRow], prices: Mapping[str, int]
) -> Ending | None:
    supply = shelved.get((row.account or "", str(row.lot_id)))
    if supply is None:  # sealed off, held, or nothing to plan with
        return None
    return Ending.model_validate(
        {
            "on": row.due_on + timedelta(days=1),
            "why": why,
            "place_id": supply.place_id,
            "item_code": supply.item_code,
            "mode": supply.mode,
            "units": row.units,
            "of": str(row.lot_id),
            "name": row.lot_no or str(row.lot_id),
            "price_fen": prices.get(supply.item_code),
        }
    )


def _of_reserve(row: SupplyRow, known: ReserveView) -> list[Ending]:
    reserve = known.reserve
    end = {"contract_end": reserve.valid_until + timedelta(days=1)}
    if known.basis.verified_on is not None:
        end["verification"] = known.basis.verified_on + VERIFIED_FOR + timedelta(days=1)
    return [
        Ending.model_validate(
            {
                "on": on,
                "why": why,
                "place_id": row.place_id,
                "item_code": row.item_code,
                "mode": row.mode,
                "units": row.quantity,
                "of": reserve.id,
                "name": reserve.id,
                "price_fen": reserve.unit_price_fen,
            }
        )
        for why, on in end.items()
    ]


def prices_of(items: Iterable[Item], reserves: Iterable[ReserveView]) -> dict[str, int]:
    """What a unit costs, in fen: the catalogue's reference price, else the cheapest agreed one."""
    agreed: dict[str, list[int]] = defaultdict(list)
    for row in reserves:
        agreed[row.reserve.item_code].append(row.reserve.unit_price_fen)
    prices = {code: min(found) for code, found in agreed.items()}
    return prices | {item.code: item.ref_price_cny * 100 for item in items if item.ref_price_cny is not None}


def change_days(ends: Iterable[Ending], today: date) -> list[date]:
    """The days within a year on which something stops counting; what is overdue has stopped today."""
    return sorted({max(ending.on, today) for ending in ends if ending.on <= today + HORIZON})


def on_day(scenario: Json, ends: Iterable[Ending], day: date, kept: frozenset[str] = frozenset()) -> Json:
    """The scenario with what is left on a day. Endings of what is `kept` (`Ending.of`) do not happen."""
    gone: dict[tuple[str, str, str], dict[str, int]] = defaultdict(dict)
    for ending in ends:
        if ending.on <= day and ending.of not in kept:  # a lot that was to be tested and expires ends once
            row = gone[ending.place_id, ending.item_code, ending.mode.value]
            row[ending.of] = max(row.get(ending.of, 0), ending.units)
    supply = []
    for row in scenario["supply"]:
        lost = sum(gone[place_of(row["source"]), row["item"], row["mode"]].values())
        if row["quantity"] > lost:
            supply.append({**row, "quantity": row["quantity"] - lost})
    return {**scenario, "supply": supply}


def add(scenario: Json, source: str, units: Mapping[str, int]) -> Json:
    """More units of items on the shelves of a store."""
    left = dict(units)
    supply = []
    for row in scenario["supply"]:
        more = left.pop(row["item"], 0) if row["source"] == source else 0
        supply.append({**row, "quantity": row["quantity"] + more})
    for item, more in left.items():
        supply.append(
            {
                "source": source, "item": item, "mode": "physical", "quantity": more,
                "available_min": 0, "rate_per_hour": None,
            }
        )  # fmt: skip
    return {**scenario, "supply": supply}


def needed(scenario: Json) -> dict[str, int]:
    """Units of each item that the kits ask for, less what stands at the points; each point in whole units."""
    kits = {kit["id"]: kit["needs"] for kit in scenario["kits"]}
    units: dict[str, int] = defaultdict(int)
    for point in scenario["points"]:
        for need in kits[point["kit"]]:
            group = need.get("group")
            users = point["people"] if group is None else point["groups"].get(group, 0)
            wanted = ceil(users * need["per_person"] - 1e-9)
            units[need["item"]] += max(0, wanted - point["on_hand"].get(need["item"], 0))
    return dict(units)


def options(
    left: Json, ends: Sequence[Ending], day: date, today: date, items: Mapping[str, Item]
) -> list[tuple[Mend, Json]]:
    """What may mend a day, the cheapest first, with the scenario that it makes of what is `left` then.

    To renew (or replace, test, verify) one thing that ends on the day, or all of them; or to buy what is short.
    """
    ending = [row for row in ends if max(row.on, today) == day]
    found: list[tuple[Mend, Json]] = []
    for _, rows in groupby(sorted(ending, key=lambda row: row.of), key=lambda row: row.of):
        row = next(iter(rows))
        found.append((_renewal([row], items), _given_back(left, [row])))
    found.sort(key=lambda option: _cost(option[0]))
    found = found[: _MOST_OPTIONS - 2]
    once = list({row.of: row for row in ending}.values())
    if len(once) > 1:
        found.append((_renewal(once, items), _given_back(left, once)))
    stores = [row for row in left["sources"] if row["kind"] == "warehouse" and "~" not in row["id"]]
    short = _short(left, items)
    if short and stores:
        store = max(stores, key=lambda row: (_manned(row["docks"]), row["id"]))
        found.append((_purchase(short, store, ending, items), add(left, store["id"], short)))
    return sorted(found, key=lambda option: _cost(option[0]))


def _given_back(left: Json, rows: Iterable[Ending]) -> Json:
    for row in rows:
        source = next((s["id"] for s in left["sources"] if place_of(s["id"]) == row.place_id), None)
        if source is not None:
            left = add(left, source, {row.item_code: row.units})
    return left


def _cost(mend: Mend) -> tuple[bool, int, int]:
    return mend.cost_fen is None, mend.cost_fen or 0, mend.units


_DO = {
    "expiry": ("更换到期批次", "replace the lot"),
    "test": ("完成到期检验", "test the lot"),
    "contract_end": ("续签", "renew"),
    "verification": ("重新核实", "verify again"),
}


def _renewal(rows: Sequence[Ending], items: Mapping[str, Item]) -> Mend:
    """Tests and verifications cost nothing that the books know of."""
    zh = ";".join(f"{_DO[r.why][0]} {r.name}({items[r.item_code].name_zh} {r.units})" for r in rows)
    en = "; ".join(f"{_DO[r.why][1]} {r.name} ({r.units} × {items[r.item_code].name_en})" for r in rows)
    costs = [
        0
        if row.why in ("test", "verification")
        else None
        if row.price_fen is None
        else row.price_fen * row.units
        for row in rows
    ]
    known = [cost for cost in costs if cost is not None]
    return Mend(
        zh=zh,
        en=en,
        units=sum(row.units for row in rows),
        cost_fen=sum(known) if len(known) == len(costs) else None,
    )


def _short(left: Json, items: Mapping[str, Item]) -> dict[str, int]:
    """Units short in all, up to whole packs."""
    there: dict[str, int] = defaultdict(int)
    for row in left["supply"]:
        there[row["item"]] += row["quantity"]
    short = {item: units - there[item] for item, units in needed(left).items() if units > there[item]}
    return {item: -(-units // items[item].pack) * items[item].pack for item, units in short.items()}


def _purchase(
    short: Mapping[str, int], store: Json, ending: Iterable[Ending], items: Mapping[str, Item]
) -> Mend:
    told = {row.item_code: row.price_fen for row in ending}
    prices = {code: _reference_fen(items[code], told.get(code)) for code in short}
    known = [price * short[code] for code, price in prices.items() if price is not None]
    zh = "、".join(f"{items[code].name_zh} {units}" for code, units in short.items())
    en = ", ".join(f"{units} × {items[code].name_en}" for code, units in short.items())
    return Mend(
        zh=f"购入 {zh},存{store['name_zh']}",
        en=f"buy {en} for {store['name_en']}",
        units=sum(short.values()),
        cost_fen=sum(known) if len(known) == len(prices) else None,
    )


def _reference_fen(item: Item, agreed_fen: int | None) -> int | None:
    return agreed_fen if item.ref_price_cny is None else item.ref_price_cny * 100


def _manned(docks: int | list[list[int]]) -> int:
    return docks if isinstance(docks, int) else max((number for _, number in docks), default=0)
