"""Assigning: who looks after a break. Anybody who may decide it still can; the log says whose it was."""

from collections.abc import Sequence

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from ingestion.alerts import raise_event
from ingestion.audit_log import record_event
from reconciliation.custody import seal_breaks
from reconciliation.models import Break, Reconciliation, Team
from reconciliation.models.reconciliation import SEES, SEES_ALL
from review.decisions.locks import lock_break
from review.decisions.refusals import DecisionRefused
from review.rights import DECIDES, PROGRAMS, who_sees, with_right

ME = "me"


class AssignRefused(DecisionRefused):
    """An assignment that cannot be; the text says why. Nothing was written."""


def deciders(reconciliations: Sequence[Reconciliation]) -> QuerySet[User]:
    """The people who may decide breaks of each of these reconciliations, whole or in part, by name."""
    people = User.objects.filter(with_right(DECIDES), with_right(SEES), is_active=True).exclude(groups__name=PROGRAMS)
    for it in reconciliations:
        if it.team_id is not None or it.scope:
            teams = Team.objects.filter(Q(pk=it.team_id) | Q(scopes__reconciliation=it))
            members = User.objects.filter(teams__in=teams)
            people = people.filter(Q(pk__in=members.values("pk")) | with_right(SEES_ALL))
    return people.order_by("username")


def deciders_of(brk: Break) -> QuerySet[User]:
    """The people who may decide a break, by name."""
    return deciders([brk.reconciliation]).filter(who_sees(brk))


def person_called(name: str, by: User) -> User | None:
    """Whom a name means: `me`, a user's name, nobody for an empty one. AssignRefused where there is no such person."""
    if not name:
        return None
    found = by if name == ME else User.objects.filter(username=name[:150].replace("\0", "")).first()
    if found is None:
        raise AssignRefused(f"There is no user {name[:40]!r}. Name one who may decide here, me, or nobody.")
    return found


def check_assignee(assignee: User | None, by: User, reconciliations: Sequence[Reconciliation]) -> None:
    """AssignRefused where this user may not assign, or that one may not decide there."""
    if not by.has_perm(DECIDES):
        raise AssignRefused("Analysts, Supervisors and Managers assign breaks. Ask one of them.")
    if assignee is None:
        return
    if not (assignee.is_active and assignee.has_perm(DECIDES)):
        raise AssignRefused(f"{assignee} may not decide breaks. Assign an Analyst, a Supervisor or a Manager.")
    seen = set(Reconciliation.objects.entered_by(assignee).values_list("pk", flat=True))
    for it in reconciliations:
        if it.pk not in seen:
            raise AssignRefused(f"{assignee} does not work on {it.title}. Assign somebody of its team.")


@transaction.atomic
def assign(*, brk: Break, to: User | None, by: User) -> Break:
    """Give a break to a person, or to nobody. AssignRefused says why it cannot be; what is so already is no event."""
    held = lock_break(brk.pk, stores=False)
    check_assignee(to, by, [held.reconciliation])
    if (refused := assign_all([held], to, by)[held.pk]) is not None:
        raise refused
    return held


def assign_all(breaks: Sequence[Break], to: User | None, by: User) -> dict[int, AssignRefused | None]:
    """Give locked breaks to a person of whom `check_assignee` was asked. By break what refused it, if anything."""
    ids = [brk.pk for brk in breaks]
    seen = set(Break.objects.visible_to(to).filter(pk__in=ids).values_list("pk", flat=True)) if to else set(ids)
    told = {brk.pk: _refusal(brk, to, is_seen=brk.pk in seen) for brk in breaks}
    moved = [brk for brk in breaks if told[brk.pk] is None and brk.assignee_id != (to and to.pk)]
    names = dict(User.objects.filter(pk__in={brk.assignee_id for brk in moved}).values_list("pk", "username"))
    Break.objects.filter(pk__in=[brk.pk for brk in moved]).update(assignee=to)
    seal_breaks([brk.pk for brk in moved])
    for brk in moved:
        before, brk.assignee = names.get(brk.assignee_id or 0), to
        record_event(
            "break.assigned", of=brk, by=by, name=f"{brk.reconciliation} {brk.key}", run=brk.last_run_id,
            reconciliation=brk.reconciliation_id, before={"assignee": before},
            after={"assignee": to.get_username() if to else None},
        )  # fmt: skip
    if to is not None and to != by and moved:
        _tell(to, by, len(moved))
    return told


def _tell(to: User, by: User, times: int) -> None:
    """One line for the person until they read it, however many breaks."""
    now = timezone.now()
    raise_event(
        event="break.assigned", mark="breaks", person=to, link=f"/queue/?assigned={ME}", occurrence=now.isoformat(),
        sentence=f"{by} assigned a break to you.", times=times, now=now,
    )  # fmt: skip


def _refusal(brk: Break, to: User | None, *, is_seen: bool) -> AssignRefused | None:
    if brk.state != Break.State.REVIEW:
        return AssignRefused(f"This break is {brk.get_state_display().lower()}; nobody has to look after it.")
    if not is_seen:
        return AssignRefused(f"{to} may not see this break. Assign somebody who may.")
    return None
