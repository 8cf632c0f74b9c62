"""Settings, read from the environment (CHUBEI_…) and nowhere else."""

from functools import cached_property
from pathlib import Path
from typing import Annotated, Literal, NamedTuple, Self
from urllib.parse import parse_qs, unquote, urlsplit

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict
from sqlalchemy import URL, make_url

from chubei_shared.map_tiles import TileSource, tile_source

Service = Literal["inventory", "allocation", "gateway"]
SERVICES: tuple[Service, ...] = ("inventory", "allocation", "gateway")


class MailServer(NamedTuple):
    """Where mail is handed in; `tls_first`: TLS before anything else, where not, by STARTTLS. Never without."""

    host: str
    port: int
    tls_first: bool
    user: str | None
    password: str
    sender: str
    ca_file: str | None


def mail_server(url: str) -> MailServer | None:
    """The server that a URL names, as CHUBEI_SMTP_URL does; None where it names none."""
    try:
        parts = urlsplit(url)
        port, query = parts.port, parse_qs(parts.query)
    except ValueError:
        return None
    sender = query.get("from", [""])[0]
    if parts.scheme not in ("smtp", "smtps") or not parts.hostname or "@" not in sender:
        return None
    first = parts.scheme == "smtps"
    return MailServer(
        host=parts.hostname,
        port=port or (465 if first else 587),
        tls_first=first,
        user=unquote(parts.username) if parts.username else None,
        password=unquote(parts.password or ""),
        sender=sender,
        ca_file=query.get("cafile", [None])[0],
    )


class Settings(BaseSettings):
    """One process's view of the house; `chubei up` and docker-compose.yml set the same variables."""

    model_config = SettingsConfigDict(env_prefix="CHUBEI_", extra="ignore")

    database_url: str
    """The PostgreSQL server: postgresql://user:password@host:port (a database name in it is ignored)."""
    database_prefix: str = "chubei"
    redis_url: str
    inventory_url: str = "http://127.0.0.1:8081"
    allocation_url: str = "http://127.0.0.1:8082"
    gateway_url: str = "http://127.0.0.1:8080"
    keys_dir: Path
    """Ed25519 token keys: <issuer>.pub for every issuer, <issuer>.key where this service is the issuer."""
    initial_admin_password: str | None = None
    second_factor: Literal["optional", "required"] = "optional"
    """Whether approvers and administrators must sign in with a one-time code; anybody may."""
    oidc_issuer: str = ""
    """An identity provider (OpenID Connect) by which people with an account here may sign in; empty: by password alone.
    It has to know the address <gateway>/v1/oidc:return."""
    oidc_client_id: str = ""
    oidc_client_secret: SecretStr = SecretStr("")
    oidc_name: str = "统一身份认证"
    """On the button."""
    oidc_username_claim: str = "preferred_username"
    """Which claim is the username here."""
    oidc_ca_file: Path | None = None
    """Certificates to trust besides the system's, where the provider has a private authority."""
    oldest_report_days: int = 400
    """What is said to have happened longer ago is a wrong date, or opening stock."""
    solver_memory_mib: int = 8192
    solver_time_limit_s: int = 20
    """Default time limit of a solve asked for over HTTP."""
    exercise_books: Literal["own", "house"] = "own"
    """Whose stock exercises move: a copy of their own, or the house's. The latter only on a throw-away system."""
    propose_replans: bool = True
    """Whether allocation asks for a replan by itself when what happened costs many people their relief."""
    snapshot_dir: Path | None = None
    """Where allocation's worker writes, each hour and after each approval, what to go on with when servers do not:
    plan, packs of trucks, pick lists, contacts, codes. Empty: nowhere."""
    snapshots_kept: Annotated[int, Field(ge=1)] = 48
    personal_data_days: Annotated[int, Field(ge=0)] = 30
    """How long personal data are kept: who got goods (masked), signatures, photos; contacts of reserves, names and
    telephones of links' holders and telephones on the call register from their end on."""
    smtp_url: str = ""
    """The mail server for notices: smtp://[user:password@]host[:587]?from=address, over STARTTLS (smtps:// where TLS
    comes first; &cafile=path for a private authority). Empty: e-mail channels say that it is not configured."""

    map_tiles: str = ""
    """What the map is drawn on: https://host/{z}/{x}/{y}.png, https://host/name.pmtiles, /path/name.pmtiles on this
    machine, or tianditu:<key>. Empty: nothing, and pages ask no other host for anything."""
    map_outline: Path | None = None
    """A GeoJSON file with outlines (the district's, its streets') that everyone sees on the map."""

    @field_validator("map_tiles")
    @classmethod
    def _map_tiles(cls, text: str) -> str:
        tile_source(text)
        return text

    @field_validator("map_outline", "snapshot_dir", mode="before")
    @classmethod
    def _nowhere(cls, path: str | Path | None) -> str | Path | None:
        return path or None  # docker-compose.yml sets it empty

    @field_validator("smtp_url")
    @classmethod
    def _smtp_url(cls, url: str) -> str:
        if url and not mail_server(url):
            raise ValueError(
                "must be smtp://[user:password@]host[:port]?from=address (or smtps://…), or empty"
            )
        return url

    @model_validator(mode="after")
    def _oidc(self) -> Self:
        if self.oidc_issuer and not (
            self.oidc_issuer.startswith(("https://", "http://127.0.0.1:", "http://localhost:"))
            and self.oidc_client_id
        ):
            raise ValueError("oidc_issuer must be an https address, and oidc_client_id be given with it")
        return self

    @cached_property
    def tile_source(self) -> TileSource | None:
        return tile_source(self.map_tiles)

    @cached_property
    def server(self) -> URL:
        return make_url(self.database_url).set(drivername="postgresql+psycopg")

    def database(self, service: Service) -> URL:
        """The URL of one service's own database."""
        return self.server.set(database=f"{self.database_prefix}_{service}")
