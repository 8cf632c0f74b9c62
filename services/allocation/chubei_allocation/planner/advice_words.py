"""Advice as a duty officer reads it, Chinese and English."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

PEOPLE = ("supported", "settled")
MEASURES = (*PEOPLE, "utility")
_ZH = {"supported": "多救助 {} 人", "settled": "多安置 {} 人"}
_EN = {"supported": "{} more people with basic relief", "settled": "{} more people settled"}
_CHANGE_ZH = {"supported": "救助人数", "settled": "安置人数"}
_CHANGE_EN = {"supported": "the change in basic relief", "settled": "the change in settled"}


@dataclass(frozen=True)
class Gain:
    """More of a measure by a change, ± tolerance: people, or utility. It is claimed only where it is proved."""

    value: float
    tolerance: float
    proved: bool


def proved_in_words(gains: Mapping[str, Gain], points: Mapping[str, int]) -> tuple[str, str]:
    """What is proved, with its tolerance, and where most of it falls. The gain in utility is proved."""
    rows = [(name, gains[name]) for name in PEOPLE if gains[name].proved]
    if not rows:
        more, by = f"{gains['utility'].value:.4f}", f"{gains['utility'].tolerance:.4f}"
        return (
            f"计划更好（效用多 {more} ± {by}），人数的变化在误差之内",
            f"a better plan (utility +{more} ± {by}); the change in people is within the tolerance",
        )
    zh = "约" + "，".join(f"{_ZH[name].format(f'{g.value:,.0f}')}（±{g.tolerance:,.0f}）" for name, g in rows)
    en = "about " + ", ".join(
        f"{_EN[name].format(f'{g.value:,.0f}')} (±{g.tolerance:,.0f})" for name, g in rows
    )
    for name in PEOPLE:
        if not gains[name].proved and gains[name].tolerance > 0:
            zh += f"，{_CHANGE_ZH[name]}的变化在误差之内（±{gains[name].tolerance:,.0f}）"
            en += f", {_CHANGE_EN[name]} within the tolerance (±{gains[name].tolerance:,.0f})"
    if points:
        named = [f"{point} {people:,}" for point, people in points.items()]
        return f"{zh}；主要在 {'、'.join(named)}", f"{en}; most of all at {', '.join(named)}"
    return zh, en


def unproved_in_words(
    gains: Mapping[str, Gain], kept: Mapping[str, int], at_most: float, promising: bool
) -> tuple[str, str]:
    """What is known of a change for which solving again proved nothing."""
    if at_most < 1e-6:
        return "已证明无用", "proven to be of no use"
    if promising:
        return (
            "试算一次有起色，时间不够复算，未证实",
            "one solve looked better, no time was left to confirm it",
        )
    people = max(gains[name].tolerance for name in PEOPLE)
    zh = f"重排的差别在求解误差之内（±{people:,.0f} 人），未证实有用"
    en = f"planned anew, within the planner's tolerance (±{people:,.0f} people): no effect proved"
    rows = [(name, units) for name, units in kept.items() if units > 0]
    if rows:
        zh = f"车次不动也能{'，'.join(_ZH[name].format(f'{n:,}') for name, n in rows)}；{zh}"
        en = f"with the trips as they are, {', '.join(_EN[name].format(f'{n:,}') for name, n in rows)}; {en}"
    return zh, en
