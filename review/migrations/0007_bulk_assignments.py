import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models
from django.db.models import Q

WHOLE = "bulk_row_result_is_whole"


class Migration(migrations.Migration):
    dependencies = [
        ("review", "0006_incidents"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField("bulkdecision", "assignee", models.ForeignKey(blank=True, help_text="Whom the breaks are assigned to; null: nobody.", null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL)),
        migrations.AlterField("bulkdecision", "action", models.CharField(choices=[("approve", "Approve"), ("override", "Override"), ("reject", "Reject"), ("assign", "Assign"), ("undo", "Undo")], max_length=8)),
        migrations.AlterField("bulkrow", "decision", models.ForeignKey(blank=True, help_text="What was made, confirmed, or is to be undone; none where breaks were assigned.", null=True, on_delete=django.db.models.deletion.PROTECT, related_name="bulk_rows", to="review.decision")),
        migrations.AddConstraint("bulkdecision", models.CheckConstraint(condition=Q(action="assign") | Q(assignee=None), name="bulk_decision_assigns_or_not")),
        migrations.RemoveConstraint("bulkrow", WHOLE),
        migrations.AddConstraint("bulkrow", models.CheckConstraint(condition=Q(state="waiting", settled_at=None, said="") | Q(state="done", settled_at__isnull=False, said="") | (Q(state="refused", settled_at__isnull=False) & ~Q(said="")), name=WHOLE)),
    ]
