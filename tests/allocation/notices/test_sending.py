"""Out of the house: a real web server that is down at first, a real mail server, a worker that dies on it."""

import email
import email.policy
import hashlib
import hmac
import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import contextmanager

import pytest
from chubei_allocation import proof
from chubei_allocation.notices import deliveries, rules, sending
from chubei_shared import outbox
from chubei_shared.settings import Settings, mail_server
from pydantic import ValidationError

ONE = "from chubei_allocation.notices import sending\n" \
    "from chubei_shared.db import Transactions, make_engine\n" \
    "from chubei_shared.settings import Settings\n" \
    "s = Settings()\n" \
    "sending.work(Transactions(make_engine(s.database('allocation'), pool_size=1)), sending.Sender(s))\n"  # fmt: skip


@pytest.fixture
def hooked(board, web):
    """The duty officer's post with a webhook; its secret."""
    made = board.put(
        "DUTY",
        holder="wang",
        deputy="li",
        escalates_to="HEAD",
        channels=[{"kind": "webhook", "url": web.url}],
    )
    return made.new_secrets[0].secret


def until(met) -> None:
    end = time.monotonic() + 60
    while not met():
        assert time.monotonic() < end
        time.sleep(0.05)


def test_a_receiver_that_is_down_at_first_gets_it_when_it_is_up(board, web, hooked):
    notice = board.tell("k", ack_within_min=15)
    board.work()
    waiting = board.deliveries(notice)["webhook"]
    assert (waiting.state, waiting.attempts) == ("waiting", 1)
    assert "Connect" in waiting.problem
    with web.up():
        board.work()
        assert web.received == []  # not yet time to try again
        board.in_a_while()
        board.work()
    (came,) = web.received
    assert came.headers["Idempotency-Key"] == str(waiting.id)
    wanted = hmac.new(hooked.encode(), came.body, hashlib.sha256).hexdigest()
    assert came.headers["Chubei-Signature"] == f"sha256={wanted}"
    told = came.json()
    assert (told["subject"], told["zh"], told["ack_within_min"]) == (notice.subject, notice.zh, 15)
    done = board.deliveries(notice)["webhook"]
    assert (done.state, done.attempts, done.problem) == ("delivered", 2, None)
    with web.up():
        board.in_a_while()
        board.work()
    assert len(web.received) == 1


@pytest.mark.parametrize("status", [301, 307, 400, 404, 429, 500, 503])
def test_anything_but_2xx_is_tried_again_and_redirects_are_not_followed(board, web, hooked, status):
    web.answer = lambda _: status
    web.headers = {"Location": f"http://127.0.0.1:{web.port}/elsewhere"}
    notice = board.tell("k")
    with web.up():
        board.work()
    assert [came.path for came in web.received] == ["/hook"]
    waiting = board.deliveries(notice)["webhook"]
    assert (waiting.state, waiting.problem.split()[:2]) == ("waiting", ["HTTP", str(status)])


def test_after_a_day_it_is_given_up_and_says_why(board, web, hooked):
    notice = board.tell("k")
    board.work()
    board.sql("UPDATE notice_delivery SET created_at = created_at - :day", day=rules.GIVE_UP_AFTER)
    board.in_a_while()
    board.work()
    given_up = board.deliveries(notice)["webhook"]
    assert (given_up.state, given_up.next_try_at) == ("failed", None)
    assert "Connect" in given_up.problem


def test_a_receiver_that_hangs_keeps_no_other_waiting(board, web, hooked):
    """Both are taken at once; the one that hangs is over after its time."""
    release = threading.Event()
    web.answer = lambda came: 204 if "quick" in came.path else (release.wait(30), 204)[1]
    board.put("HEAD", channels=[{"kind": "webhook", "url": web.url.replace("hook", "quick")}])
    slow, quick = board.tell("slow"), board.tell("quick", to="HEAD")
    with web.up():
        board.work()
        release.set()
    assert board.deliveries(quick)["webhook"].state == "delivered"
    assert board.deliveries(slow)["webhook"].problem.startswith(("TimeoutError", "ReadTimeout"))


def test_a_channel_that_was_taken_away_gets_nothing(board, web, hooked):
    notice = board.tell("k")
    board.work()
    board.put("DUTY", holder="wang")
    with web.up():
        board.in_a_while()
        board.work()
    assert web.received == []
    assert board.deliveries(notice)["webhook"].state == "cancelled"


def test_a_new_secret_signs_from_then_on(board, web, hooked):
    second = board.admin.new_secret("DUTY", web.url).secret
    board.tell("k")
    with web.up():
        board.work()
    assert web.received[0].headers["Chubei-Signature"] == sending.signature(second, web.received[0].body)


def test_a_retry_that_another_clock_put_off_for_days_is_due(board, web, hooked):
    notice = board.tell("k")
    board.work()
    board.sql("UPDATE notice_delivery SET try_at = try_at + interval '3 days' WHERE status = 'queued'")
    with web.up():
        board.work()
    assert board.deliveries(notice)["webhook"].state == "delivered"


# Workers that die, or come late


@contextmanager
def worker(board):
    settings = board.house.settings
    environment = os.environ | {
        "CHUBEI_DATABASE_URL": settings.database_url,
        "CHUBEI_DATABASE_PREFIX": settings.database_prefix,
        "CHUBEI_REDIS_URL": settings.redis_url,
        "CHUBEI_KEYS_DIR": str(settings.keys_dir),
    }
    process = subprocess.Popen([sys.executable, "-c", ONE], env=environment, start_new_session=True)
    try:
        yield process
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def test_a_worker_killed_between_sending_and_recording_sends_it_again_under_the_same_key(board, web, hooked):
    release = threading.Event()
    web.answer = lambda _: (release.wait(60), 204)[1]
    notice = board.tell("k")
    with web.up():
        with worker(board) as process:
            until(lambda: web.received)
            os.killpg(process.pid, signal.SIGKILL)
        release.set()
        web.answer = lambda _: 204
        board.work()
        assert len(web.received) == 1  # the dead worker's lease still runs
        board.sql(
            "UPDATE notice_delivery SET lease_until = now() - interval '1 second' WHERE status = 'running'"
        )
        board.work()
    first, second = web.received
    assert first.headers["Idempotency-Key"] == second.headers["Idempotency-Key"]
    assert first.body == second.body
    done = board.deliveries(notice)["webhook"]
    assert (done.state, done.attempts) == ("delivered", 2)


def test_who_lost_the_lease_records_nothing(board, hooked):
    notice = board.tell("k")
    board.tx(sending.routing.route)
    (slow,) = board.tx(deliveries.take)
    assert board.tx(deliveries.take) == []
    board.sql(
        "UPDATE notice_delivery SET lease_until = lease_until - interval '1 hour' WHERE status = 'running'"
    )
    (quick,) = board.tx(deliveries.take)
    assert board.tx(deliveries.record, quick, None)
    assert not board.tx(deliveries.record, slow, "too late")
    assert board.deliveries(notice)["webhook"].state == "delivered"


def test_a_real_worker_sends_what_was_told(board, web, hooked, tmp_path):
    """Celery, woken by the outbox and by beat."""
    settings, stop = board.house.settings, threading.Event()
    relay = threading.Thread(target=outbox.run, args=("allocation", settings, stop))
    relay.start()
    environment = os.environ | {
        "CHUBEI_DATABASE_URL": settings.database_url,
        "CHUBEI_DATABASE_PREFIX": settings.database_prefix,
        "CHUBEI_REDIS_URL": settings.redis_url,
        "CHUBEI_KEYS_DIR": str(settings.keys_dir),
    }
    options = [
        "worker",
        "-c",
        "1",
        "-Q",
        "allocation",
        "-B",
        "-s",
        str(tmp_path / "beat"),
        "--without-gossip",
    ]
    log = (tmp_path / "log").open("wb")
    process = subprocess.Popen(
        [sys.executable, "-m", "celery", "-A", "chubei_allocation.tasks:celery_app", *options],
        env=environment, stdout=log, stderr=log, start_new_session=True,
    )  # fmt: skip
    try:
        with web.up():
            notice = board.tell("k")
            until(lambda: board.deliveries(notice).get("webhook", notice) is not notice)
            until(lambda: board.deliveries(notice)["webhook"].state == "delivered")
        assert len(web.received) == 1
    finally:
        stop.set()
        relay.join()
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(60)
        log.close()


# Mail


@pytest.fixture
def mailed(board):
    board.put("DUTY", holder="wang", channels=[{"kind": "email", "address": "duty@example.gov.cn"}])


def sender(board, url: str) -> sending.Sender:
    return sending.Sender(board.house.settings.model_copy(update={"smtp_url": url}))


def test_mail_goes_out_over_tls_with_a_password(board, mail, mailed):
    notice = board.tell("k")
    with mail.up():
        board.work(sender(board, mail.url))
    (envelope,) = mail.envelopes
    assert envelope.rcpt_tos == ["duty@example.gov.cn"]
    message = email.message_from_bytes(envelope.content, policy=email.policy.default)
    assert message["Subject"] == notice.subject
    assert message["From"] == "notices@example.gov.cn"
    assert message["Message-ID"] == f"<{board.deliveries(notice)['email'].id}@example.gov.cn>"
    assert message.get_content().split() == ["内容", "k", "text", "k"]
    assert board.deliveries(notice)["email"].state == "delivered"


def test_mail_without_a_server_is_reported_and_goes_out_once_there_is_one(board, mail, mailed):
    notice = board.tell("k")
    board.work()
    unsent = board.deliveries(notice)["email"]
    assert unsent.state == "not_configured"
    assert "CHUBEI_SMTP_URL" in unsent.problem
    with mail.up():
        board.in_a_while()
        board.work(sender(board, mail.url))
    assert board.deliveries(notice)["email"].state == "delivered"


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (("p%40ss", "wrong"), "SMTPAuthenticationError"),
        (("&cafile=", "&nofile="), "SSLCertVerificationError"),
    ],
)
def test_mail_that_the_server_does_not_take_waits(board, mail, mailed, change, problem):
    notice = board.tell("k")
    with mail.up():
        board.work(sender(board, mail.url.replace(*change)))
    waiting = board.deliveries(notice)["email"]
    assert (waiting.state, mail.envelopes) == ("waiting", [])
    assert waiting.problem.startswith(problem)


def test_a_mail_server_is_named_whole_or_not_at_all(settings):
    assert mail_server("smtp://h?from=a@b.cn").port == 587
    assert mail_server("smtps://h?from=a@b.cn").port == 465
    given = settings.model_dump(exclude={"server"})
    for wrong in ("mail.example.cn", "http://h?from=a@b.cn", "smtp://h", "smtp://h:x?from=a@b.cn"):
        with pytest.raises(ValidationError, match="smtp://"):
            Settings.model_validate(given | {"smtp_url": wrong})


# What doctor sees


def test_what_no_worker_sends_is_named(board, web, hooked):
    def named():
        return board.tx(
            lambda session: [
                (d.rows["table"], d.found) for d in proof.differences(session) if d.check == "notice"
            ]
        )

    board.tell("k")
    assert named() == []
    board.sql("UPDATE notice SET told_at = told_at - interval '11 minutes'")
    assert named() == [("notice", "waiting")]
    board.work()
    assert named() == []
    board.sql("UPDATE notice_delivery SET try_at = try_at - interval '1 hour' WHERE status = 'queued'")
    assert named() == [("notice_delivery", "queued")]
