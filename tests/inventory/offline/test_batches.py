"""Batches: each report is answered apart, and none is lost or counted twice."""

from concurrent.futures import ThreadPoolExecutor

from chubei_shared.tokens import Role


def test_each_is_answered_apart_and_one_that_is_broken_hinders_no_other(phone):
    good, known = phone.receive(10), phone.receive(5)
    phone.send(known)
    broken = phone.receive(1) | {"place_id": 7}
    answers = phone.outcomes(good, known, broken, {"nonsense": "\x00"}, good)
    assert answers == [
        ("accepted", None), ("known", None), ("parked", "malformed"), ("parked", "malformed"), ("known", None),
    ]  # fmt: skip
    assert phone.row() == (15, 15, 0)


def test_a_thousand_at_once(phone):
    bodies = [phone.receive(1) for _ in range(1000)]
    assert {row["outcome"] for row in phone.send(*bodies)} == {"accepted"}
    assert phone.row()[0] == 1000
    assert {row["outcome"] for row in phone.send(*bodies)} == {"known"}
    assert phone.row()[0] == 1000
    too_many = phone.http.post("/v1/movements:batch", json={"movements": [*bodies, phone.receive(1)]})
    assert too_many.status_code == 422


def test_ids_are_remembered_for_good_whatever_became_of_them(phone, boss):
    bodies = [phone.receive(3), phone.report("issue", {"quantity": 1}), phone.issue(4)]
    phone.send(*bodies)
    parked = phone.parked()[0]
    boss.post(f"/v1/parked-movements/{parked['key']}:reject", json={"reason": "重复"})
    for _ in range(2):
        assert [outcome for outcome, _ in phone.outcomes(*bodies)] == ["known"] * 3
    assert phone.row() == (0, 0, 1)
    assert phone.parked() == []


def test_a_report_that_no_text_can_carry_is_kept_all_the_same(phone):
    lone = b'{"movements": [{"id": "\\ud800", "place_id": "\\ud800", "kind": "issue", "more": 1e999}]}'
    answer = phone.http.post(
        "/v1/movements:batch", content=lone, headers={"Content-Type": "application/json"}
    )
    assert [row["reason"] for row in answer.json()["rows"]] == ["malformed"]


def test_the_same_batch_many_times_at_once_counts_once(phone, sign_in):
    bodies = [phone.receive(10), phone.issue(3), phone.report("issue", {"quantity": 1}), phone.issue(20, "B")]

    def send(_: int) -> int:
        http = sign_in(Role.CLERK, phone.yard.store)
        return http.post("/v1/movements:batch", json={"movements": bodies}).status_code

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(send, range(8))) == {200}
    assert phone.row() == (7, 7, 20)
    assert len(phone.parked()) == 1
    assert phone.yard.books_balance()
