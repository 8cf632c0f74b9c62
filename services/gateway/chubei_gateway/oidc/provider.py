"""The identity provider: where a person is sent to sign in, and who it then says they are.

OpenID Connect Core 1.0, authorization code flow, with PKCE (RFC 7636), state and nonce. Tokens are checked by PyJWT.
"""

import hashlib
import secrets
import ssl
import time
from base64 import urlsafe_b64encode
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlencode

import httpx
import jwt
from chubei_shared.errors import Unavailable
from chubei_shared.settings import Settings
from chubei_shared.telemetry import log

_ALGORITHMS: Final = ["RS256", "RS384", "RS512", "PS256", "ES256", "ES384", "EdDSA"]
"""Signed with a key that only the provider has; none that the client's secret would do for."""
_STRONG: Final = frozenset({"mfa", "otp", "hwk", "swk", "sc", "fpt", "face", "iris"})
"""Methods of RFC 8176 that are more than something a person knows."""
_LEEWAY_S: Final = 60
_FRESH_S: Final = 3600


class NotProved(Exception):
    """The provider did not prove who it is; the text says why, for the log."""


@dataclass(frozen=True)
class Attempt:
    """One try to sign in: what has to come back, and what only we know."""

    state: str
    nonce: str
    verifier: str

    @classmethod
    def new(cls) -> "Attempt":
        return cls(*(secrets.token_urlsafe(32) for _ in range(3)))

    @property
    def challenge(self) -> str:
        return urlsafe_b64encode(hashlib.sha256(self.verifier.encode()).digest()).rstrip(b"=").decode()


@dataclass(frozen=True)
class Proved:
    """Who it is, by the name that the provider has for them, and whether by more than a password."""

    username: str
    strong: bool


class Provider:
    """What `settings` name. What it publishes of itself is read when needed, and again after an hour."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        trusted = ssl.create_default_context(cafile=settings.oidc_ca_file)
        self._http = httpx.Client(timeout=10, trust_env=False, verify=trusted)
        self._published: tuple[float, dict[str, Any], jwt.PyJWKSet] | None = None

    def address(self, attempt: Attempt, redirect_uri: str) -> str:
        """Where the person goes to sign in. Raises Unavailable."""
        about, _ = self._about()
        asked = {
            "response_type": "code",
            "client_id": self._settings.oidc_client_id,
            "redirect_uri": redirect_uri,
            "scope": "openid profile",
            "state": attempt.state,
            "nonce": attempt.nonce,
            "code_challenge": attempt.challenge,
            "code_challenge_method": "S256",
        }
        return f"{about['authorization_endpoint']}?{urlencode(asked)}"

    def proved(self, code: str, attempt: Attempt, redirect_uri: str) -> Proved:
        """Who came back with `code`. Raises Unavailable and NotProved."""
        about, _ = self._about()
        asked = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": redirect_uri,
            "code_verifier": attempt.verifier,
        }
        us, secret = self._settings.oidc_client_id, self._settings.oidc_client_secret.get_secret_value()
        how = {"auth": (us, secret), "data": asked} if secret else {"data": {**asked, "client_id": us}}
        answer = self._ask("POST", about["token_endpoint"], **how)
        claims = self._checked(str(answer.get("id_token", "")))
        if not secrets.compare_digest(str(claims.get("nonce", "")), attempt.nonce):
            raise NotProved("the nonce is another one")
        name = self._settings.oidc_username_claim
        if name not in claims and "userinfo_endpoint" in about:
            bearer = {"Authorization": f"Bearer {answer.get('access_token', '')}"}
            more = self._ask("GET", about["userinfo_endpoint"], headers=bearer)
            claims |= more if more.get("sub") == claims["sub"] else {}
        if not isinstance(username := claims.get(name), str) or not username:
            raise NotProved(f"there is no claim {name}")
        methods = claims.get("amr")
        return Proved(
            username, strong=isinstance(methods, list) and not _STRONG.isdisjoint(map(str, methods))
        )

    def _checked(self, token: str) -> dict[str, Any]:
        try:
            claims: dict[str, Any] = jwt.decode(
                token,
                self._key(jwt.get_unverified_header(token).get("kid")),
                algorithms=_ALGORITHMS,
                audience=self._settings.oidc_client_id,
                issuer=self._settings.oidc_issuer,
                leeway=_LEEWAY_S,
                options={"require": ["iss", "sub", "aud", "exp", "iat"]},
            )
        except (jwt.PyJWTError, KeyError) as error:
            raise NotProved(f"id_token: {error}") from error
        if isinstance(claims["aud"], list) and len(claims["aud"]) > 1:
            raise NotProved("id_token: for others, too")
        return claims

    def _key(self, kid: str | None) -> jwt.PyJWK:
        """The key of this id, or the only one. Raises KeyError."""
        _, keys = self._about()
        if kid is None:
            [key] = keys.keys if len(keys.keys) == 1 else [None]
            if key is None:
                raise KeyError("the token does not say which key signed it")
            return key
        if all(key.key_id != kid for key in keys.keys):
            self._published = None  # it may have changed its keys
            _, keys = self._about()
        return keys[kid]

    def _about(self) -> tuple[dict[str, Any], jwt.PyJWKSet]:
        if self._published is None or self._published[0] < time.monotonic() - _FRESH_S:
            issuer = self._settings.oidc_issuer
            about = self._ask("GET", f"{issuer.rstrip('/')}/.well-known/openid-configuration")
            if (
                about.get("issuer") != issuer
                or not {"authorization_endpoint", "token_endpoint", "jwks_uri"} <= about.keys()
            ):
                raise _away(f"it says that it is {about.get('issuer')!r}, or not where its parts are")
            try:
                keys = jwt.PyJWKSet.from_dict(self._ask("GET", about["jwks_uri"]))
            except jwt.PyJWTError as error:
                raise _away(f"its keys: {error}") from error
            self._published = (time.monotonic(), about, keys)
        return self._published[1:]

    def _ask(self, method: str, url: str, **more: Any) -> dict[str, Any]:
        try:
            answer = self._http.request(method, url, **more)
            found = answer.json() if answer.is_success or answer.status_code == 400 else None
        except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
            raise _away(f"{url}: {error!r}") from error
        if answer.status_code == 400:
            raise NotProved(f"{url}: {found}")
        if not isinstance(found, dict):
            raise _away(f"{url}: answered {answer.status_code}")
        return found


def _away(why: str) -> Unavailable:
    log.warning("the identity provider can not be asked", extra={"error": why})
    return Unavailable(
        "统一身份认证暂时无法访问,请用本系统的用户名和密码登录,或稍后再试",
        "The identity provider can not be reached: sign in with a password, or try again later",
    )
