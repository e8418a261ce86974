from django.db import migrations, models

TABLE, BREAK = "reconciliation_breaktally", "reconciliation_break"
COLUMNS = "reconciliation_id, state, kind, band, reason, scope_id, assignee_id, opened, due"
CELL = (
    "reconciliation_id, state, kind, band, reason, scope_id, assignee_id, "
    "CASE WHEN state IN ('in_flight', 'review') THEN date_trunc('hour', opened_at, 'UTC') END, "
    "CASE WHEN state IN ('in_flight', 'review') THEN date_trunc('minute', due_at, 'UTC') END"
)
_READ = "reconciliation_id, state, kind, band, reason, scope_id, assignee_id, opened_at, due_at"
_ADD = f"INSERT INTO {TABLE} ({COLUMNS}, breaks) SELECT {CELL}"
_BY = "GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9"
FUNCTION = f"""
LOCK TABLE {BREAK} IN SHARE ROW EXCLUSIVE MODE;
CREATE OR REPLACE FUNCTION tally_breaks() RETURNS trigger LANGUAGE plpgsql AS $body$
BEGIN
    IF TG_OP = 'INSERT' THEN
        {_ADD}, count(*) FROM arriving {_BY};
    ELSIF TG_OP = 'DELETE' THEN
        {_ADD}, -count(*) FROM leaving {_BY};
    ELSE
        {_ADD}, sum(n) FROM (SELECT {_READ}, -1 AS n FROM leaving UNION ALL SELECT {_READ}, 1 FROM arriving) changed
        {_BY} HAVING sum(n) <> 0;
    END IF;
    RETURN NULL;
END $body$;
"""
FILL = f"DELETE FROM {TABLE}; {_ADD}, count(*) FROM {BREAK} {_BY};"


class Migration(migrations.Migration):
    """The tally knows who looks after breaks and until when people have time for them, so that the queue counts none."""

    dependencies = [("reconciliation", "0017_scopes")]

    operations = [
        migrations.AddField("breaktally", "assignee_id", models.BigIntegerField(null=True)),
        migrations.AddField("breaktally", "due", models.DateTimeField(null=True, help_text="The minute in which open breaks are due; null for all others.")),
        migrations.RunSQL(FUNCTION, migrations.RunSQL.noop),
        migrations.RunSQL(FILL, migrations.RunSQL.noop),
    ]
