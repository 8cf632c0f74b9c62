"""The subprocess that plans for readiness: `python -m chubei_allocation.readiness.planning`.

In: a line of JSON {"memory_mib"}; then a line for each question, the fields of planning_process.Question; when the
input ends, nothing more is wanted. Out: a line for each, {"answer": …} or {"error": "…"}. `ask` says what is told:
"figures", "reasons" (by item and what binds, too) or "full" (and the trips). It yields to everybody else (nice),
because somebody may ask for a real plan meanwhile, and plans by one thread: workers share the processors.
"""

import json
import os
import queue
import resource
import sys
import threading
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from chubei_allocation.planner import Progress
from chubei_allocation.solving.solver import ABANDONED, die_with_parent, private_stdout

_NICE = 10
_THREADS = 1


def main() -> None:
    die_with_parent()
    out = private_stdout()
    os.nice(_NICE)
    limit = json.loads(sys.stdin.readline())["memory_mib"] * 1024 * 1024
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    lines: queue.SimpleQueue[str] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(lines,), daemon=True).start()
    while True:
        said = json.dumps(_answer(json.loads(lines.get())), ensure_ascii=False)
        out.write(said + "\n")
        out.flush()


def _listen(lines: "queue.SimpleQueue[str]") -> None:
    """Pass questions on; when there will be no more, end at once, in mid-plan too."""
    for line in sys.stdin:
        lines.put(line)
    os._exit(ABANDONED)


def _answer(question: dict[str, Any]) -> dict[str, Any]:
    from chubei_allocation.planner import ScenarioError
    from chubei_allocation.readiness.figures import Refused

    try:
        return {"answer": _plan(question)}
    except MemoryError:
        return {"error": "求解超出内存上限 / the solve needs more than its memory limit"}
    except (Refused, ScenarioError) as error:
        return {"error": str(error)}


def _plan(question: dict[str, Any]) -> dict[str, Any]:
    from chubei_allocation.planner import Stop, parse_scenario, plan
    from chubei_allocation.readiness.figures import in_full, of_plan
    from chubei_allocation.readiness.trips import read_trips

    scenario = parse_scenario(question["scenario"])
    previous = question["previous"]
    found = plan(
        scenario,
        Stop(None, question["work"], enough=lambda now: _enough(question, now)),
        question["seed"],
        previous=None if previous is None else read_trips(previous),
        threads=_THREADS,
    )
    if question["ask"] == "figures":
        return of_plan(scenario, found)
    trips = [trip.as_json() for trip in found.trips] if question["ask"] == "full" else None
    return {**in_full(scenario, found), "trips": trips}


def _enough(question: dict[str, Any], now: "Progress") -> bool:
    """Whether more work would change nothing of what is asked."""
    enough = question["enough"]
    return (enough is not None and now.supported >= enough) or (question["give_up"] and now.bound < 1)


if __name__ == "__main__":
    main()
