"""The rules of care as data: read by all, changed by those who keep master data."""

from chubei_shared.contracts.care import CareKind, CareRule
from chubei_shared.editions import etag_of, refuse_other_edition
from sqlalchemy import select
from sqlalchemy.orm import Session

from chubei_inventory.care.tables import Rule


def every(session: Session) -> list[CareRule]:
    return [_view(row) for row in session.scalars(select(Rule).order_by(Rule.kind))]


def get(session: Session, kind: CareKind) -> CareRule:
    return _view(session.get_one(Rule, kind))


def put(session: Session, rule: CareRule, if_match: str | None) -> CareRule:
    """Change a rule; the next run judges by it. Raises PreconditionRequired, PreconditionFailed."""
    row = session.get_one(Rule, rule.kind, with_for_update=True)
    before = _view(row)
    if rule != before or if_match is not None:
        refuse_other_edition(if_match, etag_of(before))
    for column, value in rule.model_dump(mode="json").items():
        setattr(row, column, value)
    session.flush()
    return rule


def _view(row: Rule) -> CareRule:
    return CareRule.model_validate(row, from_attributes=True)
