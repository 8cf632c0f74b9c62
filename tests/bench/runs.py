"""Starts the measured processes, one at a time, and keeps what they tell and what they cost."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .child import MARK

ROOT = Path(__file__).parents[2]
NEAR = 0.001  # a utility that is as good as another
Told = dict[str, Any]
Watcher = Callable[[Told], None]


@dataclass
class Run:
    """A process that has ended: its messages, and the CPU that all of it took."""

    told: list[Told] = field(default_factory=list)
    cpu_s: float = 0.0
    error: str | None = None

    def last(self, event: str) -> Told | None:
        return next((row for row in reversed(self.told) if row["event"] == event), None)


def run(task: str, scenario: Path, options: list[str], hard_limit_s: float, watch: Watcher) -> Run:
    """Run one task of child.py in a fresh process; one that overstays is ended."""
    command = [sys.executable, "-m", "tests.bench.child", task, str(scenario), *options]
    made, begun = Run(), time.monotonic()
    with tempfile.TemporaryFile("w+") as complaints:
        process = subprocess.Popen(
            command, cwd=ROOT, stdout=subprocess.PIPE, stderr=complaints, text=True, start_new_session=True
        )
        overstays = threading.Timer(hard_limit_s, process.kill)
        overstays.start()
        try:
            for row in _messages(process):
                made.told.append({**row, "at_s": time.monotonic() - begun})
                watch(row)
        except BaseException:
            process.kill()
            raise
        finally:
            _, status, used = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
            overstays.cancel()
        made.cpu_s = used.ru_utime + used.ru_stime
        if process.returncode:
            complaints.seek(0)
            lines = complaints.read().strip().splitlines()
            made.error = lines[-1] if lines else f"exit {process.returncode}"
    return made


def _messages(process: subprocess.Popen[str]) -> Iterator[Told]:
    for line in process.stdout or ():
        if line.startswith(MARK):
            yield json.loads(line[len(MARK) :])


@dataclass(frozen=True)
class Solved:
    """What a run of the planner comes to. Seconds count from the parsed scenario, `wall_s` from the start."""

    utility: float
    bound: float
    mean_wait_min: float
    trips: int
    broken_rules: list[str]
    first_s: float | None
    whole_s: float | None
    whole_cpu_s: float | None
    near_s: float | None
    cpu_s: float
    wall_s: float
    peak_mb: float


def solved(ended: Run, time_limit_s: float) -> Solved | None:
    """The figures of a planner's run; None if it came to no plan.

    `first_s` is when a first plan was reported that does more than the trips begun before; `whole_s` when
    the construction of a whole plan was over; `near_s` when the plan was within 0.001 of the last one.
    """
    plan, end = ended.last("plan"), ended.last("end")
    if plan is None or end is None:
        return None
    reports = [row for row in ended.told if row["event"] == "progress"]
    first = next((row for row in reports if row["new"]), None)
    whole = next((row for row in reports if row["phase"] != "construct"), None)
    if whole and whole["phase"] == "done" and whole["elapsed_s"] >= time_limit_s:
        whole = None  # it was not over: the limit ended it
    near = next((row for row in reports if row["utility"] >= plan["utility"] - NEAR), None)
    return Solved(
        utility=plan["utility"],
        bound=plan["utility_bound"],
        mean_wait_min=plan["mean_wait_min"],
        trips=plan["trips"],
        broken_rules=plan["broken_rules"],
        first_s=first["elapsed_s"] if first else None,
        whole_s=whole["elapsed_s"] if whole else None,
        whole_cpu_s=whole["cpu_s"] if whole else None,
        near_s=near["elapsed_s"] if near else None,
        cpu_s=ended.cpu_s,
        wall_s=plan["at_s"],
        peak_mb=end["peak_mb"],
    )
