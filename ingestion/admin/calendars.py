"""Calendars and their holidays."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Count, QuerySet
from django.http import HttpRequest
from import_export.fields import Field

from ingestion.admin.carried import ServedAdmin, ServiceForm
from ingestion.admin.read_only import ReadOnlyRows
from ingestion.admin.resources import CodeWidget, DayWidget, Row, ServiceResource, TextWidget
from ingestion.calendars import WEEKDAYS, drop_holidays, put_calendar, put_holiday
from ingestion.changes import Change
from ingestion.models import Calendar, Holiday
from ingestion.suggestion import nearest


class WeekendWidget(TextWidget):
    """Days such as `sat sun`."""

    def clean(self, value: Any, row: Row | None = None, **_: object) -> list[int]:  # noqa: ANN401
        """ISO weekdays."""
        words = (value or "").lower().split()
        for word in words:
            if word not in WEEKDAYS:
                raise ValueError(f"there is no weekday {word!r}{nearest(word, WEEKDAYS)}")
        return sorted({WEEKDAYS.index(word) + 1 for word in words})

    def render(self, value: Any, obj: Any = None, **_: object) -> str:  # noqa: ANN401
        """The days' names."""
        return " ".join(WEEKDAYS[day - 1] for day in value or [])


class CalendarResource(ServiceResource):
    """A row per calendar, found by its code."""

    needed = ("code", "weekend")
    code = Field("code", "code", TextWidget())
    label = Field("label", "label", TextWidget())
    weekend = Field("weekend", "weekend", WeekendWidget())

    class Meta:
        model = Calendar
        import_id_fields = ("code",)
        fields = ("code", "label", "weekend")

    def write(self, instance: Calendar) -> list[Change]:
        """Add or change the calendar; its holidays stay."""
        return put_calendar(code=instance.code, label=instance.label, weekend=instance.weekend)

    def stored(self, instance: Calendar) -> QuerySet[Calendar]:
        """By code."""
        return Calendar.objects.filter(code=instance.code)


class HolidayResource(ServiceResource):
    """A row per holiday, found by calendar and day. A file adds and renames; it takes none away."""

    needed = ("calendar", "day")
    calendar = Field("calendar", "calendar", CodeWidget(Calendar))
    day = Field("day", "day", DayWidget())
    name = Field("name", "name", TextWidget())

    class Meta:
        model = Holiday
        import_id_fields = ("calendar", "day")
        fields = ("calendar", "day", "name")

    def write(self, instance: Holiday) -> list[Change]:
        """Add or rename the holiday."""
        return put_holiday(calendar=instance.calendar, day=instance.day, name=instance.name)

    def stored(self, instance: Holiday) -> QuerySet[Holiday]:
        """By calendar and day."""
        return Holiday.objects.filter(calendar=instance.calendar, day=instance.day)


class WeekForm(ServiceForm):
    """A calendar's week, a box a day."""

    weekend = forms.TypedMultipleChoiceField(
        choices=[(day, name) for day, name in enumerate(WEEKDAYS, 1)],
        coerce=int,
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )


class HolidayRows(ReadOnlyRows, admin.TabularInline):
    """The holidays; their own list changes them."""

    model = Holiday
    fields = readonly_fields = ("day", "name")
    related = ("calendar",)


@admin.register(Calendar)
class CalendarAdmin(ServedAdmin):
    """Working weeks. A calendar is never deleted: rule sets of past runs lean on it."""

    resource = CalendarResource
    form = WeekForm
    fixed = ("code",)
    inlines = (HolidayRows,)
    list_display = ("code", "label", "weekend_days", "holidays_held")
    search_fields = ("code", "label")
    fields = ("code", "label", "weekend")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Calendar]:
        """With the number of holidays."""
        return super().get_queryset(request).annotate(held=Count("holidays"))

    def has_delete_permission(self, request: HttpRequest, obj: object = None) -> bool:
        """Never."""
        return False

    @admin.display(description="weekend")
    def weekend_days(self, calendar: Calendar) -> str:
        """The days' names."""
        return WeekendWidget().render(calendar.weekend)

    @admin.display(description="holidays", ordering="held")
    def holidays_held(self, calendar: Calendar) -> int:
        """How many."""
        return calendar.held  # type: ignore[attr-defined]


@admin.register(Holiday)
class HolidayAdmin(ServedAdmin):
    """Days on which a calendar does not work."""

    resource = HolidayResource
    fixed = ("calendar", "day")
    list_display = ("day", "calendar", "name")
    list_filter = ("calendar",)
    list_select_related = ("calendar",)
    search_fields = ("name", "calendar__code")
    fields = ("calendar", "day", "name")
    ordering = ("-day",)

    def delete_model(self, request: HttpRequest, obj: Holiday) -> None:
        """Through the service."""
        drop_holidays(calendar=obj.calendar, days=[obj.day])
