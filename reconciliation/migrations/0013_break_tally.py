from django.db import migrations, models

from reconciliation.tally import DROP_TRIGGERS, FILL, TRIGGERS


class Migration(migrations.Migration):

    dependencies = [
        ('reconciliation', '0012_set_up_history'),
    ]

    operations = [
        migrations.CreateModel(
            name='BreakTally',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('reconciliation_id', models.BigIntegerField()),
                ('state', models.CharField(max_length=9)),
                ('kind', models.CharField(max_length=12)),
                ('band', models.CharField(max_length=9)),
                ('reason', models.CharField(max_length=40)),
                ('opened', models.DateTimeField(help_text='The hour in which open breaks opened; null for all others.', null=True)),
                ('breaks', models.BigIntegerField()),
            ],
            options={'indexes': [models.Index(fields=['reconciliation_id', 'state'], name='break_tally_by_state')]},
        ),
        migrations.RunSQL(TRIGGERS, DROP_TRIGGERS),
        migrations.RunSQL(FILL, migrations.RunSQL.noop),
    ]
