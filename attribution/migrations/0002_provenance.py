import django.db.models.deletion
from django.db import migrations, models

from reconciliation.provenance import Provenance, create_sql, drop_sql

REFERENCES = [
    Provenance("attribution_of_reason", "attribution_attribution", "reason_id", "attribution_reason", "code"),
    Provenance("attribution_of_run", "attribution_attribution", "run_id", "reconciliation_run"),
    Provenance("candidate_of_reason", "attribution_candidate", "reason_id", "attribution_reason", "code"),
]


class Migration(migrations.Migration):

    dependencies = [
        ('attribution', '0001_initial'),
        ('reconciliation', '0002_provenance'),
    ]

    operations = [
        migrations.AlterField(
            model_name='attribution',
            name='reason',
            field=models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='attributions', to='attribution.reason', to_field='code'),
        ),
        migrations.AlterField(
            model_name='attribution',
            name='run',
            field=models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='attributions', to='reconciliation.run'),
        ),
        migrations.AlterField(
            model_name='candidate',
            name='attribution',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='candidates', to='attribution.attribution'),
        ),
        migrations.AlterField(
            model_name='candidate',
            name='reason',
            field=models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='attribution.reason', to_field='code'),
        ),
        migrations.AddIndex(
            model_name='attribution',
            index=models.Index(fields=['reason'], name='attribution_by_reason'),
        ),
        migrations.RunSQL(create_sql(REFERENCES), drop_sql(REFERENCES)),
    ]
