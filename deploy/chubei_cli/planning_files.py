"""What the planning commands share: their files, their limits, and being asked to end."""

from __future__ import annotations

import json
import math
import signal
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from chubei_allocation.planner import (
    Scenario,
    ScenarioError,
    Stop,
    Trip,
    load_json,
    parse_scenario,
    parse_trips,
)
from chubei_allocation.planner.compiled import is_kept
from chubei_allocation.planner.ready import COMPILING, make_ready

from .errors import CommandError

LONGEST_S = 7 * 24 * 3600.0


def stop_of(time_limit_s: float | None, work_limit: int | None, default_s: float) -> Stop:
    """When to end, from the options; `default_s` where neither is given. Raises CommandError."""
    if work_limit is not None and work_limit < 1:
        raise CommandError(f"--work-limit {work_limit}：请填正整数 / give a whole number of 1 or more")
    if time_limit_s is None:
        return Stop(None if work_limit else default_s, work_limit)
    if not (math.isfinite(time_limit_s) and 0 < time_limit_s <= LONGEST_S):
        raise CommandError(
            f"--time-limit {time_limit_s:g}：请填大于 0 的秒数 / give seconds above 0, at most {LONGEST_S:g}"
        )
    return Stop(time_limit_s, work_limit)


def compile_first() -> None:
    """Compile the search where `make setup` has not done so, and say what the user waits for."""
    if not is_kept():
        sys.stderr.write(f"{COMPILING}\n")
        make_ready()


def refuse_seed(seed: int) -> None:
    if not 0 <= seed < 2**63:
        raise CommandError(f"--seed {seed} 超出范围，请填 0 或正整数 / is out of range: give 0 or more")


def read_json(path: Path) -> Any:
    """A JSON file, read strictly. Raises CommandError."""
    try:
        return load_json(path.read_bytes(), str(path))
    except OSError as error:
        raise CommandError(
            f"{path}：读不了，请检查路径 / cannot be read ({error.strerror}); check the path"
        ) from None
    except ScenarioError as error:
        raise CommandError(str(error)) from None


def read_scenario(path: Path) -> Scenario:
    """A planning-scenario/1 file. Raises CommandError."""
    try:
        return parse_scenario(read_json(path))
    except ScenarioError as error:
        raise CommandError(f"{path}: {error}") from None


def read_trips(path: Path, scenario: Scenario, of_before: bool = False) -> tuple[Trip, ...]:
    """The trips of a planning-plan/1 file of this scenario, or of what it was before. Raises CommandError."""
    plan = read_json(path)
    name = plan.get("scenario") if isinstance(plan, dict) else None
    if not of_before and isinstance(name, str) and name != scenario.name:
        raise CommandError(
            f"{path}：计划属于情景 {name}，这里的情景是 {scenario.name}，请给它自己的计划 / "
            f"the plan is of scenario {name}, this is {scenario.name}: give a plan of its own"
        )
    try:
        return parse_trips(plan, scenario, of_before)
    except ScenarioError as error:
        raise CommandError(f"{path}: {error}") from None


def refuse_unwritable(option: str, path: Path, *inputs: Path) -> None:
    """Refuse a place where no file can be put, or none should be, before any time is spent."""
    takes_files = _takes_files(path)
    there = takes_files and path.exists()
    if there and any(path.samefile(read) for read in inputs):
        raise CommandError(
            f"{option} {path}：这是输入文件，请换一个文件名 / is an input itself; name another file"
        )
    if not takes_files or (there and not path.is_file()):  # a folder, or /dev/null: never replaced by a plan
        raise CommandError(
            f"{option} {path}：不能写到这里，请换一个已有且可写的文件夹 / "
            "cannot be written there; name a file in an existing, writable folder"
        )


def _takes_files(path: Path) -> bool:
    """Whether a file of that name can be made there."""
    try:
        with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}."):
            return True
    except OSError:
        return False


def write_json(option: str, path: Path, body: dict[str, Any]) -> None:
    """Write the whole file or nothing."""
    temporary = ""
    try:
        with tempfile.NamedTemporaryFile(
            "w", dir=path.parent, prefix=f".{path.name}.", encoding="utf-8", delete=False
        ) as file:
            temporary = file.name
            json.dump(body, file, ensure_ascii=False, allow_nan=False)
            file.write("\n")
        Path(temporary).chmod(0o644)
        Path(temporary).replace(path)
    except OSError as error:
        if temporary:
            Path(temporary).unlink(missing_ok=True)
        raise CommandError(
            f"{option} {path}：写不了，请检查磁盘和权限 / cannot be written ({error.strerror}); check disk and rights"
        ) from None


@contextmanager
def interruptible() -> Iterator[threading.Event]:
    """Ctrl-C or SIGTERM asks to end with what has been found so far; a second one ends the command."""
    asked = threading.Event()

    def ask(_number: int, _frame: object) -> None:
        if asked.is_set():
            raise KeyboardInterrupt
        asked.set()

    before = {number: signal.signal(number, ask) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield asked
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
