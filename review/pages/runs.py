"""The runs page and the run page with its live progress."""

import tempfile
from pathlib import Path

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST

from attribution.certificates import certificate_of, told
from attribution.rungs import stood_at
from ingestion.business_date import NoDate, given_date
from ingestion.person import person_of
from reconciliation.cancelling import CancelRefused
from reconciliation.models import Run
from reconciliation.rules import Rules
from reconciliation.runs import start_run
from review.exporting import export_here
from review.pages.paged import page_of
from review.pages.progress import is_unchanged, progress_of, with_former
from review.pages.run_report import against, report_tables
from review.pages.strip import strip_of
from review.runs import STARTS, cancel, ring
from review.visible import visible_reconciliations

PAGE = 50
CANCELLED = "cancelled"  # as people call it; the run's own state is failed
STATES = [*Run.State.choices, (CANCELLED, "Cancelled")]


def runs(request: HttpRequest) -> HttpResponse:
    """All runs, newest first; POST starts one."""
    if request.method == "POST":
        run = posted_run(request)
        return redirect("run", run.pk) if run else redirect("runs")
    visible = Run.objects.visible_to(request.user).select_related("reconciliation").order_by("-id")
    reconciliation, state = (request.GET.get(name, "").replace("\0", "") for name in ("reconciliation", "state"))
    visible = visible.filter(reconciliation__code=reconciliation) if reconciliation else visible
    if state in dict(STATES):
        visible = visible.filter(state=Run.State.FAILED if state == CANCELLED else state)
        visible = visible.filter(cancelled_by__isnull=state != CANCELLED)
    page, following = page_of(request, visible, PAGE)
    context = {
        "runs": page,
        "next": following,
        "reconciliations": visible_reconciliations(request),
        "may_run": request.user.has_perm(STARTS),
        "reconciliation": reconciliation,
        "state": state,
        "states": STATES,
        "today": timezone.now().date().isoformat(),
    }
    return render(request, "review/runs.html", context)


def posted_run(request: HttpRequest) -> Run | None:
    """Start the run that a form asks for; none, with a message, where it names no date."""
    if not request.user.has_perm(STARTS):
        raise PermissionDenied
    code = request.POST.get("reconciliation", "")
    reconciliation = next((it for it in visible_reconciliations(request) if it.code == code), None)
    if reconciliation is None:
        raise Http404
    try:
        date = given_date(request.POST.get("date", ""))
    except NoDate as error:
        messages.error(request, str(error), extra_tags="bad")
        return None
    run = start_run(reconciliation=reconciliation, business_date=date, by=request.user.get_username(), join=True)
    ring(run)
    return run


def posted_comment(request: HttpRequest) -> str:
    """Why a run is cancelled, as a form says it."""
    return request.POST.get("comment", "")[:1000].replace("\0", "")


@require_POST
@permission_required(STARTS, raise_exception=True)
def cancel_page(request: HttpRequest, pk: int) -> HttpResponse:
    """Cancel a run that waits or works."""
    run = get_object_or_404(Run.objects.visible_to(request.user), pk=pk)
    try:
        cancel(run=run, by=request.user.get_username(), comment=posted_comment(request))
    except CancelRefused as error:
        messages.error(request, str(error), extra_tags="bad")
    return redirect("run", run.pk)


def run_page(request: HttpRequest, pk: int) -> HttpResponse:
    """One run; while it is active htmx asks for its progress every two seconds."""
    visible = Run.objects.visible_to(request.user).select_related("reconciliation__a", "reconciliation__b", "rule_set")
    run = get_object_or_404(with_former(visible), pk=pk)
    inputs = list(run.inputs.select_related("normalization__delivery", "normalization__mapping"))
    progress = progress_of(run, inputs)
    if is_unchanged(request, progress):
        return HttpResponse(status=204)
    context = {
        "run": run,
        "report": run.report,
        **report_tables(run),
        "progress": progress,
        "against": against(run, progress.former),
        **_pinned(run),
        "inputs": inputs,
        "strip": strip_of(run),
    }
    response = render(request, "review/run.html" + ("#progress" if request.htmx else ""), context)  # type: ignore[attr-defined]
    response.headers["Vary"] = "HX-Request"
    return response


def _pinned(run: Run) -> dict[str, object]:
    """The model and the certificate that the run leans on, and where its gate stood when it began."""
    models = run.reconciliation.model_versions.filter(version=run.model_version) if run.model_version else None
    found = certificate_of(run) if run.certificate else None
    return {
        "model": models.first() if models is not None else None,
        "gate": stood_at(run.reconciliation, Rules(run.rule_set.document).gate, run.created_at),
        "certificate": told(found) if found else "",
    }


def statement(request: HttpRequest, pk: int) -> HttpResponse:
    """A run's statement as a file to download, which is recorded."""
    run = get_object_or_404(Run.objects.visible_to(request.user), pk=pk)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "statement.csv"
        made = export_here("statement", run, file, person_of(request))
        name = f"statement_{run.reconciliation.code}_{run.business_date:%Y-%m-%d}_run_{run.pk}.csv"
        headers = {"Content-Disposition": f'attachment; filename="{name}"', "X-Content-SHA256": made.sha256}
        return HttpResponse(file.read_bytes(), content_type="text/csv; charset=utf-8", headers=headers)
