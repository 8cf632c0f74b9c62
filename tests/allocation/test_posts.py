"""Posts over HTTP: put, changed, held by one after the other, and who may do that."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from chubei_allocation.posts import posts, rules
from chubei_shared.contracts.posts import Post
from chubei_shared.editions import etag_of
from chubei_shared.errors import (
    Forbidden,
    Invalid,
    NotFound,
    PreconditionFailed,
    PreconditionRequired,
)
from chubei_shared.tokens import PEOPLE, Role
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

HOOK = {"kind": "webhook", "url": "https://im.example.gov.cn/hooks/duty"}
MAIL = {"kind": "email", "address": "duty@example.gov.cn"}


def a_post(id: str = "DUTY", **more) -> Post:
    return Post.model_validate(
        {
            "id": id,
            "name_zh": "值班员",
            "name_en": "Duty officer",
            "provenance": {"certainty": "invented", "source": "test"},
            **more,
        }
    )


@pytest.fixture
def admin(house):
    house.clear()
    return house.as_(Role.ADMIN, name="admin")


def test_a_post_is_read_as_it_was_put_and_the_same_again_changes_nothing(house, admin):
    admin.put_post(a_post("HEAD"))
    wanted = a_post(
        holder="wang", deputy="li", escalates_to="HEAD", tier="bureau-duty", channels=[HOOK, MAIL]
    )
    first = admin.put_post(wanted)
    assert first.post == wanted
    assert admin.put_post(wanted).new_secrets == []
    reader = house.as_(Role.COMMANDER)
    assert reader.post("DUTY").post == wanted
    assert [view.post.id for view in reader.posts()] == ["DUTY", "HEAD"]
    assert [(h.holder, h.deputy, h.recorded_by) for h in reader.post_holders("DUTY")] == [
        ("wang", "li", "admin")
    ]


def test_a_change_names_the_edition_that_was_read(house, admin):
    admin.put_post(a_post(holder="wang"))
    changed = a_post(holder="zhao")
    with pytest.raises(PreconditionRequired, match="If-Match"):
        admin.put_post(changed)
    answer = house.http(Role.AUDITOR).get("/v1/posts/DUTY")
    assert admin.put_post(changed, answer.headers["ETag"]).post.holder == "zhao"
    with pytest.raises(PreconditionFailed):
        admin.put_post(a_post(holder="sun"), etag_of(a_post(holder="wang")))
    assert [h.holder for h in admin.post_holders("DUTY")] == ["zhao", "wang"]


def test_whoever_holds_the_post_acts_for_it(house, admin):
    admin.put_post(a_post(holder="wang", deputy="li"))
    admin.put_post(a_post("OTHER", holder="li"))

    def mine(person):
        return [post.id for post in house.tx(posts.of_person, person)]

    assert (mine("wang"), mine("li"), mine("zhao")) == (["DUTY"], ["DUTY", "OTHER"], [])
    admin.put_post(a_post(holder="zhao"), "*")
    assert (mine("wang"), mine("li"), mine("zhao")) == ([], ["OTHER"], ["DUTY"])
    assert house.tx(posts.acts_for, "zhao", "DUTY")
    assert not house.tx(posts.acts_for, "wang", "DUTY")
    assert house.tx(posts.unknown, ["DUTY", "NOBODY"]) == ["NOBODY"]


def test_a_change_of_names_is_no_change_of_holders(admin):
    admin.put_post(a_post(holder="wang"))
    admin.put_post(a_post(holder="wang", name_en="Officer on duty"), "*")
    assert len(admin.post_holders("DUTY")) == 1


def test_the_history_of_holders_can_not_be_rewritten(house, admin):
    admin.put_post(a_post(holder="wang"))
    for change in (
        "UPDATE post_holding SET holder = 'x'",
        "DELETE FROM post_holding",
        "TRUNCATE post_holding",
    ):
        with pytest.raises(IntegrityError, match="append-only"):
            house.tx(lambda session, change=change: session.execute(text(change)))


def test_what_is_escalated_never_comes_back(admin):
    with pytest.raises(Invalid, match="put the post above first"):
        admin.put_post(a_post("A", escalates_to="B"))
    with pytest.raises(Invalid, match="come back to A"):
        admin.put_post(a_post("A", escalates_to="A"))
    admin.put_post(a_post("C"))
    admin.put_post(a_post("B", escalates_to="C"))
    admin.put_post(a_post("A", escalates_to="B"))
    with pytest.raises(Invalid, match="come back to C") as caught:
        admin.put_post(a_post("C", escalates_to="A"), "*")
    assert caught.value.more["errors"][0]["field"] == "escalates_to"
    assert admin.post("C").post.escalates_to is None


def test_two_changes_at_once_make_no_circle(house, admin):
    admin.put_post(a_post("A"))
    admin.put_post(a_post("B"))

    def change(pair):
        try:
            house.as_(Role.ADMIN).put_post(a_post(pair[0], escalates_to=pair[1]), "*")
        except Invalid:
            return False
        return True

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(change, [("A", "B"), ("B", "A")])) == [False, True]


@given(
    st.dictionaries(st.sampled_from("ABCDEF"), st.sampled_from("ABCDEF") | st.none()),
    st.sampled_from("ABCDEF"),
)
def test_a_chain_ends_whatever_stands_above_what(above, start):
    found = list(rules.chain(above, start))
    assert len(found) <= len(above)
    assert rules.in_circle(above, start) == (start in found)


# Channels


def test_a_secret_is_shown_once_and_masked_from_then_on(house, admin):
    made = admin.put_post(a_post(channels=[HOOK])).new_secrets
    assert [secret.url for secret in made] == [HOOK["url"]]
    assert len(made[0].secret) == 64
    (channel,) = admin.post("DUTY").channels
    assert channel.secret == f"…{made[0].secret[-4:]}"
    for path in ("/v1/posts", "/v1/posts/DUTY", "/v1/posts/DUTY/holders", "/v1/allocation/events"):
        assert made[0].secret not in house.http(Role.ADMIN).get(path).text
    wider = admin.put_post(a_post(channels=[HOOK, HOOK | {"url": "http://10.0.0.7/hook?room=2"}]), "*")
    assert [secret.url for secret in wider.new_secrets] == ["http://10.0.0.7/hook?room=2"]


def test_another_secret_takes_the_place_of_the_first(admin):
    first = admin.put_post(a_post(channels=[HOOK])).new_secrets[0]
    second = admin.new_secret("DUTY", HOOK["url"])
    assert second.secret != first.secret
    assert admin.post("DUTY").channels[0].secret == f"…{second.secret[-4:]}"
    with pytest.raises(NotFound):
        admin.new_secret("DUTY", "https://elsewhere.example/hook")
    with pytest.raises(NotFound):
        admin.new_secret("NOBODY", HOOK["url"])


def test_a_webhook_that_is_taken_out_and_put_again_has_another_secret(admin):
    first = admin.put_post(a_post(channels=[HOOK])).new_secrets
    admin.put_post(a_post(), "*")
    again = admin.put_post(a_post(channels=[HOOK]), "*").new_secrets
    assert again[0].secret != first[0].secret


def test_mail_without_a_server_says_so(admin):
    (channel,) = admin.put_post(a_post(channels=[MAIL])).channels
    assert (channel.kind, channel.ready) == ("email", False)
    assert "CHUBEI_SMTP_URL" in channel.problem


def test_addresses_are_for_those_who_keep_posts(house, admin):
    admin.put_post(a_post(channels=[HOOK, MAIL]))
    for reader in (house.as_(Role.AUDITOR), house.as_(Role.CLERK)):
        for view in (reader.post("DUTY"), *reader.posts()):
            assert [one.target for one in view.channels] == [HOOK["url"], "d***@example.gov.cn"]
            assert MAIL["address"] not in view.model_dump_json()


@pytest.mark.parametrize(
    "channel",
    [
        {"kind": "webhook", "url": "ftp://example.com/x"},
        {"kind": "webhook", "url": "https://user:word@example.com/x"},
        {"kind": "webhook", "url": "https://user@example.com/x"},
        {"kind": "webhook", "url": "https:///x"},
        {"kind": "webhook", "url": "https://example.com:99999/x"},
        {"kind": "webhook", "url": "https://example.com/x#y"},
        {"kind": "webhook", "url": "https://example.com/x y"},
        {"kind": "webhook", "url": "https://xn--0/x\n"},
        {"kind": "webhook", "url": "/hooks/x"},
        {"kind": "email", "address": "nobody"},
        {"kind": "email", "address": "a@b.cn\nBcc: c@d.cn"},
        {"kind": "fax", "number": "1"},
    ],
)
def test_a_channel_that_nothing_can_be_sent_to_is_refused(house, admin, channel):
    body = a_post().model_dump(mode="json") | {"channels": [channel]}
    answer = house.http(Role.ADMIN).put("/v1/posts/DUTY", json=body)
    assert answer.status_code == 422, answer.text
    assert answer.json()["errors"][0]["field"].startswith(("channels", "kind"))
    assert admin.posts() == []


@pytest.mark.parametrize("more", [{"channels": [HOOK, HOOK]}, {"holder": "wang", "deputy": "wang"}])
def test_a_post_that_contradicts_itself_is_refused(house, more):
    body = a_post().model_dump(mode="json") | more
    assert house.http(Role.ADMIN).put("/v1/posts/DUTY", json=body).status_code == 422


def test_path_and_body_name_the_same_post(house):
    answer = house.http(Role.ADMIN).put("/v1/posts/OTHER", json=a_post().model_dump(mode="json"))
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "id")


# Roles


@pytest.mark.parametrize("role", PEOPLE)
def test_everyone_reads_and_administrators_and_command_write(house, admin, role):
    admin.put_post(a_post(channels=[HOOK]))
    person = house.as_(role)
    assert person.posts()
    assert person.post("DUTY")
    assert person.post_holders("DUTY")
    writes = [
        lambda: person.put_post(a_post(holder="zhao", channels=[HOOK]), "*"),
        lambda: person.new_secret("DUTY", HOOK["url"]),
    ]
    for write in writes:
        if role in (Role.ADMIN, Role.COMMANDER):
            write()
        else:
            with pytest.raises(Forbidden):
                write()


def test_what_is_decided_on_posts_is_in_the_audit(house, admin):
    admin.put_post(a_post(holder="wang"))
    with pytest.raises(Forbidden):
        house.as_(Role.CLERK, name="nosy").put_post(a_post(), "*")
    noted = house.tx(
        lambda session: session.execute(
            text(
                "SELECT subject, act, outcome FROM audit WHERE target = '/v1/posts/DUTY' ORDER BY id DESC LIMIT 2"
            )
        ).all()
    )
    assert [tuple(row) for row in noted] == [
        ("nosy", "PUT /v1/posts/{id}", 403),
        ("admin", "PUT /v1/posts/{id}", 200),
    ]


def test_a_post_that_is_not_there(admin):
    for read in (admin.post, admin.post_holders):
        with pytest.raises(NotFound, match="NOBODY"):
            read("NOBODY")
