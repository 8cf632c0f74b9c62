"""The worker's side of planning for readiness: one subprocess for many questions, and its end."""

import contextlib
import json
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import Any, Literal, NamedTuple, Self

from chubei_allocation.scenarios import Unplannable

_BEAT_S = 1.0
_OVERRUN_S = 900.0
"""After which a question has no answer: a district's takes seconds, compiling the search minutes."""


class Question(NamedTuple):
    """What planning.py is asked: a plan of `scenario` by so much `work`, from the trips of `previous`.

    It ends early where nothing that is asked could change any more: at a plan that supports `enough` people, and with
    `give_up` where it is proven that not everybody can be supported.
    """

    scenario: dict[str, Any]
    previous: Any
    work: int
    ask: Literal["figures", "reasons", "full"]
    enough: int | None = None
    give_up: bool = False
    seed: int = 0


class PlanningProcess:
    """Answers questions of planning.py. As a context manager it leaves no process behind, however the block ends."""

    def __init__(self, memory_mib: int) -> None:
        self._memory_mib = memory_mib
        self._child: subprocess.Popen[str] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._child is not None:
            self._child.kill()
            self._child.wait()

    def ask(self, question: Question, meanwhile: Callable[[], None]) -> dict[str, Any]:
        """The answer to one question. `meanwhile` is called every second; what it raises ends the waiting.

        Raises Unplannable when there is none: refused by the checker, out of memory, or the process ended.
        """
        child = self._running()
        self._say(child, question._asdict())
        kill_at = time.monotonic() + _OVERRUN_S
        while time.monotonic() < kill_at:
            try:
                line = self._lines.get(timeout=_BEAT_S)
            except queue.Empty:
                meanwhile()
                continue
            if line is None:
                status = child.wait()
                raise Unplannable(f"求解进程异常结束({status}) / the planning process ended, status {status}")
            said: dict[str, Any] = json.loads(line)
            if "error" in said:
                raise Unplannable(said["error"])
            answer: dict[str, Any] = said["answer"]
            return answer
        child.kill()
        raise Unplannable(f"求解 {_OVERRUN_S:.0f} 秒未结束 / no plan within {_OVERRUN_S:.0f} s")

    def _running(self) -> "subprocess.Popen[str]":
        """The subprocess; a new one where there is none, or it has ended."""
        if self._child is not None and self._child.poll() is None:
            return self._child
        child = subprocess.Popen(
            [sys.executable, "-m", "chubei_allocation.readiness.planning"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            encoding="utf-8",
        )
        self._child, self._lines = child, queue.SimpleQueue[str | None]()
        threading.Thread(target=_listen, args=(child, self._lines), daemon=True).start()
        self._say(child, {"memory_mib": self._memory_mib})
        return child

    def _say(self, child: "subprocess.Popen[str]", message: dict[str, Any]) -> None:
        assert child.stdin is not None  # noqa: S101 (a pipe was asked for)
        with contextlib.suppress(BrokenPipeError):  # it died: `ask` sees the end of its output
            child.stdin.write(json.dumps(message) + "\n")
            child.stdin.flush()


def _listen(child: "subprocess.Popen[str]", lines: "queue.SimpleQueue[str | None]") -> None:
    assert child.stdout is not None  # noqa: S101 (a pipe was asked for)
    for line in child.stdout:
        lines.put(line)
    lines.put(None)
