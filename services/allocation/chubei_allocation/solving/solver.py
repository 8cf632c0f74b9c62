"""The subprocess that runs one solve: `python -m chubei_allocation.solving.solver`.

In: one line of JSON on standard input, {"scenario", "time_limit_s", "work_limit", "seed", "memory_mib"}; a scenario
with `previous` (a planning-plan/1) is replanned from there. Then the input stays open, and when it ends the solve is
no longer wanted. Out: lines of JSON, {"progress": …} as it goes,
and last {"plan": …} or {"error": "…"}. Nothing else loads OR-Tools in the service.
"""

import ctypes
import json
import os
import resource
import signal
import sys
import threading
from dataclasses import asdict
from typing import Any, TextIO

_PR_SET_PDEATHSIG = 1
ABANDONED = 3
"""Exit status when the parent is gone."""


def main() -> None:
    die_with_parent()
    out = private_stdout()
    request = json.loads(sys.stdin.readline())
    threading.Thread(target=_watch_parent, daemon=True).start()
    limit = request["memory_mib"] * 1024 * 1024
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    try:
        _say(out, plan=_solve(request, out))
    except MemoryError:
        mib = request["memory_mib"]
        _say(
            out, error=f"求解超出内存上限 {mib} MiB / the solve needs more than its memory limit of {mib} MiB"
        )
    # Straight out: threads of a native library must not hold up the answer.
    os._exit(0)


def _solve(request: dict[str, Any], out: TextIO) -> dict[str, Any]:
    from chubei_allocation.planner import Progress, Stop, parse_scenario, parse_trips, plan

    def report(progress: Progress) -> None:
        _say(out, progress=asdict(progress))

    scenario = parse_scenario(request["scenario"])
    before = request["scenario"].get("previous")
    return plan(
        scenario,
        Stop(request["time_limit_s"], request["work_limit"]),
        seed=request["seed"],
        on_progress=report,
        previous=parse_trips(before, scenario) if before else None,
    ).as_json()


def _say(out: TextIO, **message: Any) -> None:
    out.write(json.dumps(message, ensure_ascii=False) + "\n")
    out.flush()


def private_stdout() -> TextIO:
    """Standard output for our lines alone: what a native library prints goes to standard error."""
    out = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    return out


def die_with_parent() -> None:
    """Ask Linux to kill us when the worker is killed; elsewhere the end of our input tells us."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def _watch_parent() -> None:
    sys.stdin.read()
    os._exit(ABANDONED)


if __name__ == "__main__":
    main()
