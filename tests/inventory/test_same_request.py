"""The client mints the id: the same request again is the same answer, another under the same id is refused."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from chubei_shared.china import CHINA
from chubei_shared.errors import Conflict
from chubei_shared.tokens import Role


def test_a_movement_again_is_the_same_answer_and_moves_nothing(yard, sign_in):
    yard.receive(10)
    body = yard.issue(4)
    http = sign_in(Role.ADMIN)
    first, second = (http.post("/v1/movements", json=body.model_dump(mode="json")) for _ in range(2))
    assert (first.status_code, second.status_code) == (201, 200)
    assert first.json() == second.json()
    assert yard.stock()[0] == 6


def test_the_same_moment_in_another_time_zone_is_the_same_request(yard):
    yard.receive(10)
    body = yard.issue(4)
    local = body.occurred_at.astimezone(CHINA)
    assert yard.admin.record(body) == yard.admin.record(body.model_copy(update={"occurred_at": local}))


def test_another_movement_under_the_same_id_is_refused(yard):
    yard.receive(10)
    body = yard.issue(4)
    yard.admin.record(body)
    with pytest.raises(Conflict, match=str(body.id)):
        yard.admin.record(body.model_copy(update={"voucher": "another"}))
    assert yard.stock()[0] == 6


def test_a_refused_movement_leaves_its_id_free(yard):
    body = yard.issue(4)
    with pytest.raises(Conflict):
        yard.admin.record(body)
    yard.receive(10)
    yard.admin.record(body)
    assert yard.stock()[0] == 6


def test_a_hold_again_is_the_same_answer_even_when_it_is_over(yard, expire):
    yard.receive(10)
    request = yard.request(yard.line(8))
    first = yard.service.hold(request)
    assert yard.service.hold(request) == first
    assert yard.stock() == (10, 8, 2)
    with pytest.raises(Conflict, match=str(request.id)):
        yard.service.hold(request.model_copy(update={"lines": [yard.line(1)]}))
    expire(request.id)
    assert yard.service.hold(request).lines == first.lines


def test_ten_at_once_with_one_id_are_one_movement(yard, sign_in):
    yard.receive(10)
    body = yard.issue(1).model_dump(mode="json")

    def post(_: int) -> tuple[int, str]:
        answer = sign_in(Role.ADMIN).post("/v1/movements", json=body)
        return answer.status_code, answer.text

    with ThreadPoolExecutor(10) as pool:
        answers = list(pool.map(post, range(10)))
    assert sorted(status for status, _ in answers) == [200] * 9 + [201]
    assert len({text for _, text in answers}) == 1
    assert yard.stock()[0] == 9


def test_two_reversals_at_once_undo_once(yard):
    yard.receive(10)
    issued = yard.admin.record(yard.issue(4))

    def undo(_: int) -> bool:
        try:
            yard.admin.record(yard.reversal(issued.id))
        except Conflict:
            return False
        return True

    with ThreadPoolExecutor(6) as pool:
        assert sum(pool.map(undo, range(6))) == 1
    assert yard.stock()[0] == 10
