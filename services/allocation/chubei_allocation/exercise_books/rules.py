"""PURE: an exercise's books, folded from a frozen stock and what was done with it; what they do not allow.

As inventory would, but by place, item and mode: lots and vouchers are the real books' alone.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, NamedTuple
from uuid import UUID, uuid5

from chubei_shared.contracts.base import Mode
from chubei_shared.contracts.catalogue import Place
from chubei_shared.contracts.holds import HeldLine, HoldReplace, HoldRequest, HoldStatus, HoldView, Shortage
from chubei_shared.contracts.movements import Deliver, GiveBack, Issue, SendOff
from chubei_shared.contracts.reserves import PointStock, Snapshot, SupplyRow
from pydantic import TypeAdapter

Row = tuple[str, str, Mode]
Played = Issue | Deliver | SendOff | GiveBack
"""The movements that an exercise plays."""
_LOT = UUID("5b0f0c52-8a9e-4d0e-8f43-7c2a4d1e6b90")
_PLAYED: TypeAdapter[Played] = TypeAdapter(Played)


class Done(NamedTuple):
    """An entry as it was asked for."""

    kind: str
    body: dict[str, Any]


@dataclass
class Hold:
    request: HoldRequest
    outstanding: Counter[Row] = field(default_factory=Counter)
    issued: Counter[Row] = field(default_factory=Counter)
    released: bool = False


@dataclass
class Books:
    """What stands now. `reason` methods say why something can not be done; the others do it."""

    start: Snapshot
    holds: dict[UUID, Hold] = field(default_factory=dict)
    gone: Counter[Row] = field(default_factory=Counter)
    """Issued, by the row that it came from."""
    aboard: dict[UUID, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    at_points: Counter[tuple[str, str]] = field(default_factory=Counter)
    lent: Counter[tuple[str, str]] = field(default_factory=Counter)
    """Returnable goods in people's hands, by the place that handed them out and item."""
    places: dict[str, Place] = field(default_factory=dict)

    def free(self, without: Iterable[UUID] = ()) -> Counter[Row]:
        """Units that nobody keeps; what the holds `without` keep counts as free."""
        left: Counter[Row] = Counter()
        for row in self.start.supply:
            left[row.place_id, row.item_code, row.mode] += row.quantity
        left.subtract(self.gone)
        for hold_id, hold in self.holds.items():
            if hold_id not in without:
                left.subtract(hold.outstanding)
        return left

    def snapshot(self, without: Iterable[UUID] = ()) -> Snapshot:
        """The stock as it is now, in the rows that it began with: what is gone or held is taken from the first ones."""
        left = self.free(set(without))
        rows: list[SupplyRow] = []
        for row in reversed(self.start.supply):
            key = row.place_id, row.item_code, row.mode
            units = max(0, min(row.quantity, left[key]))
            left[key] -= units
            rows.append(row.model_copy(update={"quantity": units, "likely": min(row.likely, units)}))
        points = [
            PointStock(place_id=place, item_code=item, quantity=units)
            for (place, item), units in sorted(self.at_points.items())
            if units
        ]
        known = {place.id: place for place in self.start.places} | self.places
        return self.start.model_copy(
            update={"supply": rows[::-1], "at_points": points, "places": list(known.values())}
        )

    def short(self, request: HoldRequest, release: Iterable[UUID] = ()) -> list[Shortage]:
        """Every line of a hold that can not be had in full."""
        free, asked = self.free(set(release)), _asked(request)
        return [
            Shortage(place_id=row[0], item_code=row[1], mode=row[2], asked=units, available=max(0, free[row]))
            for row, units in sorted(asked.items())
            if units > free[row]
        ]

    def take(self, body: HoldReplace) -> None:
        for hold_id in body.release:
            if hold := self.holds.get(hold_id):
                hold.outstanding.clear()
                hold.released = True
        self.holds[body.hold.id] = Hold(body.hold, _asked(body.hold))

    def lacking(self, movement: Played) -> list[Shortage]:
        """Every line of a movement for which there is not enough: of its hold, aboard, or at the place."""
        there = self._there(movement)
        asked: Counter[Row] = Counter()
        for line in movement.lines:
            mode = getattr(line, "mode", Mode.PHYSICAL)
            asked[_from(movement), line.item_code, mode] += _units(line)
        return [
            Shortage(place_id=row[0], item_code=row[1], mode=row[2], asked=units, available=there[row])
            for row, units in sorted(asked.items())
            if units > there[row]
        ]

    def _there(self, movement: Played) -> Counter[Row]:
        place = _from(movement)
        if isinstance(movement, Deliver):
            return Counter({(place, i, Mode.PHYSICAL): n for i, n in self.aboard[movement.order_id].items()})
        if isinstance(movement, Issue) and movement.hold_id:
            hold = self.holds.get(movement.hold_id)
            return hold.outstanding if hold else Counter()
        kept = self.lent if isinstance(movement, GiveBack) else self.at_points
        return Counter({(place, i, Mode.PHYSICAL): n for (at, i), n in kept.items() if at == place})

    def move(self, movement: Played) -> None:
        returnable = {item.code for item in self.start.items if item.returnable}
        for line in movement.lines:
            units, code = _units(line), line.item_code
            if isinstance(movement, Deliver):
                self.aboard[movement.order_id][code] -= units
                self.at_points[movement.place_id, code] += getattr(line, "received", 0)
            elif isinstance(movement, Issue) and movement.hold_id:
                row = movement.place_id, code, getattr(line, "mode", Mode.PHYSICAL)
                hold = self.holds[movement.hold_id]
                hold.outstanding[row] -= units
                hold.issued[row] += units
                self.gone[row] += units
                if movement.order_id:
                    self.aboard[movement.order_id][code] += units
            elif isinstance(movement, GiveBack):
                self.lent[movement.issued_from, code] -= units
                self.at_points[movement.place_id, code] += getattr(line, "good", 0)
            else:
                self.at_points[_from(movement), code] -= units
                if isinstance(movement, Issue) and code in returnable:
                    self.lent[movement.place_id, code] += units

    def view(self, hold_id: UUID) -> HoldView | None:
        hold = self.holds.get(hold_id)
        if hold is None:
            return None
        kept = any(hold.outstanding.values())
        return HoldView(
            id=hold_id,
            purpose=hold.request.purpose,
            status=HoldStatus.OPEN if kept else HoldStatus.RELEASED if hold.released else HoldStatus.ISSUED,
            expires_at=hold.request.expires_at,
            lines=[
                HeldLine(
                    place_id=row[0],
                    item_code=row[1],
                    mode=row[2],
                    lot_id=None,
                    reserve_id=None,
                    quantity=units,
                    issued=hold.issued[row],
                    outstanding=hold.outstanding[row],
                )
                for row, units in sorted(_asked(hold.request).items())
            ],
            passed_over=[],
        )


def fold(start: Snapshot, done: Iterable[Done]) -> Books:
    """The books after all that was done, in its order."""
    books = Books(start)
    for row in start.at_points:
        books.at_points[row.place_id, row.item_code] += row.quantity
    for entry in done:
        match entry.kind:
            case "hold":
                books.take(HoldReplace.model_validate(entry.body))
            case "move":
                books.move(_PLAYED.validate_python(entry.body))
            case "place":
                place = Place.model_validate(entry.body)
                books.places[place.id] = place
    return books


def from_scenario(stock: Snapshot, scenario: dict[str, Any]) -> tuple[Snapshot, list[str]]:
    """The stock that a planning-scenario/1 has, with today's catalogue and places; and the ids that nobody knows.

    Raises KeyError, TypeError, AttributeError or ValueError where it can not be read.
    """
    known = {place.id for place in stock.places} | {item.code for item in stock.items}
    rows = [_supply(row) for row in scenario["supply"]]
    points = [
        _there(point["id"], item, units)
        for point in scenario.get("points", [])
        for item, units in point.get("on_hand", {}).items()
    ]
    told: list[SupplyRow | PointStock] = [*rows, *points]
    named = {one.place_id for one in told} | {one.item_code for one in told}
    return stock.model_copy(update={"supply": rows, "at_points": points}), sorted(named - known)


def _supply(row: dict[str, Any]) -> SupplyRow:
    units = _whole(row["quantity"])
    return SupplyRow(
        place_id=row["source"].partition("~")[0],
        item_code=row["item"],
        mode=Mode(row["mode"]),
        quantity=units,
        likely=units,
        ready_min=_whole(row["available_min"]),
        rate_per_hour=row.get("rate_per_hour"),
        from_ids=[],
    )


def _there(place_id: str, item_code: str, units: Any) -> PointStock:
    return PointStock(place_id=place_id, item_code=item_code, quantity=_whole(units))


def _whole(value: Any) -> int:
    if not isinstance(value, int) or value < 0:
        raise ValueError(f"{value!r}: 须为非负整数 / must be a whole number, 0 or more")
    return value


def _asked(request: HoldRequest) -> Counter[Row]:
    asked: Counter[Row] = Counter()
    for line in request.lines:
        asked[line.place_id, line.item_code, line.mode] += line.quantity
    return asked


def lot_of(item_code: str) -> UUID:
    """The one lot that stands for all of an item."""
    return uuid5(_LOT, item_code)


def _from(movement: Played) -> str:
    if isinstance(movement, SendOff):
        return movement.from_place_id
    return movement.issued_from if isinstance(movement, GiveBack) else movement.place_id


def _units(line: Any) -> int:
    """What a line moves: of a receipt, all that left the truck; of what comes back, all that was lent."""
    if hasattr(line, "received"):
        return int(line.received + line.damaged + line.short)
    if hasattr(line, "good"):
        return int(line.good + line.repair + line.lost)
    return int(line.quantity)
