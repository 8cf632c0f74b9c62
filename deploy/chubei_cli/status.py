"""`chubei status`: what runs on a state folder, and whether it answers."""

import httpx
from rich.console import Console
from rich.table import Table

from .errors import CommandError
from .state import StateFolder


def show_status(state: StateFolder) -> bool:
    """Print a line for each part; whether all is well. Raises CommandError if nothing runs."""
    running = state.running()
    if running is None:
        raise CommandError(
            f"{state.path} 上没有在运行的 chubei / no chubei runs on it: start one with chubei up"
        )
    table = Table(
        "部分 / part", "状态 / state", "pid", "重启 / restarts", "地址 / where", box=None, pad_edge=False
    )
    for child in running.children.values():
        table.add_row(*(str("" if child[key] is None else child[key]) for key in _COLUMNS))
    console = Console()
    console.print(table)
    well = running.ready and all(child["state"] in _WELL for child in running.children.values())
    for service, url in running.urls.items():
        answer = _health(url)
        well = well and answer == "ok"
        console.print(f"{service} {url}/healthz: {answer}", highlight=False, soft_wrap=True)
    return well


_COLUMNS = ("title", "state", "pid", "deaths", "where")
_WELL = ("ready", "done", "outside")


def _health(url: str) -> str:
    try:
        answer = httpx.get(f"{url}/healthz", timeout=3, trust_env=False)
    except httpx.HTTPError as error:
        return str(error)
    return "ok" if answer.status_code == 200 else f"HTTP {answer.status_code}"
