from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False  # an index of a large table is built beside its users

    dependencies = [
        ('reconciliation', '0010_decided'),
    ]

    operations = [
        AddIndexConcurrently(
            model_name='break',
            index=models.Index(fields=['reconciliation', 'key'], name='break_by_key', opclasses=['int8_ops', 'text_pattern_ops']),
        ),
    ]
