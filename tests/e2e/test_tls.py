"""`chubei up --tls`: HTTPS by an authority of the house, or by a certificate that is given."""

import ssl
import stat
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from chubei_cli import tls
from chubei_cli.errors import CommandError
from chubei_cli.state import Running
from chubei_cli.tls import Asked, certificate
from chubei_cli.up import running
from cryptography import x509


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("tls")


@pytest.fixture(scope="module")
def screen(state: Path) -> Path:
    return state / "screen.txt"


@pytest.fixture(scope="module")
def up(state: Path, screen: Path) -> Iterator[Running]:
    with (
        screen.open("w") as output,
        running(state / "state", output=output, options=["--tls", "--name", "chubei.test"]) as found,
    ):
        yield found


def trusting(file: Path) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(file))


def test_the_gateway_answers_over_https_to_who_trusts_its_authority(up: Running, state: Path) -> None:
    port = up.ports["https"]
    with httpx.Client(verify=trusting(state / "state/tls/ca.crt"), trust_env=False) as http:
        for host in ("127.0.0.1", "localhost"):
            answer = http.get(f"https://{host}:{port}/healthz")
            assert answer.json() == {"service": "gateway", "status": "ok"}
            assert answer.headers["strict-transport-security"] == "max-age=31536000"
    here = httpx.get(f"{up.urls['gateway']}/healthz", trust_env=False)
    assert here.url.scheme == "http"
    assert here.is_success
    assert "strict-transport-security" not in here.headers


def test_who_trusts_another_authority_is_not_let_on(up: Running, tmp_path: Path) -> None:
    other = certificate(tmp_path / "tls", Asked())
    assert other.authority
    with (
        httpx.Client(verify=trusting(other.authority), trust_env=False) as http,
        pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"),
    ):
        http.get(f"https://127.0.0.1:{up.ports['https']}/healthz")


def test_the_screen_says_what_to_put_on_a_phone(up: Running, state: Path, screen: Path) -> None:
    said = screen.read_text()
    authority = x509.load_pem_x509_certificate((state / "state/tls/ca.crt").read_bytes())
    assert f"https://chubei.test:{up.ports['https']}" in said
    assert str(state / "state/tls/ca.crt") in said
    assert authority.fingerprint(tls.hashes.SHA256()).hex(":").upper() in said
    assert "装到手机上" in said
    assert "on a phone" in said


def test_the_authority_is_made_once_and_its_key_is_private(tmp_path: Path) -> None:
    folder = tmp_path / "tls"
    first = certificate(folder, Asked())
    kept = {file.name: file.read_bytes() for file in folder.iterdir()}
    assert certificate(folder, Asked()) == first
    assert {file.name: file.read_bytes() for file in folder.iterdir()} == kept
    for name in ("ca.key", "server.pem"):
        assert stat.S_IMODE((folder / name).stat().st_mode) == 0o600
    authority = x509.load_pem_x509_certificate(kept["ca.crt"])
    assert authority.not_valid_after_utc > datetime.now(UTC) + timedelta(days=3650)
    more = certificate(folder, Asked(names=("reserve.example.gov.cn", "10.1.2.3")))
    assert {"reserve.example.gov.cn", "10.1.2.3", "localhost", "127.0.0.1"} <= set(more.names)
    assert (folder / "server.pem").read_bytes() != kept["server.pem"]
    assert (folder / "ca.crt").read_bytes() == kept["ca.crt"]


def test_a_certificate_past_the_middle_of_its_life_is_renewed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "tls"
    monkeypatch.setattr(tls, "_LIFE", timedelta(days=190))
    certificate(folder, Asked())
    old = (folder / "server.pem").read_bytes()
    monkeypatch.undo()
    certificate(folder, Asked())
    assert (folder / "server.pem").read_bytes() != old


def test_a_certificate_of_ones_own(tmp_path: Path) -> None:
    made = certificate(tmp_path / "a", Asked(names=("own.example",)))
    given = certificate(tmp_path / "b", Asked(cert=made.cert, key=made.key))
    assert given.authority is None
    assert "own.example" in given.names
    other = certificate(tmp_path / "c", Asked())
    (tmp_path / "other.key").write_text(other.key.read_text().split("-----BEGIN CERT")[0])
    for cert, key in (
        (made.cert, None),
        (None, made.key),
        (made.cert, tmp_path / "other.key"),
        (tmp_path / "nothing", made.key),
    ):
        with pytest.raises(CommandError, match="--cert"):
            certificate(tmp_path / "b", Asked(cert=cert, key=key))


@pytest.mark.parametrize("name", ["储备.cn", ""])
def test_a_name_that_is_none_is_told(name: str, tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="--name"):
        certificate(tmp_path / "tls", Asked(names=(name,)))
