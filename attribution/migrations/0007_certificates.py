"""What a certificate leans on. No certificate was ever written before, so its table begins anew."""

import django.db.models.deletion
from django.db import migrations, models
from django.db.models import F, Q

from reconciliation import resealing


class Migration(migrations.Migration):
    dependencies = [("attribution", "0006_audits"), ("reconciliation", "0006_automatic_runs")]

    operations = [
        migrations.DeleteModel("Certificate"),
        migrations.CreateModel(
            name="Certificate",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("bound", models.DecimalField(decimal_places=3, max_digits=4)),
                ("threshold", models.DecimalField(decimal_places=7, max_digits=8)),
                ("sample_size", models.PositiveIntegerField()),
                ("errors", models.PositiveIntegerField()),
                ("upper", models.DecimalField(decimal_places=7, help_text="The share of errors is at most this, with confidence 1 - delta.", max_digits=8)),
                ("delta", models.DecimalField(decimal_places=3, max_digits=4)),
                ("held_out", models.PositiveIntegerField(help_text="Labelled records that the model had not seen.")),
                ("first_day", models.DateField(help_text="The first business date of its labels.")),
                ("last_day", models.DateField(help_text="The last business date of its labels.")),
                ("sample_sha256", models.CharField(help_text="Of the ids of its records, in order.", max_length=64)),
                ("money", models.JSONField(default=dict, help_text="By currency: the money that would pass, and the wrong part of it.")),
                ("reasons", models.JSONField(default=list, help_text="The reasons that may pass under it.")),
                ("made_at", models.DateTimeField()),
                ("valid_until", models.DateTimeField()),
                ("model_version", models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="certificates", to="attribution.modelversion")),
            ],
            options={"ordering": ["model_version", "-bound"]},
        ),
        migrations.AddConstraint("certificate", models.UniqueConstraint(fields=("model_version", "bound"), name="certificate_once_per_bound")),
        migrations.AddConstraint("certificate", models.CheckConstraint(condition=Q(upper__lte=F("bound")), name="certificate_keeps_its_bound")),
        migrations.AddConstraint("certificate", models.CheckConstraint(condition=Q(errors__lte=F("sample_size"), sample_size__lte=F("held_out")), name="certificate_counts_add_up")),
        migrations.AddConstraint("certificate", models.CheckConstraint(condition=Q(last_day__gte=F("first_day")), name="certificate_window_has_an_order")),
        migrations.AddConstraint("certificate", models.CheckConstraint(condition=Q(valid_until__gt=F("made_at")), name="certificate_ends_after_it_began")),
        migrations.RunSQL(resealing.remember, migrations.RunSQL.noop),
        migrations.AddField("attribution", "functional_share", models.DecimalField(decimal_places=5, help_text="How likely a model holds any functional reason; null: none spoke.", max_digits=6, null=True)),
        migrations.AddConstraint("attribution", models.CheckConstraint(condition=Q(functional_share__isnull=True) | Q(functional_share__range=(0, 1)), name="attribution_functional_is_a_share")),
        migrations.RunSQL(resealing.renew, migrations.RunSQL.noop),
    ]
