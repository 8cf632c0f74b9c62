"""Whether the gateway's records are whole: the audit's chain, the outbox, the migrations. Nothing is repaired."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime

from chubei_shared import proof, seals
from chubei_shared.contracts.identity import AuditVerification
from chubei_shared.hash_chain import Anchor
from chubei_shared.proof import COMMON, Found
from sqlalchemy.orm import Session

from chubei_gateway import audit

WORDS = COMMON


def differences(session: Session, anchors: Iterable[Anchor] = ()) -> Iterator[Found]:
    """All of them. They see one moment if the caller's transaction does."""
    yield from proof.outbox(session)
    yield from proof.migration(session, proof.newest_migration("chubei_gateway"))
    yield from proof.chain(session, audit.SOURCES, anchors)


def verification(session: Session) -> AuditVerification:
    """The audit's chain recomputed; what it covers, and its end."""
    newest = seals.newest(session)
    return AuditVerification(
        verified_at=datetime.now(UTC),
        sealed=seals.sealed(session),
        last_seal=newest.number if newest else 0,
        last_hash=newest.hash.hex() if newest else None,
        differences=[proof.told(found, WORDS) for found in proof.chain(session, audit.SOURCES)],
    )
