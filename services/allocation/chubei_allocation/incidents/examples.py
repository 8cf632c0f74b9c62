"""Examples for the OpenAPI document."""

from typing import Any

from fastapi.openapi.models import Example

_WHY = "街道电话报告"
_ID = "7d1f62c4-0f0e-4b52-9a7e-6f4f0f0f1a{:02x}"


def _told(number: int, summary: str, **change: Any) -> Example:
    return {"summary": summary, "value": {"id": _ID.format(number), "why": _WHY, "change": change}}


_QUAKE = {
    "id": "3f2c7f0e-6a55-4b7e-9c39-2f1a7c1f0a11",
    "kind": "earthquake",
    "level": 2,
    "name": "西城区 5.5 级地震",
    "occurred_at": "2026-11-21T03:20:00+08:00",
}
_PUMPS = {
    "id": "D1",
    "site": {"id": "YTZ", "name_zh": "月坛桥下", "name_en": "Yuetan underpass", "lon": 116.35, "lat": 39.915},
    "item_code": "3010201",
    "units": 4,
    "by_min": 240,
    "worth": 200,
}

DECLARATIONS: dict[str, Example] = {
    "earthquake": {"summary": "地震,按 1 % / an earthquake, 1 % of the residents", "value": _QUAKE},
    "flood": {
        "summary": "内涝,按街道,积水点要水泵 / a flood, people by sub-district, pumps at a ponding point",
        "value": {
            **_QUAKE,
            "id": "3f2c7f0e-6a55-4b7e-9c39-2f1a7c1f0a12",
            "kind": "flood",
            "level": 3,
            "name": "西城区内涝",
            "people_by_subdistrict": {"110102007": 800},
            "groups_by_subdistrict": {"110102007": {"infant": 20, "elderly": 240}},
            "setting": "indoor",
            "demands": [_PUMPS],
        },
    },
}
AMENDMENTS: dict[str, Example] = {
    "people": _told(1, "人数 / people", kind="people", by_subdistrict={"110102007": 1200}),
    "opened": _told(2, "启用备选安置点 / open a candidate", kind="shelters_opened", shelter_ids=["YT-3"]),
    "closed": _told(3, "关闭安置点 / close a shelter", kind="shelters_closed", shelter_ids=["YT-2"]),
    "level": _told(4, "提级 / a graver level", kind="level", level=1),
    "closures": _told(5, "封路 / roads closed", kind="closures", closed=[["NORTH", "YT-1"]]),
    "demand": _told(6, "要水泵 / pumps wanted", kind="demand_added", demand=_PUMPS),
    "more": _told(
        8, "增补 / more for a shelter", kind="more_granted", shelter_id="YT-1", units={"1040101": 40}
    ),
    "ended": _told(7, "结束 / end it", kind="ended"),
}
HEADCOUNTS: dict[str, Example] = {
    "hourly": {
        "summary": "整点上报 / by the hour",
        "value": {
            "id": "5b8a7c1e-1f2d-4c3b-8a9f-0a1b2c3d4e5f",
            "shelter_id": "YT-1",
            "occurred_at": "2026-11-21T06:00:00+08:00",
            "people": 412,
            "groups": {"infant": 9, "elderly": 96, "disabled": 8, "sick": 5},
        },
    }
}
