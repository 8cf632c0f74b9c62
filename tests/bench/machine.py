"""What the bench ran on: figures without this are worth nothing."""

from __future__ import annotations

import os
import platform
import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

ROOT = Path(__file__).parents[2]
BUSY = 0.5  # processes running or waiting, on average
PACKAGES = ("ortools", "numpy", "numba")


def machine() -> list[tuple[str, str]]:
    """(name, value) rows: processor, memory, load, system, versions, commit."""
    return [
        (
            "CPU",
            f"{_first_line('/proc/cpuinfo', 'model name') or platform.machine()}, {os.cpu_count()} cores",
        ),
        ("内存 memory", _memory()),
        ("起始负载 load before", _load()),
        ("系统 system", f"{platform.system()} {platform.release()}, Python {platform.python_version()}"),
        ("软件包 packages", ", ".join(f"{name} {_version(name)}" for name in PACKAGES)),
        ("提交 commit", _commit()),
    ]


def _first_line(path: str, key: str) -> str | None:
    try:
        lines = Path(path).read_text().splitlines()
    except OSError:
        return None
    return next((line.partition(":")[2].strip() for line in lines if line.startswith(key)), None)


def _load() -> str:
    """Over 1, 5 and 15 minutes; with a warning where others take enough time to make ours long."""
    loads = os.getloadavg()
    said = " ".join(f"{load:.2f}" for load in loads)
    return (
        said
        if loads[0] < BUSY
        else f"{said}:机器另有负载,秒数偏大 others are busy here: seconds are too long"
    )


def _memory() -> str:
    total = _first_line("/proc/meminfo", "MemTotal")
    return f"{int(total.split()[0]) / 2**20:.0f} GB" if total else "?"


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "-"


def _commit() -> str:
    """The commit, and whether files that count have changed since."""
    said = []
    for words in (
        ["rev-parse", "--short", "HEAD"],
        ["status", "--porcelain", "--", "services", "tests/bench"],
    ):
        done = subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True, check=False)
        if done.returncode:
            return "?"
        said.append(done.stdout.strip())
    return said[0] + (" 有未提交的改动 with changes not committed" if said[1] else "")
