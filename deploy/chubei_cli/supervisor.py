"""Process supervision with ordered readiness: start children by need, keep them running, stop them in reverse.

A child is one row of a table (`Child`), so that everything about it stands in one place. Each runs in a process
group of its own, with its output in a log file, and the kernel ends it should the supervisor die in any way.
"""

import asyncio
import contextlib
import os
import signal
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Protocol

from .errors import CommandError, NotReady
from .process import die_with_parent
from .unprivileged import identity

_POLL_S: Final = 0.2
_START_TRIES: Final = 3
_STEADY_S: Final = 10.0  # who lived that long did not die "at once"
_FLAPPING: Final = 5  # deaths in a row that are reported loudly
_SLOWEST_RETRY_S: Final = 30.0
_LOG_LIMIT_BYTES: Final = 10_000_000
_TAIL_LINES: Final = 5
_TAIL_BYTES: Final = 8192


@dataclass(frozen=True)
class Child:
    """One part of the system: what to run, when it serves, what it needs first.

    `check_ready` gets what the child has logged since its start; it returns when the child serves and raises
    NotReady otherwise. It may block for a few seconds. A child with `once` is ready when it has exited with 0.
    A child without a command runs elsewhere and is only waited for.
    """

    name: str
    title: str
    command: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)
    needs: tuple[str, ...] = ()
    check_ready: Callable[[str], None] = lambda _: None
    where: str = ""
    once: bool = False
    prepare: Callable[[], None] | None = None
    user: str | None = None
    ready_within_s: float = 300  # ten Python processes at once on a busy machine
    stop_signal: signal.Signals = signal.SIGTERM
    orphan_signal: signal.Signals = signal.SIGKILL
    stop_within_s: float = 10

    @property
    def outside(self) -> bool:
        return not self.command


@dataclass(frozen=True)
class Death:
    """How a child ended that was to go on, what it said last, and what is done about it."""

    reason: str
    last_lines: tuple[str, ...]
    retry_in_s: float
    in_a_row: int

    @property
    def flapping(self) -> bool:
        return self.in_a_row >= _FLAPPING


class Watcher(Protocol):
    """Who wants to know what becomes of the children."""

    def starting(self, child: Child) -> None: ...
    def ready(self, child: Child, pid: int | None, took_s: float) -> None: ...
    def died(self, child: Child, death: Death) -> None: ...
    def stopping(self) -> None: ...
    def stopped(self, child: Child) -> None: ...


class _Run:
    """A child's fate under one supervisor."""

    def __init__(self, child: Child, log: Path) -> None:
        self.child = child
        self.log = log
        self.log_start = 0
        self.process: asyncio.subprocess.Process | None = None
        self.served = asyncio.Event()  # has been ready once
        self.stopped = asyncio.Event()

    def said(self) -> str:
        """What the child has logged since its last start."""
        return self._read(self.log_start)

    def last_lines(self) -> tuple[str, ...]:
        try:
            said = self._read(max(self.log_start, self.log.stat().st_size - _TAIL_BYTES))
        except OSError:
            return ()
        return tuple(line for line in said.splitlines() if line.strip())[-_TAIL_LINES:]

    def _read(self, start: int) -> str:
        with self.log.open("rb") as log:
            log.seek(start)
            return log.read().decode(errors="replace")


class Supervisor:
    """Runs the children of one table. Use it once, on the event loop of the main thread."""

    def __init__(self, children: Sequence[Child], folder: Path, watcher: Watcher) -> None:
        """`folder` is the children's working directory; their output goes to `folder`/logs/<name>.log."""
        self._folder = folder
        self._watcher = watcher
        self._runs = {child.name: _Run(child, folder / "logs" / f"{child.name}.log") for child in children}
        self._over: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._hurry = asyncio.Event()

    def stop(self) -> None:
        """End the run: the first call orderly, the second at once."""
        if self._over.done():
            self._hurry.set()
        else:
            self._over.set_result(None)

    async def run(self, started: Callable[[], Awaitable[None]]) -> None:
        """Start all, await `started()`, keep all running until `stop`; returns when no child is left.

        Raises CommandError if a child cannot be started in the first place.
        """
        (self._folder / "logs").mkdir(exist_ok=True)
        keepers = {name: asyncio.create_task(self._keep(run)) for name, run in self._runs.items()}
        for keeper in keepers.values():
            keeper.add_done_callback(self._keeper_ended)
        announce = asyncio.create_task(self._announce(started))
        announce.add_done_callback(self._keeper_ended)
        try:
            await self._over
        finally:
            announce.cancel()
            self._watcher.stopping()
            await asyncio.gather(*(self._end(run, keepers[name]) for name, run in self._runs.items()))

    async def _announce(self, started: Callable[[], Awaitable[None]]) -> None:
        for run in self._runs.values():
            await run.served.wait()
        await started()

    def _keeper_ended(self, keeper: asyncio.Task[None]) -> None:
        if keeper.cancelled() or self._over.done():
            return
        if error := keeper.exception():
            self._over.set_exception(error)

    async def _keep(self, run: _Run) -> None:
        """One child from its first start to the end of the run."""
        child = run.child
        for need in child.needs:
            await self._runs[need].served.wait()
        if child.outside:
            await self._await_outside(run)
            return
        deaths = 0
        while True:
            begun = time.monotonic()
            try:
                reason = await self._serve(run)
            except (CommandError, OSError) as error:
                reason = str(error)
                if not run.served.is_set():
                    raise CommandError(reason) from error
            if reason is None:
                return
            deaths = deaths + 1 if time.monotonic() - begun < _STEADY_S else 1
            if not run.served.is_set() and (child.once or deaths >= _START_TRIES):
                raise self._failed_start(run, reason)
            delay = _SLOWEST_RETRY_S if deaths >= _FLAPPING else 0.25 * 2**deaths
            self._watcher.died(child, Death(reason, run.last_lines(), delay, deaths))
            await asyncio.sleep(delay)

    def _failed_start(self, run: _Run, reason: str) -> CommandError:
        lines = [line for line in run.last_lines() if "rror" in line or "FATAL" in line] or run.last_lines()
        said = f": {lines[-1].strip()[:300]}" if lines else ""
        title = run.child.title
        return CommandError(f"{title} 未能启动 / did not start: {reason}{said} (日志 / log: {run.log})")

    async def _await_outside(self, run: _Run) -> None:
        begun = time.monotonic()
        self._watcher.starting(run.child)
        if reason := await self._not_ready_in_time(run.child, lambda: ""):
            raise CommandError(f"{run.child.title} ({run.child.where}): {reason}")
        self._ready(run, begun)

    async def _serve(self, run: _Run) -> str | None:
        """Run the child once. Returns how it ended; None for a child that has done its work for good."""
        child = run.child
        self._watcher.starting(child)
        begun = time.monotonic()
        if child.prepare:
            await asyncio.to_thread(child.prepare)
        run.process = process = await self._spawn(run)
        ended = asyncio.create_task(process.wait())
        try:
            if not child.once:
                if late := await self._not_ready_before(run, ended):
                    _kill_group(process.pid)
                    await ended
                    return late
                if not ended.done():
                    self._ready(run, begun)
            if await ended == 0 and child.once:
                self._ready(run, begun)
                return None
            _kill_group(process.pid)  # what it may have left behind
            return _outcome(ended.result())
        finally:
            ended.cancel()

    async def _not_ready_before(self, run: _Run, ended: asyncio.Task[int]) -> str | None:
        """Wait until the child serves or ends; why not, if it did neither in time."""
        ready = asyncio.create_task(self._not_ready_in_time(run.child, run.said))
        try:
            await asyncio.wait({ended, ready}, return_when=asyncio.FIRST_COMPLETED)
            return None if ended.done() else ready.result()
        finally:
            ready.cancel()

    async def _not_ready_in_time(self, child: Child, said: Callable[[], str]) -> str | None:
        """Wait until the child serves; why not, if its time is up first."""
        deadline = time.monotonic() + child.ready_within_s
        while True:
            try:
                await asyncio.to_thread(child.check_ready, said())
                return None
            except NotReady as error:
                if time.monotonic() > deadline:
                    wait_s = f"{child.ready_within_s:g}"
                    return f"{wait_s} 秒内未就绪 / not ready within {wait_s} s: {error}"
            await asyncio.sleep(_POLL_S)

    def _ready(self, run: _Run, begun: float) -> None:
        pid = run.process.pid if run.process else None
        run.served.set()
        self._watcher.ready(run.child, pid, time.monotonic() - begun)

    async def _spawn(self, run: _Run) -> asyncio.subprocess.Process:
        child = run.child
        if run.log.exists() and run.log.stat().st_size > _LOG_LIMIT_BYTES:
            run.log.replace(run.log.with_suffix(".log.1"))
        with run.log.open("ab") as log:
            run.log_start = log.tell()
            return await asyncio.create_subprocess_exec(
                *child.command,
                cwd=self._folder,
                env=child.environment,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=asyncio.subprocess.STDOUT,
                process_group=0,
                preexec_fn=die_with_parent(child.orphan_signal),
                **identity(child.user),
            )

    async def _end(self, run: _Run, keeper: asyncio.Task[None]) -> None:
        """Stop one child, after those that need it."""
        dependants = [other for other in self._runs.values() if run.child.name in other.child.needs]
        await asyncio.gather(*(other.stopped.wait() for other in dependants))
        keeper.cancel()
        await asyncio.wait({keeper})
        if run.process and run.process.returncode is None:
            await self._terminate(run.process, run.child)
            self._watcher.stopped(run.child)
        run.stopped.set()

    async def _terminate(self, process: asyncio.subprocess.Process, child: Child) -> None:
        ended = asyncio.create_task(process.wait())
        hurry = asyncio.create_task(self._hurry.wait())
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(child.stop_signal)
        await asyncio.wait({ended, hurry}, timeout=child.stop_within_s, return_when=asyncio.FIRST_COMPLETED)
        hurry.cancel()
        _kill_group(process.pid)
        await ended


def _kill_group(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)


def _outcome(returncode: int) -> str:
    if returncode < 0:
        return signal.Signals(-returncode).name
    return f"退出码 / exit code {returncode}"
