"""Fixed width goes the whole way; a line that was cut is kept aside."""

import pytest

from ingestion.control_totals import ControlTotalMismatch
from ingestion.errors import UnreadableFile
from ingestion.framing import Located
from tests.ingestion.readers.conftest import Payments, quarantined

FORMAT = "{type: fixed, columns: {id: [1, 4], day: [5, 10], amount: [16, 9], note: [26, 5]}MORE}"
LINES = [
    "T1  2026-11-20 |    10.00|one  ",
    "T2  2026-11-21 |   -20.50|two  ",
    "T3  2026-11-22 |     0.10|Zoë  ",
]


def lines(*more: str) -> str:
    """The file."""
    return "\n".join([*(line.replace(" |", "").replace("|", " ") for line in (*LINES, *more))]) + "\n"


def defined(payments: Payments, more: str = "") -> None:
    """The format; positions count from 1."""
    payments.define(FORMAT.replace("MORE", more).replace("[16, 9]", "[15, 9]").replace("[26, 5]", "[25, 5]"))


@pytest.mark.parametrize("encoding", ["utf-8", "cp1252", "utf-16"])
def test_every_encoding_gives_the_same(payments: Payments, encoding: str) -> None:
    defined(payments)
    work = payments.deliver(lines().encode(encoding))
    assert (work.received, work.normalized, work.flagged_values) == (3, 3, 0)
    assert payments.located(3) == Located(3, lines().splitlines()[2])


def test_it_reconciles_as_csv_does(payments: Payments) -> None:
    defined(payments)
    payments.deliver(lines())
    assert payments.run()["records"]["matched"] == 3
    assert payments.received("T2") == ("A: line 2 received from Left", lines().splitlines()[1])


def test_a_cut_line_is_kept_aside(payments: Payments) -> None:
    defined(payments)
    many = [f"K{n:03}2026-11-20 |     1.00|x    " for n in range(40)]
    work = payments.deliver(lines(*many, "K99 2026-11-20 |   123"))
    assert quarantined(work) == [(44, 44, "It has 20 characters where 29 were expected.")]


def test_lines_that_end_with_their_text_are_taken(payments: Payments) -> None:
    defined(payments)
    work = payments.deliver("".join(line.rstrip() + "\n" for line in lines().splitlines()))
    assert work.notes == ["The lines end where their text ends; what a short line lacks is taken as blank."]
    assert payments.run()["records"]["matched"] == 3


def test_lines_to_skip_and_a_footer(payments: Payments) -> None:
    defined(payments, ", skip: 1, footer: {rows: 1, sum: amount, count: true}")
    work = payments.deliver("HEADER\n\n" + lines() + "TOTAL 3 -10.40\n")
    assert (work.received, work.normalized, work.quarantined) == (4, 3, 1)
    assert work.notes[-2:] == ["The footer agrees: 3 records.", "The footer agrees: -10.40 amount in all."]
    assert payments.located(1).line == 3
    with pytest.raises(ControlTotalMismatch, match="the file has -10.40 amount"):
        payments.deliver("HEADER\n" + lines() + "TOTAL 3 -10.41\n")


def test_text_behind_the_last_column_is_said(payments: Payments) -> None:
    defined(payments)
    work = payments.deliver(lines().replace("one  ", "one   and more"))
    assert work.notes == ["1 lines have text after the last column, which ends at position 29."]


def test_blank_lines_are_no_file(payments: Payments) -> None:
    defined(payments)
    with pytest.raises(UnreadableFile, match="holds no record"):
        payments.deliver("\n \n")
