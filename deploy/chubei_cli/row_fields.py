"""What the cells of a district's tables may hold, where several tables say the same."""

from decimal import Decimal
from typing import Annotated

from chubei_cli.cells import (
    PROVENANCES,
    choice,
    decimal,
    optional,
    refers_to,
    shaped,
    steps,
    text,
    whole,
)

FAMILIES = ("relief", "daily", "medicine", "flood")
MODES = ("physical", "contract", "capacity", "fund")

Name = Annotated[str, text()]
ID = shaped(r"[A-Za-z][A-Za-z0-9-]{0,31}", "字母开头的字母、数字、连字符", "letters, digits, hyphens")
Id = Annotated[str, ID]
Tier = Annotated[str | None, optional(ID)]
Code = Annotated[
    str, shaped(r"[1-9][0-9]{6}", "7 位数字(GB/T 38565 形式)", "7 digits (the shape of GB/T 38565)")
]
Provenance = Annotated[str, choice(*PROVENANCES)]
Source = Annotated[str, text()]
Count = Annotated[int, whole(0)]
Positive = Annotated[int, whole(1)]
Minutes = Annotated[int, whole(0, 43_200)]
Span = Annotated[int, whole(1, 43_200)]
Days = Annotated[int, whole(0, 36_500)]
DaysAhead = Annotated[int, whole(1, 36_500)]
Lon = Annotated[Decimal, decimal("-180", "180")]
Lat = Annotated[Decimal, decimal("-90", "90")]
Docks = Annotated[tuple[tuple[int, int], ...], steps()]
Item = Annotated[str, refers_to("catalogue.csv")]
Size = Annotated[int, whole(0, 9)]
