"""Breaks: listed, shown whole, and decided by the services that the pages call. Nothing is edited in place."""

from types import SimpleNamespace
from typing import Any

from django.contrib import admin, messages
from django.contrib.postgres.expressions import ArraySubquery
from django.core.exceptions import PermissionDenied
from django.db.models import OuterRef, QuerySet
from django.db.models.functions import JSONObject
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.loader import render_to_string
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils.dateparse import parse_datetime
from django.utils.decorators import method_decorator
from django.utils.safestring import SafeString, mark_safe
from django.views.decorators.http import require_POST

from attribution.models import Correction
from ingestion.admin.read_only import ReadOnlyAdmin
from ingestion.person import person_of
from reconciliation.admin.filters import BandFilter, ReconciliationFilter
from reconciliation.models import Break
from review.breaks.shown import visible_break
from review.ids import id_of
from review.pages.break_ import break_context
from review.pages.posted import posted_confirmation, posted_decision, posted_undo, posted_waiver, visible_decision
from review.rights import DECIDES
from review.templatetags.tieout import money, percent
from review.undoing import way_to_undo

PAGE = "admin/reconciliation/break/change_form.html"
CELL = "admin/reconciliation/break/cell.html"
post_only = method_decorator(require_POST)


def whole_break(request: HttpRequest, pk: int) -> Break:
    """A break that the user may see, with its `corrections`; 404 for any other."""
    told = JSONObject(
        pk="pk", field="difference__field", reason_id="reason", predicted="predicted", confirmed_by="confirmed_by",
        confirmed_at="confirmed_at",
    )  # fmt: skip
    of_break = Correction.objects.filter(difference__brk=OuterRef("pk")).order_by("-pk")
    brk = visible_break(request, pk, corrections=ArraySubquery(of_break.values(told=told)))
    for it in brk.corrections:  # type: ignore[attr-defined]
        it["confirmed_at"] = parse_datetime(it["confirmed_at"])
    return brk


@admin.register(Break)
class BreakAdmin(ReadOnlyAdmin):
    """Breaks and what a person may do with one."""

    related = ("reconciliation", "last_run")
    list_display = ("key", "reconciliation", "kind", "state", "reason", "sure", "sum", "last_run")
    list_filter = (ReconciliationFilter, "state", "kind", BandFilter)
    search_fields = ("key__startswith",)
    search_help_text = "The beginning of a key."

    def visible(self, request: HttpRequest) -> QuerySet[Break]:
        """Those of the user's reconciliations."""
        return Break.objects.visible_to(request.user)

    def get_list_display(self, request: HttpRequest) -> list[Any]:
        """With what a person who decides may do with a row."""
        key, *rest = self.list_display
        return [key, *(["decide"] if request.user.has_perm(DECIDES) else []), *rest]

    @admin.display(ordering="confidence")
    def sure(self, brk: Break) -> str:
        """How sure what assigned the reason is."""
        return percent(brk.confidence)

    @admin.display(description="amount", ordering="amount")
    def sum(self, brk: Break) -> str:
        """The amount with its currency."""
        return f"{money(brk.amount)} {brk.currency}".strip()

    @admin.display(description="decide")
    def decide(self, brk: Break) -> SafeString:
        """The row's buttons; a browser without script follows the link."""
        return render_to_string(CELL, {"brk": brk}) if brk.state == Break.State.REVIEW else mark_safe("")

    def get_urls(self) -> list[URLPattern]:
        """The page's forms, beside the pages."""
        forms = (
            ("decide", self.decide_view),
            ("waive", self.waive_view),
            ("confirm", self.confirm_view),
            ("undo", self.undo_view),
        )
        own = [
            path(f"<int:pk>/{name}/", self.admin_site.admin_view(view), name=f"reconciliation_break_{name}")
            for name, view in forms
        ]
        return [*own, *super().get_urls()]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """One break, whole."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        return self._page(request, whole_break(request, id_of(object_id)))

    @post_only
    def decide_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Approve, override or reject."""
        brk = self._asked(request, pk, DECIDES)
        return self._answer(request, brk, posted_decision(request, brk)[0])

    @post_only
    def waive_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Let a failed check be, with a comment."""
        brk = self._asked(request, pk, "review.waive_check")
        return self._answer(request, brk, posted_waiver(request, brk))

    @post_only
    def confirm_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Confirm another person's proposal, or withdraw one."""
        brk = self._asked(request, pk, DECIDES)
        decision = visible_decision(request, id_of(request.POST.get("proposal", "")))
        if decision.brk_id != brk.pk:
            raise Http404
        return self._answer(request, brk, posted_confirmation(request, decision)[0])

    @post_only
    def undo_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Undo the decision that closed the break."""
        brk = self._asked(request, pk, DECIDES)
        decision = visible_decision(request, id_of(request.POST.get("decision", "")))
        if decision.brk_id != brk.pk:
            raise Http404
        return self._answer(request, brk, posted_undo(request, decision))

    def _asked(self, request: HttpRequest, pk: int, permission: str) -> Break:
        """The break that a form is about; 403 without the right, 404 for what another team has."""
        if not (self.has_view_permission(request) and request.user.has_perm(permission)):
            raise PermissionDenied
        return visible_break(request, pk)

    def _answer(self, request: HttpRequest, brk: Break, refused: str) -> HttpResponse:
        if request.htmx and request.GET.get("in") == "list":  # type: ignore[attr-defined]
            return self._cell(request, visible_break(request, brk.pk), refused)
        if request.htmx:  # type: ignore[attr-defined]
            return self._page(request, whole_break(request, brk.pk), "#whole", refused)
        if refused:
            messages.error(request, refused)
        return redirect("admin:reconciliation_break_change", brk.pk)

    def _cell(self, request: HttpRequest, brk: Break, refused: str) -> HttpResponse:
        """A row's last cell anew: what was decided and how to undo it, or what refused it and the buttons."""
        decisions = brk.decisions.select_related("proposed_by", "confirmed_by").order_by("-id")
        last = next((it for it in decisions if not it.withdrawn and it.undone_at is None), None)
        if last is not None:
            last.brk = brk
        undo = way_to_undo(last, person_of(request)) if last and last.stands else ""
        return TemplateResponse(request, CELL, {"brk": brk, "last": last, "undo": undo, "refused": refused})

    def _page(self, request: HttpRequest, brk: Break, part: str = "", refused: str = "") -> HttpResponse:
        context = {
            **(self.admin_site.each_context(request) if not part else {}),
            **break_context(request, brk),
            "corrections": [SimpleNamespace(**it) for it in brk.corrections],  # type: ignore[attr-defined]
            "opts": self.opts,
            "title": f"Break {brk.key}",
            "refused": refused,
        }
        return TemplateResponse(request, PAGE + part, context)
