"""Labels that files carry in and out: the whole file goes to the service that the command calls, in a fixed number of queries."""

from typing import Any

from django.core.exceptions import ValidationError
from import_export.fields import Field
from import_export.resources import ModelResource
from import_export.results import Error, Result, RowResult

from attribution.label_import import COLUMNS, BadLabels, Fate, Imported, Label, write_labels
from attribution.models import Correction
from ingestion.admin.files import SheetImportForm
from ingestion.admin.resources import TextWidget, Told, cell, column_faults
from ingestion.spreadsheets import restored
from reconciliation.models import Reconciliation

MOST_BYTES = 8 << 20
MOST_ROWS = 100_001  # the header is one


class LabelForm(SheetImportForm):
    """Labels come by the hundred thousand."""

    most_bytes, most_rows = MOST_BYTES, MOST_ROWS


class LabelsTold(Told):
    """The result of an import of labels; `done` is what the service says of it."""

    done: Imported | None = None


class LabelResource(ModelResource):
    """A row per label: the difference by reconciliation, key and field, and its reason."""

    reconciliation = Field("difference__brk__reconciliation__code", "reconciliation", TextWidget())
    key = Field("difference__brk__key", "key", TextWidget())
    field = Field("difference__field", "field", TextWidget())
    reason = Field("reason_id", "reason", TextWidget())

    class Meta:
        model = Correction
        fields = export_order = COLUMNS

    def __init__(self, user: Any = None, **kwargs: object) -> None:  # noqa: ANN401
        super().__init__(**kwargs)
        self.user = user

    def import_data(self, dataset: Any, dry_run: bool = False, **kwargs: Any) -> Result:  # noqa: ANN401, FBT001, FBT002
        """All rows, or none and why; a fault bears the number of its row."""
        result = LabelsTold()
        result.diff_headers, result.total_rows = list(COLUMNS), len(dataset)
        if faults := column_faults(dataset.headers, COLUMNS, COLUMNS):
            result.append_base_error(Error(ValidationError(" ".join(faults))))
            return result
        labels = _labels(dataset)
        seen = Reconciliation.objects.visible_to(self.user)
        try:
            result.done, fates = write_labels(
                labels, by=self.user, name=kwargs.get("file_name") or "labels", seen=seen, dry_run=dry_run
            )
        except BadLabels as bad:
            _tell(result, bad)
        else:
            _show(result, labels, fates)
        return result


def _labels(dataset: Any) -> list[Label]:  # noqa: ANN401
    """Each with the number that a spreadsheet gives its row."""
    places = [dataset.headers.index(name) for name in COLUMNS]
    return [
        Label(number, *(text if name == "key" else text.strip() for name, text in zip(COLUMNS, texts, strict=True)))
        for number, row in enumerate(dataset, 2)
        for texts in [[restored(row[place] or "") for place in places]]
    ]


def _tell(result: LabelsTold, bad: BadLabels) -> None:
    for line, sentence in bad.faults:
        result.append_invalid_row(line - 1, {}, ValidationError(sentence))
    if not bad.faults:
        result.append_base_error(Error(bad))


def _show(result: LabelsTold, labels: list[Label], fates: list[Fate]) -> None:
    by_line = {label.line: label for label in labels}
    for fate in fates:
        label, row = by_line[fate.line], RowResult()
        is_same = fate.before == fate.after
        kinds = (RowResult.IMPORT_TYPE_SKIP, RowResult.IMPORT_TYPE_UPDATE, RowResult.IMPORT_TYPE_NEW)
        row.import_type = kinds[0 if is_same else 1 if fate.before else 2]
        row.diff = [
            *(cell(it, it) for it in (label.reconciliation, label.key, label.field)), cell(fate.before, fate.after)
        ]  # fmt: skip
        result.append_row_result(row)
        result.increment_row_result_total(row)
