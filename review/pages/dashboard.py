"""The dashboard: does it add up, where rows went, what arrived, what waits for whom, and how well it goes by itself."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.dateparse import parse_date, parse_datetime

from reconciliation.models import Break, Reconciliation, Run
from reconciliation.tally import tallied
from review.arrivals import arrival_board
from review.figures import Told, figures_of
from review.pages.ageing import heat_map
from review.pages.flow import flow
from review.pages.strip import strip
from review.rates import panels, x_of
from review.visible import access, entered_reconciliations, visible_reconciliations
from review.work import my_work

LAST = 5


def dashboard(request: HttpRequest) -> HttpResponse:
    """The figures of one reconciliation, of the one that ran last unless the address names another; arrivals and work of all. Of one
    that the user sees in part, no more than its breaks."""
    seen = entered_reconciliations(request)
    ran = Run.objects.filter(reconciliation__in=[it.pk for it in visible_reconciliations(request)])
    runs = list(ran.select_related("reconciliation").order_by("-id")[:LAST])
    chosen = _chosen(request, seen, runs)
    told = figures_of(chosen) if chosen and chosen.is_whole else None
    context = {
        "choices": seen,
        "chosen": chosen,
        "runs": runs,
        "told": told,
        "board": arrival_board(request),
        "work": my_work(request),
        "heat": _heat(request, chosen) if chosen else None,
        **(_shown(told, chosen) if told and chosen else {}),
    }
    return render(request, "review/dashboard.html", context)


def _heat(request: HttpRequest, chosen: Reconciliation) -> dict[str, Any]:
    cells = tallied(access(request), [Break.State.REVIEW])
    return heat_map([it for it in cells if it.reconciliation == chosen.pk], chosen.code)


def _chosen(request: HttpRequest, seen: list[Reconciliation], runs: list[Run]) -> Reconciliation | None:
    """The reconciliation that the address names, else the one that ran last, else the first."""
    code = request.GET.get("reconciliation", "")
    ended = [run.reconciliation.code for run in runs if run.state == Run.State.DONE]
    wanted = [code, *ended[:1]]
    return next((it for name in wanted for it in seen if it.code == name), seen[0] if seen else None)


def _shown(told: Told, chosen: Reconciliation) -> dict[str, Any]:
    document = told.document
    run = document["run"]
    return {
        "latest": {"id": run["id"], "date": parse_date(run["date"])},
        "strip": strip(run["id"], run["date"], {it: document[it] for it in ("received", "a", "b", "unaccounted", "states")}),
        "flow": flow(document, {"a": chosen.a.title, "b": chosen.b.title}),
        "rates": _rates(document["rates"]),
        "model": _model(document["model"]),
    }  # fmt: skip


def _rates(rates: list[dict[str, Any]]) -> dict[str, Any]:
    """The panels of the last runs, and where another model began to speak."""
    rates = [{**it, "date": parse_date(it["date"])} for it in rates]
    runs = [it["run"] for it in rates]
    stp, unknown = ([it[name] for it in rates] for name in ("stp", "unknown"))
    changes = [
        {"x": x_of(place, len(rates)), "label": f"model {it['model']}" if it["model"] else "provers alone"}
        for place, it in enumerate(rates)
        if place and it["model"] != rates[place - 1]["model"]
    ]
    return {
        "panels": panels(runs, (("Straight through", stp), ("UNKNOWN", unknown))),
        "changes": changes,
        "rows": list(reversed(rates)),
        "first": rates[0] if rates else None,
        "last": rates[-1] if rates else None,
    }


def _model(model: dict[str, Any]) -> dict[str, Any]:
    """Model health, with the certificate's end as a moment."""
    certificate = model["certificate"]
    until = parse_datetime(certificate["until"]) if certificate else None
    return {**model, "until": until}
