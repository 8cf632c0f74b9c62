"""People served by hour, as bars that any terminal shows."""

from collections.abc import Iterable

_CELLS = 40


def hour_bars(people: int, served_by_hour: Iterable[tuple[int, int]]) -> list[str]:
    """A line for each (hour, people served by its end)."""
    return [
        f"  {hour:>3} h {'█' * (round(_CELLS * served / people) if people else 0):<{_CELLS}} {served:>9,}"
        for hour, served in served_by_hour
    ]
