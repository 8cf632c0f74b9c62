"""What `chubei up` shows: a line for each event, and on a terminal what it waits for just now."""

import contextlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Self

from rich.cells import cell_len
from rich.console import Console
from rich.live import Live
from rich.spinner import Spinner
from rich.text import Text

from .supervisor import Child, Death

TITLE_CELLS = 28


@contextlib.contextmanager
def _screen_may_be_gone() -> Iterator[None]:
    """A closed terminal or pipe ends the show, not the system (rich asks to exit when a pipe breaks)."""
    with contextlib.suppress(OSError, SystemExit):
        yield


def in_cells(words: str, cells: int) -> str:
    """`words` filled up to a width of `cells` on the screen, where a Chinese character takes two."""
    return words + " " * (cells - cell_len(words))


class Screen:
    """What a person reads of the children. It has no thread of its own: call `refresh` now and then."""

    def __init__(self, console: Console, logs: Path) -> None:
        self._console = console
        self._logs = logs
        self._waiting: set[str] = set()
        self._spinner = Spinner("dots")
        self._drawn = False
        self._live = Live(console=console, auto_refresh=False, transient=True)

    def __enter__(self) -> Self:
        if self._console.is_terminal:
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with _screen_may_be_gone():
            self._live.stop()

    def refresh(self) -> None:
        """Draw anew what is being waited for."""
        if not self._console.is_terminal or not (self._waiting or self._drawn):
            return
        self._spinner.update(text=Text(f"等待 / waiting: {', '.join(sorted(self._waiting))}"))
        with _screen_may_be_gone():
            self._live.update(self._spinner if self._waiting else Text(), refresh=True)
        self._drawn = bool(self._waiting)

    def say(self, *lines: str, style: str = "") -> None:
        """Print lines as they are, however long."""
        with _screen_may_be_gone():
            for line in lines:
                self._console.print(Text(line, style), soft_wrap=True)

    def starting(self, child: Child) -> None:
        self._waiting.add(child.name)
        if child.outside:
            self.say(f"· {child.title}: 由 {child.where} 给定，不启动 / given from outside, not started")
        elif not self._console.is_terminal:
            self.say(f"· {child.title}: 启动 / starting")

    def ready(self, child: Child, took_s: float) -> None:
        self._waiting.discard(child.name)
        done = "完成 / done" if child.once else "就绪 / ready"
        self.say(
            f"✓ {in_cells(child.title, TITLE_CELLS)} {done} {took_s:5.1f} s  {child.where}",
            style="green",
        )

    def died(self, child: Child, death: Death) -> None:
        self._waiting.discard(child.name)
        when = f"{death.retry_in_s:g} 秒后重启 / restarting in {death.retry_in_s:g} s"
        if death.flapping:
            self.say(
                f"!! {child.title} 连续 {death.in_a_row} 次退出 / died {death.in_a_row} times in a row: "
                f"{death.reason}; {when}; {self._logs / child.name}.log",
                style="bold red",
            )
        else:
            self.say(f"✗ {child.title} 已退出 / died: {death.reason}; {when}", style="yellow")
        self.say(*(f"    {line}" for line in death.last_lines), style="dim")

    def stopping(self) -> None:
        self._waiting.clear()
        self.say("", "正在停止（Ctrl-C 立即结束）/ stopping (Ctrl-C to end at once)")

    def stopped(self, child: Child) -> None:
        self.say(f"· {in_cells(child.title, TITLE_CELLS)} 已停止 / stopped", style="dim")

    def summary(self, rows: Iterable[tuple[str, str]]) -> None:
        """The closing words of the start: a heading and aligned rows."""
        self.say("", "储备已启动 / Chubei is up", style="bold")
        for label, value in rows:
            self.say(f"  {in_cells(label, TITLE_CELLS)} {value}")
        self.say("")
