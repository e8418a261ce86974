"""Plays the load's month: every weekday each desk delivers and runs, and people decide some of what waits.

Everything goes through the product's own services, so that each row is sealed, recorded and consistent; only the clock is told
to be that morning's. What an earlier call did is found again, so it may be stopped at any line and called again.
"""

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import cast
from unittest.mock import patch

from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.utils import timezone

from config.definitions.apply import apply_definition
from config.definitions.yaml_text import read_yaml
from config.doors import to_delivery
from config.pipeline import run_to_end
from config.side_by_side import side_by_side
from examples.load.people import make_people
from examples.load.rows import Day, business_days, write_day
from ingestion.deliveries import normalize_delivery, plan_normalization
from ingestion.models import Source
from reconciliation.models import Break, Reconciliation, Run
from reconciliation.runs import start_run
from review.bulk.bulks import start_bulk
from review.bulk.selecting import choose_from
from review.bulk.working import work_on
from review.models import BulkDecision, Decision

HERE = Path(__file__).parent
DESKS = ("fx_deals", "bond_deals", "deposits", "card_payments", "bank_payments")
MORNING = dt.time(6, 30, tzinfo=dt.UTC)
DECIDED_SHARE = 25  # one of so many of a day's breaks is decided in bulk a day later
REASONS = ("FX_VARIANCE", "MANUAL_ENTRY_ERR", "ACCRUAL_DIFF")


@dataclass(frozen=True)
class Size:
    """How much is made: matched pairs, which are stored, and a few more wrong pairs than breaks, since not each differs."""

    breaks: int
    stored: int
    seed: int
    until: dt.date
    desks: int = len(DESKS)
    weekdays: int = 20

    def days(self) -> dict[str, list[Day]]:
        """What each desk delivers, by day."""
        dates, places = business_days(self.until, self.weekdays), self.weekdays * self.desks

        def day(desk: int, number: int, date: dt.date) -> Day:
            at = number * self.desks + desk
            matched, breaks = _part(self.stored, places, at), _part(self.breaks + self.breaks // 200, places, at)
            return Day(desk, number, date, matched, breaks, self.seed)

        return {
            code: [day(desk, n, date) for n, date in enumerate(dates)] for desk, code in enumerate(DESKS[: self.desks])
        }


def _part(whole: int, parts: int, at: int) -> int:
    """The share of one part, so that the parts add up to the whole."""
    return whole * (at + 1) // parts - whole * at // parts


def foreign_sources() -> list[str]:
    """Sources that are not the load's own: a database that has any is somebody's."""
    definition = read_yaml((HERE / "definition.yaml").read_text(encoding="utf-8"))
    return sorted(
        set(Source.objects.values_list("code", flat=True)) - set(cast(dict[str, object], definition["sources"]))
    )


def play(size: Size, folder: Path) -> Iterator[str]:
    """Play the month; a line a day."""
    apply_definition((HERE / "definition.yaml").read_text(encoding="utf-8"), HERE, by="load")
    people, days = make_people(), size.days()
    for number in range(size.weekdays):
        date = days[DESKS[0]][number].date
        with _at(dt.datetime.combine(date, MORNING)):
            for code in days:
                _run_day(code, days[code], number, folder)
                if number:
                    _decide(code, days[code][number - 1], people)
        yield f"{date}: {Break.objects.count():,} breaks, {Decision.objects.count():,} decisions"


@contextmanager
def _at(moment: dt.datetime) -> Iterator[None]:
    """Let the product's clock start from a moment; it goes on from there. A moment to come is left out."""
    behind = timezone.now() - moment
    real = timezone.now
    with patch("django.utils.timezone.now", lambda: real() - max(behind, dt.timedelta(0))):
        yield


def _run_day(code: str, days: list[Day], number: int, folder: Path) -> None:
    reconciliation, day = Reconciliation.objects.get(code=code), days[number]
    if Run.objects.filter(reconciliation=reconciliation, business_date=day.date, state=Run.State.DONE).exists():
        return
    files = write_day(day, days[max(0, number - 3) : number][::-1], folder)
    sides = zip((reconciliation.a, reconciliation.b), files, strict=True)
    side_by_side([partial(_ingest, source, file, day.date) for source, file in sides])
    run = run_to_end(start_run(reconciliation=reconciliation, business_date=day.date, by="load"))
    if run.state != Run.State.DONE:
        raise RuntimeError(f"{run} is {run.state}. {run.error}")
    for file in files:
        file.unlink()


def _ingest(source: Source, file: Path, date: dt.date) -> None:
    normalize_delivery(plan_normalization(to_delivery(source, file, date, by="load").delivery))


Waiting = QuerySet[Break]


def _decide(code: str, day: Day, people: list[User]) -> None:
    """What people do with the breaks that a day opened: three bulk decisions, and where four eyes are asked, another person
    confirms the first."""
    reconciliation = Reconciliation.objects.get(code=code)
    run = Run.objects.get(reconciliation=reconciliation, business_date=day.date, state=Run.State.DONE)
    if Decision.objects.filter(run=run).exists():
        return
    seats = _seats(people, day)
    waiting = Break.objects.filter(opened_run=run, last_run=run, state=Break.State.REVIEW, kind=Break.Kind.DIFFERING)
    share = max(1, day.breaks // DECIDED_SHARE // 3)
    chosen: list[tuple[Waiting, str, str]] = [
        (waiting.filter(reason="SIGN_FLIP"), "approve", ""),
        (waiting.filter(reason="SCALE_ERR"), "reject", ""),
        (waiting.filter(band="UNKNOWN"), "override", REASONS[day.number % len(REASONS)]),
    ]
    for breaks, action, reason in chosen:
        _together(breaks, share, action, reason, next(seats))
    if reconciliation.four_eyes:
        proposed = Break.objects.filter(decisions__run=run, decisions__confirmed_by=None, state=Break.State.REVIEW)
        _together(proposed.filter(decisions__action="approve"), share, "approve", "", _supervisor(people, day))


def _seats(people: list[User], day: Day) -> Iterator[User]:
    """Whose turn it is: another person for each desk, day and bulk."""
    at = day.number * 15 + day.desk * 3
    while True:
        yield people[at % 34]
        at += 1


def _supervisor(people: list[User], day: Day) -> User:
    return people[34 + day.number % 12]


def _together(breaks: Waiting, count: int, action: str, reason: str, by: User) -> None:
    """Decide the first breaks of a query in bulk."""
    ids = list(breaks.order_by("pk").values_list("pk", flat=True)[:count])
    if not ids:
        return
    preview = choose_from(breaks=Break.objects.filter(pk__in=ids), by=by, told=f"{action} {reason}".strip())
    bulk = start_bulk(preview=preview, action=action, by=by, reason=reason, comment="Load", typed=str(len(ids)))
    if bulk.state != BulkDecision.State.DONE:
        work_on(bulk)
