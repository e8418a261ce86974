"""Admin pages of what files carry in and out: a dry run with a preview first, then the service, row by row."""

from typing import Any

from django.contrib import admin, messages
from django.db import transaction
from django.forms import ModelForm
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from import_export.admin import ImportExportMixin
from import_export.results import RowResult

from ingestion.admin.files import CarriedText, CsvImportForm, LateConfirmation, PlainCsv
from ingestion.admin.resources import ServiceResource
from ingestion.audit_log import record_event
from ingestion.changes import ChangeRefused

SHOWN = 200  # rows of a preview


class Carried(ImportExportMixin):
    """Import and export for a page of the admin. Each is a right of its own; see config/roles.py."""

    tmp_storage_class = CarriedText
    import_form_class = CsvImportForm
    import_template_name = "admin/import.html"
    formats = [PlainCsv]
    skip_export_form = True
    file_help = "Columns that are left out keep their values; a file takes nothing away."

    def get_resource_kwargs(self, request: HttpRequest, *args: object, **kwargs: Any) -> dict[str, object]:  # noqa: ANN401
        """Whose import it is."""
        return {"user": request.user}

    def get_export_data(self, file_format: Any, request: HttpRequest, queryset: Any, **kwargs: Any) -> Any:  # noqa: ANN401
        """The file, told of in the audit log."""
        data = super().get_export_data(file_format, request, queryset, **kwargs)
        name = str(queryset.model._meta.verbose_name_plural)
        record_event("export.made", of="file", by=request.user, name=name, after={"lines": queryset.count()})
        return data

    def get_import_context_data(self, **kwargs: object) -> dict[str, object]:
        """What the page says beside the form."""
        return {"shown": SHOWN, "carried": self}

    def process_import(self, request: HttpRequest, **kwargs: object) -> HttpResponse:
        """The import itself, after the preview."""
        try:
            return super().process_import(request, **kwargs)
        except LateConfirmation as late:
            messages.error(request, str(late))
            return redirect("../import/")

    def process_dataset(self, dataset: Any, form: Any, request: HttpRequest, **kwargs: object) -> Any:  # noqa: ANN401
        """All rows or none."""
        return super().process_dataset(dataset, form, request, rollback_on_validation_errors=True, **kwargs)

    def process_result(self, result: Any, request: HttpRequest) -> HttpResponse:  # noqa: ANN401
        """Say what was done; what became wrong since the preview is told, and nothing was done."""
        if result.has_errors() or result.has_validation_errors():
            messages.error(request, "Nothing was imported. " + " ".join(result.faults[:5]))
            return redirect("../import/")
        self.generate_log_entries(result, request)
        kinds = (RowResult.IMPORT_TYPE_NEW, RowResult.IMPORT_TYPE_UPDATE, RowResult.IMPORT_TYPE_SKIP)
        new, changed, same = (result.totals[kind] for kind in kinds)
        messages.success(request, f"Imported: {new} new, {changed} changed, {same} unchanged.")
        return redirect("..")


class ServiceForm(ModelForm):
    """A form that asks the service before it is saved, so that a refusal is a sentence beside the fields."""

    def put(self) -> None:
        """Ask the service; ChangeRefused says why not."""
        self._resource().write(self.instance)

    def _post_clean(self) -> None:
        super()._post_clean()  # type: ignore[misc]
        if self.errors:
            return
        try:
            with transaction.atomic():
                self.put()
                transaction.set_rollback(True)
        except ChangeRefused as refusal:
            self.add_error(None, str(refusal))

    def _resource(self) -> ServiceResource:
        return self.resource_class()  # type: ignore[attr-defined]


class ServedAdmin(Carried, admin.ModelAdmin):
    """Pages of a thing that a service writes: form and import both go through the resource's `write`.

    `fixed` are the fields that identify it; once it is there they stay.
    """

    actions = None
    resource: type[ServiceResource]
    fixed: tuple[str, ...] = ()

    def get_resource_classes(self, request: HttpRequest) -> list[type[ServiceResource]]:
        """The one resource."""
        return [self.resource]

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:  # noqa: ANN401, FBT001, FBT002
        """The form that asks the service."""
        base = self.form if issubclass(self.form, ServiceForm) else ServiceForm
        asking = type("AskingForm", (base,), {"resource_class": self.resource})
        return super().get_form(request, obj, change=change, form=asking, **kwargs)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:  # noqa: ANN401
        """What identifies a thing that is there."""
        return self.fixed if obj else ()

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:  # noqa: ANN401, FBT001
        """Through the service."""
        resource = self.resource()
        resource.write(obj)
        obj.pk = resource.stored(obj).values_list("pk", flat=True).get()
