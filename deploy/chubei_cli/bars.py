"""What the command and the demo show alike: the phases of a solve, and people served by hour as bars."""

from collections.abc import Iterable

PHASES = {"construct": "初排 / build", "improve": "改进 / improve", "done": "完成 / done"}
"""What the planner is at, in words."""
_CELLS = 40


def hour_bars(people: int, served_by_hour: Iterable[tuple[int, int]]) -> list[str]:
    """A line for each (hour, people served by its end)."""
    return [
        f"  {hour:>3} h {'█' * (round(_CELLS * served / people) if people else 0):<{_CELLS}} {served:>9,}"
        for hour, served in served_by_hour
    ]
