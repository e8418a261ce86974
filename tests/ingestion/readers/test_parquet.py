"""Parquet goes the whole way: decimals exact, dates and times as ISO 8601, nested values as columns."""

from pathlib import Path

import duckdb
import pytest

from ingestion.errors import UnreadableFile
from tests.ingestion.readers.conftest import Payments, quarantined

ROWS = (
    "SELECT * FROM (VALUES ('T1', DATE '2026-11-20', 10.00::DECIMAL(18,2), 'one'), "
    "('T2', DATE '2026-11-21', -20.50, 'two'), ('T3', DATE '2026-11-22', 0.10, 'Zoë')) t(id, day, amount, note)"
)


def parquet(folder: Path, select: str) -> Path:
    """The rows of a query as a file."""
    path = folder / "rows.parquet"
    duckdb.execute(f"COPY ({select}) TO '{path}' (FORMAT parquet)")
    return path


def test_it_reconciles_as_csv_does(payments: Payments, tmp_path: Path) -> None:
    payments.define()
    work = payments.deliver(parquet(tmp_path, ROWS))
    assert (work.received, work.normalized, work.flagged_values, work.format["type"]) == (3, 3, 0, "parquet")
    assert payments.run()["records"]["matched"] == 3
    assert payments.received("T2") == ("A: row 2 received from Left", "T2\t2026-11-21\t-20.50\ttwo")


def test_every_value_has_its_exact_text(payments: Payments, tmp_path: Path) -> None:
    values = {
        "id": "'K'",
        "day": "TIMESTAMP '2026-11-20 00:00:00'",
        "amount": "12345678901234567890.1234567890::DECIMAL(38,10)",
        "note": "NULL::VARCHAR",
        "at": "TIMESTAMP '2026-11-20 10:11:12.5'",
        "zoned": "TIMESTAMPTZ '2026-11-20 10:11:12+01'",
        "double": "0.1::DOUBLE + 0.2",
        "large": "1e20::DOUBLE",
        "float": "0.1::FLOAT",
        "whole": "9223372036854775807",
        "yes": "true",
        "party": "{'name': 'Acme', 'place': {'country': 'DE'}}",
        "list": "[1.10, 2.50]",
        "bytes": "'text'::BLOB",
        "raw": "'\\xAB'::BLOB",
    }
    payments.define(amount="whole")
    payments.deliver(parquet(tmp_path, "SELECT " + ", ".join(f"{sql} AS {name}" for name, sql in values.items())))
    assert payments.located(1).raw.split("\t") == [
        "K", "2026-11-20", "12345678901234567890.1234567890", "", "2026-11-20T10:11:12.5", "2026-11-20T09:11:12Z",
        "0.30000000000000004", "100000000000000000000", "0.1", "9223372036854775807", "true", "Acme", "DE", "[1.10, 2.50]",
        "text", "\\xAB",
    ]  # fmt: skip


def test_a_value_that_is_no_text_is_kept_aside(payments: Payments, tmp_path: Path) -> None:
    payments.define()
    work = payments.deliver(parquet(tmp_path, ROWS.replace("'two'", "'t' || chr(0)")))
    assert quarantined(work) == [(2, 2, "It holds a NUL byte, which no text may.")]


def test_not_a_number_is_flagged(payments: Payments, tmp_path: Path) -> None:
    payments.define()
    work = payments.deliver(parquet(tmp_path, ROWS.replace("10.00::DECIMAL(18,2)", "'nan'::DOUBLE")))
    assert (work.normalized, work.flagged_values) == (3, 1)


def test_no_rows_are_a_delivery_of_nothing(payments: Payments, tmp_path: Path) -> None:
    payments.define()
    work = payments.deliver(parquet(tmp_path, f"{ROWS} LIMIT 0"))
    assert (work.received, work.notes) == (0, ["The file holds no record."])


@pytest.mark.parametrize("cut", [slice(0, -20), slice(0, 4), slice(0, -4)])
def test_a_damaged_file_is_a_sentence_without_our_paths(payments: Payments, tmp_path: Path, cut: slice) -> None:
    payments.define("{type: parquet}")
    content = parquet(tmp_path, ROWS).read_bytes()[cut]
    with pytest.raises(UnreadableFile, match="The Parquet file cannot be read .* deliver it again") as caught:
        payments.deliver(content)
    assert str(tmp_path) not in str(caught.value)
