"""How a stocktake goes on: to review when all is counted, back for more, posted by somebody else, or cancelled."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from chubei_shared.contracts.stocktakes import (
    LineStatus,
    Stocktake,
    StocktakeState,
    StocktakeStep,
    StocktakeView,
)
from chubei_shared.editions import refuse_other_edition
from chubei_shared.errors import Conflict, Forbidden
from chubei_shared.outbox import enqueue
from chubei_shared.state_words import zh, zh_any
from chubei_shared.tokens import Caller, Role, roles_zh
from sqlalchemy import func, select, text, update
from sqlalchemy.orm import Session

from chubei_inventory.fingerprint import fingerprint, other_content
from chubei_inventory.ledger import laws
from chubei_inventory.ledger.laws import Goods, Leg
from chubei_inventory.stock import accounts, posting
from chubei_inventory.stock.pool import Row, lock, sql
from chubei_inventory.stocktake import judging, rules, stocktakes, tables
from chubei_inventory.stocktake.judging import Judged
from chubei_inventory.stocktake.rules import MOVES
from chubei_inventory.stocktake.tables import Count, Line, Step

_S = StocktakeState
WHO: Mapping[StocktakeState, frozenset[Role]] = {
    _S.REVIEW: frozenset({Role.CLERK, Role.ADMIN}),
    _S.COUNTING: frozenset({Role.APPROVER, Role.ADMIN}),
    _S.POSTED: frozenset({Role.APPROVER, Role.ADMIN}),
    _S.CANCELLED: frozenset({Role.APPROVER, Role.ADMIN}),
}
"""Who brings a stocktake into a state; a clerk only at the own place. Who opened it may cancel it."""
_NAMED = 100
_LOTS = text("SELECT account, item_code, lot_id FROM stocktake_line WHERE stocktake_id = :id")
_CLOSE_LINES = sql(
    """
    UPDATE stocktake_line n SET is_open = false, count_id = j.count_id, difference = j.difference
    FROM unnest(:accounts, :lots, :counts, :differences) AS j (account, lot_id, count_id, difference)
    WHERE n.stocktake_id = :id AND n.account = j.account AND n.lot_id = j.lot_id
    """,
    accounts="text", lots="uuid", counts="uuid", differences="int",
)  # fmt: skip


def step(
    session: Session, stocktake_id: UUID, body: StocktakeStep, caller: Caller, if_match: str | None
) -> tuple[StocktakeView, bool]:
    """Take a step; the flag says whether it is new.

    Raises NotFound, Forbidden, Conflict; for a posting PreconditionRequired, PreconditionFailed.
    """
    stocktake, state = stocktakes.find(session, stocktake_id, lock=True), _S(body.state)
    _refuse_stranger(stocktake, state, caller)
    if (known := session.get(Step, body.id)) is not None:
        if (known.stocktake_id, known.body_hash) != (stocktake_id, fingerprint(body)):
            raise other_content(body.id)
        return stocktakes.get(session, stocktake_id), False
    _refuse_move(stocktake, state)
    if state is _S.REVIEW:
        _refuse_unfinished(judging.lines(session, stocktake))
    closing: dict[str, Any] = {}
    if state is _S.POSTED:
        closing = _post(session, stocktake, body, caller, if_match)
    elif state is _S.CANCELLED:
        session.execute(update(Line).where(Line.stocktake_id == stocktake_id).values(is_open=False))
    if not MOVES[state]:
        closing |= {"closed_at": datetime.now(UTC), "closed_by": caller.person}
    for column, value in {**closing, "state": state}.items():
        setattr(stocktake, column, value)
    session.flush()
    last = session.scalar(select(func.max(Step.seq)).where(Step.stocktake_id == stocktake_id)) or 0
    told = body.model_dump() | {"body_hash": fingerprint(body), "recorded_by": caller.person}
    session.add(Step(**told, stocktake_id=stocktake_id, seq=last + 1))
    session.flush()
    stocktakes.tell(session, stocktake_id, stocktake.place_id, state)
    return stocktakes.get(session, stocktake_id), True


def _refuse_stranger(stocktake: tables.Stocktake, state: StocktakeState, caller: Caller) -> None:
    may = caller.roles & WHO[state]
    if may == {Role.CLERK} and stocktake.place_id not in caller.places:
        may = frozenset()
    if state is _S.CANCELLED and caller.person == stocktake.opened_by:
        return
    if not may:
        need = "/".join(sorted(WHO[state]))
        raise Forbidden(
            f"须由{roles_zh(WHO[state])}办理", f"This is for the role {need}", roles=sorted(WHO[state])
        )


def _refuse_move(stocktake: tables.Stocktake, state: StocktakeState) -> None:
    following = MOVES[_S(stocktake.state)]
    if state not in following:
        may = ", ".join(sorted(following))
        raise Conflict(
            f"盘点{zh(StocktakeState, stocktake.state)},不能改为{zh(StocktakeState, state)};"
            + (f"可改为{zh_any(StocktakeState, following)}" if may else "已结束,请另开盘点"),
            f"The stocktake is {stocktake.state} and can not become {state}: "
            + (f"it may become {may}" if may else "it is closed, open another"),
            state=stocktake.state,
            may_become=sorted(following),
        )


def _refuse_unfinished(judged: Sequence[Judged]) -> None:
    """Raises Conflict that names the lines still to be counted, blind as the sheet."""
    left = [one for one in judged if one.verdict.status in (LineStatus.TO_COUNT, LineStatus.TO_RECOUNT)]
    if left:
        first = left[0].line
        raise Conflict(
            f"还有 {len(left)} 行待清点或复盘,如 {first.account} 的批次 {first.lot_no};没有找到的请报 0",
            f"{len(left)} lines are still to be counted or recounted, such as lot {first.lot_no} at {first.account}: "
            "report 0 for what is not there",
            lines=[
                {
                    "account": one.line.account,
                    "lot_id": str(one.line.lot_id),
                    "status": one.verdict.status.value,
                }
                for one in left[:_NAMED]
            ],
        )


def _post(
    session: Session, stocktake: tables.Stocktake, body: StocktakeStep, caller: Caller, if_match: str | None
) -> dict[str, Any]:
    """Let the books follow, by one adjustment; returns what the stocktake's row then says.

    Its lots are locked first, so that what is judged is what is posted.
    """
    _refuse_involved(session, stocktake, caller)
    named = session.execute(_LOTS, {"id": stocktake.id}).all()
    lock(session, {Row(n.account, n.item_code) for n in named}, lots=[n.lot_id for n in named])
    judged = judging.lines(session, stocktake)
    refuse_other_edition(if_match, judging.etag(judged))
    _refuse_unfinished(judged)
    legs = _legs(judged)
    in_dispute = bool(legs) and _adjust(session, stocktake, body, legs, judged, caller)
    counted = [(one.line, one.verdict.by) for one in judged]
    session.execute(
        _CLOSE_LINES,
        {
            "id": stocktake.id,
            "accounts": [line.account for line, _ in counted],
            "lots": [line.lot_id for line, _ in counted],
            "counts": [by and by.id for _, by in counted],
            "differences": [by and by.difference for _, by in counted],
        },
    )
    counted_lines, right = rules.accuracy(one.verdict for one in judged)
    return {
        "movement_id": body.id if legs else None, "in_dispute": in_dispute, "lines_counted": counted_lines,
        "lines_right": right,
    }  # fmt: skip


def _refuse_involved(session: Session, stocktake: tables.Stocktake, caller: Caller) -> None:
    """Who opened it, counted in it or handed it in does not approve it."""
    counted = select(Count.counted_by).where(Count.stocktake_id == stocktake.id)
    handed_in = select(Step.recorded_by).where(Step.stocktake_id == stocktake.id, Step.state == _S.REVIEW)
    involved = {stocktake.opened_by, *session.scalars(counted.distinct()), *session.scalars(handed_in)}
    if caller.person in involved:
        raise Forbidden(
            "开盘、清点或提交的人不能批准差异,请由他人批准",
            "Who opened, counted or handed in a stocktake does not approve it: ask another person",
        )


def _legs(judged: Sequence[Judged]) -> list[Leg]:
    changes: dict[str, dict[Goods, int]] = defaultdict(dict)
    for one in judged:
        if one.verdict.difference:
            changes[one.line.account][Goods(one.line.item_code, one.line.lot_id)] = one.verdict.difference
    return [leg for account, goods in sorted(changes.items()) for leg in laws.adjust(goods, account)]


def _adjust(
    session: Session, stocktake: tables.Stocktake, body: StocktakeStep, legs: list[Leg], judged: Sequence[Judged],
    caller: Caller,
) -> bool:  # fmt: skip
    """Book the adjustment as reports are booked: what is held stays, the rest is in dispute. Whether any is."""
    asked = Stocktake.model_validate(stocktake.body)
    last = max(one.verdict.by.at for one in judged if one.verdict.by)
    row = {
        "id": body.id, "kind": "adjust", "place_id": stocktake.place_id, "body_hash": fingerprint(body),
        # after every count, so that none of them has it in its book: a clock may be some minutes ahead
        "occurred_at": max(datetime.now(UTC), last + timedelta(microseconds=1)),
        "recorded_by": stocktake.opened_by, "approved_by": caller.person,
        "voucher": asked.voucher or f"PD-{stocktake.seq}", "reason": asked.reason,
        "details": {"stocktake_id": str(stocktake.id)},
    }  # fmt: skip
    seqs = posting.begin(session, [row])
    if not seqs:
        raise other_content(body.id)
    booked, short = accounts.settled(legs, accounts.standings(session, list(laws.changes(legs))))
    posting.post(session, [(seqs[body.id].seq, booked)])
    touched = {leg.account for leg in legs if not leg.account.place_id.startswith("outside:")}
    news = {"movement_id": str(body.id), "kind": "adjust", "places": sorted({a.place_id for a in touched})}
    enqueue(session, "stock.moved", news | {"items": sorted({a.goods.item_code for a in touched})})
    return short
