"""Blind audits: what a person says of a record that passed. A confirmed wrong pass comes back for review."""

from collections.abc import Mapping, Sequence

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from attribution.corrections import NO_LABEL, Confirmed, record_corrections
from attribution.guard import judge_gate
from attribution.models import AuditAnswer, AuditReason, Correction, Draw, Reason
from ingestion import custody
from ingestion.audit_log import record_event
from reconciliation.custody import seal_breaks
from reconciliation.models import Break, Difference, GateRefusal, Member, access_of
from review.decisions.changes import rows_seen
from review.models import Decision

ANSWERS = "attribution.add_auditanswer"


class AuditRefused(Exception):
    """An answer that cannot be; the text says why. Nothing was written."""


def waiting_for(by: User) -> QuerySet[Draw]:
    """The audits that a person may answer now, oldest first; not what they decided or answered themselves. Whether another
    person answered one already is not told: that person's answer would be half known."""
    audits = Draw.objects.filter(access_of(by).holds("brk__", of="run__"), purpose=Draw.Purpose.AUDIT)
    settled = AuditAnswer.objects.filter(Q(counts=True) | Q(answered_by=by), draw=OuterRef("pk"))
    decided = Decision.objects.filter(Q(proposed_by=by) | Q(confirmed_by=by), brk=OuterRef("brk"))
    labelled = Correction.objects.filter(difference__brk=OuterRef("brk"), confirmed_by=by.get_username())
    return audits.exclude(Exists(settled)).exclude(Exists(decided)).exclude(Exists(labelled)).order_by("pk")


def differences_of(draw: Draw) -> list[Difference]:
    """The differences that the run judged, also where later values replaced them."""
    judged = Difference.objects.filter(brk=draw.brk_id, attributions__run=draw.run_id).distinct()
    return list(judged.order_by("id"))


def rows_of(draw: Draw) -> list[Member]:
    """The first row of each side as they stood in the break when it was drawn."""
    newest = rows_seen(draw.brk_id, draw.run_id)
    return [newest[side] for side in sorted(newest)]


@transaction.atomic
def answer_audit(*, draw: Draw, by: User, reasons: Mapping[int, str] | None, comment: str = "") -> AuditAnswer:
    """Take a person's reason for each difference (by its id), or None from who cannot tell. That every cause is functional counts
    at once; that one is not, or that the person cannot tell, waits for another person, whose answer counts. What counts becomes
    corrections, and the gate is judged anew; where the second person cannot tell either, the pass counts as wrong."""
    if not by.has_perm(ANSWERS):
        raise AuditRefused("Analysts, Supervisors and Managers audit. Ask one of them.")
    brk = Break.objects.select_for_update().get(pk=draw.brk_id)
    draw = Draw.objects.select_for_update().get(pk=draw.pk)
    _may_answer(draw, by)
    differences = differences_of(draw)
    named = _named(differences, reasons) if reasons is not None else {}
    before = draw.answers.count()
    functional = all(reason.functional for reason in named.values()) if reasons is not None else None
    answer = AuditAnswer.objects.create(
        draw=draw, number=before + 1, functional=functional, counts=bool(functional) or before > 0, comment=comment.strip(),
        answered_by=by, answered_at=timezone.now(),
    )  # fmt: skip
    given = [AuditReason(answer=answer, difference=it, reason=named[it.pk]) for it in differences if it.pk in named]
    custody.seal([answer])
    custody.seal(AuditReason.objects.bulk_create(given))
    record_event(
        "audit.answered", of=brk, by=by, run=draw.run_id, reconciliation=brk.reconciliation_id,
        after={"answer": answer.number, "functional": functional, "counts": answer.counts, "comment": answer.comment},
    )  # fmt: skip
    if answer.counts:
        _settle(answer, brk, draw, differences, {it: named[it.pk] for it in differences if it.pk in named})
        judge_gate(brk.reconciliation)
    return answer


def _may_answer(draw: Draw, by: User) -> None:
    if draw.purpose != Draw.Purpose.AUDIT or draw.answers.filter(counts=True).exists():
        raise AuditRefused("This audit is settled already. Take the next one.")
    if not waiting_for(by).filter(pk=draw.pk).exists():
        raise AuditRefused("You decided, labelled or audited this record before. Another person audits it.")


def _named(differences: Sequence[Difference], reasons: Mapping[int, str]) -> dict[int, Reason]:
    """A reason in use for each difference; AuditRefused where one is missing."""
    known = {it.code: it for it in Reason.objects.filter(active=True).exclude(code__in=NO_LABEL)}
    for difference in differences:
        if (code := reasons.get(difference.pk, "")) not in known:
            said = f"There is no active reason {code!r}" if code else "No reason is given"
            raise AuditRefused(f"{said} for {difference.field}. Name one for each difference.")
    return {it.pk: known[reasons[it.pk]] for it in differences}


def _settle(
    answer: AuditAnswer, brk: Break, draw: Draw, differences: Sequence[Difference], named: Mapping[Difference, Reason]
) -> None:
    """Labels, unless a person's decision stands; a wrong pass goes back where the record is still as it passed."""
    standing = Correction.objects.standing().filter(difference__in=named, decision__isnull=False)
    decided = set(standing.values_list("difference", flat=True))
    new = [Confirmed(it, reason.code, None, draw.run) for it, reason in named.items() if it.pk not in decided]
    record_corrections(new, answer.answered_by.get_username())
    if brk.state == Break.State.PASSED and all(it.current for it in differences):
        wrong = [reason.code for reason in named.values() if not reason.functional]
        brk.reason = (wrong or [*(reason.code for reason in named.values()), brk.reason])[0]
        if not answer.functional:
            _send_back(brk, named)
        brk.save(update_fields=["state", "closed_at", "closed_because", "reason"])
    seal_breaks([brk.pk])


def _send_back(brk: Break, named: Mapping[Difference, Reason]) -> None:
    """The break waits for a person again. The store keeps what passed until that person approves it or gives other values."""
    brk.state, brk.closed_at, brk.closed_because = Break.State.REVIEW, None, ""
    causes = ", ".join(f"{it.field} {reason.code}" for it, reason in named.items() if not reason.functional)
    GateRefusal.objects.create(
        brk=brk,
        run=brk.last_run,
        condition=GateRefusal.AUDIT,
        sentence=f"Two people who did not know why it passed {'find a cause that is not' if causes else 'find no cause that is'} functional.",
        detail=f"{f'{causes}. ' if causes else ''}The store holds the record as it passed."[:1000],
    )


def told(answer: AuditAnswer) -> str:
    """What follows from an answer, in one sentence."""
    key = answer.draw.brk.key
    if not answer.counts:
        return f"{key}: another person is asked before this counts."
    if answer.functional:
        return f"{key}: the pass was right. Your reasons are labels now."
    back = " The record is in the queue again, and the store keeps it until somebody decides."
    said = (
        "two people cannot tell why it passed, which counts as wrong"
        if answer.functional is None
        else "the pass was wrong, two people say"
    )
    return f"{key}: {said}.{back if answer.draw.brk.state == Break.State.REVIEW else ''}"
