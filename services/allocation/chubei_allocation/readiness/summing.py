"""PURE: what all parts of a check come to: the answer, and the page that goes upward."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Any, Literal, NamedTuple

from chubei_shared.contracts.base import Mode
from chubei_shared.contracts.catalogue import Setting
from chubei_shared.contracts.readiness import (
    Bind,
    ChanceView,
    Day,
    Ending,
    FirstDate,
    ItemDays,
    ItemReserves,
    ItemServed,
    LossView,
    Money,
    Page,
    Ratio,
    StandingView,
    Verdict,
)
from chubei_shared.contracts.readiness_settings import Loss, ReadinessSettings

from chubei_allocation.exercises.rules import YEARLY
from chubei_allocation.plans.reasons import names_of, with_names
from chubei_allocation.readiness import days, draws, inputs, standing
from chubei_allocation.readiness.dates import needed
from chubei_allocation.readiness.inputs import Inputs
from chubei_allocation.readiness.words import why
from chubei_allocation.scenarios import Json

INTERVAL = "95 %, Wilson"
_SCARCEST = 3
_MONEY_DAYS = (30, 90)


class Told(NamedTuple):
    """A part that is over; without an outcome it has an error."""

    kind: str
    standing_id: str
    spec: Json
    outcome: Json | None
    error: str | None


def result(parts: Iterable[Told], read: Inputs, of: ReadinessSettings) -> Json:
    """All of `Readiness` but its run, as JSON."""
    told: dict[str, list[Told]] = defaultdict(list)
    for part in parts:
        told[part.kind].append(part)
    scenarios = _scenarios(read, of)
    names = {item.code: (item.name_zh, item.name_en) for item in read.snapshot.items}
    bases = {part.standing_id: part.outcome for part in told["base"] if part.outcome is not None}
    wholes = {part.standing_id: part.outcome for part in told["whole"]}
    standings = [
        _standing(of, one.id, bases[one.id], wholes.get(one.id), scenarios[one.id], names)
        for one in of.standing
        if one.id in bases
    ]
    lost = _losses(told["loss"], bases, scenarios, names)
    chance = _chance(told["draw"])
    dates = [FirstDate.model_validate(part.outcome) for part in told["date"] if part.outcome is not None]
    day_items, by_day = _days(read, of, names)
    made: dict[str, Any] = {
        "page": _page(read, of, standings, lost, scenarios, names),
        "standing": standings,
        "losses": lost,
        "chance": chance,
        "days": by_day,
        "day_items": day_items,
        "first_dates": dates,
        "endings": _within(read, max(_MONEY_DAYS)),
        "attributions": read.network.district.attributions if read.network.district else [],
    }
    return {key: _json(value) for key, value in made.items()}


def _json(value: Any) -> Any:
    if isinstance(value, list):
        return [_json(row) for row in value]
    return value.model_dump(mode="json") if hasattr(value, "model_dump") else value


def summary(found: Json) -> Json:
    """The few figures of a result that a list shows."""
    dates = [row["on"] for row in found["first_dates"] if row["on"] is not None]
    return {
        "verdict": found["page"]["verdict"],
        "people": found["page"]["people"],
        "served": found["page"]["served"],
        "chance": found["chance"]["share"] if found["chance"] else None,
        "first_date": min(dates, default=None),
    }


def _scenarios(read: Inputs, of: ReadinessSettings) -> dict[str, Json]:
    shifts = {shift.id: shift for shift in of.shifts}
    return {
        one.id: standing.scenario_of(one, shifts[one.shift], read.network, read.snapshot)
        for one in of.standing
    }


def _standing(
    of: ReadinessSettings, name: str, base: Json, whole: Json | None, scenario: Json, items: dict[str, Any]
) -> StandingView:
    one = next(row for row in of.standing if row.id == name)
    reasons = whole or base
    basic = {row["item_code"] for row in base["by_item"]}
    settling = [row for row in whole["by_item"] if row["item_code"] not in basic] if whole else []
    return StandingView(
        id=name,
        name_zh=one.name_zh,
        name_en=one.name_en,
        people=base["people"],
        supported=base["supported"],
        by_hour=base["by_hour"],
        impossible=base["impossible"],
        settled=whole["settled"] if whole else None,
        settled_by_hour=whole["settled_by_hour"] if whole else None,
        settling_impossible=whole["impossible"] if whole else None,
        items=[_item(row, items, 1) for row in base["by_item"]] + [_item(row, items, 2) for row in settling],
        binds=_binds(reasons, scenario),
        binds_zh=reasons["binds_zh"],
        binds_en=reasons["binds_en"],
    )


def _item(row: Json, items: dict[str, Any], tier: Literal[1, 2]) -> ItemServed:
    zh, en = items[row["item_code"]]
    return ItemServed(name_zh=zh, name_en=en, tier=tier, **row)


def _short(outcome: Json, items: dict[str, Any]) -> list[ItemServed]:
    """Items that not all have who need them, the shortest first."""
    rows = [row for row in outcome["by_item"] if row["by_hour"][-1] < row["users"]]
    return [_item(row, items, 1) for row in sorted(rows, key=lambda row: row["by_hour"][-1] / row["users"])]


def _binds(reasons: Json, scenario: Json) -> list[Bind]:
    names = names_of(scenario)
    return [
        Bind(
            kind=row["kind"],
            id=row["id"],
            zh=with_names(row["zh"], names["zh"], row["id"], row["other"]),
            en=with_names(row["en"], names["en"], row["id"], row["other"]),
            people=row["people"],
        )
        for row in reasons["binds"]
    ]


def _losses(
    parts: Iterable[Told], bases: dict[str, Json], scenarios: dict[str, Json], items: dict[str, Any]
) -> list[LossView]:
    """Each loss where it costs most; the worst first."""
    of_loss: dict[str, list[Told]] = defaultdict(list)
    for part in parts:
        if part.outcome is not None and part.standing_id in bases:
            of_loss[part.spec["id"]].append(part)
    views = []
    for name, told in of_loss.items():
        cost = {p.standing_id: _cost(bases[p.standing_id], p.outcome or {}) for p in told}
        worst = max(told, key=lambda part: (cost[part.standing_id], part.standing_id))
        outcome = worst.outcome or {}
        views.append(
            LossView(
                id=name,
                name_zh=worst.spec["name_zh"],
                name_en=worst.spec["name_en"],
                joint=worst.spec["joint"],
                loss=Loss.model_validate(worst.spec["loss"]),
                standing_id=worst.standing_id,
                people=outcome["people"],
                supported=outcome["supported"],
                lost_people=cost[worst.standing_id],
                impossible=outcome["impossible"] or bases[worst.standing_id]["impossible"],
                by_standing={p.standing_id: (p.outcome or {})["supported"] for p in told},
                by_hour=outcome["by_hour"],
                short=_short(outcome, items),
                binds=_binds(outcome, scenarios[worst.standing_id]),
            )
        )
    return sorted(views, key=lambda view: (-view.lost_people, view.id))


def _cost(base: Json, outcome: Json) -> int:
    return max(0, int(base["supported"]) - int(outcome["supported"]))


def _chance(parts: Sequence[Told]) -> ChanceView | None:
    """A draw without an answer is a failure, and not proven to be one."""
    if not parts:
        return None
    outcomes = [part.outcome for part in parts if part.outcome is not None]
    hits = [part for part in parts if part.outcome and part.outcome["supported"] >= part.outcome["people"]]
    impossible = sum(bool(outcome["impossible"]) for outcome in outcomes)
    found = draws.wilson(len(hits), len(parts))
    drawn = Counter(part.standing_id for part in parts)
    hit = Counter(part.standing_id for part in hits)
    served = [outcome["supported"] / outcome["people"] for outcome in outcomes if outcome["people"]]
    return ChanceView(
        draws=len(parts),
        succeeded=len(hits),
        share=found.share,
        low=found.low,
        high=found.high,
        interval=INTERVAL,
        impossible=impossible,
        upper_limit=(len(parts) - impossible) / len(parts),
        mean_served_share=sum(served) / len(parts),
        by_standing={name: hit[name] / count for name, count in sorted(drawn.items())},
        without_answer=len(parts) - len(outcomes),
    )


def _days(read: Inputs, of: ReadinessSettings, names: dict[str, Any]) -> tuple[list[ItemDays], list[Day]]:
    most = max((standing.people_of(one, read.network) for one in of.standing), default=0)
    shares = read.network.district.group_shares if read.network.district else {}
    groups = {name: round(most * share) for name, share in shares.items()}
    known = [want for want in of.consumption if want.item_code in names]
    found = days.balance(known, read.snapshot.supply, read.snapshot.at_points, most, groups)
    items = [
        ItemDays(name_zh=names[row["item_code"]][0], name_en=names[row["item_code"]][1], **row)
        for row in found
    ]
    return items, [Day.model_validate(row) for row in days.supported(found)]


# The page


def _page(
    read: Inputs,
    of: ReadinessSettings,
    standings: list[StandingView],
    lost: list[LossView],
    scenarios: dict[str, Json],
    names: dict[str, Any],
) -> Page:
    worst = min(standings, key=lambda row: (row.supported / row.people, row.id))
    district = read.network.district
    rows = _reserves(read, scenarios, names)
    indoor, outdoor = _places(read)
    scarce = sorted((row for row in rows if row.need), key=lambda row: row.in_time / row.need)
    single = next((view for view in lost if not view.joint), None)
    joint = next((view for view in lost if view.joint), None)
    verdict = _verdict(worst, indoor + outdoor, of)
    agreed = [row for row in read.reserves if row.reserve.mode == Mode.CONTRACT]
    zh, en = why(verdict, worst, indoor + outdoor)
    return Page(
        verdict=verdict,
        why_zh=zh,
        why_en=en,
        people=worst.people,
        residents=district.residents if district else 0,
        served=worst.supported,
        worst_standing=worst.id,
        by_hour=worst.by_hour,
        places_indoor=indoor,
        places_outdoor=outdoor,
        places_candidate=sum(row.capacity for row in read.network.shelters) - indoor - outdoor,
        items=rows,
        scarcest=[row.item_code for row in scarce[:_SCARCEST]],
        worst_single=single,
        worst_joint=joint,
        money=[_money(read, within) for within in _MONEY_DAYS],
        stocktake_lines=inputs.stocktake_lines(read),
        agreements_verified=Ratio(part=sum(bool(row.firm) for row in agreed), of=len(agreed)),
        drills=read.drills,
        exercises=read.exercises,
        exercises_due=YEARLY,
        figures=dict(_provenances(read)),
        data_at=read.taken_at,
        oldest_stocktake=inputs.age_of_stocktakes(read),
    )


def _verdict(worst: StandingView, places: int, of: ReadinessSettings) -> Verdict:
    """By the worst standing scenario and by places to settle people: both halves of the duty."""
    share = min(worst.supported, places) / worst.people
    if share >= of.targets.able_share:
        return Verdict.ABLE
    return Verdict.NEARLY if share >= of.targets.nearly_share else Verdict.UNABLE


def _places(read: Inputs) -> tuple[int, int]:
    """Places in the registered shelters, indoors and outdoors; where it is not said, as each one's kit is for."""
    settings = {kit.id: kit.setting for kit in read.snapshot.kits}
    indoor = outdoor = 0
    for shelter in standing.registered(read.network):
        roof = shelter.indoor
        if roof is None:
            roof = settings.get(shelter.kit_id, Setting.ANY) is not Setting.OUTDOOR
        indoor += shelter.capacity if roof else 0
        outdoor += 0 if roof else shelter.capacity
    return indoor, outdoor


def _reserves(read: Inputs, scenarios: dict[str, Json], names: dict[str, Any]) -> list[ItemReserves]:
    need: dict[str, int] = defaultdict(int)
    for scenario in scenarios.values():
        for code, units in needed(scenario).items():
            need[code] = max(need[code], units)
    deadline = read.network.district.deadline_min if read.network.district else 0
    apart = {row.item_code: row for row in read.apart}
    rows = []
    for code in sorted(need):
        own = [row for row in read.snapshot.supply if row.item_code == code]
        by_mode = {mode: sum(row.quantity for row in own if row.mode is mode) for mode in Mode}
        agreed = [
            row for row in read.reserves
            if row.reserve.item_code == code and row.reserve.mode == Mode.CONTRACT and row.usable
        ]  # fmt: skip
        others = apart.get(code)
        rows.append(
            ItemReserves(
                item_code=code,
                name_zh=names[code][0],
                name_en=names[code][1],
                need=need[code],
                physical=by_mode[Mode.PHYSICAL],
                contract_verified=by_mode[Mode.CONTRACT],
                contract_unverified=sum(max(0, row.available - row.firm) for row in agreed),
                capacity=by_mode[Mode.CAPACITY],
                fund=by_mode[Mode.FUND],
                social=others.social if others else 0,
                household=others.household if others else 0,
                donated=others.donated if others else 0,
                in_time=sum(days.units_by(row, deadline) for row in own),
            )
        )
    return rows


def _within(read: Inputs, days_ahead: int) -> list[Ending]:
    return [row for row in read.endings if row.on <= read.on + timedelta(days=days_ahead)]


def _money(read: Inputs, days_ahead: int) -> Money:
    soon = _within(read, days_ahead)
    lots = [row for row in soon if row.why == "expiry"]
    contracts = [row for row in soon if row.why == "contract_end"]
    return Money(
        within_days=days_ahead,
        lots=len(lots),
        lots_fen=_sum_fen(lots),
        contracts=len(contracts),
        contracts_fen=_sum_fen(contracts),
        tests=sum(row.why == "test" for row in soon),
        verifications=sum(row.why == "verification" for row in soon),
        unpriced=sum(row.price_fen is None for row in (*lots, *contracts)),
    )


def _sum_fen(rows: Iterable[Ending]) -> int:
    return sum((row.price_fen or 0) * row.units for row in rows)


def _provenances(read: Inputs) -> Counter[str]:
    """How many records behind the figures are verified, estimated, invented."""
    of = read.network
    known: list[Any] = [
        *of.subdistricts,
        *of.shelters,
        *of.loading_sites,
        *of.vehicle_types,
        *read.snapshot.items,
    ]
    records = [*known, *read.snapshot.kits, *(row.reserve for row in read.reserves)]
    if of.district:
        records.append(of.district)
    return Counter(record.provenance.certainty.value for record in records)
