"""The files that imports take: CSV as a spreadsheet saves it, checked before a row of it is looked at."""

import csv
import io
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any

from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import SimpleUploadedFile, UploadedFile
from django.core.signing import BadSignature, TimestampSigner
from import_export.formats.base_formats import CSV
from import_export.forms import ImportForm
from import_export.tmp_storages import BaseStorage

from ingestion.errors import UnreadableFile
from ingestion.readers import excel
from ingestion.readers.reader import Reading

MAX_BYTES = 2 << 20
MAX_ROWS = 20_000
SHOWN = 20  # faults of one file that are told; the rest is counted
CONFIRM_SECONDS = 3600


class LateConfirmation(ValueError):
    """A preview that is too old, or was altered on the way; the file must be given again."""


class CarriedText(BaseStorage):
    """Between preview and confirmation the file travels with the form, compressed and signed, so that it lies on no
    server and any web process can take it."""

    signer = TimestampSigner(salt="import")

    def save(self, data: bytes) -> None:
        """Sign; the name is the text."""
        self.name = self.signer.sign_object(data.decode("utf-8-sig"), compress=True)

    def read(self) -> str:
        """The text that was signed."""
        try:
            return str(self.signer.unsign_object(self.name, max_age=CONFIRM_SECONDS))
        except BadSignature:
            raise LateConfirmation(
                "The preview is more than an hour old or was altered. Give the file again."
            ) from None

    def remove(self) -> None:
        """Nothing was kept."""


class CsvImportForm(ImportForm):
    """Refuses what is no table, naming the row as a spreadsheet counts it (the header is row 1)."""

    most_bytes, most_rows = MAX_BYTES, MAX_ROWS

    def clean_import_file(self) -> UploadedFile:
        """The file, when every row has as many values as the header."""
        file: UploadedFile = self.cleaned_data["import_file"]
        if (file.size or 0) > self.most_bytes:
            raise ValidationError(f"The file has more than {self.most_bytes >> 20} MB. Split it and import the parts.")
        try:
            text = file.read().decode("utf-8-sig")
        except UnicodeDecodeError:
            raise ValidationError("The file is no UTF-8 text. Save it as CSV UTF-8 and give it again.") from None
        finally:
            file.seek(0)
        if faults := list(table_faults(text, self.most_rows)):
            raise ValidationError(faults)
        return file


class SheetImportForm(CsvImportForm):
    """Takes an xlsx workbook, too: its first sheet with rows becomes the same text."""

    def clean_import_file(self) -> UploadedFile:
        """The file as CSV."""
        file: UploadedFile = self.cleaned_data["import_file"]
        if (file.size or 0) <= self.most_bytes and file.read(len(ZIP)) == ZIP:
            file.seek(0)
            self.cleaned_data["import_file"] = SimpleUploadedFile(
                file.name or "", sheet_text(file).encode(), "text/csv"
            )
        else:
            file.seek(0)
        return super().clean_import_file()


ZIP = b"PK\x03\x04"


def sheet_text(file: UploadedFile) -> str:
    """A workbook's first sheet with rows as CSV; ValidationError where it is none, or a cell has no value of its own."""
    with NamedTemporaryFile(suffix=".xlsx") as kept:
        for block in file.chunks():
            kept.write(block)
        kept.flush()
        try:
            return _sheet_text(Path(kept.name))
        except UnreadableFile as fault:
            raise ValidationError(str(fault)) from None


def _sheet_text(path: Path) -> str:
    format_, text = excel.detect(path, {"header": 1}), io.StringIO()
    writer = csv.writer(text)
    writer.writerow(format_.columns)
    for row in excel.rows(path, format_, Reading(format_)):
        if row.cells is None:
            raise ValidationError(f"Row {row.line}: {row.reason}")
        writer.writerow(row.cells)
    return text.getvalue()


def table_faults(text: str, most_rows: int = MAX_ROWS) -> list[str]:
    """A sentence for each row that does not fit the header, or for a text that is no table at all."""
    if "\0" in text:
        return ["The file holds NUL characters, so it is no text. Save it as CSV UTF-8 and give it again."]
    try:
        rows = list(csv.reader(io.StringIO(text, newline=""), strict=True))
    except csv.Error as error:
        return [f"The file is no CSV: {error}. Save it as CSV UTF-8 and give it again."]
    if not rows or not rows[0]:
        return ["The file is empty. Its first row names the columns."]
    if len(rows[0]) == 1 and ";" in rows[0][0]:
        return ["The columns are separated by ';'. Separate them by commas and give the file again."]
    if len(rows) == 1:
        return ["The file has a header and no rows. Add the rows and give it again."]
    if len(rows) > most_rows:
        return [f"The file has more than {most_rows:,} rows. Split it and import the parts."]
    ragged = [n for n, row in enumerate(rows, 1) if row and len(row) != len(rows[0])]
    told = [
        f"Row {n} has {len(rows[n - 1])} values, but the header has {len(rows[0])}. Put a value with a comma in quotes."
        for n in ragged[:SHOWN]
    ]
    return told + ([f"{len(ragged) - SHOWN} more rows do not fit the header."] if len(ragged) > SHOWN else [])


class PlainCsv(CSV):
    """CSV whose values are defused by the resource, not cut."""

    def export_data(self, dataset: Any, **kwargs: Any) -> str:  # noqa: ANN401
        """The text of a data set."""
        return str(dataset.export("csv", **kwargs))
