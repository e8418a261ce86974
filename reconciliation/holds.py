"""The end of holds, whoever brings it: the break has the band again that it had before."""

import datetime as dt
from collections.abc import Sequence

from django.contrib.auth.models import User
from django.db import connection, transaction
from django.db.models import Count, QuerySet
from django.utils import timezone

from ingestion import custody
from ingestion.alerts import raise_event
from ingestion.prepared import MOMENT, prepared
from reconciliation.custody import seal_breaks
from reconciliation.models import Break, Hold

HELD = "held"  # the band of a break on hold, which is in review as any other
DATE_CAME, TAKEN_OFF, DECIDED, HELD_ANEW = "its date came", "taken off", "decided", "held anew"
AT_ONCE = 1000

_END = """
WITH ended AS (
    UPDATE reconciliation_hold SET ended_at = %(now)s, ended_because = %(because)s, ended_by_id = %(by)s
    WHERE break_id = ANY(%(breaks)s) AND ended_at IS NULL RETURNING id, break_id, band
), back AS (
    UPDATE reconciliation_break b SET band = e.band FROM ended e WHERE b.id = e.break_id AND b.band = 'held'
)
SELECT id, break_id, band FROM ended
"""


def end_holds(breaks: Sequence[int], because: str, by: int | None = None) -> dict[int, str]:
    """End the open holds of locked breaks, which the caller seals. Gives the bands that they have again; who changed a break's
    band since, as a run does, changed it for good."""
    if not breaks:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(_END, {"now": timezone.now(), "because": because, "by": by, "breaks": list(breaks)})
        ended = cursor.fetchall()
    custody.seal_ids(Hold._meta.db_table, [row[0] for row in ended])
    return {brk: band for _, brk, band in ended}


def end_hold(brk: Break, because: str, by: int | None = None) -> None:
    """End the hold of a locked break, if it is on hold."""
    if brk.band == HELD:
        brk.band = end_holds([brk.pk], because, by).get(brk.pk, brk.band)
        seal_breaks([brk.pk])


def return_due(now: dt.datetime) -> int:
    """Let breaks return whose date has come, but for those that somebody works on just now. Gives how many. Whoever lists breaks
    asks for it, so that no list hides what is due because beat stands still."""
    if not (ids := prepared("breaks that return", _returning, {MOMENT: now})):
        return 0
    with transaction.atomic():
        free = Break.objects.select_for_update(skip_locked=True).filter(pk__in=ids, band=HELD)
        held = list(free.order_by("pk").values_list("pk", flat=True))
        waiting = _due(now).order_by().filter(brk__in=held).values("held_by").annotate(times=Count("pk"))
        told = {it["held_by"]: it["times"] for it in waiting}
        end_holds(held, DATE_CAME)
        seal_breaks(held)
        for person in User.objects.filter(pk__in=told):
            _tell(person, told[person.pk], now)
    return len(held)


def _due(now: dt.datetime) -> QuerySet[Hold]:
    return Hold.objects.filter(ended_at=None, until__lte=now).order_by("until")


def _returning() -> QuerySet[Hold, int]:
    return _due(MOMENT).values_list("brk_id", flat=True)[:AT_ONCE]


def _tell(person: User, times: int, now: dt.datetime) -> None:
    """One line for who held them, until it is read."""
    raise_event(
        event="break.returned", mark="breaks", person=person, sentence="A break that you put on hold waits again.",
        link="/queue/", occurrence=now.isoformat(), times=times, now=now,
    )  # fmt: skip
