"""References that are held set-based: which run, delivery or reason a row comes from.

A foreign key looks up each row by itself: a million lookups in a run whose rows all name the same three parents. Here
one statement trigger looks each distinct parent up once and locks it (FOR KEY SHARE, as a foreign key does), the column
never changes afterwards, and a parent that is named cannot go. The guarantee is that of a foreign key.
"""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Provenance:
    """A column of a table that names a row of a parent. `name` is the constraint's."""

    name: str
    table: str
    column: str
    parent: str
    key: str = "id"


FUNCTIONS = """
CREATE FUNCTION provenance_is_there() RETURNS trigger LANGUAGE plpgsql AS $body$
DECLARE missing text;
BEGIN
    EXECUTE format(
        'WITH named AS (SELECT DISTINCT %1$I AS key FROM arriving WHERE %1$I IS NOT NULL), '
        'held AS (SELECT %3$I AS key FROM %2$I WHERE %3$I IN (SELECT key FROM named) FOR KEY SHARE) '
        'SELECT key::text FROM named WHERE key NOT IN (SELECT key FROM held) LIMIT 1',
        TG_ARGV[1], TG_ARGV[2], TG_ARGV[3]) INTO missing;
    IF missing IS NOT NULL THEN
        RAISE foreign_key_violation USING CONSTRAINT = TG_ARGV[0], TABLE = TG_TABLE_NAME, MESSAGE =
            format('"%s" of table "%s" names %s, which is not in "%s" (%s)',
                TG_ARGV[1], TG_TABLE_NAME, missing, TG_ARGV[2], TG_ARGV[0]);
    END IF;
    RETURN NULL;
END $body$;
CREATE FUNCTION provenance_stays() RETURNS trigger LANGUAGE plpgsql AS $body$
BEGIN
    RAISE integrity_constraint_violation USING CONSTRAINT = TG_ARGV[0], TABLE = TG_TABLE_NAME, MESSAGE =
        format('"%s" of table "%s" never changes (%s)', TG_ARGV[1], TG_TABLE_NAME, TG_ARGV[0]);
END $body$;
CREATE FUNCTION provenance_is_named() RETURNS trigger LANGUAGE plpgsql AS $body$
DECLARE named text;
BEGIN
    EXECUTE format(
        'SELECT g.%3$I::text FROM gone g WHERE NOT EXISTS (SELECT 1 FROM %4$I p WHERE p.%3$I = g.%3$I) '
        'AND EXISTS (SELECT 1 FROM %1$I c WHERE c.%2$I = g.%3$I) LIMIT 1',
        TG_ARGV[1], TG_ARGV[2], TG_ARGV[3], TG_TABLE_NAME) INTO named;
    IF named IS NOT NULL THEN
        RAISE foreign_key_violation USING CONSTRAINT = TG_ARGV[0], TABLE = TG_TABLE_NAME, MESSAGE =
            format('%s of table "%s" is named in "%s" (%s)', named, TG_TABLE_NAME, TG_ARGV[1], TG_ARGV[0]);
    END IF;
    RETURN NULL;
END $body$;
"""
DROP_FUNCTIONS = "DROP FUNCTION provenance_is_there(), provenance_stays(), provenance_is_named()"


def create_sql(references: Sequence[Provenance]) -> str:
    """The triggers of some references."""
    return ";\n".join(statement for reference in references for statement in _create(reference))


def _create(it: Provenance) -> tuple[str, ...]:
    arguments = f"'{it.name}', '{it.column}', '{it.parent}', '{it.key}'"
    return (
        f"CREATE TRIGGER {it.name} AFTER INSERT ON {it.table} REFERENCING NEW TABLE AS arriving "
        f"FOR EACH STATEMENT EXECUTE FUNCTION provenance_is_there({arguments})",
        f"CREATE TRIGGER {it.name}_stays BEFORE UPDATE OF {it.column} ON {it.table} FOR EACH ROW "
        f"WHEN (OLD.{it.column} IS DISTINCT FROM NEW.{it.column}) EXECUTE FUNCTION provenance_stays({arguments})",
        *(
            f"CREATE TRIGGER {it.name}_{event.lower()} AFTER {event} ON {it.parent} REFERENCING OLD TABLE AS gone "
            f"FOR EACH STATEMENT EXECUTE FUNCTION provenance_is_named('{it.name}', '{it.table}', '{it.column}', '{it.key}')"
            for event in ("DELETE", "UPDATE")
        ),
    )


def drop_sql(references: Sequence[Provenance]) -> str:
    """Takes the triggers off again."""
    return ";\n".join(
        f"DROP TRIGGER {it.name} ON {it.table}; DROP TRIGGER {it.name}_stays ON {it.table}; "
        f"DROP TRIGGER {it.name}_delete ON {it.parent}; DROP TRIGGER {it.name}_update ON {it.parent}"
        for it in references
    )
