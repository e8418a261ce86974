"""Source and Mapping: who delivers, and how its columns become fields."""

from django.db import models
from django.db.models import UniqueConstraint

from ingestion.history import kept
from ingestion.models.calendar import Calendar
from ingestion.models.record_type import CARRIED, CODE, RecordType


@kept
class Source(models.Model):
    """One feed of one system, delivering records of one RecordType."""

    class Kind(models.TextChoices):
        UPLOAD = "upload"
        DROP = "drop"
        TABLE = "table"
        API = "api"
        PUSH = "push"

    class Delivers(models.TextChoices):
        INCREMENTS = "increments"
        SNAPSHOT = "snapshot"

    code = models.CharField(max_length=41, unique=True, validators=[CODE])
    label = models.CharField(max_length=200, blank=True)
    record_type = models.ForeignKey(RecordType, on_delete=models.PROTECT, related_name="sources")
    kind = models.CharField(max_length=10, choices=Kind.choices, default=Kind.UPLOAD)
    delivers = models.CharField(max_length=10, choices=Delivers.choices, default=Delivers.INCREMENTS)
    calendar = models.ForeignKey(Calendar, on_delete=models.PROTECT, null=True, blank=True)
    business_date = models.JSONField(
        default=dict, blank=True, help_text="{column} or {from_name}; empty: given at delivery."
    )
    format = models.JSONField(default=dict, blank=True, help_text="What is declared; the rest is detected.")
    connection = models.JSONField(
        default=dict,
        blank=True,
        help_text="Where to pull from; credentials by the name of a variable, {env: TIEOUT_...}.",
    )
    raw_days = models.PositiveIntegerField(
        null=True, blank=True, help_text="Days for which delivered bytes are kept; empty: for ever."
    )

    class Meta:
        ordering = ["code"]

    def __str__(self) -> str:
        return self.code

    @property
    def title(self) -> str:
        """The name that people read."""
        return self.label or self.code.replace("_", " ").capitalize()

    def current_mapping(self) -> "Mapping":
        """The newest mapping version."""
        return self.mappings.latest("version")


@kept
class Mapping(models.Model):
    """An immutable version of: source column -> field, with parsing and cleaning steps.

    `document` is the definition's `mapping` with every default left out; `sha256` is that of its canonical JSON.
    """

    source = models.ForeignKey(Source, on_delete=models.PROTECT, related_name="mappings")
    version = models.PositiveIntegerField()
    document = models.JSONField()
    format = models.JSONField(default=dict)
    sha256 = models.CharField(max_length=64)
    created_at = models.DateTimeField(auto_now_add=True)
    created_by = models.CharField(max_length=150, blank=True)

    class Meta:
        ordering = ["source", "version"]
        constraints = [UniqueConstraint(fields=["source", "version"], name="mapping_version_once_per_source")]

    def __str__(self) -> str:
        return f"{self.source} mapping {self.version}"


@kept
class CodeTranslation(models.Model):
    """A known difference of codes: where the other side says `a_value`, this source says `b_value`."""

    source = models.ForeignKey(Source, on_delete=models.CASCADE, related_name="translations")
    field = models.CharField(max_length=83)
    a_value = models.CharField(max_length=500)
    b_value = models.CharField(max_length=500)

    class Meta:
        default_permissions = CARRIED
        ordering = ["source", "field", "a_value"]
        verbose_name = "value map entry"
        verbose_name_plural = "value map entries"
        constraints = [
            UniqueConstraint(
                fields=["source", "field", "a_value", "b_value"], name="translation_once_per_source_and_field"
            )
        ]

    def __str__(self) -> str:
        return f"{self.source}.{self.field}: {self.a_value} = {self.b_value}"
