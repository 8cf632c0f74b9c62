"""What links may be for: who makes them, and where their subject is found. A new purpose is a line here."""

from dataclasses import dataclass
from typing import Final

from chubei_shared.contracts.links import LinkPurpose
from chubei_shared.settings import Service
from chubei_shared.tokens import Role


@dataclass(frozen=True)
class Purpose:
    makers: frozenset[Role]
    service: Service
    path: str
    """Where the service shows the subject, by its ids; the same that the routes for guests take (x-grant)."""

    @property
    def ids(self) -> int:
        """How many ids the subject has."""
        return self.path.count("{}")


PURPOSES: Final = {
    LinkPurpose.ORDER: Purpose(frozenset({Role.CLERK, Role.COMMANDER}), "allocation", "/v1/orders/{}"),
    LinkPurpose.HEADCOUNT: Purpose(
        frozenset({Role.CLERK, Role.COMMANDER}), "allocation", "/v1/incidents/{}/shelters/{}"
    ),
    LinkPurpose.CONFIRMATION: Purpose(
        frozenset({Role.CLERK, Role.COMMANDER}), "allocation", "/v1/confirmations/{}"
    ),
}
MAKERS: Final = frozenset[Role]().union(*(purpose.makers for purpose in PURPOSES.values()))
