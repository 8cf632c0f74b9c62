"""HTTPS for a house without a certificate: an authority of its own, made once, and a certificate it issues.

Phones trust what this authority signs once its file is installed on them. Its key never leaves the state folder.
"""

import ipaddress
import re
import ssl
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from socket import AF_INET, AF_INET6, gethostname
from typing import Final

import psutil  # type: ignore[import-untyped]
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from .errors import CommandError
from .secret import write_private

_AUTHORITY_LIFE: Final = timedelta(days=3653)
_LIFE: Final = timedelta(days=397)
"""Browsers refuse certificates that live longer than 398 days."""
_RENEW_BEFORE: Final = _LIFE / 2
"""A start with less than this left makes a new one: who starts twice a year never sees it end."""
_CLOCKS_APART: Final = timedelta(days=1)
_HOST: Final = re.compile(
    r"[a-zA-Z0-9]([a-zA-Z0-9_-]*[a-zA-Z0-9])?(\.[a-zA-Z0-9]([a-zA-Z0-9-]*[a-zA-Z0-9])?)*"
)


@dataclass(frozen=True)
class Asked:
    """What `chubei up --tls` was asked for: more names, or a certificate of one's own."""

    names: tuple[str, ...] = ()
    cert: Path | None = None
    key: Path | None = None


@dataclass(frozen=True)
class Certificate:
    """What HTTPS is served with, both files in PEM."""

    cert: Path
    key: Path
    names: tuple[str, ...]
    authority: Path | None
    """The file that phones must trust; None where the certificate was given."""
    fingerprint: str = ""
    """SHA-256 of that authority, as phones show it."""


def certificate(folder: Path, asked: Asked) -> Certificate:
    """The certificate given, else one of our own authority in `folder`. Raises CommandError, OSError."""
    if asked.cert or asked.key:
        return _given(asked)
    for name in asked.names:
        if not _HOST.fullmatch(name) and not _address(name):
            raise CommandError(f"--name {name!r}: 须为主机名或地址 / must be a host name or an address")
    folder.mkdir(mode=0o700, exist_ok=True)
    names = own_names() | set(asked.names)
    key, authority = _authority(folder / "ca.key", folder / "ca.crt")
    both = folder / "server.pem"
    if not _still_good(both, authority, names):
        _issue(both, key, authority, names)
    return Certificate(
        cert=both,
        key=both,
        names=tuple(sorted(names, key=lambda name: (_address(name) is not None, name))),
        authority=folder / "ca.crt",
        fingerprint=authority.fingerprint(hashes.SHA256()).hex(":").upper(),
    )


def own_names() -> set[str]:
    """What others may call this machine: its name, also as Bonjour has it, and the addresses of its interfaces."""
    host = gethostname().lower().removesuffix(".local")
    found = {host, f"{host}.local", "localhost"}
    for rows in psutil.net_if_addrs().values():
        for row in rows:
            if row.family in (AF_INET, AF_INET6):
                address = ipaddress.ip_address(row.address.partition("%")[0])
                if not address.is_link_local:
                    found.add(str(address))
    return found


def _given(asked: Asked) -> Certificate:
    if not (asked.cert and asked.key):
        raise CommandError("--cert 与 --key 须一起给出 / give --cert and --key together")
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(asked.cert, asked.key, password="")
        leaf = x509.load_pem_x509_certificates(asked.cert.read_bytes())[0]
    except (OSError, ValueError) as error:  # ssl.SSLError is an OSError
        raise CommandError(
            f"--cert {asked.cert} --key {asked.key}: 不可用 / can not be used ({error}): "
            "给 PEM 格式、不加密、彼此对应的证书和私钥 / give a certificate and its own key, in PEM, not encrypted"
        ) from error
    if leaf.not_valid_after_utc <= datetime.now(UTC):
        raise CommandError(
            f"--cert {asked.cert}: 已于 {leaf.not_valid_after_utc:%Y-%m-%d} 过期,请换新 / has expired"
        )
    return Certificate(asked.cert.resolve(), asked.key.resolve(), tuple(_names_in(leaf)), None)


def _authority(key_file: Path, file: Path) -> tuple[ec.EllipticCurvePrivateKey, x509.Certificate]:
    """Our authority; made where there is none, or where it ends before a new certificate would."""
    if key_file.exists() and file.exists():
        key = serialization.load_pem_private_key(key_file.read_bytes(), None)
        found = x509.load_pem_x509_certificate(file.read_bytes())
        if (
            isinstance(key, ec.EllipticCurvePrivateKey)
            and found.not_valid_after_utc > datetime.now(UTC) + _LIFE
        ):
            return key, found
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"Chubei {gethostname()}"[:64])])
    made = (
        _builder(name, name, key.public_key(), _AUTHORITY_LIFE)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(signs_certificates=True), critical=True)
        .sign(key, hashes.SHA256())
    )
    write_private(key_file, _pem(key))
    write_private(file, made.public_bytes(serialization.Encoding.PEM).decode())
    return key, made


def _still_good(file: Path, authority: x509.Certificate, names: set[str]) -> bool:
    if not file.exists():
        return False
    leaf = x509.load_pem_x509_certificates(file.read_bytes())[0]
    try:
        leaf.verify_directly_issued_by(authority)
    except (InvalidSignature, ValueError):
        return False
    return names <= set(_names_in(leaf)) and leaf.not_valid_after_utc > datetime.now(UTC) + _RENEW_BEFORE


def _issue(
    file: Path, authority_key: ec.EllipticCurvePrivateKey, authority: x509.Certificate, names: Iterable[str]
) -> None:
    """One file with the key, the certificate and its authority: never one without the other."""
    key = ec.generate_private_key(ec.SECP256R1())
    others = [
        x509.IPAddress(address) if (address := _address(name)) else x509.DNSName(name)
        for name in sorted(names)
    ]
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, gethostname()[:64])])
    leaf = (
        _builder(subject, authority.subject, key.public_key(), _LIFE)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(signs_certificates=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectAlternativeName(others), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(authority_key.public_key()), critical=False
        )
        .sign(authority_key, hashes.SHA256())
    )
    pems = [one.public_bytes(serialization.Encoding.PEM).decode() for one in (leaf, authority)]
    write_private(file, _pem(key) + "".join(pems))


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, life: timedelta
) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _CLOCKS_APART)  # a phone may be behind
        .not_valid_after(now - _CLOCKS_APART + life)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    )


def _usage(signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _names_in(leaf: x509.Certificate) -> list[str]:
    try:
        others = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return []
    return [str(name) for kind in (x509.DNSName, x509.IPAddress) for name in others.get_values_for_type(kind)]


def _address(name: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(name)
    except ValueError:
        return None


def _pem(key: ec.EllipticCurvePrivateKey) -> str:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()
