"""What orders the queue: priority, due time, assignee. Breaks that are open get their age as their priority."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

from reconciliation import resealing

BY_AGE = (
    "UPDATE reconciliation_break SET priority = (floor(extract(epoch FROM opened_at) / 3600)::bigint + 120) * 10000 "
    "WHERE state = 'review'"
)


class Migration(migrations.Migration):
    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
        ("reconciliation", "0013_break_tally"),
    ]

    operations = [
        migrations.RunSQL(resealing.remember, migrations.RunSQL.noop),
        migrations.AddField("break", "priority", models.BigIntegerField(db_default=0, help_text="Its place in the queue, the least first (docs/decisions/0020). It does not age.")),
        migrations.AddField("break", "due_at", models.DateTimeField(blank=True, help_text="When a person has to have decided; null: no time is set.", null=True)),
        migrations.AddField("break", "assignee", models.ForeignKey(blank=True, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name="breaks", to=settings.AUTH_USER_MODEL)),
        migrations.RunSQL(BY_AGE, migrations.RunSQL.noop),
        migrations.RunSQL(resealing.renew, migrations.RunSQL.noop),
    ]
