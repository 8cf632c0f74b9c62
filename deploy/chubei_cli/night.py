"""The trips of an approved plan, run step by step at the minutes of the plan, as clerks and drivers report them."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from typing import NamedTuple
from uuid import NAMESPACE_URL, uuid5

from chubei_shared.contracts.allocation_client import AllocationClient
from chubei_shared.contracts.incidents import IncidentView
from chubei_shared.contracts.orders import OrderView, Step, StepKind, Stop
from chubei_shared.contracts.stock import DeliverLine
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn

BED = "1010201"
DAMAGED_BEDS = 2


class Act(NamedTuple):
    """One step of one order, at a minute of the night."""

    minute: int
    order: int
    sequence: int
    stop: Stop
    kind: StepKind


def acts(orders: Sequence[OrderView]) -> Iterator[Act]:
    """All steps of all orders, as the plan has them."""
    for number, order in enumerate(orders):
        sequence = 0
        for stop in order.stops:
            for minute, kind in _steps(stop, last=stop is order.stops[-1]):
                yield Act(minute, number, sequence, stop, kind)
                sequence += 1


def _steps(stop: Stop, last: bool) -> list[tuple[int, StepKind]]:
    if stop.load:
        steps = [(stop.start_min, StepKind.PICKED), (stop.end_min, StepKind.LOADED)]
    else:
        steps = [(stop.arrive_min, StepKind.ARRIVED), (stop.end_min, StepKind.RECEIVED)]
    return steps if last else [*steps, (stop.end_min, StepKind.DEPARTED)]


class Night:
    """Plays the orders in the order of time; one delivery arrives with two damaged beds."""

    def __init__(
        self,
        incident: IncidentView,
        orders: Sequence[OrderView],
        commander: AllocationClient,
        clerks: Mapping[str, AllocationClient],
    ) -> None:
        """`clerks` report what is picked and loaded at their stores, by place id; the commander all else."""
        self._incident, self._orders, self._commander, self._clerks = incident, orders, commander, clerks
        self.damaged = 0
        self.steps = 0

    def play(self, console: Console) -> None:
        """Report every step; the bar shows the clock of the night."""
        plan = sorted(acts(self._orders))
        end = max((act.minute for act in plan), default=0)
        clock = Progress(
            TextColumn("{task.fields[clock]}"),
            BarColumn(),
            TextColumn("{task.fields[told]}"),
            console=console,
        )
        with clock:
            task = clock.add_task("", total=end, clock="00:00", told="")
            received = 0
            for act in plan:
                self._report(act)
                hours, minutes = divmod(act.minute, 60)
                received += act.kind is StepKind.RECEIVED
                clock.update(
                    task,
                    completed=act.minute,
                    clock=f"{hours:02}:{minutes:02}",
                    told=f"签收 / received {received}",
                )

    def _report(self, act: Act) -> None:
        order, stop = self._orders[act.order], act.stop
        by = self._commander
        if stop.load and act.kind in (StepKind.PICKED, StepKind.LOADED):
            by = self._clerks.get(stop.place_id, self._commander)
        by.step(
            order.id,
            Step(
                id=uuid5(NAMESPACE_URL, f"chubei-demo/{order.id}/{stop.stop}/{act.kind}"),
                stop=stop.stop,
                step=act.kind,
                occurred_at=self._incident.occurred_at + timedelta(minutes=act.minute),
                lines=self._receipt(stop) if act.kind is StepKind.RECEIVED else [],
                signed_by="安置点负责人 / shelter keeper" if act.kind is StepKind.RECEIVED else "",
            ),
        )
        self.steps += 1

    def _receipt(self, stop: Stop) -> list[DeliverLine]:
        lines = []
        for item, units in stop.deliver.items():
            broken = DAMAGED_BEDS if item == BED and units > DAMAGED_BEDS and not self.damaged else 0
            self.damaged += broken
            lines.append(DeliverLine(item_code=item, received=units - broken, damaged=broken))
        return lines
