"""Choosing breaks for a bulk decision: checked rows, or a whole filter of the queue, frozen with their values of that moment."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from ingestion.suggestion import nearest_end
from reconciliation.holds import return_due
from reconciliation.models import Break
from review.ids import id_of
from review.incidents.standing import signature_text, waiting_of
from review.models import BulkPreview, Incident
from review.query import FILTERS, BadQuery, asked_of, known_to
from review.query.apply import asked_for

MOST = 10_000  # rows of one bulk
KEPT = dt.timedelta(days=1)  # how long a preview that nobody used stays


class BadSelection(Exception):
    """Breaks that cannot be chosen so; the text says why, and what to do."""


class NotAllVisible(Exception):
    """A break of the selection is not there, or not for this user."""


@dataclass(frozen=True)
class Picked:
    """A checked row: the break, and the fingerprint that stood beside it; empty where none did."""

    pk: int
    fingerprint: str = ""

    @classmethod
    def from_text(cls, text: str) -> "Picked":
        """From `12` or `12:FINGERPRINT`, as a checkbox has it."""
        number, _, fingerprint = text.partition(":")
        return cls(id_of(number), fingerprint[:32])


def choose_rows(*, picked: Sequence[Picked], by: User, told: str = "", incident: int | None = None) -> BulkPreview:
    """Freeze checked rows. NotAllVisible where the user may not see one of them, BadSelection for none or too many."""
    wanted = {it.pk: it.fingerprint for it in picked}
    if not wanted:
        raise BadSelection("No break was chosen. Check the rows that you mean, or take the whole filter.")
    _check_count(len(wanted))
    found = dict(Break.objects.visible_to(by).filter(pk__in=wanted).values_list("pk", "fingerprint"))
    if len(found) < len(wanted):
        raise NotAllVisible
    chosen = [(pk, wanted[pk] or found[pk]) for pk in sorted(wanted)]
    many = f"{len(chosen):,} checked break{'s' if len(chosen) > 1 else ''}"
    return _freeze(chosen, by, told or many, incident)


def choose_filtered(*, query: Mapping[str, str], by: User) -> BulkPreview:
    """Freeze all breaks that the queue lists for an address. BadSelection for what it cannot ask, for none or too many."""
    for name in query:
        if name not in FILTERS:
            raise BadSelection(f"The queue has no filter {name[:40]!r}{nearest_end(name, FILTERS)}")
    return_due(timezone.now())
    try:
        asked = asked_of(query, known_to(by))
    except BadQuery as error:
        raise BadSelection(str(error)) from None
    told = f"Filter {asked.text or 'state:review'}"
    return choose_from(breaks=asked_for(Break.objects.visible_to(by), asked, by.pk), by=by, told=told)


def choose_incident(*, incident: Incident, by: User) -> BulkPreview:
    """Freeze what waits of an incident that the user may see."""
    told = f"Incident {incident.pk}: {incident.reason or 'no reason'}, {signature_text(incident)}"
    return choose_from(breaks=waiting_of(incident), by=by, told=told, incident=incident.pk)


def choose_from(*, breaks: QuerySet[Break], by: User, told: str, incident: int | None = None) -> BulkPreview:
    """Freeze what a query finds, which has to be bounded by what the user may see."""
    chosen = list(breaks.order_by("pk").values_list("pk", "fingerprint")[: MOST + 1])
    if not chosen:
        raise BadSelection("No break stands there now. Nothing was chosen.")
    _check_count(len(chosen) if len(chosen) <= MOST else breaks.count())
    return _freeze(chosen, by, told, incident)


def _check_count(count: int) -> None:
    if count > MOST:
        raise BadSelection(
            f"That is {count:,} breaks; one bulk takes at most {MOST:,}. Narrow the filter, and take several."
        )


@transaction.atomic
def _freeze(chosen: Sequence[tuple[int, str]], by: User, told: str, incident: int | None) -> BulkPreview:
    now = timezone.now()
    BulkPreview.objects.filter(made_at__lt=now - KEPT).delete()
    documents = [{"id": pk, "fingerprint": fingerprint} for pk, fingerprint in chosen]
    return BulkPreview.objects.create(made_by=by, made_at=now, told=told[:300], chosen=documents, incident=incident)
