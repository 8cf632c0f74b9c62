"""What every service proves of its own records: the outbox drained, the chain whole, the newest migration applied.

A check names the rows that differ, with what was expected and what was found. It never repairs.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from hashlib import sha256
from importlib.resources import files
from typing import Any, NamedTuple

from sqlalchemy import text
from sqlalchemy.orm import Session

from chubei_shared import seals
from chubei_shared.contracts.proof import Difference
from chubei_shared.hash_chain import Anchor, Break, Fault

LATE_S = 300
"""An event that has waited for so long is stuck: the relay looks every two seconds."""
UNSEALED_S = 900
"""A record that has waited for its seal for so long is forgotten: sealing runs every minute."""


class Found(NamedTuple):
    """A difference without words. `rows` names the table and the key in it."""

    check: str
    rows: dict[str, Any]
    expected: str
    found: str


class Words(NamedTuple):
    problem: str
    problem_en: str
    remedy: str
    remedy_en: str


COMMON: Mapping[str, Words] = {
    "outbox": Words(
        "消息滞留在发件箱", "an event is stuck in the outbox",
        "查看该服务的 outbox 进程与消息服务器(chubei status)",
        "see that the service's outbox relay and the message server run (chubei status)",
    ),
    "chain": Words(
        "审计链断裂:记录在封存后被改动", "the audit chain is broken: a record was changed after it was sealed",
        "停止改动,保全数据库与备份,由审计人员与备份比对所列的行",
        "change nothing, keep the database and its backups, and let an auditor compare the named row with a backup",
    ),
    "unsealed": Words(
        "记录迟迟未封存", "a record waits for its seal",
        "查看该服务的后台任务(chubei status);若数据库刚从备份恢复,请告知开发者",
        "see that the service's worker and beat run (chubei status)",
    ),
    "migration": Words(
        "数据库结构不是最新", "the database is not at the newest migration",
        "执行 chubei migrate", "run chubei migrate",
    ),
}  # fmt: skip

_STUCK = text(
    "SELECT id, topic, extract(epoch FROM now() - at)::bigint AS age_s FROM outbox "
    "WHERE sent_at IS NULL AND at < now() - make_interval(secs => :late_s) ORDER BY id LIMIT 100"
)


def outbox(session: Session, late_s: int = LATE_S) -> Iterator[Found]:
    for row in session.execute(_STUCK, {"late_s": late_s}):
        key = {"table": "outbox", "id": row.id, "topic": row.topic}
        yield Found("outbox", key, f"sent within {late_s} s", "not sent")


def chain(
    session: Session, sources: Iterable[seals.Source], anchors: Iterable[Anchor] = ()
) -> Iterator[Found]:
    """The chain recomputed, and records that no seal covers."""
    sources = list(sources)
    yield from map(_of_break, seals.verify(session, sources, anchors))
    for source in sources:
        for row in seals.waiting(session, source, UNSEALED_S):
            yield Found(
                "unsealed", {"table": source.name, "id": row}, f"sealed within {UNSEALED_S} s", "not sealed"
            )


_EXPECTED = {
    Fault.SEAL_ALTERED: "the hash that its content has",
    Fault.SEAL_MISSING: "a seal of this number",
    Fault.ROW_ALTERED: "as it was sealed",
    Fault.ROW_MISSING: "as it was sealed",
    Fault.ROW_ADDED: "no such row when it was sealed",
    Fault.CUT_OFF: "the seal that was told before",
}


def _of_break(broken: Break) -> Found:
    key = {"table": broken.source, "seal": broken.number}
    if broken.row is not None:
        key["id"] = broken.row
    return Found("chain", key, _EXPECTED[broken.fault], broken.fault.value)


def migration(session: Session, head: str) -> Iterator[Found]:
    now = session.scalar(text("SELECT string_agg(version_num, ', ') FROM alembic_version"))
    if now != head:
        yield Found("migration", {"table": "alembic_version"}, head, str(now))


def newest_migration(package: str) -> str:
    """The revision of a service's code that no other revision follows."""
    versions = files(package).joinpath("migrations", "versions")
    told = [file.read_text("utf-8") for file in versions.iterdir() if file.name.endswith(".py")]
    revisions = {name for one in told for name in _REVISION.findall(one)}
    followed = {name for one in told for name in _FOLLOWS.findall(one)}
    return ", ".join(sorted(revisions - followed))


_REVISION = re.compile(r'^revision = "([^"]+)"', re.MULTILINE)
_FOLLOWS = re.compile(r'^down_revision = "([^"]+)"', re.MULTILINE)


def told(found: Found, words: Mapping[str, Words]) -> Difference:
    """The difference as it is told to people."""
    said = words[found.check]
    return Difference(**found._asdict(), **said._asdict())


def fingerprint(found: Found) -> bytes:
    """The same for the same difference, whenever it is found."""
    return sha256(json.dumps(found, sort_keys=True, default=str).encode()).digest()


def news(now: Iterable[Found], before: Iterable[bytes]) -> list[Found]:
    """Those of `now` that were not there `before`: a difference is told once, until it is gone and comes again."""
    known = set(before)
    return [found for found in now if fingerprint(found) not in known]
