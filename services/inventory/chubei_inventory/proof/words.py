"""What each check is about, for people; pure."""

from collections.abc import Mapping
from datetime import date, datetime, timedelta

from chubei_shared.china import CHINA
from chubei_shared.proof import COMMON, Words

_STARTS_AT = timedelta(hours=2)

_FIND_OUT = (
    "盘点该批次,与流水和凭证核对;不要直接改数据库",
    "count the lot and compare it with its movements and vouchers; do not write to the database by hand",
)
_ORDERS = (
    "核对该预留的出库流水与调拨单;不要直接改数据库",
    "compare the hold with its issues and dispatch orders; do not write to the database by hand",
)

WORDS: Mapping[str, Words] = {
    **COMMON,
    "balance": Words("账面余额不等于流水之和", "a balance is not the sum of its entries", *_FIND_OUT),
    "held": Words("预留数不等于未结预留之和", "what is held is not what open holds keep", *_ORDERS),
    "hold_over": Words("已结束的预留仍占用库存", "a hold that is over still keeps something", *_ORDERS),
    "hold_issued": Words(
        "预留的已出库数与流水不符", "what a hold says was issued is not what was issued", *_ORDERS
    ),
    "reserve_held": Words(
        "储备的预留数与明细不符", "what is held of a reserve is not what open holds keep", *_ORDERS
    ),
    "reserve_used": Words(
        "储备的已用数与流水不符", "what is used of a reserve is not what was called off", *_ORDERS
    ),
    "transit": Words(
        "在途数不等于发出减收到", "what is in transit is not what was shipped less what was received",
        "核对该单的出库单与接收单", "compare the issue slip and the receipt of the order",
    ),
    "diverted": Words(
        "移库物资到了别处,未写原因", "goods came in at another place than they were sent to, and nobody says why",
        "冲正该接收,再按实际地点重报;确已改送的写明原因",
        "reverse the arrival and report it anew: at the right place, or with a reason why they were diverted",
    ),
    "negative": Words("余额为负或预留超过现有", "a balance is negative, or more is held than is there", *_FIND_OUT),
    "reserve_overdrawn": Words("储备透支", "a reserve is overdrawn", *_ORDERS),
    "movement": Words("流水借贷不平或没有分录", "a movement does not balance, or has no entries", *_FIND_OUT),
    "stocktake": Words(
        "盘点差异与其调整流水不符", "what a stocktake found is not what its adjustment booked", *_FIND_OUT
    ),
    "quality": Words(
        "批次的质量状态与其变更记录或召回不符", "a lot's quality is not what its changes and recalls say",
        "查封存、检验与召回的凭证,查清之前不要动用该批次;不要直接改数据库",
        "see the papers of its tests and recalls, and use none of it before that; do not write to the database by hand",
    ),
    "outside": Words(
        "账户性质与地点不符", "a balance is kept as outside the books and its place is not, or the reverse", *_FIND_OUT
    ),
}  # fmt: skip


def night_of(moment: datetime) -> date:
    """The last night whose proof is due at a moment: it begins at 02:00 in China."""
    return (moment.astimezone(CHINA) - _STARTS_AT).date()
