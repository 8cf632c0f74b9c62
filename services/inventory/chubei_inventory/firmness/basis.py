"""From what a quantity of a supply row follows, without I/O: its rule, its numbers, and the same in words."""

from dataclasses import dataclass
from datetime import date

from chubei_shared.contracts.reserves import Basis, Rule

from chubei_inventory.firmness.rules import LAST, VERIFIED_FOR, Evidence, judge


@dataclass(frozen=True, slots=True)
class Standing:
    """What is free of a reserve: firm, likely, and by which minute after an order."""

    basis: Basis
    firm: int
    likely: int
    ready_min: int
    rate_per_hour: int | None


def standing(
    quantity: int, ready_min: int, rate_per_hour: int | None, held: int, used: int, known: Evidence, on: date
) -> Standing:
    """Where a reserve stands on a day. What is taken is taken from what counts first."""
    found = judge(quantity, known, on)
    taken = held + used + known.lost
    zh, en = _words(quantity, found.firm, found.rule, known, found.delay_min)
    taken_zh, taken_en = _taken(held, used, known.lost)
    return Standing(
        basis=Basis(
            rule=found.rule, zh=zh + taken_zh, en=en + taken_en, agreed=quantity, firm=found.firm,
            likely=found.likely, held=held, used=used, lost=known.lost, delay_min=found.delay_min,
            verified_on=known.verified_on,
        ),
        firm=max(0, found.firm - taken),
        likely=max(0, found.likely - taken),
        ready_min=ready_min + found.delay_min,
        # a line that made less than was promised makes it more slowly
        rate_per_hour=rate_per_hour and max(1, rate_per_hour * found.firm // quantity),
    )  # fmt: skip


def on_shelf(on_hand: int, held: int, lots: int) -> Basis:
    """The basis of what lies in a store."""
    taken_zh, taken_en = (
        (f";其中已预留或待核 {held}", f"; of it {held} held or in dispute") if held else ("", "")
    )
    return Basis(
        rule=Rule.ON_SHELF,
        zh=f"账上可用批次 {lots} 个,共 {on_hand}{taken_zh}",
        en=f"{on_hand} on hand in {lots} usable lots{taken_en}",
        agreed=on_hand, firm=on_hand, likely=on_hand, held=held, used=0, lost=0, delay_min=0, verified_on=None,
    )  # fmt: skip


def _words(agreed: int, firm: int, rule: Rule, known: Evidence, delay_min: int) -> tuple[str, str]:
    if rule is Rule.UNVERIFIED:
        since = known.verified_on
        zh = f"上次核实 {since},超过 {VERIFIED_FOR.days} 天" if since else "从未核实"
        en = f"last verified {since}, over {VERIFIED_FOR.days} days ago" if since else "never verified"
        return f"约定 {agreed},{zh},不计入;请先核实", f"{agreed} agreed, {en}: none counts; verify it first"
    if rule is Rule.VERIFIED:
        return (
            f"约定 {agreed},{known.verified_on} 核实,全部计入",
            f"{agreed} agreed, verified {known.verified_on}: all of it counts",
        )
    shares = ", ".join(f"{seen.measured}/{seen.promised}" for seen in known.observations[:LAST])
    late_zh = f",时限按最迟一次加 {delay_min} 分钟" if delay_min else ""
    late_en = f", {delay_min} min later, as the latest of them" if delay_min else ""
    return (
        f"约定 {agreed},近 {LAST} 次内实测 {shares},按最差一次计入 {firm}{late_zh}",
        f"{agreed} agreed, measured {shares}: {firm} count, by the worst of the last {LAST}{late_en}",
    )


def _taken(held: int, used: int, lost: int) -> tuple[str, str]:
    """What is taken off, as far as there is any."""
    parts = [
        ("已预留", "held", held),
        ("已用", "used", used),
        ("调用未获确认或超价", "called off and not confirmed, or dearer", lost),
    ]
    told = [(f"{zh} {units}", f"{units} {en}") for zh, en, units in parts if units]
    zh, en = "、".join(zh for zh, _ in told), ", ".join(en for _, en in told)
    return (f";其中{zh}", f"; of it {en}") if told else ("", "")
