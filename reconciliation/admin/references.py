"""Reference records as rows of a file: values as the store takes them, whole file or nothing."""

from typing import Any

from django.core.exceptions import ValidationError
from django.utils import timezone
from import_export.exceptions import ImportError as ImportRefused
from import_export.fields import Field
from import_export.instance_loaders import BaseInstanceLoader
from import_export.resources import Resource
from import_export.results import Result, RowResult

from ingestion.admin.resources import Row, TextWidget, Told, cell, column_faults, tell_of_import
from ingestion.shape import Leaf
from ingestion.spreadsheets import restored
from reconciliation.store.reference import key_text, put_reference_records
from reconciliation.store.tables import StoreTable
from reconciliation.values import BadValue, canonical_text, canonical_value

Record = dict[str, str | None]


class LeafWidget(TextWidget):
    """A leaf's canonical text."""

    def __init__(self, leaf: Leaf) -> None:
        super().__init__()
        self.leaf = leaf

    def render(self, value: Any, obj: object = None, **_: object) -> str:  # noqa: ANN401
        """What the file shows."""
        return super().render(canonical_text(self.leaf, value))


class ReferenceResource(Resource):
    """A row per record, found by its key. A column that is left out keeps what is stored.

    A subclass gives the layout of the record type, the model of its rows and each leaf's place in it.
    """

    class Meta:
        instance_loader_class = BaseInstanceLoader  # `before_import` brings what is stored

    table: StoreTable
    rows: Any
    paths: dict[str, str]

    def __init__(self, user: object = None, **kwargs: object) -> None:
        super().__init__(**kwargs)
        self.shape, self.user = self.table.shape, user
        self.fields = {
            leaf.name: Field(self.paths[leaf.name], leaf.name, LeafWidget(leaf)) for leaf in self.shape.leaves
        }
        self.seen: dict[str, int] = {}
        self.pending: list[Record] = []
        self.held: dict[str, Record] = {}

    @classmethod
    def get_result_class(cls) -> type[Result]:
        """Faults as sentences."""
        return Told

    @classmethod
    def get_display_name(cls) -> str:
        """The record type's code."""
        return cls.table.record_type.code

    def _check_import_id_fields(self, headers: object) -> None:
        """`before_import` did."""

    def before_import(self, dataset: Any, **kwargs: object) -> None:  # noqa: ANN401
        """Refuse wrong columns; bring what is stored of the file's keys, in one query."""
        keys = [leaf.name for leaf in self.shape.key_leaves]
        if faults := column_faults(dataset.headers, keys, self.fields):
            del dataset[:]
            raise ImportRefused(" ".join(faults))
        first = self.shape.key_leaves[0]
        found = self.rows._default_manager.all()
        if "identity" in self.paths[first.name]:
            found = found.filter(valid_to=None).select_related("identity")
        for row in found.filter(**{f"{self.paths[first.name]}__in": self._values(first, dataset[first.name])}):
            record = {
                leaf.name: canonical_text(leaf, self.fields[leaf.name].get_value(row)) for leaf in self.shape.leaves
            }
            self.held[key_text(self.shape, record)] = record

    def _values(self, leaf: Leaf, texts: list[str]) -> list[str]:
        """The values that a column names; what is none is told with its row."""
        found = []
        for text in texts:
            try:
                found.append(canonical_value(leaf, restored(text)))
            except BadValue:
                continue
        return [value for value in found if value is not None]

    def import_row(self, row: Row, instance_loader: object, **kwargs: Any) -> RowResult:  # noqa: ANN401
        """One record, judged; `after_import` stores them all."""
        result = RowResult()
        try:
            record = self._record(row)
            key = key_text(self.shape, record)
            first = self.seen.setdefault(key, kwargs["row_number"])
            if first != kwargs["row_number"]:
                raise ValidationError(f"{key} stands in row {first + 1} already. Keep one of the two.")
        except ValidationError as error:
            result.import_type, result.validation_error = RowResult.IMPORT_TYPE_INVALID, error
            return result
        held = self.held.get(key)
        whole = {**(held or dict.fromkeys(self.fields)), **record}
        result.import_type = RowResult.IMPORT_TYPE_UPDATE if held else RowResult.IMPORT_TYPE_NEW
        if whole == held:
            result.import_type = RowResult.IMPORT_TYPE_SKIP
        else:
            self.pending.append(whole)
        result.diff = [cell((held or {}).get(name), text) for name, text in whole.items()]
        return result

    def _record(self, row: Row) -> Record:
        """The values of a row; ValidationError has a sentence for each that is none."""
        record: Record = {}
        errors: dict[str, list[str]] = {}
        for name, text in row.items():
            leaf = self.shape.leaf(name)
            try:
                record[name] = canonical_value(leaf, restored(text or ""))
                if leaf.key and record[name] is None:
                    raise BadValue("the key is empty; every record needs one.")
            except BadValue as bad:
                errors[name] = [str(bad)]
        if errors:
            raise ValidationError(errors)
        return record

    def after_import(self, dataset: object, result: Result, **kwargs: object) -> None:
        """Store what is new or changed; a dry run is taken back by the caller."""
        if self.pending and not result.has_errors() and not result.has_validation_errors():
            today = timezone.now().date()
            put_reference_records(record_type=self.table.record_type, records=self.pending, business_date=today)
            tell_of_import(result, f"{self.get_display_name()} records", self.user, action="records.imported")
