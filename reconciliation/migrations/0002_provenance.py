import django.db.models.deletion
from django.db import migrations, models

from reconciliation.provenance import DROP_FUNCTIONS, FUNCTIONS, Provenance, create_sql, drop_sql

RUN, DELIVERY, RECONCILIATION = "reconciliation_run", "ingestion_delivery", "reconciliation_reconciliation"
REFERENCES = [
    Provenance("break_of_reconciliation", "reconciliation_break", "reconciliation_id", RECONCILIATION),
    Provenance("break_opened_by_run", "reconciliation_break", "opened_run_id", RUN),
    Provenance("member_of_delivery", "reconciliation_member", "delivery_id", DELIVERY),
    Provenance("member_of_run", "reconciliation_member", "run_id", RUN),
    Provenance("difference_of_run", "reconciliation_difference", "run_id", RUN),
    Provenance("gate_refusal_of_run", "reconciliation_gaterefusal", "run_id", RUN),
]


class Migration(migrations.Migration):

    dependencies = [
        ('ingestion', '0001_initial'),
        ('reconciliation', '0001_initial'),
    ]

    operations = [
        migrations.AlterField(
            model_name='break',
            name='last_run',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='breaks_seen', to='reconciliation.run'),
        ),
        migrations.AlterField(
            model_name='break',
            name='opened_run',
            field=models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='breaks_opened', to='reconciliation.run'),
        ),
        migrations.AlterField(
            model_name='break',
            name='reconciliation',
            field=models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='breaks', to='reconciliation.reconciliation'),
        ),
        migrations.AlterField(
            model_name='difference',
            name='brk',
            field=models.ForeignKey(db_column='break_id', db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='differences', to='reconciliation.break'),
        ),
        migrations.AlterField(
            model_name='difference',
            name='run',
            field=models.ForeignKey(db_constraint=False, db_index=False, help_text='The run that found it.', on_delete=django.db.models.deletion.PROTECT, related_name='differences', to='reconciliation.run'),
        ),
        migrations.AlterField(
            model_name='gaterefusal',
            name='brk',
            field=models.ForeignKey(db_column='break_id', db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='refusals', to='reconciliation.break'),
        ),
        migrations.AlterField(
            model_name='gaterefusal',
            name='run',
            field=models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='refusals', to='reconciliation.run'),
        ),
        migrations.AlterField(
            model_name='member',
            name='brk',
            field=models.ForeignKey(db_column='break_id', db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='members', to='reconciliation.break'),
        ),
        migrations.AlterField(
            model_name='member',
            name='delivery',
            field=models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='members', to='ingestion.delivery'),
        ),
        migrations.AlterField(
            model_name='member',
            name='run',
            field=models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='members', to='reconciliation.run'),
        ),
        migrations.RunSQL(FUNCTIONS, DROP_FUNCTIONS),
        migrations.RunSQL(create_sql(REFERENCES), drop_sql(REFERENCES)),
    ]
