"""Sign-in by an identity provider that speaks the protocol: who comes back set out, and has an account here."""

from collections.abc import Callable, Iterator
from urllib.parse import parse_qs, urlsplit

import httpx
import oidc_provider_mock
import pytest
from chubei_gateway.app import create_app
from chubei_shared.contracts.identity import NewUser, UserUpdate
from chubei_shared.settings import Settings
from chubei_shared.tokens import Role
from pydantic import ValidationError

Claims = Callable[..., None]


@pytest.fixture(scope="module")
def provider() -> Iterator[str]:
    with oidc_provider_mock.run_server_in_thread(require_nonce=True) as server:
        yield f"http://localhost:{server.server_port}"


@pytest.fixture(scope="module")
def url(house: Settings, provider: str, serve) -> Iterator[str]:
    more = {
        "oidc_issuer": provider,
        "oidc_client_id": "chubei",
        "oidc_client_secret": "s",
        "oidc_name": "区统一认证",
    }
    with serve(create_app(Settings.model_validate(house.model_dump() | more))) as found:
        yield found


class Browser:
    """As a browser does: it follows, and brings the cookies that it was given (Secure ones, which httpx keeps back)."""

    def __init__(self, url: str, provider: str) -> None:
        self.url, self.provider, self.cookies = url, provider, {}

    def get(self, path: str) -> httpx.Response:
        sent = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        answer = httpx.get(f"{self.url}{path}", headers={"Cookie": sent}, timeout=20, trust_env=False)
        for line in answer.headers.get_list("set-cookie"):
            name, _, value = line.partition(";")[0].partition("=")
            self.cookies[name] = value
        return answer

    def set_out(self, to: str = "/") -> str:
        answer = self.get(f"/v1/oidc:start?to={to}")
        assert answer.status_code == 303
        return answer.headers["location"]

    def sign_in_there(self, address: str, sub: str) -> str:
        """The path, with its query, by which the provider sends the person back to us."""
        answer = httpx.post(address, data={"sub": sub}, timeout=20, trust_env=False)
        back = answer.headers["location"]
        assert back.startswith(f"{self.url}/v1/oidc:return?")
        return back.removeprefix(self.url)

    def claim(self, sub: str, **claims: object) -> None:
        assert httpx.put(f"{self.provider}/users/{sub}", json=claims, trust_env=False).is_success

    def comes_in(self, sub: str, to: str = "/") -> str:
        """Where it all leads to."""
        answer = self.get(self.sign_in_there(self.set_out(to), sub))
        assert answer.status_code == 303
        return answer.headers["location"]

    def me(self) -> httpx.Response:
        return self.get("/v1/me")


@pytest.fixture
def browser(url: str, provider: str) -> Browser:
    return Browser(url, provider)


@pytest.fixture
def person(admin) -> Callable[..., str]:
    def make(name: str, *roles: Role) -> str:
        admin.create_user(
            NewUser(username=name, display_name=name, roles=list(roles), password="given at first")
        )
        return name

    return make


def test_a_person_with_an_account_comes_in_and_goes_on_where_they_wanted(browser, person):
    person("Wang.Li", Role.CLERK)
    browser.claim("sub-1", preferred_username="wang.li")
    assert browser.get("/v1/sign-in-ways").json() == {"oidc": "区统一认证"}
    assert browser.comes_in("sub-1", "/clerk/stock") == "/clerk/stock"
    me = browser.me().json()
    assert (me["username"], me["roles"]) == ("Wang.Li", ["clerk"])
    renewed = httpx.post(
        f"{browser.url}/v1/browser-sessions:refresh",
        headers={"X-Requested-By": "x", "Cookie": "; ".join(f"{n}={v}" for n, v in browser.cookies.items())},
    )
    assert renewed.status_code == 200
    assert not renewed.json()["must_change_password"], "the password here has no part in it"


@pytest.mark.parametrize(
    "to", ["https://evil.example/", "//evil.example", "/\\evil.example", "x\r\nSet-Cookie: a=b"]
)
def test_it_leads_to_no_other_site(browser, person, admin, to):
    name = f"led-{abs(hash(to))}"
    person(name, Role.CLERK)
    browser.claim(name, preferred_username=name)
    assert browser.comes_in(name, httpx.QueryParams({"to": to})["to"].replace("\r\n", "%0D%0A")) == "/"


def test_nobody_gets_an_account_by_it_and_the_disabled_stay_out(browser, person, admin):
    browser.claim("stranger", preferred_username="nobody.here")
    assert browser.comes_in("stranger") == "/sign-in?refused=no-account"
    name = person("left-us", Role.CLERK)
    admin.update_user(name, UserUpdate(disabled=True))
    browser.claim("left", preferred_username=name)
    assert browser.comes_in("left") == "/sign-in?refused=no-account"
    browser.claim("nameless")
    assert browser.comes_in("nameless") == "/sign-in?refused=not-proved"
    assert browser.me().status_code == 401


def test_who_needs_a_second_factor_needs_it_there(house, provider, person, serve):
    name = person("approves", Role.APPROVER)
    more = {
        "oidc_issuer": provider,
        "oidc_client_id": "chubei",
        "oidc_client_secret": "s",
        "second_factor": "required",
    }
    with serve(create_app(Settings.model_validate(house.model_dump() | more))) as url:
        browser = Browser(url, provider)
        browser.claim("a", preferred_username=name, amr=["pwd"])
        assert browser.comes_in("a") == "/sign-in?refused=second-factor"
        browser.claim("a", preferred_username=name, amr=["pwd", "otp"])
        assert browser.comes_in("a") == "/"
        assert browser.me().json()["second_factor_due"] is False


def test_a_return_is_good_once_and_for_the_browser_that_set_out(browser, person, url, provider):
    name = person("once", Role.CLERK)
    browser.claim("once", preferred_username=name)
    back = browser.sign_in_there(browser.set_out(), "once")
    other = Browser(url, provider)
    other.set_out()
    assert other.get(back).headers["location"] == "/sign-in?refused=stale"  # somebody sent their own link
    assert browser.get(back).headers["location"] == "/"
    assert browser.get(back).headers["location"] == "/sign-in?refused=stale"
    assert other.get("/v1/oidc:return").headers["location"] == "/sign-in?refused=stale"


def test_a_code_that_was_made_up_or_for_another_try_proves_nothing(browser, person):
    name = person("mixed", Role.CLERK)
    browser.claim("mixed", preferred_username=name)
    first = parse_qs(urlsplit(browser.sign_in_there(browser.set_out(), "mixed")).query)
    second = parse_qs(urlsplit(browser.set_out()).query)
    for code in ("made-up", first["code"][0]):
        found = browser.get(f"/v1/oidc:return?state={second['state'][0]}&code={code}")
        assert found.headers["location"] == "/sign-in?refused=not-proved"
        second = parse_qs(urlsplit(browser.set_out()).query)
    assert browser.me().status_code == 401


def test_while_the_provider_is_away_people_are_told_to_use_the_password(house, free_port, serve):
    more = {"oidc_issuer": f"http://localhost:{free_port}", "oidc_client_id": "chubei"}
    with serve(create_app(Settings.model_validate(house.model_dump() | more))) as url:
        answer = httpx.get(f"{url}/v1/oidc:start", trust_env=False)
    assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in?refused=away")


def test_without_a_provider_there_is_none(gateway_url):
    assert httpx.get(f"{gateway_url}/v1/sign-in-ways").json() == {"oidc": None}
    for path in ("start", "return"):
        assert httpx.get(f"{gateway_url}/v1/oidc:{path}").status_code == 404


@pytest.mark.parametrize(
    "more", [{"oidc_issuer": "http://idp.example", "oidc_client_id": "x"}, {"oidc_issuer": "https://idp"}]
)
def test_settings_that_would_not_be_safe_are_refused(house, more):
    with pytest.raises(ValidationError, match="oidc_issuer"):
        Settings.model_validate(house.model_dump() | more)
