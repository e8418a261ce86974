"""Bank statements: entries as records, balances checked and reported as they stand in data/statements."""

from collections.abc import Callable
from decimal import Decimal
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command

from ingestion.errors import MissingColumn, UnreadableFile
from ingestion.models import Normalization
from ingestion.readers.statements import Balance, Statement, told_of
from tests.conftest import DAY, SHARED
from tests.ingestion.readers.conftest import Payments, quarantined

STATEMENTS = SHARED / "statements"
MAPPED = """
record_types:
  entry:
    fields:
      account: {type: text, key: true}
      statement: {type: text, key: true}
      number: {type: integer, key: true}
      booked: {type: date}
      value: {type: date}
      amount: {type: decimal, digits: 18, places: 2}
      currency: {type: text}
sources:
  left: &bank
    record_type: entry
    mapping:
      account: {column: account, null: [], clean: [ends]}
      statement: {column: statement}
      number: {column: entry}
      booked: {column: booking_date}
      value: {column: value_date}
      amount: {column: amount}
      currency: {column: currency}
  right: *bank
reconciliations: {payments: {a: left, b: right}}
"""
FOUND = {
    "mt940/jejik__abnamro.sta": [
        "8 entries, sum -321.44; opening 3236.28 EUR, closing 876.84 EUR: they do not agree, gap -2038.00.",
        "2 entries, sum -24.49; opening 2876.84 EUR, closing 1849.75 EUR: they do not agree, gap -1002.60.",
    ],
    "mt940/jejik__ing.sta": [
        "7 entries, sum -45.59; opening 0.00 EUR, closing 3.47 EUR: they do not agree, gap 49.06."
    ],
    "mt940/jejik__generic.sta": [
        "1 entry, sum -10.00; opening 100.00 EUR, closing 90.00 EUR: they agree.",
        "1 entry, sum -10.00; opening 90.00 EUR, closing 80.00 EUR: they agree.",
    ],
    "mt940/self-provided__whitespace.sta": [
        "1 entry, sum -233.15; opening 12345.12 EUR, closing 12345.98 EUR: they do not agree, gap 234.01."
    ],
    "mt940/betterplace__sepa_snippet.sta": [
        "4 entries, sum 358593.91; opening 766656.49 EUR, closing 1125250.4 EUR: they agree.",
        "7 entries, sum -2501917.30; opening -1970431.87 EUR, closing -4472049.09 EUR: they do not agree, gap 300.08.",
    ],
    "mt940/betterplace__sepa_snippet_broken.sta": [
        "1 entry, sum 50990.05; opening 766656.49 EUR, closing 1125250.4 EUR: they do not agree, gap 307603.86."
    ],
    "mt940/cmxl__statement_line.sta": [
        "1 entry, sum -1.62; opening missing, closing missing: without both there is nothing to check."
    ],
    "mt940/cmxl__statement_details.sta": [
        "1 entry, sum -1.62; opening missing, closing missing: without both there is nothing to check."
    ],
    "camt053/camt053.v2.multi.statement.xml": [
        "1 entry, sum 8.85; opening 18.15 EUR, closing 27.00 EUR: they agree.",
        "1 entry, sum -7.00; opening 27.00 EUR, closing 20.00 EUR: they agree.",
    ],
    "camt053/camt053.v2.with-account-name.xml": [
        "1 entry, sum 8.85; opening missing, closing missing: without both there is nothing to check."
    ],
    **{
        f"camt053/camt053.{name}.xml": [
            "1 entry, sum 8.85; opening 18.15 EUR, closing -27.00 SEK: with several currencies there is no balance to check."
        ]
        for name in ("v2.minimal", "v2.minimal.ultimate", "v4")
    },
}


@pytest.fixture
def banks(payments: Payments, define: Callable[[str], object]) -> Payments:
    """Both sides deliver bank statements."""
    define(MAPPED)
    return payments


def told(work: Normalization) -> list[str]:
    """What was said of the statements, without their names."""
    return [note.split(": ", 1)[1] for note in work.notes if note.startswith("Statement ") and "sum" in note]


@pytest.mark.parametrize("name", FOUND)
def test_every_balance_is_checked_and_nothing_is_mended(banks: Payments, name: str) -> None:
    work = banks.deliver(STATEMENTS / name)
    assert told(work) == FOUND[name]
    lines = sum(int(it.split(" ")[0]) for it in FOUND[name])
    without_key = lines if name.startswith("mt940/cmxl") else 0  # they name no account
    assert (work.received, work.quarantined, work.flagged_values) == (lines, without_key, 0)


def test_two_versions_of_a_booking_do_not_differ(banks: Payments) -> None:
    banks.deliver(STATEMENTS / "camt053" / "camt053.v2.minimal.xml")
    report = banks.run(STATEMENTS / "camt053" / "camt053.v4.xml")
    assert (report["records"]["matched"], report["differences"]["total"]) == (1, 0)
    title, raw = banks.received("NL26VAYB8060476890|253EURNL26VAYB8060476890|1")
    assert title == "A: line 90 received from Left" and raw.startswith("<Ntry>")


def test_an_entry_is_found_by_its_line(banks: Payments) -> None:
    banks.deliver(STATEMENTS / "mt940" / "jejik__generic.sta")
    report = banks.run(STATEMENTS / "mt940" / "jejik__generic.sta")
    assert report["records"]["matched"] == 2
    assert banks.received("11111111|2|1") == ("A: line 13 received from Left", ":61:110201D10,00N000NONREF\n:86:")


def mt940(*entries: str, closing: str = ":62F:C261120EUR110,\n") -> str:
    """A statement of an account with 100 EUR."""
    return ":20:REF\n:25:ACC\n:28C:7/1\n:60F:C261120EUR100,\n" + "".join(f"{it}\n" for it in entries) + closing


def test_signs_decimals_and_long_lines(banks: Payments) -> None:
    work = banks.deliver(
        mt940(":61:2611201120C12,5NTRFREF//BANK\nmore\n:86:a\nb", ":61:261120RC2,5NTRFX", ":61:261120RD,NTRFX")
    )
    assert told(work) == ["2 entries, sum 10.0; opening 100 EUR, closing 110 EUR: 1 more could not be read."]
    assert quarantined(work)[0][:2] == (3, 10)
    assert work.format["columns"][6] == "amount"


def test_an_entry_that_cannot_be_read_is_kept_with_its_line(banks: Payments) -> None:
    work = banks.deliver(mt940(":61:2611201120C10,NTRFREF", ":61:NONSENSE\n:86:info", ":61:261131C1,NTRFREF"))
    reason = "The :61: line does not say date, sign and amount as MT940 does."
    assert quarantined(work) == [(2, 6, reason), (3, 8, reason)]
    assert work.quarantined_rows.all()[0].raw == ":61:NONSENSE\n:86:info"
    assert told(work) == ["1 entry, sum 10; opening 100 EUR, closing 110 EUR: 2 more could not be read."]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (mt940(":61:2611201120C10,NTRFREF", closing=""), "begins on line 1 has an opening balance but no closing one"),
        ("nothing of the kind\n", "no statement of MT940"),
        (":20:REF\n" + "more\n" * 1_100, "tag on line 1 goes on for more than 1,000 lines"),
    ],
)
def test_what_was_cut_is_refused(banks: Payments, define: Callable[[str], object], content: str, says: str) -> None:
    define(MAPPED.replace("record_type: entry\n", "record_type: entry\n    format: {type: mt940}\n"))
    with pytest.raises(UnreadableFile, match=says):
        banks.deliver(content)


@pytest.mark.parametrize("amount", [",,", "", "110.00", "1,1,0"])
def test_a_balance_that_cannot_be_read_is_said(banks: Payments, amount: str) -> None:
    work = banks.deliver(mt940(":61:2611201120C10,NTRFREF", closing=f":62F:C261120EUR{amount}\n"))
    assert work.notes[0] == f"Line 6 is no balance that can be read: ':62F:C261120EUR{amount}'."
    assert told(work) == ["1 entry, sum 10; opening 100 EUR, closing missing: without both there is nothing to check."]


def test_a_column_that_statements_do_not_have_is_refused(banks: Payments, define: Callable[[str], object]) -> None:
    define(MAPPED.replace("column: entry", "column: entri"))
    with pytest.raises(MissingColumn, match="no column 'entri', which number is mapped from. Did you mean 'entry'"):
        banks.deliver(mt940(":61:NONSENSE"))


def test_missing_statements_are_said(banks: Payments) -> None:
    closing = ":62F:C261120EUR100,\n-\n"
    work = banks.deliver(mt940(closing=closing) + mt940(closing=closing).replace("7/1", "9/1"))
    assert "Statement 9 of account ACC follows 7; the numbers between are not in the file." in work.notes


def test_of_very_many_statements_only_the_odd_are_told() -> None:
    agreed = [
        Statement(name=str(n), opening=Balance(Decimal(n), "EUR"), closing=Balance(Decimal(n), "EUR"))
        for n in range(30)
    ]
    odd = Statement(name="odd", opening=Balance(Decimal(1), "EUR"), closing=Balance(Decimal("1.01"), "EUR"))
    assert told_of([*agreed, odd]) == [
        "In 30 of 31 statements opening, entries and closing agree.",
        "Statement odd: 0 entries, sum 0; opening 1 EUR, closing 1.01 EUR: they do not agree, gap 0.01.",
    ]


def test_the_commands_say_what_was_found(banks: Payments) -> None:
    path = STATEMENTS / "mt940" / "jejik__ing.sta"
    said, report = StringIO(), StringIO()
    call_command("reconcile", "payments", a=path, date=DAY, json="-", stdout=report, stderr=said)
    assert said.getvalue().startswith("jejik__ing.sta: Statement 1 (000 of account 0001234567): 7 entries, sum -45.59;")
    call_command("deliver", "right", path, date=DAY, stdout=said)
    assert said.getvalue().count("they do not agree, gap 49.06.") == 2


def test_a_camt_of_another_kind_is_said(banks: Payments, tmp_path: Path) -> None:
    text = (STATEMENTS / "camt053" / "camt053.v2.minimal.xml").read_text(encoding="utf-8")
    work = banks.deliver(text.replace("camt.053.001.02", "camt.052.001.02"))
    assert work.notes[0].startswith("The namespace is urn:iso:std:iso:20022:tech:xsd:camt.052.001.02, not")
    work = banks.deliver(
        text.replace("CRDT</CdtDbtInd>\n                <RvslInd>", "XXXX</CdtDbtInd>\n                <RvslInd>")
    )
    assert (
        quarantined(work)[0][2]
        == "An entry needs a number and CRDT or DBIT; it has amount '8.85' and CdtDbtInd 'XXXX'."
    )


def test_a_count_that_does_not_fit_is_said(banks: Payments) -> None:
    text = (STATEMENTS / "camt053" / "camt053.v2.multi.statement.xml").read_text(encoding="utf-8")
    summary = "<TxsSummry><TtlNtries><NbOfNtries>3</NbOfNtries></TtlNtries></TxsSummry>"
    work = banks.deliver(text.replace("<Ntry>", f"{summary}<Ntry>", 1))
    assert told(work)[0].endswith("they agree. It says that it has 3, but 1 are there.")
