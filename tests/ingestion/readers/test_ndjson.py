"""NDJSON goes the whole way; a broken line is one broken record."""

import gzip

import pytest

from ingestion.errors import UnreadableFile
from tests.ingestion.readers.conftest import Payments, quarantined

LINES = [
    '{"id": "T1", "day": "2026-11-20", "amount": 10.00, "note": "one"}',
    '{"id": "T2", "day": "2026-11-21", "amount": -20.50, "note": "two"}',
    '{"id": "T3", "day": "2026-11-22", "amount": 0.10, "note": "Zo\\u00eb"}',
]


def test_it_reconciles_as_csv_does_packed_too(payments: Payments) -> None:
    payments.define()
    work = payments.deliver(gzip.compress("\n".join(LINES).encode()))
    assert (work.received, work.normalized, work.quarantined, work.format["type"]) == (3, 3, 0, "ndjson")
    report = payments.run()
    assert report["records"]["matched"] == 3 and report["outcome"]["stored"] == 3
    assert payments.received("T3") == ("A: line 3 received from Left", LINES[2])


def test_broken_lines_are_kept_with_line_and_reason(payments: Payments, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ingestion.readers.json_values.MOST_COMMAS", 20_000)
    payments.define()
    broken = [
        '{"id": "X1", "amount": 1',
        '{"id": "X2", "amount": NaN}',
        '{"id": "X3", "amount": -Infinity}',
        '{"id": "X4", "id": "X5"}',
        "[" * 100_000,
        '{"id": "X6", "note": "\\ud800"}',
        '{"id": "X7", "note": "\\u0000"}',
        '"X8"',
        '{"id": "X9"} {"id": "X10"}',
        '{"day": "2026-11-20"}',
        '{"id": "X11", "note": [' + "1," * 20_000 + "1]}",
    ]
    work = payments.deliver("\n".join([LINES[0], "", *broken, *LINES[1:]]))
    assert (work.received, work.normalized, work.quarantined) == (14, 3, 11)
    rows = quarantined(work)
    assert [(n, line) for n, line, _ in rows] == [(n, n + 1) for n in range(2, 13)]
    says = [
        "no JSON", "NaN is no number", "-Infinity is no number", "'id' stands twice", "nested too deeply",
        "half of a character", "NUL byte", "It is a text", "Extra data at character 14", "The key (id) is blank.", "more than 1,048,576 values, so it is no record",
    ]  # fmt: skip
    for (_, _, reason), part in zip(rows, says, strict=True):
        assert part in reason
    assert [row.raw for row in work.quarantined_rows.all()] == broken


def test_bytes_that_are_no_text_are_one_broken_record(payments: Payments) -> None:
    payments.define()
    work = payments.deliver("\n".join(LINES).encode().replace(b"two", b"tw\xff"))
    assert quarantined(work) == [(2, 2, "Byte ff is no utf-8.")]


def test_numbers_keep_their_text_and_bad_ones_are_flagged(payments: Payments) -> None:
    payments.define()
    numbers = ["12345678901234.57", "0.30000000000000004", "1e400", "9" * 5000, "1E2", "-0"]
    work = payments.deliver(
        "\n".join(f'{{"id": "N{n}", "day": null, "amount": {it}, "note": ""}}' for n, it in enumerate(numbers))
    )
    assert (work.normalized, work.flagged_values) == (6, 3)
    right = "id,day,amount,note\nN0,,12345678901234.57,\nN4,,100,\nN5,,0.00,\n"
    assert payments.run(right)["records"]["matched"] == 3


def test_nested_missing_and_extra_keys(payments: Payments) -> None:
    payments.define(amount="sum.value")
    late = [f'{{"id": "L{n}", "sum": {{"value": 1.5}}, "day": "2026-11-20", "note": null}}' for n in range(1_200)]
    work = payments.deliver("\n".join([*late, '{"id": "E", "memo": [1, 2.50, {"a": true}], "sum": {"value": 2}}']))
    assert (work.normalized, work.flagged_values) == (1_201, 0)
    assert work.notes == ["Extra columns, which the first records do not have: memo."]
    assert work.format["columns"] == ["id", "sum.value", "day", "note", "memo"]


def test_a_renamed_key_stops_the_delivery(payments: Payments) -> None:
    payments.define()
    with pytest.raises(Exception, match="no column 'amount', which amount is mapped from. Did you mean 'amounts'"):
        payments.deliver("\n".join(LINES).replace('"amount"', '"amounts"'))


def test_a_line_without_end_is_not_taken_into_memory(payments: Payments, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ingestion.framing.LONGEST_LINE", 1_000)
    payments.define()
    with pytest.raises(UnreadableFile, match="Line 4 is longer than 1,000 bytes"):
        payments.deliver("\n".join([*LINES, '{"id": "' + "x" * 2_000 + '"}']))


@pytest.mark.parametrize(("content", "says"), [("", "empty"), ("\n\n", "blank lines")])
def test_nothing_in_it_is_a_sentence(payments: Payments, content: str, says: str) -> None:
    payments.define("{type: ndjson}")
    with pytest.raises(UnreadableFile, match=says):
        payments.deliver(content)
