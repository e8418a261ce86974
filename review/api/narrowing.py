"""Lists that are narrowed by columns with a value."""

from collections.abc import Mapping
from typing import Any

from django.core.exceptions import ValidationError as InvalidDate
from django.db.models import QuerySet
from rest_framework.exceptions import ValidationError
from rest_framework.viewsets import GenericViewSet

from ingestion.business_date import NoDate, given_date


def narrowed(rows: QuerySet[Any], view: GenericViewSet[Any], filters: Mapping[str, str]) -> QuerySet[Any]:
    """The rows that a list's query asks for; ValidationError for a value that cannot be."""
    asked = {filters[name]: str(value) for name, value in view.request.GET.items() if name in filters and value}
    if view.action != "list" or not asked:
        return rows
    try:
        dates = [name for name in asked if name.endswith("date")]
        return rows.filter(**asked | {name: given_date(asked[name]) for name in dates})
    except (ValueError, InvalidDate, NoDate) as error:
        raise ValidationError({"detail": str(error)}) from None
