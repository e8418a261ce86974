"""The command `suggest`: what it writes is applied and run as it stands; what it cannot do it says in a sentence."""

import csv
import io
import json
from decimal import Decimal
from pathlib import Path

import pytest
import yaml
from django.core.management import CommandError, call_command

from reconciliation.models import Break, Reconciliation, Run


def test_the_written_definition_is_applied_and_runs(db: None, shared: Path, tmp_path: Path) -> None:
    a, b = shared / "nasty" / "pair_locale_a.csv", shared / "nasty" / "pair_locale_b.csv"
    file, said = tmp_path / "proposed.yaml", io.StringIO()
    call_command("suggest", str(a), str(b), "--to", str(file), stdout=said)
    assert "Would match 83.3% of 18 common keys" in said.getvalue()
    call_command("define", str(file), stdout=io.StringIO())
    call_command("reconcile", "pair_locale", "--a", str(a), "--b", str(b), stdout=io.StringIO())
    report = Run.objects.get().report
    assert report is not None
    assert report["records"] == {"matched": 15, "differing": 3, "missing_in_a": 1, "missing_in_b": 1, "duplicate": 1}
    assert report["differences"]["by_field"] == {"amount": 1, "side": 1, "trade_date": 1}


def test_every_field_says_why_in_the_file_and_as_json(db: None, shared: Path, tmp_path: Path) -> None:
    a, b = shared / "nasty" / "pair_locale_a.csv", shared / "nasty" / "pair_locale_b.csv"
    file, report = tmp_path / "proposed.yaml", tmp_path / "proposed.json"
    call_command("suggest", str(a), str(b), "--to", str(file), "--json", str(report), stdout=io.StringIO())
    lines = file.read_text(encoding="utf-8").splitlines()
    for field in ("transaction_id", "trade_date", "amount", "counterparty", "side"):
        at = next(n for n, line in enumerate(lines) if line.strip().startswith(f"{field}: {{type"))
        assert lines[at - 1].strip().startswith("#")
    document = json.loads(report.read_text(encoding="utf-8"))
    assert all(field["why"] for field in document["fields"])
    differing = next(field for field in document["fields"] if field["name"] == "amount")
    assert differing["against"] == ['1 of 18 keys differ, such as T0003: "3000.03" and "3.000,04"']


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "empty"),
        (b"\n\n\n", "blank lines"),
        (b"id,name\n", "a header and no rows"),
        (b"id\n1\n2\n", "one column only"),
        (b"PK\x03\x04rest", "ZIP archive"),
        (bytes(range(32)) * 40, "binary|is no text"),
        (",".join(f"c{n}" for n in range(300)).encode() + b"\n" + b"1," * 299 + b"1\n", "300 columns"),
        (b"colour,size\nred,big\nblue,small\nred,small\nblue,big\n", "No key was found"),
    ],
)
def test_what_nothing_can_be_learnt_from_is_said_in_a_sentence(
    content: bytes, sentence: str, db: None, shared: Path, tmp_path: Path
) -> None:
    bad = tmp_path / "bad.csv"
    bad.write_bytes(content)
    with pytest.raises(CommandError, match=sentence):
        call_command("suggest", str(bad), str(shared / "nasty" / "pair_locale_b.csv"), "--to", str(tmp_path / "x.yaml"))
    assert not (tmp_path / "x.yaml").exists()


def test_a_file_that_is_not_there_is_named(db: None, shared: Path, tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="There is no file .*missing.csv"):
        call_command("suggest", str(tmp_path / "missing.csv"), str(shared / "nasty" / "pair_locale_b.csv"))


def test_a_file_is_read_by_its_content_whatever_its_name(db: None, shared: Path, tmp_path: Path) -> None:
    a, b = (tmp_path / f"{side}.csv.gz" for side in "ab")
    for side, file in (("a", a), ("b", b)):
        file.write_bytes((shared / "nasty" / f"pair_locale_{side}.csv").read_bytes())
    said = io.StringIO()
    call_command("suggest", str(a), str(b), stdout=said)
    assert "Would match" in said.getvalue()


def test_a_code_in_use_is_not_proposed_again(db: None, shared: Path, tmp_path: Path) -> None:
    a, b = shared / "nasty" / "pair_locale_a.csv", shared / "nasty" / "pair_locale_b.csv"
    files = tmp_path / "first.yaml", tmp_path / "second.yaml"
    for file in files:
        call_command("suggest", str(a), str(b), "--to", str(file), stdout=io.StringIO())
        call_command("define", str(file), stdout=io.StringIO())
    assert list(Reconciliation.objects.order_by("code").values_list("code", flat=True)) == [
        "pair_locale",
        "pair_locale_2",
    ]
    with pytest.raises(CommandError, match="is no code"):
        call_command("suggest", str(a), str(b), "--name", "FX trades")


def test_records_of_other_formats_are_learnt_from_too(db: None, shared: Path, tmp_path: Path) -> None:
    b = shared / "nasty" / "pair_locale_b.csv"
    with (shared / "nasty" / "pair_locale_a.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    nested = tmp_path / "trades.json"
    nested.write_text(json.dumps({"sent": "today", "data": {"trades": rows}}), encoding="utf-8")
    lined = tmp_path / "trades.ndjson"
    lined.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    for a, format_ in ((nested, "format: {type: json, records: data.trades}"), (lined, "format: {type: ndjson}")):
        said, file_ = io.StringIO(), tmp_path / f"{a.suffix[1:]}.yaml"
        call_command("suggest", str(a), str(b), "--to", str(file_), stdout=said)
        assert "Would match 83.3% of 18 common keys" in said.getvalue()
        assert format_ in file_.read_text(encoding="utf-8")
        call_command("define", str(file_), stdout=io.StringIO())


def test_a_file_s_grouping_mark_is_given_to_its_small_amounts(db: None, tmp_path: Path) -> None:
    days = Path(__file__).resolve().parents[2] / "examples" / "fx_trades"
    file = tmp_path / "fx.yaml"
    a, b = days / "front_office_day1.csv", days / "back_office_day1.csv"
    call_command("suggest", str(a), str(b), "--to", str(file), stdout=io.StringIO())
    sources = yaml.safe_load(file.read_text(encoding="utf-8"))["sources"]
    assert sources["front_office_day1"]["mapping"]["interest"] == {"column": "Interest", "decimal": ",", "group": "."}


def test_the_amount_and_its_currency_are_named_where_they_are_called_otherwise(db: None, tmp_path: Path) -> None:
    numbers = range(1, 15)
    files = {
        "ours.csv": ["order,cur,gross,rate", *(f"A-{n},EUR,{n * 7}.50,1.1{n}" for n in numbers)],
        "theirs.csv": ["ref,ccy,total,fx", *(f"A-{n},EUR,{n * 7 - n // 14}.50,1.1{n}" for n in numbers)],
    }
    for name, lines in files.items():
        (tmp_path / name).write_text("\n".join(lines), encoding="utf-8")
    a, b, file = tmp_path / "ours.csv", tmp_path / "theirs.csv", tmp_path / "orders.yaml"
    call_command("suggest", str(a), str(b), "--to", str(file), "--name", "orders", stdout=io.StringIO())
    proposed = yaml.safe_load(file.read_text(encoding="utf-8"))["reconciliations"]["orders"]
    assert proposed["gate"] == {"amount_field": "gross", "currency_field": "cur"}
    call_command("define", str(file), stdout=io.StringIO())
    call_command("reconcile", "orders", "--a", str(a), "--b", str(b), stdout=io.StringIO())
    differing = Break.objects.get()
    assert (differing.amount, differing.currency) == (Decimal("98.50"), "EUR")
