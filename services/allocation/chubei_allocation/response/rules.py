"""PURE: which duties an incident calls for, what may be done with a task, and where an incident stands."""

from collections.abc import Iterable
from datetime import datetime

from chubei_shared.contracts.response import Duty, Move, Stage, TaskState

_OPEN, _ACKNOWLEDGED, _DONE, _DROPPED = TaskState
OPEN_STATES = (_OPEN, _ACKNOWLEDGED)
MOVES: dict[Move, dict[TaskState, TaskState]] = {
    "acknowledge": {_OPEN: _ACKNOWLEDGED},
    "complete": {_ACKNOWLEDGED: _DONE},
    "drop": {_OPEN: _DROPPED, _ACKNOWLEDGED: _DROPPED},
    "reassign": {_OPEN: _OPEN, _ACKNOWLEDGED: _OPEN},
    "escalate": {_OPEN: _OPEN},
}
"""From which states a move leads where; what does not stand here is not allowed."""
STAGES = tuple(Stage)
FOR_COMMAND: frozenset[Move] = frozenset({"drop", "reassign"})
"""Moves that commanders and administrators make as well as those who were asked."""


def after(state: TaskState, move: Move) -> TaskState | None:
    return MOVES[move].get(state)


def called_for(duties: Iterable[Duty], level: int) -> list[Duty]:
    """The duties of an incident of this level (1 is the gravest), by stage."""
    return sorted(
        (duty for duty in duties if level <= duty.from_level), key=lambda duty: STAGES.index(duty.stage)
    )


def stage_of(tasks: Iterable[tuple[Stage, TaskState]]) -> Stage | None:
    """The least stage with open tasks."""
    return min((stage for stage, state in tasks if state in OPEN_STATES), key=STAGES.index, default=None)


def minutes_left(opened_at: datetime, due_at: datetime, now: datetime) -> int:
    """Whole minutes until it is due, 0 when it is late; never more than there were, also where a clock was set back."""
    left = min(due_at - now, due_at - opened_at)
    return max(0, int(left.total_seconds() // 60))
