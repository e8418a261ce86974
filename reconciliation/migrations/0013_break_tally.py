from django.db import migrations, models

TABLE, BREAK = "reconciliation_breaktally", "reconciliation_break"
COLUMNS = "reconciliation_id, state, kind, band, reason, opened"
CELL = (
    "reconciliation_id, state, kind, band, reason, "
    "CASE WHEN state IN ('in_flight', 'review') THEN date_trunc('hour', opened_at, 'UTC') END"
)
_ADD = f"INSERT INTO {TABLE} ({COLUMNS}, breaks) SELECT {CELL}"
TRIGGERS = f"""
CREATE FUNCTION tally_breaks() RETURNS trigger LANGUAGE plpgsql AS $body$
BEGIN
    IF TG_OP = 'INSERT' THEN
        {_ADD}, count(*) FROM arriving GROUP BY 1, 2, 3, 4, 5, 6;
    ELSIF TG_OP = 'DELETE' THEN
        {_ADD}, -count(*) FROM leaving GROUP BY 1, 2, 3, 4, 5, 6;
    ELSE
        {_ADD}, sum(n) FROM (
            SELECT reconciliation_id, state, kind, band, reason, opened_at, -1 AS n FROM leaving
            UNION ALL SELECT reconciliation_id, state, kind, band, reason, opened_at, 1 FROM arriving) changed
        GROUP BY 1, 2, 3, 4, 5, 6 HAVING sum(n) <> 0;
    END IF;
    RETURN NULL;
END $body$;
CREATE TRIGGER break_tally_insert AFTER INSERT ON {BREAK} REFERENCING NEW TABLE AS arriving
    FOR EACH STATEMENT EXECUTE FUNCTION tally_breaks();
CREATE TRIGGER break_tally_update AFTER UPDATE ON {BREAK} REFERENCING OLD TABLE AS leaving NEW TABLE AS arriving
    FOR EACH STATEMENT EXECUTE FUNCTION tally_breaks();
CREATE TRIGGER break_tally_delete AFTER DELETE ON {BREAK} REFERENCING OLD TABLE AS leaving
    FOR EACH STATEMENT EXECUTE FUNCTION tally_breaks();
"""
DROP_TRIGGERS = f"""
DROP TRIGGER break_tally_insert ON {BREAK};
DROP TRIGGER break_tally_update ON {BREAK};
DROP TRIGGER break_tally_delete ON {BREAK};
DROP FUNCTION tally_breaks();
"""
FILL = f"{_ADD}, count(*) FROM {BREAK} GROUP BY 1, 2, 3, 4, 5, 6"


class Migration(migrations.Migration):

    dependencies = [
        ('reconciliation', '0012_set_up_history'),
    ]

    operations = [
        migrations.CreateModel(
            name='BreakTally',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('reconciliation_id', models.BigIntegerField()),
                ('state', models.CharField(max_length=9)),
                ('kind', models.CharField(max_length=12)),
                ('band', models.CharField(max_length=9)),
                ('reason', models.CharField(max_length=40)),
                ('opened', models.DateTimeField(help_text='The hour in which open breaks opened; null for all others.', null=True)),
                ('breaks', models.BigIntegerField()),
            ],
            options={'indexes': [models.Index(fields=['reconciliation_id', 'state'], name='break_tally_by_state')]},
        ),
        migrations.RunSQL(TRIGGERS, DROP_TRIGGERS),
        migrations.RunSQL(FILL, migrations.RunSQL.noop),
    ]
