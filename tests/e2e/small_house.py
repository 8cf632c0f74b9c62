"""A small house under the real supervisor: `python small_house.py FOLDER [stuck|broken]`.

A PostgreSQL and a Valkey, a step that runs once, a web server, and a worker with a child of its own that does not
heed SIGTERM. Each event is a line of JSON in FOLDER/events.
"""

import asyncio
import contextlib
import http.client
import json
import os
import signal
import sys
from pathlib import Path

from chubei_cli.errors import CommandError, NotReady
from chubei_cli.postgres import PostgresServer
from chubei_cli.process import free_port
from chubei_cli.supervisor import Child, Death, Supervisor
from chubei_cli.valkey import ValkeyServer

STUBBORN = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(600)"
WITH_CHILD = f"""
import subprocess, sys, time
subprocess.Popen([sys.executable, "-c", {STUBBORN!r}])
print("at work", flush=True)
time.sleep(600)
"""


def children(folder: Path, kind: str) -> list[Child]:
    postgres, valkey, port = PostgresServer(folder / "postgres"), ValkeyServer(folder / "valkey"), free_port()

    def python(*arguments: str) -> tuple[str, ...]:
        return (sys.executable, *arguments)

    def web_answers(_: str) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=1)
        try:
            connection.request("GET", "/")
            connection.getresponse().read()
        except OSError as error:
            raise NotReady(str(error)) from error
        finally:
            connection.close()

    def at_work(said: str) -> None:
        if "at work" not in said:
            raise NotReady("silent")

    def never(_: str) -> None:
        raise NotReady("never")

    rows = [
        Child(
            "postgres",
            "PostgreSQL",
            tuple(postgres.command()),
            postgres.environment,
            prepare=postgres.prepare,
            check_ready=lambda _: postgres.check_ready(),
            user=postgres.user,
            stop_signal=postgres.stop_signal,
            orphan_signal=postgres.orphan_signal,
        ),
        Child(
            "valkey",
            "Valkey",
            tuple(valkey.command()),
            valkey.environment,
            prepare=valkey.prepare,
            check_ready=lambda _: valkey.check_ready(),
        ),
        Child("once", "a step", python("-c", "print('done')"), os.environ, needs=("postgres",), once=True),
        Child(
            "web",
            "a web server",
            python("-m", "http.server", "--bind", "127.0.0.1", str(port)),
            os.environ,
            needs=("once", "valkey"),
            check_ready=web_answers,
        ),
        Child(
            "worker",
            "a worker",
            python("-c", WITH_CHILD),
            os.environ,
            needs=("web",),
            check_ready=at_work,
            stop_within_s=0.5,
        ),
    ]
    if kind == "stuck":
        rows.append(
            Child(
                "stuck",
                "never ready",
                python("-c", STUBBORN),
                os.environ,
                check_ready=never,
                stop_within_s=0.5,
            )
        )
    if kind == "broken":
        rows.append(
            Child(
                "broken",
                "breaks",
                python("-c", "raise SystemExit('Error: no such thing')"),
                os.environ,
                check_ready=never,
            )
        )
    return rows


class Events:
    def __init__(self, file: Path) -> None:
        self._file = file

    def note(self, what: str, name: str, **more: object) -> None:
        with self._file.open("a") as out:
            out.write(json.dumps({"what": what, "name": name, **more}) + "\n")

    def starting(self, child: Child) -> None:
        self.note("starting", child.name)

    def ready(self, child: Child, pid: int | None, took_s: float) -> None:
        self.note("ready", child.name, pid=pid, took_s=took_s)

    def died(self, child: Child, death: Death) -> None:
        self.note("died", child.name, reason=death.reason)

    def stopping(self) -> None:
        self.note("stopping", "all")

    def stopped(self, child: Child) -> None:
        self.note("stopped", child.name)


async def main(folder: Path, kind: str) -> None:
    events = Events(folder / "events")
    supervisor = Supervisor(children(folder, kind), folder, events)
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, supervisor.stop)

    async def started() -> None:
        events.note("started", "all")

    await supervisor.run(started)


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        try:
            asyncio.run(main(Path(sys.argv[1]), sys.argv[2] if len(sys.argv) > 2 else ""))
        except CommandError as error:
            sys.exit(f"small house: {error}")
