"""PURE: what the system writes into a draft before a person does. Chinese, and the summary in English too."""

from collections.abc import Mapping

from chubei_shared.china import CHINA, local
from chubei_shared.contracts.reports import CityRequest, Facts, ReportKind, RequestLine, Told

KINDS = {
    ReportKind.FIRST: ("突发事件速报", "First report"),
    ReportKind.HOURLY: ("救助物资整点报", "Hourly report of relief goods"),
    ReportKind.CITY_REQUEST: ("应急物资需求报告单", "Request for the city's goods"),
}
DISASTERS = {
    "earthquake": ("地震", "earthquake"),
    "flood": ("内涝", "flood"),
    "storm": ("大风强对流", "storm"),
    "snow": ("雪灾", "snow"),
    "fire": ("火灾", "fire"),
    "other": ("其他", "other"),
}
_LEVELS = ("", "I", "II", "III", "IV")
_TO = {
    ReportKind.FIRST: ("区委区政府、市应急管理局", ["区应急指挥部成员单位"]),
    ReportKind.HOURLY: ("区应急指挥部", []),
    ReportKind.CITY_REQUEST: (
        "市应急管理局",
        ["市粮食和物资储备局", "市财政局"],
    ),  # rules.md B4: copied to Finance
}


def told(kind: ReportKind, facts: Facts, ask: Mapping[str, int]) -> Told:
    to, copied_to = _TO[kind]
    return Told(
        title=f"{facts.name}{KINDS[kind][0]}",
        to=to,
        copied_to=copied_to,
        summary=_summary(facts),
        summary_en=_summary_en(facts),
        measures=_measures(facts),
        request=CityRequest(
            reason=_reason(facts, ask),
            lines=[RequestLine(item_code=item, quantity=units) for item, units in ask.items()],
            needed_by=facts.deadline_at,
        )
        if kind is ReportKind.CITY_REQUEST
        else None,
    )


def disaster(facts: Facts) -> tuple[str, str]:
    return DISASTERS.get(facts.incident_kind, (facts.incident_kind, facts.incident_kind))


def level(facts: Facts) -> str:
    return _LEVELS[facts.level]


def _summary(facts: Facts) -> str:
    at = f"{facts.occurred_at.astimezone(CHINA):%Y年%m月%d日%H时%M分}"
    place = f"在{facts.place}" if facts.place else ""
    return (
        f"{at}{place}发生{disaster(facts)[0]}({level(facts)}级)。截至发生后第{facts.minute}分钟,"
        f"{facts.shelters}处安置点应救助{facts.people}人,已按基本救助标准到位{facts.served}人;"
        f"距12小时时限还有{facts.minutes_left}分钟。"
    )


def _summary_en(facts: Facts) -> str:
    return (
        f"{disaster(facts)[1].capitalize()}, level {level(facts)}, at {local(facts.occurred_at)} (Beijing). "
        f"{facts.people} people at {facts.shelters} shelters need relief; basic relief has reached {facts.served} by "
        f"minute {facts.minute}. {facts.minutes_left} minutes are left."
    )


def _measures(facts: Facts) -> str:
    if facts.plan_id is None:
        return "尚无已批准的调拨方案。"
    counts = "、".join(
        f"{zh}{facts.orders[status]}单"
        for status, zh in (("planned", "待装"), ("under_way", "在途"), ("done", "完成"))
        if facts.orders.get(status)
    )
    return f"已批准调拨方案,时限内预计救助{facts.planned}人;调拨单:{counts or '无'}。"


def _reason(facts: Facts, ask: Mapping[str, int]) -> str:
    if facts.stock_at is None:
        return "库存服务暂不可用,自有库存以台账为准,请核对后填写需求数量。"
    if not ask:
        return "按现有记录,区内自有储备可以满足需求;如仍需请求,请说明理由并填写需求数量。"
    return f"区内实物、协议等储备已用于本次救助,仍有{len(ask)}种物资不足,请求市级支援。"
