"""A plan in the hands of the search."""

from __future__ import annotations

import numpy as np

from .anneal import Aim, copy_days, count_given
from .arrays import Arrays, Ints
from .days import Days, make_days
from .visits import Visits, make_visits
from .workspace import TRIP_VISITS


class State:
    """A plan: days, and all that comes of them."""

    def __init__(self, a: Arrays, most_trips: int) -> None:
        self.days: Days = make_days(a, most_trips)
        self.visits: Visits = make_visits(a, most_trips * TRIP_VISITS)
        self.score = np.zeros((len(a.people), 4))
        self.calls = np.zeros((len(a.start_node), len(a.fixed)), dtype=np.int8)  # see visits.mark_calls

    def value(self, a: Arrays, aim: Aim, points: Ints | None = None, vehicles: Ints | None = None) -> float:
        """What it comes to, in weighted people, at some points or all, hopes left aside."""
        score = self.score if points is None else self.score[points]
        value = float(score[:, 0].sum() - aim.wait * score[:, 1].sum() / a.deadline)
        if aim.given > 0.0:
            mine = np.arange(len(self.days.trips)) if vehicles is None else vehicles
            value += aim.given * count_given(self.days, mine)
        return value

    def become(self, other: State) -> None:
        """Be the same as another plan."""
        points = np.arange(len(self.score))
        copy_days(other.days, self.days, np.arange(len(self.days.trips)), points, 0)
        self.visits.vehicle_visits[:] = other.visits.vehicle_visits
        most = int(other.visits.vehicle_visits.max(initial=0))
        self.visits.rows[:, :most] = other.visits.rows[:, :most]
        self.visits.goods[:, :most] = other.visits.goods[:, :most]
        self.score[:] = other.score
        self.calls[:] = other.calls
