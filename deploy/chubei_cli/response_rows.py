"""The tables of a district's response: its posts, their authority and their duties."""

from dataclasses import dataclass
from typing import Annotated

from chubei_cli.cells import (
    choice,
    choices,
    optional,
    refers_to,
    shaped,
    whole,
    yes_no,
)
from chubei_cli.row_fields import (
    MODES,
    Id,
    Minutes,
    Name,
    Provenance,
    Source,
    Span,
    Tier,
)


@dataclass(frozen=True)
class Post:
    """posts.csv: posts of the response, vacant until somebody is appointed. `tier`: of authority."""

    id: Id
    name_zh: Name
    name_en: Name
    escalates_to: Annotated[str | None, optional(refers_to("posts.csv"))]
    tier: Tier
    provenance: Provenance
    source: Source


@dataclass(frozen=True)
class Authority:
    """authority.csv: a tier of authority, the lowest first; a post has it by the same `tier`. No number: no limit."""

    id: Id
    name_zh: Name
    name_en: Name
    max_people: Annotated[int | None, optional(whole(1))]
    cross_store: Annotated[bool, yes_no()]
    modes: Annotated[tuple[str, ...], choices(*MODES)]
    requisition: Annotated[bool, yes_no()]
    approvers: Annotated[int, whole(1, 2)]
    provenance: Provenance
    source: Source


@dataclass(frozen=True)
class Duty:
    """duties.csv: the response plan; a duty applies at `from_level` and every graver level."""

    id: Id
    stage: Annotated[str, choice("alarm", "assess", "order", "dispatch", "supervise", "evaluate", "report")]
    from_level: Annotated[int, whole(1, 4)]
    post: Annotated[str, refers_to("posts.csv")]
    what_zh: Name
    what_en: Name
    tier: Tier
    due_within_min: Span
    ack_within_min: Span
    provenance: Provenance
    source: Source


@dataclass(frozen=True)
class Person:
    """people.csv: whom to call on the night, and who keeps a shelter; `vehicle_type`: of drivers."""

    id: Id
    name: Name
    duty: Annotated[str, choice("keeper", "loader", "driver", "shelter")]
    place: Annotated[str, refers_to("stores.csv", "suppliers.csv", "makers.csv", "shelters.csv")]
    vehicle_type: Annotated[str | None, optional(refers_to("fleet.csv"))]
    phone: Annotated[str, shaped(r"[0-9+][0-9 -]{2,29}", "电话号码", "a telephone number")]
    arrive_min: Minutes
    provenance: Provenance
    source: Source
