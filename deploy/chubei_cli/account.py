"""Signing in from the command line, and `chubei password`."""

import contextlib
import os
import sys
from collections.abc import Iterator
from typing import Annotated

import httpx
import typer
from chubei_shared.contracts.gateway_client import GatewayClient
from chubei_shared.contracts.identity import PasswordChange, Tokens
from chubei_shared.errors import AppError, SecondFactorNeeded
from pydantic import ValidationError

from .addresses import http_address
from .errors import CommandError
from .state import state_folder

UrlOption = Annotated[
    str | None,
    typer.Option("--url", help="网关地址 / the gateway (default: the one that runs on the state folder)"),
]
UserOption = Annotated[str, typer.Option("--username", help="账号 / the account")]
PasswordOption = Annotated[
    str | None,
    typer.Option(
        envvar="CHUBEI_PASSWORD",
        help="口令,不给则询问 / the password; asked for if not given",
        show_default=False,
    ),
]


def gateway_url(url: str | None) -> str:
    """The gateway given, else the one of the `up` that runs. Raises CommandError if none does."""
    if url:
        return http_address("--url", url)
    if given := os.environ.get("CHUBEI_GATEWAY_URL"):
        return http_address("CHUBEI_GATEWAY_URL", given)
    state = state_folder(None)
    running = state.running()
    if running is None or not running.ready:
        raise CommandError(
            f"{state.path} 上没有运行的系统:先执行 chubei up,或用 --url / nothing runs on it: "
            "start chubei up first, or give --url"
        )
    return running.urls["gateway"]


@contextlib.contextmanager
def signed_in(url: str | None, username: str, password: str | None) -> Iterator[httpx.Client]:
    """An HTTP client signed in at the gateway; every AppError becomes one line."""
    base = gateway_url(url)
    password = password or _asked(f"{username} 的口令 / password of {username}", "CHUBEI_PASSWORD")
    try:
        with httpx.Client(base_url=base, timeout=60, trust_env=False) as http:
            if _signed_in(GatewayClient(http), username, password).must_change_password:
                raise CommandError(
                    "初始口令须先修改:chubei password / change the first password first: chubei password"
                )
            yield http
    except AppError as error:
        raise CommandError(str(error)) from error


def change_password(
    url: UrlOption = None,
    username: UserOption = "admin",
    password: PasswordOption = None,
    new_password: Annotated[
        str | None,
        typer.Option(envvar="CHUBEI_NEW_PASSWORD", help="新口令 / the new password", show_default=False),
    ] = None,
) -> None:
    """修改口令 / change a password (12 characters or more)."""
    base = gateway_url(url)
    old = password or _asked(f"{username} 的现口令 / present password", "CHUBEI_PASSWORD")
    new = new_password or _asked(
        "新口令(至少 12 位)/ new password (12 characters or more)", "CHUBEI_NEW_PASSWORD", twice=True
    )
    try:
        PasswordChange(old_password=old, new_password=new)
    except ValidationError:  # its own text holds the passwords
        raise CommandError("口令须为 12 至 200 位 / a password has 12 to 200 characters") from None
    try:
        with httpx.Client(base_url=base, timeout=60, trust_env=False) as http:
            gateway = GatewayClient(http)
            _signed_in(gateway, username, old)
            gateway.change_password(old, new)
    except AppError as error:
        raise CommandError(str(error)) from error
    typer.echo("口令已修改 / password changed")


def _signed_in(gateway: GatewayClient, username: str, password: str) -> Tokens:
    try:
        return gateway.sign_in(username, password)
    except SecondFactorNeeded:
        asked = "验证器的 6 位码或恢复码 / the authenticator's code, or a recovery code"
        code = os.environ.get("CHUBEI_CODE") or _asked(asked, "CHUBEI_CODE")
        return gateway.sign_in(username, password, code)


def _asked(prompt: str, variable: str, twice: bool = False) -> str:
    """A password typed at the terminal; where there is none, the environment is the way."""
    if not sys.stdin.isatty():
        raise CommandError(f"没有终端可询问{prompt}：请设 {variable} / no terminal to ask: set {variable}")
    again = "再输一次 / once more" if twice else False
    return str(typer.prompt(prompt, hide_input=True, confirmation_prompt=again, err=True))
