"""From which difference on another person counts again, as data."""

from chubei_shared.contracts.stocktakes import Threshold
from chubei_shared.editions import etag_of, refuse_other_edition
from sqlalchemy.orm import Session

from chubei_inventory.stocktake.tables import Rule

_IN_FORCE = "default"


def get(session: Session) -> Threshold:
    return Threshold.model_validate(session.get_one(Rule, _IN_FORCE).threshold)


def put(session: Session, threshold: Threshold, if_match: str | None) -> Threshold:
    """Change it for stocktakes to be opened. Raises PreconditionRequired, PreconditionFailed."""
    row = session.get_one(Rule, _IN_FORCE, with_for_update=True)
    before = Threshold.model_validate(row.threshold)
    if threshold != before or if_match is not None:
        refuse_other_edition(if_match, etag_of(before))
    row.threshold = threshold.model_dump(mode="json")
    return threshold
