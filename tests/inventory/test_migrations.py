from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from chubei_inventory.tables import Base
from sqlalchemy import Engine


def test_models_and_migrated_schema_agree(engine: Engine) -> None:
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), Base.metadata) == []
