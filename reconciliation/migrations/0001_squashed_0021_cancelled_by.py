"""The tables as they stand, in the place of the migrations that led to them."""

import django.core.validators
import django.db.models.deletion
import django.db.models.expressions
import django.db.models.functions.comparison
import django.db.models.functions.math
import pghistory.utils
import pgtrigger.compiler
from django.conf import settings
from django.db import migrations, models

from ingestion.at_once import AtOnce
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

TABLE, BREAK = "reconciliation_breaktally", "reconciliation_break"
COLUMNS = "reconciliation_id, state, kind, band, reason, scope_id, assignee_id, opened, due"
CELL = (
    "reconciliation_id, state, kind, band, reason, scope_id, assignee_id, "
    "CASE WHEN state IN ('in_flight', 'review') THEN date_trunc('hour', opened_at, 'UTC') END, "
    "CASE WHEN state IN ('in_flight', 'review') THEN date_trunc('minute', due_at, 'UTC') END"
)
_READ = "reconciliation_id, state, kind, band, reason, scope_id, assignee_id, opened_at, due_at"
_ADD = f"INSERT INTO {TABLE} ({COLUMNS}, breaks) SELECT {CELL}"
_BY = "GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9"
TALLY = f"""
CREATE FUNCTION tally_breaks() RETURNS trigger LANGUAGE plpgsql AS $body$
BEGIN
    IF TG_OP = 'INSERT' THEN
        {_ADD}, count(*) FROM arriving {_BY};
    ELSIF TG_OP = 'DELETE' THEN
        {_ADD}, -count(*) FROM leaving {_BY};
    ELSE
        {_ADD}, sum(n) FROM (SELECT {_READ}, -1 AS n FROM leaving UNION ALL SELECT {_READ}, 1 FROM arriving) changed
        {_BY} HAVING sum(n) <> 0;
    END IF;
    RETURN NULL;
END $body$;
CREATE TRIGGER break_tally_insert AFTER INSERT ON {BREAK} REFERENCING NEW TABLE AS arriving
    FOR EACH STATEMENT EXECUTE FUNCTION tally_breaks();
CREATE TRIGGER break_tally_update AFTER UPDATE ON {BREAK} REFERENCING OLD TABLE AS leaving NEW TABLE AS arriving
    FOR EACH STATEMENT EXECUTE FUNCTION tally_breaks();
CREATE TRIGGER break_tally_delete AFTER DELETE ON {BREAK} REFERENCING OLD TABLE AS leaving
    FOR EACH STATEMENT EXECUTE FUNCTION tally_breaks();
"""
DROP_TALLY = f"""
DROP TRIGGER break_tally_insert ON {BREAK};
DROP TRIGGER break_tally_update ON {BREAK};
DROP TRIGGER break_tally_delete ON {BREAK};
DROP FUNCTION tally_breaks();
"""


class Migration(migrations.Migration):

    replaces = [
        ('reconciliation', '0001_initial'),
        ('reconciliation', '0002_provenance'),
        ('reconciliation', '0003_break_by_run_and_bucket'),
        ('reconciliation', '0004_break_reason'),
        ('reconciliation', '0005_fate_by_break'),
        ('reconciliation', '0006_automatic_runs'),
        ('reconciliation', '0007_run_certificate'),
        ('reconciliation', '0008_trainings'),
        ('reconciliation', '0009_retractions'),
        ('reconciliation', '0010_decided'),
        ('reconciliation', '0011_break_by_key'),
        ('reconciliation', '0012_set_up_history'),
        ('reconciliation', '0013_break_tally'),
        ('reconciliation', '0014_queue_order'),
        ('reconciliation', '0015_queue_indexes'),
        ('reconciliation', '0016_holds'),
        ('reconciliation', '0017_scopes'),
        ('reconciliation', '0018_tally_of_the_queue'),
        ('reconciliation', '0019_query_indexes'),
        ('reconciliation', '0020_queue_of_a_run'),
        ('reconciliation', '0021_cancelled_by'),
    ]

    initial = True

    dependencies = [
        ('ingestion', '0001_squashed_0016_inbox'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        AtOnce([
            migrations.CreateModel(
                name='Team',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('code', models.CharField(max_length=41, unique=True, validators=[django.core.validators.RegexValidator('^[a-z][a-z0-9_]{0,40}$', 'A code is a letter, then letters, digits or _ (at most 41), in lower case.')])),
                    ('label', models.CharField(blank=True, max_length=200)),
                    ('members', models.ManyToManyField(blank=True, related_name='teams', to=settings.AUTH_USER_MODEL)),
                ],
                options={
                    'ordering': ['code'],
                    'triggers': [pgtrigger.compiler.Trigger(name='insert_insert', sql=pgtrigger.compiler.UpsertTriggerSql(func='INSERT INTO "reconciliation_teamevent" ("code", "id", "label", "pgh_context", "pgh_created_at", "pgh_label", "pgh_obj_id") VALUES (NEW."code", NEW."id", NEW."label", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, NOW(), \'insert\', NEW."id"); RETURN NULL;', hash='6de43a81bc23dc815cfcac4502f602a75cef300b', operation='INSERT', pgid='pgtrigger_insert_insert_78c4d', table='reconciliation_team', when='AFTER')), pgtrigger.compiler.Trigger(name='update_update', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD.* IS DISTINCT FROM NEW.*)', func='INSERT INTO "reconciliation_teamevent" ("code", "id", "label", "pgh_context", "pgh_created_at", "pgh_label", "pgh_obj_id") VALUES (NEW."code", NEW."id", NEW."label", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, NOW(), \'update\', NEW."id"); RETURN NULL;', hash='15392474270c8504c0068389d16aefd01889410b', operation='UPDATE', pgid='pgtrigger_update_update_96f92', table='reconciliation_team', when='AFTER')), pgtrigger.compiler.Trigger(name='delete_delete', sql=pgtrigger.compiler.UpsertTriggerSql(func='INSERT INTO "reconciliation_teamevent" ("code", "id", "label", "pgh_context", "pgh_created_at", "pgh_label", "pgh_obj_id") VALUES (OLD."code", OLD."id", OLD."label", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, NOW(), \'delete\', OLD."id"); RETURN NULL;', hash='c6d7b009474c815e33225c1741eacdd2dc5b8672', operation='DELETE', pgid='pgtrigger_delete_delete_9befd', table='reconciliation_team', when='AFTER'))],
                },
            ),
            migrations.CreateModel(
                name='Reconciliation',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('code', models.CharField(max_length=41, unique=True, validators=[django.core.validators.RegexValidator('^[a-z][a-z0-9_]{0,40}$', 'A code is a letter, then letters, digits or _ (at most 41), in lower case.')])),
                    ('label', models.CharField(blank=True, max_length=200)),
                    ('four_eyes', models.BooleanField(default=False)),
                    ('rules', models.JSONField(default=dict, help_text='match, compare, authority, gate and provers, as the definition has them.')),
                    ('a', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='reconciled_as_a', to='ingestion.source')),
                    ('b', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='reconciled_as_b', to='ingestion.source')),
                    ('calendar', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, to='ingestion.calendar')),
                    ('team', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, to='reconciliation.team')),
                    ('runs_on_arrival', models.BooleanField(default=False, help_text='A run starts by itself when both sides of a business date have arrived.')),
                    ('promotes_by_rule', models.BooleanField(default=False, help_text='A trained model that the rule allows becomes the champion by itself.')),
                    ('trains_after', models.PositiveIntegerField(default=100, help_text='A model is trained when so many corrections are new since the last training; 0: never.')),
                    ('scope', models.CharField(blank=True, help_text='The field by whose values teams see a part of it; empty: there is none.', max_length=83)),
                ],
                options={
                    'ordering': ['code'],
                    'permissions': [('see_every_team', 'Can see the reconciliations of every team')],
                    'constraints': [models.CheckConstraint(condition=models.Q(('a', models.F('b')), _negated=True), name='reconciliation_has_two_sources')],
                    'triggers': [pgtrigger.compiler.Trigger(name='insert_insert', sql=pgtrigger.compiler.UpsertTriggerSql(func='INSERT INTO "reconciliation_reconciliationevent" ("a_id", "b_id", "calendar_id", "code", "four_eyes", "id", "label", "pgh_context", "pgh_created_at", "pgh_label", "pgh_obj_id", "promotes_by_rule", "rules", "runs_on_arrival", "scope", "team_id", "trains_after") VALUES (NEW."a_id", NEW."b_id", NEW."calendar_id", NEW."code", NEW."four_eyes", NEW."id", NEW."label", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, NOW(), \'insert\', NEW."id", NEW."promotes_by_rule", NEW."rules", NEW."runs_on_arrival", NEW."scope", NEW."team_id", NEW."trains_after"); RETURN NULL;', hash='f8f6524f99d25cf9363ec620d90bdd4d1fb25fca', operation='INSERT', pgid='pgtrigger_insert_insert_458b6', table='reconciliation_reconciliation', when='AFTER')), pgtrigger.compiler.Trigger(name='update_update', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD.* IS DISTINCT FROM NEW.*)', func='INSERT INTO "reconciliation_reconciliationevent" ("a_id", "b_id", "calendar_id", "code", "four_eyes", "id", "label", "pgh_context", "pgh_created_at", "pgh_label", "pgh_obj_id", "promotes_by_rule", "rules", "runs_on_arrival", "scope", "team_id", "trains_after") VALUES (NEW."a_id", NEW."b_id", NEW."calendar_id", NEW."code", NEW."four_eyes", NEW."id", NEW."label", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, NOW(), \'update\', NEW."id", NEW."promotes_by_rule", NEW."rules", NEW."runs_on_arrival", NEW."scope", NEW."team_id", NEW."trains_after"); RETURN NULL;', hash='ec4e320d75c51af3c981499b05638694974056bd', operation='UPDATE', pgid='pgtrigger_update_update_c8f05', table='reconciliation_reconciliation', when='AFTER')), pgtrigger.compiler.Trigger(name='delete_delete', sql=pgtrigger.compiler.UpsertTriggerSql(func='INSERT INTO "reconciliation_reconciliationevent" ("a_id", "b_id", "calendar_id", "code", "four_eyes", "id", "label", "pgh_context", "pgh_created_at", "pgh_label", "pgh_obj_id", "promotes_by_rule", "rules", "runs_on_arrival", "scope", "team_id", "trains_after") VALUES (OLD."a_id", OLD."b_id", OLD."calendar_id", OLD."code", OLD."four_eyes", OLD."id", OLD."label", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, NOW(), \'delete\', OLD."id", OLD."promotes_by_rule", OLD."rules", OLD."runs_on_arrival", OLD."scope", OLD."team_id", OLD."trains_after"); RETURN NULL;', hash='7e646f6170dc166c7b0944ca3603c7a859126297', operation='DELETE', pgid='pgtrigger_delete_delete_4027b', table='reconciliation_reconciliation', when='AFTER'))],
                },
            ),
            migrations.CreateModel(
                name='RuleSet',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('version', models.PositiveIntegerField()),
                    ('document', models.JSONField()),
                    ('sha256', models.CharField(max_length=64)),
                    ('created_at', models.DateTimeField(auto_now_add=True)),
                    ('reconciliation', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='rule_sets', to='reconciliation.reconciliation')),
                ],
                options={
                    'ordering': ['reconciliation', 'version'],
                    'constraints': [models.UniqueConstraint(fields=('reconciliation', 'version'), name='rule_set_version_once')],
                },
            ),
            migrations.CreateModel(
                name='Run',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('model_version', models.CharField(blank=True, help_text='Code of the pinned model; empty: provers only.', max_length=64)),
                    ('business_date', models.DateField()),
                    ('state', models.CharField(choices=[('waiting', 'Waiting'), ('running', 'Running'), ('done', 'Done'), ('failed', 'Failed')], default='waiting', max_length=8)),
                    ('created_at', models.DateTimeField(auto_now_add=True)),
                    ('started_at', models.DateTimeField(blank=True, null=True)),
                    ('finished_at', models.DateTimeField(blank=True, null=True)),
                    ('started_by', models.CharField(blank=True, max_length=150)),
                    ('report', models.JSONField(blank=True, help_text='The report of the run as it ended; never changed after.', null=True)),
                    ('error', models.TextField(blank=True)),
                    ('reconciliation', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='runs', to='reconciliation.reconciliation')),
                    ('rule_set', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='runs', to='reconciliation.ruleset')),
                    ('certificate', models.BigIntegerField(blank=True, help_text='Id of the pinned certificate of a budgeted gate; null: none.', null=True)),
                    ('cancelled_by', models.CharField(blank=True, help_text='Who ended it before it was done.', max_length=150, null=True)),
                ],
                options={
                    'ordering': ['-id'],
                    'indexes': [models.Index(fields=['reconciliation', 'business_date'], name='run_by_date')],
                    'constraints': [models.UniqueConstraint(condition=models.Q(('state', 'running')), fields=('reconciliation',), name='run_one_active_per_reconciliation'), models.CheckConstraint(condition=models.Q(models.Q(('state', 'done'), _negated=True), ('report__isnull', False), _connector='OR'), name='run_done_has_report'), models.CheckConstraint(condition=models.Q(('cancelled_by', None), ('state', 'failed'), _connector='OR'), name='run_cancelled_is_no_result')],
                },
            ),
            migrations.CreateModel(
                name='RunInput',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('side', models.CharField(choices=[('a', 'A'), ('b', 'B')], max_length=1)),
                    ('normalization', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='run_inputs', to='ingestion.normalization')),
                    ('run', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='inputs', to='reconciliation.run')),
                ],
                options={
                    'ordering': ['run', 'side', 'normalization'],
                    'constraints': [models.UniqueConstraint(fields=('run', 'side', 'normalization'), name='run_input_once')],
                },
            ),
            migrations.CreateModel(
                name='RunStep',
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
                    ('step', models.CharField(choices=[('diff', 'Diff'), ('attribute', 'Attribute')], max_length=10)),
                    ('first_bucket', models.PositiveSmallIntegerField()),
                    ('last_bucket', models.PositiveSmallIntegerField()),
                    ('records', models.PositiveBigIntegerField(null=True)),
                    ('counts', models.JSONField(default=dict, help_text='What the report needs of this range.')),
                    ('run', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='steps', to='reconciliation.run')),
                ],
                options={
                    'ordering': ['run', 'step', 'first_bucket'],
                    'constraints': [models.UniqueConstraint(fields=('run', 'step', 'first_bucket'), name='run_step_once_per_range'), models.CheckConstraint(condition=models.Q(('last_bucket__gte', models.F('first_bucket')), ('last_bucket__lte', 63)), name='run_step_range_in_buckets')],
                },
            ),
            migrations.CreateModel(
                name='OutcomeFile',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('path', models.CharField(max_length=255)),
                    ('sha256', models.CharField(max_length=64)),
                    ('rows', models.PositiveBigIntegerField()),
                    ('step', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='outcome_file', to='reconciliation.runstep')),
                ],
            ),
            migrations.CreateModel(
                name='OutcomeCount',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('side', models.CharField(choices=[('a', 'A'), ('b', 'B')], max_length=1)),
                    ('state', models.CharField(max_length=12)),
                    ('rows', models.PositiveBigIntegerField()),
                    ('file', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='counts', to='reconciliation.outcomefile')),
                ],
                options={
                    'constraints': [models.UniqueConstraint(fields=('file', 'side', 'state'), name='outcome_count_once')],
                },
            ),
            migrations.CreateModel(
                name='AutomaticRun',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('a', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='ingestion.delivery')),
                    ('b', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='ingestion.delivery')),
                    ('reconciliation', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='reconciliation.reconciliation')),
                    ('run', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='automatic', to='reconciliation.run')),
                ],
                options={
                    'ordering': ['-run'],
                    'constraints': [models.UniqueConstraint(fields=('reconciliation', 'a', 'b'), name='automatic_run_once_a_pair_of_deliveries', nulls_distinct=False), models.CheckConstraint(condition=models.Q(('a__isnull', False), ('b__isnull', False), _connector='OR'), name='automatic_run_of_some_delivery')],
                },
            ),
            migrations.CreateModel(
                name='Retraction',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('generation', models.PositiveIntegerField()),
                    ('row', models.BigIntegerField(help_text="The version's row in the store.")),
                    ('key', models.TextField()),
                    ('bucket', models.PositiveSmallIntegerField()),
                    ('version', models.PositiveIntegerField()),
                    ('restored', models.PositiveIntegerField(help_text='The version that stands in its place; empty for nothing.', null=True)),
                    ('decision', models.BigIntegerField(help_text='Id of the decision that was undone.')),
                    ('at', models.DateTimeField(help_text='When the version ended.')),
                    ('record_type', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='retractions', to='ingestion.recordtype')),
                ],
                options={
                    'ordering': ['id'],
                    'indexes': [models.Index(fields=['record_type', 'generation', 'bucket'], name='retraction_by_bucket')],
                    'constraints': [models.UniqueConstraint(fields=('record_type', 'generation', 'row'), name='retraction_once_per_version'), models.CheckConstraint(condition=models.Q(('restored', None), ('restored', django.db.models.expressions.CombinedExpression(models.F('version'), '+', models.Value(1))), _connector='OR'), name='retraction_restores_as_the_next_version')],
                },
            ),
            migrations.CreateModel(
                name='ReconciliationEvent',
                fields=[
                    ('pgh_id', models.AutoField(primary_key=True, serialize=False)),
                    ('pgh_created_at', models.DateTimeField(auto_now_add=True)),
                    ('pgh_label', models.TextField(help_text='The event label.')),
                    ('pgh_context', pghistory.utils.JSONField(null=True)),
                    ('id', models.BigIntegerField()),
                    ('code', models.CharField(max_length=41, validators=[django.core.validators.RegexValidator('^[a-z][a-z0-9_]{0,40}$', 'A code is a letter, then letters, digits or _ (at most 41), in lower case.')])),
                    ('label', models.CharField(blank=True, max_length=200)),
                    ('four_eyes', models.BooleanField(default=False)),
                    ('runs_on_arrival', models.BooleanField(default=False, help_text='A run starts by itself when both sides of a business date have arrived.')),
                    ('trains_after', models.PositiveIntegerField(default=100, help_text='A model is trained when so many corrections are new since the last training; 0: never.')),
                    ('promotes_by_rule', models.BooleanField(default=False, help_text='A trained model that the rule allows becomes the champion by itself.')),
                    ('rules', models.JSONField(default=dict, help_text='match, compare, authority, gate and provers, as the definition has them.')),
                    ('a', models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', related_query_name='+', to='ingestion.source')),
                    ('b', models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', related_query_name='+', to='ingestion.source')),
                    ('calendar', models.ForeignKey(blank=True, db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', related_query_name='+', to='ingestion.calendar')),
                    ('pgh_obj', models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='events', to='reconciliation.reconciliation')),
                    ('team', models.ForeignKey(blank=True, db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', related_query_name='+', to='reconciliation.team')),
                    ('scope', models.CharField(blank=True, help_text='The field by whose values teams see a part of it; empty: there is none.', max_length=83)),
                ],
                options={
                    'abstract': False,
                    'triggers': [pgtrigger.compiler.Trigger(name='append_only', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='813b83fcf74da84638a5579f839f51836eec44a8', operation='UPDATE OR DELETE', pgid='pgtrigger_append_only_7b727', table='reconciliation_reconciliationevent', when='BEFORE'))],
                },
            ),
            migrations.CreateModel(
                name='TeamEvent',
                fields=[
                    ('pgh_id', models.AutoField(primary_key=True, serialize=False)),
                    ('pgh_created_at', models.DateTimeField(auto_now_add=True)),
                    ('pgh_label', models.TextField(help_text='The event label.')),
                    ('pgh_context', pghistory.utils.JSONField(null=True)),
                    ('id', models.BigIntegerField()),
                    ('code', models.CharField(max_length=41, validators=[django.core.validators.RegexValidator('^[a-z][a-z0-9_]{0,40}$', 'A code is a letter, then letters, digits or _ (at most 41), in lower case.')])),
                    ('label', models.CharField(blank=True, max_length=200)),
                    ('pgh_obj', models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='events', to='reconciliation.team')),
                ],
                options={
                    'abstract': False,
                    'triggers': [pgtrigger.compiler.Trigger(name='append_only', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='74bbfcfa46849f44d7bf53bdbb6f3f989dc6aef9', operation='UPDATE OR DELETE', pgid='pgtrigger_append_only_cac0c', table='reconciliation_teamevent', when='BEFORE'))],
                },
            ),
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
                    ('scope_id', models.BigIntegerField(null=True)),
                    ('assignee_id', models.BigIntegerField(null=True)),
                    ('due', models.DateTimeField(help_text='The minute in which open breaks are due; null for all others.', null=True)),
                ],
                options={
                    'indexes': [models.Index(fields=['reconciliation_id', 'state'], name='break_tally_by_state')],
                },
            ),
            migrations.CreateModel(
                name='Scope',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('digest', models.CharField(help_text='md5 of its values in their order.', max_length=32)),
                    ('reconciliation', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='scopes', to='reconciliation.reconciliation')),
                ],
                options={
                    'ordering': ['id'],
                    'constraints': [models.UniqueConstraint(fields=('reconciliation', 'digest'), name='scope_once_per_values')],
                },
            ),
            migrations.CreateModel(
                name='Break',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('key', models.TextField()),
                    ('bucket', models.PositiveSmallIntegerField()),
                    ('kind', models.CharField(choices=[('differing', 'Differing'), ('missing_in_a', 'Missing in A'), ('missing_in_b', 'Missing in B'), ('duplicate', 'Duplicate'), ('gate', 'Record check')], max_length=12)),
                    ('state', models.CharField(choices=[('in_flight', 'In flight'), ('review', 'In review'), ('passed', 'Passed'), ('approved', 'Approved'), ('rejected', 'Rejected'), ('closed', 'Closed')], default='in_flight', max_length=9)),
                    ('fingerprint', models.CharField(help_text='md5 over the differing values; the same values keep a decision.', max_length=32)),
                    ('hash', models.CharField(blank=True, help_text='Hash of the proposed record.', max_length=32)),
                    ('opened_at', models.DateTimeField()),
                    ('closed_at', models.DateTimeField(blank=True, null=True)),
                    ('closed_because', models.CharField(blank=True, max_length=200)),
                    ('confidence', models.DecimalField(blank=True, decimal_places=5, help_text='The lowest of its differences; null before attribution.', max_digits=6, null=True)),
                    ('band', models.CharField(blank=True, max_length=9)),
                    ('amount', models.DecimalField(blank=True, decimal_places=10, max_digits=38, null=True)),
                    ('currency', models.CharField(blank=True, max_length=20)),
                    ('reconciliation', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='breaks', to='reconciliation.reconciliation')),
                    ('last_run', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='breaks_seen', to='reconciliation.run')),
                    ('opened_run', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='breaks_opened', to='reconciliation.run')),
                    ('reason', models.CharField(blank=True, help_text='Code of the reason that weighs most among its differences; queues count it.', max_length=40)),
                    ('priority', models.BigIntegerField(db_default=0, help_text='Its place in the queue, the least first (docs/decisions/0020). It does not age.')),
                    ('due_at', models.DateTimeField(blank=True, help_text='When a person has to have decided; null: no time is set.', null=True)),
                    ('assignee', models.ForeignKey(blank=True, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='breaks', to=settings.AUTH_USER_MODEL)),
                    ('scope', models.ForeignKey(blank=True, db_index=False, help_text='The values that its current rows have in the scope field; null where the reconciliation has none.', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='breaks', to='reconciliation.scope')),
                ],
                options={
                    'ordering': ['-id'],
                    'indexes': [models.Index(fields=['reconciliation', 'state', '-id'], name='break_queue'), models.Index(condition=models.Q(('state', 'review')), fields=['reconciliation', 'bucket'], name='break_open_by_bucket'), models.Index(fields=['last_run', 'bucket'], name='break_last_run'), models.Index(condition=models.Q(('state__in', ['approved', 'rejected'])), fields=['reconciliation', 'kind', '-id'], name='break_decided'), models.Index(fields=['reconciliation', 'key'], name='break_by_key', opclasses=['int8_ops', 'text_pattern_ops']), models.Index(fields=['reconciliation', 'state', 'kind', 'band', 'reason'], include=('due_at', 'assignee'), name='break_counted'), models.Index(condition=models.Q(('state', 'review'), models.Q(('band__in', ('waiting', 'held')), _negated=True)), fields=['priority', 'id'], name='break_by_priority'), models.Index(models.OrderBy(django.db.models.functions.comparison.Coalesce(django.db.models.functions.math.Abs('amount'), models.Value(-1), output_field=models.DecimalField(decimal_places=10, max_digits=38)), descending=True), models.OrderBy(models.F('id'), descending=True), condition=models.Q(('state', 'review'), models.Q(('band__in', ('waiting', 'held')), _negated=True)), name='break_by_size'), models.Index(condition=models.Q(('assignee__isnull', False), ('state', 'review')), fields=['assignee', 'priority', 'id'], name='break_by_assignee'), models.Index(condition=models.Q(('state', 'review'), models.Q(('band__in', ('waiting', 'held')), _negated=True), ('scope__isnull', False)), fields=['scope', 'priority', 'id'], name='break_queue_of_scope'), models.Index(condition=models.Q(('scope__isnull', False)), fields=['scope', 'state', 'kind', 'band', 'reason', 'reconciliation'], include=('due_at', 'assignee'), name='break_counted_of_scope'), models.Index(condition=models.Q(('scope__isnull', False)), fields=['scope', 'key'], name='break_by_key_of_scope', opclasses=['int8_ops', 'text_pattern_ops']), models.Index(condition=models.Q(('state', 'review'), models.Q(('band__in', ('waiting', 'held')), _negated=True)), fields=['opened_at'], name='break_by_age'), models.Index(condition=models.Q(('state', 'review'), models.Q(('band__in', ('waiting', 'held')), _negated=True), ('due_at__isnull', False)), fields=['due_at'], name='break_by_due'), models.Index(condition=models.Q(('state', 'review'), models.Q(('band__in', ('waiting', 'held')), _negated=True)), fields=['last_run', 'priority', 'id'], name='break_queue_of_run')],
                    'constraints': [models.UniqueConstraint(condition=models.Q(('state__in', ['in_flight', 'review'])), fields=('reconciliation', 'key'), name='break_one_open_per_key'), models.CheckConstraint(condition=models.Q(models.Q(('closed_at', None), ('state__in', ['in_flight', 'review'])), models.Q(models.Q(('state__in', ['in_flight', 'review']), _negated=True), ('closed_at__isnull', False)), _connector='OR'), name='break_closed_has_time'), models.CheckConstraint(condition=models.Q(('bucket__lte', 63)), name='break_bucket_in_range')],
                },
            ),
            migrations.CreateModel(
                name='Member',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('side', models.CharField(choices=[('a', 'A'), ('b', 'B')], max_length=1)),
                    ('record_number', models.PositiveBigIntegerField()),
                    ('state', models.CharField(choices=[('with_break', 'With Break'), ('stored', 'Stored'), ('rejected', 'Rejected'), ('duplicate', 'Duplicate'), ('superseded', 'Superseded')], default='with_break', max_length=10)),
                    ('position', models.PositiveSmallIntegerField(default=1, help_text='1 for the first row of the key on its side.')),
                    ('current', models.BooleanField(default=True, help_text='False once a later delivery replaced this row in the break.')),
                    ('record', models.JSONField()),
                    ('raw', models.JSONField(default=dict)),
                    ('flags', models.JSONField(default=list)),
                    ('brk', models.ForeignKey(db_column='break_id', db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='members', to='reconciliation.break')),
                    ('delivery', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='members', to='ingestion.delivery')),
                    ('run', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='members', to='reconciliation.run')),
                ],
                options={
                    'ordering': ['brk', 'side', 'position'],
                    'indexes': [models.Index(fields=['delivery', 'record_number'], name='member_by_row')],
                    'constraints': [models.UniqueConstraint(fields=('brk', 'side', 'delivery', 'record_number'), name='member_row_once_per_break')],
                },
            ),
            migrations.CreateModel(
                name='GateRefusal',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('condition', models.CharField(help_text='Code of the condition, such as check:amount:between.', max_length=120)),
                    ('sentence', models.CharField(max_length=1000)),
                    ('detail', models.CharField(blank=True, max_length=1000)),
                    ('current', models.BooleanField(default=True)),
                    ('brk', models.ForeignKey(db_column='break_id', db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='refusals', to='reconciliation.break')),
                    ('run', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='refusals', to='reconciliation.run')),
                ],
                options={
                    'ordering': ['brk', 'id'],
                    'constraints': [models.UniqueConstraint(fields=('brk', 'run', 'condition'), name='gate_refusal_once_per_run')],
                },
            ),
            migrations.CreateModel(
                name='Difference',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('field', models.CharField(max_length=83)),
                    ('kind', models.CharField(choices=[('value', 'Value'), ('missing', 'Missing'), ('type', 'Type'), ('row', 'Row')], max_length=7)),
                    ('value_a', models.TextField(blank=True, null=True)),
                    ('value_b', models.TextField(blank=True, null=True)),
                    ('raw_a', models.TextField(blank=True, null=True)),
                    ('raw_b', models.TextField(blank=True, null=True)),
                    ('values_hash', models.CharField(help_text='md5 of both values, so that long texts can be unique.', max_length=32)),
                    ('current', models.BooleanField(default=True, help_text='False once later values replaced it.')),
                    ('brk', models.ForeignKey(db_column='break_id', db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='differences', to='reconciliation.break')),
                    ('run', models.ForeignKey(db_constraint=False, db_index=False, help_text='The run that found it.', on_delete=django.db.models.deletion.PROTECT, related_name='differences', to='reconciliation.run')),
                ],
                options={
                    'ordering': ['brk', 'id'],
                    'indexes': [models.Index(condition=models.Q(('current', True)), fields=['field', 'brk'], name='difference_by_field')],
                    'constraints': [models.UniqueConstraint(fields=('brk', 'field', 'values_hash'), name='difference_once_per_values')],
                },
            ),
            migrations.CreateModel(
                name='Hold',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('until', models.DateTimeField(blank=True, help_text='It returns by itself then; null: when somebody takes it off.', null=True)),
                    ('party', models.CharField(blank=True, help_text='Whose answer is awaited.', max_length=200)),
                    ('note', models.TextField()),
                    ('band', models.CharField(blank=True, help_text="The break's band before, which it gets again.", max_length=9)),
                    ('held_at', models.DateTimeField()),
                    ('ended_at', models.DateTimeField(blank=True, null=True)),
                    ('ended_because', models.CharField(blank=True, max_length=200)),
                    ('brk', models.ForeignKey(db_column='break_id', db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='holds', to='reconciliation.break')),
                    ('ended_by', models.ForeignKey(blank=True, help_text='Who took it off or decided; null: its date came, or a run found something else.', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ('held_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='holds', to=settings.AUTH_USER_MODEL)),
                ],
                options={
                    'ordering': ['-id'],
                    'indexes': [models.Index(fields=['brk'], name='hold_by_break'), models.Index(condition=models.Q(('ended_at', None)), fields=['until'], name='hold_by_until')],
                    'constraints': [models.UniqueConstraint(condition=models.Q(('ended_at', None)), fields=('brk',), name='hold_one_open_per_break'), models.CheckConstraint(condition=models.Q(('until__isnull', False), models.Q(('party', ''), _negated=True), _connector='OR'), name='hold_awaits_something'), models.CheckConstraint(condition=models.Q(('until', None), ('until__gt', models.F('held_at')), _connector='OR'), name='hold_until_is_later'), models.CheckConstraint(condition=models.Q(models.Q(('ended_at', None), ('ended_because', ''), ('ended_by', None)), models.Q(('ended_at__gte', models.F('held_at')), models.Q(('ended_because', ''), _negated=True)), _connector='OR'), name='hold_end_is_whole')],
                },
            ),
            migrations.CreateModel(
                name='ScopeValue',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('value', models.TextField(blank=True)),
                    ('scope', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='held_values', to='reconciliation.scope')),
                ],
                options={
                    'ordering': ['scope', 'value'],
                    'constraints': [models.UniqueConstraint(fields=('scope', 'value'), name='scope_value_once')],
                },
            ),
            migrations.CreateModel(
                name='TeamScope',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('value', models.CharField(blank=True, max_length=200)),
                    ('reconciliation', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='team_scopes', to='reconciliation.reconciliation')),
                    ('team', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='scopes', to='reconciliation.team')),
                ],
                options={
                    'ordering': ['reconciliation', 'team', 'value'],
                    'constraints': [models.UniqueConstraint(fields=('reconciliation', 'team', 'value'), name='team_scope_once')],
                    'triggers': [pgtrigger.compiler.Trigger(name='insert_insert', sql=pgtrigger.compiler.UpsertTriggerSql(func='INSERT INTO "reconciliation_teamscopeevent" ("id", "pgh_context", "pgh_created_at", "pgh_label", "pgh_obj_id", "reconciliation_id", "team_id", "value") VALUES (NEW."id", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, NOW(), \'insert\', NEW."id", NEW."reconciliation_id", NEW."team_id", NEW."value"); RETURN NULL;', hash='a4a7618406763aaf1f8474406300b41e083d8ae8', operation='INSERT', pgid='pgtrigger_insert_insert_0203a', table='reconciliation_teamscope', when='AFTER')), pgtrigger.compiler.Trigger(name='update_update', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD.* IS DISTINCT FROM NEW.*)', func='INSERT INTO "reconciliation_teamscopeevent" ("id", "pgh_context", "pgh_created_at", "pgh_label", "pgh_obj_id", "reconciliation_id", "team_id", "value") VALUES (NEW."id", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, NOW(), \'update\', NEW."id", NEW."reconciliation_id", NEW."team_id", NEW."value"); RETURN NULL;', hash='dcc9226590e3e59679f9997b0f7b9487f36cd9e6', operation='UPDATE', pgid='pgtrigger_update_update_2bc23', table='reconciliation_teamscope', when='AFTER')), pgtrigger.compiler.Trigger(name='delete_delete', sql=pgtrigger.compiler.UpsertTriggerSql(func='INSERT INTO "reconciliation_teamscopeevent" ("id", "pgh_context", "pgh_created_at", "pgh_label", "pgh_obj_id", "reconciliation_id", "team_id", "value") VALUES (OLD."id", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, NOW(), \'delete\', OLD."id", OLD."reconciliation_id", OLD."team_id", OLD."value"); RETURN NULL;', hash='3937540759d3294b097e8857f200da2229c756ea', operation='DELETE', pgid='pgtrigger_delete_delete_b8c22', table='reconciliation_teamscope', when='AFTER'))],
                },
            ),
            migrations.CreateModel(
                name='TeamScopeEvent',
                fields=[
                    ('pgh_id', models.AutoField(primary_key=True, serialize=False)),
                    ('pgh_created_at', models.DateTimeField(auto_now_add=True)),
                    ('pgh_label', models.TextField(help_text='The event label.')),
                    ('pgh_context', pghistory.utils.JSONField(null=True)),
                    ('id', models.BigIntegerField()),
                    ('value', models.CharField(blank=True, max_length=200)),
                    ('pgh_obj', models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='events', to='reconciliation.teamscope')),
                    ('reconciliation', models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', related_query_name='+', to='reconciliation.reconciliation')),
                    ('team', models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', related_query_name='+', to='reconciliation.team')),
                ],
                options={
                    'abstract': False,
                    'triggers': [pgtrigger.compiler.Trigger(name='append_only', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='f4382e85a69659f1028438625eb5908d4dc7bcd2', operation='UPDATE OR DELETE', pgid='pgtrigger_append_only_5ae64', table='reconciliation_teamscopeevent', when='BEFORE'))],
                },
            ),
        ]),
        migrations.RunSQL(FUNCTIONS, DROP_FUNCTIONS),
        migrations.RunSQL(create_sql(REFERENCES), drop_sql(REFERENCES)),
        migrations.RunSQL(TALLY, DROP_TALLY),
    ]
