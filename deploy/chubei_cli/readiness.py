"""`chubei readiness`: whether the duty can be kept, as the newest check found it or as one made now does."""

import json
import time
from typing import Annotated
from uuid import uuid4

import typer
from chubei_shared.contracts.allocation_client import AllocationClient
from chubei_shared.contracts.readiness import Readiness, RunRequest, RunView, Verdict
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from .account import PasswordOption, UrlOption, UserOption, signed_in
from .errors import CommandError
from .readiness_screen import show_readiness

_ASK_EVERY_S = 1.0
_OPEN = ("queued", "running")


def readiness(
    now: Annotated[
        bool, typer.Option("--now", help="现在检查一次并等结果 / check now, and wait for it")
    ] = False,
    draws: Annotated[
        int | None,
        typer.Option(min=0, max=100_000, help="抽样次数,随 --now / draws, with --now (default: as set)"),
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="全部结果写成 JSON / print all of it as JSON")
    ] = False,
    url: UrlOption = None,
    username: UserOption = "admin",
    password: PasswordOption = None,
) -> None:
    """能否保障 1 % / whether 1 % of the residents get relief in time, and why.

    退出码:0 能保障;1 基本能或不能保障;2 用法有误、无结果 / exit code 0: able; 1: nearly able or unable; 2: wrong
    use, or there is no result.
    """
    if draws is not None and not now:
        raise CommandError("--draws 只随 --now / goes with --now only: add it")
    with signed_in(url, username, password) as http:
        found = _made_now(AllocationClient(http), draws) if now else _newest(AllocationClient(http))
    if as_json:
        typer.echo(json.dumps(found.model_dump(mode="json"), ensure_ascii=False, indent=1))
    else:
        show_readiness(Console(), found)
    raise typer.Exit(0 if found.page.verdict is Verdict.ABLE else 1)


def _newest(allocation: AllocationClient) -> Readiness:
    current = allocation.readiness()
    if current.latest is None and current.failed is not None:
        raise CommandError(f"检查未能完成 / the check failed: {current.failed.error}")
    if current.latest is None:
        raise CommandError(
            "还没有完成的检查:chubei readiness --now 现在检查 / no check is finished yet: "
            "chubei readiness --now makes one"
        )
    return current.latest


def _made_now(allocation: AllocationClient, draws: int | None) -> Readiness:
    """Ask for a check and wait, with a bar on standard error."""
    run = allocation.run_readiness(RunRequest(id=uuid4(), draws=draws))
    columns = (TextColumn("检查 / checking"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task("", total=None)
        while run.status in _OPEN:
            time.sleep(_ASK_EVERY_S)
            run = _state(allocation, run)
            bar.update(task, completed=run.progress.done, total=run.progress.total or None)
    if run.status == "failed":
        raise CommandError(f"检查未能完成 / the check failed: {run.error}")
    found = allocation.readiness_of(run.night)
    if found.run.id != run.id:
        raise CommandError("同夜有更新的检查,请再看一次 / a newer check of the night was made: ask again")
    return found


def _state(allocation: AllocationClient, run: RunView) -> RunView:
    return next((row for row in allocation.readiness_runs() if row.id == run.id), run)
