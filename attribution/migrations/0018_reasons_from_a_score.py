"""A certificate says from which score on each reason passes; what is there keeps its list, under its seal."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("attribution", "0001_squashed_0017_without_proof")]

    operations = [
        migrations.AlterField(
            model_name="certificate",
            name="reasons",
            field=models.JSONField(default=dict, help_text="The reasons that may pass under it, each from which score on."),
        )
    ]
