"""Runs with their inputs and steps: started here, and followed to their end."""

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.views.decorators.http import require_GET, require_POST

from ingestion.admin.read_only import ReadOnlyAdmin, ReadOnlyRows, document
from reconciliation.admin.filters import ReconciliationFilter
from reconciliation.cancelling import CancelRefused
from reconciliation.models import Run, RunInput, RunStep
from review.ids import id_of
from review.pages.progress import Progress, is_unchanged, progress_of, with_former
from review.pages.runs import posted_comment, posted_run
from review.runs import STARTS, cancel
from review.visible import visible_reconciliations

FOLLOWED = "admin/reconciliation/run/followed.html"


class InputInline(ReadOnlyRows, admin.TabularInline):
    """The normalizations that the run takes."""

    model = RunInput
    related = ("run", "normalization__delivery__source", "normalization__mapping__source")
    fields = readonly_fields = ("side", "normalization")


class StepInline(ReadOnlyRows, admin.TabularInline):
    """The steps, a line per range of buckets."""

    model = RunStep
    related = ("run",)
    fields = readonly_fields = (
        "step", "first_bucket", "last_bucket", "state", "queue", "worker", "attempts", "records", "error",
    )  # fmt: skip


@admin.register(Run)
class RunAdmin(ReadOnlyAdmin):
    """Executions for a business date."""

    page = "run"
    related = ("reconciliation", "rule_set__reconciliation")
    list_display = ("id", "reconciliation", "business_date", "shown", "started_at", "finished_at", "started_by")
    list_filter = (ReconciliationFilter, "state", "business_date")
    search_fields = ("started_by", "error")
    fields = readonly_fields = (
        "reconciliation", "rule_set", "model_version", "business_date", "shown", "created_at", "started_at",
        "finished_at", "started_by", "error", "reported",
    )  # fmt: skip
    inlines = (InputInline, StepInline)
    reported = document("report")

    @admin.display(description="state", ordering="state")
    def shown(self, run: Run) -> str:
        """As people read it."""
        return run.shown_state

    def visible(self, request: HttpRequest) -> QuerySet[Run]:
        """Those of the user's reconciliations."""
        return Run.objects.visible_to(request.user)

    def get_urls(self) -> list[URLPattern]:
        """The form that starts a run, and what the page of an active one asks for again and again."""
        own = (
            ("start/", self.start_view, "start"),
            ("<int:pk>/followed/", self.followed_view, "followed"),
            ("<int:pk>/cancel/", self.cancel_view, "cancel"),
        )
        wrap = self.admin_site.admin_view
        return [
            *(path(at, wrap(view), name=f"reconciliation_run_{name}") for at, view, name in own),
            *super().get_urls(),
        ]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """The list, with a form for another run."""
        given = {"today": timezone.now().date().isoformat(), "startable": _startable(request), **(extra_context or {})}
        return super().changelist_view(request, given)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """One run with its progress."""
        run = with_former(self.get_queryset(request)).filter(pk=id_of(object_id)).first()
        given = {} if run is None else {"progress": _progress(run), "run": run}
        return super().change_view(request, object_id, form_url, {**given, **(extra_context or {})})

    @method_decorator(require_POST)
    def start_view(self, request: HttpRequest) -> HttpResponse:
        """Start a run, and follow it."""
        run = posted_run(request)
        return (
            redirect("admin:reconciliation_run_change", run.pk)
            if run
            else redirect("admin:reconciliation_run_changelist")
        )

    @method_decorator(require_POST)
    def cancel_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Cancel a run that waits or works."""
        if not request.user.has_perm(STARTS):
            raise PermissionDenied
        run = get_object_or_404(self.get_queryset(request), pk=pk)
        try:
            cancel(run=run, by=request.user.get_username(), comment=posted_comment(request))
        except CancelRefused as error:
            messages.error(request, str(error))
        return redirect("admin:reconciliation_run_change", pk)

    @method_decorator(require_GET)
    def followed_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """How far a run is: a part of its page."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        run = get_object_or_404(with_former(self.get_queryset(request)), pk=pk)
        progress = _progress(run)
        if is_unchanged(request, progress):
            return HttpResponse(status=204)
        answer = TemplateResponse(request, FOLLOWED, {"progress": progress, "run": run})
        if not progress.is_active:
            answer.headers["HX-Refresh"] = "true"  # the report, the steps and the inputs stand on the page now
        return answer


def _startable(request: HttpRequest) -> list[Any]:
    return list(visible_reconciliations(request)) if request.user.has_perm(STARTS) else []


def _progress(run: Run) -> Progress:
    return progress_of(run, run.inputs.select_related("normalization__delivery"))
