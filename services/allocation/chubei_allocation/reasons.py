"""Why a plan does not serve more: who goes without, and what binds, by the names that people use."""

import re
from typing import Any
from uuid import UUID

from chubei_shared.contracts.plans import Held, Lacking, Reasons
from sqlalchemy.orm import Session

from chubei_allocation import plans
from chubei_allocation.planner import explain, parse_scenario, parse_trips


def show(session: Session, plan_id: UUID) -> Reasons:
    """Worked out from the stored plan; nothing is solved. Raises NotFound."""
    plan = plans.get(session, plan_id)
    body = plans.scenario(session, plan)
    scenario = parse_scenario(body)
    found = explain(scenario, parse_trips(plan.plan, scenario))
    names = _names(body)
    return Reasons(
        plan_id=plan_id,
        zh=found.zh,
        en=found.en,
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
                zh=_named(row.zh, names["zh"], row.id, row.other),
                en=_named(row.en, names["en"], row.id, row.other),
                share=row.share,
                people=row.people,
                points=row.points,
            )
            for row in found.binding
        ],
    )


def _names(scenario: dict[str, Any]) -> dict[str, dict[str, str]]:
    """{language: {id: name}} of sources, points and types of vehicle, as far as the scenario has names."""
    rows = [(row["id"], row) for row in (*scenario["sources"], *scenario["points"])]
    rows += [(row["type"], row) for row in scenario["vehicles"]]
    return {
        language: {name: row[f"name_{language}"] for name, row in rows if f"name_{language}" in row}
        for language in ("zh", "en")
    }


def _named(words: str, names: dict[str, str], *ids: str) -> str:
    """The words with names for these ids, where an id stands by itself."""
    known = "|".join(re.escape(name) for name in ids if name in names)
    if not known:
        return words
    return re.sub(rf"(?<![\w-])(?:{known})(?![\w-])", lambda found: names[found[0]], words)
