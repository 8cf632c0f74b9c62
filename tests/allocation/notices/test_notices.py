"""What a post is told: once, to whoever holds it, upwards if nobody answers, and never a storm."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from uuid import uuid4

import pytest
from chubei_allocation.notices import notices, rules
from chubei_shared.errors import Forbidden, NotFound
from chubei_shared.tokens import PEOPLE, Role


def test_it_is_told_once_for_a_key_in_the_tellers_transaction(board):
    first = board.tell("k1")
    assert board.tell("k1", ack_within_min=5) == first
    assert (first.subject, first.zh, first.en) == ("标题 k1 / subject k1", "内容 k1", "text k1")

    def told_in_vain(session):
        notices.tell(session, "DUTY", "s", "zh", "en", "k2")
        raise NotFound("x", "x")

    with pytest.raises(NotFound):
        board.tx(told_in_vain)
    assert [notice.subject for notice in board.admin.notices()] == [first.subject]


def test_eight_who_tell_the_same_at_once_tell_one(board):
    with ThreadPoolExecutor(8) as pool:
        told = list(pool.map(board.tell, ["same"] * 8))
    assert len({notice.id for notice in told}) == 1
    board.work()
    assert len(board.deliveries(told[0])) == 1


def test_there_is_nobody_to_tell_without_a_post(board):
    with pytest.raises(NotFound, match="NOBODY"):
        board.tell("k", to="NOBODY")


def test_the_application_has_it_at_once(board):
    notice = board.tell("k")
    assert notice.sent == "waiting"
    board.work()
    app = board.deliveries(notice)["app"]
    assert (app.state, app.attempts) == ("delivered", 0)
    assert board.admin.notice(notice.id).sent == "singly"


def test_what_is_mine_follows_the_post(board):
    board.tell("k1")
    board.tell("k2", to="HEAD")

    def mine(name):
        return [notice.zh for notice in board.person(name).notices(mine=True)]

    assert (mine("wang"), mine("li"), mine("sun"), mine("qian")) == (
        ["内容 k1"],
        ["内容 k1"],
        ["内容 k2"],
        [],
    )
    board.put("DUTY", holder="qian", escalates_to="HEAD")
    assert (mine("wang"), mine("li"), mine("qian")) == ([], [], ["内容 k1"])
    assert [n.zh for n in board.admin.notices(to_post="HEAD")] == ["内容 k2"]


def test_unread_notices_are_counted_by_post_until_acknowledged(board):
    first = board.tell("k1")
    board.tell("k2")
    wang = board.person("wang")
    assert wang.notice_count().model_dump() == {"unread": 2, "by_post": {"DUTY": 2}}
    heard = wang.acknowledge(first.id)
    assert heard.acknowledged_by == "wang"
    assert wang.notice_count().by_post == {"DUTY": 1}
    assert board.person("li").acknowledge(first.id) == heard  # later, and changes nothing
    assert [n.zh for n in wang.notices(mine=True, unread=True)] == ["内容 k2"]
    assert board.person("qian").notice_count().model_dump() == {"unread": 0, "by_post": {}}


@pytest.mark.parametrize("role", PEOPLE)
def test_the_holder_acknowledges_in_whatever_role_and_nobody_else(board, role):
    notice = board.tell("k")
    house = board.house
    for name in ("sun", "zhou", "admin"):
        with pytest.raises(Forbidden, match="holds the post DUTY"):
            house.as_(role, name=name).acknowledge(notice.id)
    assert house.as_(role, name="someone").notice(notice.id).acknowledged_at is None
    assert house.as_(role, name="li").acknowledge(notice.id).acknowledged_by == "li"
    assert list(house.as_(role, name="someone").notices(incident_id=uuid4())) == []


def test_a_notice_that_is_not_there(board):
    for ask in (board.admin.notice, board.admin.acknowledge):
        with pytest.raises(NotFound):
            ask(uuid4())


def test_settling_what_a_key_begins_with(board):
    """Of the very key: _ and % in it are no wildcards."""
    for key in ("task:a_b:1", "task:a_b:2", "task:aXb:1"):
        board.tell(key)
    board.tx(notices.settle, "task:a_b:", "wang")
    assert [n.zh for n in board.admin.notices(unread=True)] == ["内容 task:aXb:1"]


def test_an_exercise_is_marked_in_every_line(board, district):
    board.house.as_(Role.ADMIN)
    incident = district.declare(exercise=True)
    board.put("DUTY", holder="wang")
    notice = board.tell("k", incident_id=incident.id)
    assert notice.exercise
    assert notice.subject.startswith("【演练 EXERCISE】")
    assert notice.zh.startswith("【演练】")
    assert notice.en.startswith("[EXERCISE]")


# Upwards


def late(board, minutes=60):
    board.sql("UPDATE notice SET told_at = told_at - make_interval(mins => :n)", n=minutes)


def test_what_nobody_acknowledges_goes_up_to_the_top_once_each(board):
    board.tell("fire", ack_within_min=15)
    told = []
    for _ in range(5):
        board.work()
        board.work()  # twice changes nothing
        told.append([notice.to_post for notice in board.admin.notices()])
        late(board)
    assert told == [["DUTY"], ["HEAD", "DUTY"], *[["MAYOR", "HEAD", "DUTY"]] * 3]
    top, middle, first = board.admin.notices()
    assert (top.escalated_from, middle.escalated_from, first.escalated_from) == (middle.id, first.id, None)
    assert middle.zh == "岗位DUTY 在 15 分钟内没有确认:内容 fire"
    assert all(notice.escalated_at for notice in (top, middle, first))


def test_what_is_acknowledged_in_time_goes_nowhere(board):
    notice = board.tell("fire", ack_within_min=15)
    board.person("li").acknowledge(notice.id)
    late(board)
    board.work()
    assert len(list(board.admin.notices())) == 1


def test_what_asks_for_no_answer_goes_nowhere(board):
    board.tell("news")
    late(board, minutes=10_000)
    board.work()
    assert len(list(board.admin.notices())) == 1


@pytest.mark.parametrize("answers", ["wang", "sun"])
def test_one_answer_on_the_way_ends_it(board, answers):
    """The holder's late one as well as that of the post above."""
    board.tell("fire", ack_within_min=15)
    late(board)
    board.work()
    above, first = board.admin.notices()
    board.person(answers).acknowledge({"wang": first.id, "sun": above.id}[answers])
    late(board)
    board.work()
    assert len(list(board.admin.notices())) == 2


def test_a_clock_that_jumped_back_does_not_silence_it(board):
    """Told by tomorrow's clock: nobody waits until tomorrow."""
    board.tell("fire", ack_within_min=15)
    late(board, minutes=-24 * 60)
    board.work()
    assert [notice.to_post for notice in board.admin.notices()] == ["DUTY", "HEAD"]


# Never a storm


def test_twenty_in_an_hour_go_out_singly_and_the_rest_as_one_digest(board, web):
    board.put("DUTY", holder="wang", channels=[{"kind": "webhook", "url": web.url}])
    with web.up():
        for number in range(rules.SINGLY_IN_AN_HOUR + 60):
            board.tell(f"k{number}")
        board.work()
        assert len(web.received) == rules.SINGLY_IN_AN_HOUR
        board.sql("UPDATE notice SET told_at = told_at - interval '10 minutes'")
        board.work()
        board.work()
        assert len(web.received) == rules.SINGLY_IN_AN_HOUR + 1
        board.tell("later")
        board.sql("UPDATE notice SET told_at = told_at - interval '10 minutes' WHERE NOT digest")
        board.work()
        assert len(web.received) == rules.SINGLY_IN_AN_HOUR + 1  # once an hour
    digest = web.received[-1].json()
    assert digest["subject"] == "汇总:60 条通知 / Digest: 60 notices"
    assert "标题 k20" in digest["zh"]
    assert "10 more" in digest["en"]
    assert (
        len(list(board.admin.notices())) == rules.SINGLY_IN_AN_HOUR + 61
    )  # the application has them one by one
    covered = next(notice for notice in board.admin.notices() if notice.zh == "内容 k20")
    assert covered.sent == "in_digest"
    assert {delivery.kind for delivery in covered.deliveries} == {"app", "webhook"}


def test_another_post_and_another_hour_are_counted_anew(board, web):
    for post in ("DUTY", "HEAD"):
        board.put(post, channels=[{"kind": "webhook", "url": f"{web.url}/{post}"}])
    with web.up():
        for number in range(rules.SINGLY_IN_AN_HOUR):
            board.tell(f"k{number}")
        board.tell("other", to="HEAD")
        board.work()
        board.sql("UPDATE notice SET routed_at = routed_at - interval '61 minutes'")
        board.tell("an hour later")
        board.work()
    assert len(web.received) == rules.SINGLY_IN_AN_HOUR + 2


def test_an_exercise_keeps_nothing_real_waiting(board, web):
    board.put("DUTY", channels=[{"kind": "webhook", "url": web.url}])
    with web.up():
        for number in range(rules.SINGLY_IN_AN_HOUR + 5):
            board.tell(f"k{number}", exercise=True)
        real = board.tell("real")
        board.work()
        board.sql("UPDATE notice SET told_at = told_at - interval '10 minutes'")
        board.work()
    assert board.deliveries(real)["webhook"].state == "delivered"
    assert web.received[-1].json()["exercise"]
    assert "演练 EXERCISE" in web.received[-1].json()["subject"]


def test_counts_from_a_clock_that_was_ahead_hold_nothing_back(board, web):
    board.put("DUTY", channels=[{"kind": "webhook", "url": web.url}])
    with web.up():
        for number in range(rules.SINGLY_IN_AN_HOUR):
            board.tell(f"k{number}")
        board.work()
        board.sql("UPDATE notice SET routed_at = routed_at + :ahead", ahead=timedelta(days=1))
        notice = board.tell("after the clock was set back")
        board.work()
    assert board.deliveries(notice)["webhook"].state == "delivered"
