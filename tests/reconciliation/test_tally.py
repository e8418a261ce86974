"""The tally of breaks is what counting them gives, whatever writes them, and adding it up changes no sum."""

import datetime as dt
from collections.abc import Callable

from django.contrib.auth.models import User
from django.utils import timezone

from reconciliation.models import Access, Break, BreakTally, Reconciliation, Run
from reconciliation.tally import settle_tally, tallied, wrong_tallies
from review.ages import AGES, before
from review.decisions import decide
from review.pages.ageing import heat_map
from tests.conftest import row


def _sum(reconciliation: Reconciliation, state: str) -> int:
    return sum(cell.breaks for cell in tallied(Access([reconciliation.pk]), [state]))


def test_the_tally_follows_runs_and_decisions(
    trades: Reconciliation, reconcile: Callable[..., Run], person: Callable[[str], User]
) -> None:
    reconcile(
        [row("SIGN", "10.00"), row("ROUND", "10.25"), row("ONLY")], [row("SIGN", "-10.00"), row("ROUND", "10.00")]
    )
    assert (_sum(trades, "review"), _sum(trades, "passed"), _sum(trades, "in_flight")) == (2, 1, 0)
    decide(brk=Break.objects.get(key="SIGN"), action="reject", by=person("Supervisor"))
    assert (_sum(trades, "review"), _sum(trades, "rejected")) == (1, 1)
    assert list(wrong_tallies()) == []
    cells, rows = set(tallied(Access([trades.pk]))), BreakTally.objects.count()
    settle_tally()
    assert set(tallied(Access([trades.pk]))) == cells and BreakTally.objects.count() == len(cells) < rows
    settle_tally()
    assert set(tallied(Access([trades.pk]))) == cells


def test_a_wrong_tally_is_named(trades: Reconciliation, reconcile: Callable[..., Run]) -> None:
    reconcile([row("ONLY")], [])
    BreakTally.objects.filter(state="review").update(breaks=7)
    assert [sentence.partition(" breaks")[0] for sentence in wrong_tallies()] == ["The tally says 7"]


def test_ages_of_the_heat_map_are_those_of_the_queue(trades: Reconciliation, reconcile: Callable[..., Run]) -> None:
    reconcile([row(f"K{n}") for n in range(8)], [])
    for brk, age in zip(Break.objects.all(), AGES.values(), strict=False):
        Break.objects.filter(pk=brk.pk).update(opened_at=before(age.until or 9))
    Break.objects.filter(key="K7").update(opened_at=timezone.now() - dt.timedelta(hours=25))
    found = heat_map(tallied(Access([trades.pk])), "trades")
    listed = [Break.objects.filter(age.holds(), state="review").count() for age in AGES.values()]
    assert found["totals"] == listed and sum(listed) == found["total"] == 8
