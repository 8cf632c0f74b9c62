"""The catalogue in versions: every state that was ever in force can be read again.

Kits, norms and items are entries, each in force from one version until another. The table item stays, as the register
that lots and movements refer to; kits are entries only.

Revision ID: 0005_catalogue
"""

from alembic import op

revision = "0005_catalogue"
down_revision = "0004_parked_effects"
branch_labels = None
depends_on = None

TABLES = """
CREATE TABLE catalogue_version (
    number integer PRIMARY KEY CHECK (number > 0),
    name text NOT NULL,
    note text NOT NULL,
    published_at timestamptz NOT NULL DEFAULT now(),
    published_by text NOT NULL
);

CREATE TABLE catalogue_entry (
    kind text NOT NULL CHECK (kind IN ('item', 'kit', 'norm')),
    key text NOT NULL,
    since integer NOT NULL REFERENCES catalogue_version,
    until integer REFERENCES catalogue_version CHECK (until > since),
    body jsonb NOT NULL,
    PRIMARY KEY (kind, key, since)
);
CREATE UNIQUE INDEX catalogue_in_force ON catalogue_entry (kind, key) WHERE until IS NULL;

CREATE TABLE catalogue_draft (
    id uuid PRIMARY KEY,
    body jsonb NOT NULL,
    base integer NOT NULL,
    status text NOT NULL DEFAULT 'open' CHECK (status IN ('open', 'published', 'discarded')),
    created_at timestamptz NOT NULL DEFAULT now(),
    changed_by text NOT NULL,
    published_as integer REFERENCES catalogue_version,
    CHECK ((status = 'published') = (published_as IS NOT NULL))
);
CREATE INDEX catalogue_draft_created ON catalogue_draft (created_at, id);
"""

WHAT_IS_THERE = """
INSERT INTO catalogue_version (number, name, note, published_by)
SELECT 1, '既有目录 / as it was', '', 'migration 0005' WHERE EXISTS (SELECT FROM item);
INSERT INTO catalogue_entry (kind, key, since, body) SELECT 'item', code, 1, to_jsonb(item) FROM item;
INSERT INTO catalogue_entry (kind, key, since, body)
SELECT 'kit', id, 1, to_jsonb(kit) || jsonb_build_object('needs', (
    SELECT jsonb_agg(jsonb_build_object('item_code', item_code, 'per_person', per_person::text, 'tier', tier,
                                        'group', group_id) ORDER BY position)
    FROM kit_need WHERE kit_id = kit.id))
FROM kit;
DROP TABLE kit_need;
DROP TABLE kit;
"""

TRIGGERS = """
CREATE TRIGGER catalogue_version_kept BEFORE UPDATE OR DELETE OR TRUNCATE ON catalogue_version
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change('what was published stays as it was');
CREATE TRIGGER catalogue_entry_kept BEFORE DELETE OR TRUNCATE ON catalogue_entry
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change('what was published stays as it was');
CREATE TRIGGER catalogue_entry_fixed BEFORE UPDATE OF kind, key, since, body ON catalogue_entry
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change('what was published stays as it was');

-- An entry comes into force, and goes out of it, by the newest version only: the older ones stay as they were.

CREATE FUNCTION only_by_newest() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (CASE TG_OP WHEN 'INSERT' THEN NEW.since ELSE NEW.until END)
            IS DISTINCT FROM (SELECT max(number) FROM catalogue_version)
       OR (TG_OP = 'INSERT' AND NEW.until IS NOT NULL) OR (TG_OP = 'UPDATE' AND OLD.until IS NOT NULL) THEN
        RAISE EXCEPTION 'catalogue: % % is changed by the newest version only', NEW.kind, NEW.key
            USING ERRCODE = 'restrict_violation', CONSTRAINT = 'catalogue_by_newest';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER catalogue_by_newest BEFORE INSERT OR UPDATE OF until ON catalogue_entry
    FOR EACH ROW EXECUTE FUNCTION only_by_newest();
"""


def upgrade() -> None:
    op.execute(TABLES)
    op.execute(WHAT_IS_THERE)
    op.execute(TRIGGERS)


def downgrade() -> None:
    raise RuntimeError("The ledger is never taken down: restore a backup instead")
