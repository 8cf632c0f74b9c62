"""The worker's side of a solve: starts the subprocess, listens to it, and ends it when it must end."""

import json
import queue
import subprocess
import sys
import threading
import time
from types import TracebackType
from typing import Any, Self

from chubei_allocation.scenarios import Unplannable

_START_S = 300.0
"""How long the subprocess may take to load its libraries, and to compile the search if nobody has."""
_OVERRUN_S = 10.0
"""How far a solve may overrun its limit (a presolve does not look at the clock) before it is killed."""


class SolverProcess:
    """One solve. As a context manager it leaves no process behind, however the block ends."""

    def __init__(
        self,
        scenario: dict[str, Any],
        time_limit_s: int,
        seed: int,
        memory_mib: int,
        work_limit: int | None = None,
    ) -> None:
        self._request = {
            "scenario": scenario,
            "time_limit_s": time_limit_s,
            "work_limit": work_limit,
            "seed": seed,
            "memory_mib": memory_mib,
        }
        self._limit_s = time_limit_s
        self._lines: queue.SimpleQueue[str | None] = queue.SimpleQueue()

    def __enter__(self) -> Self:
        self._child = subprocess.Popen(
            [sys.executable, "-m", "chubei_allocation.solving.solver"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            encoding="utf-8",
        )
        self._kill_at = time.monotonic() + _START_S + self._limit_s + _OVERRUN_S
        self._begun = False
        threading.Thread(target=self._listen, daemon=True).start()
        threading.Thread(target=self._ask, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._child.kill()
        self._child.wait()

    def message(self, timeout_s: float) -> dict[str, Any] | None:
        """What the solve says next: {"progress": …} or {"plan": …}; None if nothing comes within `timeout_s`.

        Raises Unplannable when it ended without a plan, or has overrun its limit.
        """
        if time.monotonic() > self._kill_at and not self._begun:
            raise Unplannable(
                f"求解器 {_START_S:.0f} 秒内未能启动(首次使用须先编译),请稍后再次请求方案 / the solver did not get "
                f"under way within {_START_S:.0f} s (it is compiled before its first use): ask for a plan again"
            )
        if time.monotonic() > self._kill_at:
            raise Unplannable(
                f"求解超过时限 {self._limit_s} 秒仍未结束,已终止 / "
                f"the solve overran its limit of {self._limit_s} s and was stopped"
            )
        try:
            line = self._lines.get(timeout=timeout_s)
        except queue.Empty:
            return None
        if line is None:
            status = self._child.wait()
            raise Unplannable(
                f"求解进程异常结束({status}) / the solver ended without an answer, status {status}"
            )
        message: dict[str, Any] = json.loads(line)
        if "error" in message:
            raise Unplannable(message["error"])
        if not self._begun:
            self._begun = True
            self._kill_at = time.monotonic() + self._limit_s + _OVERRUN_S
        return message

    def _ask(self) -> None:
        """Send the request and leave the pipe open: its end tells the child that we are gone."""
        assert self._child.stdin is not None  # noqa: S101 (a pipe was asked for)
        try:
            self._child.stdin.write(json.dumps(self._request) + "\n")
            self._child.stdin.flush()
        except BrokenPipeError:
            return  # it died; _listen sees the end of its output

    def _listen(self) -> None:
        assert self._child.stdout is not None  # noqa: S101 (a pipe was asked for)
        for line in self._child.stdout:
            self._lines.put(line)
        self._lines.put(None)
