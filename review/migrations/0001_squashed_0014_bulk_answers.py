"""The tables as they stand, in the place of the migrations that led to them."""

import datetime
import django.contrib.postgres.fields
import django.db.models.deletion
import django.db.models.expressions
import django.db.models.functions.text
import django.db.models.lookups
import uuid
from django.conf import settings
from django.db import migrations, models

from ingestion.at_once import AtOnce

ONCE = """
CREATE FUNCTION bulk_row_result_stays() RETURNS trigger LANGUAGE plpgsql AS $body$
BEGIN
    RAISE integrity_constraint_violation USING CONSTRAINT = 'bulk_row_result_once', TABLE = TG_TABLE_NAME,
        MESSAGE = 'the result of a row of a bulk decision is written once';
END $body$;
CREATE TRIGGER bulk_row_result_once BEFORE UPDATE ON review_bulkrow FOR EACH ROW WHEN (OLD.state <> 'waiting')
    EXECUTE FUNCTION bulk_row_result_stays();
"""
NOT_ONCE = "DROP TRIGGER bulk_row_result_once ON review_bulkrow; DROP FUNCTION bulk_row_result_stays();"
STAYS = """
CREATE FUNCTION comment_stays() RETURNS trigger LANGUAGE plpgsql AS $body$
BEGIN
    RAISE integrity_constraint_violation USING CONSTRAINT = 'comment_text_stays', TABLE = TG_TABLE_NAME,
        MESSAGE = 'a comment is never changed or deleted; it is corrected by another, or withdrawn once';
END $body$;
CREATE TRIGGER comment_text_stays BEFORE UPDATE ON review_comment FOR EACH ROW
    WHEN (OLD.withdrawn_at IS NOT NULL OR (OLD.id, OLD.break_id, OLD.text, OLD.written_by_id, OLD.written_at, OLD.corrects_id)
        IS DISTINCT FROM (NEW.id, NEW.break_id, NEW.text, NEW.written_by_id, NEW.written_at, NEW.corrects_id))
    EXECUTE FUNCTION comment_stays();
CREATE TRIGGER comment_is_kept BEFORE DELETE ON review_comment FOR EACH ROW EXECUTE FUNCTION comment_stays();
"""
NOT_STAYS = """
DROP TRIGGER comment_is_kept ON review_comment; DROP TRIGGER comment_text_stays ON review_comment;
DROP FUNCTION comment_stays();
"""


class Migration(migrations.Migration):

    replaces = [
        ('review', '0001_initial'),
        ('review', '0002_titles'),
        ('review', '0003_undone_decisions'),
        ('review', '0004_exports'),
        ('review', '0005_bulk_decisions'),
        ('review', '0006_incidents'),
        ('review', '0007_bulk_assignments'),
        ('review', '0008_inbox'),
        ('review', '0009_comments'),
        ('review', '0010_figures'),
        ('review', '0011_preferences'),
        ('review', '0012_saved_views'),
        ('review', '0013_bulk_holds'),
        ('review', '0014_bulk_answers'),
    ]

    initial = True

    dependencies = [
        ('auth', '0012_alter_user_first_name_max_length'),
        ('ingestion', '0001_squashed_0016_inbox'),
        ('reconciliation', '0001_squashed_0021_cancelled_by'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        AtOnce([
            migrations.CreateModel(
                name='ApiToken',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('name', models.CharField(max_length=100)),
                    ('prefix', models.CharField(max_length=8)),
                    ('sha256', models.CharField(max_length=64, unique=True)),
                    ('scopes', models.JSONField(default=list, help_text='Any of read, deliver, run, decide.')),
                    ('created_at', models.DateTimeField(auto_now_add=True)),
                    ('expires_at', models.DateTimeField()),
                    ('last_used_at', models.DateTimeField(blank=True, null=True)),
                    ('user', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='api_tokens', to=settings.AUTH_USER_MODEL)),
                ],
                options={
                    'ordering': ['-id'],
                    'verbose_name': 'API token',
                },
            ),
            migrations.CreateModel(
                name='Decision',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('fingerprint', models.CharField(help_text="The break's values when it was decided.", max_length=32)),
                    ('action', models.CharField(choices=[('approve', 'Approve'), ('override', 'Override'), ('reject', 'Reject')], max_length=8)),
                    ('reason', models.CharField(blank=True, help_text='The reason given; empty keeps the attributed ones.', max_length=40)),
                    ('comment', models.TextField(blank=True)),
                    ('proposed_at', models.DateTimeField()),
                    ('confirmed_at', models.DateTimeField(blank=True, null=True)),
                    ('four_eyes', models.BooleanField(default=False)),
                    ('withdrawn', models.BooleanField(default=False)),
                    ('record', models.JSONField(blank=True, help_text='The record that was stored; null for a rejection.', null=True)),
                    ('brk', models.ForeignKey(db_column='break_id', on_delete=django.db.models.deletion.PROTECT, related_name='decisions', to='reconciliation.break', verbose_name='break')),
                    ('chosen', models.ForeignKey(blank=True, help_text='The named row of a duplicate.', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='chosen_by', to='reconciliation.member')),
                    ('confirmed_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='decisions_confirmed', to=settings.AUTH_USER_MODEL)),
                    ('proposed_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='decisions_proposed', to=settings.AUTH_USER_MODEL)),
                    ('run', models.ForeignKey(help_text='The run that it answers.', on_delete=django.db.models.deletion.PROTECT, related_name='decisions', to='reconciliation.run')),
                    ('undo_comment', models.TextField(blank=True, null=True)),
                    ('undone_at', models.DateTimeField(blank=True, null=True)),
                    ('undone_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='decisions_undone', to=settings.AUTH_USER_MODEL)),
                    ('void_because', models.TextField(blank=True, null=True)),
                    ('void_changes', models.JSONField(blank=True, help_text='What changed since the proposal: side, field, then, now of each value.', null=True)),
                    ('withdrawn_at', models.DateTimeField(blank=True, null=True)),
                    ('withdrawn_by', models.ForeignKey(blank=True, help_text='Empty: nobody; it became void, or was withdrawn before this was kept.', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='decisions_withdrawn', to=settings.AUTH_USER_MODEL)),
                ],
                options={
                    'ordering': ['-id'],
                    'constraints': [models.CheckConstraint(condition=models.Q(('four_eyes', False), ('confirmed_by', None), models.Q(('confirmed_by', models.F('proposed_by')), _negated=True), _connector='OR'), name='decision_nobody_confirms_their_own'), models.UniqueConstraint(condition=models.Q(('confirmed_by', None), ('withdrawn', False)), fields=('brk',), name='decision_one_proposal_per_break'), models.CheckConstraint(condition=models.Q(models.Q(('confirmed_at', None), ('confirmed_by', None)), models.Q(('confirmed_at__isnull', False), ('confirmed_by__isnull', False)), _connector='OR'), name='decision_confirmed_has_time'), models.CheckConstraint(condition=models.Q(models.Q(('undo_comment', None), ('undone_at', None), ('undone_by', None)), models.Q(('undo_comment__isnull', False), ('undone_at__isnull', False), ('undone_by__isnull', False)), _connector='OR'), name='decision_undone_has_time'), models.CheckConstraint(condition=models.Q(('undone_by', None), ('confirmed_by__isnull', False), _connector='OR'), name='decision_undone_was_confirmed'), models.CheckConstraint(condition=models.Q(('undone_by', None), models.Q(('undo_comment', ''), _negated=True), models.Q(('undone_at__lte', django.db.models.expressions.CombinedExpression(models.F('confirmed_at'), '+', models.Value(datetime.timedelta(seconds=10)))), ('undone_by', models.F('confirmed_by'))), _connector='OR'), name='decision_late_undo_says_why'), models.CheckConstraint(condition=models.Q(('four_eyes', False), ('undone_by', None), models.Q(('undone_by', models.F('proposed_by')), _negated=True), _connector='OR'), name='decision_nobody_undoes_their_own_proposal'), models.CheckConstraint(condition=models.Q(('withdrawn', True), models.Q(('void_because', None), ('withdrawn_at', None), ('withdrawn_by', None)), _connector='OR'), name='decision_void_is_withdrawn'), models.CheckConstraint(condition=models.Q(('void_because', None), models.Q(('confirmed_by', None), ('withdrawn_by', None)), _connector='OR'), name='decision_void_by_nobody')],
                },
            ),
            migrations.CreateModel(
                name='DecisionValue',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('field', models.CharField(max_length=83)),
                    ('value', models.TextField(blank=True, null=True)),
                    ('decision', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='values', to='review.decision')),
                ],
                options={
                    'ordering': ['decision', 'field'],
                    'constraints': [models.UniqueConstraint(fields=('decision', 'field'), name='decision_value_once_per_field')],
                },
            ),
            migrations.CreateModel(
                name='IdempotentRequest',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('key', models.CharField(max_length=200)),
                    ('request_sha256', models.CharField(max_length=64)),
                    ('status', models.PositiveSmallIntegerField(null=True)),
                    ('answer', models.JSONField(null=True)),
                    ('created_at', models.DateTimeField(auto_now_add=True)),
                    ('user', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to=settings.AUTH_USER_MODEL)),
                ],
                options={
                    'constraints': [models.UniqueConstraint(fields=('user', 'key'), name='idempotent_request_once_per_key')],
                },
            ),
            migrations.CreateModel(
                name='Waiver',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('condition', models.CharField(max_length=120)),
                    ('fingerprint', models.CharField(max_length=32)),
                    ('comment', models.TextField()),
                    ('waived_at', models.DateTimeField()),
                    ('brk', models.ForeignKey(db_column='break_id', on_delete=django.db.models.deletion.PROTECT, related_name='waivers', to='reconciliation.break')),
                    ('waived_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='waivers', to=settings.AUTH_USER_MODEL)),
                ],
                options={
                    'ordering': ['brk', 'id'],
                    'permissions': [('waive_check', 'Can waive a failed record check')],
                    'constraints': [models.UniqueConstraint(fields=('brk', 'condition', 'fingerprint'), name='waiver_once_per_condition'), models.CheckConstraint(condition=models.Q(('comment', ''), _negated=True), name='waiver_has_comment')],
                },
            ),
            migrations.CreateModel(
                name='Export',
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
                    ('what', models.CharField(help_text='Code of the table, such as differences or queue.', max_length=20)),
                    ('format', models.CharField(choices=[('csv', 'CSV'), ('xlsx', 'Excel'), ('parquet', 'Parquet'), ('json', 'JSON'), ('xml', 'XML')], max_length=7)),
                    ('filters', models.JSONField(default=dict, help_text='What the lines were narrowed by, as the page had it.')),
                    ('columns', models.JSONField(default=list, help_text='The columns in their order.')),
                    ('asked_at', models.DateTimeField()),
                    ('rows', models.PositiveBigIntegerField(default=0, help_text='Lines written, so far or in all.')),
                    ('is_cut', models.BooleanField(default=False, help_text='Whether there were more lines than an export may have.')),
                    ('size', models.PositiveBigIntegerField(blank=True, help_text='Bytes of the file.', null=True)),
                    ('sha256', models.CharField(blank=True, max_length=64)),
                    ('path', models.CharField(blank=True, help_text='In the lake; empty for a file that lies elsewhere.', max_length=255)),
                    ('expires_at', models.DateTimeField(blank=True, null=True)),
                    ('removed_at', models.DateTimeField(blank=True, help_text='When the expired file was removed.', null=True)),
                    ('asked_by', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='exports', to=settings.AUTH_USER_MODEL)),
                ],
                options={
                    'ordering': ['-id'],
                    'permissions': [('see_every_export', 'Can see and download what others exported')],
                    'indexes': [models.Index(fields=['asked_by', '-id'], name='export_by_person')],
                    'constraints': [models.CheckConstraint(condition=models.Q(models.Q(('state', 'done'), _negated=True), models.Q(('size__isnull', False), models.Q(('sha256', ''), _negated=True)), _connector='OR'), name='export_done_has_its_hash'), models.CheckConstraint(condition=models.Q(('path', ''), ('expires_at__isnull', False), _connector='OR'), name='export_kept_file_expires'), models.CheckConstraint(condition=models.Q(('removed_at', None), ('removed_at__gte', models.F('expires_at')), _connector='OR'), name='export_removed_after_it_expired')],
                },
            ),
            migrations.CreateModel(
                name='BulkDecision',
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
                    ('action', models.CharField(choices=[('approve', 'Approve'), ('override', 'Override'), ('reject', 'Reject'), ('assign', 'Assign'), ('hold', 'Put on hold'), ('undo', 'Undo')], max_length=8)),
                    ('reason', models.CharField(blank=True, max_length=40)),
                    ('comment', models.TextField(blank=True)),
                    ('told', models.CharField(help_text='How the breaks were chosen, as people read it.', max_length=300)),
                    ('asked_at', models.DateTimeField()),
                    ('preview', models.UUIDField(blank=True, help_text='The preview that it was started from.', null=True)),
                    ('incident', models.BigIntegerField(blank=True, help_text='Id of the incident that it answers.', null=True)),
                    ('is_fresh', models.BooleanField(default=False, help_text='An undo that was asked for in the first seconds.')),
                    ('reconciliations', django.contrib.postgres.fields.ArrayField(base_field=models.BigIntegerField(), help_text='Ids of those that its breaks are of.', size=None)),
                    ('rows', models.PositiveIntegerField()),
                    ('done', models.PositiveIntegerField(default=0)),
                    ('refused', models.PositiveIntegerField(default=0)),
                    ('asked_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='bulk_decisions', to=settings.AUTH_USER_MODEL)),
                    ('undoes', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='undone_in', to='review.bulkdecision')),
                    ('assignee', models.ForeignKey(blank=True, help_text='Whom the breaks are assigned to; null: nobody.', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ('party', models.CharField(blank=True, help_text='Whose answer ends the hold.', max_length=200, null=True)),
                    ('until', models.DateField(blank=True, help_text='The day on which breaks that are put on hold return.', null=True)),
                ],
                options={
                    'ordering': ['-id'],
                    'constraints': [models.UniqueConstraint(fields=('preview',), name='bulk_decision_once_per_preview'), models.UniqueConstraint(condition=models.Q(('state__in', ('ready', 'running'))), fields=('undoes',), name='bulk_decision_one_undo_at_a_time'), models.CheckConstraint(condition=models.Q(models.Q(('action', 'undo'), ('undoes__isnull', False)), models.Q(models.Q(('action', 'undo'), _negated=True), ('undoes', None)), _connector='OR'), name='bulk_decision_undo_names_what'), models.CheckConstraint(condition=models.Q(('rows__gte', django.db.models.expressions.CombinedExpression(models.F('done'), '+', models.F('refused')))), name='bulk_decision_counts_fit'), models.CheckConstraint(condition=models.Q(models.Q(('state', 'done'), _negated=True), ('rows', django.db.models.expressions.CombinedExpression(models.F('done'), '+', models.F('refused'))), _connector='OR'), name='bulk_decision_done_is_whole'), models.CheckConstraint(condition=models.Q(('action', 'assign'), ('assignee', None), _connector='OR'), name='bulk_decision_assigns_or_not'), models.CheckConstraint(condition=models.Q(models.Q(('action', 'hold'), models.Q(('until__isnull', False), ('party__isnull', False), _connector='OR')), models.Q(models.Q(('action', 'hold'), _negated=True), ('party', None), ('until', None)), _connector='OR'), name='bulk_decision_holds_or_not')],
                },
            ),
            migrations.CreateModel(
                name='BulkPreview',
                fields=[
                    ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                    ('made_at', models.DateTimeField(db_index=True)),
                    ('told', models.CharField(help_text='How they were chosen, as people read it.', max_length=300)),
                    ('chosen', models.JSONField(help_text='A list of the id and the fingerprint of each break.')),
                    ('incident', models.BigIntegerField(blank=True, help_text='Id of the incident that it answers.', null=True)),
                    ('made_by', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to=settings.AUTH_USER_MODEL)),
                ],
            ),
            migrations.CreateModel(
                name='BulkRow',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('position', models.PositiveIntegerField(help_text='In which order they are decided.')),
                    ('fingerprint', models.CharField(help_text="The break's values when it was chosen.", max_length=32)),
                    ('state', models.CharField(choices=[('waiting', 'Waiting'), ('done', 'Done'), ('refused', 'Refused')], default='waiting', max_length=7)),
                    ('said', models.TextField(blank=True, help_text='What refused it.')),
                    ('settled_at', models.DateTimeField(blank=True, null=True)),
                    ('brk', models.ForeignKey(db_column='break_id', on_delete=django.db.models.deletion.PROTECT, related_name='bulk_rows', to='reconciliation.break')),
                    ('bulk', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='results', to='review.bulkdecision')),
                    ('decision', models.ForeignKey(blank=True, help_text='What was made, confirmed, or is to be undone; none where breaks were assigned or put on hold.', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='bulk_rows', to='review.decision')),
                ],
                options={
                    'ordering': ['bulk', 'position'],
                    'indexes': [models.Index(condition=models.Q(('state', 'waiting')), fields=['bulk', 'position'], name='bulk_row_waiting')],
                    'constraints': [models.UniqueConstraint(fields=('bulk', 'brk'), name='bulk_row_once_per_break'), models.UniqueConstraint(fields=('bulk', 'position'), name='bulk_row_once_per_position'), models.CheckConstraint(condition=models.Q(models.Q(('said', ''), ('settled_at', None), ('state', 'waiting')), models.Q(('said', ''), ('settled_at__isnull', False), ('state', 'done')), models.Q(('settled_at__isnull', False), ('state', 'refused'), models.Q(('said', ''), _negated=True)), _connector='OR'), name='bulk_row_result_is_whole')],
                },
            ),
            migrations.CreateModel(
                name='Incident',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('field', models.CharField(max_length=83)),
                    ('reason', models.CharField(max_length=40)),
                    ('gap', models.CharField(help_text='Sign and size of the gap; * is any.', max_length=20)),
                    ('segment', models.CharField(help_text='Such as the counterparty; * is any.', max_length=200)),
                    ('segment_of', models.CharField(blank=True, help_text='The field that the segment is a value of.', max_length=83)),
                    ('state', models.CharField(choices=[('open', 'Open'), ('decided', 'Decided'), ('closed', 'Closed by itself')], default='open', max_length=7)),
                    ('breaks', models.PositiveIntegerField(help_text='How many there were in its first run.')),
                    ('usual', models.FloatField(help_text='How many a run of that size usually has.')),
                    ('runs', models.PositiveSmallIntegerField(help_text='How many earlier runs say so.')),
                    ('found_at', models.DateTimeField()),
                    ('last_run', models.ForeignKey(help_text='The last that added breaks.', on_delete=django.db.models.deletion.PROTECT, related_name='+', to='reconciliation.run')),
                    ('reconciliation', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='incidents', to='reconciliation.reconciliation')),
                    ('run', models.ForeignKey(help_text='The run that it began in.', on_delete=django.db.models.deletion.PROTECT, related_name='incidents', to='reconciliation.run')),
                ],
                options={
                    'ordering': ['-id'],
                    'indexes': [models.Index(fields=['reconciliation', 'state', '-id'], name='incident_list')],
                    'constraints': [models.UniqueConstraint(condition=models.Q(('state', 'open')), fields=('reconciliation', 'field', 'reason', 'gap', 'segment'), name='incident_one_open_per_signature'), models.CheckConstraint(condition=models.Q(('breaks__gte', 1), ('usual__gte', 0)), name='incident_has_breaks')],
                },
            ),
            migrations.CreateModel(
                name='IncidentBreak',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('brk', models.ForeignKey(db_column='break_id', on_delete=django.db.models.deletion.PROTECT, related_name='in_incidents', to='reconciliation.break')),
                    ('incident', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='members', to='review.incident')),
                ],
                options={
                    'constraints': [models.UniqueConstraint(fields=('incident', 'brk'), name='incident_break_once')],
                },
            ),
            migrations.CreateModel(
                name='IncidentScan',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('records', models.PositiveBigIntegerField(help_text='Keys that the run compared.')),
                    ('at', models.DateTimeField()),
                    ('run', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='incident_scan', to='reconciliation.run')),
                ],
            ),
            migrations.CreateModel(
                name='SignatureCount',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('field', models.CharField(max_length=83)),
                    ('reason', models.CharField(max_length=40)),
                    ('gap', models.CharField(max_length=20)),
                    ('segment', models.CharField(max_length=200)),
                    ('breaks', models.PositiveIntegerField()),
                    ('scan', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='counts', to='review.incidentscan')),
                ],
                options={
                    'constraints': [models.UniqueConstraint(fields=('scan', 'field', 'reason', 'gap', 'segment'), name='signature_count_once_per_scan')],
                },
            ),
            migrations.CreateModel(
                name='AlertChoice',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('event', models.CharField(max_length=40)),
                    ('mail', models.CharField(choices=[('immediate', 'At once'), ('digest', 'Once a day'), ('none', 'No mail')], max_length=9)),
                    ('muted', models.BooleanField(default=False, help_text='Listed in the inbox, but neither counted nor mailed.')),
                    ('person', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='alert_choices', to=settings.AUTH_USER_MODEL)),
                ],
                options={
                    'ordering': ['event'],
                    'constraints': [models.UniqueConstraint(fields=('person', 'event'), name='alert_choice_once_an_event')],
                },
            ),
            migrations.CreateModel(
                name='AlertReading',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('read_at', models.DateTimeField()),
                    ('alert', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='readings', to='ingestion.alert')),
                    ('person', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='alert_readings', to=settings.AUTH_USER_MODEL)),
                ],
                options={
                    'constraints': [models.UniqueConstraint(fields=('person', 'alert'), name='alert_reading_once')],
                },
            ),
            migrations.CreateModel(
                name='Figures',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('document', models.JSONField()),
                    ('computed_at', models.DateTimeField()),
                    ('seconds', models.FloatField(help_text='What computing them took; what takes long is done less often.')),
                    ('reconciliation', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='figures', to='reconciliation.reconciliation')),
                ],
                options={
                    'verbose_name_plural': 'figures',
                },
            ),
            migrations.CreateModel(
                name='Preference',
                fields=[
                    ('person', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='preference', serialize=False, to=settings.AUTH_USER_MODEL)),
                    ('has_keys', models.BooleanField(default=True, help_text='Single letters act, such as a for approve.')),
                    ('density', models.CharField(choices=[('roomy', 'Roomy'), ('compact', 'Compact')], default='roomy', max_length=7)),
                ],
            ),
            migrations.CreateModel(
                name='SavedView',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('name', models.CharField(max_length=60)),
                    ('query', models.CharField(blank=True, max_length=1000)),
                    ('order', models.CharField(blank=True, max_length=10)),
                    ('columns', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=20), blank=True, default=list, help_text='What it shows; none: what its reader chose.', size=None)),
                    ('saved_at', models.DateTimeField()),
                    ('owner', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='saved_views', to=settings.AUTH_USER_MODEL)),
                    ('team', models.ForeignKey(blank=True, db_index=False, help_text="Whose members open it; null: the owner's alone.", null=True, on_delete=django.db.models.deletion.CASCADE, related_name='saved_views', to='reconciliation.team')),
                ],
                options={
                    'ordering': ['name', 'id'],
                    'constraints': [models.UniqueConstraint(models.F('owner'), django.db.models.functions.text.Lower('name'), condition=models.Q(('team', None)), name='saved_view_name_once_a_person'), models.UniqueConstraint(models.F('team'), django.db.models.functions.text.Lower('name'), condition=models.Q(('team__isnull', False)), name='saved_view_name_once_a_team'), models.CheckConstraint(condition=models.Q(models.Q(('name', ''), _negated=True), ('name', django.db.models.functions.text.Trim('name'))), name='saved_view_has_name')],
                },
            ),
            migrations.CreateModel(
                name='QueueLook',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('columns', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=20), blank=True, default=list, help_text='What is shown beside the key; none: the usual ones.', size=None)),
                    ('person', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='queue_look', to=settings.AUTH_USER_MODEL)),
                    ('opens_with', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='review.savedview')),
                ],
            ),
            migrations.CreateModel(
                name='BulkAnswer',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('action', models.CharField(choices=[('dismiss', 'Dismiss'), ('confirm', 'Confirm'), ('withdraw', 'Withdraw')], max_length=8)),
                    ('told', models.CharField(help_text='How the rows were chosen, as people read it.', max_length=300)),
                    ('filters', models.JSONField(blank=True, default=dict, help_text='The filter that chose them; empty for named rows.')),
                    ('sources', django.contrib.postgres.fields.ArrayField(base_field=models.BigIntegerField(), help_text='Ids of those that its rows are of.', size=None)),
                    ('asked_at', models.DateTimeField()),
                    ('comment', models.TextField(blank=True)),
                    ('answered_at', models.DateTimeField(blank=True, null=True)),
                    ('rows', models.PositiveIntegerField()),
                    ('done', models.PositiveIntegerField(default=0)),
                    ('skipped', models.PositiveIntegerField(default=0)),
                    ('asked_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='bulk_answers', to=settings.AUTH_USER_MODEL)),
                ],
                options={
                    'ordering': ['-id'],
                    'constraints': [models.CheckConstraint(condition=models.Q(models.Q(('answered_at', None), ('done', 0), ('skipped', 0)), models.Q(('answered_at__isnull', False), ('rows', django.db.models.expressions.CombinedExpression(models.F('done'), '+', models.F('skipped')))), _connector='OR'), name='bulk_answer_given_to_each'), models.CheckConstraint(condition=models.Q(models.Q(('action', 'dismiss'), _negated=True), ('answered_at', None), models.Q(('comment', ''), _negated=True), _connector='OR'), name='bulk_answer_says_why')],
                },
            ),
            migrations.CreateModel(
                name='BulkAnswerRow',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('said', models.TextField(blank=True, help_text='Why it was left alone.')),
                    ('answer', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='results', to='review.bulkanswer')),
                    ('repair', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='bulk_answers', to='ingestion.repair')),
                    ('row', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='bulk_answers', to='ingestion.quarantinedrow')),
                ],
                options={
                    'ordering': ['answer', 'row'],
                    'constraints': [models.UniqueConstraint(fields=('answer', 'row'), name='bulk_answer_once_per_row'), models.CheckConstraint(condition=models.Q(('repair', None), ('said', ''), _connector='OR'), name='bulk_answer_row_one_result')],
                },
            ),
            migrations.CreateModel(
                name='Comment',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('text', models.TextField()),
                    ('written_at', models.DateTimeField()),
                    ('withdrawn_at', models.DateTimeField(blank=True, null=True)),
                    ('brk', models.ForeignKey(db_column='break_id', db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='comments', to='reconciliation.break', verbose_name='break')),
                    ('corrects', models.OneToOneField(blank=True, help_text='What it replaces.', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='corrected_by', to='review.comment')),
                    ('withdrawn_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='comments_withdrawn', to=settings.AUTH_USER_MODEL)),
                    ('written_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='comments', to=settings.AUTH_USER_MODEL)),
                    ('mentions', models.ManyToManyField(help_text='Who is called to it.', related_name='mentioned_in', through='review.Mention', to=settings.AUTH_USER_MODEL)),
                ],
                options={
                    'ordering': ['id'],
                    'indexes': [models.Index(fields=['brk', 'id'], name='comment_of_break'), models.Index(fields=['written_by', '-written_at'], name='comment_by_person')],
                    'constraints': [models.CheckConstraint(condition=models.Q(models.Q(('text', ''), _negated=True), django.db.models.lookups.LessThanOrEqual(django.db.models.functions.text.Length('text'), 2000)), name='comment_has_text'), models.CheckConstraint(condition=models.Q(models.Q(('withdrawn_at', None), ('withdrawn_by', None)), models.Q(('withdrawn_at__isnull', False), ('withdrawn_by__isnull', False)), _connector='OR'), name='comment_withdrawn_has_time')],
                },
            ),
            migrations.CreateModel(
                name='Mention',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('comment', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='named', to='review.comment')),
                    ('person', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ],
                options={
                    'ordering': ['id'],
                    'constraints': [models.UniqueConstraint(fields=('comment', 'person'), name='mention_once_a_person')],
                },
            ),
        ]),
        migrations.RunSQL(ONCE, NOT_ONCE),
        migrations.RunSQL(STAYS, NOT_STAYS),
    ]
