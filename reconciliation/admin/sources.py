"""Sources with their mapping versions; a definition changes them."""

from django.contrib import admin
from django.db.models import Count, Max, QuerySet
from django.http import HttpRequest

from ingestion.admin.read_only import ReadOnlyAdmin, ReadOnlyRows, document
from ingestion.connectors.kinds import PULLED
from ingestion.models import Deadline, Mapping, Source
from ingestion.schedules import PULL, schedule_of, timetable_of
from reconciliation.visibility import visible_sources


class MappingInline(ReadOnlyRows, admin.StackedInline):
    """Every version of the mapping, the newest first."""

    model = Mapping
    ordering = ("-version",)
    fields = readonly_fields = ("version", "created_at", "created_by", "sha256", "mapped")
    mapped = document("document", "mapping")


@admin.register(Source)
class SourceAdmin(ReadOnlyAdmin):
    """The feeds that deliver records."""

    related = ("record_type", "calendar")
    list_display = ("code", "label", "record_type", "kind", "delivers", "mapping_version", "deliveries_held")
    list_filter = ("kind", "delivers")
    search_fields = ("code", "label")
    fields = readonly_fields = (
        "code", "label", "record_type", "kind", "delivers", "calendar", "dated", "declared",
        "connected", "pulled", "due", "raw_days",
    )  # fmt: skip
    inlines = (MappingInline,)
    dated = document("business_date")
    declared = document("format")
    connected = document("connection")

    def visible(self, request: HttpRequest) -> QuerySet[Source]:
        """The sources of the user's reconciliations."""
        counts = {"newest": Max("mappings__version"), "held": Count("deliveries", distinct=True)}
        return visible_sources(request.user).annotate(**counts).order_by("code")

    @admin.display(description="pulled (UTC)")
    def pulled(self, source: Source) -> str:
        """By which schedule."""
        if source.kind not in PULLED:
            return "never"
        schedule = schedule_of(PULL, source.code)
        return "every minute" if schedule is None else f"{timetable_of(schedule)}{'' if schedule.enabled else ', off'}"

    def due(self, source: Source) -> str:
        """By its deadline."""
        held = Deadline.objects.filter(source=source).first()
        return f"{held.at:%H:%M} {held.zone}, {held.grace} minutes of grace" if held else "-"

    @admin.display(description="mapping", ordering="newest")
    def mapping_version(self, source: Source) -> int | None:
        """The number of the newest mapping."""
        return source.newest  # type: ignore[attr-defined]

    @admin.display(description="deliveries", ordering="held")
    def deliveries_held(self, source: Source) -> int:
        """How many deliveries came."""
        return source.held  # type: ignore[attr-defined]
