"""The indexes by which the queue is ordered and counted."""

from django.contrib.postgres.operations import AddIndexConcurrently, RemoveIndexConcurrently
from django.db import migrations, models
from django.db.models import Q
from django.db.models.functions import Abs, Coalesce

SHOWN = Q(state="review") & ~Q(band__in=("waiting", "held"))
SIZE = Coalesce(Abs("amount"), models.Value(-1), output_field=models.DecimalField(max_digits=38, decimal_places=10))


class Migration(migrations.Migration):
    atomic = False  # indexes of a large table are built beside its users

    dependencies = [("reconciliation", "0014_queue_order")]

    operations = [
        AddIndexConcurrently("break", models.Index(fields=["reconciliation", "state", "kind", "band", "reason"], include=["due_at", "assignee"], name="break_counted")),
        RemoveIndexConcurrently("break", "break_facets"),
        AddIndexConcurrently("break", models.Index(fields=["priority", "id"], condition=SHOWN, name="break_by_priority")),
        AddIndexConcurrently("break", models.Index(SIZE.desc(), models.F("id").desc(), condition=SHOWN, name="break_by_size")),
        AddIndexConcurrently("break", models.Index(fields=["assignee", "priority", "id"], condition=Q(assignee__isnull=False, state="review"), name="break_by_assignee")),
    ]
