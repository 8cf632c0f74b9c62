"""Settings that a test has time for, and what workers do with a check, in this process."""

from chubei_allocation.readiness import settings, work
from chubei_shared.tokens import Role


def finish(house, run_id, turns: int = 20) -> None:
    """What workers do, in this process."""
    for _ in range(turns):
        if not work.go_on(house.tx, house.gate, run_id):
            return
        work.answer_parts(house.tx, run_id, 4096, lambda _: None)
    raise AssertionError("it does not come to its end")


def light(stocked, **more) -> None:
    """Settings that a test has time for: two standing scenarios, a named road, a joint loss."""
    body = settings.defaults().model_dump(mode="json")
    body["standing"] = [row for row in body["standing"] if row["id"] in ("day-winter", "night-winter")]
    body["effort"] |= {"base": 400, "loss": 100, "draw": 60, "draws": 4}
    invented = {"certainty": "invented", "source": "test"}
    body["joint"] = [
        {
            "id": "storm",
            "name_zh": "暴雨",
            "name_en": "storm",
            "loss": {"places": [stocked.south], "crews_until_min": 120},
            "provenance": invented,
        }
    ]
    admin = stocked.house.http(Role.ADMIN)
    etag = admin.get("/v1/readiness/settings").headers["ETag"]
    answer = admin.put("/v1/readiness/settings", json=body | more, headers={"If-Match": etag})
    assert answer.status_code == 200, answer.text
