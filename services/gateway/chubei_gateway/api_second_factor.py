"""Routes of the second factor: one's own, and its reset by an administrator."""

import io

import segno
from chubei_shared.access import CurrentCaller, Tx, allow
from chubei_shared.contracts.second_factor import (
    BeginSecondFactor,
    ConfirmSecondFactor,
    RecoveryCodes,
    SecondFactorProof,
    SecondFactorSecret,
    SecondFactorView,
)
from chubei_shared.db import Transactions
from chubei_shared.errors import Conflict, Invalid
from chubei_shared.tokens import PEOPLE, Caller, Role
from fastapi import APIRouter, Request

from chubei_gateway import audit, enrolment, identity, passwords
from chubei_gateway.api_parameters import address_of
from chubei_gateway.api_people import Username
from chubei_gateway.api_sessions import announce
from chubei_gateway.limits import Tries
from chubei_gateway.second_factor import factors, totp
from chubei_gateway.second_factor.factors import Verdict
from chubei_gateway.second_factor.keys import Keys

router = APIRouter(tags=["sign-in"])


@router.get(
    "/v1/me/second-factor",
    summary="本人的二次验证 / One's own second factor",
    **allow(*PEOPLE, while_enrolment_due=True),
)
def read_second_factor(caller: CurrentCaller, tx: Tx) -> SecondFactorView:
    return tx(enrolment.view, caller.subject)


@router.post(
    "/v1/me/second-factor",
    summary="开始绑定验证器 / Begin to enrol an authenticator",
    **allow(*PEOPLE, while_enrolment_due=True),
)
def begin_second_factor(
    body: BeginSecondFactor, request: Request, caller: CurrentCaller, tx: Tx
) -> SecondFactorSecret:
    """A new secret each time; it counts for nothing until it is confirmed by a code."""
    _check_password(body.password, request, caller, tx)
    secret = tx(enrolment.begin, _keys(request), caller)
    uri, drawn = totp.uri(secret, caller.subject), io.BytesIO()
    segno.make(uri, error="m", micro=False).save(
        drawn, kind="svg", border=4, xmldecl=False, dark="#000", light="#fff"
    )
    return SecondFactorSecret(secret=totp.written(secret), uri=uri, qr_svg=drawn.getvalue().decode())


@router.post(
    "/v1/me/second-factor:confirm",
    summary="以验证码确认绑定 / Confirm it by a code",
    **allow(*PEOPLE, while_enrolment_due=True),
)
def confirm_second_factor(
    body: ConfirmSecondFactor, request: Request, caller: CurrentCaller, tx: Tx
) -> RecoveryCodes:
    """Ends the other sessions. Who was let in only to enrol renews the tokens now (POST /v1/sessions:refresh)."""
    tries = Tries.of_second_factor(request.app.state.redis, caller.subject)
    tries.take()
    codes = tx(enrolment.confirm, _keys(request), caller, body.code)
    tries.succeeded()
    announce(request, tx)
    return RecoveryCodes(codes=codes)


@router.post(
    "/v1/me/second-factor/recovery-codes", summary="另发恢复码 / New recovery codes", **allow(*PEOPLE)
)
def renew_recovery_codes(
    body: SecondFactorProof, request: Request, caller: CurrentCaller, tx: Tx
) -> RecoveryCodes:
    """In place of all earlier ones."""
    _check(body, request, caller, tx)
    return RecoveryCodes(codes=tx(enrolment.renew_codes, _keys(request), caller))


@router.post(
    "/v1/me/second-factor:remove", status_code=204, summary="解除绑定 / Take it off", **allow(*PEOPLE)
)
def remove_second_factor(body: SecondFactorProof, request: Request, caller: CurrentCaller, tx: Tx) -> None:
    """By password and code (or a recovery code): for a new phone, say. Ends the other sessions."""
    _check(body, request, caller, tx)
    tx(enrolment.remove, caller)
    announce(request, tx)


@router.post(
    "/v1/users/{username}/second-factor:reset",
    status_code=204,
    tags=["people"],
    summary="重置他人的二次验证 / Reset a person's second factor",
    **allow(Role.ADMIN),
)
def reset_second_factor(username: Username, request: Request, caller: CurrentCaller, tx: Tx) -> None:
    """For who lost phone and recovery codes: make sure it is them. Ends their sessions; the event tells them."""
    tx(enrolment.reset, username, caller)
    announce(request, tx)


def _check(body: SecondFactorProof, request: Request, caller: Caller, tx: Transactions) -> None:
    _check_password(body.password, request, caller, tx)
    tries = Tries.of_second_factor(request.app.state.redis, caller.subject)
    tries.take()
    found = tx(factors.verdict, _keys(request), caller.subject, body.code)
    if found is Verdict.NOT_ASKED:
        raise Conflict("尚未绑定验证器", "There is no second factor")
    if found is not Verdict.RIGHT:
        raise _wrong("code", "验证码不对或已用过", "the code is wrong, or was used before")
    tries.succeeded()


def _check_password(password: str, request: Request, caller: Caller, tx: Transactions) -> None:
    tries = Tries.of_password(request.app.state.redis, caller.subject, address_of(request))
    tries.take()
    known = tx(identity.credentials, caller.subject)
    if known is None or not passwords.matches(password, known[1]):
        tx(audit.record, caller.subject, "second_factor.password", caller.subject, 422)
        raise _wrong("password", "密码不对", "the password is wrong")
    tries.succeeded()


def _wrong(field: str, problem: str, problem_en: str) -> Invalid:
    return Invalid(
        f"{field}:{problem},请重新输入",
        f"{field}: {problem_en}: type it again",
        errors=[
            {
                "field": field,
                "problem": f"{problem} / {problem_en}",
                "remedy": "重新输入 / type it again",
            }
        ],
    )


def _keys(request: Request) -> Keys:
    keys: Keys = request.app.state.second_factor_keys
    return keys
