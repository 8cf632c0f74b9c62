"""PURE: to which phase the minutes between two reports of a trip belong, and what is owed for whose goods."""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from chubei_shared.contracts.aftermath import Compensation, Phase, PhaseMinutes
from chubei_shared.contracts.base import Mode
from chubei_shared.contracts.holds import HeldLine
from chubei_shared.contracts.orders import StepKind, Stop
from chubei_shared.contracts.reserves import PriceRule, ReserveView

_S = StepKind
PHASE_OF: dict[tuple[StepKind | None, StepKind], Phase] = {
    (None, _S.ARRIVED): Phase.WAITING,
    (None, _S.PICKED): Phase.PICKING,
    (_S.ARRIVED, _S.PICKED): Phase.PICKING,
    (_S.PICKED, _S.LOADED): Phase.LOADING,
    (_S.LOADED, _S.TAKEN_OVER): Phase.WAITING,
    (_S.LOADED, _S.DEPARTED): Phase.WAITING,
    (_S.TAKEN_OVER, _S.DEPARTED): Phase.WAITING,
    (_S.DEPARTED, _S.ARRIVED): Phase.DRIVING,
    (_S.DEPARTED, _S.PICKED): Phase.DRIVING,  # nobody reported its arrival
    (_S.ARRIVED, _S.RECEIVED): Phase.UNLOADING,
    (_S.RECEIVED, _S.DEPARTED): Phase.WAITING,
}
"""From the report before (None: the trip's beginning) to the next one; `dispatch.moves` allows no other pairs."""
WORDS: dict[Phase, tuple[str, str]] = {
    Phase.DECIDING: ("判断、宣布", "until it was declared"),
    Phase.CALLING: ("召集人员", "calling people"),
    Phase.PLANNING: ("制定方案", "planning"),
    Phase.APPROVING: ("审批", "approving"),
    Phase.PICKING: ("拣货", "picking"),
    Phase.LOADING: ("装车", "loading"),
    Phase.DRIVING: ("在途", "driving"),
    Phase.WAITING: ("等待", "waiting"),
    Phase.UNLOADING: ("卸货", "unloading"),
}
_PRICED: dict[PriceRule, tuple[str, str]] = {
    PriceRule.FIXED: ("按协议固定价", "at the agreed price"),
    PriceRule.CAPPED: ("按最高限价,为上限", "at the agreed ceiling: at most"),
    PriceRule.MARKET: ("按估计市场价,以实际为准", "at the estimated market price: to be settled"),
}
_TO_AGREE = ("无价可依,须商定或评估", "no price on record: to be agreed or appraised")


class Told(NamedTuple):
    """A step that was done, at a minute of the incident."""

    stop: int
    kind: StepKind
    minute: int


class Stretch(NamedTuple):
    phase: Phase
    minutes: int
    planned: int | None = None


def stretches(stops: Sequence[Stop], told: Sequence[Told], begin_min: int) -> list[Stretch]:
    """Where a trip's minutes went. What an unloading took beyond its planned minutes was waiting for a bay."""
    found: list[Stretch] = []
    before: StepKind | None = None
    at = begin_min
    for step in told:
        phase = PHASE_OF[before, step.kind]
        minutes = max(0, step.minute - at)
        stop = stops[step.stop]
        lasts = stop.end_min - stop.start_min
        if phase is Phase.UNLOADING:
            found += [
                Stretch(phase, min(minutes, lasts), lasts),
                Stretch(Phase.WAITING, max(0, minutes - lasts)),
            ]
        else:
            found.append(Stretch(phase, minutes, _planned(phase, stops, step, lasts)))
        before, at = step.kind, max(at, step.minute)
    return found


def _planned(phase: Phase, stops: Sequence[Stop], step: Told, lasts: int) -> int | None:
    if phase is Phase.LOADING:
        return lasts
    if phase is Phase.DRIVING and step.stop:
        stop = stops[step.stop]  # nobody reports the arrival at a further source: until it is picked there
        until = stop.arrive_min if step.kind is StepKind.ARRIVED else stop.start_min
        return until - stops[step.stop - 1].end_min
    return None


def phases(found: Iterable[Stretch]) -> list[PhaseMinutes]:
    """Summed, in the order in which an incident goes through them; those that took no time at all are there too."""
    by_phase: dict[Phase, list[Stretch]] = {phase: [] for phase in Phase}
    for stretch in found:
        by_phase[stretch.phase].append(stretch)
    return [
        PhaseMinutes(
            phase=phase,
            zh=WORDS[phase][0],
            en=WORDS[phase][1],
            minutes=sum(one.minutes for one in rows),
            times=sum(bool(one.minutes) for one in rows),
            longest=max((one.minutes for one in rows), default=0),
            planned=_sum_planned(rows),
        )
        for phase, rows in by_phase.items()
    ]


def _sum_planned(rows: Sequence[Stretch]) -> int | None:
    planned = [one.planned for one in rows if one.planned is not None]
    return sum(planned) if planned else None


def owed(
    lines: Iterable[HeldLine], reserves: Sequence[ReserveView], names: Mapping[str, tuple[str, str]]
) -> list[Compensation]:
    """What was issued and was not the state's own: called off from a reserve, or a lot with its owner's consent."""
    by_id = {view.reserve.id: view for view in reserves}
    by_row: dict[tuple[str, str, Mode], ReserveView] = {
        (v.reserve.place_id, v.reserve.item_code, v.reserve.mode): v for v in reserves
    }
    units: dict[tuple[str, str, Mode, str | None, str], int] = {}
    for line in lines:
        if line.issued and (line.mode is not Mode.PHYSICAL or line.consent):
            row = by_row.get((line.place_id, line.item_code, line.mode))
            reserve_id = line.reserve_id or (row.reserve.id if row else None)
            key = (line.place_id, line.item_code, line.mode, reserve_id, line.consent)
            units[key] = units.get(key, 0) + line.issued
    return [
        _compensation(*key, number, by_id.get(key[3] or ""), names)
        for key, number in sorted(units.items(), key=str)
    ]


def _compensation(
    place_id: str,
    item_code: str,
    mode: Mode,
    reserve_id: str | None,
    consent: str,
    units: int,
    view: ReserveView | None,
    names: Mapping[str, tuple[str, str]],
) -> Compensation:
    reserve = view.reserve if view else None
    zh, en = _PRICED[reserve.price_rule] if reserve else _TO_AGREE
    return Compensation(
        source=None if mode is Mode.PHYSICAL else mode,
        party=reserve.party if reserve else consent,
        reserve_id=reserve_id,
        place_id=place_id,
        item_code=item_code,
        name_zh=names.get(item_code, (item_code, item_code))[0],
        name_en=names.get(item_code, (item_code, item_code))[1],
        units=units,
        price_rule=reserve.price_rule if reserve else None,
        unit_price_fen=reserve.unit_price_fen if reserve else None,
        amount_fen=units * reserve.unit_price_fen if reserve else None,
        zh=zh,
        en=en,
    )
