"""RecordType and Field: what a canonical record is."""

from collections.abc import Sequence

from django.core.validators import RegexValidator
from django.db import models
from django.db.models import CheckConstraint, Exists, F, OuterRef, Q, UniqueConstraint

from ingestion.history import kept
from ingestion.prepared import prepared
from ingestion.shape import Leaf, Shape

CODE = RegexValidator(
    r"^[a-z][a-z0-9_]{0,40}$", "A code is a letter, then letters, digits or _ (at most 41), in lower case."
)
CARRIED = ("add", "change", "delete", "view", "import", "export")  # the rights on what files carry in and out


@kept
class RecordType(models.Model):
    """What a canonical record is. Its current fields are those of its `generation`.

    A new field raises `schema_version`; any other change of shape starts a new generation, which has its own table.
    """

    code = models.CharField(max_length=41, unique=True, validators=[CODE])
    label = models.CharField(max_length=200, blank=True)
    kept_fields: "list[Field] | None" = None

    schema_version = models.PositiveIntegerField(default=1)
    generation = models.PositiveIntegerField(default=1)

    class Meta:
        default_permissions = CARRIED
        ordering = ["code"]

    def __str__(self) -> str:
        return self.code

    def current_fields(self) -> models.QuerySet["Field"]:
        """The fields of the current generation, in the order of the definition."""
        return self.fields.filter(generation=self.generation).select_related("refers_to").order_by("position")

    def keep_fields(self) -> None:
        """Read the fields now, and let this object answer with them from here on: for work that asks for them often."""
        self.kept_fields = self.opened_fields()

    def opened_fields(self) -> list["Field"]:
        """The current fields in order, each reference with the fields of its type as `attributes`; one query for all.

        `is_referred` and `is_delivered` say of a field's record type whether others refer to it, and whether a source
        delivers it.
        """
        if self.kept_fields is not None:
            return self.kept_fields
        return opened_fields_of([self])[self.pk]

    def shape(self) -> Shape:
        """The pure shape: one leaf per typed value, references opened by one level."""
        return shape_of(self, self.opened_fields())


def opened_fields_of(record_types: Sequence[RecordType]) -> dict[int, list["Field"]]:
    """The `opened_fields` of several types by their ids, in one query."""
    ids = [it.pk for it in record_types]
    by_type: dict[int, list[Field]] = {pk: [] for pk in ids}
    field: Field
    for field in prepared(("fields", *ids), lambda: _related_fields(ids)):
        by_type.setdefault(field.record_type_id, []).append(field)
    for field in (it for pk in ids for it in by_type[pk]):
        if field.refers_to_id is not None:
            field.attributes = by_type.get(field.refers_to_id, [])
    return {pk: by_type[pk] for pk in ids}


def _related_fields(ids: Sequence[int]) -> "models.QuerySet[Field]":
    referred = RecordType.objects.filter(referring__record_type__in=ids)
    related = Field.objects.filter(Q(record_type__in=ids) | Q(record_type__in=referred))
    own = RecordType.objects.filter(pk=OuterRef("record_type"))
    current = related.filter(generation=F("record_type__generation")).select_related("refers_to")
    current = current.annotate(
        is_referred=Exists(own.filter(referring__isnull=False)),
        is_delivered=Exists(own.filter(sources__isnull=False)),
    )
    return current.order_by("position")


@kept
class Field(models.Model):
    """One field of a RecordType. Key fields identify a record.

    `attributes` are the fields of the type that it refers to, where `opened_fields` gave it.
    """

    attributes: "list[Field]"

    class Kind(models.TextChoices):
        TEXT = "text"
        INTEGER = "integer"
        DECIMAL = "decimal"
        DATE = "date"
        DATETIME = "datetime"
        BOOLEAN = "boolean"
        REFERENCE = "reference"

    record_type = models.ForeignKey(RecordType, on_delete=models.PROTECT, related_name="fields")
    generation = models.PositiveIntegerField(default=1)
    since = models.PositiveIntegerField(default=1, help_text="The schema version that brought this field.")
    position = models.PositiveSmallIntegerField()
    code = models.CharField(max_length=41, validators=[CODE])
    label = models.CharField(max_length=200, blank=True)
    kind = models.CharField(max_length=10, choices=Kind.choices)
    digits = models.PositiveSmallIntegerField(null=True, blank=True)
    places = models.PositiveSmallIntegerField(null=True, blank=True)
    refers_to = models.ForeignKey(RecordType, on_delete=models.PROTECT, null=True, blank=True, related_name="referring")
    is_key = models.BooleanField(default=False)
    choices = models.JSONField(default=list, blank=True)
    sensitive = models.BooleanField(default=False)

    class Meta:
        ordering = ["record_type", "generation", "position"]
        constraints = [
            UniqueConstraint(fields=["record_type", "generation", "code"], name="field_code_once_per_generation"),
            CheckConstraint(
                condition=Q(kind="reference", refers_to__isnull=False) | (~Q(kind="reference") & Q(refers_to=None)),
                name="field_reference_names_its_type",
            ),
            CheckConstraint(
                condition=(Q(kind="decimal", digits__range=(1, 38), places__lte=F("digits")))
                | (~Q(kind="decimal") & Q(digits=None, places=None)),
                name="field_decimal_has_digits_and_places",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.record_type}.{self.code}"

    def leaves(self) -> list[Leaf]:
        """This field's leaves: itself, or one per attribute of the type that it refers to (of an opened field)."""
        if self.refers_to is None:
            return [self._leaf(self.code, self.code, f"f{self.pk}", key=self.is_key)]
        single = sum(attribute.is_key for attribute in self.attributes) == 1
        return [
            attribute._leaf(
                f"{self.code}.{attribute.code}",
                self.code if single and attribute.is_key else f"{self.code}.{attribute.code}",
                f"f{self.pk}_{attribute.pk}",
                key=self.is_key and attribute.is_key,
                reference=self.code,
                reference_key=attribute.is_key,
            )
            for attribute in self.attributes
        ]

    def _leaf(
        self, path: str, name: str, column: str, *, key: bool, reference: str | None = None, reference_key: bool = False
    ) -> Leaf:
        return Leaf(
            path=path,
            name=name,
            column=column,
            kind=self.kind,
            digits=self.digits or 18,
            places=self.places or 0,
            key=key,
            reference=reference,
            reference_key=reference_key,
            choices=tuple(self.choices),
            sensitive=self.sensitive,
        )


def shape_of(record_type: RecordType, fields: Sequence[Field]) -> Shape:
    """The shape that a record type has with these fields, which are opened."""
    return Shape(record_type.code, tuple(leaf for field in fields for leaf in field.leaves()))
