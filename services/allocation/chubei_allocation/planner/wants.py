"""What to aim at for a want."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Target:
    """How many people of a want to support and to settle (for a demand: units, 0)."""

    supported: int
    settled: int
