"""PURE: what may become of a check and of its parts."""

from collections.abc import Mapping

from chubei_shared.jobs import DONE, FAILED, QUEUED, RUNNING

RUN: Mapping[str, frozenset[str]] = {
    QUEUED: frozenset({RUNNING, FAILED}),
    RUNNING: frozenset({DONE, FAILED}),
    DONE: frozenset(),
    FAILED: frozenset(),
}
PART: Mapping[str, frozenset[str]] = {
    QUEUED: frozenset({RUNNING}),
    RUNNING: frozenset({RUNNING, DONE, FAILED}),  # running again: its worker is gone
    DONE: frozenset(),
    FAILED: frozenset(),
}
OPEN = frozenset(state for state, following in RUN.items() if following)
