"""A district's posts, authority and response plan as what allocation is told: pure, from rows to contracts."""

from collections.abc import Iterator

from chubei_shared.contracts.authority import Authority, Tier
from chubei_shared.contracts.base import Certainty, Mode, Provenance
from chubei_shared.contracts.call_out import CallDuty, CallRegister, Person
from chubei_shared.contracts.posts import Post
from chubei_shared.contracts.response import Duty, ResponsePlan, Stage

from .district import District


def posts(district: District) -> Iterator[Post]:
    """The posts, each after the one above it; nobody holds them yet."""
    waiting = {row.id: row for row in district.posts}
    while waiting:
        free = [row for row in waiting.values() if row.escalates_to not in waiting]
        for row in free:
            del waiting[row.id]
            yield Post(
                id=row.id,
                name_zh=row.name_zh,
                name_en=row.name_en,
                escalates_to=row.escalates_to,
                tier=row.tier,
                provenance=Provenance(certainty=Certainty(row.provenance), source=row.source),
            )


def people(district: District) -> CallRegister | None:
    """The register of who is called, and of who keeps which shelter. None where the district has nobody."""
    if not district.people:
        return None
    return CallRegister(
        people=[
            Person(
                id=row.id,
                name=row.name,
                duty=CallDuty(row.duty),
                place_id=row.place,
                vehicle_type_id=row.vehicle_type,
                phone=row.phone,
                arrive_min=row.arrive_min,
                provenance=Provenance(certainty=Certainty(row.provenance), source=row.source),
            )
            for row in district.people
        ]
    )


def authority(district: District) -> Authority | None:
    """Who may approve what. None where the district does not say."""
    if not district.authority:
        return None
    sources = "; ".join(dict.fromkeys(row.source for row in district.authority))
    worst = max((Certainty(row.provenance) for row in district.authority), key=list(Certainty).index)
    return Authority(
        tiers=[
            Tier(
                id=row.id,
                name_zh=row.name_zh,
                name_en=row.name_en,
                max_people=row.max_people,
                cross_store=row.cross_store,
                modes=[Mode(mode) for mode in row.modes],
                requisition=row.requisition,
                approvers=2 if row.approvers == 2 else 1,
            )
            for row in district.authority
        ],
        provenance=Provenance(certainty=worst, source=sources[:1000]),
    )


def response_plan(district: District) -> ResponsePlan | None:
    """None where the district has no duties."""
    if not district.duties:
        return None
    sources = "; ".join(sorted({row.source for row in district.duties}))
    worst = max((Certainty(row.provenance) for row in district.duties), key=list(Certainty).index)
    return ResponsePlan(
        duties=[
            Duty(
                id=row.id,
                stage=Stage(row.stage),
                from_level=row.from_level,
                to_post=row.post,
                zh=row.what_zh,
                en=row.what_en,
                tier=row.tier,
                due_within_min=row.due_within_min,
                ack_within_min=row.ack_within_min,
            )
            for row in district.duties
        ],
        provenance=Provenance(certainty=worst, source=sources[:1000]),
    )
