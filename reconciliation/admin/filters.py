"""Filters of the admin's lists that offer only what a user may see, and scan no large table to find it."""

from typing import Any

from django.contrib.admin import SimpleListFilter
from django.db.models import QuerySet
from django.http import HttpRequest

from reconciliation.models import Reconciliation, access_of
from reconciliation.tally import tallied
from reconciliation.visibility import visible_sources

Choices = list[tuple[Any, str]]


class CodeFilter(SimpleListFilter):
    """Filters by the code of a thing that is `path` away from the row."""

    path = ""

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """The rows of the chosen code; none for what was not offered."""
        if self.value() is None:
            return queryset
        offered = self.value() in dict(self.lookup_choices)
        return queryset.filter(**{f"{self.path}__code": self.value()}) if offered else queryset.none()


class ReconciliationFilter(CodeFilter):
    """By reconciliation."""

    title = parameter_name = path = "reconciliation"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Choices:
        """The reconciliations that the user may see."""
        return [(it.code, it.title) for it in Reconciliation.objects.visible_to(request.user)]


class SourceFilter(CodeFilter):
    """By source."""

    title = parameter_name = path = "source"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Choices:
        """The sources that the user may see."""
        return [(it.code, it.title) for it in visible_sources(request.user)]


class BandFilter(SimpleListFilter):
    """By the bands that the tally knows."""

    title = parameter_name = "band"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Choices:
        """Those of what the user may see."""
        return [(band, band) for band in sorted({it.band for it in tallied(access_of(request.user))} - {""})]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """The rows of the chosen band."""
        return queryset if self.value() is None else queryset.filter(band=self.value())


def through(base: type[CodeFilter], path: str) -> type[CodeFilter]:
    """The filter over rows from which the thing is further away."""
    return type(base.__name__, (base,), {"path": path})
