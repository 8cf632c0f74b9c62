"""What of a reserve may be counted on, without I/O: from what was promised and what was measured.

- Nothing that has not been verified within a year is firm: a supplier's quantity counts when it is verified (a
  rule of this house), and a year is how often stores drill (DB11/T 2010-2022, chapter 6).
- What was measured lowers what counts, and never raises it. A measurement is a visit's count, a timed drill, or a
  call-off that came to its end. *Firm* is the worst share of the last three: if nothing has changed between
  them, the next one is no worse than the worst of n with a chance of n in n + 1 (the rank of the newest of
  n + 1 exchangeable draws), so three out of four times; no distribution has to be guessed. *Likely* is
  their ratio of sums, the usual estimate of a share from trials of different size.
- Lateness adds to the agreed time in the same way: the worst delay of the three.
- More than three would let old failures weigh for ever; three good ones win trust back.
"""

from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import NamedTuple

from chubei_shared.contracts.reserves import Rule

VERIFIED_FOR = timedelta(days=365)
LAST = 3


class Observation(NamedTuple):
    """One measurement: units that were promised (more than 0) and found, and how much later than promised."""

    promised: int
    measured: int
    delay_min: int = 0


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is known about one reserve. `lost` are units that were called off and do not come, beside those held."""

    verified_on: date | None = None
    observations: list[Observation] = field(default_factory=list)
    """The newest first."""
    lost: int = 0


@dataclass(frozen=True, slots=True)
class Firmness:
    """What counts of the agreed units, and by how much the agreed time is lengthened."""

    rule: Rule
    firm: int
    likely: int
    delay_min: int = 0


def judge(agreed: int, known: Evidence, on: date) -> Firmness:
    """What counts on a day of so many agreed units."""
    last, verified_on = known.observations[:LAST], known.verified_on
    worst = min((_part(agreed, seen.measured, seen.promised) for seen in last), default=agreed)
    found, promised = sum(min(seen.measured, seen.promised) for seen in last), sum(s.promised for s in last)
    likely = _part(agreed, found, promised) if last else agreed
    delay_min = max((seen.delay_min for seen in last), default=0)
    delay_min = max(0, delay_min)
    if verified_on is None or verified_on < on - VERIFIED_FOR:
        known_of = bool(last) or verified_on is not None
        return Firmness(Rule.UNVERIFIED, 0, likely if known_of else 0, delay_min)
    return Firmness(Rule.MEASURED if last else Rule.VERIFIED, worst, likely, delay_min)


def _part(units: int, measured: int, promised: int) -> int:
    """The measured share of `units`, in whole units; more than was promised is not counted."""
    return units * min(measured, promised) // promised


def ready_by(minute: int, quantity: int, ready_min: int, rate_per_hour: int | None) -> int:
    """Units of a reserve that exist by a minute: all at once, or at a rate from `ready_min` on."""
    if minute < ready_min:
        return 0
    if rate_per_hour is None:
        return quantity
    return min(quantity, (minute - ready_min) * rate_per_hour // 60)
