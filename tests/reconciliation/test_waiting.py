"""A one-sided record waits for its partner as long as the rules say, and a person may still decide it."""

import datetime as dt
from collections.abc import Callable

from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from config.pipeline import run_to_end
from reconciliation.models import Break, Reconciliation, Run
from reconciliation.rules import Rules
from reconciliation.runs import start_run
from reconciliation.waiting import waited_since
from review.decisions import decide
from tests.conftest import DAY, DEFINITION, HEADER, Deliver, problems, row

MONDAY, TUESDAY = DAY + dt.timedelta(days=3), DAY + dt.timedelta(days=4)
WAITS = DEFINITION.replace("    b: right\n", "    b: right\n    match: {wait: 2}\n")


def test_a_record_waits_for_its_partner_and_is_shown_when_its_time_is_over(
    define: Callable[[str], object], deliver: Deliver, person: Callable[[str], User], client: Client
) -> None:
    define(WAITS)

    def run(day: dt.date, left: list[str], right: list[str]) -> Run:
        for source, rows in (("left", left), ("right", right)):
            if rows:
                deliver(source, "\n".join([HEADER, *rows, ""]), day)
        return run_to_end(start_run(reconciliation=Reconciliation.objects.get(), business_date=day))

    def shown(state: str = "review") -> set[str]:
        return {it.brk.key for it in client.get(reverse("queue"), {"state": state}).context["rows"]}

    client.force_login(person("Manager"))
    friday = run(DAY, [row("A"), row("B"), row("C"), row("SIGN", "1.00")], [row("SIGN", "-1.00")])
    assert (shown(), shown("waiting")) == ({"SIGN"}, {"A", "B", "C"})
    assert friday.report is not None and friday.report["open"] == {"review": {"0": 1}, "waiting": {"0": 3}}
    decide(
        brk=Break.objects.get(key="C"),
        action="override",
        by=person("Analyst"),
        reason="PENDING_INVESTIGATION",
        comment="asked",
    )
    run(DAY, [], [])  # again, over the same deliveries
    assert (shown(), shown("waiting")) == ({"SIGN", "C"}, {"A", "B"})
    monday = run(MONDAY, [row("Z")], [row("Z"), row("B")])
    assert (shown("waiting"), Break.objects.get(key="B").closed_because) == ({"A"}, "matched late")
    assert monday.report is not None and monday.report["open"] == {"review": {"1": 2}, "waiting": {"1": 1}}
    run(TUESDAY, [row("Y")], [row("Y")])
    assert (shown(), shown("waiting")) == ({"SIGN", "C", "A"}, set())
    assert problems() == []


def test_the_first_day_of_all_has_none_before_it() -> None:
    assert waited_since(Rules({"match": {"wait": 2}}), dt.date.min) == dt.date.min
