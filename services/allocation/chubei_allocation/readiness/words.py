"""PURE: the sentences of readiness, Chinese and English."""

from chubei_shared.contracts.readiness import StandingView, Verdict

VERDICTS = {
    Verdict.ABLE: ("能保障", "able"),
    Verdict.NEARLY: ("基本能保障", "nearly able"),
    Verdict.UNABLE: ("不能保障", "unable"),
}
ENDS = {
    "expiry": ("批次到期", "a lot expires"),
    "test": ("检验到期未做", "a test falls due"),
    "contract_end": ("协议到期", "an agreement ends"),
    "verification": ("核实满一年", "not verified for a year"),
}


def why(verdict: Verdict, worst: StandingView, places: int) -> tuple[str, str]:
    """The verdict and its reason, in one sentence."""
    zh, en = VERDICTS[verdict]
    hours = len(worst.by_hour)
    told_zh = (
        f"{zh}:最不利情形({worst.name_zh}){hours} 小时内可基本救助 {worst.supported:,}/{worst.people:,} 人"
    )
    told_en = (
        f"{en.capitalize()}: in the worst standing scenario ({worst.name_en}) {worst.supported:,} of {worst.people:,} "
        f"people get basic relief within {hours} hours"
    )
    if places < worst.people:
        return (
            f"{told_zh},安置容量只有 {places:,} 人",
            f"{told_en}, and there are places to settle {places:,} only",
        )
    if worst.supported < worst.people:
        items = [row for row in worst.items if row.tier == 1 and row.users > row.by_hour[-1]]
        if items:
            least = min(items, key=lambda row: row.by_hour[-1] / row.users)
            return (
                f"{told_zh},最缺{least.name_zh}(够 {least.by_hour[-1]:,}/{least.users:,} 人)",
                f"{told_en}; {least.name_en} is shortest (enough for {least.by_hour[-1]:,} of {least.users:,})",
            )
        return f"{told_zh},限于装卸与运输", f"{told_en}, held up by loading and transport"
    return f"{told_zh},安置容量 {places:,} 人", f"{told_en}, with places to settle {places:,}"
