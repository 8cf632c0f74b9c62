"""What all DTOs have in common."""

from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints

_YEARS = range(2000, 2200)


def _in_utc(moment: datetime) -> datetime:
    """One moment has one spelling, so that a retry from another zone is the same request.

    What lies at the ends of the calendar has no moment in other zones, and can not be read back.
    """
    utc = moment.astimezone(UTC) if 1 < moment.year < 9999 else moment
    if utc.year not in _YEARS:
        raise ValueError(
            "不在 2000 至 2199 年间,请核对日期 / is not in the years 2000 to 2199: check the date"
        )
    return utc


Text = Annotated[str, StringConstraints(max_length=1000, pattern=r"^[^\x00]*$")]
Name = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=r"^[^\x00]*[^\s\x00][^\x00]*$")]
Reason = Annotated[
    str, StringConstraints(min_length=1, max_length=1000, pattern=r"^[^\x00]*[^\s\x00][^\x00]*$")
]
"""Not blank."""
Id = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9:._#-]{0,79}$")]
"""An identifier that people may write: letters, digits and : . _ # -"""
ItemCode = Annotated[str, StringConstraints(pattern=r"^[1-9][0-9]{6}$")]
"""Seven digits, 1+2+2+2, in the shape of GB/T 38565-2020."""
Units = Annotated[int, Field(strict=True, gt=0, le=10**9)]
UnitsOrNone = Annotated[int, Field(strict=True, ge=0, le=10**9)]
Minutes = Annotated[int, Field(strict=True, ge=0, le=60 * 24 * 366)]
Lon = Annotated[float, Field(ge=-180, le=180, allow_inf_nan=False)]
Lat = Annotated[float, Field(ge=-90, le=90, allow_inf_nan=False)]
Utc = Annotated[AwareDatetime, AfterValidator(_in_utc)]


class Dto(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Certainty(StrEnum):
    """How far a figure can be trusted; shown wherever the figure is."""

    VERIFIED = "verified"
    ESTIMATED = "estimated"
    INVENTED = "invented"


class Provenance(Dto):
    certainty: Certainty
    source: Text = ""


class Mode(StrEnum):
    """The four kinds of reserve (实物, 协议, 产能, 资金)."""

    PHYSICAL = "physical"
    CONTRACT = "contract"
    CAPACITY = "capacity"
    FUND = "fund"
