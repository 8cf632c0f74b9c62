"""The clock of China, by which all people here live: one time zone, and no summer time."""

from datetime import date, datetime, timedelta, timezone

CHINA = timezone(timedelta(hours=8), "China")


def day(moment: datetime) -> date:
    """The day in China of a moment; dates on labels, in agreements and on papers are such days."""
    return moment.astimezone(CHINA).date()


def local(moment: datetime | None) -> str:
    """As people here read it, to the minute; nothing where there is none."""
    return f"{moment.astimezone(CHINA):%Y-%m-%d %H:%M}" if moment else ""
