from django.contrib.postgres.operations import AddIndexConcurrently, RemoveIndexConcurrently
from django.db import migrations, models

# A run writes many rows at once and few of them change later. Vacuumed soon after, they are counted in the index alone.
SOON = "ALTER TABLE reconciliation_member SET (autovacuum_vacuum_insert_scale_factor = 0.02)"
AS_OTHERS = "ALTER TABLE reconciliation_member RESET (autovacuum_vacuum_insert_scale_factor)"


class Migration(migrations.Migration):
    """The rows of a delivery are counted by their fate without reading their records."""

    atomic = False
    dependencies = [("reconciliation", "0021_cancelled_by")]

    operations = [
        AddIndexConcurrently("member", models.Index(fields=["delivery", "record_number"], include=["brk", "side", "state"], name="member_by_place")),
        RemoveIndexConcurrently("member", "member_by_row"),
        migrations.RunSQL(SOON, AS_OTHERS),
    ]
