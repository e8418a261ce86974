"""Second opinions: another person says, without seeing what was said before, why a difference is there.

The same reason releases the label that waited. Another reason takes its place: two people looked, and the second one saw the values
alone. The decision itself stays as it is.
"""

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser, User
from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone

from attribution.corrections import NO_LABEL
from attribution.models import Correction, Reason, SecondOpinion
from ingestion import custody
from ingestion.audit_log import record_event
from reconciliation.models import Break, access_of
from review.models import Decision
from review.nul import NO_NUL_IN_COMMENT

GIVES = "attribution.change_secondopinion"
OF_OPINION = "correction__difference__brk__"  # the way from an opinion to its break


class OpinionRefused(Exception):
    """An answer that cannot be; the text says why, and what helps. Nothing was written."""


class AlreadyAnswered(OpinionRefused):
    """Another person answered first, or the label is gone."""


def visible_opinions(user: AbstractBaseUser | AnonymousUser) -> QuerySet[SecondOpinion]:
    """Those about breaks that the user may see."""
    return SecondOpinion.objects.filter(access_of(user).holds(OF_OPINION))


def open_opinions(user: AbstractBaseUser | AnonymousUser) -> QuerySet[SecondOpinion]:
    """Those that wait, but for the user's own labels, in any reconciliation."""
    waiting = SecondOpinion.objects.filter(answered_at=None, correction__waiting_since__isnull=False)
    own = Decision.objects.filter(pk=OuterRef("correction__decision"), proposed_by=user.pk)
    return waiting.exclude(said_by=user.get_username()).exclude(Exists(own))


@transaction.atomic
def answer_opinion(*, opinion: SecondOpinion, reason: str, by: User, comment: str = "") -> SecondOpinion:
    """Give a second opinion: the label that waited counts from now on, with this reason."""
    if not by.has_perm(GIVES):
        raise OpinionRefused("Analysts, Supervisors and Managers give second opinions. Ask one of them.")
    opinion = _locked(opinion)
    if opinion.answered_at is not None:
        raise AlreadyAnswered(f"{opinion.answered_by} gave the second opinion on this label already.")
    if opinion.correction.waiting_since is None:
        raise AlreadyAnswered("This label was taken back or replaced since, so nobody has to look at it any more.")
    if not open_opinions(by).filter(pk=opinion.pk).exists():
        raise OpinionRefused("Nobody gives the second opinion on their own label. Another person must.")
    if reason in NO_LABEL or not Reason.objects.filter(code=reason, active=True).exists():
        raise OpinionRefused(f"There is no active reason {reason!r} to learn from. Choose one of the list.")
    if "\0" in comment:
        raise OpinionRefused(NO_NUL_IN_COMMENT)
    opinion.reason_id, opinion.comment = reason, comment.strip()
    opinion.answered_by, opinion.answered_at = by.get_username(), timezone.now()
    opinion.save(update_fields=["reason", "comment", "answered_by", "answered_at"])
    custody.seal([opinion])
    difference, said = opinion.correction.difference, opinion.correction.reason_id
    _settle(opinion.correction, opinion)
    record_event(
        "opinion.given",
        of=opinion,
        by=by,
        name=f"{difference.brk.key} {difference.field}",
        reconciliation=difference.brk.reconciliation_id,
        before={"reason": said},
        after={"reason": reason, "comment": opinion.comment},
    )
    return opinion


def _locked(opinion: SecondOpinion) -> SecondOpinion:
    """The opinion and its label as they stand, after whoever works on the break has ended."""
    brk = Break.objects.filter(differences__corrections__opinion=opinion.pk).values_list("pk", flat=True).get()
    Break.objects.select_for_update().get(pk=brk)
    return SecondOpinion.objects.select_related("correction__difference__brk").get(pk=opinion.pk)


def _settle(label: Correction, opinion: SecondOpinion) -> None:
    label.waiting_since, label.active = None, label.reason_id == opinion.reason_id
    label.save(update_fields=["waiting_since", "active"])
    custody.seal([label])
    if label.active:
        return
    assert opinion.reason_id is not None and opinion.answered_at is not None
    other = Correction.objects.create(
        difference_id=label.difference_id,
        reason_id=opinion.reason_id,
        predicted=label.predicted,
        decision=label.decision,
        confirmed_by=opinion.answered_by,
        confirmed_at=opinion.answered_at,
        before_id=label.before_id,
        replaced=label,
    )
    custody.seal([other])
