"""A workbook goes the whole way; what its cells hide is said with the cell, and what it could do is limited."""

import datetime as dt
import gzip
import io
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
import xlsxwriter
from xlsxwriter.workbook import Workbook
from xlsxwriter.worksheet import Worksheet

from config.definitions.apply import apply_definition
from ingestion.deliveries import NeedsDecision
from ingestion.errors import MissingColumn, UnreadableFile
from ingestion.readers import excel
from tests.ingestion.readers.conftest import FIELDS, Payments, quarantined

HEADER = ["id", "day", "amount", "note"]
ROWS: list[list[object]] = [
    ["T1", dt.date(2026, 11, 20), 10, "one"],
    ["T2", dt.date(2026, 11, 21), -20.5, "two"],
    ["T3", dt.date(2026, 11, 22), 0.1, "Zoë"],
]
SECONDS = dt.datetime.fromisoformat("2026-11-20T13:05:07")
CELLS = b'<worksheet><sheetData><row r="1"><c r="A1"><v>1</v></c></row>'
Change = Callable[[Workbook, Worksheet], object]


def book(*changes: Change, rows: list[list[object]] = ROWS, top: int = 0, name: str = "Payments") -> bytes:
    """A workbook with the rows under a header, then changed."""
    made = io.BytesIO()
    with xlsxwriter.Workbook(made, {"default_date_format": "dd.mm.yyyy"}) as workbook:
        sheet = workbook.add_worksheet(name)
        for number, row in enumerate([HEADER, *rows], top):
            sheet.write_row(number, 0, row)
        for change in changes:
            change(workbook, sheet)
    return made.getvalue()


def test_it_reconciles_as_csv_does_packed_too(payments: Payments) -> None:
    payments.define()
    work = payments.deliver(gzip.compress(book()))
    assert (work.received, work.normalized, work.flagged_values, work.format["type"]) == (3, 3, 0, "excel")
    assert payments.run()["records"]["matched"] == 3
    assert payments.received("T2") == ("A: row 3 received from Left", "T2\t2026-11-21\t-20.5\ttwo")


def test_values_have_their_exact_shortest_text(payments: Payments) -> None:
    payments.define(amount="note")
    given = [
        1,
        1.5,
        0.1 + 0.2,
        1e15,
        1e20,
        1e-7,
        -0.25,
        True,
        "00123",
        SECONDS,
        dt.time(12, 30),
    ]
    work = payments.deliver(book(rows=[["K", dt.date(2026, 11, 20), it, n] for n, it in enumerate(given)]))
    read = [row.raw.split("\t")[2] for row in payments.rows()]
    assert work.normalized == len(given)
    assert read == [
        "1", "1.5", "0.3", "1000000000000000", "100000000000000000000", "0.0000001", "-0.25", "true", "00123",
        "2026-11-20T13:05:07", "12:30:00",
    ]  # fmt: skip


@pytest.mark.parametrize("date_1904", [False, True])
def test_both_calendars_of_workbooks_give_the_same_days(payments: Payments, date_1904: bool) -> None:
    payments.define()
    made = io.BytesIO()
    with xlsxwriter.Workbook(made, {"default_date_format": "d/m/yy", "date_1904": date_1904}) as workbook:
        sheet = workbook.add_worksheet()
        for number, row in enumerate([HEADER, *ROWS]):
            sheet.write_row(number, 0, row)
    payments.deliver(made.getvalue())
    assert [row.raw.split("\t")[1] for row in payments.rows()] == ["2026-11-20", "2026-11-21", "2026-11-22"]


def test_cells_without_a_value_of_their_own_are_kept_aside(payments: Payments) -> None:
    payments.define()
    work = payments.deliver(
        book(
            lambda _, sheet: sheet.write_formula("C2", "=1/0", None, "#DIV/0!"),  # type: ignore[arg-type]
            lambda _, sheet: sheet.write_formula("D3", "=A1", None, ""),
            lambda _, sheet: sheet.write_formula("C4", "=0.05+0.05", None, 0.1),  # type: ignore[arg-type]
            lambda _, sheet: sheet.write_row(4, 0, ["T4", dt.date(2026, 11, 20), 1, None]),
            lambda _, sheet: sheet.merge_range("D4:D5", "both"),
            lambda _, sheet: sheet.write_formula("F1", "=1/0", None, "#DIV/0!"),  # type: ignore[arg-type]
        )
    )
    assert quarantined(work) == [
        (1, 2, "Cell C2 holds the error #DIV/0!. Mend it in the workbook."),
        (2, 3, "Cell D3 holds a formula without a value. Open the workbook, save it, and deliver it again."),
        (4, 5, "Cell D5 is merged with D4:D5, and only the first of them has the value. Unmerge them."),
    ]
    assert work.quarantined_rows.all()[0].raw == "T1\t2026-11-20\t#DIV/0!\tone"
    assert work.notes[-1] == "4 cells are formulas; the values that the workbook keeps of them were read."


def test_an_error_in_a_column_that_nothing_reads_keeps_no_row(payments: Payments) -> None:
    payments.define()
    work = payments.deliver(
        book(
            lambda _, sheet: sheet.write("E1", "lookup"),
            lambda _, sheet: sheet.write_formula("E2", "=NA()", None, "#N/A"),  # type: ignore[arg-type]
        )
    )
    assert (work.normalized, work.quarantined) == (3, 0)
    assert payments.located(1).raw.endswith("one\t#N/A")


def test_a_value_beyond_the_header_is_kept_aside(payments: Payments) -> None:
    payments.define()
    work = payments.deliver(book(lambda _, sheet: sheet.write("F3", "stray")))
    assert quarantined(work) == [(2, 3, "Cell F3 has a value, but its column has no header.")]


def test_hidden_rows_blank_rows_and_a_title(payments: Payments) -> None:
    payments.define("{type: excel, header: 4}")
    work = payments.deliver(
        book(
            lambda _, sheet: sheet.write("A1", "Payments of the day"),
            lambda _, sheet: sheet.set_row(5, None, None, {"hidden": True}),
            lambda _, sheet: sheet.write_row(9, 0, ["T4", dt.date(2026, 11, 22), 1, "after blank rows"]),
            top=3,
        )
    )
    assert (work.received, work.normalized, work.notes) == (4, 4, ["1 hidden rows were read too."])
    assert payments.located(4).line == 10


def test_a_sheet_without_a_header_has_numbered_columns(payments: Payments) -> None:
    payments.define("{type: excel, header: false, skip: 1}", amount="column_3")
    content = book(rows=[["T0", dt.date(2026, 11, 19)], *ROWS])
    with pytest.raises(MissingColumn, match="no column 'id'"):
        payments.deliver(content)
    apply_definition(
        FIELDS.replace("FORMAT", "{type: excel, header: false, skip: 1}").replace("AMOUNT", "column_3")
        .replace("      id: {column: id}", "      id: {column: column_1}")
        .replace("      day: {column: day}", "      day: {column: column_2}")
        .replace("      note: {column: note}", "      note: {column: column_4}"),
        payments.folder,
    )  # fmt: skip
    assert (payments.deliver(content).normalized, payments.located(1).line) == (4, 2)


def test_a_title_above_the_header_is_asked_about(payments: Payments) -> None:
    payments.define()
    content = book(lambda _, sheet: sheet.write("A1", "Payments of the day"), top=3)
    with pytest.raises(NeedsDecision, match="write `header: 4` in the format"):
        payments.deliver(content)
    assert payments.deliver(content, accept=True).normalized == 3


def test_a_footer_is_held_to_the_records(payments: Payments) -> None:
    payments.define("{type: excel, header: 1, footer: {sum: amount, count: true}}")
    work = payments.deliver(book(lambda _, sheet: sheet.write_row(4, 0, ["Total", 3, -10.4])))
    assert (work.normalized, work.quarantined) == (3, 1)
    assert work.notes[-2:] == ["The footer agrees: 3 records.", "The footer agrees: -10.4 amount in all."]


def second(workbook: Workbook, _: Worksheet) -> None:
    """Another sheet with rows."""
    workbook.add_worksheet("Fees").write_row(0, 0, HEADER)


def test_the_sheet_is_chosen_or_asked_about(payments: Payments) -> None:
    payments.define()
    content = book(second, lambda workbook, _: workbook.add_worksheet("Secret").hide())
    with pytest.raises(NeedsDecision, match=r"several sheets with rows \(Payments, Fees\); write `sheet: Payments`"):
        payments.deliver(content)
    work = payments.deliver(content, accept=True)
    assert work.notes == ["Sheet 'Payments' was read; not read: Fees, Secret."]
    for sheet in ("Fees", "2"):
        payments.define(f"{{type: excel, header: 1, sheet: {sheet}}}")
        assert payments.deliver(content).received == 0
    payments.define("{type: excel, sheet: Payment}")
    with pytest.raises(UnreadableFile, match=r"no sheet 'Payment', which `sheet:` names; did you mean 'Payments'\?$"):
        payments.deliver(content)


def packed(part: str, text: bytes) -> bytes:
    """The workbook with one part replaced."""
    made = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(book())) as whole, zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for entry in whole.infolist():
            archive.writestr(entry.filename, text if entry.filename == part else whole.read(entry))
    return made.getvalue()


def locked() -> bytes:
    """As a workbook with a password begins."""
    return b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600) + "EncryptedPackage".encode("utf-16-le") + bytes(600)


SHEET = "xl/worksheets/sheet1.xml"


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (locked(), "is locked with a password. Save it as a plain .xlsx"),
        (locked()[:600] + bytes(600), "is of the old Excel format"),
        (b"id,day,amount,note\nT1,2026-11-20,1,one\n", "is no xlsx workbook, whatever its name says"),
        (book()[:-400], "The workbook is damaged"),
        (packed(SHEET, CELLS + b" " * (64 << 20)), "inflates to more than 150 times its size, as bombs do"),
        (packed(SHEET, CELLS), "The workbook cannot be read"),
        (packed("xl/workbook.xml", b'<!DOCTYPE x [<!ENTITY a "b">]><workbook/>'), "The workbook is damaged"),
        (packed(SHEET, b"<worksheet/>"), "has no visible sheet with rows"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_a_sentence(payments: Payments, content: bytes, says: str) -> None:
    payments.define("{type: excel}")
    with pytest.raises(UnreadableFile) as caught:
        payments.deliver(content)
    assert says in str(caught.value)


def test_reading_is_limited_in_memory(payments: Payments, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    child = tmp_path / "child.py"
    text = excel.CHILD.read_text(encoding="utf-8")
    child.write_text(text.replace("MEMORY = 1 << 30", "MEMORY = 24 << 20"), encoding="utf-8")
    monkeypatch.setattr(excel, "CHILD", child)
    payments.define()
    many = book(rows=[[f"T{n:07}", f"text {n}", n, f"note {n}"] for n in range(15_000)])
    with pytest.raises(UnreadableFile, match="memory|MB"):
        payments.deliver(many)
    assert payments.deliver(book()).normalized == 3


def test_the_reading_process_has_no_secrets(
    payments: Payments, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    child = tmp_path / "child.py"
    child.write_text(
        "import json, os\nprint(json.dumps({'refused': ' '.join(sorted(os.environ))}))\n", encoding="utf-8"
    )
    monkeypatch.setattr(excel, "CHILD", child)
    monkeypatch.setenv("SECRET_KEY", "canary")
    payments.define()
    with pytest.raises(UnreadableFile) as caught:
        payments.deliver(book())
    assert set(str(caught.value).split()) <= {*excel.PASSED_ON, "LC_CTYPE"}
