"""Teams: who works on which reconciliation."""

from typing import Any

from django.contrib import admin
from django.db.models import Count, QuerySet
from django.http import HttpRequest

from ingestion import custody
from ingestion.admin.read_only import ReadOnlyRows
from ingestion.audit_log import record_event
from ingestion.changes import sign_versions
from reconciliation.models import Team, TeamScope


class SeenScopeInline(ReadOnlyRows, admin.TabularInline):
    """The parts of reconciliations that the team sees; their definitions say so."""

    model = TeamScope
    fields = readonly_fields = ("reconciliation", "value")
    verbose_name_plural = "parts of reconciliations that it sees"


@admin.register(Team)
class TeamAdmin(admin.ModelAdmin):
    """The people of a team; its code, once given, stays."""

    list_display = ("code", "label", "people")
    search_fields = ("code", "label")
    fields = ("code", "label", "members")
    filter_horizontal = ("members",)
    actions = None
    inlines = (SeenScopeInline,)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Team]:
        """With the number of people."""
        return super().get_queryset(request).annotate(size=Count("members"))

    def get_readonly_fields(self, request: HttpRequest, obj: Team | None = None) -> tuple[str, ...]:
        """The code of a team that is there."""
        return ("code",) if obj else ()

    def save_model(self, request: HttpRequest, obj: Team, form: Any, change: Any) -> None:  # noqa: ANN401
        """Save and seal."""
        sign_versions()
        super().save_model(request, obj, form, change)
        custody.seal([obj])

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: Any) -> None:  # noqa: ANN401
        """Who works on what is told in the audit log."""
        team = form.instance
        before = _told(team) if change else None
        super().save_related(request, form, formsets, change)
        if (after := _told(team)) != before:
            record_event("setup.changed", of=team, by=request.user, before=before, after=after)

    @admin.display(description="people", ordering="size")
    def people(self, team: Team) -> int:
        """How many."""
        return team.size  # type: ignore[attr-defined]


def _told(team: Team) -> dict[str, object]:
    return {"label": team.label, "members": sorted(team.members.values_list("username", flat=True))}
