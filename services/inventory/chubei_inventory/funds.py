"""Funds: one budget, of which each thing that may be bought has its part (a reserve of mode fund)."""

from chubei_shared.contracts.funds import FundAccount, FundAccountPage, FundAccountView
from chubei_shared.contracts.reserves import Fund
from chubei_shared.cursors import cursor_of, key_of, name
from chubei_shared.editions import etag_of, refuse_other_edition
from chubei_shared.errors import Conflict, Invalid, NotFound
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from chubei_inventory import tables
from chubei_inventory.pool import sql

# What was paid differs from the agreed price where the price is the market's.
_MONEY = sql(
    """
    SELECT r.account_id, sum(r.budget_fen)::bigint AS allotted, sum(r.held * r.unit_price_fen)::bigint AS held,
           sum(r.used * r.unit_price_fen + coalesce(paid.difference, 0))::bigint AS spent
    FROM reserve r LEFT JOIN (
        SELECT c.reserve_id, sum(s.amount_fen - s.quantity * f.unit_price_fen) AS difference
        FROM call_off c JOIN call_off_step s ON s.call_off_id = c.id AND s.state = 'collected'
            JOIN reserve f ON f.id = c.reserve_id AND f.mode = 'fund'
        GROUP BY c.reserve_id) AS paid ON paid.reserve_id = r.id
    WHERE r.account_id = ANY(:ids) GROUP BY r.account_id
    """,
    ids="text",
)


def put(session: Session, account: FundAccount, if_match: str | None = None) -> FundAccountView:
    """Register a fund, or change it; the same again changes nothing.

    Raises Conflict; PreconditionRequired or PreconditionFailed where `if_match` does not name its edition.
    """
    old = session.get(tables.FundAccount, account.id, with_for_update=True)
    edition = None if old is None else etag_of(_account(old))
    if edition == etag_of(account):
        return get(session, account.id)
    refuse_other_edition(if_match, edition)
    values = account.model_dump(mode="json")
    if old is None:
        session.add(tables.FundAccount(**values))
    else:
        _refuse_too_little(account, _allotted(session, account.id))
        for field, value in values.items():
            setattr(old, field, value)
    session.flush()
    return get(session, account.id)


def _refuse_too_little(account: FundAccount, allotted: int) -> None:
    if account.budget_fen < allotted:
        raise Conflict(
            f"{account.id} 已划定 {allotted} 分,预算不能降到 {account.budget_fen};请先调低各项",
            f"{account.id} has {allotted} fen allotted, so {account.budget_fen} is too few: lower its parts first",
            allotted_fen=allotted,
        )


def refuse_over_budget(session: Session, part: Fund) -> None:
    """Raises Invalid for a fund that is not there, Conflict where its parts would come to more than its budget."""
    if part.account_id is None:
        return
    account = session.get(tables.FundAccount, part.account_id, with_for_update=True)
    if account is None:
        raise Invalid(
            f"account_id:{part.account_id} 未登记,请先登记:PUT /v1/funds/{{id}}",
            f"account_id: {part.account_id} is not registered: register it first, PUT /v1/funds/{{id}}",
            errors=[{"field": "account_id", "problem": "not registered", "remedy": "PUT /v1/funds/{id}"}],
        )
    left = account.budget_fen - _allotted(session, account.id, but=part.id)
    if part.budget_fen > left:
        raise Conflict(
            f"资金 {account.id} 只余 {left} 分未划定,少于 {part.budget_fen};请改小 budget_fen 或先增加预算",
            f"Fund {account.id} has {left} fen left to allot, not {part.budget_fen}: "
            "lower budget_fen, or raise the budget",
            left_fen=left,
        )


def _allotted(session: Session, account_id: str, but: str = "") -> int:
    """What the parts of a fund come to, leaving out one of them."""
    r = tables.Reserve
    parts = select(func.sum(r.budget_fen)).where(r.account_id == account_id, r.id != but)
    return int(session.scalar(parts) or 0)


def get(session: Session, account_id: str) -> FundAccountView:
    """Raises NotFound."""
    row = session.get(tables.FundAccount, account_id)
    if row is None:
        raise NotFound(f"没有资金 {account_id}", f"There is no fund {account_id}")
    return _views(session, [row])[0]


def page(session: Session, cursor: str | None, limit: int) -> FundAccountPage:
    wanted = select(tables.FundAccount).order_by(tables.FundAccount.id).limit(limit + 1)
    if after := key_of(cursor, name):
        wanted = wanted.where(tables.FundAccount.id > after[0])
    found = list(session.scalars(wanted))
    return FundAccountPage(
        rows=_views(session, found[:limit]),
        next_cursor=cursor_of(found[limit - 1].id) if len(found) > limit else None,
    )


def _views(session: Session, found: list[tables.FundAccount]) -> list[FundAccountView]:
    money = {row.account_id: row for row in session.execute(_MONEY, {"ids": [row.id for row in found]})}
    views = []
    for row in found:
        of = money.get(row.id)
        allotted, held, spent = (int(of.allotted), int(of.held), int(of.spent)) if of else (0, 0, 0)
        left = row.budget_fen - held - spent
        view = FundAccountView(
            account=_account(row), allotted_fen=allotted, held_fen=held, spent_fen=spent, left_fen=left
        )
        views.append(view)
    return views


def _account(row: tables.FundAccount) -> FundAccount:
    return FundAccount.model_validate(row, from_attributes=True)
