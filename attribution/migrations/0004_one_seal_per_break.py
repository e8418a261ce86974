"""One seal holds a break with its attributions; it takes the hash of each row instead of the md5 of its text."""

from django.db import migrations

FORGET = "DELETE FROM ingestion_seal WHERE kind = 'attributions_of_break'"
RESEAL = """
UPDATE ingestion_seal s SET digest = n.digest FROM (
    SELECT id, md5(concat_ws('|', count(*), sum(part)))::uuid AS digest FROM (
        SELECT b.id, hash_record_extended(b, 0) AS part FROM reconciliation_break b
        UNION ALL SELECT c.break_id, hash_record_extended(c, 0) FROM reconciliation_member c
        UNION ALL SELECT c.break_id, hash_record_extended(c, 0) FROM reconciliation_difference c
        UNION ALL SELECT c.break_id, hash_record_extended(c, 0) FROM reconciliation_gaterefusal c
        UNION ALL SELECT d.break_id, hash_record_extended(a, 0)
        FROM reconciliation_difference d JOIN attribution_attribution a ON a.difference_id = d.id
        UNION ALL SELECT d.break_id, hash_record_extended(c, 0)
        FROM reconciliation_difference d JOIN attribution_attribution a ON a.difference_id = d.id
        JOIN attribution_candidate c ON c.attribution_id = a.id
    ) p GROUP BY id
) n WHERE s.kind = 'reconciliation_break' AND s.row_id = n.id
"""


class Migration(migrations.Migration):
    dependencies = [
        ("attribution", "0003_carried"),
        ("reconciliation", "0005_fate_by_break"),
        ("ingestion", "0002_carried"),
    ]

    operations = [
        migrations.RunSQL(FORGET, migrations.RunSQL.noop),
        migrations.RunSQL(RESEAL, migrations.RunSQL.noop),
    ]
