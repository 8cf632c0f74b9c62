"""Funds: one budget, of which each thing that may be bought has its part (a reserve of mode fund)."""

from collections.abc import Collection, Mapping
from decimal import Decimal

from chubei_shared.contracts.base import Mode
from chubei_shared.contracts.funds import FundAccount, FundAccountPage, FundAccountView
from chubei_shared.contracts.reserves import Fund
from chubei_shared.cursors import cursor_of, key_of, name
from chubei_shared.editions import etag_of, refuse_other_edition
from chubei_shared.errors import Conflict, Invalid, NotFound
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from chubei_inventory import tables
from chubei_inventory.stock.pool import sql

# What is paid differs from the agreed price where the price is the market's: from when it is confirmed.
_MONEY = """
    SELECT r.account_id, sum(r.budget_fen)::bigint AS allotted,
           sum(r.held * r.unit_price_fen + coalesce(told.open, 0))::bigint AS held,
           sum(r.used * r.unit_price_fen + coalesce(told.paid, 0))::bigint AS spent
    FROM reserve r LEFT JOIN (
        SELECT c.reserve_id, sum(s.amount_fen - s.quantity * f.unit_price_fen)
                   FILTER (WHERE s.state = 'collected') AS paid,
               sum(s.amount_fen - s.quantity * f.unit_price_fen)
                   FILTER (WHERE s.state IN ('confirmed', 'ready')) AS open
        FROM call_off c JOIN reserve f ON f.id = c.reserve_id AND f.mode = 'fund'
            JOIN LATERAL (SELECT * FROM call_off_step WHERE call_off_id = c.id ORDER BY seq DESC LIMIT 1) s ON true
        GROUP BY c.reserve_id) AS told ON told.reserve_id = r.id
    WHERE %s GROUP BY r.account_id
    """
_OF_ACCOUNTS = sql(_MONEY % "r.account_id = ANY(:ids)", ids="text")
_OF_RESERVE = sql(_MONEY % "r.id = :id")


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
            f"{account.id} 已划定 {_yuan(allotted)} 元,预算不能降到 {_yuan(account.budget_fen)} 元;请先调低各项",
            f"{account.id} has {_yuan(allotted)} yuan allotted, so {_yuan(account.budget_fen)} is too few: lower its "
            "parts first",
            allotted_fen=allotted,
        )


def left(session: Session, account_ids: Collection[str]) -> dict[str, int]:
    """Lock funds, and read what of each is not allotted yet, in fen; those that are not there are left out."""
    if not account_ids:
        return {}
    a, r = tables.FundAccount, tables.Reserve
    there = select(a).where(a.id.in_(account_ids)).order_by(a.id).with_for_update()
    budgets = {row.id: row.budget_fen for row in session.scalars(there)}
    parts = (
        select(r.account_id, func.sum(r.budget_fen)).where(r.account_id.in_(budgets)).group_by(r.account_id)
    )
    allotted = {account_id: int(fen or 0) for account_id, fen in session.execute(parts)}
    return {account_id: fen - allotted.get(account_id, 0) for account_id, fen in budgets.items()}


def refuse_over_budget(part: Fund, left_fen: Mapping[str, int]) -> None:
    """Raises Invalid for a fund that is not there, Conflict where its parts would come to more than its budget."""
    if part.account_id is None:
        return
    if part.account_id not in left_fen:
        raise Invalid(
            f"account_id:{part.account_id} 未登记,请先登记:PUT /v1/funds/{{id}}",
            f"account_id: {part.account_id} is not registered: register it first, PUT /v1/funds/{{id}}",
            errors=[{"field": "account_id", "problem": "not registered", "remedy": "PUT /v1/funds/{id}"}],
        )
    left = left_fen[part.account_id]
    if part.budget_fen > left:
        raise Conflict(
            f"budget:资金 {part.account_id} 只余 {_yuan(left)} 元未划定,少于 {_yuan(part.budget_fen)} 元;"
            "请改小或先增加预算",
            f"budget: fund {part.account_id} has {_yuan(left)} yuan left to allot, not {_yuan(part.budget_fen)}: "
            "lower it, or raise the fund's budget",
            errors=[
                {"field": "budget_fen", "problem": f"只余 {_yuan(left)} 元 / {_yuan(left)} yuan are left",
                 "remedy": "改小,或先增加预算 / lower it, or raise the fund's budget"}
            ],
            left_fen=left,
        )  # fmt: skip


def refuse_overspent(session: Session, reserve: tables.Reserve, more_fen: int) -> None:
    """Raises Conflict where something costs so much more than was reckoned that its fund has not as much left."""
    if reserve.mode != Mode.FUND or more_fen <= 0:
        return
    if reserve.account_id is None:
        session.refresh(reserve, with_for_update=True)
        of = session.execute(_OF_RESERVE, {"id": reserve.id}).one()
        named, left = reserve.id, (reserve.budget_fen or 0) - int(of.held) - int(of.spent)
    else:
        account = session.get_one(tables.FundAccount, reserve.account_id, with_for_update=True)
        named, left = account.id, _views(session, [account])[0].left_fen
    if more_fen > left:
        raise Conflict(
            f"amount_fen:资金 {named} 只余 {_yuan(left)} 元,不足多付的 {_yuan(more_fen)} 元;请核对金额,或先增加预算",
            f"amount_fen: fund {named} has {_yuan(left)} yuan left, not the {_yuan(more_fen)} yuan that this costs "
            "more: correct it, or raise the fund's budget first",
            errors=[
                {"field": "amount_fen", "problem": f"只余 {_yuan(left)} 元 / {_yuan(left)} yuan are left",
                 "remedy": "核对金额,或先增加预算 / correct it, or raise the fund's budget"}
            ],
            left_fen=left,
        )  # fmt: skip


def _yuan(fen: int) -> str:
    return f"{Decimal(fen) / 100:,.2f}"


def _allotted(session: Session, account_id: str) -> int:
    """What the parts of a fund come to."""
    parts = select(func.sum(tables.Reserve.budget_fen)).where(tables.Reserve.account_id == account_id)
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
    money = {row.account_id: row for row in session.execute(_OF_ACCOUNTS, {"ids": [row.id for row in found]})}
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
