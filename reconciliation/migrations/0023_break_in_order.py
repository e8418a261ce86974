from django.contrib.postgres.operations import AddIndexConcurrently, RemoveIndexConcurrently
from django.db import migrations, models
from django.db.models import Q

SHOWN = Q(state="review") & ~Q(band__in=("waiting", "held"))


class Migration(migrations.Migration):
    """The order of the queue knows ages: whoever asks by one reads those alone."""

    atomic = False
    dependencies = [("reconciliation", "0022_member_by_place")]

    operations = [
        AddIndexConcurrently("break", models.Index(fields=["priority", "id", "opened_at"], condition=SHOWN, name="break_in_order")),
        RemoveIndexConcurrently("break", "break_by_priority"),
    ]
