"""PURE: the newest check as Prometheus metrics: whatever the page that goes upward says in figures."""

from collections.abc import Callable
from datetime import datetime, time

from chubei_shared.china import CHINA
from chubei_shared.contracts.readiness import Current, Page, Readiness, Verdict
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Gauge, generate_latest

CONTENT_TYPE = CONTENT_TYPE_LATEST
_RANK = {Verdict.UNABLE: 0, Verdict.NEARLY: 1, Verdict.ABLE: 2}
_UNITS = (
    "need", "in_time", "physical", "contract_verified", "contract_unverified", "capacity", "fund", "social",
    "household", "donated",
)  # fmt: skip
_ENDING = ("lots", "contracts", "tests", "verifications", "unpriced")
_NewGauge = Callable[..., Gauge]


def text(found: Current) -> str:
    """Nothing but the names where no check was finished yet: a rule on absence finds that."""
    registry = CollectorRegistry()

    def gauge(name: str, about: str, *labels: str) -> Gauge:
        return Gauge(f"chubei_readiness_{name}", about, labels, registry=registry)

    gauge("under_way", "1 while a check is being made").set(found.under_way is not None)
    verdict = gauge("verdict", "2 able, 1 nearly, 0 unable")
    finished = gauge("finished_timestamp_seconds", "When the newest check was finished")
    if (latest := found.latest) is not None:
        verdict.set(_RANK[latest.page.verdict])
        if latest.run.finished_at:
            finished.set(latest.run.finished_at.timestamp())
        _served(gauge, latest)
        _lost(gauge, latest)
        _dates(gauge, latest)
        _reserves(gauge, latest.page)
        _data(gauge, latest.page)
    return generate_latest(registry).decode()


def _served(gauge: _NewGauge, latest: Readiness) -> None:
    people = gauge("people", "People of the duty", "standing")
    served = gauge("served_people", "People served by the deadline", "standing")
    settled = gauge("settled_people", "People settled too by the deadline", "standing")
    hours = gauge("served_by_hour_people", "People served by the end of an hour", "standing", "hour")
    for row in latest.standing:
        people.labels(row.id).set(row.people)
        served.labels(row.id).set(row.supported)
        if row.settled is not None:
            settled.labels(row.id).set(row.settled)
        for hour, count in enumerate(row.by_hour, start=1):
            hours.labels(row.id, hour).set(count)
    chance = gauge("chance", "Chance that everybody is served in time", "bound")
    if latest.chance:
        for bound in ("share", "low", "high", "upper_limit"):
            chance.labels(bound).set(getattr(latest.chance, bound))
    later = gauge("later_day_people", "People who have what they use up on days 2 to 7", "day")
    for day in latest.days:
        later.labels(day.day).set(day.people)


def _lost(gauge: _NewGauge, latest: Readiness) -> None:
    worst_loss = gauge("worst_loss_people", "People that the worst loss leaves unserved", "kind")
    for kind, worst in (("single", latest.page.worst_single), ("joint", latest.page.worst_joint)):
        if worst:
            worst_loss.labels(kind).set(worst.lost_people)
    each = gauge("loss_people", "People that a loss leaves unserved where it costs most", "loss")
    for row in latest.losses:
        each.labels(row.id).set(row.lost_people)


def _dates(gauge: _NewGauge, latest: Readiness) -> None:
    first = gauge("first_date_timestamp_seconds", "First day on which the duty is not kept", "standing")
    for row in latest.first_dates:
        if row.on:
            first.labels(row.standing_id).set(datetime.combine(row.on, time(), CHINA).timestamp())
    ending = gauge("ending", "What ends within so many days", "what", "within_days")
    money = gauge("ending_yuan", "Money to have again what ends", "what", "within_days")
    for soon in latest.page.money:
        for what in _ENDING:
            ending.labels(what, soon.within_days).set(getattr(soon, what))
        money.labels("lots", soon.within_days).set(soon.lots_fen / 100)
        money.labels("contracts", soon.within_days).set(soon.contracts_fen / 100)


def _reserves(gauge: _NewGauge, page: Page) -> None:
    units = gauge("item_units", "Units of an item: its need, and what there is", "item", "of")
    for row in page.items:
        for of in _UNITS:
            units.labels(row.item_code, of).set(getattr(row, of))
    places = gauge("places", "Places to settle people", "kind")
    for kind in ("indoor", "outdoor", "candidate"):
        places.labels(kind).set(getattr(page, f"places_{kind}"))


def _data(gauge: _NewGauge, page: Page) -> None:
    gauge("data_timestamp_seconds", "When the data of the newest check was read").set(
        page.data_at.timestamp()
    )
    counted = gauge("stocktake_lines", "Lines of stocktakes within a year", "counted")
    counted.labels("right").set(page.stocktake_lines.part)
    counted.labels("all").set(page.stocktake_lines.of)
    agreed = gauge("agreements", "Agreements", "which")
    agreed.labels("verified").set(page.agreements_verified.part)
    agreed.labels("all").set(page.agreements_verified.of)
    done = gauge("drills", "Timed call-offs and exercises within a year", "kind")
    done.labels("drill").set(page.drills)
    done.labels("exercise").set(page.exercises)
    figures = gauge("figures", "Records behind the figures", "certainty")
    for certainty, count in page.figures.items():
        figures.labels(certainty).set(count)
