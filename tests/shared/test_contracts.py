"""What all shapes have in common: times that have a moment in every zone, names that can be read."""

from datetime import UTC, datetime
from uuid import UUID

import pytest
from chubei_shared.contracts.base import Name, Utc
from chubei_shared.contracts.holds import HoldReplace
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

_TIME = TypeAdapter(Utc)
_NAME = TypeAdapter(Name)


@pytest.mark.parametrize(
    "text",
    [
        "0001-01-01T00:00:00+14:00",
        "0001-01-01T00:00:00Z",
        "1999-12-31T23:59:59Z",
        "2200-01-01T00:00:00Z",
        "9999-12-31T23:59:59-14:00",
    ],
)
def test_ends_of_the_calendar_are_refused(text: str) -> None:
    with pytest.raises(ValidationError, match="check the date"):
        _TIME.validate_python(text)


def test_a_hold_is_not_replaced_by_itself() -> None:
    line = {
        "place_id": "S",
        "item_code": "1020101",
        "mode": "physical",
        "quantity": 1,
        "needed_at": "2026-11-21T09:00Z",
    }
    hold = {"id": str(UUID(int=1)), "purpose": "plan:1", "expires_at": "2026-11-21T09:00Z", "lines": [line]}
    with pytest.raises(ValidationError, match="mint a new id"):
        HoldReplace.model_validate({"release": [hold["id"]], "hold": hold})


@given(st.datetimes(datetime(2000, 1, 2), datetime(2199, 12, 30), timezones=st.timezones()))  # noqa: DTZ001
def test_times_have_a_moment_everywhere(moment: datetime) -> None:
    read = _TIME.validate_python(moment.isoformat())
    assert (read, read.tzinfo) == (datetime.fromisoformat(moment.isoformat()), UTC)


def test_one_moment_has_one_spelling() -> None:
    spelt = {
        _TIME.dump_json(_TIME.validate_json(f'"2026-11-21T{text}"')) for text in ("09:00:00+08:00", "01:00Z")
    }
    assert spelt == {b'"2026-11-21T01:00:00Z"'}


@pytest.mark.parametrize("blank", ["", " ", "\t\n", "\u3000", "a\0b", "\0"])
def test_blank_is_no_name(blank: str) -> None:
    with pytest.raises(ValidationError):
        _NAME.validate_python(blank)


@pytest.mark.parametrize("name", ["仓", " 一 号 库 ", "a\nb"])
def test_names_are_kept_as_written(name: str) -> None:
    assert _NAME.validate_python(name) == name
