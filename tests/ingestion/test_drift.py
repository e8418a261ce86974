"""Columns that are renamed, gone, new or written in another way are recognised at delivery, and a mapping is proposed."""

import datetime as dt
from collections.abc import Callable

import pytest

from ingestion.errors import MissingColumn
from ingestion.models import MappingProposal, Normalization, QuarantinedRow
from ingestion.suggest.renamed import Sample, find_renamed
from reconciliation.models import Reconciliation
from reconciliation.verify import seals
from tests.conftest import DAY, HEADER, row

Deliver = Callable[..., Normalization]
NEXT_DAY = DAY + dt.timedelta(days=1)
ROWS = [row(f"T-{n:03}", f"{n}.50") for n in range(1, 6)]
LATER = [row(f"T-{n:03}", f"{n}.50") for n in range(3, 9)]


def _file(header: str, rows: list[str]) -> str:
    return "\n".join([header, *rows]) + "\n"


@pytest.fixture
def before(trades: Reconciliation, deliver: Deliver) -> Normalization:
    """A delivery as the mapping expects it."""
    return deliver("left", _file(HEADER, ROWS))


def _stopped(deliver: Deliver, header: str, rows: list[str] = LATER) -> str:
    with pytest.raises(MissingColumn) as stopped:
        deliver("left", _file(header, rows), NEXT_DAY)
    work = Normalization.objects.latest("id")
    assert (work.state, work.received, work.path, work.error) == ("failed", None, "", str(stopped.value))
    assert not QuarantinedRow.objects.exists() and list(seals()) == []
    return str(stopped.value)


def test_a_renamed_column_stops_the_delivery_and_its_successor_is_proposed(
    before: Normalization, deliver: Deliver
) -> None:
    said = _stopped(deliver, "trade_ref,day,counterparty,country,amt,currency")
    assert said.startswith(
        "The file has no column 'id', which id is mapped from, nor 'amount' (amount), nor 'party' (party.name). It has"
    )
    work = Normalization.objects.latest("id")
    assert said.endswith(f"proposed; accept or refuse it at delivery {work.delivery_id}.")
    changed = {path: (was, now["column"]) for path, was, now, _ in work.proposal.changes()}
    assert changed == {
        "id": ({"column": "id"}, "trade_ref"),
        "party.name": ({"column": "party"}, "counterparty"),
        "amount": ({"column": "amount"}, "amt"),
    }
    assert "'amount' is gone and 'amt' is new: the names are alike" in work.proposal.why["amount"]
    assert "100% of the values are written alike" in work.proposal.why["id"]
    told = work.proposal
    assert (told.state, told.received, told.normalized, told.flagged_values) == ("open", 6, 6, 0)


def test_a_missing_column_without_a_successor_is_said_and_nothing_proposed(
    before: Normalization, deliver: Deliver
) -> None:
    rows = [",".join(it.split(",")[:4] + ["free text", it.split(",")[5]]) for it in LATER]
    said = _stopped(deliver, "id,day,party,country,remark,currency", rows)
    assert "'amount'" in said and "proposed" not in said and not MappingProposal.objects.exists()


def test_extra_and_dropped_columns_are_notes(before: Normalization, deliver: Deliver) -> None:
    assert before.notes == []
    wider = deliver("left", _file(f"{HEADER},desk,book", [f"{it},D,B" for it in LATER]), NEXT_DAY)
    assert wider.state == "done" and wider.notes == [
        f"Extra columns, which nothing is mapped from and delivery {before.delivery_id} did not have: desk, book."
    ]
    back = deliver("left", _file(HEADER, LATER), NEXT_DAY + dt.timedelta(days=1))
    assert back.notes == [
        f"Columns that delivery {wider.delivery_id} had and nothing is mapped from are gone: desk, book."
    ]


def test_a_retyped_column_is_a_note_with_a_mapping_that_reads_it(before: Normalization, deliver: Deliver) -> None:
    rows = [f'T-{n},{n:02}/11/2026,Acme,DE,"1.{n}0,50",EUR' for n in range(13, 19)]
    work = deliver("left", _file(HEADER, rows), NEXT_DAY)
    assert (work.state, work.flagged_values) == ("done", 12)
    assert work.notes == [
        "Column 'day' is no date any more: 6 values do not fit, such as '13/11/2026'.",
        "Column 'amount' is no decimal any more: 6 values do not fit, such as '1.130,50'.",
    ]
    changed = {path: now for path, _, now, _ in work.proposal.changes()}
    assert changed["day"] == {"column": "day", "parse": "%d/%m/%Y"}
    assert changed["amount"]["decimal"] == ","
    assert work.proposal.flagged_values == 0 and "read as: pattern %d/%m/%Y" in work.proposal.why["day"]
    assert list(seals()) == []


def test_a_retyped_column_that_no_style_reads_is_a_note_alone(before: Normalization, deliver: Deliver) -> None:
    work = deliver("left", _file(HEADER, [row(f"T-{n}", "n/a") for n in range(3)]), NEXT_DAY)
    assert work.notes == ["Column 'amount' is no decimal any more: 3 values do not fit, such as 'n/a'."]
    assert not MappingProposal.objects.exists()


def test_names_looks_and_values_decide_which_column_is_which() -> None:
    old = [Sample("Kurs", 0, {"1.1234": 1, "1.5678": 1}), Sample("Ref", 1, {"AB-1": 1, "AB-2": 1})]
    new = [Sample("x", 1, {"AB-3": 1, "AB-2": 1}), Sample("note", 2, {"hello you": 1})]
    assert [(it.missing, it.column) for it in find_renamed(old, new)] == [("Ref", "x")]
    assert find_renamed([Sample("Betrag", -1, {})], [Sample("Amount", 0, {"1.00": 1})])[0].column == "Amount"
    assert find_renamed([Sample("Betrag", 0, {})], [Sample("colour", 0, {"red": 1})]) == []
