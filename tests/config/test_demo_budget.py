"""The demo's budgeted gate: a certificate lets records pass, two people audit, an error against the model asks for another opinion."""

import datetime as dt
from collections.abc import Callable
from pathlib import Path

from django.contrib.auth.models import User

from attribution.models import AuditAnswer, SecondOpinion
from config.demo_budget import FOLDER, keep_to_a_budget
from config.pipeline import run_to_end
from reconciliation.models import Break, Reconciliation, Run
from reconciliation.runs import start_run
from tests.conftest import problems

EXAMPLE = Path(__file__).parents[2] / "examples" / FOLDER


def test_a_budget_passes_what_its_certificate_covers_and_people_audit_it(
    define: Callable[[str], object], deliver: Callable[..., object], person: Callable[..., User]
) -> None:
    define((EXAMPLE / "definition.yaml").read_text(encoding="utf-8"))
    analyst, manager = person("Analyst", "analyst"), person("Manager")
    person("Supervisor", "supervisor")

    def run_day(dividends: Reconciliation, day: dt.date, a: Path, b: Path) -> Run:
        done = Run.objects.filter(reconciliation=dividends, business_date=day).first()
        for source, file in (("entitlements", a), ("custodians", b)) if done is None else ():
            deliver(source, file, day)
        return done or run_to_end(start_run(reconciliation=dividends, business_date=day, by="test"))

    first, second, gate, meter = list(keep_to_a_budget(EXAMPLE, run_day, manager))
    assert first == "Dividends, day 1, a budget and no certificate: 0 of 800 differing records pass."
    assert second.startswith("Day 2, model 1: ") and "by the certificate of dividends model 1" in second
    run = Run.objects.latest("pk")
    through = Break.objects.filter(opened_run=run, closed_because="passed the gate").count()
    assert through > 80
    assert "Gate open: at most 5 % of what passes may be wrong" in gate and "16 settled, 1 wrong" in gate
    assert "bring the certificate of" in meter or "all but prove 2 %" in meter
    answers = AuditAnswer.objects.order_by("draw", "number")
    assert sorted(answers.exclude(functional=True).values_list("functional", "counts", "answered_by__username"), key=str) == [
        (False, False, "analyst"), (False, False, "analyst"), (False, True, "supervisor"), (None, False, "analyst"),
    ]  # fmt: skip
    assert SecondOpinion.objects.get(answered_at=None).said_by == analyst.username
    assert list(keep_to_a_budget(EXAMPLE, run_day, manager))[2:] == [gate, meter]  # again, nothing new
    assert problems() == []
