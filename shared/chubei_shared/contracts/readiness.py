"""Whether the duty can be kept: 1 % of the residents within 12 hours, as proved each night (owned by allocation)."""

from datetime import date
from enum import StrEnum
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from chubei_shared.contracts.base import Dto, Mode, Utc
from chubei_shared.contracts.readiness_settings import Loss


class Verdict(StrEnum):
    ABLE = "able"
    """能保障: in every standing scenario everybody gets basic relief in time."""
    NEARLY = "nearly"
    """基本能保障."""
    UNABLE = "unable"
    """不能保障."""


class RunRequest(Dto):
    """Ask for a check now. The id is minted by the client: the same again is the same check."""

    id: UUID
    draws: Annotated[int, Field(strict=True, ge=0, le=100_000)] | None = None
    """Draws of what may go otherwise; as set for the nights where not given."""


class Progress(Dto):
    done: int
    total: int
    """What is known to be done so far; it grows once, when the base plans are there."""


class RunView(Dto):
    """One check. The night's own is the one of that night, however often it is asked for."""

    id: UUID
    night: date
    """In China."""
    reason: Literal["nightly", "asked", "changed"]
    asked_by: str
    status: Literal["queued", "running", "done", "failed"]
    created_at: Utc
    finished_at: Utc | None
    progress: Progress
    error: str | None
    verdict: Verdict | None
    people: int | None
    served: int | None
    """In time, in the worst standing scenario."""
    chance: float | None
    first_date: date | None


class RunPage(Dto):
    rows: list[RunView]
    next_cursor: str | None = None


class Bind(Dto):
    kind: str
    id: str
    zh: str
    en: str
    people: int


class ItemServed(Dto):
    """Of those who need an item, how many can have it by hours 2, 4, 6, 10 and 12."""

    item_code: str
    name_zh: str
    name_en: str
    users: int
    by_hour: list[int]
    tier: Literal[1, 2] = 1
    """1: basic relief, the duty of 12 hours, by its own plan; 2: to be settled, by the plan for the whole kit."""


class StandingView(Dto):
    """One standing scenario. Basic relief is planned by itself: the duty of 12 hours; `settled` is the whole kit's."""

    id: str
    name_zh: str
    name_en: str
    people: int
    supported: int
    by_hour: list[int]
    """By the end of hours 1, 2, … to the deadline."""
    impossible: bool
    """It is proven that not everybody can be supported in time."""
    settled: int | None
    """Settled too (beds, tents, latrines), by the plan for the whole kit; None where there was none."""
    settled_by_hour: list[int] | None = None
    settling_impossible: bool | None
    items: list[ItemServed]
    binds: list[Bind]
    """What binds in the plan for the whole kit, as basic relief comes first in it."""
    binds_zh: str
    binds_en: str


class LossView(Dto):
    """What a loss costs, in the standing scenario where it costs most."""

    id: str
    name_zh: str
    name_en: str
    joint: bool
    loss: Loss
    standing_id: str
    people: int
    supported: int
    lost_people: int
    """Fewer than without the loss."""
    impossible: bool
    """It is proven that not everybody can be supported without it."""
    by_standing: dict[str, int]
    """People supported in each."""
    by_hour: list[int] = Field(default_factory=list)
    """By the end of hours 1, 2, … by the plan found: one that serves as many as without the loss is not bettered."""
    short: list[ItemServed] = Field(default_factory=list)
    """Items that not all have who need them."""
    binds: list[Bind] = Field(default_factory=list)
    """What binds then."""


class ChanceView(Dto):
    """What many draws say. A draw counts as a success only by a plan that the checker accepts."""

    draws: int
    succeeded: int
    share: float
    low: float
    high: float
    interval: str
    impossible: int
    """Draws of which it is proven that not everybody can be supported."""
    upper_limit: float
    """Share of the draws that are not proven impossible: no planner can reach more."""
    mean_served_share: float
    """By the plans found; one of a draw proven impossible is not bettered, so it is at least so much."""
    by_standing: dict[str, float]
    without_answer: int
    """Draws that no plan came of; they count as failures."""


class DayItem(Dto):
    day: int
    had: int
    """Units there at the beginning of the day."""
    came: dict[Mode, int]
    """Units that have come by then since the order, by mode."""
    users: int
    people: int


class ItemDays(Dto):
    item_code: str
    name_zh: str
    name_en: str
    group: str | None
    users: int
    days: list[DayItem]


class Day(Dto):
    day: int
    people: int
    item_code: str
    """The item that allows no more."""


class Ending(Dto):
    """Units that stop counting from a day on, if nobody does anything."""

    on: date
    """The first day without them."""
    why: Literal["expiry", "test", "contract_end", "verification"]
    place_id: str
    item_code: str
    mode: Mode
    units: int
    of: str
    """The lot's id or the reserve's."""
    name: str
    """The lot's number or the reserve's id."""
    price_fen: int | None
    """Of a unit."""


class Mend(Dto):
    """What keeps the duty on that date; shown by a plan that the checker accepts."""

    zh: str
    en: str
    units: int
    cost_fen: int | None
    """None: something of it has no price in the books."""


class FirstDate(Dto):
    """The first day within a year on which the duty is not kept, in one standing scenario."""

    standing_id: str
    on: date | None
    """None: it is kept through all changes of the year that are known."""
    proven: bool
    """It is proven that no plan keeps it on that day; else none was found."""
    because: list[Ending]
    """What ends on that day."""
    mend: Mend | None
    days_checked: int


class ItemReserves(Dto):
    """What there is of an item for the duty, in units."""

    item_code: str
    name_zh: str
    name_en: str
    need: int
    """In the standing scenario that needs most."""
    physical: int
    contract_verified: int
    contract_unverified: int
    """Agreed and not counted: nobody has verified it within a year, or it was measured lower."""
    capacity: int
    """Below the line: lines do not help within 12 hours."""
    fund: int
    social: int
    household: int
    donated: int
    in_time: int
    """Physical and verified contract units, and others, that can be loaded before the deadline."""


class Money(Dto):
    """What ends within so many days, and what it costs to have it again."""

    within_days: int
    lots: int
    lots_fen: int
    contracts: int
    contracts_fen: int
    """What the ending contracts promise, at their prices: their renewal need not cost it."""
    tests: int
    verifications: int
    unpriced: int
    """Endings without a price in the books, left out of the sums."""


class Ratio(Dto):
    part: int
    of: int


class Page(Dto):
    """What goes upward (日报)."""

    verdict: Verdict
    why_zh: str
    why_en: str
    people: int
    residents: int
    served: int
    worst_standing: str
    by_hour: list[int]
    places_indoor: int
    places_outdoor: int
    places_candidate: int
    """In shelters that somebody has to open: beside the others, and not counted for the verdict."""
    items: list[ItemReserves]
    scarcest: list[str]
    """The three items that cover least of their need in time."""
    worst_single: LossView | None
    worst_joint: LossView | None
    money: list[Money]
    stocktake_lines: Ratio
    """Lines counted right, of those counted within a year."""
    agreements_verified: Ratio
    drills: int
    """Timed call-offs within a year."""
    exercises: int
    """Concluded within a year."""
    exercises_due: int = 1
    """In a year."""
    figures: dict[str, int]
    """How many of the figures behind this are verified, estimated, invented."""
    data_at: Utc
    oldest_stocktake: date | None


class Readiness(Dto):
    """All that a check found."""

    run: RunView
    page: Page
    standing: list[StandingView]
    losses: list[LossView]
    chance: ChanceView | None
    days: list[Day]
    day_items: list[ItemDays]
    first_dates: list[FirstDate]
    endings: list[Ending]
    """Within 90 days."""
    attributions: list[str]


class Current(Dto):
    """The newest finished check, the one that is under way, and the one that failed since."""

    latest: Readiness | None
    under_way: RunView | None
    failed: RunView | None = None
    """The newest of all that are over, where it did not come to a result: its `error` says why."""


class Alarm(Dto):
    id: UUID
    kind: Literal["below_target", "date_near", "no_result"]
    night: date
    zh: str
    en: str
    raised_at: Utc


class AlarmPage(Dto):
    rows: list[Alarm]
    next_cursor: str | None = None
