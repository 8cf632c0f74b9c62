"""`chubei status`: what runs on a state folder, and whether it answers."""

import httpx
from rich.console import Console
from rich.text import Text

from .errors import CommandError
from .screen import TITLE_CELLS, in_cells
from .state import StateFolder

_WELL = ("ready", "done", "outside")


def show_status(state: StateFolder) -> bool:
    """Print a line for each part; whether all is well. Raises CommandError if nothing runs."""
    running = state.running()
    if running is None:
        raise CommandError(
            f"{state.path} 上没有在运行的 chubei / no chubei runs on it: start one with chubei up"
        )
    well = running.ready
    console = Console()
    for name, child in running.children.items():
        found = _health(running.urls[name]) if name in running.urls else str(child["state"])
        good = found in _WELL
        well = well and good
        facts = (
            f"pid {child['pid']}" if child["pid"] else "",
            f"重启 / restarts {child['deaths']}",
            child["where"],
        )
        line = f"{'✓' if good else '✗'} {in_cells(str(child['title']), TITLE_CELLS)} {found:8} "
        told = "  ".join(str(fact) for fact in facts if fact)
        console.print(Text(line + told, "green" if good else "red"), soft_wrap=True)
    return well


def _health(url: str) -> str:
    try:
        answer = httpx.get(f"{url}/healthz", timeout=3, trust_env=False)
    except httpx.HTTPError as error:
        return str(error)
    return "ready" if answer.status_code == 200 else f"HTTP {answer.status_code}"
