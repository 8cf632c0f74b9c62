"""`chubei up`: the whole system on one machine, under one supervisor.

What is asked of another program (demo, tests) is `running(...)`: it starts `chubei up` as a process of its own,
waits until everything serves, and stops it afterwards:

    with running(folder, port=0) as up:
        httpx.get(up.urls["gateway"] + "/healthz")
"""

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, Final

import httpx
from chubei_shared.contracts.gateway_client import GatewayClient
from chubei_shared.contracts.identity import FirstAccount
from chubei_shared.errors import AppError
from rich.console import Console

from .children import children
from .errors import CommandError
from .parts import Parts, find_parts, outside
from .process import die_with_parent
from .screen import Screen
from .state import Running, StateFolder
from .supervisor import Child, Death, Supervisor
from .tls import Asked, Certificate

_STOP_WITHIN_S: Final = 60
_REFRESH_S: Final = 0.1


def up(state: StateFolder, port: int | None, tls: Asked | None = None) -> None:
    """Run everything on `state`, which the caller has locked, until SIGINT or SIGTERM.

    The gateway listens on `port`; 0 is any, None is 8080 or, if that is taken, any. With `tls` it listens there over
    HTTPS for other machines too (8443), and on some port for this one.
    Raises CommandError if the port is in use, or a part cannot be started.
    """
    try:
        asyncio.run(_up(state, port, tls))
    except OSError as error:
        raise CommandError(
            f"状态文件夹不可用 / cannot use the state folder: {error}; 用 --state 另选 / choose another with --state"
        ) from error


@contextlib.contextmanager
def running(
    state: Path,
    port: int = 0,
    output: IO[str] | int | None = None,
    options: Sequence[str] = (),
    environment: Mapping[str, str] | None = None,
) -> Iterator[Running]:
    """Run `chubei up` with `options` on the folder `state` for the length of the block. Its progress goes to `output`
    (stdout).

    Call it from a thread that outlives the block. Raises CommandError with what `up` said if it does not start.
    """
    command = [sys.executable, "-m", "chubei_cli.main", "up", "--state", str(state), "--port", str(port)]
    command += options
    process = subprocess.Popen(
        command,
        env={**os.environ, **(environment or {})},
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.PIPE,
        text=True,
        process_group=0,  # Ctrl-C reaches us alone: we stop it when we are done
        preexec_fn=die_with_parent(signal.SIGTERM),
    )
    try:
        yield _until_up(StateFolder(state), process)
    finally:
        process.terminate()
        try:
            process.communicate(timeout=_STOP_WITHIN_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()


def _until_up(state: StateFolder, process: subprocess.Popen[str]) -> Running:
    while process.poll() is None:
        found = state.last_run()
        if found and found.pid == process.pid and found.ready:
            return found
        time.sleep(0.1)
    _, said = process.communicate()
    raise CommandError(said.strip().removeprefix("chubei: ") or f"chubei up: {process.returncode}")


async def _up(state: StateFolder, port: int | None, tls: Asked | None) -> None:
    (state.path / "logs").mkdir(exist_ok=True)
    with Screen(Console(), state.path / "logs") as screen:
        parts = find_parts(state, port, screen.say, tls)
        rows = children(parts)
        watcher = _Watcher(screen, state, parts, rows)
        watcher.save()
        supervisor = Supervisor(rows, state.path, watcher)
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            loop.add_signal_handler(number, supervisor.stop)
        drawing = asyncio.create_task(_draw(screen))

        async def started() -> None:
            _say_where(screen, state, parts, await asyncio.to_thread(_first_account, parts.urls["gateway"]))
            watcher.save(ready=True)

        try:
            await supervisor.run(started)
        finally:
            drawing.cancel()
            watcher.save(ready=False)
        screen.say("已全部停止 / all stopped")


async def _draw(screen: Screen) -> None:
    while True:
        screen.refresh()
        await asyncio.sleep(_REFRESH_S)


class _Watcher:
    """Shows what happens, and keeps up.json in step with it."""

    def __init__(self, screen: Screen, state: StateFolder, parts: Parts, rows: list[Child]) -> None:
        ports: dict[str, int] = dict(parts.ports.items())
        for name, server in (("postgres", parts.postgres), ("valkey", parts.valkey)):
            if server:
                ports[name] = server.port
        urls: dict[str, str] = dict(parts.urls.items())
        if parts.https:
            ports["https"], urls["https"] = parts.https.port, parts.https.urls[0]
        self._screen, self._state = screen, state
        self._running = Running(pid=os.getpid(), urls=urls, ports=ports)
        for child in rows:
            self._running.children[child.name] = {
                "title": child.title,
                "where": child.where,
                "state": "waiting",
                "pid": None,
                "deaths": 0,
            }

    def save(self, ready: bool | None = None) -> None:
        """Let others know; a full disk must not end what still runs."""
        if ready is not None:
            self._running.ready = ready
        try:
            self._state.write(self._running)
        except OSError as error:
            self._screen.say(f"!! up.json: {error}", style="bold red")

    def starting(self, child: Child) -> None:
        self._screen.starting(child)
        self._note(child, "starting", None)

    def ready(self, child: Child, pid: int | None, took_s: float) -> None:
        self._screen.ready(child, took_s)
        state = "outside" if child.outside else "done" if child.once else "ready"
        self._note(child, state, None if child.once else pid)

    def died(self, child: Child, death: Death) -> None:
        self._screen.died(child, death)
        entry = self._running.children[child.name]
        entry["deaths"] = int(entry["deaths"] or 0) + 1
        self._note(child, "died", None)

    def stopping(self) -> None:
        self._screen.stopping()
        self._running.ready = False

    def stopped(self, child: Child) -> None:
        self._screen.stopped(child)
        self._note(child, "stopped", None)

    def _note(self, child: Child, state: str, pid: int | None) -> None:
        self._running.children[child.name] |= {"state": state, "pid": pid}
        self.save()


def _first_account(gateway: str) -> FirstAccount:
    try:
        with httpx.Client(base_url=gateway, timeout=10, trust_env=False) as http:
            return GatewayClient(http).first_account()
    except AppError as error:
        raise CommandError(
            f"网关未答首个账号 / the gateway does not tell the first account: {error}"
        ) from error


def _trusting(found: Certificate) -> list[tuple[str, str]]:
    """How phones come to trust the certificate."""
    if found.authority is None:
        return [("证书 / certificate", str(found.cert))]
    return [
        ("根证书 / CA file", str(found.authority)),
        ("指纹 SHA-256 / fingerprint", found.fingerprint),
        (
            "装到手机上",
            "把根证书传到手机,核对指纹;安卓、鸿蒙:设置 → 安全 → 从存储安装证书 → CA 证书;"
            "苹果:打开文件安装描述文件,再到 设置 → 通用 → 关于本机 → 证书信任设置 里开启",
        ),
        (
            "on a phone",
            "send the CA file to it and compare the fingerprint; Android: Settings → Security → Install a certificate "
            "→ CA certificate; iPhone: open the file, install the profile, then Settings → General → About → "
            "Certificate Trust Settings",
        ),
    ]


def _say_where(screen: Screen, state: StateFolder, parts: Parts, account: FirstAccount) -> None:
    gateway = parts.urls["gateway"]
    rows = [("地址 / go to", gateway), ("接口文档 / API pages", f"{gateway}/docs")]
    if parts.https:
        rows = [("地址 / go to", "  ".join(parts.https.urls)), *_trusting(parts.https.certificate)]
        rows.append(("本机程序 / programs here", gateway))
    if not account.must_change_password:
        state.first_password.unlink(missing_ok=True)  # changed: the first one opens nothing any more
    elif "gateway" in parts.ports:
        secret = parts.environment["CHUBEI_INITIAL_ADMIN_PASSWORD"]
        shown = "CHUBEI_INITIAL_ADMIN_PASSWORD" if outside("INITIAL_ADMIN_PASSWORD") else secret
        note = "首次登录须改密码 / to be changed at first sign-in"
        rows.append(("首个账号 / first account", f"{account.username} / {shown}  ({note})"))
    if parts.postgres:
        opened = [str(folder) for folder in parts.postgres.opened if not folder.is_relative_to(state.path)]
        if opened:
            note = f"用户 {parts.postgres.user} 可经过 / may now pass through (o+x): {', '.join(opened)}"
            rows.append(("目录权限 / permissions", note))
    rows += [("日志 / logs", str(state.path / "logs")), ("停止 / to stop", "Ctrl-C")]
    screen.summary(rows)
