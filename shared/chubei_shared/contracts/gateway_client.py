"""httpx client of the gateway, and the sign-in that every client on the same httpx.Client then shares.

with httpx.Client(base_url="http://127.0.0.1:8080") as http:
    gateway = GatewayClient(http)
    gateway.sign_in("admin", "…")      # from now on http carries the token and renews it by itself
    gateway.create_user(NewUser(…))
"""

import threading
import time
from collections.abc import Callable, Generator, Iterable, Iterator
from typing import Any, TypeVar
from urllib.parse import quote
from uuid import UUID

import httpx
from pydantic import BaseModel

from chubei_shared.client import send
from chubei_shared.contracts.break_glass import AccountBreakGlass, BreakGlass, BreakGlassPage, BreakGlassView
from chubei_shared.contracts.identity import (
    AuditPage,
    AuditRow,
    AuditVerification,
    FirstAccount,
    Health,
    Me,
    NewUser,
    PasswordChange,
    PersonNames,
    Refresh,
    SessionPage,
    SessionView,
    SignIn,
    Tokens,
    UserPage,
    UserUpdate,
    UserView,
)
from chubei_shared.contracts.links import (
    GuestToken,
    LinkMade,
    LinkPage,
    LinkPurpose,
    LinkView,
    NewLink,
    OpenLink,
)
from chubei_shared.contracts.second_factor import (
    BeginSecondFactor,
    ConfirmSecondFactor,
    RecoveryCodes,
    SecondFactorProof,
    SecondFactorSecret,
    SecondFactorView,
)
from chubei_shared.errors import Unavailable, from_response
from chubei_shared.events import Event

M = TypeVar("M", bound=BaseModel)

_REFRESH = "/v1/sessions:refresh"
_EARLY_S = 30
"""A token is renewed this long before it expires, so that none expires on the way."""
_SILENCE_S = 40
"""The stream says something every 15 s; after this much silence the connection is taken for dead."""


class SignedIn(httpx.Auth):
    """Carries a session's access token; renews it before it expires, or after a 401. Thread-safe."""

    def __init__(self, base_url: httpx.URL, tokens: Tokens) -> None:
        self._refresh_url = base_url.join(_REFRESH)
        self._lock = threading.Lock()
        self.take(tokens)

    def take(self, tokens: Tokens) -> None:
        """Go on with these tokens."""
        self._tokens = tokens
        self._expires = time.monotonic() + tokens.expires_in_s

    def renew_soon(self) -> None:
        """Renew before the next request."""
        self._expires = 0.0

    def sync_auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        with self._lock:
            if time.monotonic() > self._expires - _EARLY_S:
                yield from self._renew()
            used = self._tokens
        request.headers["Authorization"] = f"Bearer {used.access_token}"
        response = yield request
        if response.status_code != httpx.codes.UNAUTHORIZED:
            return
        response.read()
        with self._lock:
            if self._tokens is used:  # else another thread has renewed it meanwhile
                yield from self._renew()
            if self._tokens is used:
                return  # the session is over: the caller gets the 401
            request.headers["Authorization"] = f"Bearer {self._tokens.access_token}"
        yield request

    def _renew(self) -> Generator[httpx.Request, httpx.Response, None]:
        body = Refresh(refresh_token=self._tokens.refresh_token)
        response = yield httpx.Request("POST", self._refresh_url, json=body.model_dump())
        if response.is_success:
            response.read()
            self.take(Tokens.model_validate_json(response.content))


class GatewayClient:
    """The gateway's own API. Every method raises the AppError that the gateway answers."""

    def __init__(self, http: httpx.Client) -> None:
        """`http` has the gateway's address as its base_url."""
        self.http = http

    def sign_in(self, username: str, password: str, code: str | None = None) -> Tokens:
        """Open a session; `http` carries it from now on, for every client that uses it."""
        self.http.auth = httpx.Auth()  # carries nothing
        given = {"code": code} if code else {}
        body = SignIn.model_validate({"username": username, "password": password} | given)
        return self._carry(self._send("POST", "/v1/sessions", body, Tokens))

    def break_glass(self, body: BreakGlass) -> Tokens:
        """As sign_in, by an approver without the second factor."""
        self.http.auth = httpx.Auth()  # carries nothing
        return self._carry(self._send("POST", "/v1/break-glass", body, Tokens))

    def broken_glass(self, all_of_them: bool = False) -> BreakGlassPage:
        return self._get("/v1/break-glass", BreakGlassPage, all=str(all_of_them).lower())

    def account_for_break_glass(self, broken_id: UUID, words: str) -> BreakGlassView:
        path = f"/v1/break-glass/{broken_id}:account"
        return self._send("POST", path, AccountBreakGlass(words=words), BreakGlassView)

    def second_factor(self) -> SecondFactorView:
        return self._get("/v1/me/second-factor", SecondFactorView)

    def begin_second_factor(self, password: str) -> SecondFactorSecret:
        return self._send(
            "POST", "/v1/me/second-factor", BeginSecondFactor(password=password), SecondFactorSecret
        )

    def confirm_second_factor(self, code: str) -> RecoveryCodes:
        """Who was let in only to enrol renews the tokens by this."""
        codes = self._send(
            "POST", "/v1/me/second-factor:confirm", ConfirmSecondFactor(code=code), RecoveryCodes
        )
        if isinstance(self.http.auth, SignedIn):
            self.http.auth.renew_soon()
        return codes

    def renew_recovery_codes(self, password: str, code: str) -> RecoveryCodes:
        proof = SecondFactorProof(password=password, code=code)
        return self._send("POST", "/v1/me/second-factor/recovery-codes", proof, RecoveryCodes)

    def remove_second_factor(self, password: str, code: str) -> None:
        proof = SecondFactorProof(password=password, code=code)
        send(self.http, "POST", "/v1/me/second-factor:remove", json=proof.model_dump())

    def reset_second_factor(self, username: str) -> None:
        send(self.http, "POST", f"/v1/users/{quote(username, safe='')}/second-factor:reset")

    def _carry(self, tokens: Tokens) -> Tokens:
        self.http.auth = SignedIn(self.http.base_url, tokens)
        return tokens

    def sign_out(self) -> None:
        send(self.http, "DELETE", "/v1/sessions/current")
        self.http.auth = httpx.Auth()  # carries nothing

    def refresh(self, refresh_token: str) -> Tokens:
        """A new pair for a refresh token, for callers that keep their tokens themselves."""
        return self._send("POST", _REFRESH, Refresh(refresh_token=refresh_token), Tokens, auth=None)

    def change_password(self, old_password: str, new_password: str) -> Tokens:
        """Also ends the person's other sessions; this one goes on with new tokens."""
        change = PasswordChange(old_password=old_password, new_password=new_password)
        tokens = self._send("POST", "/v1/me/password", change, Tokens)
        if isinstance(self.http.auth, SignedIn):
            self.http.auth.take(tokens)
        return tokens

    def me(self) -> Me:
        return self._get("/v1/me", Me)

    def first_account(self) -> FirstAccount:
        return self._get("/v1/first-account", FirstAccount)

    def create_user(self, user: NewUser) -> UserView:
        return self._send("POST", "/v1/users", user, UserView)

    def users(self) -> Iterator[UserView]:
        return self._rows("/v1/users", UserPage)

    def person_names(self, usernames: list[str]) -> dict[str, str]:
        """What people are called, at most 100 at once."""
        answer = send(self.http, "GET", "/v1/person-names", params={"username": usernames})
        return PersonNames.model_validate_json(answer.content).names

    def user(self, username: str) -> UserView:
        return self._get(f"/v1/users/{quote(username)}", UserView)

    def update_user(self, username: str, change: UserUpdate) -> UserView:
        return self._send("PATCH", f"/v1/users/{quote(username)}", change, UserView)

    def sessions(self, username: str | None = None) -> Iterator[SessionView]:
        """The caller's own sessions; for an administrator everyone's, or those of `username`. Newest first."""
        return self._rows("/v1/sessions", SessionPage, username=username)

    def revoke_session(self, session_id: UUID) -> None:
        send(self.http, "DELETE", f"/v1/sessions/{session_id}")

    def audit(self, subject: str | None = None, act: str | None = None) -> Iterator[AuditRow]:
        """What was done, newest first."""
        return self._rows("/v1/audit", AuditPage, subject=subject, act=act)

    def verify_audit(self) -> AuditVerification:
        """The audit's chain recomputed."""
        return AuditVerification.model_validate_json(send(self.http, "GET", "/v1/audit/verification").content)

    def make_link(self, link: NewLink) -> LinkMade:
        """Repeating it gives the same. Raises Conflict where the id is another link's."""
        return self._send("POST", "/v1/links", link, LinkMade)

    def links(self, purpose: LinkPurpose | None = None, subject: str | None = None) -> Iterator[LinkView]:
        """Newest first."""
        return self._rows("/v1/links", LinkPage, purpose=purpose, subject=subject)

    def revoke_link(self, link_id: UUID) -> LinkView:
        return LinkView.model_validate_json(send(self.http, "POST", f"/v1/links/{link_id}:revoke").content)

    def open_link(self, code: str) -> GuestToken:
        """By its secret or short code; `http` carries its token from now on, until that is over: open it again."""
        self.http.auth = httpx.Auth()  # carries nothing
        token = self._send("POST", "/v1/links:open", OpenLink(code=code), GuestToken)
        self.http.headers["Authorization"] = f"Bearer {token.access_token}"
        return token

    def health(self) -> Health:
        return self._get("/v1/health", Health)

    def events(
        self,
        last_event_id: str | None = None,
        topics: Iterable[str] = (),
        on_open: Callable[[], None] = lambda: None,
        patience_s: float = 30.0,
    ) -> Iterator[Event]:
        """Events as they happen, until the caller stops asking or `http` is closed.

        It reconnects by itself and misses no lasting event. `last_event_id` is where to go on
        ("inventory:12,allocation:40"); without it, from now on. `topics` are prefixes ("plan.", "order.");
        none means all. `on_open` is called each time the stream is open: what happens after that call is
        seen. Raises Unavailable when the gateway stays away for `patience_s`, Unauthorized when the session
        is over.
        """
        params = {"topics": ",".join(topics)}
        cursor, silent_since = last_event_id, time.monotonic()
        while not self.http.is_closed:
            try:
                for event_id, data in self._stream(params, cursor):
                    cursor, silent_since = event_id or cursor, time.monotonic()
                    if data:
                        yield Event.model_validate_json(data)
                    else:
                        on_open()
            except Unavailable:
                if time.monotonic() - silent_since > patience_s:
                    raise
            time.sleep(0.5)

    def _stream(self, params: dict[str, str], cursor: str | None) -> Iterator[tuple[str, str]]:
        """One connection's messages; raises Unavailable when it breaks."""
        headers = {"Accept": "text/event-stream"} | ({"Last-Event-ID": cursor} if cursor else {})
        timeout = httpx.Timeout(5, read=_SILENCE_S)
        try:
            with self.http.stream(
                "GET", "/v1/events", params=params, headers=headers, timeout=timeout
            ) as response:
                if response.is_error:
                    response.read()
                    raise from_response(response)
                yield from _messages(response.iter_lines())
        except httpx.HTTPError as error:
            raise Unavailable(
                f"事件流连接失败:{error}", f"The event stream can not be reached: {error}"
            ) from error

    def _get(self, path: str, answer: type[M], **params: str | None) -> M:
        given = {name: value for name, value in params.items() if value is not None}
        return answer.model_validate_json(send(self.http, "GET", path, params=given).content)

    def _send(self, method: str, path: str, body: BaseModel, answer: type[M], **how: Any) -> M:
        content = body.model_dump(mode="json", exclude_unset=True)
        return answer.model_validate_json(send(self.http, method, path, json=content, **how).content)

    def _rows(self, path: str, page: type[BaseModel], **params: str | None) -> Iterator[Any]:
        """Every row of a collection, page by page."""
        cursor: str | None = None
        while True:
            found: Any = self._get(path, page, cursor=cursor, **params)
            yield from found.rows
            if (cursor := found.next_cursor) is None:
                return


def _messages(lines: Iterable[str]) -> Iterator[tuple[str, str]]:
    """The (id, data) of each message in the lines of an event stream; comments are passed over."""
    event_id, data = "", list[str]()
    for line in lines:
        if not line and (event_id or data):
            yield event_id, "\n".join(data)
            event_id, data = "", []
        name, _, value = line.partition(":")
        if name == "id":
            event_id = value.removeprefix(" ")
        elif name == "data":
            data.append(value.removeprefix(" "))
