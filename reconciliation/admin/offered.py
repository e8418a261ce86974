"""What pulled sources hold ready, and what was taken of it."""

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from ingestion.admin.read_only import ReadOnlyAdmin
from ingestion.models import OfferedThing
from reconciliation.admin.filters import SourceFilter
from reconciliation.visibility import visible_sources


@admin.register(OfferedThing)
class OfferedThingAdmin(ReadOnlyAdmin):
    """Files, partitions and queries by their names at the other side."""

    related = ("source", "delivery__source")
    list_display = ("name", "source", "seen_at", "taken_at", "delivery", "error")
    list_filter = (SourceFilter, ("taken_at", admin.EmptyFieldListFilter))
    search_fields = ("name",)
    fields = readonly_fields = ("source", "name", "mark", "seen_at", "taken_at", "delivery", "error")

    def visible(self, request: HttpRequest) -> QuerySet[OfferedThing]:
        """Those of the user's sources."""
        return OfferedThing.objects.filter(source__in=visible_sources(request.user))
