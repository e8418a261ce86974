"""The break page and what a person does on it."""

import datetime as dt
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST

from attribution.why import speaks_by_model
from ingestion.audit_log import ACTIONS
from ingestion.person import person_of
from ingestion.prepared import PK, prepared
from reconciliation.models import Break, GateRefusal, Member, access_of
from review.audit_events import changes_between
from review.breaks.comparison import comparison
from review.breaks.explained import Explained, explained_differences, proof_sentences
from review.breaks.facts import Refusal, facts_of
from review.breaks.gate import gate_said
from review.breaks.shown import visible_break
from review.decisions import may_decide
from review.journey_breaks import care_events
from review.listed import moment
from review.models import Decision
from review.models.decision import UNDO_FOR
from review.pages.discussed import comments_context
from review.pages.next_break import filters
from review.pages.posted import posted_confirmation, posted_decision, posted_undo, posted_waiver, visible_decision
from review.rights import CONFIRMS, DECIDES
from review.undoing import way_to_undo

PREVIEW = "review/preview.html"


def break_(request: HttpRequest, pk: int) -> HttpResponse:
    """One break, whole."""
    return render(request, "review/break.html", break_context(request, visible_break(request, pk)))


def preview(request: HttpRequest, pk: int) -> HttpResponse:
    """One break beside the queue's list; a browser that asks for it alone gets the break's page."""
    brk = visible_break(request, pk)
    if not request.htmx:  # type: ignore[attr-defined]
        return redirect(brk)
    return render(request, PREVIEW, break_context(request, brk))


def break_context(request: HttpRequest, brk: Break) -> dict[str, Any]:
    """All that a page of a break shows, here and in the admin."""
    differences = explained_differences(brk)
    facts = facts_of(request, brk)
    refusals = facts.refusals
    members = prepared("rows of a break", _rows, {PK: brk.pk})
    decisions = prepared("decisions of a break", _decisions, {PK: brk.pk})
    for decision in decisions:
        decision.brk = brk
    failing = {it.condition.split(":")[1] for it in refusals if it.condition.startswith("check:")}
    compared = comparison(brk, members, {it.field for it in differences} | failing)
    is_open = (it for it in decisions if it.confirmed_by_id is None and not it.withdrawn)
    proposal = next((it for it in is_open if it.fingerprint == brk.fingerprint), None)
    is_own = proposal is not None and proposal.proposed_by == request.user
    confirms = request.user.has_perm(CONFIRMS)
    return {
        "brk": brk,
        "differences": differences,
        "sentences": proof_sentences(differences),
        "silent": [it.shown for it in differences if it.said is not None and not it.candidates],
        "a_model_spoke": any(it.said is not None and speaks_by_model(it.said.assigned_by) for it in differences),
        "rows": members,
        "compared": compared,
        "refusals": refusals,
        "gate": (gate := gate_said(brk, facts, differences, compared.record)),
        "threshold": gate.threshold,
        "decisions": decisions,
        "history": _history(brk, differences, decisions),
        "reasons": facts.reasons,
        "may_decide": may_decide(brk, person_of(request)),
        "proposal": proposal,
        "may_confirm": proposal and confirms and not is_own,
        "may_withdraw": proposal and (confirms or is_own),
        **_undoable(request, next((it for it in decisions if it.stands), None)),
        "consequence": _consequence(brk, refusals),
        "void": _void(decisions),
        "episodes": facts.episodes,
        "trail": [_trail(it) for it in facts.events],
        "filters": _filters(request),
        **comments_context(request, facts.comments),
    }


def _rows() -> QuerySet[Member]:
    of_break = Member.objects.filter(brk=PK, current=True)
    return of_break.with_fate().select_related("delivery").order_by("side", "position")


def _decisions() -> QuerySet[Decision]:
    of_break = Decision.objects.filter(brk=PK)
    return of_break.select_related("proposed_by", "confirmed_by", "undone_by").order_by("-id")


def _filters(request: HttpRequest) -> str:
    """The filters of the queue under which one came, of the page itself or of the one that asks for a part of it."""
    if not request.htmx:  # type: ignore[attr-defined]
        return filters(request.GET)
    return filters(QueryDict(urlsplit(request.htmx.current_url or "").query))  # type: ignore[attr-defined]


def _trail(event: Mapping[str, Any]) -> dict[str, Any]:
    """An event of the audit log, as the page lists it."""
    told = [(it.field, it.after or "") for it in changes_between(None, event["after"])]
    title = ACTIONS.get(event["action"], event["action"])
    return {"sequence": event["sequence"], "at": moment(event["at"]), "who": event["actor_name"], "title": title,
            "told": told, "door": event["door"]}  # fmt: skip


def _void(decisions: list[Decision]) -> Decision | None:
    """The newest decision where it is a proposal that became void."""
    return decisions[0] if decisions and decisions[0].void_because is not None else None


Step = dict[str, Any]  # of a break's history: when, its glyph, title and detail, and an id where it is linked to


def _history(brk: Break, differences: list[Explained], decisions: list[Decision]) -> list[Step]:
    """What became of a break, oldest first."""
    opened = _step(brk.opened_at, "split", f"Opened by run {brk.opened_run_id}", brk.get_kind_display())
    cared = (_step(it.at, it.glyph, it.title, f"{it.who}. {it.detail}".strip()) for it in care_events(brk))
    steps = [opened, *_said(differences), *_decided(decisions), *cared]
    return sorted(steps, key=lambda it: it["at"])


def _step(at: dt.datetime, glyph: str, title: str, detail: str, **more: str) -> Step:
    return {"at": at, "glyph": glyph, "title": title, "detail": detail, **more}


def _said(differences: list[Explained]) -> Iterator[Step]:
    for it in differences:
        if (said := it.said) is not None:
            title = f"{it.shown}: {said.reason_id} {said.confidence * 100:.0f} %"
            yield _step(said.assigned_at, "spark", title, f"{said.assigned_by.replace(':', ' ')}, run {said.run_id}")


def _decided(decisions: list[Decision]) -> Iterator[Step]:
    for it in decisions:
        title = f"{it.told.removesuffix(', undone')} by {it.confirmed_by or it.proposed_by}"
        if it.confirmed_by_id not in (None, it.proposed_by_id):
            title += f", proposed by {it.proposed_by}"
        yield _step(it.confirmed_at or it.proposed_at, "user", title, it.comment, id=f"decision-{it.pk}")
        if it.undone_at is not None:
            yield _step(it.undone_at, "user", f"Decision {it.pk} undone by {it.undone_by}", it.undo_comment or "")


def _consequence(brk: Break, refusals: list[Refusal]) -> str:
    if any(it.condition.startswith("check:") and not it.waived for it in refusals):
        return "A check fails. Override the value, or let a Manager waive the check."
    if any(it.condition == GateRefusal.AUDIT for it in refusals):
        return "The store holds it as it passed. Approve keeps that, override stores a corrected version, reject takes it out."
    if brk.kind == Break.Kind.DUPLICATE:
        return "Approve stores the row that you name; the others stay duplicates."
    if brk.amount is not None:
        return f"Approve stores {brk.amount:,.2f} {brk.currency}.".replace(" .", ".")
    return "Approve stores the proposed record."


@require_POST
@permission_required(DECIDES, raise_exception=True)
def decide_break(request: HttpRequest, pk: int) -> HttpResponse:
    """Approve, override or reject."""
    seen = access_of(request.user)
    found = prepared(("break to decide", seen), lambda: Break.objects.filter(seen.holds(), pk=PK), {PK: pk})
    if not found:
        raise Http404
    return decided(request, found[0], *posted_decision(request, found[0]))


@require_POST
@permission_required("review.waive_check", raise_exception=True)
def waive_check(request: HttpRequest, pk: int) -> HttpResponse:
    """Let a failed check be, with a comment."""
    brk = visible_break(request, pk)
    return answer(request, brk, posted_waiver(request, brk))


@require_POST
@permission_required(DECIDES, raise_exception=True)
def confirm_decision(request: HttpRequest, pk: int) -> HttpResponse:
    """Confirm another person's proposal, or withdraw one."""
    decision = visible_decision(request, pk)
    return decided(request, decision.brk, *posted_confirmation(request, decision))


@require_POST
@permission_required(DECIDES, raise_exception=True)
def undo_decision(request: HttpRequest, pk: int) -> HttpResponse:
    """Undo a final decision."""
    decision = visible_decision(request, pk)
    return answer(request, decision.brk, posted_undo(request, decision))


def decided(request: HttpRequest, brk: Break, refused: str, made: Decision | None) -> HttpResponse:
    """The answer to a decision: beside the queue's list a final one is only said, since the next row takes its place there."""
    if made is None or not made.stands or not _is_beside_the_list(request):
        return answer(request, brk, refused)
    said = {"brk": made.brk, "said": f"{made.brk.key}: {made.told}.", "filters": _filters(request)}
    return render(request, PREVIEW, {**said, **_undoable(request, made)})


def _is_beside_the_list(request: HttpRequest) -> bool:
    return bool(request.htmx) and request.htmx.target == "preview"  # type: ignore[attr-defined]


def _undoable(request: HttpRequest, decision: Decision | None) -> dict[str, Any]:
    """The decision that stands, and how its user may undo it."""
    undo = way_to_undo(decision, person_of(request)) if decision else ""
    return {"decided": decision, "undo": undo, "undo_seconds": int(UNDO_FOR.total_seconds())}


def answer(request: HttpRequest, brk: Break, refused: str, said: str = "") -> HttpResponse:
    """The break anew after what was done to it, or the sentence that refused it; `said` tells what was done, else its newest
    decision does."""
    if request.htmx:  # type: ignore[attr-defined]
        context = break_context(request, visible_break(request, brk.pk))
        context["said"] = (
            f"{brk.key}: {said or (context['decisions'][0].told if context['decisions'] else 'as it was')}."
        )
        place = PREVIEW if _is_beside_the_list(request) else "review/break.html#whole"
        return render(request, place, {**context, "refused": refused})
    if refused:
        messages.error(request, refused, extra_tags="bad")
    return redirect("break", brk.pk)
