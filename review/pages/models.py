"""The model registry as pages: what was trained, how good it is, who speaks; promotion and the way back."""

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST

from attribution.certificates import valid_certificate
from attribution.champions import promote, roll_back
from attribution.drift import drift_panel
from attribution.guard import Standing, standing_of, standings
from attribution.meter import Meter, next_certificate, next_certificates
from attribution.models import ModelVersion, Reason, Training
from attribution.promotion import verdict_of
from attribution.registry import PromotionRefused, champion_of
from attribution.statistics.audit_test import TRIPS
from attribution.trainer import ask_training, ring_trainer
from attribution.training import BY_HAND, TrainingRefused
from ingestion.person import person_of
from reconciliation.models import Reconciliation
from reconciliation.rules import GateRules
from review.pages.model_grounds import registry_history, rungs
from review.pages.model_numbers import Share, calibration, confusion, share_of, what_if
from review.visible import visible_reconciliations

SHOWN = 200
TRAININGS = 8
WHAT_IF = "what-if"  # the part of the page that a threshold changes


def models(request: HttpRequest) -> HttpResponse:
    """The models of every reconciliation, newest first."""
    found = _visible(request).order_by("reconciliation__code", "-version")[:SHOWN]
    mine = visible_reconciliations(request)
    trainings = Training.objects.filter(reconciliation__in=[it.pk for it in mine]).select_related(
        "model", "reconciliation"
    )
    context = {
        "models": [(it, _passes(it.metrics.get("gate"))) for it in found],
        "gates": _gates(found),
        "trainings": trainings.order_by("-id")[:TRAININGS],
        "trainable": mine if request.user.has_perm("attribution.add_training") else [],
    }
    return render(request, "review/models.html", context)


def _gates(models: Iterable[ModelVersion]) -> list[tuple[Standing, Meter | None]]:
    """Where the gates of those stand that have a model, and how far each is from its next certificate."""
    learned = list({it.reconciliation_id: it.reconciliation for it in models}.values())
    meters = next_certificates(learned)
    return [(it, meters.get(it.reconciliation.pk)) for it in standings(learned)] if learned else []


def _visible(request: HttpRequest) -> QuerySet[ModelVersion]:
    mine = [it.pk for it in visible_reconciliations(request)]
    return ModelVersion.objects.filter(reconciliation__in=mine).select_related("reconciliation", "replaced", "parent")


def model_page(request: HttpRequest, pk: int) -> HttpResponse:
    """One model: its numbers on later labels, beside those of the provers."""
    model = get_object_or_404(_visible(request), pk=pk)
    gate, functional = _gate_rules(model), dict(Reason.objects.values_list("code", "functional"))
    certificate = valid_certificate(model, Decimal(gate.budget)) if gate.budget else None
    in_force = float(certificate.threshold if certificate else gate.confidence)
    asked = _share_in(request.GET.get("threshold", ""))
    context = {
        "model": model,
        "told": model.metrics,
        "certified": certificate,
        "what_if": what_if(model, asked, in_force, functional, by_share=bool(gate.budget)),
    }
    is_part = request.htmx and request.htmx.target == WHAT_IF  # type: ignore[attr-defined]
    whole = {} if is_part else _whole(request, model, gate, functional)
    answer = render(request, "review/model/what_if.html" if is_part else "review/model.html", {**context, **whole})
    answer["Vary"] = "HX-Request"
    return answer


def _whole(
    request: HttpRequest, model: ModelVersion, gate: GateRules, functional: Mapping[str, bool | None]
) -> dict[str, Any]:
    """All of the page but what a threshold would change."""
    told = model.metrics
    provers = told.get("provers", {})
    chart, groups = calibration(told)
    return {
        "gates": [("Model", told.get("accuracy"), *_gate(told.get("gate"))),
                  ("Provers alone", provers.get("accuracy"), *_gate(provers.get("gate")))],
        "reasons": _reasons(model, functional),
        "reliability": chart,
        "groups": groups,
        "confusion": confusion(told),
        "rungs": rungs(model, gate),
        "gate": standing_of(model.reconciliation),
        "trips": TRIPS,
        "meter": next_certificate(model.reconciliation),
        "budget": Decimal(gate.budget) if gate.budget else None,
        "history": registry_history(model.reconciliation),
        "verdict": verdict_of(model),
        "drift": drift_panel(model),
        "may_promote": request.user.has_perm("attribution.change_modelversion"),
    }  # fmt: skip


def _gate_rules(model: ModelVersion) -> GateRules:
    return GateRules.from_document(model.reconciliation.rules.get("gate") or {})


def _share_in(text: str) -> float | None:
    try:
        value = float(text) if text.isascii() else -1
    except ValueError:
        return None
    return value if 0 <= value <= 1 else None


def _passes(gate: Mapping[str, int] | None) -> float | None:
    return gate["passes"] / gate["labels"] if gate and gate["labels"] else None


def _gate(gate: Mapping[str, Any] | None) -> Sequence[object]:
    if not gate:
        return (None, None, None, None)
    return (_passes(gate), gate["errors"], gate["other_reason"], gate["errors_at_most"] if gate["passes"] else None)


def _reasons(
    model: ModelVersion, known: Mapping[str, bool | None]
) -> list[tuple[str, bool | None, int, Share | None, Share | None]]:
    told: Mapping[str, Mapping[str, Any]] = model.metrics.get("reasons", {})
    rows = [
        (code, known.get(code), model.label_counts.get(code, 0), share_of(it["precision"]), share_of(it["recall"]))
        for code, it in told.items()
    ]
    return sorted(rows, key=lambda row: -row[2])


@require_POST
@permission_required("attribution.add_training", raise_exception=True)
def train_model(request: HttpRequest) -> HttpResponse:
    """Ask for a training of a reconciliation; the trainer takes it."""
    mine = Reconciliation.objects.visible_to(request.user)
    reconciliation = get_object_or_404(mine, code=request.POST.get("reconciliation", ""))
    try:
        ring_trainer(ask_training(reconciliation=reconciliation, because=BY_HAND, by=request.user.get_username()))
    except TrainingRefused as refused:
        messages.error(request, str(refused), extra_tags="bad")
    else:
        messages.success(request, f"{reconciliation} is being trained. The candidate appears here.", extra_tags="ok")
    return redirect("models")


@require_POST
@permission_required("attribution.change_modelversion", raise_exception=True)
def answer_model(request: HttpRequest, pk: int) -> HttpResponse:
    """Promote a model, or roll the champion back."""
    model = get_object_or_404(_visible(request), pk=pk)
    try:
        if request.POST.get("action") == "promote":
            promote(model=model, by=person_of(request), comment=request.POST.get("comment", ""))
        elif request.POST.get("action") == "roll_back":
            roll_back(reconciliation=model.reconciliation, by=person_of(request), model=model)
        else:
            raise PromotionRefused(f"{model} can be promoted or rolled back. Look at it again.")
    except PromotionRefused as refused:
        messages.error(request, str(refused), extra_tags="bad")
    else:
        champion = champion_of(model.reconciliation)
        said = f"{champion} speaks" if champion else "The provers speak alone"
        messages.success(request, f"{said} from the next run on.", extra_tags="ok")
    return redirect("model", model.pk)
