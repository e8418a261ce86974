"""Deadlines, what is expected by them, and the due times of schedules."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest

from ingestion.admin.carried import ServiceForm
from ingestion.admin.read_only import ReadOnlyAdmin
from ingestion.clock import database_now
from ingestion.deadlines import drop_deadline, put_deadline, zones
from ingestion.models import Deadline, Expectation, Tick
from ingestion.schedules import PULL, RUN
from reconciliation.admin.filters import SourceFilter
from reconciliation.models import Reconciliation
from reconciliation.visibility import visible_sources


class DeadlineForm(ServiceForm):
    """A local time, its zone, and how many business days later."""

    at = forms.TimeField(widget=forms.TimeInput(format="%H:%M"), help_text="Local time of 24 hours, such as 18:30.")
    zone = forms.ChoiceField(choices=lambda: [(it, it) for it in sorted(zones())], initial="UTC")

    class Meta:
        model = Deadline
        fields = ("source", "at", "zone", "after", "grace")

    def put(self) -> None:
        """Ask the service."""
        put_deadline(**{name: getattr(self.instance, name) for name in self.Meta.fields}, now=database_now())


@admin.register(Deadline)
class DeadlineAdmin(admin.ModelAdmin):
    """By when each source has to deliver. Business days are those of the source's calendar."""

    form = DeadlineForm
    actions = None
    list_display = ("source", "at", "zone", "after", "grace", "calendar")
    list_filter = (SourceFilter,)
    list_select_related = ("source__calendar",)
    fields = ("source", "at", "zone", "after", "grace")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Deadline]:
        """Those of the user's sources."""
        return super().get_queryset(request).filter(source__in=visible_sources(request.user))

    def get_readonly_fields(self, request: HttpRequest, obj: Deadline | None = None) -> tuple[str, ...]:
        """The source, once it is chosen."""
        return ("source",) if obj else ()

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:  # noqa: ANN401
        """The user's sources without a deadline."""
        kwargs["queryset"] = visible_sources(request.user).filter(deadline=None).order_by("code")
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def save_model(self, request: HttpRequest, obj: Deadline, form: Any, change: Any) -> None:  # noqa: ANN401
        """Through the service."""
        form.put()
        obj.pk = Deadline.objects.get(source=obj.source).pk

    def delete_model(self, request: HttpRequest, obj: Deadline) -> None:
        """Through the service; what was expected stays."""
        drop_deadline(obj.source)

    @admin.display(description="calendar")
    def calendar(self, deadline: Deadline) -> str:
        """Whose business days count."""
        return str(deadline.source.calendar or "every day")


@admin.register(Expectation)
class ExpectationAdmin(ReadOnlyAdmin):
    """What sources owe."""

    related = ("source",)
    list_display = ("source", "business_date", "due_at", "late_at")
    list_filter = (SourceFilter, "business_date")
    fields = readonly_fields = ("source", "business_date", "due_at", "late_at")

    def visible(self, request: HttpRequest) -> QuerySet[Expectation]:
        """Those of the user's sources."""
        return Expectation.objects.filter(source__in=visible_sources(request.user))


@admin.register(Tick)
class TickAdmin(ReadOnlyAdmin):
    """Due times of schedules, each met once."""

    list_display = ("task", "code", "due_at", "claimed_at", "done_at", "attempts", "error")
    list_filter = ("task", ("done_at", admin.EmptyFieldListFilter))
    search_fields = ("code",)
    fields = readonly_fields = ("task", "code", "due_at", "claimed_at", "done_at", "attempts", "next_at", "error")

    def visible(self, request: HttpRequest) -> QuerySet[Tick]:
        """Those of the user's sources and reconciliations, and of all things at once."""
        sources = visible_sources(request.user).values("code")
        reconciliations = Reconciliation.objects.visible_to(request.user).values("code")
        mine = Q(task=PULL, code__in=sources) | Q(task=RUN, code__in=reconciliations)
        return Tick.objects.filter(mine | Q(code=""))
