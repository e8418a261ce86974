"""What a form on a break's page posts, carried out. Each function gives the sentence that refused it, or nothing; of
decisions also the one that was made."""

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django.shortcuts import get_object_or_404
from django.utils import timezone

from ingestion.person import person_of
from reconciliation.models import Break, Member
from review.decisions import AlreadyDecided, DecisionRefused, OwnProposal, confirm, decide, waive, withdraw
from review.decisions.records import first_rows, proposed_record
from review.ids import id_of
from review.models import Decision
from review.models.decision import UNDO_FOR
from review.nul import NO_NUL
from review.undoing import undo

VALUE = "value:"  # a form's input of a field's value is called so, then the field
Decided = tuple[str, Decision | None]


def visible_decision(request: HttpRequest, pk: int) -> Decision:
    """A decision about a break that the user may see; 404 for any other."""
    return get_object_or_404(Decision.objects.filter(brk__in=Break.objects.visible_to(request.user)), pk=pk)


def posted_decision(request: HttpRequest, brk: Break) -> Decided:
    """Approve, override or reject a break."""
    if holds_nul(request):
        return NO_NUL, None
    try:
        made = decide(
            brk=brk,
            action=request.POST.get("action", ""),
            by=person_of(request),
            reason=request.POST.get("reason", ""),
            values=_changed(brk, request),
            member=_named_row(brk, request.POST.get("member", "")),
            comment=request.POST.get("comment", ""),
            expected_fingerprint=request.POST.get("fingerprint") or None,
        )
    except AlreadyDecided as error:
        return ("", error.decision) if _is_own_click(request, error.decision) else (str(error), None)
    except DecisionRefused as error:
        return str(error), None
    return "", made


def _named_row(brk: Break, given: str) -> Member | None:
    return brk.members.filter(pk=id_of(given)).first() if given else None


def _is_own_click(request: HttpRequest, decision: Decision | None) -> bool:
    """Whether the same person did the same a moment ago: the second click of two, of which the first did it all."""
    if decision is None or decision.withdrawn or decision.undone_at is not None:
        return False
    at, by = decision.confirmed_at or decision.proposed_at, decision.confirmed_by_id or decision.proposed_by_id
    same = decision.action == request.POST.get("action") and decision.reason == request.POST.get("reason", "")
    return same and by == request.user.pk and timezone.now() <= at + UNDO_FOR


def holds_nul(request: HttpRequest) -> bool:
    """Whether a posted text cannot be kept."""
    return any("\0" in str(text) for text in request.POST.values())


def _changed(brk: Break, request: HttpRequest) -> dict[str, str | None]:
    """The values that differ from the proposed ones."""
    given = {name.removeprefix(VALUE): str(value) for name, value in request.POST.items() if name.startswith(VALUE)}
    if not given:
        return {}
    record = proposed_record(brk, first_rows(brk))
    return {name: value for name, value in given.items() if (record.get(name) or "") != value}


def posted_waiver(request: HttpRequest, brk: Break) -> str:
    """Let a failed check of a break be."""
    if holds_nul(request):
        return NO_NUL
    try:
        waive(
            brk=brk,
            condition=request.POST.get("condition", ""),
            by=person_of(request),
            comment=request.POST.get("comment", ""),
        )
    except DecisionRefused as error:
        return str(error)
    return ""


def posted_confirmation(request: HttpRequest, decision: Decision) -> Decided:
    """Confirm another person's proposal, or withdraw one; who confirms their own is not let in at all."""
    act = withdraw if request.POST.get("action") == "withdraw" else confirm
    try:
        return "", act(decision=decision, by=person_of(request))
    except OwnProposal as error:
        raise PermissionDenied(str(error)) from None
    except DecisionRefused as error:
        return str(error), None


def posted_undo(request: HttpRequest, decision: Decision) -> str:
    """Undo a final decision."""
    try:
        undo(decision=decision, by=person_of(request), comment=request.POST.get("comment", ""))
    except DecisionRefused as error:
        return str(error)
    return ""
