"""The trips of an approved plan, run step by step at the minutes of the plan, as clerks and drivers report them."""

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from itertools import groupby
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
TICK_MIN = 10
REPORTERS = 4  # who report at the same time


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
    """Plays the orders on a fast clock; one delivery arrives with two damaged beds.

    The clock ticks in steps of TICK_MIN. Within a tick each order goes through its acts in order, and the orders
    side by side, as their drivers and keepers would report them.
    """

    def __init__(
        self,
        incident: IncidentView,
        orders: Sequence[OrderView],
        commander: AllocationClient,
        clerks: Mapping[str, AllocationClient],
    ) -> None:
        """`clerks` report what is picked and loaded at their stores, by place id; the commander all else."""
        self._incident, self._orders, self._commander, self._clerks = incident, orders, commander, clerks
        self._acts = sorted(acts(orders))
        self._mishap = next((act for act in self._acts if act.stop.deliver.get(BED, 0) > DAMAGED_BEDS), None)

    @property
    def steps(self) -> int:
        return len(self._acts)

    @property
    def damaged(self) -> int:
        return DAMAGED_BEDS if self._mishap else 0

    def play(self, console: Console) -> None:
        """Report every step; the bar shows the clock of the night."""
        clock = Progress(
            TextColumn("{task.fields[clock]}"),
            BarColumn(),
            TextColumn("{task.fields[told]}"),
            console=console,
        )
        with clock, ThreadPoolExecutor(REPORTERS) as reporters:
            task = clock.add_task("", total=self.steps, clock="00:00", told="")
            received = 0
            for tick, group in groupby(self._acts, key=lambda act: act.minute // TICK_MIN):
                now = list(group)
                by_order = [list(o) for _, o in groupby(sorted(now, key=_in_turn), key=lambda act: act.order)]
                for _ in reporters.map(self._report, by_order):
                    pass  # a failure is raised here
                received += sum(act.kind is StepKind.RECEIVED for act in now)
                hours, minutes = divmod((tick + 1) * TICK_MIN, 60)
                clock.update(
                    task,
                    advance=len(now),
                    clock=f"{hours:02}:{minutes:02}",
                    told=f"签收 / received {received}",
                )

    def _report(self, turn: Sequence[Act]) -> None:
        """Report acts of one order, one after the other."""
        for act in turn:
            order, stop = self._orders[act.order], act.stop
            by = self._commander
            if stop.load and act.kind in (StepKind.PICKED, StepKind.LOADED):
                by = self._clerks.get(stop.place_id, self._commander)
            signed = act.kind is StepKind.RECEIVED
            by.step(
                order.id,
                Step(
                    id=uuid5(NAMESPACE_URL, f"chubei-demo/{order.id}/{stop.stop}/{act.kind}"),
                    stop=stop.stop,
                    step=act.kind,
                    occurred_at=self._incident.occurred_at + timedelta(minutes=act.minute),
                    lines=self._receipt(act) if signed else [],
                    signed_by="安置点负责人 / shelter keeper" if signed else "",
                ),
            )

    def _receipt(self, act: Act) -> list[DeliverLine]:
        broken = {BED: DAMAGED_BEDS} if self._mishap and act.stop is self._mishap.stop else {}
        return [
            DeliverLine(item_code=item, received=units - broken.get(item, 0), damaged=broken.get(item, 0))
            for item, units in act.stop.deliver.items()
        ]


def _in_turn(act: Act) -> tuple[int, int]:
    return act.order, act.sequence
