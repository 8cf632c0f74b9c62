"""The supervisor, on real servers and processes: start in order, restart, stop, and leave nothing behind."""

import contextlib
import json
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

HOUSE = Path(__file__).with_name("small_house.py")
LONG_S = 60
PARTS = ["postgres", "valkey", "web", "worker"]


class House:
    """A small house, running in a process of its own."""

    def __init__(self, folder: Path, kind: str) -> None:
        self.folder = folder
        self.process = subprocess.Popen(
            [sys.executable, str(HOUSE), str(folder), kind], stderr=subprocess.PIPE, text=True
        )

    def events(self, what: str, name: str | None = None) -> list[dict[str, Any]]:
        file = self.folder / "events"
        rows = [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []
        return [row for row in rows if row["what"] == what and name in (None, row["name"])]

    def wait(self, condition: Callable[[], bool]) -> None:
        deadline = time.monotonic() + LONG_S
        while not condition():
            assert self.process.poll() is None, "the house ended"
            assert time.monotonic() < deadline, (self.folder / "events").read_text()
            time.sleep(0.05)

    def wait_started(self) -> None:
        self.wait(lambda: bool(self.events("started")))

    def descendants(self) -> list[psutil.Process]:
        return psutil.Process(self.process.pid).children(recursive=True)


@pytest.fixture
def house() -> Iterator[Callable[..., House]]:
    houses: list[House] = []
    with tempfile.TemporaryDirectory(prefix="chubei-house-") as folder:

        def build(kind: str = "") -> House:
            houses.append(House(Path(folder), kind))
            return houses[-1]

        yield build
        for built in houses:
            if built.process.poll() is None:
                built.process.terminate()
            built.process.communicate(timeout=LONG_S)


def survivors(processes: list[psutil.Process]) -> list[psutil.Process]:
    alive: list[psutil.Process] = psutil.wait_procs(processes, timeout=LONG_S)[1]
    return alive


def test_starts_in_order_restarts_who_dies_and_stops_in_reverse(house: Callable[..., House]) -> None:
    built = house()
    built.wait_started()
    order = [row["name"] for row in built.events("ready")]
    assert order.index("postgres") < order.index("once") < order.index("web") < order.index("worker")

    for name in PARTS:
        first = built.events("ready", name)[-1]["pid"]
        family = [psutil.Process(first), *psutil.Process(first).children(recursive=True)]
        psutil.Process(first).kill()
        built.wait(lambda name=name: len(built.events("ready", name)) == 2)
        assert built.events("died", name)[-1]["reason"] == "SIGKILL"
        assert built.events("ready", name)[-1]["pid"] != first
        assert not survivors(family)

    all_of_it = built.descendants()
    assert len(all_of_it) > len(PARTS)
    built.process.send_signal(signal.SIGTERM)
    assert built.process.wait(LONG_S) == 0
    assert not survivors(all_of_it)
    gone = [row["name"] for row in built.events("stopped")]
    assert gone.index("worker") < gone.index("web") < gone.index("postgres")
    assert "database system is shut down" in (built.folder / "logs" / "postgres.log").read_text()


def test_a_killed_supervisor_leaves_no_process_and_the_next_one_starts(house: Callable[..., House]) -> None:
    built = house()
    built.wait_started()
    all_of_it = built.descendants()
    built.process.kill()
    built.process.wait(LONG_S)
    # The stubborn grandchild is nobody's any more; it alone needs the parent that it was given.
    grandchildren = [p for p in all_of_it if p.is_running() and "SIG_IGN" in " ".join(_command(p))]
    assert not survivors([p for p in all_of_it if p not in grandchildren])
    for process in grandchildren:
        with contextlib.suppress(psutil.NoSuchProcess):  # it may have ended by itself
            process.kill()
    again = house()
    again.wait(lambda: len(again.events("started")) == 2)


def _command(process: psutil.Process) -> list[str]:
    try:
        found: list[str] = process.cmdline()
    except psutil.Error:
        return []
    return found


def test_stop_while_starting(house: Callable[..., House]) -> None:
    built = house("stuck")
    built.wait(lambda: bool(built.events("ready", "worker")))
    all_of_it = built.descendants()
    built.process.terminate()
    assert built.process.wait(LONG_S) == 0
    assert not survivors(all_of_it)
    assert not built.events("started")


def test_what_can_not_start_is_one_line_and_stops_the_rest(house: Callable[..., House]) -> None:
    built = house("broken")
    _, said = built.process.communicate(timeout=LONG_S)
    assert built.process.returncode == 1
    assert len(said.splitlines()) == 1
    assert "breaks" in said
    assert "Error: no such thing" in said
    assert len(built.events("starting", "broken")) == 3
    assert not any(psutil.pid_exists(row["pid"]) for row in built.events("ready") if row["pid"])
