"""The generator of the load: small here, through every service, and as consistent as any other data."""

import datetime as dt
from io import StringIO
from pathlib import Path

import duckdb
import pytest
from django.core.management import CommandError, call_command
from django.db.models import Count

from examples.load.rows import Day, write_day
from reconciliation.models import Break, Reconciliation, Run
from review.models import Decision
from tests.conftest import problems

UNTIL = dt.date(2026, 11, 26)


def _generate() -> str:
    told = StringIO()
    call_command("generate_load", breaks=800, stored=400, desks=2, days=2, until=UNTIL, stdout=told)
    return told.getvalue()


def test_a_small_load_is_consistent_and_made_once(db: None) -> None:
    assert "breaks" in _generate()
    states = dict(Break.objects.values_list("state").annotate(Count("pk")))
    assert sum(states.values()) >= 790 and set(states) >= {"review", "passed", "approved", "rejected", "closed"}
    assert set(Break.objects.values_list("kind", flat=True)) == set(Break.Kind.values)
    assert Break.objects.values("reason").distinct().count() >= 8
    assert Decision.objects.values("proposed_by").distinct().count() > 3
    assert Decision.objects.filter(four_eyes=True, confirmed_by=None).exists()
    ages = Break.objects.order_by("opened_at").values_list("opened_at", flat=True)
    assert (ages[0].date(), ages[len(ages) - 1].date()) == (dt.date(2026, 11, 25), UNTIL)
    assert problems() == []
    made = (Break.objects.count(), Run.objects.count(), Decision.objects.count())
    _generate()
    assert (Break.objects.count(), Run.objects.count(), Decision.objects.count()) == made


def test_a_seed_gives_the_same_rows(tmp_path: Path) -> None:
    day, other = (Day(0, 3, UNTIL, 50, 50, seed) for seed in (1, 2))

    def rows(made: Day, name: str) -> list[tuple]:
        (folder := tmp_path / name).mkdir()
        return duckdb.execute(f"SELECT * FROM '{write_day(made, [], folder)[1]}'").fetchall()

    assert rows(day, "one") == rows(day, "two") != rows(other, "three")


def test_a_database_with_sources_of_its_own_is_left_alone(trades: Reconciliation) -> None:
    with pytest.raises(CommandError, match="left, right"):
        _generate()
    assert list(Reconciliation.objects.all()) == [trades]
