"""Whether a person may decide a break so: the right, the action, what the break allows."""

from collections.abc import Mapping

from django.contrib.auth.models import User
from django.db.models import QuerySet

from attribution.models import Reason
from ingestion.prepared import PK, prepared
from ingestion.suggestion import nearest_end
from reconciliation.models import Break, GateRefusal, Member
from review.decisions.refusals import AlreadyDecided, DecisionRefused, told_of
from review.models import Decision
from review.rights import DECIDES

Action = Decision.Action


def may_decide(brk: Break, by: User) -> bool:
    """Whether a user has the right to decide a break that stands in review."""
    return by.has_perm(DECIDES) and brk.state == Break.State.REVIEW


def check_right(brk: Break, by: User, expected: str | None) -> None:
    """DecisionRefused where this user may not decide the break, or not as it stands; `expected` is the fingerprint that was seen."""
    if not by.has_perm(DECIDES):
        raise DecisionRefused("Analysts, Supervisors and Managers decide breaks. Ask one of them.")
    if brk.state in (Break.State.APPROVED, Break.State.REJECTED):
        final = brk.decisions.select_related("confirmed_by", "proposed_by")
        last = final.filter(confirmed_by__isnull=False, undone_by=None).first()
        raise AlreadyDecided(f"This break was decided already{f' {told_of(last)}' if last else ''}.", last)
    if brk.state != Break.State.REVIEW:
        raise AlreadyDecided(f"This break is {brk.get_state_display().lower()}; there is nothing to decide.")
    if expected is not None and expected != brk.fingerprint:
        raise AlreadyDecided("The values changed since you opened this break. Look at it again.")


def check_action(action: str, reason: str, values: Mapping[str, str | None]) -> None:
    """DecisionRefused where no break could be decided so."""
    if action not in Action.values:
        raise DecisionRefused(f"There is no action {action!r}. There is approve, override and reject.")
    codes = Reason.objects.filter(active=True).values_list("code", flat=True)
    if reason and reason not in codes:
        raise DecisionRefused(f"There is no active reason {reason[:40]!r}{nearest_end(reason, codes)}")
    if reason == "UNKNOWN":
        raise DecisionRefused("UNKNOWN is no reason. Name the reason, or leave it out.")
    if action == Action.OVERRIDE and not reason and not values:
        raise DecisionRefused("An override gives a reason, a value, or both.")


def check_fit(brk: Break, action: str, member: Member | None) -> None:
    """DecisionRefused where this break cannot be decided so."""
    if member is not None and (member.brk_id != brk.pk or not member.current):
        raise DecisionRefused("That row does not stand in this break. Look at it again, and name one of its rows.")
    if brk.kind == Break.Kind.DUPLICATE and action != Action.REJECT and member is None:
        raise DecisionRefused("Name the row that is right: a duplicate has several.")


def rejects_a_pass(brk: Break, action: str) -> bool:
    """Whether this rejects a break that had passed before an audit sent it back: then the store holds its record."""
    return action == Action.REJECT and bool(prepared("audits that sent back", _sent_back, {PK: brk.pk}))


def _sent_back() -> QuerySet[GateRefusal, tuple[int]]:
    return GateRefusal.objects.filter(brk=PK, condition=GateRefusal.AUDIT, current=True).values_list("pk")[:1]
