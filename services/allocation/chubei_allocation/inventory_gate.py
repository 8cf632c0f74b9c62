"""The way to the inventory service: calls under allocation's own token, in the name of a person."""

from collections.abc import Iterator
from contextlib import contextmanager

import httpx
from chubei_shared.contracts.inventory_client import InventoryClient
from chubei_shared.errors import Conflict, Invalid, NotFound
from chubei_shared.settings import Settings
from chubei_shared.tokens import Caller, Role, Signer

FINAL = (Invalid, NotFound, Conflict)
"""Answers that another try will not change. After any other error the same request may be sent again."""


class InventoryGate:
    """Opens clients. Never to be used inside a transaction."""

    def __init__(self, settings: Settings) -> None:
        self.exercises_apart = settings.exercise_books == "own"
        self._url = settings.inventory_url
        self._signer = Signer(settings.keys_dir, "allocation")
        self._tls = httpx.create_ssl_context()

    @contextmanager
    def client(self, person: str) -> Iterator[InventoryClient]:
        """A client that acts for `person`, whose name goes on inventory's records."""
        token = self._signer.issue(Caller("allocation", frozenset({Role.SERVICE}), acting_for=person))
        with httpx.Client(
            base_url=self._url,
            headers={"Authorization": f"Bearer {token}"},
            timeout=httpx.Timeout(10, connect=2),
            verify=self._tls,
            trust_env=False,  # a service of the house, never behind a proxy of the environment
        ) as http:
            yield InventoryClient(http)
