"""The straight path: two files in, every record accounted for."""

import json
from collections.abc import Callable
from io import StringIO
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.core.management.base import CommandError

from attribution.models import Correction
from reconciliation.conservation import conservation
from reconciliation.models import Break, Reconciliation, Run
from reconciliation.store.current import stored_versions
from reconciliation.verify import CHECKS
from review.decisions import decide
from tests.conftest import HEADER, row


def problems() -> list[str]:
    """What verify finds."""
    return [problem for check in CHECKS.values() for problem in check()]


def test_a_thousand_rows_go_through_every_stage(
    reconcile: Callable[..., Run], trades: Reconciliation, person: Callable[[str], User]
) -> None:
    left = [row(f"T{n:04}", f"{n}.25") for n in range(1, 1001)]
    right = [row(f"T{n:04}", f"{n}.25") for n in range(1, 1001)]
    right[9] = row("T0010", "10.00")  # rounded: passes
    right[19] = row("T0020", "-20.25")  # sign turned: approved
    right[29] = row("T0030", "777.77")  # unexplained: rejected
    run = reconcile(left, right)
    assert run.report is not None
    assert run.report["records"] == {
        "matched": 996 + 1,
        "differing": 3,
        "missing_in_a": 0,
        "missing_in_b": 0,
        "duplicate": 0,
    }
    assert run.report["outcome"] == {"stored": 997, "in_review": 3, "rejected": 0}  # T1000 fails the check
    sign = Break.objects.get(key="T0020")
    decide(brk=sign, action="approve", by=person("Supervisor"))
    decide(brk=Break.objects.get(key="T0030"), action="reject", by=person("Manager"))
    assert str(stored_versions(trades.record_type, "T0020")[0]["amount"]) == "20.25"
    assert stored_versions(trades.record_type, "T0030") == []
    assert Correction.objects.get(difference__brk=sign).reason_id == "SIGN_FLIP"
    told = conservation(run)
    assert told.unaccounted == 0
    assert (told.received, told.states["stored"], told.states["rejected"], told.states["in_review"]) == (
        2000,
        1996,
        2,
        2,
    )
    assert problems() == []


def test_the_report_adds_up_per_side(reconcile: Callable[..., Run]) -> None:
    left = [row("A"), row("B", "10.25"), row("C"), row("D"), row("D"), "short,row"]
    right = [row("A"), row("B", "10.00"), row("D"), row("E")]
    report = reconcile(left, right).report
    assert report is not None
    records, a, b = report["records"], report["sides"]["a"], report["sides"]["b"]
    assert records == {"matched": 1, "differing": 1, "missing_in_a": 1, "missing_in_b": 1, "duplicate": 1}
    assert (a["received"], a["normalized"], a["quarantined"], a["duplicates"]) == (6, 5, 1, 1)
    assert a["normalized"] == 1 + 1 + 1 + 1 + a["duplicates"]
    assert b["normalized"] == 1 + 1 + 1 + 1
    assert sum(report["outcome"].values()) == sum(records.values())
    assert report["differences"] == {"total": 1, "by_field": {"amount": 1}, "by_reason": {"ROUNDING_DIFF": 1}}


def test_the_command_reports_as_the_contract_says(trades: Reconciliation, tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / f"{name}.csv").write_text(f"{HEADER}\n{row('X')}\n", encoding="utf-8")
    out = tmp_path / "report.json"
    call_command(
        "reconcile",
        "trades",
        a=tmp_path / "a.csv",
        b=tmp_path / "b.csv",
        json=str(out),
        stdout=StringIO(),
        stderr=StringIO(),
    )
    report = json.loads(out.read_text(encoding="utf-8"))
    assert list(report)[:4] == ["run", "reconciliation", "date", "status"]
    assert report["status"] == "done"
    assert set(report["seconds"]) == {"ingest", "diff", "attribute", "store"}
    assert report["records"]["matched"] == 1


def test_an_unknown_name_is_a_sentence(db: None) -> None:
    with pytest.raises(CommandError, match="There is no reconciliation 'nope'"):
        call_command("reconcile", "nope")
