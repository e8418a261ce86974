"""Reconciliations with the versions of their rules; a definition changes them, and this page when they run and learn."""

from typing import Any

from django.contrib import admin
from django.db.models import Max, QuerySet
from django.http import HttpRequest

from ingestion.admin.read_only import ReadOnlyAdmin, ReadOnlyRows, document
from ingestion.changes import save_named
from reconciliation.models import Reconciliation, RuleSet, TeamScope


class RuleSetInline(ReadOnlyRows, admin.StackedInline):
    """Every version that a run has pinned, the newest first."""

    model = RuleSet
    ordering = ("-version",)
    fields = readonly_fields = ("version", "created_at", "sha256", "frozen")
    frozen = document("document", "rules")


class TeamScopeInline(ReadOnlyRows, admin.TabularInline):
    """Which values of the scope field each team sees; a definition says so."""

    model = TeamScope
    ordering = ("team", "value")
    fields = readonly_fields = ("team", "value")
    verbose_name_plural = "teams that see a part"


@admin.register(Reconciliation)
class ReconciliationAdmin(ReadOnlyAdmin):
    """Two sources of one record type, and the rules between them."""

    related = ("a__record_type", "b", "calendar", "team")
    list_display = ("code", "label", "a", "b", "team", "four_eyes", "runs_on_arrival", "rule_version")
    list_filter = ("four_eyes",)
    search_fields = ("code", "label")
    readonly_fields = ("code", "label", "a", "b", "calendar", "team", "scope", "four_eyes", "written")
    settings = ("runs_on_arrival", "trains_after", "promotes_by_rule")
    fields = (*readonly_fields[:-1], *settings, "written")
    inlines = (TeamScopeInline, RuleSetInline)
    written = document("rules")

    def visible(self, request: HttpRequest) -> QuerySet[Reconciliation]:
        """Those of the user's teams."""
        return Reconciliation.objects.visible_to(request.user).annotate(newest=Max("rule_sets__version"))

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ANN401
        """Who may change rules says when they are run, and when a model is trained."""
        return admin.ModelAdmin.has_change_permission(self, request, obj)

    def save_model(self, request: HttpRequest, obj: Reconciliation, form: Any, change: Any) -> None:  # noqa: ANN401
        """Through the service."""
        save_named(Reconciliation, obj.code, {name: getattr(obj, name) for name in self.settings})

    @admin.display(description="rules", ordering="newest")
    def rule_version(self, reconciliation: Reconciliation) -> int | None:
        """The number of the newest rule set that a run pinned."""
        return reconciliation.newest  # type: ignore[attr-defined]
