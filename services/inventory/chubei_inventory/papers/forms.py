"""The forms of papers: their columns, and who signs what. Pure."""

from dataclasses import dataclass
from typing import Final, NamedTuple

from chubei_shared.contracts.papers import PaperForm


class Field(NamedTuple):
    zh: str
    en: str
    value: str
    """Empty: to be written by hand."""


class Column(NamedTuple):
    zh: str
    en: str
    width_pct: int


class Cell(NamedTuple):
    text: str
    small: str = ""
    number: bool = False


@dataclass(frozen=True)
class Form:
    zh: str
    en: str
    columns: tuple[Column, ...]
    signatures: tuple[str, ...]
    checks: tuple[str, ...] = ()


_WHAT: Final = (
    Column("序号", "No.", 4),
    Column("物资编码", "Code", 8),
    Column("名称", "Name", 21),
    Column("批号 / 生产者", "Lot / maker", 16),
)
_GOODS: Final = (
    *_WHAT,
    Column("生产日期", "Made", 8),
    Column("到期日期", "Expires", 8),
    Column("单位", "Unit", 5),
    Column("数量", "Quantity", 8),
    Column("箱 + 零", "Packs + odd", 8),
    Column("重量 kg", "Weight", 7),
    Column("体积 m³", "Volume", 7),
)
_COUNTED: Final = (
    *_WHAT,
    Column("到期日期", "Expires", 9),
    Column("单位", "Unit", 6),
    Column("应到", "Sent", 9),
    Column("实收", "Received", 9),
    Column("损坏", "Damaged", 9),
    Column("短缺", "Short", 9),
)
_KEEPER: Final = "保管员 Store keeper"
FORMS: Final = {
    PaperForm.RECEIPT: Form(
        "入库单",
        "Goods received",
        _GOODS,
        ("送货人 Delivered by", "验收人 Checked by", _KEEPER, "负责人 Approved by"),
        (
            "车辆、封签 Truck, seals",
            "生产者、名称、规格 Maker, name, spec",
            "数量 Quantity",
            "包装、标识 Packing, marks",
            "单证相符 As notified",
        ),
    ),
    PaperForm.ISSUE: Form(
        "出库单",
        "Goods issued",
        _GOODS,
        ("批准人 Approved by", _KEEPER, "复核人 Checked by", "领用人 Taken by"),
    ),
    PaperForm.LOAD: Form(
        "随车清单",
        "Load list",
        _GOODS,
        (_KEEPER, "装车复核 Load checked", "驾驶员 Driver", "接收人 Receiver"),
    ),
    PaperForm.ACCEPTANCE: Form(
        "接收单",
        "Receipt with damage and shortage",
        _COUNTED,
        ("驾驶员 Driver", "接收人 Received by", "验收人 Checked by", "负责人 Approved by"),
        ("封签完好 Seals whole", "外包装完好 Packing whole", "数量已点清 Counted"),
    ),
}
