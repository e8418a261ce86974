from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    """What the queue asks by `proof:no`."""

    atomic = False
    dependencies = [("attribution", "0016_cannot_tell")]

    operations = [
        AddIndexConcurrently("attribution", models.Index(fields=["difference"], condition=Q(current=True, proof=""), name="attribution_without_proof")),
    ]
