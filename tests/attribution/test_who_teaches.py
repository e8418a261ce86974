"""Final human decisions teach, and nothing else does: every way in which a break ends, with the labels that it leaves."""

import datetime as dt
from collections.abc import Callable

from django.contrib.auth.models import User

from attribution.models import Correction
from reconciliation.models import Break, Reconciliation, Run
from review.decisions import confirm, decide, withdraw
from review.undoing import undo
from tests.conftest import DAY, row

NEXT = DAY + dt.timedelta(days=1)


def labels() -> dict[str, str]:
    """The active labels by key."""
    return dict(Correction.objects.filter(active=True).values_list("difference__brk__key", "reason"))


def test_only_final_decisions_of_people_teach(
    reconcile: Callable[..., Run], trades: Reconciliation, person: Callable[..., User]
) -> None:
    left = [row("PASS", "10.00"), row("SIGN", "1.00"), row("TWO", "2.00"), row("BACK", "3.00"), row("NO", "4.00"),
            row("LATE"), row("FIXED", "5.00"), row("NEW", "6.00"), row("PEND", "7.00"), row("WHY", "8.11")]  # fmt: skip
    right = [row("PASS", "10.01"), row("SIGN", "-1.00"), row("TWO", "-2.00"), row("BACK", "-3.00"), row("NO", "-4.00"),
             row("FIXED", "-5.00"), row("NEW", "-6.00"), row("PEND", "-7.00"), row("WHY", "19.37")]  # fmt: skip
    reconcile(left, right)
    states = dict(Break.objects.values_list("key", "state"))
    assert labels() == {}, states  # what the gate let through taught nothing

    one, two = person("Supervisor"), person("Manager")
    by_key = {it.key: it for it in Break.objects.filter(state="review")}
    decide(brk=by_key["SIGN"], action="approve", by=one)
    decide(brk=by_key["NO"], action="override", reason="MANUAL_ENTRY_ERR", by=one)
    decide(brk=by_key["PEND"], action="override", reason="PENDING_INVESTIGATION", by=one)
    decide(brk=by_key["WHY"], action="reject", by=one)  # nothing explains it, so the decision confirms no reason
    taught = {"SIGN": "SIGN_FLIP", "NO": "MANUAL_ENTRY_ERR"}
    assert labels() == taught

    Reconciliation.objects.update(four_eyes=True)
    first = decide(brk=by_key["TWO"], action="approve", by=one)
    withdraw(decision=decide(brk=by_key["BACK"], action="approve", by=one), by=one)
    assert labels() == taught  # a proposal, or one that was withdrawn, taught nothing
    confirm(decision=first, by=two)
    taught |= {"TWO": "SIGN_FLIP"}
    assert labels() == taught

    reconcile(
        [row("FIXED", "5.00"), row("NEW", "9.00")], [row("LATE"), row("FIXED", "5.00"), row("NEW", "-9.00")], NEXT
    )
    closed = dict(Break.objects.exclude(state="review").values_list("key", "closed_because"))
    assert (closed["LATE"], closed["FIXED"]) == ("matched late", "matched")
    assert labels() == taught  # closed late, closed by agreement, and reopened by other values

    undo(decision=first, by=two)
    del taught["TWO"]
    assert labels() == taught and Correction.objects.count() == 3
    assert all(Correction.objects.values_list("decision", flat=True))
