"""A member's fate follows from its break."""

from django.db import migrations, models

WITH_BREAK = "UPDATE reconciliation_member SET state = 'with_break' WHERE state = 'in_review'"


class Migration(migrations.Migration):
    dependencies = [("reconciliation", "0004_break_reason")]

    operations = [
        migrations.AlterField(
            model_name="member",
            name="state",
            field=models.CharField(
                max_length=10,
                default="with_break",
                choices=[
                    ("with_break", "With Break"),
                    ("stored", "Stored"),
                    ("rejected", "Rejected"),
                    ("duplicate", "Duplicate"),
                    ("superseded", "Superseded"),
                ],
            ),
        ),
        migrations.RunSQL(WITH_BREAK, migrations.RunSQL.noop),
    ]
