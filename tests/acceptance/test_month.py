"""Twenty business days of a ledger and a bank: nothing is matched, closed, aged or left unexplained that should not be."""

import datetime as dt
import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.urls import reverse

from config.definitions.apply import apply_definition
from examples.month.generate import HOLIDAYS, write
from examples.month.play import HERE, NAME, play
from reconciliation.engine.business_days import Calendar
from reconciliation.models import Break, Run
from reconciliation.waiting import ONE_SIDED
from tests.conftest import problems

MOST_SHOWN = 0.05
CALENDAR = Calendar(holidays=frozenset(HOLIDAYS))
EXPLAINED = {"unexplained": "0.00", "unexplained_a": "0.00", "unexplained_b": "0.00", "unexplained_rows_a": 0,
             "unexplained_rows_b": 0}  # fmt: skip


def test_every_day_of_the_month_ends_as_it_should(
    db: None, tmp_path: Path, person: Callable[[str], User], client: Client
) -> None:
    write(tmp_path)
    apply_definition((HERE / "definition.yaml").read_text(encoding="utf-8"), HERE)
    manager = person("Manager")
    client.force_login(manager)
    plan, truth = (json.loads((tmp_path / f"{name}.json").read_text(encoding="utf-8")) for name in ("plan", "truth"))
    shown: set[str] = set()
    for day, told in zip(plan, truth["days"], strict=True):
        runs = play(day, tmp_path, manager)
        wanted = {key: tuple(it) for key, it in told["open"].items()}
        assert (day["date"], open_breaks()) == (day["date"], wanted)  # no false close, and none that should have been
        assert (day["date"], stored()) == (
            day["date"],
            told["stored"],
        )  # no false match, and each with the right amount
        assert [explained(run) for run in runs] == [True] * len(runs)
        assert runs[-1].report["open"] == ages(day, told["open"], runs[-1], truth["wait"])
        assert problems() == []
        shown |= shown_keys(client)
    timing = {key for key, scenario in truth["scenario"].items() if scenario in truth["timing"]}
    assert len(timing) > 300 and len(shown & timing) / len(timing) <= MOST_SHOWN
    assert {truth["scenario"][key] for key in shown} >= {"sign", "unknown", "only_a", "only_b", "twice", "no_number"}


def open_breaks() -> dict[str, tuple[str, str]]:
    """The open breaks by key: kind, and the business date that opened them."""
    standing = Break.objects.filter(reconciliation__code=NAME, state__in=Break.OPEN_STATES)
    rows = standing.values_list("key", "kind", "opened_run__business_date")
    return {key: (kind, str(date)) for key, kind, date in rows}


def stored() -> dict[str, str]:
    """What the store holds now: the amount by key."""
    with connection.cursor() as cursor:
        cursor.execute('SELECT reference, amount::text FROM "store"."payment" WHERE _valid_to IS NULL')
        return dict(cursor.fetchall())


def explained(run: Run) -> bool:
    """Whether nothing of the run's statement is left."""
    assert run.report is not None
    accounts = run.report["statement"]["currencies"]
    return len(accounts) > 0 and all({name: it[name] for name in EXPLAINED} == EXPLAINED for it in accounts)


def ages(day: dict[str, Any], wanted: dict[str, list[str]], run: Run, wait: int) -> dict[str, dict[str, int]]:
    """How many breaks should be open by age, in review and waiting for a partner, before the day's decisions."""
    found: dict[str, Counter[int]] = {"review": Counter(), "waiting": Counter()}
    decided = {it["decide"]: ("differing", day["date"]) for it in day["steps"] if "decide" in it}
    decided = {key: (kind, first_seen(key)) for key, (kind, _) in decided.items()}
    for kind, since in [*wanted.values(), *decided.values()]:
        age = CALENDAR.business_days_between(dt.date.fromisoformat(since), run.business_date)
        found["waiting" if kind in ONE_SIDED and age < wait else "review"][age] += 1
    return {name: {str(age): counts[age] for age in sorted(counts)} for name, counts in found.items()}


def first_seen(key: str) -> str:
    """The business date that opened the break of a key."""
    return str(Break.objects.get(reconciliation__code=NAME, key=key).opened_run.business_date)


def shown_keys(client: Client) -> set[str]:
    """The keys that the queue shows to a person who opens it, on all its pages."""
    page, keys = client.get(reverse("queue")), set()
    while True:
        keys |= {row.brk.key for row in page.context["rows"]}
        if not page.context["next"]:
            return keys
        page = client.get(f"{reverse('queue')}?{page.context['next']}")
