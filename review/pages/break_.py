"""The break page and what a person does on it."""

from typing import Any

from django.contrib import messages
from django.db.models import Prefetch
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST

from attribution.models import Attribution, Candidate, Reason
from reconciliation.models import Break, Difference
from reconciliation.rules import GateRules
from review.decisions import DecisionRefused, confirm, decide, may_decide, waive
from review.models import Decision
from review.pages.comparison import comparison


def _visible(request: HttpRequest, pk: int) -> Break:
    related = (
        "reconciliation__a__record_type",
        "reconciliation__b",
        "last_run__rule_set",
        "last_run__reconciliation",
        "opened_run",
    )
    return get_object_or_404(Break.objects.visible_to(request.user).select_related(*related), pk=pk)


def break_(request: HttpRequest, pk: int) -> HttpResponse:
    """One break, whole."""
    return render(request, "review/break.html", _context(request, _visible(request, pk)))


def _context(request: HttpRequest, brk: Break) -> dict[str, Any]:
    attributions = Attribution.objects.filter(current=True).prefetch_related(
        Prefetch("candidates", Candidate.objects.select_related("reason"))
    )
    differences: list[Any] = list(
        brk.differences.filter(current=True).prefetch_related(Prefetch("attributions", attributions, to_attr="now"))
    )
    for difference in differences:
        difference.said = difference.now[0] if difference.now else None  # type: ignore[attr-defined]
        difference.shown = "the whole row" if difference.field == Difference.ROW else difference.field  # type: ignore[attr-defined]
    members = list(brk.members.filter(current=True).order_by("side", "position"))
    decisions = list(brk.decisions.select_related("proposed_by", "confirmed_by").order_by("-id"))
    compared = comparison(brk, members, differences)
    proposal = next((d for d in decisions if d.confirmed_by_id is None and not d.withdrawn), None)
    return {
        "brk": brk,
        "differences": differences,
        "rows": members,
        "compared": compared,
        "refusals": _refusals(request, brk),
        "threshold": GateRules.from_document(brk.last_run.rule_set.document.get("gate") or {}).confidence,
        "history": _history(brk, differences, decisions),
        "reasons": Reason.objects.filter(active=True).exclude(code="UNKNOWN").values_list("code", flat=True),
        "may_decide": may_decide(brk, request.user),  # type: ignore[arg-type]
        "proposal": proposal,
        "may_confirm": proposal
        and request.user.has_perm("review.change_decision")
        and proposal.proposed_by != request.user,  # type: ignore[union-attr]
        "decided": next((d for d in decisions if d.confirmed_by_id is not None), None),
        "consequence": _consequence(brk, compared.record),
    }


def _refusals(request: HttpRequest, brk: Break) -> list[Any]:
    waived = {w.condition: w.comment for w in brk.waivers.filter(fingerprint=brk.fingerprint)}  # type: ignore[attr-defined]
    refusals = list(brk.refusals.filter(current=True))
    may = request.user.has_perm("review.waive_check") and brk.state == Break.State.REVIEW  # type: ignore[union-attr]
    for refusal in refusals:
        refusal.waived = waived.get(refusal.condition, "")  # type: ignore[attr-defined]
        refusal.may_waive = may and refusal.condition.startswith("check:") and not refusal.waived  # type: ignore[attr-defined]
    return refusals


def _history(brk: Break, differences: list[Difference], decisions: list[Decision]) -> list[dict[str, Any]]:
    events = [
        {
            "at": brk.opened_at,
            "glyph": "split",
            "title": f"Opened by run {brk.opened_run_id}",
            "detail": brk.get_kind_display(),
        }
    ]
    for difference in differences:
        said = difference.said  # type: ignore[attr-defined]
        if said is not None:
            detail = f"{said.assigned_by.replace(':', ' ')}, run {said.run_id}"
            title = f"{difference.shown}: {said.reason_id} {said.confidence * 100:.0f} %"  # type: ignore[attr-defined]
            events.append({"at": said.assigned_at, "glyph": "spark", "title": title, "detail": detail})
    for decision in decisions:
        who = decision.confirmed_by or decision.proposed_by
        detail = " ".join(filter(None, [decision.reason, decision.comment]))
        at = decision.confirmed_at or decision.proposed_at
        events.append(
            {"at": at, "glyph": "user", "title": f"{decision.get_action_display()} by {who}", "detail": detail}
        )
    return sorted(events, key=lambda event: event["at"])


def _consequence(brk: Break, record: Any) -> str:  # noqa: ANN401
    if brk.kind == Break.Kind.DUPLICATE:
        return "Approve stores the row that you name; the others stay duplicates."
    if brk.amount is not None:
        return f"Approve stores {brk.amount:,.2f} {brk.currency}.".replace(" .", ".")
    return "Approve stores the proposed record."


@require_POST
def decide_break(request: HttpRequest, pk: int) -> HttpResponse:
    """Approve, override or reject."""
    brk = _visible(request, pk)
    given = {
        name.removeprefix("value:"): str(value) for name, value in request.POST.items() if name.startswith("value:")
    }
    member = request.POST.get("member", "")
    refused = ""
    try:
        decide(
            brk=brk,
            action=request.POST.get("action", ""),
            by=request.user,  # type: ignore[arg-type]
            reason=request.POST.get("reason", ""),
            values=_changed(brk, given),
            member=brk.members.filter(pk=int(member)).first() if member.isdigit() else None,
            comment=request.POST.get("comment", ""),
            expected_fingerprint=request.POST.get("fingerprint") or None,
        )
    except DecisionRefused as error:
        refused = str(error)
    return _answer(request, brk, refused)


def _changed(brk: Break, given: dict[str, str]) -> dict[str, str | None]:
    """The values that differ from the proposed ones."""
    if not given:
        return {}
    record = comparison(brk, list(brk.members.filter(current=True)), []).record
    return {name: value for name, value in given.items() if (record.get(name) or "") != value}


def _answer(request: HttpRequest, brk: Break, refused: str) -> HttpResponse:
    if request.htmx:  # type: ignore[attr-defined]
        return render(
            request, "review/break.html#whole", {**_context(request, _visible(request, brk.pk)), "refused": refused}
        )
    if refused:
        messages.error(request, refused, extra_tags="bad")
    return redirect("break", brk.pk)


@require_POST
def waive_check(request: HttpRequest, pk: int) -> HttpResponse:
    """Let a failed check be, with a comment."""
    brk, refused = _visible(request, pk), ""
    try:
        waive(
            brk=brk,
            condition=request.POST.get("condition", ""),
            by=request.user,  # type: ignore[arg-type]
            comment=request.POST.get("comment", ""),
        )  # type: ignore[arg-type]
    except DecisionRefused as error:
        refused = str(error)
    return _answer(request, brk, refused)


@require_POST
def confirm_decision(request: HttpRequest, pk: int) -> HttpResponse:
    """Confirm another person's proposal."""
    decision = get_object_or_404(Decision.objects.filter(brk__in=Break.objects.visible_to(request.user)), pk=pk)
    refused = ""
    try:
        confirm(decision=decision, by=request.user)  # type: ignore[arg-type]
    except DecisionRefused as error:
        refused = str(error)
    return _answer(request, decision.brk, refused)
