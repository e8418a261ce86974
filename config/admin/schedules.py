"""Schedules: when a source is pulled, a reconciliation runs and its model is trained, written as a person writes them."""

import datetime as dt
from typing import Any

import django_celery_beat.admin as beat_admin
from django import forms
from django.contrib import admin, messages
from django.db.models import Func, OuterRef, Q, QuerySet, Subquery
from django.db.models import Value as V
from django.http import HttpRequest, HttpResponse
from django_celery_beat.models import PeriodicTask

from ingestion.changes import ChangeRefused
from ingestion.connectors.kinds import PULLED
from ingestion.models import Tick
from ingestion.schedules import PULL, RUN, TRAIN, VERBS, code_of, name_of, put_schedule, scheduled_codes, timetable_of
from ingestion.timetable import timetable
from reconciliation.models import Reconciliation
from reconciliation.visibility import visible_sources

# Written as texts, the rows behind a schedule need no pages of their own.
for _model in (
    PeriodicTask,
    *(getattr(beat_admin, f"{it}Schedule") for it in ("Interval", "Crontab", "Solar", "Clocked")),
):
    if admin.site.is_registered(_model):
        admin.site.unregister(_model)

HOW = "Five fields of cron (minute, hour, day of month, month, day of week), or “every 5 minutes”. UTC."


class ScheduleForm(forms.ModelForm):
    """What is done, and when."""

    what = forms.ChoiceField(label="What", help_text="Pulled sources, runs and trainings that have no schedule yet.")
    times = forms.CharField(
        label="When", help_text=HOW, max_length=300, widget=forms.TextInput(attrs={"class": "vTextField"})
    )

    class Meta:
        model = PeriodicTask
        fields = ("enabled",)

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401
        super().__init__(*args, **kwargs)
        if self.instance.pk:
            del self.fields["what"]
            self.fields["times"].initial = str(timetable_of(self.instance))
        else:
            self.fields["what"].choices = [("", "---------"), *self.offered]  # type: ignore[attr-defined]

    def clean_times(self) -> str:
        """A text that can be read as a schedule."""
        try:
            return str(timetable(self.cleaned_data["times"]))
        except ChangeRefused as refusal:
            raise forms.ValidationError(str(refusal)) from None

    def validate_unique(self) -> None:
        """The name is given by what is done; the service keeps it single."""

    def about(self) -> tuple[str, str]:
        """The task, and the source or reconciliation."""
        if self.instance.pk:
            return self.instance.task, code_of(self.instance)
        task, code = self.cleaned_data["what"].split()
        return task, code


@admin.register(PeriodicTask)
class ScheduleAdmin(admin.ModelAdmin):
    """What beat asks for. The product's own tasks are shown; the schedules of sources and reconciliations are edited."""

    form = ScheduleForm
    actions = None
    list_display = ("name", "times", "enabled", "last_met")
    list_filter = ("enabled",)
    search_fields = ("name",)
    list_select_related = ("crontab", "interval")

    def get_queryset(self, request: HttpRequest) -> QuerySet[PeriodicTask]:
        """Beat's own tasks, and the schedules of what the user may see."""
        sources = visible_sources(request.user).values_list("code", flat=True)
        runs = Reconciliation.objects.visible_to(request.user).values_list("code", flat=True)
        mine = [name_of(task, code) for task, codes in ((PULL, sources), (RUN, runs), (TRAIN, runs)) for code in codes]
        met = Tick.objects.filter(
            task=OuterRef("task"), code=Func(OuterRef("name"), V(" "), V(2), function="split_part")
        )
        shown = super().get_queryset(request).filter(~Q(task__in=VERBS) | Q(name__in=mine))
        return shown.annotate(met=Subquery(met.order_by("-due_at").values("due_at")[:1]))

    def get_fields(self, request: HttpRequest, obj: PeriodicTask | None = None) -> tuple[str, ...]:
        """What is done is chosen once."""
        if obj is None:
            return ("what", "times", "enabled")
        return ("times", "enabled", "last_met")

    def get_readonly_fields(self, request: HttpRequest, obj: PeriodicTask | None = None) -> tuple[str, ...]:
        """When it was last met; everything where only looking is allowed."""
        if obj is None:
            return ()
        return ("last_met",) if self.has_change_permission(request, obj) else ("times", "enabled", "last_met")

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:  # noqa: ANN401, FBT001, FBT002
        """The form with what this person may schedule."""
        if obj is not None and not self.has_change_permission(request, obj):
            return super().get_form(request, obj, change=change, form=forms.ModelForm, **kwargs)
        form = type("OfferingForm", (ScheduleForm,), {"offered": [] if change else _offered(request)})
        return super().get_form(request, obj, change=change, form=form, **kwargs)

    def has_change_permission(self, request: HttpRequest, obj: PeriodicTask | None = None) -> bool:
        """The product's own tasks follow its settings; each start of beat writes them again."""
        return super().has_change_permission(request, obj) and (obj is None or obj.task in VERBS)

    def has_delete_permission(self, request: HttpRequest, obj: PeriodicTask | None = None) -> bool:
        """As for a change."""
        return super().has_delete_permission(request, obj) and (obj is None or obj.task in VERBS)

    def save_model(self, request: HttpRequest, obj: PeriodicTask, form: Any, change: bool) -> None:  # noqa: ANN401, FBT001
        """Through the service."""
        task, code = form.about()
        said = put_schedule(task=task, code=code, text=form.cleaned_data["times"], enabled=form.cleaned_data["enabled"])
        obj.pk = PeriodicTask.objects.get(name=name_of(task, code)).pk
        obj.refresh_from_db()
        for line in map(str, said):
            messages.info(request, line)

    def delete_model(self, request: HttpRequest, obj: PeriodicTask) -> None:
        """Through the service."""
        put_schedule(task=obj.task, code=code_of(obj), text="")

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Called what it is."""
        return super().changelist_view(request, {"title": "Schedules", **(extra_context or {})})

    @admin.display(description="last met", ordering="met")
    def last_met(self, schedule: PeriodicTask) -> dt.datetime | None:
        """The last due time that somebody took; beat itself counts late."""
        return schedule.met

    @admin.display(description="when (UTC)")
    def times(self, schedule: PeriodicTask) -> str:
        """As it is written."""
        try:
            return str(timetable_of(schedule))
        except ChangeRefused:
            return "-"


def _offered(request: HttpRequest) -> list[tuple[str, str]]:
    """The user's pulled sources and reconciliations that have no schedule yet."""
    sources = visible_sources(request.user).filter(kind__in=PULLED).exclude(code__in=scheduled_codes(PULL))
    mine = Reconciliation.objects.visible_to(request.user)
    found = {PULL: sources} | {task: mine.exclude(code__in=scheduled_codes(task)) for task in (RUN, TRAIN)}
    return [(f"{task} {it.code}", name_of(task, it.code)) for task, those in found.items() for it in those]
