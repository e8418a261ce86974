"""Stored rows of one record type, read-only; of a type that others refer to, files carry records in and out."""

from collections.abc import Callable
from typing import Any

from django.contrib import admin
from django.contrib.admin import AdminSite
from django.contrib.admin.models import CHANGE, LogEntry
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from ingestion.admin.carried import Carried
from ingestion.admin.read_only import ReadOnlyAdmin
from ingestion.shape import Leaf
from reconciliation.admin.references import ReferenceResource
from reconciliation.store.rows import StoredRow, attribute, row_model
from reconciliation.store.tables import StoreTable
from reconciliation.visibility import visible_stored


class CurrentFilter(admin.SimpleListFilter):
    """The rows as they stand, unless every version is asked for."""

    title, parameter_name = "version", "version"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[Any, str]]:  # noqa: ANN401
        """Beside the current ones."""
        return [("all", "Every version")]

    def choices(self, changelist: Any) -> Any:  # noqa: ANN401
        """`All` is what stands now."""
        listed = list(super().choices(changelist))
        return [{**listed[0], "display": "Current"}, *listed[1:]]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Current rows have no end."""
        return queryset if self.value() == "all" else queryset.filter(valid_to=None)


def value(leaf: Leaf, path: str) -> Callable[[StoredRow], object]:
    """A column that shows a leaf."""

    @admin.display(description=leaf.name.replace("_", " "), ordering=path)
    def shown(row: StoredRow) -> object:
        found: Any = row
        for part in path.split("__"):
            found = getattr(found, part, None)
        return found

    shown.__name__ = f"leaf_{leaf.column}"
    return shown


class StoredAdmin(Carried, ReadOnlyAdmin):
    """One record type's rows. It is made for a request, since a definition may change what it shows."""

    list_display_links = None
    search_help_text = "The beginning of a key."
    import_export_change_list_template = "admin/stored.html"

    def __init__(self, table: StoreTable, site: AdminSite) -> None:
        self.record_type, self.table = table.record_type, table
        super().__init__(row_model(table), site)
        self.leaves = {leaf: attribute(table, leaf) for leaf in table.shape.leaves if not _is_opened(leaf)}
        joined = [path.rsplit("__", 1)[0] for path in self.leaves.values() if "__" in path]
        self.related = tuple(dict.fromkeys(joined))

    def get_search_fields(self, request: HttpRequest) -> tuple[str, ...]:
        """The texts of the key."""
        return tuple(f"{path}__startswith" for leaf, path in self.leaves.items() if leaf.key and leaf.kind == "text")

    def get_list_display(self, request: HttpRequest) -> tuple[Any, ...]:
        """The leaves, then where the row came from."""
        technical = ("version", "run", "decision", "date", "valid_from", "valid_to") if self.table.has_versions else ()
        return (*(value(leaf, path) for leaf, path in self.leaves.items()), *technical)

    def get_list_filter(self, request: HttpRequest) -> tuple[Any, ...]:
        """By version and date, where there are any."""
        return (CurrentFilter, "date") if self.table.has_versions else ()

    def get_ordering(self, request: HttpRequest) -> tuple[str, ...]:
        """Newest first."""
        return ("-id",)

    def visible(self, request: HttpRequest) -> QuerySet[Any]:
        """What runs of the user's teams stored, and what no run brought."""
        return visible_stored(self.table, request.user, super().visible(request))

    def has_view_permission(self, request: HttpRequest, obj: object = None) -> bool:
        """As for the record type."""
        return request.user.has_perm("ingestion.view_recordtype")

    def has_import_permission(self, request: HttpRequest) -> bool:
        """Only into a type that others refer to: the rest comes from sources."""
        return self.table.has_identity and request.user.has_perm("ingestion.import_recordtype")

    def has_export_permission(self, request: HttpRequest) -> bool:
        """Only out of a type that others refer to: a run's export has the rest."""
        return self.table.has_identity and request.user.has_perm("ingestion.export_recordtype")

    def get_resource_classes(self, request: HttpRequest) -> list[type[ReferenceResource]]:
        """The resource of this record type."""
        given = {"table": self.table, "paths": {leaf.name: path for leaf, path in self.leaves.items()}}
        return [type("Records", (ReferenceResource,), {**given, "rows": self.model})]

    def get_export_filename(self, request: HttpRequest, queryset: QuerySet[Any], file_format: Any) -> str:  # noqa: ANN401
        """The code and the day."""
        return f"{self.record_type.code}-{timezone.now():%Y-%m-%d}.{file_format.get_extension()}"

    def generate_log_entries(self, result: Any, request: HttpRequest) -> None:  # noqa: ANN401
        """Who imported, on the record type."""
        told = f"{result.totals['new']} new and {result.totals['update']} changed reference records by file"
        LogEntry.objects.log_actions(request.user.pk or 0, [self.record_type], CHANGE, told, single_object=True)


def _is_opened(leaf: Leaf) -> bool:
    """Whether a leaf is an attribute that the version of a reference holds, not the row."""
    return leaf.reference is not None and not leaf.reference_key
