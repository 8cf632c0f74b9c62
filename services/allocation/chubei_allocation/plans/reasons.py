"""Why a plan does not serve more: who goes without, and what binds, by the names that people use."""

import re
from typing import Any
from uuid import UUID

from chubei_shared.contracts.plans import Held, Lacking, Reasons
from sqlalchemy.orm import Session

from chubei_allocation.planner import explain, parse_scenario, parse_trips
from chubei_allocation.plans import plans


def show(session: Session, plan_id: UUID) -> Reasons:
    """Worked out from the stored plan; nothing is solved. Raises NotFound."""
    plan = plans.get(session, plan_id)
    body = plans.scenario(session, plan)
    scenario = parse_scenario(body)
    found = explain(scenario, parse_trips(plan.plan, scenario))
    names = names_of(body)
    caused = [point for cause in found.causes for point in cause.points]
    return Reasons(
        plan_id=plan_id,
        zh=with_names(found.zh, names["zh"], *caused),
        en=with_names(found.en, names["en"], *caused),
        people=found.people,
        supported=found.supported,
        settled=found.settled,
        unmet=[
            Lacking(
                point=row.point,
                name_zh=names["zh"].get(row.point, row.point),
                name_en=names["en"].get(row.point, row.point),
                not_supported=row.not_supported,
                not_settled=row.not_settled,
                short=dict(row.short),
            )
            for row in found.unmet
        ],
        binding=[
            Held(
                kind=row.kind,
                id=row.id,
                zh=with_names(row.zh, names["zh"], row.id, row.other),
                en=with_names(row.en, names["en"], row.id, row.other),
                share=row.share,
                people=row.people,
                points=row.points,
            )
            for row in found.binding
        ],
    )


def names_of(scenario: dict[str, Any]) -> dict[str, dict[str, str]]:
    """{language: {id: name}} of sources, points and types of vehicle, as far as the scenario has names."""
    rows = [(row["id"], row) for row in (*scenario["sources"], *scenario["points"])]
    rows += [(row["type"], row) for row in scenario["vehicles"]]
    return {
        language: {name: row[f"name_{language}"] for name, row in rows if f"name_{language}" in row}
        for language in ("zh", "en")
    }


def with_names(words: str, names: dict[str, str], *ids: str) -> str:
    """The words with names for these ids, where an id stands by itself; without its spaces beside Chinese."""
    known = "|".join(re.escape(name) for name in ids if name in names)
    if not known:
        return words
    named = re.sub(rf"(?<![\w-])(?:{known})(?![\w-])", lambda found: names[found[0]], words)
    return re.sub(r"(?<=[一-鿿]) (?=[一-鿿])", "", named)
