"""The migrated database is the one that the code describes, and refuses what no caller may do."""

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from chubei_allocation.tables import Base
from chubei_shared.contracts.plans import PlanStatus
from chubei_shared.db import make_engine
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError


def test_models_and_migrations_agree(house_settings):
    engine = make_engine(house_settings.database("allocation"), pool_size=1)
    with engine.connect() as connection:
        found = compare_metadata(MigrationContext.configure(connection), Base.metadata)
    engine.dispose()
    # alembic_version is alembic's own
    assert [change for change in found if "alembic_version" not in str(change)] == []


BROKEN = {
    "plan_held_check": "status = 'approving'",
    "plan_four_eyes_check": "status = 'approved', hold_id = gen_random_uuid(), decided_by = requested_by",
    "plan_status_check": "status = 'gone'",
}


def test_the_database_itself_keeps_approval_honest(stocked):
    plan = stocked.proposed()
    for constraint, change in BROKEN.items():
        with pytest.raises(IntegrityError, match=constraint):
            stocked.house.tx(
                lambda session, change=change: session.execute(
                    text(f"UPDATE plan SET {change} WHERE id = :id"),  # noqa: S608 (this file's own text)
                    {"id": plan.id},
                )
            )


def test_the_database_itself_allows_one_plan_in_force(stocked):
    incident = stocked.declare()
    plans = [stocked.proposed(incident) for _ in range(2)]
    stocked.approver.approve(plans[0].id)
    with pytest.raises(IntegrityError, match="plan_one_in_force"):
        stocked.house.tx(
            lambda session: session.execute(
                text(
                    "UPDATE plan SET status = 'approving', hold_id = gen_random_uuid(), decided_by = 'x' WHERE id = :id"
                ),
                {"id": plans[1].id},
            )
        )
    assert stocked.commander.plan(plans[1].id).status is PlanStatus.PROPOSED
