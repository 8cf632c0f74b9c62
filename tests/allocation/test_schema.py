"""The migrated database is the one that the code describes, and refuses what no caller may do."""

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from chubei_allocation.authority import tables as _authority  # noqa: F401 (its tables are Base's)
from chubei_allocation.call_out import tables as _call_out  # noqa: F401 (its tables are Base's)
from chubei_allocation.confirmations import tables as _confirmations  # noqa: F401
from chubei_allocation.deviations import tables as _deviations  # noqa: F401 (part of the schema)
from chubei_allocation.exercise_books import tables as _books  # noqa: F401 (its tables are Base's)
from chubei_allocation.exercises import tables as _exercises  # noqa: F401 (its tables are Base's)
from chubei_allocation.notices import tables as _notices  # noqa: F401 (its tables are Base's)
from chubei_allocation.oral_orders import tables as _oral  # noqa: F401 (its tables are Base's)
from chubei_allocation.photos import tables as _photos  # noqa: F401 (its tables are Base's)
from chubei_allocation.plans import tables as _plans  # noqa: F401 (its tables are Base's)
from chubei_allocation.posts import tables as _posts  # noqa: F401 (its tables are Base's)
from chubei_allocation.readiness import tables as _readiness  # noqa: F401
from chubei_allocation.reports import tables as _reports  # noqa: F401 (its tables are Base's)
from chubei_allocation.response import tables as _response  # noqa: F401 (its tables are Base's)
from chubei_allocation.shelters import tables as _shelters  # noqa: F401 (its tables are Base's)
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
