"""Links for people without an account: a signed link or a short code, for one thing (owned by the gateway)."""

from enum import StrEnum
from typing import Annotated
from uuid import UUID

from pydantic import Field, StringConstraints

from chubei_shared.contracts.base import Dto, Id, Utc

HolderName = Annotated[
    str, StringConstraints(min_length=1, max_length=80, pattern=r"^[^\x00-\x1f]*[^\s\x00-\x1f][^\x00-\x1f]*$")
]
Phone = Annotated[str, StringConstraints(pattern=r"^[0-9+][0-9 -]{2,29}$")]
Code = Annotated[str, StringConstraints(min_length=8, max_length=100, pattern=r"^[A-Za-z0-9_ -]+$")]


class LinkPurpose(StrEnum):
    """What a link may be for; the routes that it opens name it (x-grant)."""

    ORDER = "order"
    """A dispatch order, for its driver: to see it, to take over, and to report the road and receipts. Subject: the
    order's id."""
    HEADCOUNT = "headcount"
    """A shelter in an incident, for its keeper or the street office: to report by the hour who is there, to
    receive, hand out, ask for more and give back. Subject: the incident's id and the shelter's."""
    CONFIRMATION = "confirmation"
    """What a supplier is asked to confirm in an incident, to be answered. Subject: the confirmation's id."""


class NewLink(Dto):
    id: UUID
    """Minted by the client, so that a retry is the same request."""
    purpose: LinkPurpose
    subject: list[Id] = Field(min_length=1, max_length=4)
    """The ids of the one thing that it is for."""
    holder_name: HolderName
    """Who gets it; stands on the records as guest:<name>."""
    phone: Phone | None = None
    expires_at: Utc
    """Within 30 days."""


class LinkView(Dto):
    id: UUID
    purpose: LinkPurpose
    subject: list[str]
    holder_name: str
    phone: str | None
    """Its first and last digits."""
    created_by: str
    created_at: Utc
    expires_at: Utc
    first_used_at: Utc | None
    last_used_at: Utc | None
    revoked_at: Utc | None


class LinkMade(LinkView):
    """A link with its secrets, which only this answer tells; to the same request again, the same."""

    path: str
    """/l/<secret>, to be put after the house's address and sent."""
    code: str
    """The same in short, to be read out or typed: ABCD-EFGH."""


class LinkPage(Dto):
    rows: list[LinkView]
    next_cursor: str | None = None


class OpenLink(Dto):
    code: Code
    """The short code in any writing, or the secret at the end of the link's path."""


class GuestToken(Dto):
    """A token for just what the link is for; open the link again for another."""

    access_token: str
    token_type: str = "Bearer"
    expires_in_s: int
    link_id: UUID
    purpose: LinkPurpose
    subject: list[str]
    holder_name: str
    link_expires_at: Utc
