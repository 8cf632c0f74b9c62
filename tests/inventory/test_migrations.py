from collections.abc import Iterator
from decimal import Decimal
from uuid import uuid4

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from chubei_inventory.catalogue import catalogue
from chubei_inventory.reserves import reserves
from chubei_inventory.tables import Base
from chubei_shared.settings import Settings
from sqlalchemy import URL, Engine, create_engine, text
from sqlalchemy.orm import Session


def test_models_and_migrated_schema_agree(engine: Engine) -> None:
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), Base.metadata) == []


@pytest.fixture
def old_house(settings: Settings) -> Iterator[URL]:
    """A database as it was before reserves and catalogue got their present tables, with something in it."""
    url = settings.database("inventory").set(database=f"old_{uuid4().hex[:8]}")
    server = create_engine(url.set(database="postgres"), isolation_level="AUTOCOMMIT")
    with server.connect() as connection:
        connection.execute(text(f'CREATE DATABASE "{url.database}"'))
    upgrade(url, "0002_movements")
    old = create_engine(url)
    with old.begin() as connection:
        for statement in WHAT_WAS_THERE:
            connection.execute(text(statement), {"told": TOLD} if ":told" in statement else {})
    old.dispose()
    yield url
    with server.connect() as connection:
        connection.execute(text(f'DROP DATABASE "{url.database}" WITH (FORCE)'))
    server.dispose()


def upgrade(url: URL, revision: str) -> None:
    config = Config()
    config.set_main_option("script_location", "chubei_inventory:migrations")
    config.attributes["url"] = url
    command.upgrade(config, revision)


TOLD = '{"certainty": "invented", "source": "x"}'
WHAT_WAS_THERE = (
    "INSERT INTO item VALUES ('1020101', '水', 'Water', 'relief', '箱', 24, 550, 700, 12, '{physical}', '局', '局', "
    "5, false, CAST(:told AS jsonb))",
    "INSERT INTO kit VALUES ('indoor', '室内', 'indoors', CAST(:told AS jsonb))",
    "INSERT INTO kit_need VALUES ('indoor', 0, '1020101', 0.25, 1, NULL)",
    "INSERT INTO place (id, kind, name_zh, name_en, zone, provenance) VALUES ('S', 'store', '库', 'Store', '', "
    "CAST(:told AS jsonb))",
    "INSERT INTO reserve (id, place_id, mode, item_code, party, contact, valid_from, valid_until, provenance, "
    "unit_price_cny, lead_min, floor_stock, quantity) VALUES ('A', 'S', 'contract', '1020101', '甲', '值班室 010', "
    "'2026-01-01', '2040-01-01', CAST(:told AS jsonb), 28, 60, 5, 100)",
    "INSERT INTO reserve (id, place_id, mode, item_code, party, contact, valid_from, valid_until, provenance, "
    "unit_price_cny, budget_cny, approval_min, delivery_min, quantity) VALUES ('F', 'S', 'fund', '1020101', '款', '', "
    "'2026-01-01', '2040-01-01', CAST(:told AS jsonb), 3, 1000, 60, 240, 333)",
)


def test_what_was_there_before_is_there_after(old_house):
    upgrade(old_house, "head")
    engine = create_engine(old_house)
    with Session(engine) as session:
        agreement, fund = (reserves.get(session, reserve_id).reserve for reserve_id in "AF")
        assert (agreement.unit_price_fen, agreement.price_rule) == (2800, "fixed")
        assert [contact.name for contact in agreement.contacts] == ["值班室 010"]
        assert (fund.budget_fen, fund.unit_price_fen, fund.contacts) == (100_000, 300, [])
        assert catalogue.newest_version(session) == 1
        kit = catalogue.kit(session, "indoor", version=1)
        assert [(need.item_code, need.per_person) for need in kit.needs] == [("1020101", Decimal("0.25"))]
        assert catalogue.item(session, "1020101").shelf_life_months == 12
    engine.dispose()
