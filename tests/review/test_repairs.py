"""A quarantined row is repaired and replayed, or dismissed: the raw line stays, the record has custody, verify names tampering."""

from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from django.db import connection, transaction

from config.pipeline import run_to_end
from ingestion.changes import Change
from ingestion.deliveries import normalize_delivery
from ingestion.models import Delivery, Normalization, QuarantinedRow, Repair
from ingestion.quarantine import STATES, in_state, standing_rows
from ingestion.replay import cells_of_row
from reconciliation.conservation import conservation
from reconciliation.models import Reconciliation, Run
from reconciliation.row_states import row_states
from reconciliation.runs import start_run
from reconciliation.verify import repairs, seals
from reconciliation.visibility import visible_sources
from review.journey import journey
from review.rejects import rejects
from review.repair_rules import AlreadySaid, RepairRefused
from review.repairs import confirm_repair, dismiss, repair, replay, withdraw_repair
from tests.conftest import DAY, HEADER, problems, row

BROKEN = "B,2026-11-20,Acme DE,5.00,EUR"  # a delimiter is gone
MENDED = {"party": "Acme", "country": "DE", "amount": "5.00", "currency": "EUR"}


@pytest.fixture
def broken(trades: Reconciliation, deliver: Callable[..., Normalization]) -> QuarantinedRow:
    """A row of too few cells, beside one without a key."""
    deliver("left", "\n".join([HEADER, row("A"), BROKEN, ",2026-11-20,Acme,DE,1.00,EUR"]) + "\n")
    return QuarantinedRow.objects.get(raw=BROKEN)


def _counts(user: User) -> dict[str, int]:
    rows = standing_rows(visible_sources(user))
    return {state: in_state(rows, state).count() for state in STATES}


def test_a_repaired_row_becomes_a_record_and_its_raw_line_stays(
    broken: QuarantinedRow, trades: Reconciliation, reconcile: Callable[..., Run], person: Callable[[str], User]
) -> None:
    by, first = person("Analyst"), reconcile(None, [row("A"), row("B", "5.00")])
    said = repair(row=broken, cells=MENDED, comment="the comma of the party was lost", by=by)
    assert _counts(by) == {"open": 1, "waiting": 1, "replayed": 0, "dismissed": 0}
    made = replay(delivery=broken.normalization.delivery, by=by)
    assert (made.replayed_from_id, made.business_date) == (broken.normalization.delivery_id, DAY)
    second = run_to_end(start_run(reconciliation=trades, business_date=DAY, by="test"))
    assert second.report["sides"]["a"] | {"superseded": 0} == {
        "received": 1, "normalized": 1, "quarantined": 0, "duplicates": 0, "out_of_scope": 0, "flagged_values": 0,
        "superseded": 0,
    }  # fmt: skip
    assert second.report["records"]["matched"] == 1 and second.report["carried"]["b"]["closed"] == 1
    assert [conservation(run).unaccounted for run in (first, second)] == [0, 0]
    broken.refresh_from_db()
    assert broken.raw == BROKEN and problems() == []
    states = [(it.record, it.key, it.state) for it in row_states(broken.normalization.delivery, 1, 3)]
    assert states == [(1, "A", "stored"), (2, "B", "stored"), (3, "", "quarantined")]
    titles = [event.title for event in journey(trades, "B").events]
    assert titles.index("A: line 3 received from Left") < titles.index("A: repaired")
    assert any(title.startswith("A: quarantined. It has 5 cells") for title in titles)
    told = next(event for event in journey(trades, "B").events if event.title == "A: repaired")
    assert (told.who, told.detail) == (by.username, said.comment)
    changed = {it.name: (it.before, it.after) for it in told.changes}
    assert changed["party"] == ("Acme DE", "Acme") and changed["currency"] == (None, "EUR")
    assert _counts(by) == {"open": 1, "waiting": 0, "replayed": 1, "dismissed": 0}


def test_what_cannot_be_is_refused_and_nothing_is_written(
    broken: QuarantinedRow, person: Callable[[str], User]
) -> None:
    by = person("Analyst")
    for cells, comment, sentence in (
        (MENDED | {"id": ""}, "why", "no record either. The key (id) is blank"),
        (MENDED | {"id": "A"}, "why", "holds the record A already"),
        (MENDED | {"colour": "red"}, "why", "no column 'colour'"),
        (MENDED | {"party": "a\0b"}, "why", "NUL"),
        (MENDED, " ", "Say why"),
    ):
        with pytest.raises(RepairRefused, match=sentence.replace("(", r"\(").replace(")", r"\)")):
            repair(row=broken, cells=cells, comment=comment, by=by)
    with pytest.raises(RepairRefused, match="Ask one of them"):
        repair(row=broken, cells=MENDED, comment="why", by=person("Auditor"))
    with pytest.raises(RepairRefused, match="waits to be replayed"):
        replay(delivery=broken.normalization.delivery, by=by)
    assert not Repair.objects.exists() and Delivery.objects.count() == 1


def test_a_row_is_dismissed_and_opened_again(
    broken: QuarantinedRow, trades: Reconciliation, person: Callable[[str], User]
) -> None:
    by, blank = person("Analyst"), QuarantinedRow.objects.get(record_number=3)
    said = dismiss(row=blank, comment="a separator line of the desk", by=by)
    assert _counts(by)["dismissed"] == 1
    told = {line[3]: line[4:6] for line in rejects(trades.a, DAY)[1]}
    assert told["dismissed"] == ["The key (id) is blank. a separator line of the desk", "analyst"]
    with pytest.raises(AlreadySaid, match="Dismissed by analyst already"):
        repair(row=blank, cells={"id": "C"}, comment="why", by=by)
    withdraw_repair(repair=said, by=by)
    assert _counts(by)["open"] == 2
    with pytest.raises(AlreadySaid, match=r"withdrawn before\. Look at the row again"):
        withdraw_repair(repair=said, by=by)
    mended = repair(row=blank, cells={"id": "C"}, comment="the desk gave its number", by=by)
    made = replay(delivery=blank.normalization.delivery, by=by)
    with pytest.raises(AlreadySaid, match=rf"replayed as delivery {made.pk}, which stays\. Have the source deliver"):
        withdraw_repair(repair=mended, by=by)
    assert _counts(by) == {"open": 1, "waiting": 0, "replayed": 1, "dismissed": 0} and problems() == []
    assert [line[1] for line in rejects(trades.a, DAY)[1]] == [2]  # what became a record does not go back


def test_under_four_eyes_a_second_person_confirms(
    broken: QuarantinedRow, trades: Reconciliation, person: Callable[[str], User]
) -> None:
    trades.four_eyes = True
    trades.save()
    by, other = person("Supervisor"), person("Manager")
    said = repair(row=broken, cells=MENDED, comment="why", by=by)
    with pytest.raises(RepairRefused, match="waits to be replayed"):
        replay(delivery=broken.normalization.delivery, by=by)
    with pytest.raises(RepairRefused, match="their own"):
        confirm_repair(repair=said, by=by)
    assert repair(row=broken, cells=MENDED, comment="as I see it", by=other).pk == said.pk
    assert replay(delivery=broken.normalization.delivery, by=other).pk


def test_a_later_complete_picture_makes_a_row_count_no_more(
    trades: Reconciliation, reconcile: Callable[..., Run], deliver: Callable[..., Normalization],
    person: Callable[[str], User],
) -> None:  # fmt: skip
    trades.a.delivers = "snapshot"
    trades.a.save()
    by = person("Analyst")
    reconcile([row("A"), row("C"), BROKEN], [row("A"), row("B", "5.00")])
    broken = QuarantinedRow.objects.get()
    repair(row=broken, cells=MENDED, comment="why", by=by)
    replay(delivery=broken.normalization.delivery, by=by)
    run = run_to_end(start_run(reconciliation=trades, business_date=DAY, by="test"))
    assert run.report["records"]["matched"] == 1  # the repaired row alone is no picture: C stays as it stands
    assert trades.breaks.get(key="C").state == "review"
    deliver("left", "\n".join([HEADER, row("A"), row("C"), BROKEN + "!"]) + "\n")
    later = deliver("left", "\n".join([HEADER, row("A"), row("D")]) + "\n")
    row_ = QuarantinedRow.objects.get(raw=BROKEN + "!")
    with pytest.raises(RepairRefused, match=f"Delivery {later.delivery_id} is a later complete picture"):
        repair(row=row_, cells=MENDED | {"id": "X"}, comment="why", by=by)


def test_tampering_with_a_repair_is_named(broken: QuarantinedRow, person: Callable[[str], User]) -> None:
    by = person("Analyst")
    said = repair(row=broken, cells=MENDED, comment="why", by=by)
    replay(delivery=broken.normalization.delivery, by=by)
    for statement in (
        "UPDATE ingestion_repair SET comment = 'x'",
        "UPDATE ingestion_repair SET delivery_id = NULL, record_number = NULL",
        "UPDATE ingestion_repairedcell SET value = '6.00' WHERE \"column\" = 'amount'",
        "DELETE FROM ingestion_repairedcell WHERE position = 1",
        "UPDATE ingestion_delivery SET replayed_from_id = NULL",
    ):
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)
            named = " ".join([*seals(), *repairs()])
            transaction.set_rollback(True)
        assert f"repair {said.pk} was changed" in named or "delivery" in named, statement
    assert problems() == []


@pytest.mark.parametrize(
    ("type_", "content", "cells"),
    [
        ("xml, records: rows.row", "<rows><row><id/><amount>2.25</amount></row></rows>", {"id": "", "amount": "2.25"}),
        ("ndjson", '{"id": "A", "amount": 1}\n{"id": "B", "amount": 2.2\n', {"id": None, "amount": None}),
    ],
)
def test_a_row_of_any_format_is_repaired_by_its_cells(
    define: Callable[[str], list[Change]], deliver: Callable[..., Normalization], person: Callable[[str], User],
    type_: str, content: str, cells: dict[str, str | None],
) -> None:  # fmt: skip
    define(f"""
record_types: {{thing: {{fields: {{id: {{type: text, key: true}}, amount: {{type: decimal, places: 2}}}}}}}}
sources:
  s: {{record_type: thing, format: {{type: {type_}}}, mapping: {{id: {{column: id}}, amount: {{column: amount}}}}}}
""")
    by, stuck = person("Analyst"), deliver("s", content).quarantined_rows.get()
    assert cells_of_row(stuck).by_column == cells
    repair(row=stuck, cells={"id": "B", "amount": "2.25"}, comment="why", by=by)
    made = normalize_delivery(replay(delivery=stuck.normalization.delivery, by=by).normalizations.get())
    assert (made.normalized, made.quarantined, made.flagged_values) == (1, 0, 0) and problems() == []
