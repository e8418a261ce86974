"""Stored rows as Django models, made from the definition and never changed, for pages, admin and API to read."""

from functools import cache
from typing import Any

from django.apps.registry import Apps
from django.db import models

from ingestion.models import Field, RecordType
from ingestion.shape import Leaf
from reconciliation.store.tables import SCHEMA, StoreTable, store_table

_REGISTRY = Apps()  # its own, so that `migrate` and reverse relations know nothing of the store


class ReadOnly(Exception):
    """A stored row was to be written through a model; only loads write to the store."""


class StoredRow(models.Model):
    """A row of the store. Its fields are called `f<id of the Field>`."""

    id = models.BigAutoField(primary_key=True, db_column="_id")

    class Meta:
        abstract = True
        apps = _REGISTRY
        app_label = "store"

    def save(self, *args: object, **kwargs: object) -> None:
        """Always refused."""
        raise ReadOnly("The store is written by runs and decisions only.")

    def delete(self, *args: object, **kwargs: object) -> tuple[int, dict[str, int]]:
        """Always refused."""
        raise ReadOnly("The store is written by runs and decisions only.")


class StoredVersion(StoredRow):
    """A version of a record, with what says where it came from."""

    version = models.IntegerField(db_column="_version")
    bucket = models.SmallIntegerField(db_column="_bucket")
    run = models.BigIntegerField(db_column="_run")
    decision = models.BigIntegerField(db_column="_decision", null=True)
    date = models.DateField(db_column="_date")
    valid_from = models.DateTimeField(db_column="_valid_from")
    valid_to = models.DateTimeField(db_column="_valid_to", null=True)
    hash = models.CharField(db_column="_hash", max_length=32)

    class Meta(StoredRow.Meta):
        abstract = True


def stored_model(record_type_id: int, schema_version: int) -> type[StoredVersion]:
    """The model over the versions of a record type, as of one schema version."""
    is_referred = Field.objects.filter(refers_to=record_type_id).exists()
    return _versions_model(record_type_id, schema_version, is_referred)


@cache
def _versions_model(record_type_id: int, schema_version: int, is_referred: bool) -> type[StoredVersion]:  # noqa: FBT001
    record_type, fields = _as_of(record_type_id, schema_version)
    table = store_table(record_type)
    assert table.has_identity == is_referred
    columns = {f"f{field.pk}": _column(field) for field in fields if not (table.has_identity and field.is_key)}
    if table.has_identity:
        columns["identity"] = _reference(record_type, "_identity")
    layout = "Referred" if is_referred else "Version"
    return _model(f"{layout}{record_type_id}v{schema_version}", StoredVersion, table, table.versions, columns)


@cache
def identity_model(record_type_id: int, schema_version: int) -> type[StoredRow]:
    """The model over the identities of a record type that others refer to."""
    record_type, fields = _as_of(record_type_id, schema_version)
    table = store_table(record_type)
    columns = {f"f{field.pk}": _column(field) for field in fields if field.is_key}
    return _model(f"Identity{record_type_id}v{schema_version}", StoredRow, table, table.base, columns)


def _as_of(record_type_id: int, schema_version: int) -> tuple[RecordType, list[Field]]:
    """The record type with its generation at a schema version, and the fields that it had by then."""
    record_type = RecordType.objects.get(pk=record_type_id)
    fields = record_type.fields.filter(since__lte=schema_version).select_related("refers_to").order_by("position")
    record_type.generation = max((field.generation for field in fields), default=record_type.generation)
    return record_type, [field for field in fields if field.generation == record_type.generation]


def _model(name: str, base: Any, table: StoreTable, table_name: str, columns: dict[str, models.Field]) -> type:
    meta = type(
        "Meta",
        (),
        {
            "apps": _REGISTRY,
            "app_label": "store",
            "db_table": f'"{SCHEMA}"."{table_name}"',
            "managed": False,
            "ordering": ["id"],
            "verbose_name": table.record_type.label or table.record_type.code,
            "verbose_name_plural": f"{table.record_type.label or table.record_type.code} records",
        },
    )
    return type(name, (base,), {"Meta": meta, "__module__": __name__, **columns})


def _column(field: Field) -> models.Field:
    shown: dict[str, Any] = {
        "db_column": field.code,
        "verbose_name": field.label or field.code.replace("_", " "),
        "null": not field.is_key,
    }
    if field.refers_to is not None:
        return _reference(field.refers_to, field.code, null=not field.is_key, verbose_name=shown["verbose_name"])
    if field.kind == Field.Kind.DECIMAL:
        return models.DecimalField(max_digits=field.digits, decimal_places=field.places, **shown)
    plain: dict[str, type[models.Field]] = {
        "text": models.TextField,
        "integer": models.BigIntegerField,
        "date": models.DateField,
        "datetime": models.DateTimeField,
        "boolean": models.BooleanField,
    }
    return plain[field.kind](**shown)


def _reference(to: RecordType, db_column: str, **given: Any) -> models.ForeignKey:
    target = identity_model(to.pk, to.schema_version)
    return models.ForeignKey(
        target, models.DO_NOTHING, db_column=db_column, related_name="+", db_constraint=False, **given
    )


def row_model(table: StoreTable) -> type[StoredRow]:
    """The model over a type's versions, or over its identities where it has nothing else."""
    model = stored_model if table.has_versions else identity_model
    return model(table.record_type.pk, table.record_type.schema_version)


def attribute(table: StoreTable, leaf: Leaf) -> str:
    """Where a row's model has a leaf's value."""
    path = leaf.column.replace("_", "__f")
    return f"identity__{path}" if leaf.key and table.has_identity and table.has_versions else path


def leaf_paths(table: StoreTable) -> dict[str, str]:
    """The record's own leaves by name, with where a row's model has each value; references are shown by their keys."""
    own = (leaf for leaf in table.shape.leaves if leaf.reference is None or leaf.reference_key)
    return {leaf.name: attribute(table, leaf) for leaf in own}
