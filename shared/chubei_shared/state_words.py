"""States, steps and moves as people here call them. What services tell each other stays as in the contracts."""

from collections.abc import Iterable
from enum import StrEnum

from chubei_shared.contracts.batches import ParkedStatus
from chubei_shared.contracts.call_offs import CallOffState
from chubei_shared.contracts.call_out import CallState
from chubei_shared.contracts.care import CareState
from chubei_shared.contracts.confirmations import ConfirmationState
from chubei_shared.contracts.exercises import ExerciseStatus, InjectStatus
from chubei_shared.contracts.holds import HoldStatus
from chubei_shared.contracts.oral_orders import OralState
from chubei_shared.contracts.orders import OrderStatus, StepKind
from chubei_shared.contracts.papers import PaperForm
from chubei_shared.contracts.plans import PlanStatus
from chubei_shared.contracts.reports import ReportKind, ReportStatus
from chubei_shared.contracts.reserves import PriceRule
from chubei_shared.contracts.response import TaskState
from chubei_shared.contracts.shelters import RecordState
from chubei_shared.contracts.stocktakes import StocktakeState

_WORDS: dict[type[StrEnum], str] = {
    PlanStatus: "proposed 待审批 approving 审批中 approved 已批准 refused 已退回 superseded 已被取代",
    OrderStatus: "planned 待执行 under_way 执行中 done 已完成 withdrawn 已撤回",
    StepKind: "picked 拣货 loaded 装车 taken_over 交接 departed 出发 arrived 到达 received 接收",
    CallState: "to_call 待通知 called 已拨打 answered 已接听 unreachable 联系不上 declined 不能来 present 已到岗 "
    "released 已解除",
    ExerciseStatus: "running 进行中 concluded 已结束 cancelled 已取消",
    InjectStatus: "waiting 未下达 played 已下达 failed 未能下达 skipped 已略过",
    TaskState: "open 待签收 acknowledged 已签收 done 已完成 dropped 已取消",
    ReportKind: "first 速报 hourly 整点报 city_request 向市里的请求",
    ReportStatus: "draft 草稿 signed 已签发 superseded 已被取代 discarded 已作废",
    ConfirmationState: "asked 待答复 confirmed 已确认 declined 已回绝 released 已失效",
    HoldStatus: "open 有效 issued 已出库 released 已释放 expired 已过期",
    OralState: "open 待补文件 unaccounted 待说明 closed 已办结",
    RecordState: "pending 处理中 done 已完成 refused 未被库存接受 asked 待答复 accepted 已同意 declined 不同意 "
    "answered 已答复",
    CallOffState: "ordered 已下单 confirmed 已确认 ready 已备好 collected 已提货 failed 供方未能供货 withdrawn 已撤回",
    CareState: "open 待签收 acknowledged 已签收 done 已办结 lapsed 已不需办理",
    StocktakeState: "counting 清点中 review 待批准 posted 已入账 cancelled 已取消",
    PriceRule: "fixed 固定价 capped 最高限价 market 市场价",
    PaperForm: "receipt 入库单 issue 出库单 load 随车清单 acceptance 接收单",
    ParkedStatus: "open 待核 booked 已自动入账 accepted 已采纳 rejected 未采纳",
}
_ZH = {
    kind: dict(zip(words.split()[::2], words.split()[1::2], strict=True)) for kind, words in _WORDS.items()
}


def zh(kind: type[StrEnum], value: str) -> str:
    """In Chinese; KeyError for what is none of its values."""
    return _ZH[kind][value]


def zh_any(kind: type[StrEnum], values: Iterable[str]) -> str:
    """All of them, in a sentence."""
    return "、".join(zh(kind, value) for value in sorted(values))
