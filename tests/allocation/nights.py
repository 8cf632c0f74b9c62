"""A night for the tests: an approved plan of a stocked district, and who reports what."""

from datetime import timedelta
from uuid import uuid4

from chubei_shared.contracts.orders import Step, StepKind

PICKED, LOADED, DEPARTED = StepKind.PICKED, StepKind.LOADED, StepKind.DEPARTED
ARRIVED, RECEIVED = StepKind.ARRIVED, StepKind.RECEIVED


class Night:
    """An approved plan of a stocked district, and who reports what."""

    def __init__(self, stocked, exercise: bool = True, incident=None) -> None:
        self.world = stocked
        self.incident = incident or stocked.declare(exercise=exercise)
        self.plan = stocked.proposed(self.incident)
        stocked.approver.approve(self.plan.id)
        self.orders = list(stocked.commander.orders(self.incident.id))

    def order(self, *, at: str):
        """An order whose first load is at a place."""
        return next(order for order in self.orders if order.stops[0].place_id == at)

    def by(self, stop):
        """Who picks and loads there."""
        return self.world.clerks.get(stop.place_id, self.world.commander)

    def body(self, stop: int, kind: StepKind, minute: int = 60, **more) -> Step:
        at = self.incident.occurred_at + timedelta(minutes=minute)
        if kind is RECEIVED:
            more.setdefault("signed_by", "王主任")
        return Step(id=uuid4(), stop=stop, step=kind, occurred_at=at, **more)

    def load(self, order) -> None:
        """Everything up to the first delivery."""
        for stop in order.stops:
            if stop.deliver:
                return
            for kind in (PICKED, LOADED):
                self.by(stop).step(order.id, self.body(stop.stop, kind, stop.end_min))
            self.world.commander.step(order.id, self.body(stop.stop, DEPARTED, stop.end_min))

    def run(self, order, receipts=None) -> None:
        """The whole trip at the minutes of the plan; `receipts` gives the lines of some stops."""
        self.load(order)
        for stop in order.stops:
            if stop.load:
                continue
            self.world.commander.step(order.id, self.body(stop.stop, ARRIVED, stop.arrive_min))
            lines = (receipts or {}).get(stop.stop, [])
            self.world.commander.step(
                order.id, self.body(stop.stop, RECEIVED, stop.end_min, lines=lines, signed_by="王主任")
            )
            if stop.stop < len(order.stops) - 1:
                self.world.commander.step(order.id, self.body(stop.stop, DEPARTED, stop.end_min))
