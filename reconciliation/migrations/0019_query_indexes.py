from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models
from django.db.models import Q

SHOWN = Q(state="review") & ~Q(band__in=("waiting", "held"))


class Migration(migrations.Migration):
    """What the queue's query asks by: a field that differs, the age, the due time."""

    atomic = False
    dependencies = [("reconciliation", "0018_tally_of_the_queue")]

    operations = [
        AddIndexConcurrently("difference", models.Index(fields=["field", "brk"], condition=Q(current=True), name="difference_by_field")),
        AddIndexConcurrently("break", models.Index(fields=["opened_at"], condition=SHOWN, name="break_by_age")),
        AddIndexConcurrently("break", models.Index(fields=["due_at"], condition=SHOWN & Q(due_at__isnull=False), name="break_by_due")),
    ]
