"""What serving a share of a point's people is worth: the policies a scenario may choose from.

A policy is a value, and a new one is a new line in `POLICIES`: the files' reader accepts its name, and search
and bound read its pieces from here. Only the independent checker (figures.py) states each policy again by
itself, as it must; what a policy means to people stands in PLANNING.md.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise


@dataclass(frozen=True)
class Policy:
    """u(r), the worth of serving the share r of a point's people: u(0) = 0, u(1) = 1, concave.

    `pieces` are ((up to this share, worth per share), …): shares ascend to 1, slopes do not rise. A bound may
    therefore take one column for each piece, without saying in which order they fill.
    """

    name: str
    pieces: tuple[tuple[float, float], ...]

    def __post_init__(self) -> None:
        shares = [0.0, *(upto for upto, _ in self.pieces)]
        slopes = [slope for _, slope in self.pieces]
        if shares[-1] != 1.0 or any(a >= b for a, b in pairwise(shares)):
            raise ValueError(f"policy {self.name}: shares must ascend to 1")
        if slopes[-1] < 0 or any(a < b for a, b in pairwise(slopes)):
            raise ValueError(f"policy {self.name}: u must be concave and must not fall")
        if abs(self.utility(1.0) - 1.0) > 1e-12:
            raise ValueError(f"policy {self.name}: full service must be worth 1")

    def utility(self, ratio: float) -> float:
        """u(ratio) for a share from 0 to 1."""
        worth = begin = 0.0
        for upto, slope in self.pieces:
            if ratio <= upto:
                return worth + slope * (ratio - begin)
            worth += slope * (upto - begin)
            begin = upto
        return worth


FAIR = Policy(
    "fair", ((0.5, 1.5), (1.0, 0.5))
)  # the first half of every point is worth three times the second
TOTAL = Policy("total", ((1.0, 1.0),))  # a person counts the same wherever he or she is
POLICIES = {policy.name: policy for policy in (FAIR, TOTAL)}
