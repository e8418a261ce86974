"""Choosing quarantined rows for one answer: named ones, all that a filter lists, or those that an earlier answer reached."""

import datetime as dt
from collections.abc import Collection
from dataclasses import asdict

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from reconciliation.visibility import visible_sources
from review.models import BulkAnswer, BulkAnswerRow
from review.quarantined import Asked, narrowed, visible_rows
from review.repair_rules import RepairRefused

MOST = 10_000  # rows of one answer
KEPT = dt.timedelta(days=1)  # how long a preview that nobody used stays


class UnseenRow(Exception):
    """A named row is not there, or not for this user."""


def visible_answers(user: User) -> QuerySet[BulkAnswer]:
    """One's own, and those that were given, of sources that the user sees; the newest first."""
    sources = list(visible_sources(user).values_list("pk", flat=True))
    found = BulkAnswer.objects.filter(Q(asked_by=user) | Q(answered_at__isnull=False), sources__contained_by=sources)
    return found.select_related("asked_by").order_by("-id")


def given_answers(user: User) -> QuerySet[BulkAnswer]:
    """Of those the ones that were given, and are no previews."""
    return visible_answers(user).filter(answered_at__isnull=False)


def choose_rows(*, action: str, ids: Collection[int], by: User) -> BulkAnswer:
    """Freeze named rows. UnseenRow where one of them is not there for the user, RepairRefused for none or too many."""
    wanted = set(ids)
    _check_count(len(wanted))
    found = list(visible_rows(by).filter(pk__in=wanted).order_by("pk").values_list("pk", flat=True))
    if len(found) < len(wanted):
        raise UnseenRow
    return _freeze(action, found, by, f"{len(found):,} checked row{'' if len(found) == 1 else 's'}", {})


def choose_filtered(*, action: str, asked: Asked, by: User) -> BulkAnswer:
    """Freeze all rows that a filter lists now. RepairRefused for a filter that narrows to no source, date or reason, none or
    too many."""
    if not (asked.source or asked.date or asked.reason):
        raise RepairRefused("Narrow the list to a source, a date or a reason first; then answer all that match.")
    rows = narrowed(visible_rows(by), asked)
    found = list(rows.order_by("pk").values_list("pk", flat=True)[: MOST + 1])
    _check_count(len(found) if len(found) <= MOST else rows.count())
    filters = {name: str(value) for name, value in asdict(asked).items() if value}
    told = ", ".join(f'{name} "{value}"' if name == "reason" else f"{name} {value}" for name, value in filters.items())
    return _freeze(action, found, by, told, filters)


def choose_answered(*, action: str, of: BulkAnswer, by: User) -> BulkAnswer:
    """Freeze the rows that an earlier answer was given to: to confirm what it proposed, or to withdraw it."""
    found = list(of.results.filter(repair__isnull=False).order_by("row").values_list("row", flat=True))
    _check_count(len(found))
    return _freeze(action, found, by, f"the rows of answer {of.pk}", {})


def _check_count(count: int) -> None:
    if not count:
        raise RepairRefused("No row was chosen. Check the rows that you mean, or take all that match the filter.")
    if count > MOST:
        raise RepairRefused(
            f"That is {count:,} rows; one answer takes at most {MOST:,}. Narrow the filter, and give several."
        )


@transaction.atomic
def _freeze(action: str, ids: Collection[int], by: User, told: str, filters: dict[str, str]) -> BulkAnswer:
    now = timezone.now()
    _drop_old(now)
    sources = visible_sources(by).filter(deliveries__normalizations__quarantined_rows__in=ids).order_by("pk")
    answer = BulkAnswer.objects.create(
        action=action, told=told[:300], filters=filters, asked_by=by, asked_at=now, rows=len(ids),
        sources=list(sources.values_list("pk", flat=True).distinct()),
    )  # fmt: skip
    BulkAnswerRow.objects.bulk_create([BulkAnswerRow(answer=answer, row_id=pk) for pk in ids], batch_size=2000)
    return answer


def _drop_old(now: dt.datetime) -> None:
    """Previews that nobody used; one that is being answered just now is left."""
    old = BulkAnswer.objects.filter(answered_at=None, asked_at__lt=now - KEPT)
    found = list(old.select_for_update(skip_locked=True).values_list("pk", flat=True))
    BulkAnswerRow.objects.filter(answer__in=found).delete()
    BulkAnswer.objects.filter(pk__in=found).delete()
