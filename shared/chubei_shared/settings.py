"""Settings, read from the environment (CHUBEI_…) and nowhere else."""

from functools import cached_property
from pathlib import Path
from typing import Literal

from pydantic_settings import BaseSettings, SettingsConfigDict
from sqlalchemy import URL, make_url

Service = Literal["inventory", "allocation", "gateway"]
SERVICES: tuple[Service, ...] = ("inventory", "allocation", "gateway")


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
    solver_memory_mib: int = 8192
    solver_time_limit_s: int = 20
    """Default time limit of a solve asked for over HTTP."""

    @cached_property
    def server(self) -> URL:
        return make_url(self.database_url).set(drivername="postgresql+psycopg")

    def database(self, service: Service) -> URL:
        """The URL of one service's own database."""
        return self.server.set(database=f"{self.database_prefix}_{service}")
