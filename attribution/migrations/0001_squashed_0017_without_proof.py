"""The tables as they stand, in the place of the migrations that led to them."""

import django.core.validators
import django.db.models.deletion
import pghistory.utils
import pgtrigger.compiler
from django.conf import settings
from django.db import migrations, models

from ingestion.at_once import AtOnce
from reconciliation.provenance import Provenance, create_sql, drop_sql

REFERENCES = [
    Provenance("attribution_of_reason", "attribution_attribution", "reason_id", "attribution_reason", "code"),
    Provenance("attribution_of_run", "attribution_attribution", "run_id", "reconciliation_run"),
    Provenance("candidate_of_reason", "attribution_candidate", "reason_id", "attribution_reason", "code"),
]


class Migration(migrations.Migration):

    replaces = [
        ('attribution', '0001_initial'),
        ('attribution', '0002_provenance'),
        ('attribution', '0003_carried'),
        ('attribution', '0004_one_seal_per_break'),
        ('attribution', '0005_model_registry'),
        ('attribution', '0006_audits'),
        ('attribution', '0007_certificates'),
        ('attribution', '0008_trainings'),
        ('attribution', '0009_second_opinions'),
        ('attribution', '0010_champion_changes'),
        ('attribution', '0011_decided'),
        ('attribution', '0012_set_up_history'),
        ('attribution', '0013_waiting_labels'),
        ('attribution', '0014_carried_labels'),
        ('attribution', '0015_run_drift'),
        ('attribution', '0016_cannot_tell'),
        ('attribution', '0017_without_proof'),
    ]

    initial = True

    dependencies = [
        ('ingestion', '0001_squashed_0016_inbox'),
        ('reconciliation', '0001_squashed_0021_cancelled_by'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        AtOnce([
            migrations.CreateModel(
                name='ModelVersion',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('version', models.PositiveIntegerField()),
                    ('state', models.CharField(choices=[('candidate', 'Candidate'), ('champion', 'Champion'), ('retired', 'Retired')], default='candidate', max_length=9)),
                    ('artifact_sha256', models.CharField(max_length=64)),
                    ('trained_at', models.DateTimeField()),
                    ('labels', models.PositiveIntegerField()),
                    ('parent', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='children', to='attribution.modelversion')),
                    ('reconciliation', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='model_versions', to='reconciliation.reconciliation')),
                    ('first_day', models.DateField(blank=True, help_text='The first business date of its labels.', null=True)),
                    ('habits', models.JSONField(default=list, help_text='The fields of the record whose habits it counts.')),
                    ('label_counts', models.JSONField(default=dict, help_text='How many labels each reason has.')),
                    ('last_day', models.DateField(blank=True, help_text='The last business date of its labels.', null=True)),
                    ('metrics', models.JSONField(default=dict, help_text='What it says of later labels that it has not seen.')),
                    ('promoted_at', models.DateTimeField(blank=True, null=True)),
                    ('promoted_by', models.CharField(blank=True, max_length=150)),
                    ('replaced', models.ForeignKey(blank=True, help_text='The champion before it.', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='attribution.modelversion')),
                    ('trained_by', models.CharField(blank=True, max_length=150)),
                    ('corrections_to', models.BigIntegerField(blank=True, help_text='The last correction that it could learn from.', null=True)),
                    ('trained_because', models.CharField(blank=True, help_text='Why it was trained.', max_length=200)),
                    ('reference', models.JSONField(default=dict, help_text='Counts by category of the later labels: what drift is told from.')),
                ],
                options={
                    'ordering': ['reconciliation', '-version'],
                    'constraints': [models.UniqueConstraint(fields=('reconciliation', 'version'), name='model_version_once'), models.UniqueConstraint(condition=models.Q(('state', 'champion')), fields=('reconciliation',), name='model_one_champion'), models.CheckConstraint(condition=models.Q(models.Q(('state', 'champion'), _negated=True), ('promoted_at__isnull', False), _connector='OR'), name='model_champion_was_promoted'), models.CheckConstraint(condition=models.Q(('labels__gt', 0)), name='model_has_labels')],
                },
            ),
            migrations.CreateModel(
                name='Reason',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('code', models.CharField(max_length=40, unique=True, validators=[django.core.validators.RegexValidator('^[A-Z][A-Z0-9_]*$', 'A reason code is upper-case letters, digits and _.')])),
                    ('label', models.CharField(blank=True, max_length=200)),
                    ('functional', models.BooleanField(blank=True, null=True)),
                    ('active', models.BooleanField(default=True)),
                    ('description', models.TextField(blank=True)),
                ],
                options={
                    'ordering': ['code'],
                    'constraints': [models.CheckConstraint(condition=models.Q(models.Q(('code', 'UNKNOWN'), ('functional', None)), models.Q(models.Q(('code', 'UNKNOWN'), _negated=True), ('functional__isnull', False)), _connector='OR'), name='reason_unknown_alone_is_neither', violation_error_message='UNKNOWN alone is neither functional nor an error; any other reason is one of the two.')],
                    'default_permissions': ('add', 'change', 'delete', 'view', 'import', 'export'),
                    'triggers': [pgtrigger.compiler.Trigger(name='insert_insert', sql=pgtrigger.compiler.UpsertTriggerSql(func='INSERT INTO "attribution_reasonevent" ("active", "code", "description", "functional", "id", "label", "pgh_context", "pgh_created_at", "pgh_label", "pgh_obj_id") VALUES (NEW."active", NEW."code", NEW."description", NEW."functional", NEW."id", NEW."label", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, NOW(), \'insert\', NEW."id"); RETURN NULL;', hash='852415123d63953024e30d1387b7f19f8e4b718f', operation='INSERT', pgid='pgtrigger_insert_insert_0f81b', table='attribution_reason', when='AFTER')), pgtrigger.compiler.Trigger(name='update_update', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD.* IS DISTINCT FROM NEW.*)', func='INSERT INTO "attribution_reasonevent" ("active", "code", "description", "functional", "id", "label", "pgh_context", "pgh_created_at", "pgh_label", "pgh_obj_id") VALUES (NEW."active", NEW."code", NEW."description", NEW."functional", NEW."id", NEW."label", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, NOW(), \'update\', NEW."id"); RETURN NULL;', hash='547c40b13c507b159d27d37ab48ffe075886b5ea', operation='UPDATE', pgid='pgtrigger_update_update_6bc5c', table='attribution_reason', when='AFTER')), pgtrigger.compiler.Trigger(name='delete_delete', sql=pgtrigger.compiler.UpsertTriggerSql(func='INSERT INTO "attribution_reasonevent" ("active", "code", "description", "functional", "id", "label", "pgh_context", "pgh_created_at", "pgh_label", "pgh_obj_id") VALUES (OLD."active", OLD."code", OLD."description", OLD."functional", OLD."id", OLD."label", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, NOW(), \'delete\', OLD."id"); RETURN NULL;', hash='249ca265e3d87b6fd10fcdc6a42a56a441f47309', operation='DELETE', pgid='pgtrigger_delete_delete_8032f', table='attribution_reason', when='AFTER'))],
                },
            ),
            migrations.CreateModel(
                name='Attribution',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('functional', models.BooleanField(help_text='What the reason was when it was assigned.', null=True)),
                    ('confidence', models.DecimalField(decimal_places=5, max_digits=6)),
                    ('proof', models.TextField(blank=True, help_text='One sentence; empty where nothing reproduces B.')),
                    ('assigned_by', models.CharField(max_length=170)),
                    ('assigned_at', models.DateTimeField()),
                    ('current', models.BooleanField(default=True)),
                    ('difference', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='attributions', to='reconciliation.difference')),
                    ('run', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='attributions', to='reconciliation.run')),
                    ('reason', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='attributions', to='attribution.reason', to_field='code')),
                    ('functional_share', models.DecimalField(decimal_places=5, help_text='How likely a model holds any functional reason; null: none spoke.', max_digits=6, null=True)),
                ],
                options={
                    'ordering': ['difference', '-id'],
                    'indexes': [models.Index(fields=['reason'], name='attribution_by_reason'), models.Index(condition=models.Q(('current', True), ('proof', '')), fields=['difference'], name='attribution_without_proof')],
                    'constraints': [models.UniqueConstraint(condition=models.Q(('current', True)), fields=('difference',), name='attribution_one_current'), models.CheckConstraint(condition=models.Q(('confidence__range', (0, 1))), name='attribution_confidence_is_a_share'), models.CheckConstraint(condition=models.Q(('functional_share__isnull', True), ('functional_share__range', (0, 1)), _connector='OR'), name='attribution_functional_is_a_share')],
                },
            ),
            migrations.CreateModel(
                name='Correction',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('predicted', models.CharField(blank=True, help_text='The best reason before the decision.', max_length=40)),
                    ('decision', models.BigIntegerField(blank=True, help_text='Id of the decision that confirmed it.', null=True)),
                    ('confirmed_by', models.CharField(max_length=150)),
                    ('confirmed_at', models.DateTimeField()),
                    ('active', models.BooleanField(default=True)),
                    ('difference', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='corrections', to='reconciliation.difference')),
                    ('reason', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='corrections', to='attribution.reason', to_field='code')),
                    ('before', models.ForeignKey(blank=True, help_text='What was said before.', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='attribution.attribution')),
                    ('replaced', models.ForeignKey(blank=True, help_text='The label before it.', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='attribution.correction')),
                    ('waiting_since', models.DateTimeField(blank=True, help_text='Since when it waits for a second opinion.', null=True)),
                ],
                options={
                    'ordering': ['-id'],
                    'indexes': [models.Index(condition=models.Q(('active', True), ('decision', None)), fields=['-id'], name='correction_imported'), models.Index(condition=models.Q(('waiting_since__isnull', False)), fields=['waiting_since'], name='correction_waiting')],
                    'constraints': [models.UniqueConstraint(condition=models.Q(('active', True), ('waiting_since__isnull', False), _connector='OR'), fields=('difference',), name='correction_one_standing'), models.CheckConstraint(condition=models.Q(('active', False), ('waiting_since', None), _connector='OR'), name='correction_waiting_teaches_nothing')],
                    'default_permissions': ('add', 'change', 'delete', 'view', 'import', 'export'),
                },
            ),
            migrations.CreateModel(
                name='Candidate',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('rank', models.PositiveSmallIntegerField()),
                    ('confidence', models.DecimalField(decimal_places=5, max_digits=6)),
                    ('evidence', models.TextField(blank=True)),
                    ('attribution', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='candidates', to='attribution.attribution')),
                    ('reason', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='attribution.reason', to_field='code')),
                ],
                options={
                    'ordering': ['attribution', 'rank'],
                    'constraints': [models.UniqueConstraint(fields=('attribution', 'rank'), name='candidate_once_per_rank'), models.CheckConstraint(condition=models.Q(('rank__range', (1, 3))), name='candidate_three_best')],
                },
            ),
            migrations.CreateModel(
                name='Draw',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('purpose', models.CharField(choices=[('audit', 'Blind audit'), ('calibration', 'Calibration stream')], max_length=11)),
                    ('probability', models.DecimalField(decimal_places=5, max_digits=6)),
                    ('score', models.DecimalField(decimal_places=5, help_text='What the gate judged it by.', max_digits=6)),
                    ('model_version', models.CharField(blank=True, help_text="The run's model; empty: provers only.", max_length=64)),
                    ('certificate', models.BigIntegerField(blank=True, help_text='Id of the certificate that the run pinned.', null=True)),
                    ('drawn_at', models.DateTimeField()),
                    ('brk', models.ForeignKey(db_column='break_id', on_delete=django.db.models.deletion.PROTECT, related_name='draws', to='reconciliation.break')),
                    ('run', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='draws', to='reconciliation.run')),
                ],
                options={
                    'ordering': ['-id'],
                    'constraints': [models.UniqueConstraint(fields=('brk', 'run'), name='draw_once_per_break_and_run'), models.CheckConstraint(condition=models.Q(('probability__gt', 0), ('probability__lte', 1)), name='draw_probability_is_a_share')],
                },
            ),
            migrations.CreateModel(
                name='AuditAnswer',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('number', models.PositiveSmallIntegerField()),
                    ('functional', models.BooleanField(help_text='Whether each named cause is functional; empty: the person could not tell.', null=True)),
                    ('counts', models.BooleanField(help_text='Whether the audit ends with this answer.')),
                    ('comment', models.TextField(blank=True)),
                    ('answered_at', models.DateTimeField()),
                    ('answered_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='audit_answers', to=settings.AUTH_USER_MODEL)),
                    ('draw', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='answers', to='attribution.draw')),
                ],
                options={
                    'ordering': ['draw', 'number'],
                    'constraints': [models.UniqueConstraint(fields=('draw', 'number'), name='audit_answer_once_per_number'), models.UniqueConstraint(fields=('draw', 'answered_by'), name='audit_answer_once_per_person'), models.CheckConstraint(condition=models.Q(models.Q(('counts', True), ('functional', True), ('functional__isnull', False), ('number', 1)), models.Q(('counts', False), ('functional', False), ('functional__isnull', False), ('number', 1)), models.Q(('counts', False), ('functional__isnull', True), ('number', 1)), models.Q(('counts', True), ('number', 2)), _connector='OR'), name='audit_answer_second_person_decides')],
                },
            ),
            migrations.CreateModel(
                name='DrawSeed',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('secret', models.CharField(max_length=64)),
                    ('made_at', models.DateTimeField()),
                    ('reconciliation', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='draw_seed', to='reconciliation.reconciliation')),
                ],
            ),
            migrations.CreateModel(
                name='GateStep',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('number', models.PositiveIntegerField()),
                    ('kind', models.CharField(choices=[('trip', 'Tripped'), ('reopen', 'Reopened')], max_length=6)),
                    ('bound', models.DecimalField(blank=True, decimal_places=3, help_text='In force from then on; empty: closed.', max_digits=4, null=True)),
                    ('broken', models.DecimalField(blank=True, decimal_places=3, help_text='The bound that the audits broke.', max_digits=4, null=True)),
                    ('evidence', models.FloatField(default=1.0, help_text='Of the test when it was taken; 1 is none.')),
                    ('answers', models.PositiveIntegerField(default=0)),
                    ('wrong', models.PositiveIntegerField(default=0)),
                    ('because', models.TextField()),
                    ('at', models.DateTimeField()),
                    ('by', models.CharField(blank=True, help_text='Who opened it; empty: the test.', max_length=150)),
                    ('reconciliation', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='gate_steps', to='reconciliation.reconciliation')),
                ],
                options={
                    'ordering': ['reconciliation', '-number'],
                    'constraints': [models.UniqueConstraint(fields=('reconciliation', 'number'), name='gate_step_once_per_number'), models.CheckConstraint(condition=models.Q(models.Q(('broken__isnull', False), ('by', ''), ('kind', 'trip')), models.Q(('kind', 'reopen'), models.Q(('by', ''), _negated=True), models.Q(('because', ''), _negated=True)), _connector='OR'), name='gate_step_reopened_by_a_person_with_a_comment')],
                },
            ),
            migrations.CreateModel(
                name='AuditReason',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('answer', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='reasons', to='attribution.auditanswer')),
                    ('difference', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='reconciliation.difference')),
                    ('reason', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='attribution.reason', to_field='code')),
                ],
                options={
                    'ordering': ['answer', 'id'],
                    'constraints': [models.UniqueConstraint(fields=('answer', 'difference'), name='audit_reason_once_per_difference')],
                },
            ),
            migrations.CreateModel(
                name='Certificate',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('bound', models.DecimalField(decimal_places=3, max_digits=4)),
                    ('threshold', models.DecimalField(decimal_places=7, max_digits=8)),
                    ('sample_size', models.PositiveIntegerField()),
                    ('errors', models.PositiveIntegerField()),
                    ('upper', models.DecimalField(decimal_places=7, help_text='The share of errors is at most this, with confidence 1 - delta.', max_digits=8)),
                    ('delta', models.DecimalField(decimal_places=3, max_digits=4)),
                    ('held_out', models.PositiveIntegerField(help_text='Labelled records that the model had not seen.')),
                    ('first_day', models.DateField(help_text='The first business date of its labels.')),
                    ('last_day', models.DateField(help_text='The last business date of its labels.')),
                    ('sample_sha256', models.CharField(help_text='Of the ids of its records, in order.', max_length=64)),
                    ('money', models.JSONField(default=dict, help_text='By currency: the money that would pass, and the wrong part of it.')),
                    ('reasons', models.JSONField(default=list, help_text='The reasons that may pass under it.')),
                    ('made_at', models.DateTimeField()),
                    ('valid_until', models.DateTimeField()),
                    ('model_version', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='certificates', to='attribution.modelversion')),
                ],
                options={
                    'ordering': ['model_version', '-bound'],
                    'constraints': [models.UniqueConstraint(fields=('model_version', 'bound'), name='certificate_once_per_bound'), models.CheckConstraint(condition=models.Q(('upper__lte', models.F('bound'))), name='certificate_keeps_its_bound'), models.CheckConstraint(condition=models.Q(('errors__lte', models.F('sample_size')), ('sample_size__lte', models.F('held_out'))), name='certificate_counts_add_up'), models.CheckConstraint(condition=models.Q(('last_day__gte', models.F('first_day'))), name='certificate_window_has_an_order'), models.CheckConstraint(condition=models.Q(('valid_until__gt', models.F('made_at'))), name='certificate_ends_after_it_began')],
                },
            ),
            migrations.CreateModel(
                name='Training',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('state', models.CharField(choices=[('ready', 'Ready'), ('running', 'Running'), ('done', 'Done'), ('failed', 'Failed')], default='ready', max_length=8)),
                    ('queue', models.CharField(max_length=20)),
                    ('worker', models.CharField(blank=True, max_length=200)),
                    ('attempts', models.PositiveSmallIntegerField(default=0)),
                    ('fence', models.PositiveIntegerField(default=0)),
                    ('lease_until', models.DateTimeField(blank=True, null=True)),
                    ('started_at', models.DateTimeField(blank=True, null=True)),
                    ('finished_at', models.DateTimeField(blank=True, null=True)),
                    ('error', models.TextField(blank=True)),
                    ('because', models.CharField(help_text='Why it was started.', max_length=200)),
                    ('asked_by', models.CharField(max_length=150)),
                    ('asked_at', models.DateTimeField()),
                    ('corrections_to', models.BigIntegerField(help_text='The last correction that there was when it was asked for.')),
                    ('model', models.ForeignKey(blank=True, help_text='What it made.', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='trainings', to='attribution.modelversion')),
                    ('reconciliation', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='trainings', to='reconciliation.reconciliation')),
                ],
                options={
                    'ordering': ['-id'],
                    'constraints': [models.UniqueConstraint(condition=models.Q(('state__in', ('ready', 'running'))), fields=('reconciliation',), name='training_one_of_a_reconciliation'), models.CheckConstraint(condition=models.Q(models.Q(('model__isnull', False), ('state', 'done')), models.Q(models.Q(('state', 'done'), _negated=True), ('model', None)), _connector='OR'), name='training_done_has_a_model')],
                },
            ),
            migrations.CreateModel(
                name='SecondOpinion',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('said_by', models.CharField(help_text='Who gave the label.', max_length=150)),
                    ('asked_at', models.DateTimeField()),
                    ('because', models.CharField(help_text='What the model had said.', max_length=200)),
                    ('comment', models.TextField(blank=True)),
                    ('answered_by', models.CharField(blank=True, max_length=150)),
                    ('answered_at', models.DateTimeField(blank=True, null=True)),
                    ('correction', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='opinion', to='attribution.correction')),
                    ('reason', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='attribution.reason', to_field='code')),
                ],
                options={
                    'ordering': ['id'],
                    'constraints': [models.CheckConstraint(condition=models.Q(models.Q(('answered_at', None), ('answered_by', ''), ('reason', None)), models.Q(models.Q(('answered_by', ''), _negated=True), ('answered_at__isnull', False), ('reason__isnull', False)), _connector='OR'), name='second_opinion_answered_whole'), models.CheckConstraint(condition=models.Q(('answered_by', models.F('said_by')), _negated=True), name='second_opinion_by_another')],
                },
            ),
            migrations.CreateModel(
                name='ChampionChange',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('verb', models.CharField(choices=[('promote', 'Promoted'), ('roll_back', 'Rolled back')], max_length=9)),
                    ('version', models.PositiveIntegerField(blank=True, help_text='Who speaks from then on; empty: the provers.', null=True)),
                    ('before', models.PositiveIntegerField(blank=True, help_text='Who spoke until then; empty: the provers.', null=True)),
                    ('by', models.CharField(help_text='A person, or `rule`.', max_length=150)),
                    ('at', models.DateTimeField()),
                    ('allowed', models.BooleanField(default=True, help_text='Whether the rule allowed it.')),
                    ('verdict', models.JSONField(default=list, help_text="The rule's conditions then: code, whether it held, sentence.")),
                    ('comment', models.TextField(blank=True)),
                    ('reconciliation', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='champion_changes', to='reconciliation.reconciliation')),
                ],
                options={
                    'ordering': ['-id'],
                    'constraints': [models.CheckConstraint(condition=models.Q(('allowed', True), models.Q(('comment', ''), _negated=True), _connector='OR'), name='champion_change_against_the_rule_has_a_comment'), models.CheckConstraint(condition=models.Q(('version', None), ('before', None), models.Q(('version', models.F('before')), _negated=True), _connector='OR'), name='champion_change_changes'), models.CheckConstraint(condition=models.Q(('verb', 'roll_back'), ('version__isnull', False), _connector='OR'), name='champion_change_to_a_model')],
                },
            ),
            migrations.CreateModel(
                name='ReasonEvent',
                fields=[
                    ('pgh_id', models.AutoField(primary_key=True, serialize=False)),
                    ('pgh_created_at', models.DateTimeField(auto_now_add=True)),
                    ('pgh_label', models.TextField(help_text='The event label.')),
                    ('pgh_context', pghistory.utils.JSONField(null=True)),
                    ('id', models.BigIntegerField()),
                    ('code', models.CharField(max_length=40, validators=[django.core.validators.RegexValidator('^[A-Z][A-Z0-9_]*$', 'A reason code is upper-case letters, digits and _.')])),
                    ('label', models.CharField(blank=True, max_length=200)),
                    ('functional', models.BooleanField(blank=True, null=True)),
                    ('active', models.BooleanField(default=True)),
                    ('description', models.TextField(blank=True)),
                    ('pgh_obj', models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='events', to='attribution.reason')),
                ],
                options={
                    'abstract': False,
                    'triggers': [pgtrigger.compiler.Trigger(name='append_only', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='864e2a6f5a23b1f57b3c747d6d77075e3f10f665', operation='UPDATE OR DELETE', pgid='pgtrigger_append_only_3172a', table='attribution_reasonevent', when='BEFORE'))],
                },
            ),
            migrations.CreateModel(
                name='RunDrift',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('mixes', models.JSONField(default=dict, help_text='Counts by category: reasons, confidence, missing values, habits.')),
                    ('figures', models.JSONField(blank=True, help_text='By mix: index, limit, share of what is new or was rare.', null=True)),
                    ('alarm', models.CharField(blank=True, help_text='What moved clearly; empty: nothing.', max_length=200)),
                    ('run', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='drift', to='reconciliation.run')),
                ],
                options={
                    'ordering': ['-id'],
                },
            ),
        ]),
        migrations.RunSQL(create_sql(REFERENCES), drop_sql(REFERENCES)),
    ]
