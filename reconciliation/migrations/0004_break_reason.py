"""A break bears the reason that weighs most among its differences, so that queues count it without a join."""

from django.db import migrations, models

PARTS = ("reconciliation_member", "reconciliation_difference", "reconciliation_gaterefusal")
BITS = "('x' || left(md5({}::text), 15))::bit(60)::bigint"
DIGESTS = (
    "SELECT id, md5(concat_ws('|', count(*), sum(part)))::uuid AS digest FROM ("
    f"SELECT b.id, true AS is_whole, {BITS.format('b')} AS part FROM reconciliation_break b WHERE b.state <> 'in_flight'"
    + "".join(f" UNION ALL SELECT c.break_id, false, {BITS.format('c')} FROM {table} c" for table in PARTS)
    + ") p GROUP BY id HAVING bool_or(is_whole)"
)
SOUND = (
    f"CREATE TEMP TABLE sound_break ON COMMIT DROP AS SELECT d.id FROM ({DIGESTS}) d "
    "JOIN ingestion_seal s ON s.kind = 'reconciliation_break' AND s.row_id = d.id AND s.digest = d.digest"
)
FILL = (
    "UPDATE reconciliation_break b SET reason = w.reason_id FROM ("
    "SELECT DISTINCT ON (d.break_id) d.break_id, a.reason_id FROM reconciliation_difference d "
    "JOIN attribution_attribution a ON a.difference_id = d.id AND a.current WHERE d.current "
    "ORDER BY d.break_id, a.reason_id <> 'UNKNOWN', a.confidence, d.id) w WHERE w.break_id = b.id"
)
RESEAL = (
    f"UPDATE ingestion_seal s SET digest = d.digest FROM ({DIGESTS}) d JOIN sound_break USING (id) "
    "WHERE s.kind = 'reconciliation_break' AND s.row_id = d.id"
)


def _is_empty(schema_editor):
    with schema_editor.connection.cursor() as cursor:
        cursor.execute("SELECT NOT EXISTS (SELECT 1 FROM reconciliation_break)")
        return cursor.fetchone()[0]


def remember(apps, schema_editor):
    """Note which seals fit, so that a row changed by hand before stays named."""
    if not _is_empty(schema_editor):
        schema_editor.execute(SOUND)


def fill(apps, schema_editor):
    """Give breaks their reason and seal them anew."""
    if not _is_empty(schema_editor):
        schema_editor.execute(FILL)
        schema_editor.execute(RESEAL)


class Migration(migrations.Migration):

    dependencies = [
        ('ingestion', '0002_carried'),
        ('reconciliation', '0003_break_by_run_and_bucket'),
    ]

    operations = [
        migrations.RunPython(remember, migrations.RunPython.noop),
        migrations.AddField(
            model_name='break',
            name='reason',
            field=models.CharField(blank=True, default="", help_text='Code of the reason that weighs most among its differences; queues count it.', max_length=40),
            preserve_default=False,
        ),
        migrations.AddIndex(
            model_name='break',
            index=models.Index(fields=['reconciliation', 'state', 'kind', 'band', 'reason'], name='break_facets'),
        ),
        migrations.RunPython(fill, migrations.RunPython.noop),
    ]
